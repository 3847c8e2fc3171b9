/* SPDX-License-Identifier: MIT */
/*
 * ok_registers.c - what a switch must keep: vector registers, rounding, flags
 *
 * The system call below is made without the C library, so the compiler may keep
 * values in every register that the kernel keeps.
 */
#include <assert.h>
#include <fenv.h>
#include <sys/syscall.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct vectors {
	unsigned char byte[16][16];
} __attribute__((aligned(16)));

/* sched_yield with all vector registers loaded from *v, stored back after. */
static void yield_with(struct vectors *v)
{
	long number = SYS_sched_yield;

	__asm__ volatile(
		"movdqa 0x00(%1), %%xmm0\n\tmovdqa 0x10(%1), %%xmm1\n\t"
		"movdqa 0x20(%1), %%xmm2\n\tmovdqa 0x30(%1), %%xmm3\n\t"
		"movdqa 0x70(%1), %%xmm7\n\tmovdqa 0xf0(%1), %%xmm15\n\t"
		"syscall\n\t"
		"movdqa %%xmm0, 0x00(%1)\n\tmovdqa %%xmm1, 0x10(%1)\n\t"
		"movdqa %%xmm2, 0x20(%1)\n\tmovdqa %%xmm3, 0x30(%1)\n\t"
		"movdqa %%xmm7, 0x70(%1)\n\tmovdqa %%xmm15, 0xf0(%1)\n\t"
		: "+a"(number)
		: "r"(v)
		: "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
		  "xmm7", "xmm15");
	assert(!number);
}

/* The same with the general registers: true when all came back. */
static int yield_keeps_general(unsigned long x)
{
	unsigned long sum;
	long number = SYS_sched_yield;

	__asm__ volatile(
		"mov %2, %%rbx\n\tlea 1(%2), %%rdx\n\tlea 2(%2), %%rsi\n\t"
		"lea 3(%2), %%rdi\n\tlea 4(%2), %%r8\n\tlea 5(%2), %%r9\n\t"
		"lea 6(%2), %%r10\n\tlea 7(%2), %%r12\n\t"
		"syscall\n\t"
		"lea (%%rbx,%%rdx), %1\n\tadd %%rsi, %1\n\tadd %%rdi, %1\n\t"
		"add %%r8, %1\n\tadd %%r9, %1\n\tadd %%r10, %1\n\t"
		"add %%r12, %1\n\t"
		: "+a"(number), "=&r"(sum)
		: "r"(x)
		: "rcx", "r11", "memory", "rbx", "rdx", "rsi", "rdi", "r8",
		  "r9", "r10", "r12");
	return sum == 8 * x + 28 && !number;
}

/* An even function of its argument that wants the stack's red zone. */
static __attribute__((noinline)) long red_zone(long x)
{
	long number = SYS_sched_yield, kept;

	__asm__ volatile("mov %2, -64(%%rsp)\n\t"
			 "syscall\n\t"
			 "mov -64(%%rsp), %1\n\t"
			 : "+a"(number), "=r"(kept)
			 : "r"(x)
			 : "rcx", "r11", "memory");
	return kept;
}

static void *work(void *arg)
{
	static const int rounding[4] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
					 FE_TOWARDZERO };
	uintptr_t me = (uintptr_t)arg;
	struct vectors v, expected;

	for (unsigned int i = 0; i < sizeof(v); i++)
		v.byte[i / 16][i % 16] = (unsigned char)(i + 31 * me);
	expected = v;
	assert(!fesetround(rounding[me % 4]));
	for (int i = 0; i < 3; i++) {
		yield_with(&v);
		for (unsigned int j = 0; j < sizeof(v); j++)
			assert(v.byte[j / 16][j % 16] ==
			       expected.byte[j / 16][j % 16]);
		assert(yield_keeps_general(1000 * (me + 1)));
		assert(red_zone((long)me + 5) == (long)me + 5);
		assert(fegetround() == rounding[me % 4]);
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
		assert(fegetround() == rounding[me % 4]);
	}
	return NULL;
}

int main(void)
{
	guest_run(4, work);
	assert(fegetround() == FE_TONEAREST);
	return guest_ok();
}
