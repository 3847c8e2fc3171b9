/* SPDX-License-Identifier: MIT */
/* memory.c - mmap(2), brk(2), mprotect(2), mlock(2), limits and futexes. */
#include "system.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <ucontext.h>

static char *map(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* Memory is zero, can grow, and goes. */
static void maps(void)
{
	char *p = map(8192);

	TELL((long)p[5000]);
	p[1] = 3;
	p = mremap(p, 8192, 1 << 20, MREMAP_MAYMOVE);
	TELL((long)p[1]);
	TELL((long)p[1 << 19]);
	TELL(munmap(p, 1 << 20));
	TELL(munmap((void *)1, 4096));
	TELL_TRUE(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		  MAP_FAILED);
	TELL_TRUE(mremap((void *)4096, 4096, 8192, 0) == MAP_FAILED);
}

/* The heap of brk(2) grows by hundreds of megabytes, and shrinks. */
static void heap_grows(void)
{
	char *begin = sbrk(0);

	TELL_TRUE(sbrk(200 << 20) == begin);
	begin[(200 << 20) - 1] = 1;
	TELL_TRUE(sbrk(0) == begin + (200 << 20));
	TELL_TRUE(brk(begin) == 0);
	TELL_TRUE(sbrk(0) == begin);
}

/* A page without permission, and a handler that gives it. */
static char *page;
static volatile sig_atomic_t nr_faults;

static void permit(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	nr_faults++;
	if ((char *)info->si_addr - page < 4096)
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void *touch(void *arg)
{
	page[(intptr_t)arg] = 1;
	return NULL;
}

static void protects(void)
{
	struct sigaction a = { .sa_flags = SA_SIGINFO };

	a.sa_sigaction = permit;
	sigaction(SIGSEGV, &a, NULL);
	page = map(4096);
	TELL(mprotect(page, 4096, PROT_NONE));
	join(start(touch, (void *)10));
	TELL((long)nr_faults);
	TELL(mprotect(page, 4096, PROT_READ));
	touch((void *)20);
	TELL((long)nr_faults);
	TELL((long)page[20]);
	TELL(mprotect((void *)1, 4096, PROT_READ));
}

/* A stack overflow, handled on an alternate stack. */
static sigjmp_buf back;

static void overflowed(int sig)
{
	siglongjmp(back, sig);
}

static __attribute__((noinline)) int deep(volatile char *p)
{
	volatile char here[512];

	here[0] = p ? p[0] : 1;
	return here[0] ? deep(here) + here[0] : 0;
}

static void *overflow(void *arg)
{
	stack_t alternate = { .ss_size = 65536 };
	int sig;

	(void)arg;
	alternate.ss_sp = malloc(alternate.ss_size);
	sigaltstack(&alternate, NULL);
	sig = sigsetjmp(back, 1);
	if (!sig)
		deep(NULL);
	return (void *)(intptr_t)sig;
}

static void overflows(void)
{
	struct sigaction a = { .sa_handler = overflowed, .sa_flags = SA_ONSTACK };

	sigaction(SIGSEGV, &a, NULL);
	TELL((long)join(start(overflow, NULL)));
	TELL((long)(intptr_t)overflow(NULL));
}

/* mlock(2) and its kin, as a program that must not page does it. */
static void locks(void)
{
	char *p = map(65536);

	TELL(mlock(p, 65536));
	TELL(munlock(p, 65536));
	TELL(mlockall(MCL_CURRENT | MCL_FUTURE));
	join(start(touch, ((page = map(4096)), (void *)1)));
	TELL(munlockall());
	TELL(mlockall(0));
	TELL(madvise(p, 65536, MADV_DONTNEED));
	TELL((long)p[0]);
	TELL(madvise(p, 65536, 12345));
}

/* A program that limits its own memory. */
static void limits(void)
{
	struct rlimit r = { 1 << 30, 1 << 30 }, now;
	char *p;

	TELL(setrlimit(RLIMIT_AS, &r));
	TELL(getrlimit(RLIMIT_AS, &now));
	TELL_TRUE(now.rlim_cur == 1 << 30);
	p = malloc(100 << 20);
	TELL_TRUE(p != NULL);
	if (p)
		p[0] = 1;
	page = map(4096);
	join(start(touch, (void *)3));
	free(p);
	TELL_TRUE(malloc((size_t)2 << 30) == NULL);
	r.rlim_cur = 2ul << 30;
	r.rlim_max = 1 << 30;
	TELL(setrlimit(RLIMIT_AS, &r));
	TELL(getrlimit(77, &now));
}

/* futex(2): wait, wake, timeouts, requeue, bitsets. */
static atomic_int word, second;

static long futex(void *addr, int op, int value, const void *time, void *addr2,
		  int value3)
{
	return syscall(SYS_futex, addr, op, value, time, addr2, value3);
}

static void *wait_word(void *arg)
{
	(void)arg;
	while (atomic_load(&word) == 0)
		futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return NULL;
}

static void futexes(void)
{
	struct timespec soon = { 0, 1000000 };
	pthread_t a = start(wait_word, NULL), b = start(wait_word, NULL);

	atomic_store(&word, 1);
	TELL_TRUE(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) <= 2);
	join(a);
	join(b);
	TELL(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	TELL(futex(&word, FUTEX_WAIT_PRIVATE, 1, &soon, NULL, 0));
	TELL(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, &soon, NULL, 1));
	TELL(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, NULL, NULL, 0));
	TELL(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &second, 7));
	TELL(futex((void *)1, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	TELL(futex(&word, 99, 1, NULL, NULL, 0));
}

/* A lock with priority inheritance, by the kernel's calls. */
static void *lock_pi(void *arg)
{
	for (int i = 0; i < 5; i++) {
		if (futex(&second, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0))
			return (void *)1;
		++*(int *)arg;
		if (futex(&second, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0))
			return (void *)2;
	}
	return NULL;
}

static void pi_futexes(void)
{
	int count = 0;
	pthread_t a = start(lock_pi, &count), b = start(lock_pi, &count);

	TELL((long)join(a));
	TELL((long)join(b));
	TELL((long)count);
	TELL(futex(&second, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

/* Coroutines on small stacks that make system calls. */
static ucontext_t outer, inner;
static char small[16384];

static void coroutine(void)
{
	struct timespec ms = { 0, 1000000 };

	for (int i = 0; i < 3; i++) {
		nanosleep(&ms, NULL);
		swapcontext(&inner, &outer);
	}
}

static void coroutines(void)
{
	getcontext(&inner);
	inner.uc_stack.ss_sp = small;
	inner.uc_stack.ss_size = sizeof(small);
	inner.uc_link = &outer;
	makecontext(&inner, coroutine, 0);
	for (int i = 0; i < 4; i++)
		TELL(swapcontext(&outer, &inner));
}

/* What the kernel told the program at its start. */
static void auxiliary(void)
{
	struct utsname u;

	TELL((long)getauxval(AT_PAGESZ));
	TELL_TRUE(getauxval(AT_RANDOM) != 0 && getauxval(AT_PHNUM) > 0);
	TELL_TRUE(getauxval(AT_UID) == getuid());
	TELL(getauxval(12345));
	TELL(uname(&u));
	TELL_TRUE(sysconf(_SC_NPROCESSORS_ONLN) > 0);
	TELL(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0);
	TELL(syscall(100000));
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "mmap", maps },
		{ "brk", heap_grows },
		{ "mprotect", protects },
		{ "overflow", overflows },
		{ "mlock", locks },
		{ "limits", limits },
		{ "futex", futexes },
		{ "futex-pi", pi_futexes },
		{ "coroutines", coroutines },
		{ "auxv", auxiliary },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
