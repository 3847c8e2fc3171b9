/* SPDX-License-Identifier: MIT */
/*
 * cpuid.c - what the processor says of itself.
 *
 * rdrand and rdseed give random bytes that nobody can answer for: they do not
 * trap. But who uses them asks cpuid first whether they are there, and cpuid
 * can be made to fault. It then says that they are not, and programs ask the
 * kernel instead (C++'s random_device, libcrypto). What differs from one
 * processor to the next is left out as well.
 *
 * Not every processor and hypervisor can do it; then all stays as it is.
 */
#include "preload/kernel/traps.h"

#define ARCH_SET_CPUID_NR 0x1012
#define HAS_RDRAND (1u << 30)	/* leaf 1, ecx */
#define HAS_RDSEED (1u << 18)	/* leaf 7, ebx */
#define APIC_ID 0xff000000u	/* leaf 1, ebx: of the current processor */

void cpuid_trap(bool is_on)
{
	sys_call2(__NR_arch_prctl, ARCH_SET_CPUID_NR, !is_on);
}

bool cpuid_emulate(struct sigcontext *m)
{
	uint32_t leaf = (uint32_t)m->rax, subleaf = (uint32_t)m->rcx;
	uint32_t a, b, c, d, bytes;

	if (!sys_load32((const uint32_t *)(uintptr_t)m->rip, &bytes) ||
	    (bytes & 0xffff) != 0xa20f)
		return false;
	cpuid_trap(false);
	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d)
				 : "a"(leaf), "c"(subleaf));
	cpuid_trap(true);
	if (leaf == 1) {
		b &= ~APIC_ID;
		c &= ~HAS_RDRAND;
	} else if (leaf == 7 && !subleaf) {
		b &= ~HAS_RDSEED;
	} else if (leaf == 0xb || leaf == 0x1f) {
		d = 0;		/* the APIC id again */
	}
	m->rax = a;
	m->rbx = b;
	m->rcx = c;
	m->rdx = d;
	m->rip += 2;
	return true;
}
