/* SPDX-License-Identifier: MIT */
/*
 * ok_int80 - 32-bit system calls of a 64-bit program, by int $0x80: their
 * numbers, their registers, their errors; of two threads at a time. Correct.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static char *low;	/* memory that 32 bits can name */

static void check(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static long call(long nr, long a, long b, long c, long d)
{
	__asm__ volatile("int $0x80" : "+a"(nr)
			 : "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory", "r8", "r9", "r10", "r11");
	return nr;
}

static void *work(void *arg)
{
	char *mine = low + 4096 * (uintptr_t)arg;
	int *fds = (int *)mine;
	long at = (long)(uintptr_t)mine;

	check(call(20, 0, 0, 0, 0) == getpid(), "getpid");
	check(call(224, 0, 0, 0, 0) == syscall(SYS_gettid), "gettid");
	check(call(199, 0, 0, 0, 0) == (long)getuid(), "getuid");
	check(!call(158, 0, 0, 0, 0), "sched_yield");
	check(!call(42, at, 0, 0, 0), "pipe");
	pthread_mutex_lock(&m);
	mine[64] = 'x';
	pthread_mutex_unlock(&m);
	check(call(4, fds[1], at + 64, 1, 0) == 1, "write");
	check(call(3, fds[0], at + 65, 1, 0) == 1, "read");
	check(mine[65] == 'x', "what was written");
	check(call(19, fds[0], -1, 0, 0) == -ESPIPE, "lseek");
	check(!call(6, fds[0], 0, 0, 0), "close");
	check(call(6, -1, 0, 0, 0) == -EBADF, "close what is not open");
	check(!call(240, at, 1 /* FUTEX_WAKE */, 1, 0), "futex");
	close(fds[1]);
	return NULL;
}

int main(void)
{
	low = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	check(low != MAP_FAILED, "mmap");
	guest_run(2, work);
	puts("ok");
	return 0;
}
