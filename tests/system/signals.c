/* SPDX-License-Identifier: MIT */
/* signals.c - sigaction(2), kill(2), sigsuspend(2), signalfd(2) and their kin. */
#include "system.h"

#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <ucontext.h>

static volatile sig_atomic_t nr_handled, last_signal, last_value, last_code;

static void count(int sig)
{
	nr_handled++;
	last_signal = sig;
}

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	nr_handled++;
	last_signal = sig;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction a = { .sa_handler = fn, .sa_flags = flags };

	if (sigaction(sig, &a, NULL))
		abort();
}

static void handle_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = { .sa_flags = flags | SA_SIGINFO };

	a.sa_sigaction = fn;
	if (sigaction(sig, &a, NULL))
		abort();
}

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

/* raise() returns after the handler. */
static void raise_returns_after(void)
{
	handle(SIGUSR1, count, 0);
	for (int i = 1; i <= 3; i++) {
		TELL(raise(SIGUSR1));
		TELL((long)nr_handled);
	}
}

/* SA_RESETHAND, SA_NODEFER, and what sigaction() gives back. */
static void again(int sig)
{
	if (nr_handled++ < 2)
		raise(sig);
}

static void sigaction_flags(void)
{
	struct sigaction old;

	handle(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	TELL((long)nr_handled);
	handle(SIGUSR2, count, SA_RESETHAND);
	raise(SIGUSR2);
	TELL(sigaction(SIGUSR2, NULL, &old));
	TELL_TRUE(old.sa_handler == SIG_DFL);
	TELL(sigaction(SIGKILL, &old, NULL));
	TELL(sigaction(SIGSTOP, &old, NULL));
	TELL(sigaction(0, NULL, &old));
	TELL(sigaction(65, NULL, &old));
}

/* A blocked signal stays pending and comes once when it is let through. */
static void sigprocmask_pending(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2), old, pending;

	handle(SIGUSR1, count, 0);
	TELL(sigprocmask(SIG_BLOCK, &set, &old));
	TELL(sigismember(&old, SIGUSR1));
	raise(SIGUSR1);
	raise(SIGUSR1);
	TELL((long)nr_handled);
	TELL(sigpending(&pending));
	TELL(sigismember(&pending, SIGUSR1));
	TELL(sigismember(&pending, SIGUSR2));
	TELL(sigprocmask(SIG_UNBLOCK, &set, NULL));
	TELL((long)nr_handled);
	TELL(sigprocmask(77, &set, NULL));
}

/* Each thread has a mask of its own, inherited from the one that made it. */
static void *child_mask(void *arg)
{
	sigset_t now;

	(void)arg;
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return (void *)(intptr_t)(sigismember(&now, SIGUSR1) +
				  2 * sigismember(&now, SIGUSR2));
}

static void masks_are_inherited(void)
{
	sigset_t set = set_of(SIGUSR2, 0);
	pthread_t t;

	TELL_ERROR(pthread_sigmask(SIG_BLOCK, &set, NULL));
	t = start(child_mask, NULL);
	set = set_of(SIGUSR1, SIGUSR2);
	TELL_ERROR(pthread_sigmask(SIG_SETMASK, &set, NULL));
	TELL((long)join(t));
}

/* The example of sigsuspend(2): wait for a flag without losing a signal. */
static void *send_usr1(void *to)
{
	pthread_kill(*(pthread_t *)to, SIGUSR1);
	return NULL;
}

static void sigsuspend_waits(void)
{
	sigset_t set = set_of(SIGUSR1, 0), old;
	pthread_t self = pthread_self(), t;

	handle(SIGUSR1, count, SA_RESTART);
	sigprocmask(SIG_BLOCK, &set, &old);
	t = start(send_usr1, &self);
	while (!nr_handled)
		TELL(sigsuspend(&old));
	sigprocmask(SIG_BLOCK, NULL, &set);
	TELL(sigismember(&set, SIGUSR1));
	join(t);
}

/* One thread takes all signals with sigwait(3). */
static void *take_all(void *arg)
{
	sigset_t *set = arg;
	int sig, sum = 0;

	for (int i = 0; i < 3; i++) {
		if (sigwait(set, &sig))
			return (void *)-1;
		sum += sig == SIGUSR1 ? 1 : sig == SIGUSR2 ? 10 : 100;
	}
	return (void *)(intptr_t)sum;
}

static void sigwait_thread(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2);
	pthread_t t;

	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	t = start(take_all, &set);
	TELL(kill(getpid(), SIGUSR1));
	TELL(kill(getpid(), SIGUSR2));
	TELL(kill(getpid(), SIGTERM));
	TELL((long)join(t));
}

/* Real-time signals queue, in order, with their values. */
static void sigqueue_values(void)
{
	sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1);
	struct timespec none = { 0 };
	siginfo_t info;

	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++) {
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i });
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 10 + i });
	}
	for (int i = 0; i < 6; i++) {
		int sig = sigwaitinfo(&set, &info);

		say("RTMIN+%d value %d code %d own %d\n", sig - SIGRTMIN,
		    info.si_value.sival_int, info.si_code,
		    info.si_pid == getpid());
	}
	TELL(sigtimedwait(&set, &info, &none));
}

