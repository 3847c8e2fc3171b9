/* SPDX-License-Identifier: MIT */
/*
 * ok_shared.c - a mutex and a semaphore shared with a child process: correct
 */
#include <assert.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

struct shared {
	pthread_mutex_t lock;
	sem_t done;
	int total;
};

static struct shared *shared;

static void *add(void *arg)
{
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&shared->lock);
		shared->total++;
		pthread_mutex_unlock(&shared->lock);
	}
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;
	int status;
	pthread_t t;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(shared != MAP_FAILED);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->lock, &attr);
	sem_init(&shared->done, 1, 0);
	pid = fork();
	assert(pid >= 0);
	if (!pid) {
		add(NULL);
		sem_post(&shared->done);
		_exit(0);
	}
	t = guest_start(add, NULL);
	add(NULL);
	guest_join(t);
	sem_wait(&shared->done);
	assert(waitpid(pid, &status, 0) == pid && !status);
	assert(shared->total == 9);
	return guest_ok();
}
