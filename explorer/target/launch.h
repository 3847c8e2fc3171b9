/* SPDX-License-Identifier: MIT */
/*
 * launch.h - from fork to exec: the process in which the target becomes a
 * zygote. For worker.c; what a worker needs to know of it is in here.
 */
#ifndef EXPLORER_LAUNCH_H
#define EXPLORER_LAUNCH_H

#include "explorer/target/guard.h"
#include "explorer/target/target.h"
#include "explorer/target/ward.h"

struct launch {
	const struct target *target;
	struct control *control;
	int control_fd;		/* the control region */
	int output_fd;		/* takes stdout and stderr */
	int stdin_fd;
	int cpu;		/* processor to run on; -1: any */
	bool is_lazy;		/* look symbols up late, as the system does */
	/* Set by launch_start(): */
	struct ward ward;	/* its zygote leads a session of its own */
	bool has_aslr;		/* addresses could not be fixed */
};

/*
 * Start the target's program with the runtime preloaded. Returns 0 once it was
 * executed; or negative with `err` filled. In both cases the caller ends
 * `ward`. It dies with the calling thread.
 */
int launch_start(struct launch *l, struct errbuf *err);

/* The n-th processor that we may use, starting over when there are fewer. */
int launch_choose_cpu(uint32_t n);
/* Keep the calling thread on that processor. -1: no-op. */
void launch_pin_self(int cpu);

/* Absolute path of the runtime, malloc'd; or NULL with `err` filled. */
char *launch_find_preload(struct errbuf *err);

#endif /* EXPLORER_LAUNCH_H */