/* A timeout of sigtimedwait(2) comes when nobody sends. */
static void sigtimedwait_timeout(void)
{
	struct timespec ten_ms = { 0, 10000000 }, bad = { 0, -1 };
	sigset_t set = set_of(SIGUSR1, 0);

	sigprocmask(SIG_BLOCK, &set, NULL);
	TELL(sigtimedwait(&set, NULL, &ten_ms));
	TELL(sigtimedwait(&set, NULL, &bad));
	raise(SIGUSR1);
	TELL_TRUE(sigtimedwait(&set, NULL, &ten_ms) == SIGUSR1);
}

/* pause(2) ends when a handler has run. */
static void pause_ends(void)
{
	handle(SIGALRM, count, 0);
	alarm(1);
	TELL(pause());
	TELL((long)nr_handled);
	TELL((long)alarm(0));
}

/* signalfd(2): blocked signals are read as structs. */
static void *send_two(void *arg)
{
	(void)arg;
	kill(getpid(), SIGINT);
	kill(getpid(), SIGQUIT);
	return NULL;
}

static void signalfd_reads(void)
{
	sigset_t set = set_of(SIGINT, SIGQUIT);
	struct signalfd_siginfo info;
	int fd, sum = 0;
	pthread_t t;

	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	TELL_TRUE(fd >= 0);
	t = start(send_two, NULL);
	for (int i = 0; i < 2; i++) {
		TELL(read(fd, &info, sizeof(info)));
		sum += (int)info.ssi_signo;
	}
	TELL_TRUE(sum == SIGINT + SIGQUIT);
	join(t);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	TELL(read(fd, &info, sizeof(info)));
	close(fd);
}

/* The same in a loop of poll(2). */
static void signalfd_polled(void)
{
	sigset_t set = set_of(SIGUSR1, 0);
	struct signalfd_siginfo info;
	struct pollfd p = { .events = POLLIN };
	pthread_t self = pthread_self();

	sigprocmask(SIG_BLOCK, &set, NULL);
	p.fd = signalfd(-1, &set, SFD_NONBLOCK);
	TELL(poll(&p, 1, 5));
	join(start(send_usr1, &self));
	TELL(poll(&p, 1, 1000));
	TELL_TRUE(p.revents == POLLIN);
	TELL(read(p.fd, &info, sizeof(info)));
	TELL(poll(&p, 1, 0));
	close(p.fd);
}

/* A handler on an alternate stack (sigaltstack(2)). */
static stack_t alternate;
static volatile sig_atomic_t was_on_it;

static void where(int sig)
{
	char here;

	(void)sig;
	was_on_it = (uintptr_t)&here - (uintptr_t)alternate.ss_sp <
		    alternate.ss_size;
}

