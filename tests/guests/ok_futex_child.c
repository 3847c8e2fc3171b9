/* SPDX-License-Identifier: MIT */
/*
 * ok_futex_child.c - memory shared with a child: words that are woken without
 * being changed, mutexes, conditions, semaphores and barriers of both: correct
 */
#include <assert.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	sem_t ping, pong;
	int word, turn, count;
} *s;

static void make(void)
{
	pthread_mutexattr_t m;
	pthread_condattr_t c;
	pthread_barrierattr_t b;

	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(s != MAP_FAILED);
	pthread_mutexattr_init(&m);
	pthread_condattr_init(&c);
	pthread_barrierattr_init(&b);
	assert(!pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED));
	assert(!pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED));
	assert(!pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED));
	assert(!pthread_mutex_init(&s->mutex, &m));
	assert(!pthread_cond_init(&s->cond, &c));
	assert(!pthread_barrier_init(&s->barrier, &b, 2));
	assert(!sem_init(&s->ping, 1, 0) && !sem_init(&s->pong, 1, 0));
}

static void take_turns(int me)
{
	for (int i = 0; i < 2; i++) {
		assert(!pthread_mutex_lock(&s->mutex));
		while (s->turn != me)
			assert(!pthread_cond_wait(&s->cond, &s->mutex));
		s->count++;
		s->turn = !me;
		assert(!pthread_cond_broadcast(&s->cond));
		assert(!pthread_mutex_unlock(&s->mutex));
	}
}

static void be_child(void)
{
	while (!syscall(SYS_futex, &s->word, FUTEX_WAKE, 1, NULL, NULL, 0))
		usleep(1000);
	assert(!sem_wait(&s->ping) && !sem_post(&s->pong));
	take_turns(1);
	pthread_barrier_wait(&s->barrier);
	_exit(0);
}

static void *count(void *arg)
{
	(void)arg;
	assert(!pthread_mutex_lock(&s->mutex));
	s->count++;
	assert(!pthread_mutex_unlock(&s->mutex));
	return NULL;
}

int main(void)
{
	int status;
	pthread_t t;
	pid_t pid;

	make();
	pid = fork();
	assert(pid >= 0);
	if (!pid)
		be_child();
	t = guest_start(count, NULL);
	assert(!syscall(SYS_futex, &s->word, FUTEX_WAIT, 0, NULL, NULL, 0));
	assert(!sem_post(&s->ping) && !sem_wait(&s->pong));
	take_turns(0);
	pthread_barrier_wait(&s->barrier);
	guest_join(t);
	assert(waitpid(pid, &status, 0) == pid && !status);
	assert(s->count == 5);
	return guest_ok();
}
