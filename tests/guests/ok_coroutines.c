/* SPDX-License-Identifier: MIT */
/*
 * ok_coroutines - threads whose work is done on stacks of 2 KiB, as coroutines
 * have them, in the middle of painted memory: system calls, a shared variable,
 * a mutex. Nothing below the stack is written to, and little of the stack. Correct.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "guest.h"

#define STACK 2048
#define BELOW 8192
#define PAINT 0xaa

/* What a raw system call, an access, a C library's lock may use of it. */
#define ROOM_CALL 512
#define ROOM_LOCK 1536

struct coroutine {
	unsigned char below[BELOW], stack[STACK];
	ucontext_t self, back;
	int fd[2];
};

static struct coroutine co[2];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int shared, word;
static __thread struct coroutine *here;

static void check(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static inline long call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "+a"(nr)
			 : "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return nr;
}

static void make_calls(void)
{
	struct coroutine *c = here;
	struct timespec ts = { 0, 1000 };
	char byte = 'x';
	int fd = c->fd[1], in = c->fd[0];

	for (int i = 0; i < 2; i++) {
		call(SYS_write, fd, (long)&byte, 1, 0);
		call(SYS_read, in, (long)&byte, 1, 0);
		call(SYS_futex, (long)&word, 1 /* WAKE */, 1, 0);
		call(SYS_futex, (long)&word, 0 /* WAIT */, 1, 0);
		call(SYS_nanosleep, (long)&ts, 0, 0, 0);
		call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0);
		ts.tv_sec = 0;
		ts.tv_nsec = 1000;
		call(SYS_sched_yield, 0, 0, 0, 0);
		call(SYS_getpid, 0, 0, 0, 0);
	}
}

static void make_accesses(void)
{
	for (int i = 0; i < 4; i++)
		__atomic_fetch_add(&shared, 1, __ATOMIC_RELAXED);
	*(volatile int *)&co[0].fd[0];
	*(volatile int *)&co[1].fd[1];
}

static void make_locks(void)
{
	pthread_mutex_lock(&m);
	word = 0;
	pthread_mutex_unlock(&m);
}

static size_t run(struct coroutine *c, void (*fn)(void))
{
	size_t low = 0;

	here = c;
	memset(c->below, PAINT, BELOW + STACK);
	getcontext(&c->self);
	c->self.uc_stack.ss_sp = c->stack;
	c->self.uc_stack.ss_size = STACK;
	c->self.uc_link = &c->back;
	makecontext(&c->self, fn, 0);
	swapcontext(&c->back, &c->self);
	while (low < BELOW + STACK && c->below[low] == PAINT)
		low++;
	return BELOW + STACK - low;
}

static void *work(void *arg)
{
	struct coroutine *c = &co[(uintptr_t)arg];

	check(!pipe(c->fd), "pipe");
	check(run(c, make_calls) < ROOM_CALL, "room of system calls");
	check(run(c, make_accesses) < ROOM_CALL, "room of accesses");
	check(run(c, make_locks) < ROOM_LOCK, "room of locks");
	check(run(c, make_calls) < ROOM_CALL, "room of system calls");
	return NULL;
}

int main(void)
{
	make_locks();	/* the dynamic linker has found it */
	guest_run(2, work);
	check(shared == 8, "count");
	puts("ok");
	return 0;
}
