/* SPDX-License-Identifier: MIT */
/*
 * plan.c - which strategy with which parameters, loaded and checked.
 */
#include "explorer/search/plan.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/target/counters.h"
#include "base/util.h"
#include "explorer/target/ward.h"
#include "strategies/strategies.h"

#define START_NS 1000000000ull		/* virtual CLOCK_MONOTONIC */
#define REALTIME_NS 1700000000000000000ull	/* 2023-11-14, a Tuesday */
#define OP_COST_NS 1000ull

/* The strategy of a plug-in, or NULL with `err` filled. */
static const struct explore_strategy *load_plugin(struct plan *p,
						  const char *path,
						  struct errbuf *err)
{
	const struct explore_strategy *s;
	char why[STRATEGIES_TEXT_BYTES];

	p->plugin = realpath(path, NULL);
	if (!p->plugin) {
		errbuf_addf(err, "cannot load strategy '%s': %s", path,
			    strerror(errno));
		return NULL;
	}
	if (strlen(p->plugin) >= CONTROL_PATH_BYTES) {
		errbuf_addf(err, "cannot load strategy '%s': its path is "
			    "longer than %d bytes", path,
			    CONTROL_PATH_BYTES - 1);
		return NULL;
	}
	p->handle = dlopen(p->plugin, RTLD_NOW | RTLD_LOCAL);
	if (!p->handle) {
		errbuf_addf(err, "cannot load strategy '%s': %s", path,
			    dlerror());
		return NULL;
	}
	s = dlsym(p->handle, EXPLORE_STRATEGY_SYMBOL);
	if (!s) {
		errbuf_addf(err, "strategy '%s' exports no symbol '%s'", path,
			    EXPLORE_STRATEGY_SYMBOL);
		return NULL;
	}
	if (strategies_check_abi(s, why, sizeof(why))) {
		errbuf_addf(err, "strategy '%s': %s", path, why);
		return NULL;
	}
	return s;
}

static const struct explore_strategy *find_strategy(struct plan *p,
						    const char *name,
						    struct errbuf *err)
{
	const struct explore_strategy *s;

	if (strchr(name, '/'))
		return load_plugin(p, name, err);
	s = strategies_find(name);
	if (!s)
		errbuf_addf(err, "no strategy '%s' ('explore strategies' "
			    "lists them; a plug-in needs a path with a '/')",
			    name);
	return s;
}

/* A counter has nothing to count for strategies that cut no slices. */
#define COUNTER_STRATEGY "slices:span=16"

static bool is_counter(enum options_clock clock)
{
	return clock == OPTIONS_CLOCK_HPC || clock == OPTIONS_CLOCK_BREAK;
}

static bool has_slices(const struct plan *p)
{
	return p->strategy->flags & EXPLORE_STRATEGY_F_TICKS;
}

static bool is_exhaustive(const struct plan *p)
{
	const struct explore_param *param = p->strategy->param;
	uint64_t first = p->setup.nr_values ? p->setup.value[0] :
			 param ? param[0].preset : 0;

	return p->strategy->flags & EXPLORE_STRATEGY_F_EXHAUSTIVE ||
	       (p->strategy->flags & EXPLORE_STRATEGY_F_MAY_EXHAUST && first);
}

int plan_init(struct plan *p, const struct options *o, struct errbuf *err)
{
	char name[PATH_MAX], why[STRATEGIES_TEXT_BYTES] = "";
	const char *spec = o->strategy ? o->strategy :
			   is_counter(o->clock) ? COUNTER_STRATEGY :
						  STRATEGIES_DEFAULT;
	int rc;

	memset(p, 0, sizeof(*p));
	p->spec = xstrdup(spec);
	p->setup = (struct explore_setup){
		.seed = o->seed,
		.max_steps = o->max_steps,
		.max_tasks = SCHED_MAX_TASKS,
	};
	rc = strategies_parse(spec, name, sizeof(name), &p->setup, NULL, why,
			      sizeof(why));
	if (rc)
		goto bad_spec;
	p->strategy = find_strategy(p, name, err);
	rc = p->strategy ? 0 : -EINVAL;
	if (rc)
		goto out;
	rc = strategies_parse(spec, name, sizeof(name), &p->setup,
			      p->strategy, why, sizeof(why));
	if (!rc && has_slices(p) && o->clock == OPTIONS_CLOCK_NONE) {
		errbuf_addf(err, "strategy '%s' cuts time into slices, which "
			    "'--clock none' cannot", p->spec);
		rc = -EINVAL;
		goto out;
	}
bad_spec:
	if (rc)
		errbuf_addf(err, "%s", why);
out:
	if (rc)
		plan_release(p);
	return rc;
}

