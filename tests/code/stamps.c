/* SPDX-License-Identifier: MIT */
/*
 * stamps.c - rdtsc and rdtscp, in C or C++
 *
 * Time stamps never go back, in no task and across tasks under a lock; they go
 * at one pace with the clock; who waits for one gets there; and the instruction
 * changes no register and no flag but its own, nor the red zone.
 */
#include <assert.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "tests/guests/guest.h"

#define READS 200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long latest;

static unsigned long long stamp(int with_p)
{
	unsigned int processor;

	_mm_lfence();
	return with_p ? __rdtscp(&processor) : __rdtsc();
}

#ifdef __cplusplus
static unsigned long long other_stamp(int with_p)
{
	unsigned int processor;
	auto read = [&] { return with_p ? __rdtscp(&processor) : __rdtsc(); };

	return read();
}
#else
/* One of them jumps behind the other one. */
static unsigned long long other_stamp(int with_p)
{
	unsigned int low, high;

	__asm__ volatile("test %2, %2\n\t"
			 "jne 1f\n\t"
			 "rdtsc\n\t"
			 "jmp 2f\n"
			 "1:	rdtscp\n"
			 "2:	shl $32, %%rdx\n\t"
			 "or %%rdx, %%rax\n\t"
			 "mov %%rax, %%rdx\n\t"
			 "shr $32, %%rdx"
			 : "=&a"(low), "=&d"(high)
			 : "r"(with_p) : "rcx", "cc");
	return (unsigned long long)high << 32 | low;
}
#endif

static void *look(void *arg)
{
	for (int i = 0; i < READS; i++) {
		unsigned long long a = stamp(i & 1), b = other_stamp(i & 2);

		assert(a <= b);
	}
	for (int i = 0; i < 3; i++) {
		unsigned long long now;

		pthread_mutex_lock(&lock);
		now = stamp(i & 1);
		assert(latest <= now);
		latest = now;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

/* Fill all registers and flags, read the stamp, and look. */
#define KEPT(insn, set_flags, flags_mask, may_rcx)                          \
	do {                                                               \
		unsigned long before, after, changed;                      \
									   \
		__asm__ volatile(                                          \
			"push %%rbp\n\t"                                   \
			"push %%rbx\n\t"                                   \
			"mov $0x1111, %%ebx\n\t"                           \
			"mov $0x2222, %%ebp\n\t"                           \
			"mov $0x3333, %%esi\n\t"                           \
			"mov $0x4444, %%edi\n\t"                           \
			"mov $0x5555, %%r12d\n\t"                          \
			"mov $0x6666, %%r13d\n\t"                          \
			"mov $0x7777, %%r14d\n\t"                          \
			"mov $0x8888, %%r15d\n\t"                          \
			"movq $0x99, -8(%%rsp)\n\t"                        \
			"movq $0xaa, -128(%%rsp)\n\t"                      \
			"mov $0xcc, %%ecx\n\t"                             \
			"movq %%rsi, %%xmm5\n\t"                           \
			set_flags "\n\t"                                   \
			"pushf\n\tpop %%r8\n\t"                            \
			"movq $0x99, -8(%%rsp)\n\t"                        \
			"mov %%rsp, %%r10\n\t"                             \
			insn "\n\t"                                        \
			"mov %%edx, %%edx\n\t"                             \
			"mov %%eax, %%eax\n\t"                             \
			"lea -256(%%rsp), %%rsp\n\t"                       \
			"pushf\n\tpop %%r9\n\t"                            \
			"cld\n\t"                                          \
			"lea 256(%%rsp), %%rsp\n\t"                        \
			"xor %%rsp, %%r10\n\t"                             \
			"xor $0x1111, %%rbx\n\tor %%rbx, %%r10\n\t"         \
			"xor $0x2222, %%rbp\n\tor %%rbp, %%r10\n\t"         \
			"xor $0x3333, %%rsi\n\tor %%rsi, %%r10\n\t"         \
			"xor $0x4444, %%rdi\n\tor %%rdi, %%r10\n\t"         \
			"xor $0x5555, %%r12\n\tor %%r12, %%r10\n\t"         \
			"xor $0x6666, %%r13\n\tor %%r13, %%r10\n\t"         \
			"xor $0x7777, %%r14\n\tor %%r14, %%r10\n\t"         \
			"xor $0x8888, %%r15\n\tor %%r15, %%r10\n\t"         \
			"movq %%xmm5, %%rsi\n\t"                           \
			"xor $0x3333, %%rsi\n\tor %%rsi, %%r10\n\t"         \
			"mov -8(%%rsp), %%rsi\n\t"                         \
			"xor $0x99, %%rsi\n\tor %%rsi, %%r10\n\t"           \
			"mov -128(%%rsp), %%rsi\n\t"                       \
			"xor $0xaa, %%rsi\n\tor %%rsi, %%r10\n\t"           \
			may_rcx                                            \
			"pop %%rbx\n\t"                                    \
			"pop %%rbp\n\t"                                    \
			"mov %%r8, %0\n\t"                                 \
			"mov %%r9, %1\n\t"                                 \
			"mov %%r10, %2"                                    \
			: "=m"(before), "=m"(after), "=m"(changed)         \
			:                                                  \
			: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9",   \
			  "r10", "r12", "r13", "r14", "r15", "xmm5", "cc", \
			  "memory");                                       \
		assert(!changed);                                          \
		assert(((before ^ after) & (flags_mask)) == 0);            \
	} while (0)

#define ARITHMETIC 0xcd5ul	/* and the direction */
#define RCX_TOO "xor $0xcc, %%rcx\n\tor %%rcx, %%r10\n\t"

static void check_kept(void)
{
	KEPT("rdtsc", "mov $0x7fffffff, %%eax\n\tadd $1, %%eax", ARITHMETIC,
	     RCX_TOO);
	KEPT("rdtsc", "xor %%eax, %%eax", ARITHMETIC, RCX_TOO);
	KEPT("rdtsc", "mov $-1, %%eax\n\tadd $1, %%eax", ARITHMETIC, RCX_TOO);
	KEPT("rdtsc", "xor %%eax, %%eax\n\tstc\n\tstd", ARITHMETIC, RCX_TOO);
	KEPT("rdtscp", "mov $0x7fffffff, %%eax\n\tadd $1, %%eax", ARITHMETIC,
	     "");
	KEPT("rdtscp", "xor %%eax, %%eax\n\tstc\n\tstd", ARITHMETIC, "");
}

static unsigned long long clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Alone, the processor's pace is unknown; that it goes on is all. */
static void check_pace(void)
{
	unsigned long long from = clock_ns(), first = stamp(0);
	const struct timespec pause = { 0, 5000000 };
	unsigned long long nr, ns;

	nanosleep(&pause, NULL);
	nr = stamp(1) - first;
	ns = clock_ns() - from;
	assert(nr > ns / 2 && nr / 16 < ns);
}

/* A child on its own reads the processor's, through the same code. */
static void check_child(void)
{
	int status, pid = fork();

	if (!pid) {
		unsigned long long a = stamp(0), b = stamp(1);

		_exit(a <= b ? 0 : 1);
	}
	assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	pthread_t thread[2];
	unsigned long long end;

	check_kept();
	check_pace();
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, look, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	/* Wait for one: 20 ms at this pace. */
	end = stamp(0) + 40000000;
	while (stamp(1) < end)
		;
	check_child();
	assert(write(1, "stamps in order\n", 16) == 16);
	return 0;
}
