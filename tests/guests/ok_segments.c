/* SPDX-License-Identifier: MIT */
/*
 * ok_segments - each thread has a gs base of its own, set by system call or by
 * instruction, inherited by the threads it makes; and an fs base that it may
 * change for a while. Correct.
 */
#include <asm/prctl.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define ROUNDS 3

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static uint64_t area[4][8];

static void check(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static uint64_t by_gs(void)
{
	uint64_t v;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(v));
	return v;
}

static void set_by_instruction(uint64_t base)
{
	__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd8" /* wrgsbase rax */
			 : : "a"(base) : "memory");
}

static void go_on(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	sched_yield();
}

static void *inherits(void *arg)
{
	uint64_t base = 0;

	go_on();
	check(by_gs() == 100 + (uintptr_t)arg, "the maker's gs base");
	check(!syscall(SYS_arch_prctl, ARCH_GET_GS, &base), "ARCH_GET_GS");
	check(base == (uintptr_t)area[(uintptr_t)arg], "its value");
	return NULL;
}

static void *work(void *arg)
{
	uintptr_t self = (uintptr_t)arg;
	int has_instruction = getauxval(AT_HWCAP2) >> 1 & 1;

	area[self][1] = 100 + self;
	if (self & 1 && has_instruction)
		set_by_instruction((uintptr_t)area[self]);
	else
		check(!syscall(SYS_arch_prctl, ARCH_SET_GS, area[self]),
		      "ARCH_SET_GS");
	for (int i = 0; i < ROUNDS; i++) {
		go_on();
		check(by_gs() == 100 + self, "gs base kept");
	}
	guest_join(guest_start(inherits, arg));
	check(by_gs() == 100 + self, "gs base kept");
	return NULL;
}

/* A foreign fs base, with what the switch finds at it. */
static void change_fs(void)
{
	static uint64_t other[64];
	uint64_t fs = 0, now = 0;
	long r = SYS_arch_prctl, a = ARCH_SET_FS;

	check(!syscall(SYS_arch_prctl, ARCH_GET_FS, &fs), "ARCH_GET_FS");
	__asm__ volatile("syscall" : "+a"(r)
			 : "D"(a), "S"(&other[32])
			 : "rcx", "r11", "memory");
	r = SYS_sched_yield;
	__asm__ volatile("syscall" : "+a"(r) : : "rcx", "r11", "memory");
	r = SYS_arch_prctl;
	a = ARCH_GET_FS;
	__asm__ volatile("syscall" : "+a"(r)
			 : "D"(a), "S"(&now) : "rcx", "r11", "memory");
	r = SYS_arch_prctl;
	a = ARCH_SET_FS;
	__asm__ volatile("syscall" : "+a"(r)
			 : "D"(a), "S"(fs) : "rcx", "r11", "memory");
	check(now == (uintptr_t)&other[32], "fs base kept");
}

static void *changes(void *arg)
{
	change_fs();
	go_on();
	return arg;
}

int main(void)
{
	pthread_t t = guest_start(changes, NULL);

	guest_run(3, work);
	guest_join(t);
	puts("ok");
	return 0;
}
