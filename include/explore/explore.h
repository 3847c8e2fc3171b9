/* SPDX-License-Identifier: MIT */
/*
 * explore.h - what a test may tell the tool. Optional: no program needs it.
 *
 * Every function here is inert when the program does not run under explore,
 * needs no library at link time, and may be called from any thread at any
 * time after constructors, except from signal handlers.
 */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include <dlfcn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Looks a runtime function up by name; NULL outside the tool. */
static inline void *explore__runtime(const char *name)
{
	return dlsym((void *)0 /* RTLD_DEFAULT */, name);
}

/*
 * End this run as failed, with `message` in the report. Does not return under
 * explore; does nothing elsewhere.
 */
static inline void explore_fail(const char *message)
{
	void (*fail)(const char *);

	*(void **)&fail = explore__runtime("explore_runtime_fail");
	if (fail)
		fail(message);
}

/*
 * A choice that the strategy makes: a number from 0 to nr - 1, explored and
 * replayed like a scheduling decision. Returns 0 outside the tool, and for
 * nr < 2. For input values, injected errors, random numbers.
 */
static inline unsigned int explore_choose(unsigned int nr)
{
	unsigned int (*choose)(unsigned int);

	*(void **)&choose = explore__runtime("explore_runtime_choose");
	return choose && nr > 1 ? choose(nr) : 0;
}

/* Whether this process runs under explore's control: 1 or 0. */
static inline int explore_is_active(void)
{
	int (*active)(void);

	*(void **)&active = explore__runtime("explore_runtime_is_active");
	return active ? active() : 0;
}

#ifdef __cplusplus
}
#endif

#endif /* EXPLORE_EXPLORE_H */
