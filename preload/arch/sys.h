/* SPDX-License-Identifier: MIT */
/*
 * sys.h - the few primitives through which the runtime reaches kernel and CPU.
 *
 * System calls are made from the stub page (entry.S), the only code that
 * Syscall User Dispatch lets through. All return the kernel's value: negative
 * errno on failure. errno is never touched.
 */
#ifndef PRELOAD_SYS_H
#define PRELOAD_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/unistd.h>

#define SYS_HIDDEN __attribute__((visibility("hidden")))

/* entry.S: the stub page, [sys_stub_start, sys_stub_end). */
extern SYS_HIDDEN char sys_stub_start[], sys_stub_end[];

SYS_HIDDEN int64_t sys_call6(int64_t nr, uint64_t a, uint64_t b, uint64_t c,
			     uint64_t d, uint64_t e, uint64_t f);

#define SYS_ARG(x) ((uint64_t)(uintptr_t)(x))
#define sys_call0(nr) sys_call6((nr), 0, 0, 0, 0, 0, 0)
#define sys_call1(nr, a) sys_call6((nr), SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys_call2(nr, a, b) \
	sys_call6((nr), SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys_call3(nr, a, b, c) \
	sys_call6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys_call4(nr, a, b, c, d)                                         \
	sys_call6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, \
		  0)
#define sys_call5(nr, a, b, c, d, e)                                   \
	sys_call6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), \
		  SYS_ARG(e), 0)

/* rt_sigreturn from the stub page: what real signal frames return to. */
extern SYS_HIDDEN char sys_restorer[];
/* rt_sigreturn from outside it: what the target's handlers return to. */
extern SYS_HIDDEN char sys_target_restorer[];
/*
 * A system call that traps, to get a kernel signal frame; see
 * signals_deliver.c.
 */
SYS_HIDDEN int64_t sys_trap_self(int64_t nr);
#define SYS_NR_DELIVER 0x3fff0	/* no such system call */
/* The same, of access_entry(): registers are in access_held. */
#define SYS_NR_DELIVER_HELD 0x3fff1

/* Make the signal frame at `sp` the current context. */
SYS_HIDDEN _Noreturn void sys_sigreturn_at(uint64_t sp);

/*
 * Read or write target memory that may not be there: false on a fault. The
 * instructions lie in [sys_fault_start, sys_fault_end); the SIGSEGV handler
 * sends a fault there to sys_fault_exit.
 */
SYS_HIDDEN bool sys_load32(const volatile uint32_t *p, uint32_t *value);
SYS_HIDDEN bool sys_store32(volatile uint32_t *p, uint32_t value);
SYS_HIDDEN bool sys_load64(const volatile uint64_t *p, uint64_t *value);
/* Zero-extended, the whole of *value. */
SYS_HIDDEN bool sys_load8(const volatile void *p, uint64_t *value);
SYS_HIDDEN bool sys_load16(const volatile void *p, uint64_t *value);
/* The low bytes of `value`. */
SYS_HIDDEN bool sys_store8(volatile void *p, uint64_t value);
SYS_HIDDEN bool sys_store16(volatile void *p, uint64_t value);
SYS_HIDDEN bool sys_store64(volatile void *p, uint64_t value);
/* Any number of bytes; on a fault, some of them may have been copied. */
SYS_HIDDEN bool sys_copy(void *to, const void *from, size_t bytes);
extern SYS_HIDDEN char sys_fault_start[], sys_fault_end[], sys_fault_exit[];

/* The same between the runtime and an address that the target gave. */
static inline bool sys_copy_in(void *to, uint64_t from, size_t bytes)
{
	return sys_copy(to, (const void *)(uintptr_t)from, bytes);
}

static inline bool sys_copy_out(uint64_t to, const void *from, size_t bytes)
{
	return sys_copy((void *)(uintptr_t)to, from, bytes);
}

/* 1 when rdfsbase and wrfsbase work here (AT_HWCAP2); else arch_prctl. */
extern SYS_HIDDEN uint32_t sys_has_fsgsbase;

static inline uint64_t sys_get_fs(void)
{
	uint64_t fs;

	if (__builtin_expect(sys_has_fsgsbase, 1))
		__asm__ volatile("rdfsbase %0" : "=r"(fs));
	else
		sys_call2(__NR_arch_prctl, 0x1003 /* ARCH_GET_FS */, &fs);
	return fs;
}

static inline void sys_set_fs(uint64_t fs)
{
	if (__builtin_expect(sys_has_fsgsbase, 1))
		__asm__ volatile("wrfsbase %0" : : "r"(fs) : "memory");
	else
		sys_call2(__NR_arch_prctl, 0x1002 /* ARCH_SET_FS */, fs);
}

/* The gs base; without FSGSBASE only where arch_prctl says that it is used. */
static inline uint64_t sys_get_gs(void)
{
	uint64_t gs;

	if (__builtin_expect(sys_has_fsgsbase, 1))
		__asm__ volatile("rdgsbase %0" : "=r"(gs));
	else
		sys_call2(__NR_arch_prctl, 0x1004 /* ARCH_GET_GS */, &gs);
	return gs;
}

static inline void sys_set_gs(uint64_t gs)
{
	if (__builtin_expect(sys_has_fsgsbase, 1))
		__asm__ volatile("wrgsbase %0" : : "r"(gs) : "memory");
	else
		sys_call2(__NR_arch_prctl, 0x1001 /* ARCH_SET_GS */, gs);
}

#endif /* PRELOAD_SYS_H */
