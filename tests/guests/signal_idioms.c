/* SPDX-License-Identifier: MIT */
/*
 * What programs do with signals, each in a right and in a wrong way ("bug" as the
 * second argument):
 *
 *	rcu	readers are interrupted by the updater, to have a barrier; wrong:
 *		it does not wait for the answer
 *	preempt	a thread interrupts itself and others to switch coroutines, on an
 *		alternate stack; wrong: the flag that forbids it is set too late
 *	event	SIGEV_THREAD; wrong: what it does is counted without a lock
 *	signals	a thread that takes all signals by sigwaitinfo; wrong: it stops
 *		before the last
 *	jump	siglongjmp out of a handler that came in a wait for a lock; wrong:
 *		with the lock held
 *	cancel	pthread_cancel from a handler; wrong: its target has no cleanup
 *	child	SIGCHLD and a loop of waitpid (right only: children run natively)
 *	pipe	a handler that writes to a pipe (right only)
 */
#include "guest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static bool is_bug;

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction a = { .sa_handler = fn, .sa_flags = flags };

	sigaction(sig, &a, NULL);
}

/* --------------------------------------------------------------- rcu */

static _Atomic int reading;	/* by the reader; only its own barrier orders it */
static atomic_bool must_answer;
static _Atomic(int *) shared;

static void answer(int sig)
{
	(void)sig;
	atomic_store(&must_answer, false);
}

