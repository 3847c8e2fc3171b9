/* SPDX-License-Identifier: MIT */
/*
 * ok_freed.c - memory that was given back and comes again, by each way there is.
 */
#include <assert.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static void use(void *p, size_t bytes)
{
	volatile char *c = p;

	for (size_t i = 0; i < bytes; i += 8)
		c[i] = (char)i;
	memset(p, 1, bytes);
}

static void in_pieces(void)
{
	for (size_t n = 1; n < 3000; n += 97) {
		char *p = malloc(n), *q = malloc(n + 40);

		use(p, malloc_usable_size(p));
		free(p);
		p = malloc(n / 2 + 1);
		use(p, malloc_usable_size(p));
		q = realloc(q, 2 * n);
		use(q, 2 * n);
		q = realloc(q, n / 3 + 1);
		use(q, n / 3 + 1);
		free(q);
		free(p);
	}
}

static void by_other_names(void)
{
	void *p;

	for (int i = 0; i < 3; i++) {
		assert(!posix_memalign(&p, 64, 200));
		use(p, 200);
		free(p);
		p = aligned_alloc(64, 192);
		use(p, 192);
		free(p);
		p = memalign(32, 100);
		use(p, 100);
		free(p);
		p = valloc(300);
		use(p, 300);
		free(p);
		p = reallocarray(NULL, 10, 20);
		use(p, 200);
		free(p);
		p = strdup("a string that is long enough for a block");
		use(p, 30);
		free(p);
	}
	free(NULL);
}

/* What the C library allocates by itself. */
static void by_the_library(void)
{
	char *line = NULL, *text = NULL;
	size_t room = 0;
	FILE *f = tmpfile();

	fputs("one\ntwo\n", f);
	rewind(f);
	assert(getline(&line, &room, f) == 4);
	use(line, room);
	free(line);
	fclose(f);
	assert(asprintf(&text, "%d and more of it, to be long", 1) > 0);
	use(text, 20);
	free(text);
	f = open_memstream(&text, &room);
	fputs("and another one, which is also long enough", f);
	fclose(f);
	use(text, room);
	free(text);
}

/* The allocator gives it back to the kernel, and the kernel to us. */
static void by_the_kernel(void)
{
	for (int i = 0; i < 3; i++) {
		size_t bytes = 600u << 10;
		char *p = malloc(bytes), *q;

		use(p, bytes);
		free(p);
		q = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert(q != MAP_FAILED);
		use(q, bytes);
		munmap(q, bytes);
		p = malloc(100 << 10);
		free(p);
		malloc_trim(0);
		q = sbrk(200 << 10);
		assert(q != (void *)-1);
		use(q, 200 << 10);
	}
}

static void in_a_child(void)
{
	char *p = malloc(50);
	pid_t pid;

	free(p);
	pid = fork();
	if (!pid) {
		p = malloc(50);
		use(p, 50);
		free(p);
		_exit(0);
	}
	assert(waitpid(pid, NULL, 0) == pid);
}

static void *work(void *unused)
{
	in_pieces();
	by_other_names();
	by_the_library();
	return unused;
}

int main(void)
{
	guest_run(2, work);
	by_the_kernel();
	guest_run(2, work);
	in_a_child();
	return guest_ok();
}