static void sigaltstack_used(void)
{
	stack_t now;

	alternate.ss_size = 65536;
	alternate.ss_sp = malloc(alternate.ss_size);
	TELL(sigaltstack(&alternate, NULL));
	handle(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	TELL((long)was_on_it);
	handle(SIGUSR1, where, 0);
	raise(SIGUSR1);
	TELL((long)was_on_it);
	TELL(sigaltstack(NULL, &now));
	TELL_TRUE(now.ss_sp == alternate.ss_sp && !(now.ss_flags & SS_DISABLE));
	now.ss_flags = SS_DISABLE;
	TELL(sigaltstack(&now, NULL));
	now.ss_flags = 0;
	now.ss_size = 16;
	TELL(sigaltstack(&now, NULL));
	free(alternate.ss_sp);
}

/* A handler that jumps out of a fault. */
static sigjmp_buf back;

static void jump(int sig, siginfo_t *info, void *context)
{
	(void)context;
	last_code = info->si_code;
	last_value = info->si_addr == (void *)16;
	siglongjmp(back, sig);
}

static void faults_are_caught(void)
{
	volatile int *bad = (volatile int *)16;
	int sig;

	handle_info(SIGSEGV, jump, 0);
	for (int i = 0; i < 3; i++) {
		sig = sigsetjmp(back, 1);
		if (!sig)
			*bad = 1;
		TELL_TRUE(sig == SIGSEGV && last_code == SEGV_MAPERR);
		TELL((long)last_value);
	}
}

/* A read that a handler interrupts: EINTR, or restarted. */
static int pipe_fd[2];

static void fill(int sig)
{
	count(sig);
	if (write(pipe_fd[1], "x", 1) != 1)
		abort();
}

static void *read_one(void *arg)
{
	char c;
	ssize_t n = read(pipe_fd[0], &c, 1);

	(void)arg;
	return (void *)(intptr_t)(n == 1 ? c : -errno);
}

static void read_is_restarted(void)
{
	char c;

	if (pipe(pipe_fd))
		abort();
	handle(SIGALRM, fill, SA_RESTART);
	alarm(1);
	TELL(read(pipe_fd[0], &c, 1));
	handle(SIGALRM, count, 0);
	alarm(1);
	TELL(read(pipe_fd[0], &c, 1));
	TELL((long)nr_handled);
}

/* A signal to a thread that waits in read(2) interrupts that thread only. */
static void pthread_kill_interrupts(void)
{
	pthread_t t;

	if (pipe(pipe_fd))
		abort();
	handle(SIGUSR2, fill, SA_RESTART);
	t = start(read_one, NULL);
	TELL_ERROR(pthread_kill(t, 0));
	TELL_ERROR(pthread_kill(t, SIGUSR2));
	TELL_TRUE(join(t) == 'x');
	TELL((long)nr_handled);
}

/* SIGPIPE has been handled when write(2) returns. */
static void sigpipe(void)
{
	if (pipe(pipe_fd))
		abort();
	close(pipe_fd[0]);
	handle(SIGPIPE, count, 0);
	TELL(write(pipe_fd[1], "x", 1));
	TELL((long)nr_handled);
	signal(SIGPIPE, SIG_IGN);
	TELL(write(pipe_fd[1], "x", 1));
	TELL((long)nr_handled);
}

/* SIGCHLD that is blocked waits for sigwaitinfo(2). */
static void sigchld_awaited(void)
{
	sigset_t set = set_of(SIGCHLD, 0);
	siginfo_t info;
	pid_t child;
	int status;

	sigprocmask(SIG_BLOCK, &set, NULL);
	child = fork();
	if (!child)
		_exit(3);
	TELL_TRUE(sigwaitinfo(&set, &info) == SIGCHLD);
	TELL_TRUE(info.si_pid == child);
	TELL_TRUE(info.si_code == CLD_EXITED);
	TELL((long)info.si_status);
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
}

/* A child tells its parent by a signal. */
static void child_signals_parent(void)
{
	sigset_t set = set_of(SIGUSR1, 0), old;
	pid_t child, parent = getpid();

	handle(SIGUSR1, count, 0);
	sigprocmask(SIG_BLOCK, &set, &old);
	child = fork();
	if (!child)
		_exit(kill(parent, SIGUSR1) || getppid() != parent);
	while (!nr_handled)
		sigsuspend(&old);
	waitpid(child, NULL, 0);
	TELL((long)nr_handled);
}

/* kill(2): whom one may not find. */
static void kill_errors(void)
{
	TELL(kill(getpid(), 0));
	TELL(kill(getpid(), 65));
	TELL(kill(getpid(), -1));
	TELL_TRUE(pthread_kill(pthread_self(), 65) == EINVAL);
}

/* siginfo of each way of sending. */
static void siginfo_codes(void)
{
	handle_info(SIGUSR1, note, 0);
	kill(getpid(), SIGUSR1);
	TELL_TRUE(last_code == SI_USER);
	raise(SIGUSR1);
	TELL_TRUE(last_code == SI_TKILL);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 });
	TELL_TRUE(last_code == SI_QUEUE);
	TELL((long)last_value);
	pthread_sigqueue(pthread_self(), SIGUSR1,
			 (union sigval){ .sival_int = 78 });
	TELL((long)last_value);
}

/* A child that stops and goes on (waitpid(2), WUNTRACED, WCONTINUED). */
static void stop_and_continue(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		raise(SIGSTOP);
		_exit(5);
	}
	TELL_TRUE(waitpid(child, &status, WUNTRACED) == child);
	TELL_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	TELL(kill(child, SIGCONT));
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
}

/* sem_wait(3) in a thread, posted from a handler: all but that is unsafe. */
static sem_t posted;

static void post(int sig)
{
	count(sig);
	sem_post(&posted);
}

static void *wait_posted(void *arg)
{
	(void)arg;
	while (sem_wait(&posted))
		;
	return NULL;
}

static void sem_post_in_handler(void)
{
	pthread_t t;

	sem_init(&posted, 0, 0);
	handle(SIGUSR1, post, 0);
	t = start(wait_posted, NULL);
	TELL(kill(getpid(), SIGUSR1));
	join(t);
	TELL((long)nr_handled);
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "raise", raise_returns_after },
		{ "sigaction-flags", sigaction_flags },
		{ "sigprocmask", sigprocmask_pending },
		{ "masks", masks_are_inherited },
		{ "sigsuspend", sigsuspend_waits },
		{ "sigwait", sigwait_thread },
		{ "sigqueue", sigqueue_values },
		{ "sigtimedwait", sigtimedwait_timeout },
		{ "pause", pause_ends },
		{ "signalfd", signalfd_reads },
		{ "signalfd-poll", signalfd_polled },
		{ "sigaltstack", sigaltstack_used },
		{ "faults", faults_are_caught },
		{ "restart", read_is_restarted },
		{ "pthread-kill", pthread_kill_interrupts },
		{ "sigpipe", sigpipe },
		{ "sigchld", sigchld_awaited },
		{ "from-child", child_signals_parent },
		{ "kill", kill_errors },
		{ "siginfo", siginfo_codes },
		{ "stop", stop_and_continue },
		{ "sem-post", sem_post_in_handler },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
