/* SPDX-License-Identifier: MIT */
/*
 * reuse.c - memory that one thread gives back and another gets.
 *
 *   reuse WAY
 *
 * The threads have nothing to do with one another; only the allocator or the
 * kernel gives the second the place that the first had. No data race.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>
#include <sys/ipc.h>

#define BYTES 8192

static __thread char local[256];

/* Through a pointer, in a way that is not optimised away. */
static void __attribute__((noinline)) use(char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 8)
		*(volatile char *)(p + i) = (char)i;
	for (size_t i = 0; i < bytes; i += 8)
		if (*(volatile char *)(p + i) != (char)i)
			abort();
}

static void use_map(void)
{
	char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	use(p, BYTES);
	munmap(p, BYTES);
}

static void use_remap(void)
{
	char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p = mremap(p, BYTES, 4 * BYTES, MREMAP_MAYMOVE);
	use(p, 4 * BYTES);
	p = mremap(p, 4 * BYTES, BYTES, 0);
	munmap(p, BYTES);
}

static void use_realloc(void)
{
	char *p = malloc(64);

	for (size_t bytes = 64; bytes < BYTES; bytes *= 2) {
		p = realloc(p, bytes);
		use(p, bytes);
	}
	p = realloc(p, 32);
	use(p, 32);
	free(p);
}

static void use_heap(void)
{
	char *p = malloc(100);

	use(p, 100);
	free(p);
	p = calloc(3, 100);
	use(p, 300);
	free(p);
	p = aligned_alloc(64, 128);
	use(p, 128);
	free(p);
	p = strdup("something that is long enough to be allocated");
	use(p, strlen(p));
	free(p);
}

static void use_shm(void)
{
	int id = shmget(IPC_PRIVATE, BYTES, 0600 | IPC_CREAT);
	char *p = shmat(id, NULL, 0);

	use(p, BYTES);
	shmdt(p);
	shmctl(id, IPC_RMID, NULL);
}

static void use_local(void)
{
	use(local, sizeof(local));
}

static void use_stack(void)
{
	char space[BYTES];

	use(space, sizeof(space));
}

static const struct {
	const char *name;
	void (*use)(void);
} ways[] = {
	{ "map", use_map }, { "remap", use_remap }, { "realloc", use_realloc },
	{ "heap", use_heap }, { "shm", use_shm }, { "local", use_local },
	{ "stack", use_stack },
};

static void (*chosen)(void);

static void *work(void *arg)
{
	chosen();
	return arg;
}

/* Nobody waits for it, so nothing orders it with those after it. */
static void start(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_create(&t, &attr, work, NULL);
	pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (argc == 2 && !strcmp(ways[i].name, argv[1]))
			chosen = ways[i].use;
	if (!chosen)
		return 2;
	for (int i = 0; i < 4; i++) {
		start();
		usleep(1000);
	}
	work(NULL);
	usleep(1000);
	puts("ok");
	return 0;
}
