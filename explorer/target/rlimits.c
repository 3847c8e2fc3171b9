/* SPDX-License-Identifier: MIT */
/*
 * rlimits.c - resource limits of the tool and of targets.
 */
#include "explorer/target/rlimits.h"

#include <stdbool.h>
#include <sys/resource.h>

#include "scheduler/races/races.h"

static struct {
	int resource;
	struct rlimit user;
	bool is_known;
} limit[] = {
	/* In the order of enum control_limit, as far as that goes. */
	[CONTROL_LIMIT_AS] = { .resource = RLIMIT_AS },
	[CONTROL_LIMIT_DATA] = { .resource = RLIMIT_DATA },
	{ .resource = RLIMIT_FSIZE },
	{ .resource = RLIMIT_NOFILE },
};

#define NR_LIMITS (sizeof(limit) / sizeof(limit[0]))

static rlim_t sum(rlim_t a, rlim_t b)
{
	return a == RLIM_INFINITY || a + b < a ? RLIM_INFINITY : a + b;
}

/* As much of it as this user may have. */
static void set_limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit r = { soft, hard };

	if (!setrlimit(resource, &r) || getrlimit(resource, &r))
		return;
	r.rlim_cur = soft < r.rlim_max ? soft : r.rlim_max;
	setrlimit(resource, &r);
}

void limits_raise(void)
{
	for (size_t i = 0; i < NR_LIMITS; i++) {
		struct rlimit *r = &limit[i].user;

		limit[i].is_known = !getrlimit(limit[i].resource, r);
		if (!limit[i].is_known)
			continue;
		/* No limit on descriptors can be too high for close loops. */
		if (limit[i].resource == RLIMIT_NOFILE)
			set_limit(RLIMIT_NOFILE, r->rlim_max < 4096 ?
				  r->rlim_max : 4096, r->rlim_max);
		else
			set_limit(limit[i].resource, RLIM_INFINITY,
				  RLIM_INFINITY);
	}
}

static rlim_t reserve_of(size_t i)
{
	return i < CONTROL_LIMIT_NR ? control_reserve((uint32_t)i,
						      races_bytes()) : 0;
}

void limits_describe(struct control *c)
{
	for (size_t i = 0; i < CONTROL_LIMIT_NR; i++) {
		c->limit[i].soft = limit[i].is_known ? limit[i].user.rlim_cur :
						       RLIM_INFINITY;
		c->limit[i].hard = limit[i].is_known ? limit[i].user.rlim_max :
						       RLIM_INFINITY;
	}
}

void limits_give_back(void)
{
	for (size_t i = 0; i < NR_LIMITS; i++)
		if (limit[i].is_known)
			set_limit(limit[i].resource,
				  sum(limit[i].user.rlim_cur, reserve_of(i)),
				  sum(limit[i].user.rlim_max, reserve_of(i)));
}
