/* SPDX-License-Identifier: MIT */
/* scheduling.c - priorities, policies, affinity, and the threads they are of. */
#include "system.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Nice values of the process and of a thread. */
static void *thread_priority(void *arg)
{
	int p;

	(void)arg;
	errno = 0;
	p = getpriority(PRIO_PROCESS, (id_t)gettid());
	if (p == -1 && errno)
		return (void *)(intptr_t)-errno;
	return (void *)(intptr_t)setpriority(PRIO_PROCESS, (id_t)gettid(), p);
}

static void priorities(void)
{
	int p = getpriority(PRIO_PROCESS, 0);

	TELL_TRUE(getpriority(PRIO_PROCESS, (id_t)getpid()) == p);
	TELL(setpriority(PRIO_PROCESS, 0, p));
	TELL((long)join(start(thread_priority, NULL)));
	TELL((errno = 0, getpriority(PRIO_PROCESS, 4194303)));
	TELL((errno = 0, getpriority(77, 0)));
}

/* Policies, by process, by thread id, and by pthread. */
static sem_t go;

static void *wait_go(void *arg)
{
	sem_wait(&go);
	return arg;
}

static void policies(void)
{
	struct sched_param param = { 0 };
	int policy;
	pthread_t t;

	sem_init(&go, 0, 0);
	TELL(sched_getscheduler(0));
	TELL(sched_getscheduler(getpid()));
	TELL(sched_getparam(gettid(), &param));
	TELL((long)param.sched_priority);
	t = start(wait_go, NULL);
	TELL_ERROR(pthread_getschedparam(t, &policy, &param));
	TELL((long)policy);
	TELL_ERROR(pthread_setschedparam(t, SCHED_OTHER, &param));
	param.sched_priority = 77;
	TELL(sched_setscheduler(0, SCHED_OTHER, &param));
	TELL(sched_get_priority_max(SCHED_FIFO));
	TELL(sched_get_priority_min(SCHED_FIFO));
	TELL(sched_get_priority_max(77));
	sem_post(&go);
	join(t);
}

/* Affinity: what is set is got. */
static void affinity(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	TELL(sched_getaffinity(0, sizeof(set), &set));
	n = CPU_COUNT(&set);
	TELL_TRUE(n > 0);
	TELL(sched_setaffinity(0, sizeof(set), &set));
	TELL_ERROR(pthread_getaffinity_np(pthread_self(), sizeof(set), &set));
	TELL_TRUE(CPU_COUNT(&set) == n);
	TELL_TRUE(sched_getcpu() >= 0);
	TELL(sched_getaffinity(0, 1, &set));
}

/* sched_yield(2) lets others go on. */
static volatile int turn;

static void *wait_turn(void *arg)
{
	while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != (int)(intptr_t)arg)
		sched_yield();
	__atomic_add_fetch(&turn, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void yields(void)
{
	pthread_t a = start(wait_turn, (void *)2), b = start(wait_turn, (void *)1),
		  c = start(wait_turn, (void *)0);

	join(a);
	join(b);
	join(c);
	TELL((long)turn);
}

/* Thousands of threads, one after the other. */
static void *add_one(void *arg)
{
	++*(long *)arg;
	return NULL;
}

static void many_threads(void)
{
	long sum = 0;

	for (int i = 0; i < 5000; i++)
		join(start(add_one, &sum));
	TELL(sum);
}

/* A hundred at once, with small stacks. */
static void *pass(void *arg)
{
	pthread_barrier_wait(arg);
	return NULL;
}

static void hundred_threads(void)
{
	pthread_barrier_t barrier;
	pthread_attr_t attr;
	pthread_t t[100];

	pthread_attr_init(&attr);
	TELL_ERROR(pthread_attr_setstacksize(&attr, 16384));
	pthread_barrier_init(&barrier, NULL, 100);
	for (int i = 0; i < 100; i++)
		if (pthread_create(&t[i], &attr, pass, &barrier))
			abort();
	for (int i = 0; i < 100; i++)
		join(t[i]);
	TELL_ERROR(pthread_barrier_destroy(&barrier));
}

/* Robust mutexes of threads that end. */
static pthread_mutex_t robust;

static void *die_with_lock(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

static void robust_locks(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	join(start(die_with_lock, NULL));
	TELL_ERROR(pthread_mutex_lock(&robust));
	TELL_ERROR(pthread_mutex_consistent(&robust));
	TELL_ERROR(pthread_mutex_unlock(&robust));
	join(start(die_with_lock, NULL));
	TELL_ERROR(pthread_mutex_trylock(&robust));
	TELL_ERROR(pthread_mutex_unlock(&robust));
	TELL_ERROR(pthread_mutex_lock(&robust));
}

/* What one thread sets is its own, until threads or children come from it. */
static pthread_barrier_t both;
static pid_t other;

static void tell_own(const char *whose)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set))
		abort();
	say("%s: nice %d, policy %d, slack %d, cpus %s, first %d\n", whose,
	    getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
	    prctl(PR_GET_TIMERSLACK),
	    CPU_COUNT(&set) == 1 ? "one" : "all", CPU_ISSET(0, &set) != 0);
}

static void *set_own(void *arg)
{
	struct sched_param param = { 0 };
	cpu_set_t first;

	other = gettid();
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	TELL(setpriority(PRIO_PROCESS, 0, 5));
	TELL(sched_setscheduler(0, SCHED_BATCH, &param));
	TELL(prctl(PR_SET_TIMERSLACK, 123456));
	TELL(sched_setaffinity(0, sizeof(first), &first));
	TELL(sched_getcpu());
	tell_own("thread");
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	tell_own("thread");
	return arg;
}

static void *tell_inherited(void *arg)
{
	tell_own("heir");
	return arg;
}

static void own_attributes(void)
{
	struct sched_param param = { 0 };
	cpu_set_t set;
	pthread_t t;
	pid_t child;
	int status;

	pthread_barrier_init(&both, NULL, 2);
	t = start(set_own, NULL);
	pthread_barrier_wait(&both);
	tell_own("main");
	TELL(getpriority(PRIO_PROCESS, (id_t)other));
	TELL(sched_getscheduler(other));
	TELL_ERROR(pthread_getaffinity_np(t, sizeof(set), &set));
	TELL(CPU_COUNT(&set));
	TELL(sched_setscheduler(other, SCHED_IDLE, &param));
	TELL(sched_setscheduler(other, SCHED_FIFO, &param));
	TELL(setpriority(PRIO_PROCESS, (id_t)other, 9));
	pthread_barrier_wait(&both);
	join(t);
	join(start(tell_inherited, NULL));
	TELL(nice(3));
	join(start(tell_inherited, NULL));
	child = fork();
	if (!child)
		_exit(getpriority(PRIO_PROCESS, 0));
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL(WEXITSTATUS(status));
	tell_own("main");
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "priority", priorities },
		{ "policy", policies },
		{ "affinity", affinity },
		{ "yield", yields },
		{ "many-threads", many_threads },
		{ "hundred", hundred_threads },
		{ "robust", robust_locks },
		{ "own-attributes", own_attributes },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
