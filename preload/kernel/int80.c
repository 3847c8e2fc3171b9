/* SPDX-License-Identifier: MIT */
/*
 * int80.c - `int $0x80` in 64-bit code: the 32-bit system calls.
 *
 * They have numbers and argument registers of their own. What means the same
 * to both, given its arguments, is made the 64-bit call that the table of
 * syscalls.c knows. The others would need the 32-bit layouts of what they point
 * to, and act on the carrier where they are about threads: the run ends with a
 * word on what it was, so that nothing is done wrongly.
 *
 * Context: the SIGSYS handler.
 */
#include "preload/kernel/traps.h"

enum how {
	AS_IT_IS = 1,	/* 0: not known here */
	SIGNED_1,	/* the second argument is a signed long */
	PAGES_5,	/* the last one counts pages */
	NO_TIME_3,	/* only without a time as fourth argument */
};

static const struct row {
	uint16_t nr;	/* of the 64-bit call */
	uint8_t how;	/* enum how */
} rows[] = {
	[1] = { __NR_exit, AS_IT_IS },
	[2] = { __NR_fork, AS_IT_IS },
	[3] = { __NR_read, AS_IT_IS },
	[4] = { __NR_write, AS_IT_IS },
	[5] = { __NR_open, AS_IT_IS },
	[6] = { __NR_close, AS_IT_IS },
	[8] = { __NR_creat, AS_IT_IS },
	[9] = { __NR_link, AS_IT_IS },
	[10] = { __NR_unlink, AS_IT_IS },
	[12] = { __NR_chdir, AS_IT_IS },
	[15] = { __NR_chmod, AS_IT_IS },
	[19] = { __NR_lseek, SIGNED_1 },
	[20] = { __NR_getpid, AS_IT_IS },
	[27] = { __NR_alarm, AS_IT_IS },
	[29] = { __NR_pause, AS_IT_IS },
	[33] = { __NR_access, AS_IT_IS },
	[37] = { __NR_kill, AS_IT_IS },
	[38] = { __NR_rename, AS_IT_IS },
	[39] = { __NR_mkdir, AS_IT_IS },
	[40] = { __NR_rmdir, AS_IT_IS },
	[41] = { __NR_dup, AS_IT_IS },
	[42] = { __NR_pipe, AS_IT_IS },
	[45] = { __NR_brk, AS_IT_IS },
	[57] = { __NR_setpgid, AS_IT_IS },
	[60] = { __NR_umask, AS_IT_IS },
	[63] = { __NR_dup2, AS_IT_IS },
	[64] = { __NR_getppid, AS_IT_IS },
	[65] = { __NR_getpgrp, AS_IT_IS },
	[66] = { __NR_setsid, AS_IT_IS },
	[83] = { __NR_symlink, AS_IT_IS },
	[85] = { __NR_readlink, AS_IT_IS },
	[91] = { __NR_munmap, AS_IT_IS },
	[118] = { __NR_fsync, AS_IT_IS },
	[125] = { __NR_mprotect, AS_IT_IS },
	[132] = { __NR_getpgid, AS_IT_IS },
	[143] = { __NR_flock, AS_IT_IS },
	[144] = { __NR_msync, AS_IT_IS },
	[147] = { __NR_getsid, AS_IT_IS },
	[150] = { __NR_mlock, AS_IT_IS },
	[151] = { __NR_munlock, AS_IT_IS },
	[158] = { __NR_sched_yield, AS_IT_IS },
	[183] = { __NR_getcwd, AS_IT_IS },
	[192] = { __NR_mmap, PAGES_5 },
	[199] = { __NR_getuid, AS_IT_IS },
	[200] = { __NR_getgid, AS_IT_IS },
	[201] = { __NR_geteuid, AS_IT_IS },
	[202] = { __NR_getegid, AS_IT_IS },
	[219] = { __NR_madvise, AS_IT_IS },
	[224] = { __NR_gettid, AS_IT_IS },
	[238] = { __NR_tkill, AS_IT_IS },
	[240] = { __NR_futex, NO_TIME_3 },
	[252] = { __NR_exit_group, AS_IT_IS },
	[270] = { __NR_tgkill, AS_IT_IS },
	[318] = { __NR_getcpu, AS_IT_IS },
	[323] = { __NR_eventfd, AS_IT_IS },
	[328] = { __NR_eventfd2, AS_IT_IS },
	[330] = { __NR_dup3, AS_IT_IS },
	[331] = { __NR_pipe2, AS_IT_IS },
	[355] = { __NR_getrandom, AS_IT_IS },
	[356] = { __NR_memfd_create, AS_IT_IS },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))
#define FUTEX_COMMAND 0x7f

/* FUTEX_WAKE, FUTEX_REQUEUE and FUTEX_CMP_REQUEUE have a number there. */
static bool has_time(const struct trap *t)
{
	uint64_t command = t->arg[1] & FUTEX_COMMAND;

	return t->arg[3] && command != 1 && command != 3 && command != 4;
}

static _Noreturn void refuse(const struct sigcontext *m)
{
	char text[128];

	runtime_format(text, sizeof(text),
		       "int $0x80 with the 32-bit system call %lu, which "
		       "explore cannot carry out", (unsigned long)m->rax);
	runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, m->rip, text);
}

void trap_from_int80(struct trap *t, const struct sigcontext *m)
{
	uint32_t nr = (uint32_t)m->rax;
	const struct row *row = &rows[nr < NR_ROWS ? nr : 0];

	t->nr = row->nr;
	t->arg[0] = (uint32_t)m->rbx;
	t->arg[1] = (uint32_t)m->rcx;
	t->arg[2] = (uint32_t)m->rdx;
	t->arg[3] = (uint32_t)m->rsi;
	t->arg[4] = (uint32_t)m->rdi;
	t->arg[5] = (uint32_t)m->rbp;
	switch (row->how) {
	case AS_IT_IS:
		return;
	case SIGNED_1:
		t->arg[1] = (uint64_t)(int32_t)t->arg[1];
		return;
	case PAGES_5:
		t->arg[3] |= 0x40;	/* MAP_32BIT: as far as it can name */
		t->arg[5] <<= 12;
		return;
	case NO_TIME_3:
		if (has_time(t))
			refuse(m);
		return;
	default:
		refuse(m);
	}
}
