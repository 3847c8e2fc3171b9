/* SPDX-License-Identifier: MIT */
/*
 * thread_local.c - variables of a thread that another one reaches by pointer.
 *
 *   thread_local WAY
 *
 * Broken: pair, take, table. The owner of a variable changes it with no care for
 * those that it gave the address to. Correct: locked, handled (the same, while
 * handlers of signals come in between), epoch (the owner says by an atomic
 * variable of its own what others may read), own (all have the same
 * variables, and each its own), next (the same, by threads whose stacks are
 * handed on from one to the next), number (errno), depth (a loop that waits and
 * counts meanwhile how deep it is).
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define NR_THREADS 3
#define TURNS 3

struct record {
	long first, second;
};

static _Thread_local volatile struct record mine;
static _Thread_local volatile long count;
static _Thread_local volatile int slot[4];
static _Thread_local _Atomic int epoch;
static _Thread_local int depth;

static volatile struct record *record;
static volatile long *counter;
static volatile int *slots;
static _Atomic int *epochs;
static int payload;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static sem_t done;
static atomic_int flag;

/* ---- pair: the two halves are equal to whoever looks ---- */

static void own_pair(void)
{
	for (long i = 1; i <= TURNS; i++) {
		mine.first = i;
		mine.second = i;
	}
}

static void look_pair(void)
{
	long second = record->second;

	assert(record->first == second);
}

/* ---- take: what the owner counted is collected ---- */

static long taken;

static void own_take(void)
{
	for (int i = 0; i < TURNS; i++)
		count++;
}

static void look_take(void)
{
	taken = *counter;
	*counter -= taken;
}

/* ---- table: places by number ---- */

static void own_table(void)
{
	for (int i = 0; i < 4; i++)
		slot[i & 3] = 1;
}

static void look_table(void)
{
	for (int i = 3; i > 0; i--)
		assert(!slots[i] || slots[i - 1]);
	assert(slots[3] || !slots[2]);
}

/* ---- locked ---- */

static void own_locked(void)
{
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&lock);
		mine.first++;
		mine.second++;
		pthread_mutex_unlock(&lock);
	}
}

static void look_locked(void)
{
	pthread_mutex_lock(&lock);
	assert(record->first == record->second);
	pthread_mutex_unlock(&lock);
}

/* ---- handled ---- */

static pthread_t owner_id;

static void on_signal(int signal)
{
	(void)signal;
	depth++;
}

static void look_handled(void)
{
	pthread_kill(owner_id, SIGUSR1);
	look_locked();
}

/* ---- epoch ---- */

static void own_epoch(void)
{
	payload = 7;
	atomic_store_explicit(&epoch, 1, memory_order_release);
}

static void look_epoch(void)
{
	if (atomic_load_explicit(epochs, memory_order_acquire))
		assert(payload == 7);
}

/* ---- two threads, the first is the owner ---- */

static void (*owns)(void), (*looks)(void);

static void *owner(void *arg)
{
	record = &mine;
	counter = &count;
	slots = slot;
	epochs = &epoch;
	owner_id = pthread_self();
	pthread_barrier_wait(&both);
	owns();
	pthread_barrier_wait(&both);
	if (looks == look_handled)
		assert(depth == 1);
	if (looks == look_take)
		assert(count + taken == TURNS);
	return arg;
}

static void *looker(void *arg)
{
	pthread_barrier_wait(&both);
	looks();
	pthread_barrier_wait(&both);
	return arg;
}

static void run_both(void)
{
	pthread_t t[2];

	signal(SIGUSR1, on_signal);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&t[0], NULL, owner, NULL);
	pthread_create(&t[1], NULL, looker, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
}

/* ---- own, next ---- */

static void __attribute__((noinline)) add(volatile long *to, long what)
{
	*to += what;
}

static void *worker(void *arg)
{
	volatile struct record *volatile self = &mine;

	assert(!count && !mine.first && !slot[1]);
	for (int i = 0; i < TURNS; i++) {
		count++;
		slot[i]++;
		mine.first += count;
		add(&self->second, count);
	}
	assert(mine.first == mine.second);
	if (arg)
		sem_post(&done);
	return NULL;
}

static void run_own(void)
{
	pthread_t t[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		pthread_create(&t[i], NULL, worker, NULL);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(t[i], NULL);
}

static void run_next(void)
{
	pthread_attr_t detached;
	pthread_t t;

	sem_init(&done, 0, 0);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 2 * NR_THREADS; i++) {
		pthread_create(&t, &detached, worker, &done);
		sched_yield();
	}
	for (int i = 0; i < 2 * NR_THREADS; i++)
		sem_wait(&done);
}

/* ---- number ---- */

static void *failing(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		errno = 0;
		assert(close(-1) == -1 && errno == EBADF);
		errno = i;
		assert(errno == i);
	}
	return arg;
}

static void run_number(void)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, failing, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* ---- depth ---- */

static int *volatile depths;

static void *waiter(void *arg)
{
	int is_set;

	depths = &depth;
	do {
		depth++;
		is_set = atomic_load(&flag);
		depth--;
	} while (!is_set);
	return arg;
}

static void run_depth(void)
{
	pthread_t t;

	pthread_create(&t, NULL, waiter, NULL);
	sched_yield();
	atomic_store(&flag, 1);
	pthread_join(t, NULL);
}

static const struct {
	const char *name;
	void (*owns)(void), (*looks)(void), (*run)(void);
} ways[] = {
	{ "pair", own_pair, look_pair, run_both },
	{ "take", own_take, look_take, run_both },
	{ "table", own_table, look_table, run_both },
	{ "locked", own_locked, look_locked, run_both },
	{ "handled", own_locked, look_handled, run_both },
	{ "epoch", own_epoch, look_epoch, run_both },
	{ "own", NULL, NULL, run_own },
	{ "next", NULL, NULL, run_next },
	{ "number", NULL, NULL, run_number },
	{ "depth", NULL, NULL, run_depth },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (argc != 2 || strcmp(argv[1], ways[i].name))
			continue;
		owns = ways[i].owns;
		looks = ways[i].looks;
		ways[i].run();
		return write(1, "ok\n", 3) == 3 ? 0 : 1;
	}
	return 2;
}