static void *read_side(void *arg)
{
	for (int i = 0; i < 2; i++) {
		int *p;

		atomic_store_explicit(&reading, 1, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
		p = atomic_load(&shared);
		assert(*p == 1);
		atomic_signal_fence(memory_order_seq_cst);
		atomic_store_explicit(&reading, 0, memory_order_relaxed);
	}
	return arg;
}

static void rcu(void)
{
	int old = 1, new = 1;
	pthread_t t;

	handle(SIGUSR1, answer, SA_RESTART);
	atomic_store(&shared, &old);
	t = guest_start(read_side, NULL);
	atomic_store(&shared, &new);
	atomic_store(&must_answer, true);
	if (!is_bug && pthread_kill(t, SIGUSR1) == 0) {
		for (int i = 0; atomic_load(&must_answer) && i < 100; i++)
			sched_yield();
		while (atomic_load_explicit(&reading, memory_order_relaxed))
			sched_yield();
	}
	if (is_bug || !atomic_load(&must_answer))
		*(volatile int *)&old = 0;	/* nobody reads it any more */
	guest_join(t);
}

/* ------------------------------------------------------------ preempt */

static ucontext_t scheduler, coroutine;
static volatile sig_atomic_t may_switch, nr_switches, pair[2];

static void switch_out(int sig)
{
	(void)sig;
	if (!may_switch)
		return;
	assert(pair[0] == pair[1]);
	nr_switches++;
	swapcontext(&coroutine, &scheduler);
}

static void run_coroutine(void)
{
	for (int i = 0; i < 4; i++) {
		if (!is_bug)
			may_switch = 0;
		pair[0]++;
		if (i % 2)
			sched_yield();
		if (is_bug)
			may_switch = 0;
		pair[1]++;
		may_switch = 1;
		raise(SIGURG);
	}
	may_switch = 0;
}

static void *urge(void *arg)
{
	for (int i = 0; i < 2; i++)
		pthread_kill(*(pthread_t *)arg, SIGURG);
	return NULL;
}

static void preempt(void)
{
	static char stack[65536], alternate[65536];
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	pthread_t self = pthread_self(), t;

	sigaltstack(&ss, NULL);
	/* On the coroutine's own stack, as it is left in the middle. */
	handle(SIGURG, switch_out, SA_NODEFER | SA_RESTART);
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = sizeof(stack);
	coroutine.uc_link = &scheduler;
	makecontext(&coroutine, run_coroutine, 0);
	t = guest_start(urge, &self);
	do {
		nr_switches = 0;
		swapcontext(&scheduler, &coroutine);
	} while (nr_switches);
	guest_join(t);
	assert(pair[0] == 4 && pair[1] == 4);
}

/* -------------------------------------------------------------- event */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;
static int count;

static void on_event(union sigval v)
{
	if (!is_bug)
		pthread_mutex_lock(&lock);
	count += v.sival_int;
	if (!is_bug)
		pthread_mutex_unlock(&lock);
	sem_post(&done);
}

static void event(void)
{
	struct itimerspec it = { .it_value = { 0, 1000000 } };
	struct sigevent e = { .sigev_notify = SIGEV_THREAD };
	timer_t timer[2];

	sem_init(&done, 0, 0);
	e.sigev_notify_function = on_event;
	e.sigev_value.sival_int = 1;
	for (int i = 0; i < 2; i++) {
		assert(timer_create(CLOCK_MONOTONIC, &e, &timer[i]) == 0);
		assert(timer_settime(timer[i], 0, &it, NULL) == 0);
	}
	for (int i = 0; i < 2; i++)
		while (sem_wait(&done))
			continue;
	assert(count == 2);
	for (int i = 0; i < 2; i++)
		timer_delete(timer[i]);
}

/* ------------------------------------------------------------- signals */

static void *take_signals(void *arg)
{
	sigset_t *set = arg;
	siginfo_t info;

	for (;;) {
		int sig = sigwaitinfo(set, &info);

		if (sig == SIGTERM)
			break;
		if (sig == SIGRTMIN)
			count += info.si_value.sival_int;
	}
	return NULL;
}

static void *send_signals(void *arg)
{
	for (int i = 1; i <= 2; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	return arg;
}

static void signals(void)
{
	sigset_t set, pending;
	pthread_t taker, a;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	taker = guest_start(take_signals, &set);
	a = guest_start(send_signals, NULL);
	send_signals(NULL);
	if (!is_bug)
		guest_join(a);
	/* The lower number comes first, if both are pending. */
	if (!is_bug)
		while (sigpending(&pending) == 0 &&
		       sigismember(&pending, SIGRTMIN))
			sched_yield();
	kill(getpid(), SIGTERM);
	guest_join(taker);
	if (is_bug)
		guest_join(a);
	assert(count == 6);
}

/* ---------------------------------------------------------------- jump */

static sigjmp_buf out;
static pthread_t waiter;

static void jump_out(int sig)
{
	(void)sig;
	if (pthread_equal(pthread_self(), waiter))
		siglongjmp(out, 1);
}

static void *wait_for_lock(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	waiter = pthread_self();
	if (sigsetjmp(out, 1) == 0) {
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		sem_post(&done);
		pthread_mutex_lock(&lock);
		if (!is_bug)
			pthread_sigmask(SIG_BLOCK, &set, NULL);
		sched_yield();
		pthread_mutex_unlock(&lock);
	}
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return arg;
}

static void jump(void)
{
	sigset_t set;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	handle(SIGUSR1, jump_out, 0);
	sem_init(&done, 0, 0);
	pthread_mutex_lock(&lock);
	t = guest_start(wait_for_lock, NULL);
	while (sem_wait(&done))
		continue;
	/* The right one leaves only while it waits. */
	if (!is_bug)
		pthread_kill(t, SIGUSR1);
	if (!is_bug)
		guest_join(t);
	pthread_mutex_unlock(&lock);
	if (is_bug) {
		pthread_kill(t, SIGUSR1);
		guest_join(t);
	}
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

/* -------------------------------------------------------------- cancel */

static void cancel_it(int sig)
{
	(void)sig;
	pthread_cancel(waiter);
}

static void unlock(void *arg)
{
	pthread_mutex_unlock(arg);
}

static void *waits(void *arg)
{
	pthread_cond_t *never = arg;

	pthread_mutex_lock(&lock);
	if (is_bug) {
		for (;;)
			pthread_cond_wait(never, &lock);
	}
	pthread_cleanup_push(unlock, &lock);
	for (;;)
		pthread_cond_wait(never, &lock);
	pthread_cleanup_pop(1);
	return NULL;
}

static void cancel(void)
{
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

	handle(SIGUSR1, cancel_it, 0);
	waiter = guest_start(waits, &never);
	raise(SIGUSR1);
	guest_join(waiter);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

/* --------------------------------------------------------------- child */

static volatile sig_atomic_t nr_reaped;

static void reap(int sig)
{
	int was = errno;

	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		nr_reaped++;
	errno = was;
}

static void *idle(void *arg)
{
	return arg;
}

static void child(void)
{
	sigset_t set, was;

	guest_join(guest_start(idle, NULL));
	handle(SIGCHLD, reap, SA_RESTART | SA_NOCLDSTOP);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, &was);
	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			_exit(0);
	while (nr_reaped < 3)
		sigsuspend(&was);
}

/* ---------------------------------------------------------------- pipe */

static int ends[2];
static volatile sig_atomic_t flag;

static void tell(int sig)
{
	int was = errno;

	(void)sig;
	flag = 1;
	if (write(ends[1], "x", 1) != 1)
		abort();
	errno = was;
}

static void *send_one(void *arg)
{
	pthread_kill(waiter, SIGUSR1);
	return arg;
}

static void self_pipe(void)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t t;

	assert(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
	p.fd = ends[0];
	handle(SIGUSR1, tell, SA_RESTART);
	waiter = pthread_self();
	t = guest_start(send_one, NULL);
	while (!flag)
		if (poll(&p, 1, -1) < 0)
			assert(errno == EINTR);
	guest_join(t);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} idioms[] = {
		{ "rcu", rcu }, { "preempt", preempt }, { "event", event },
		{ "signals", signals }, { "jump", jump }, { "cancel", cancel },
		{ "child", child }, { "pipe", self_pipe },
	};

	is_bug = argc > 2;
	for (size_t i = 0; i < sizeof(idioms) / sizeof(idioms[0]); i++)
		if (argc > 1 && !strcmp(argv[1], idioms[i].name)) {
			idioms[i].run();
			return guest_ok();
		}
	return 99;
}
