/* SPDX-License-Identifier: MIT */
/*
 * referee.h - says which process the target may signal, where numbers of
 * strangers are in reach.
 *
 * The guard's filter hands such calls to the ward (seccomp's user
 * notification). Everything that the target started descends from the ward.
 * Context: the ward, behind a fork of a program with threads: no malloc.
 */
#ifndef EXPLORER_REFEREE_H
#define EXPLORER_REFEREE_H

#include <stdint.h>
#include <sys/types.h>

/* How a call names whom it concerns. */
enum referee_how {
	REFEREE_PROCESS,	/* by number */
	REFEREE_KILL,		/* by number; below 0 a group */
	REFEREE_WHICH,		/* arg[0] says what arg[1] is: PRIO_PROCESS */
	REFEREE_IO_WHICH,	/* the same, counted from 1 */
	REFEREE_OWNER,		/* fcntl: F_SETOWN, F_SETOWN_EX */
};

struct referee_rule {
	int call;
	unsigned int arg;	/* index of the number */
	enum referee_how how;
};

extern const struct referee_rule referee_rules[];
extern const size_t referee_nr_rules;

/* Answer one call that waits at `listener`. */
void referee_answer(int listener, pid_t zygote);

#endif /* EXPLORER_REFEREE_H */
