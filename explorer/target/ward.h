/* SPDX-License-Identifier: MIT */
/*
 * ward.h - the process between the tool and a zygote.
 *
 * It adopts whatever the target leaves without a parent, reaps it, and sees to
 * it that nothing outlives it. Where that is allowed it is the init of a PID
 * namespace of its own: the numbers in there mean nothing outside, so no
 * signal can go astray, and every run can have the same number.
 */
#ifndef EXPLORER_WARD_H
#define EXPLORER_WARD_H

#include <stdbool.h>
#include <sys/types.h>

#define WARD_NUMBER 1		/* in its namespace it is the init */
/* In a namespace: what getppid() says in a run. */
#define WARD_ZYGOTE_NUMBER 999
/*
 * And getpid(): one of so many, so far apart that children fit between. The
 * largest is below the smallest pid_max of a kernel, 32,768.
 */
#define WARD_FIRST_NUMBER 1000
#define WARD_NUMBER_STEP 64
#define WARD_NR_NUMBERS 400

/* The capability with which a zygote that is not root gives out numbers. */
#define WARD_CAPABILITY 40	/* CAP_CHECKPOINT_RESTORE */

enum ward_kind {
	WARD_NAMESPACE,		/* PID and mount namespace; needs root */
	WARD_USER_NAMESPACE,	/* of a user namespace that is ours, too */
	WARD_PLAIN,		/* a subreaper among everybody's processes */
	NR_WARD_KINDS,
};

/* Shared with the ward only: no target can write to it. */
struct ward_page {
	int error;		/* errno: a ward of this kind cannot be */
	bool has_status;	/* the zygote has ended ... */
	int status;		/* ... with this wait status */
};

struct ward {
	enum ward_kind kind;
	pid_t pid;		/* a child of ours; 0: none */
	pid_t zygote;		/* its child, by our numbers; 0: unknown */
	pid_t parent;		/* in the zygote: what getppid() gives */
	int shm_fd;		/* in the zygote: what shm_mount() gave */
	int listener_fd[2];	/* a socket, for ward_send_listener() */
	struct ward_page *page;
};

/* The kinds to try one after the other are from this one on. */
enum ward_kind ward_first_kind(void);
/* For people: which it is, and why not a better one. */
const char *ward_describe(enum ward_kind kind);
/* Whether a ward of that kind can be. 0, or a negative errno. */
int ward_try(enum ward_kind kind);

/*
 * Start a ward of w->kind; it forks once more, and there this returns 0, to
 * make a zygote of it. Returns the ward's number to the tool, or -1 with
 * errno. `life_fd` is the writing end of a pipe that the tool reads from; the
 * ward closes it with all other descriptors. Only what may be called behind a
 * fork of a program with threads may be called where it returns 0.
 */
pid_t ward_fork(struct ward *w, int life_fd);

/*
 * In the zygote of a plain ward: give it the descriptor at which the calls
 * wait that referee.h is for, and close it. Returns 0 or -errno.
 */
int ward_send_listener(const struct ward *w, int fd);

/* Decimal digits at `to`; returns their end. */
char *ward_add_number(char *to, unsigned long n);

/* Once the zygote is there: note its number. */
void ward_find_zygote(struct ward *w);

/*
 * The zygote's youngest child, which is the run. Returns a pidfd of it, that
 * the caller closes, and its number in *pid; -1: there is none.
 */
int ward_open_run(const struct ward *w, pid_t *pid);

/* Whether it is gone; then it is reaped, and *status is the zygote's. */
bool ward_has_ended(struct ward *w, int *status);

/* End it and everything in it. */
void ward_end(struct ward *w);

#endif /* EXPLORER_WARD_H */
