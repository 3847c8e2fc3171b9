/* SPDX-License-Identifier: MIT */
/*
 * checked.c - a strategy is foreign code when it is a plug-in: look at what it
 * claims to be and at every answer it gives.
 */
#include <errno.h>

#include "strategies/strategies.h"
#include "strategies/internal.h"

/* Names are typed on command lines and in files' names. */
static bool is_name(const char *s)
{
	if (!s || !*s)
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && *s != '-' && *s != '_')
			return false;
	return true;
}

static int check_slots(const struct explore_strategy *s,
		       struct strategy__text *t)
{
	const char *missing = NULL;

	if (!s->summary)
		missing = "summary";
	else if (!s->state_bytes)
		missing = "state_bytes";
	else if (!s->init)
		missing = "init";
	else if (!s->begin)
		missing = "begin";
	else if (!s->pick)
		missing = "pick";
	if (!missing)
		return 0;
	strategy__add(t, "it has no '");
	strategy__add(t, missing);
	strategy__add(t, "'");
	return -EINVAL;
}

static int fail_param(struct strategy__text *t, const char *name,
		      const char *what)
{
	strategy__add(t, "its parameter '");
	strategy__add(t, name);
	strategy__add(t, "' ");
	strategy__add(t, what);
	return -EINVAL;
}

static int check_params(const struct explore_strategy *s,
			struct strategy__text *t)
{
	const struct explore_param *p = s->param;

	if (!p)
		return 0;
	for (uint32_t i = 0; p[i].name; i++) {
		if (i == EXPLORE_MAX_PARAMS) {
			strategy__add(t, "it has more than ");
			strategy__add_count(t, EXPLORE_MAX_PARAMS,
					    "parameter");
			return -EINVAL;
		}
		if (!is_name(p[i].name))
			return fail_param(t, p[i].name, "has a name that "
					  "cannot be typed");
		if (p[i].min > p[i].preset || p[i].preset > p[i].max)
			return fail_param(t, p[i].name,
					  "has a preset out of its range");
		for (uint32_t k = 0; k < i; k++)
			if (strategy__is_equal(p[i].name, p[k].name))
				return fail_param(t, p[i].name,
						  "is listed twice");
	}
	return 0;
}

int strategies_check_abi(const struct explore_strategy *s, char *text,
			 size_t bytes)
{
	struct strategy__text t = strategy__text(text, bytes);

	/* Before all else: with another ABI nothing below need be there. */
	if (s->abi != EXPLORE_STRATEGY_ABI) {
		strategy__add(&t, "it was built for strategy ABI ");
		strategy__add_u64(&t, s->abi);
		strategy__add(&t, ", this is ");
		strategy__add_u64(&t, EXPLORE_STRATEGY_ABI);
		return -EINVAL;
	}
	if (s->flags & ~(uint32_t)(EXPLORE_STRATEGY_F_SEQUENTIAL |
				   EXPLORE_STRATEGY_F_TICKS |
				   EXPLORE_STRATEGY_F_EXHAUSTIVE |
				   EXPLORE_STRATEGY_F_MAY_EXHAUST)) {
		strategy__add(&t, "it has unknown flags");
		return -EINVAL;
	}
	if (!is_name(s->name)) {
		strategy__add(&t, s->name && *s->name ?
			      "its name holds other characters than letters, "
			      "digits, '-' and '_'" : "it has no 'name'");
		return -EINVAL;
	}
	if (check_slots(s, &t) || check_params(s, &t))
		return -EINVAL;
	return 0;
}

struct explore_decision
strategy_checked_pick(const struct explore_strategy *s, void *state,
		      const struct explore_point *point, bool *is_legal)
{
	struct explore_decision d = s->pick(state, point);

	*is_legal = d.index < point->nr && !d.reserved &&
		    (!d.ticks || s->flags & EXPLORE_STRATEGY_F_TICKS);
	return d;
}

void strategies_explain_pick(const struct explore_strategy *s,
			     const struct explore_point *point,
			     struct explore_decision decision, char *text,
			     size_t bytes)
{
	struct strategy__text t = strategy__text(text, bytes);

	strategy__add(&t, "strategy '");
	strategy__add(&t, s->name);
	if (decision.index < point->nr) {
		strategy__add(&t, decision.reserved ?
			      "' left a reserved field other than 0 at step " :
			      "' gave ticks without EXPLORE_STRATEGY_F_TICKS "
			      "at step ");
		strategy__add_u64(&t, point->step);
		return;
	}
	strategy__add(&t, "' answered ");
	strategy__add_u64(&t, decision.index);
	strategy__add(&t, " at step ");
	strategy__add_u64(&t, point->step);
	if (point->nr == 1) {
		strategy__add(&t, ", where only 0 is possible");
		return;
	}
	strategy__add(&t, ", where 0 to ");
	strategy__add_u64(&t, point->nr - 1);
	strategy__add(&t, " are possible");
}
