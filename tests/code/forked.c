/* SPDX-License-Identifier: MIT */
/*
 * forked.c - a child that blocks all signals, and catches traps of its own
 *
 * It does so with SIGTRAP blocked and executes code that is patched by traps,
 * before and after it installs a handler for it.
 */
#include <assert.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guests/guest.h"

int narrow_place(volatile int *a, volatile int *b);

/* Blocks of two bytes: no room for jumps. */
__asm__(".text\n"
	"narrow_place:	.cfi_startproc\n"
	"	test %rdi, %rdi\n"	/* not 0: none of them jumps */
	"	jz 1f\n"
	"	mov (%rdi), %eax\n"
	"1:	jz 1b\n"
	"	mov (%rsi), %eax\n"
	"2:	jz 2b\n"
	"	mov (%rdi), %eax\n"
	"	ret\n"
	"	.cfi_endproc\n");

static volatile int shared[2] = { 4, 5 };
static volatile int nr_traps;

static void on_trap(int signo)
{
	nr_traps += signo == SIGTRAP;
}

static void *use(void *arg)
{
	shared[0] = 4;
	narrow_place(&shared[0], &shared[1]);
	return arg;
}

static void child(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (narrow_place(&shared[0], &shared[1]) != 4)
		_exit(1);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGTRAP, on_trap);
	narrow_place(&shared[0], &shared[1]);
	if (nr_traps)
		_exit(2);
	__asm__ volatile("int3");
	_exit(nr_traps == 1 ? 0 : 3);
}

int main(void)
{
	sigset_t all;
	int status;
	pid_t pid;

	guest_run(2, use);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	narrow_place(&shared[0], &shared[1]);
	pid = fork();
	if (pid == 0)
		child();
	assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	guest_run(2, use);
	return guest_ok();
}
