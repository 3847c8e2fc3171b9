/* SPDX-License-Identifier: MIT */
/*
 * ok_heap - the heap grows by brk(), by hundreds of megabytes, and shrinks: an
 * allocator of the program's own in two threads. Mappings at fixed addresses
 * near the program and in the low 2 GiB have their room, too.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP (96l << 20)
#define STEPS 3

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what)
{
	perror(what);
	abort();
}

static void *grow(void *arg)
{
	for (int i = 0; i < STEPS; i++) {
		char *p;

		pthread_mutex_lock(&m);
		p = sbrk(STEP);
		if (p == (void *)-1)
			fail("sbrk");
		p[0] = p[STEP - 1] = 1;
		pthread_mutex_unlock(&m);
	}
	return arg;
}

static void check_fixed(void)
{
	char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED)
		fail("MAP_32BIT");
	p[0] = 1;
	munmap(p, 64 << 20);
	/* Where an address sanitizer has its shadow. */
	p = mmap((void *)0x7fff8000, 1 << 30, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 MAP_FIXED_NOREPLACE, -1, 0);
	if (p == MAP_FAILED)
		fail("MAP_FIXED_NOREPLACE");
	p[0] = 1;
}

int main(void)
{
	char *start = sbrk(0);
	pthread_t t[2];

	check_fixed();
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, grow, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	if ((char *)sbrk(0) - start < 2 * STEPS * STEP)
		fail("the end of the heap");
	if (sbrk(-STEPS * STEP) == (void *)-1)
		fail("sbrk to shrink");
	puts("ok");
	return 0;
}
