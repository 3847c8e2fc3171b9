/* SPDX-License-Identifier: MIT */
/*
 * ok_memory.c - threads map, unmap, grow and shrink memory: correct
 */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "guest.h"

#define PAGE 4096u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char *shelf[2];

static void *work(void *arg)
{
	unsigned char *map, *heap = NULL, number[16];

	map = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(map != MAP_FAILED);
	memset(map, 0x5a, 64 * PAGE);
	map = mremap(map, 64 * PAGE, 128 * PAGE, MREMAP_MAYMOVE);
	assert(map != MAP_FAILED && map[64 * PAGE - 1] == 0x5a);
	assert(!mprotect(map, PAGE, PROT_READ));
	assert(!madvise(map + PAGE, PAGE, MADV_DONTNEED) && !map[PAGE]);
	for (size_t bytes = 1; bytes < 1000000; bytes *= 7) {
		heap = realloc(heap, bytes);
		assert(heap);
		heap[bytes - 1] = 1;
	}
	assert(getrandom(number, sizeof(number), 0) == sizeof(number));

	/* Freed by whoever comes second. */
	pthread_mutex_lock(&lock);
	if (shelf[0]) {
		free(shelf[0]);
		munmap(shelf[1], 128 * PAGE);
		shelf[0] = NULL;
	} else {
		shelf[0] = heap;
		shelf[1] = map;
		heap = map = NULL;
	}
	pthread_mutex_unlock(&lock);
	free(heap);
	if (map)
		munmap(map, 128 * PAGE);
	return arg;
}

int main(void)
{
	guest_run(4, work);
	assert(!shelf[0]);
	return guest_ok();
}
