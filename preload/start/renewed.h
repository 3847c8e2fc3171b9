/* SPDX-License-Identifier: MIT */
/* renewed.h - descriptors of before main that each run makes anew. */
#ifndef PRELOAD_RENEWED_H
#define PRELOAD_RENEWED_H

#include "preload/start/contents.h"

#define INHERITED_MAX 256u

enum inherited_kind {
	INHERITED_WORLD,	/* devices and the like: left alone */
	INHERITED_FILE,		/* has a position */
	INHERITED_OTHER,	/* nothing that we could put back, or renew */
	INHERITED_PIPE,		/* from here on: renewed */
	INHERITED_EVENT,
	INHERITED_TIMER,
	INHERITED_POLL,
};

struct inherited {
	int32_t fd;
	enum inherited_kind kind;
	bool is_outside;	/* was there before the program */
	bool is_renewed;
	bool is_cloexec;
	bool is_semaphore;	/* an eventfd */
	uint32_t same;		/* the first one of the same description */
	uint64_t flags;		/* F_GETFL */
	uint64_t dev, ino;
	int64_t position;	/* -1: has none */
	int64_t seals;		/* negative: has none */
	struct contents contents;
	uint64_t count;		/* eventfd */
	uint64_t clock;		/* timerfd */
	uint64_t timer[4];	/* interval and value, as the kernel has them */
};

/* In the zygote: all that is to be known of all[of]. False: it is not. */
RUNTIME_HIDDEN bool renewed_find(struct inherited *all, uint32_t of);
/* In the run: those that are is_renewed. */
RUNTIME_HIDDEN void renewed_make(const struct inherited *all, uint32_t nr);

#endif /* PRELOAD_RENEWED_H */
