/* SPDX-License-Identifier: MIT */
/*
 * ok_shared_early.c - shared memory that a constructor made is in each run as
 * the constructor left it, and shared with the run's children
 */
#include <assert.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define NR_WORDS 4096

static int *words;

__attribute__((constructor)) static void make(void)
{
	words = mmap(NULL, NR_WORDS * sizeof(*words), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(words != MAP_FAILED);
	words[0] = 17;
	words[NR_WORDS - 1] = 4;
}

static void *add(void *arg)
{
	__atomic_add_fetch(&words[0], 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&words[1024], 1, __ATOMIC_SEQ_CST);
	return arg;
}

int main(void)
{
	int status;
	pid_t child;

	assert(words[0] == 17 && !words[1024] && words[NR_WORDS - 1] == 4);
	guest_run(2, add);
	assert(words[0] == 19 && words[1024] == 2);
	child = fork();
	if (!child) {
		words[2048] = 5;
		_exit(words[NR_WORDS - 1]);
	}
	assert(waitpid(child, &status, 0) == child);
	assert(WEXITSTATUS(status) == 4 && words[2048] == 5);
	words[NR_WORDS - 1] = 0;
	return guest_ok();
}