void plan_release(struct plan *p)
{
	if (p->handle)
		dlclose(p->handle);
	free(p->plugin);
	free(p->spec);
	memset(p, 0, sizeof(*p));
}

int plan_choose_clock(struct plan *p, const struct options *o,
		      struct errbuf *err)
{
	struct errbuf why = ERRBUF_INIT;

	p->watches = o->clock != OPTIONS_CLOCK_NONE;
	if (o->clock == OPTIONS_CLOCK_BREAK) {
		p->watches = false;
		p->clock = counters_break();
	}
	if (o->clock != OPTIONS_CLOCK_HPC &&
	    (o->clock != OPTIONS_CLOCK_AUTO || !has_slices(p)))
		return 0;
	if (!counters_find(&p->clock, &why)) {
		p->watches = false;
		if (counters_may_overcount())
			p->warning = COUNTERS_ZEN_WARNING;
		return 0;
	}
	memset(&p->clock, 0, sizeof(p->clock));
	if (o->clock == OPTIONS_CLOCK_AUTO)
		return 0;
	errbuf_addf(err, "--clock hpc: the branch counter cannot be used: %s",
		    why.text);
	return -ENOTSUP;
}

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
	for (const unsigned char *at = data; bytes--; at++)
		hash = (hash ^ *at) * 0x100000001b3;
	return hash;
}

/*
 * What getpid() says, where we can choose. Programs make names of it that
 * nobody else is to have, and tests of one project run side by side: so each
 * program has a number of its own. It is the same in every search, with any
 * number of jobs, since programs draw random numbers from it, too.
 */
static uint32_t choose_number(const struct options *o)
{
	uint64_t hash = mix(0xcbf29ce484222325, &o->seed, sizeof(o->seed));

	for (char *const *arg = o->operand; *arg; arg++)
		hash = mix(hash, *arg, strlen(*arg) + 1);
	return WARD_FIRST_NUMBER +
	       WARD_NUMBER_STEP * (uint32_t)((hash >> 32) % WARD_NR_NUMBERS);
}

void plan_configure(const struct plan *p, const struct options *o,
		    struct control_config *config)
{
	*config = (struct control_config){
		.seed = o->seed,
		.realtime_ns = REALTIME_NS,
		.scheduler = {
			.max_steps = o->max_steps,
			.op_cost_ns = OP_COST_NS,
			.slack_ns = o->slack_ns,
			.start_ns = START_NS,
			.wake_any = o->wakes_any,
		},
		.flags = CONTROL_F_TRAP_TSC |
			 (o->has_guard ? 0 : CONTROL_F_NO_GUARD),
		.virtual_pid = choose_number(o),
		.clock = p->clock,
		.strategy_bytes = p->strategy->state_bytes(&p->setup),
	};
	if (p->watches)
		config->flags |= CONTROL_F_ACCESS;
	if (o->scope.races == ACCESS_RACES_FAIL)
		config->flags |= CONTROL_F_RACE_FAILS;
	if (has_slices(p))
		config->flags |= CONTROL_F_SLICES;
	if (is_exhaustive(p))
		config->flags |= CONTROL_F_EXHAUSTIVE;
	if (getenv("EXPLORE_DEBUG"))
		config->flags |= CONTROL_F_DEBUG;
	snprintf(config->strategy, sizeof(config->strategy), "%s",
		 p->strategy->name);
	if (p->plugin)
		snprintf(config->plugin, sizeof(config->plugin), "%s",
			 p->plugin);
}

int plan_start(const struct plan *p, struct control *c, struct errbuf *err)
{
	size_t bytes = p->strategy->state_bytes(&p->setup);

	if (bytes > CONTROL_STRATEGY_BYTES) {
		errbuf_addf(err, "strategy '%s' asks for %zu MiB of state; "
			    "%llu MiB are possible (less --max-steps may "
			    "help)", p->spec, bytes >> 20,
			    (unsigned long long)CONTROL_STRATEGY_BYTES >> 20);
		return -E2BIG;
	}
	p->strategy->init(c->strategy, &p->setup);
	return 0;
}
