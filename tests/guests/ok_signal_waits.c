/* SPDX-License-Identifier: MIT */
/*
 * ok_signal_waits.c - a handler runs while its thread waits for a lock, a
 * condition, a barrier, ... and lets the one go on who would end the wait:
 * correct
 */
#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static mtx_t plain;
static sem_t handled, sem;
static int word, may_go;
static int protected;	/* by each of the locks: no race with the handler */

static void on_signal(int sig)
{
	(void)sig;
	assert(!sem_post(&handled));
}

static struct timespec far_away(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 1000;
	return ts;
}

static void take_mutex(void)
{
	pthread_mutex_lock(&mutex);
	protected++;
	pthread_mutex_unlock(&mutex);
}

static void take_mutex_in_time(void)
{
	struct timespec end = far_away();

	assert(!pthread_mutex_timedlock(&mutex, &end));
	protected++;
	pthread_mutex_unlock(&mutex);
}

static void take_plain(void)
{
	mtx_lock(&plain);
	protected++;
	mtx_unlock(&plain);
}

static void read_lock(void)
{
	pthread_rwlock_rdlock(&rwlock);
	assert(protected >= 0);
	pthread_rwlock_unlock(&rwlock);
}

static void write_lock(void)
{
	pthread_rwlock_wrlock(&rwlock);
	protected++;
	pthread_rwlock_unlock(&rwlock);
}

static void take_spin(void)
{
	pthread_spin_lock(&spin);
	protected++;
	pthread_spin_unlock(&spin);
}

static void take_stream(void)
{
	flockfile(stdin);
	protected++;
	funlockfile(stdin);
}

static void wait_cond(void)
{
	pthread_mutex_lock(&mutex);
	while (!may_go)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void wait_sem(void)
{
	while (sem_wait(&sem))
		assert(errno == EINTR);
}

static void wait_barrier(void)
{
	pthread_barrier_wait(&barrier);
}

static void wait_word(void)
{
	while (!__atomic_load_n(&word, __ATOMIC_SEQ_CST))
		if (syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL,
			    NULL, 0))
			assert(errno == EINTR || errno == EAGAIN);
}

static void hold_mutex(void)
{
	pthread_mutex_lock(&mutex);
}

static void let_mutex(void)
{
	protected++;
	pthread_mutex_unlock(&mutex);
}

static void hold_plain(void)
{
	mtx_lock(&plain);
}

static void let_plain(void)
{
	protected++;
	mtx_unlock(&plain);
}

static void hold_rwlock(void)
{
	pthread_rwlock_wrlock(&rwlock);
}

static void let_rwlock(void)
{
	protected++;
	pthread_rwlock_unlock(&rwlock);
}

static void hold_spin(void)
{
	pthread_spin_lock(&spin);
}

static void let_spin(void)
{
	protected++;
	pthread_spin_unlock(&spin);
}

static void hold_stream(void)
{
	flockfile(stdin);
}

static void let_stream(void)
{
	protected++;
	funlockfile(stdin);
}

static void hold_nothing(void)
{
}

static void signal_cond(void)
{
	pthread_mutex_lock(&mutex);
	may_go = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
}

static void post(void)
{
	sem_post(&sem);
}

static void wake_word(void)
{
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static const struct kind {
	const char *name;
	void (*hold)(void), (*wait)(void), (*let)(void);
} kinds[] = {
	{ "mutex", hold_mutex, take_mutex, let_mutex },
	{ "timedlock", hold_mutex, take_mutex_in_time, let_mutex },
	{ "mtx", hold_plain, take_plain, let_plain },
	{ "rdlock", hold_rwlock, read_lock, let_rwlock },
	{ "wrlock", hold_rwlock, write_lock, let_rwlock },
	{ "spin", hold_spin, take_spin, let_spin },
	{ "stream", hold_stream, take_stream, let_stream },
	{ "cond", hold_nothing, wait_cond, signal_cond },
	{ "sem", hold_nothing, wait_sem, post },
	{ "barrier", hold_nothing, wait_barrier, wait_barrier },
	{ "futex", hold_nothing, wait_word, wake_word },
};

static void *wait_in(void *arg)
{
	((const struct kind *)arg)->wait();
	return NULL;
}

static void *join(void *arg)
{
	guest_join(*(pthread_t *)arg);
	return NULL;
}

static void *wait_for_post(void *arg)
{
	wait_sem();
	return arg;
}

/* The signal comes before, in or behind the wait; it is always handled. */
static void interrupt(pthread_t t)
{
	assert(!pthread_kill(t, SIGUSR1));
	while (sem_wait(&handled))
		assert(errno == EINTR);
}

static void try_kind(const struct kind *k)
{
	pthread_t t;

	k->hold();
	t = guest_start(wait_in, (void *)k);
	interrupt(t);
	k->let();
	guest_join(t);
}

static void try_join(void)
{
	pthread_t t, u;

	u = guest_start(wait_for_post, NULL);
	t = guest_start(join, &u);
	interrupt(t);
	sem_post(&sem);
	guest_join(t);
}

int main(int argc, char **argv)
{
	struct sigaction a;
	const char *which = argc > 1 ? argv[1] : "";

	memset(&a, 0, sizeof(a));
	a.sa_handler = on_signal;
	a.sa_flags = argc > 2 ? SA_RESTART : 0;
	assert(!sigaction(SIGUSR1, &a, NULL));
	sem_init(&handled, 0, 0);
	sem_init(&sem, 0, 0);
	mtx_init(&plain, mtx_plain);
	pthread_spin_init(&spin, 0);
	pthread_barrier_init(&barrier, NULL, 2);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!*which || !strcmp(which, kinds[i].name))
			try_kind(&kinds[i]);
	if (!*which || !strcmp(which, "join"))
		try_join();
	return guest_ok();
}
