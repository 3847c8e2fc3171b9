/* SPDX-License-Identifier: MIT */
/*
 * stamped.c - time stamps in a library that is no subject of the search, and a
 * program that reads them. Built twice by run-stamped, with LIBRARY and without.
 *
 * Prints how the library's stamps are reached: "N by jump", when N of them are
 * no longer in its code. Fails when they go back, or when the library changes
 * what it must not.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NR 3
#define CODE_BYTES 48	/* the functions are aligned to 64 */

uint64_t stamp_short(void);
uint64_t stamp_long(uint32_t *processor);
uint64_t stamp_kept(uint64_t a, uint64_t b);

#ifdef LIBRARY
#define ALIGNED __attribute__((aligned(64), noinline))

ALIGNED uint64_t stamp_short(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

ALIGNED uint64_t stamp_long(uint32_t *processor)
{
	uint32_t low, high;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(*processor));
	return (uint64_t)high << 32 | low;
}

/* What lies in the red zone and in registers stays. */
ALIGNED uint64_t stamp_kept(uint64_t a, uint64_t b)
{
	uint64_t kept;

	__asm__ volatile("mov %1, -16(%%rsp)\n\t"
			 "mov %2, %%r9\n\t"
			 "rdtsc\n\t"
			 "shl $32, %%rdx\n\t"
			 "mov -16(%%rsp), %0\n\t"
			 "add %%r9, %0\n\t"
			 : "=&r"(kept) : "r"(a), "r"(b)
			 : "rax", "rdx", "r9", "cc", "memory");
	return kept;
}
#else
static void *nothing(void *arg)
{
	return arg;
}

/* Whether rdtsc or rdtscp is still there. */
static int has_stamp(uintptr_t function)
{
	const uint8_t *code = (const uint8_t *)function;

	for (int i = 0; i < CODE_BYTES; i++)
		if (code[i] == 0x0f && (code[i + 1] == 0x31 ||
		    (code[i + 1] == 0x01 && code[i + 2] == 0xf9)))
			return 1;
	return 0;
}

int main(void)
{
	const uintptr_t function[NR] = {
		(uintptr_t)stamp_short, (uintptr_t)stamp_long,
		(uintptr_t)stamp_kept,
	};
	uint64_t last = 0, now;
	uint32_t processor;
	pthread_t thread;
	int nr = 0;

	pthread_create(&thread, NULL, nothing, NULL);
	for (uint64_t i = 0; i < 1000; i++) {
		now = i % 2 ? stamp_short() : stamp_long(&processor);
		if (now < last || stamp_kept(i, 7) != i + 7)
			return 1;
		last = now;
	}
	pthread_join(thread, NULL);
	for (int i = 0; i < NR; i++)
		nr += !has_stamp(function[i]);
	printf("%d by jump\n", nr);
	return 0;
}
#endif
