/* SPDX-License-Identifier: MIT */
/*
 * ok_overflow_handler - each thread has an alternate stack, and a handler on it
 * that ends recursions which go too deep, as runtimes of languages have it. They
 * read and write what others write, lock, and make system calls on the way.
 * Correct.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define THREADS 2
#define STACK 65536

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int nr_caught, sum;
static __thread sigjmp_buf back;
static __thread char *low, *high;	/* of this thread's stack */
static __thread int is_caught;
static char alternate[THREADS + 1][STACK];

static void check(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char *addr = info->si_addr, *sp = (char *)uc->uc_mcontext.gregs[REG_RSP];
	stack_t now;

	check(sig == SIGSEGV && info->si_code > 0, "signal");
	check(addr < low + 4096 && addr > low - 65536, "address of the fault");
	check(sp < low + 65536 && sp > low - 65536, "stack pointer of the fault");
	check(!sigaltstack(NULL, &now), "sigaltstack");
	is_caught = 1;
	siglongjmp(back, 1);
}

static __attribute__((noinline)) int deep(int n, volatile char *p)
{
	volatile char b[120];

	b[0] = p ? p[0] : 1;
	__atomic_fetch_add(&sum, b[0], __ATOMIC_RELAXED);
	if (n % 64 == 63)
		syscall(SYS_sched_yield);
	return n < 0 ? 0 : deep(n + 1, b) + b[0];
}

static __attribute__((noinline)) int deep_locking(int n, volatile char *p)
{
	volatile char b[120];

	b[0] = p ? p[0] : 1;
	/* A lock is not held where it ends: the call itself needs room. */
	if (n % 256 == 0 && (char *)b - low > 8192) {
		pthread_mutex_lock(&m);
		__atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&m);
	}
	return n < 0 ? 0 : deep_locking(n + 1, b) + b[0];
}

static void catch(int (*fn)(int, volatile char *))
{
	is_caught = 0;
	if (!sigsetjmp(back, 1))
		fn(0, NULL);
	check(is_caught, "caught");
	pthread_mutex_lock(&m);
	nr_caught++;
	pthread_mutex_unlock(&m);
}

static void *work(void *arg)
{
	stack_t st = { .ss_sp = alternate[(uintptr_t)arg], .ss_size = STACK };
	pthread_attr_t attr;
	size_t bytes;

	check(!sigaltstack(&st, NULL), "sigaltstack");
	check(!pthread_getattr_np(pthread_self(), &attr), "getattr");
	pthread_attr_getstack(&attr, (void **)&low, &bytes);
	high = low + bytes;
	catch(deep);
	catch(deep_locking);
	catch(deep);
	return NULL;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = on_fault,
			       .sa_flags = SA_ONSTACK | SA_SIGINFO };
	pthread_attr_t attr;
	pthread_t t[THREADS];

	sigaction(SIGSEGV, &a, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], &attr, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		guest_join(t[i]);
	check(nr_caught == 3 * THREADS, "caught in each");
	puts("ok");
	return 0;
}
