/* SPDX-License-Identifier: MIT */
/*
 * search.c - a whole search: its workers, its begin and its end.
 */
#include "explorer/search/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WINDOW_PER_JOB 4u	/* runs that may be ahead of the slowest */

volatile sig_atomic_t search__stop_runs;
volatile sig_atomic_t search__is_interrupted;

void search__say(const struct search *s, const char *format, ...)
{
	va_list ap;
	char text[4096];

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	s->observer->said(s->observer->data, text);
}

/* ----------------------------------------------------------------- Ctrl-C */

static void on_signal(int sig)
{
	(void)sig;
	search__is_interrupted = 1;
	search__stop_runs = 1;
}

static void catch_signals(void)
{
	/* Once: the second Ctrl-C kills the tool, and the targets with it. */
	struct sigaction sa = {
		.sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	search__is_interrupted = search__stop_runs = 0;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* ------------------------------------------------------------ begin and end */

static uint32_t choose_jobs(const struct search *s)
{
	uint32_t jobs = s->o->jobs;

	if (jobs > 1 &&
	    s->plan->strategy->flags & EXPLORE_STRATEGY_F_SEQUENTIAL) {
		if (!s->o->is_quiet)
			search__say(s, "note: strategy '%s' builds each run on "
				    "the one before, so one job is used",
				    s->plan->spec);
		jobs = 1;
	}
	if (s->o->budget.runs && jobs > s->o->budget.runs)
		jobs = (uint32_t)s->o->budget.runs;
	return jobs;
}

/*
 * All are started here: a target dies with the thread that started it. Tool
 * and target of a job share a processor, as only one of them runs at a time.
 */
static int start_workers(struct search *s)
{
	uint32_t jobs = choose_jobs(s);
	struct errbuf err = ERRBUF_INIT;
	int rc;

	s->runner = xcalloc(jobs, sizeof(*s->runner));
	for (uint32_t i = 0; i < jobs; i++)
		s->runner[i].cpu = launch_choose_cpu(i);
	for (uint32_t i = 0; i < jobs; i++) {
		struct runner *r = &s->runner[i];

		r->search = s;
		rc = worker_start(&r->worker, s->target, &s->config, r->cpu,
				  &err);
		if (!rc) {
			s->nr_runners = i + 1;
			rc = plan_start(s->plan, worker_control(r->worker),
					&err);
		}
		if (rc) {
			search__say(s, "%s", err.text);
			return rc;
		}
	}
	s->window = jobs * WINDOW_PER_JOB;
	s->record = xcalloc(s->window, sizeof(*s->record));
	if (jobs == 1)
		launch_pin_self(s->runner[0].cpu);
	return 0;
}

/* For what a person reads about races; NULL: there are none to speak of. */
static struct symbols *symbols_for_races(const struct search *s,
					 const struct control *c)
{
	const struct race_log *log = &s->learning.races;
	struct symbols *symbols;
	struct trace_module *m;
	uint32_t nr;

	if (!log->nr && !log->nr_unsure)
		return NULL;
	m = replay_modules(c, s->target->program, &nr);
	symbols = symbols_new(m, nr);
	replay_modules_free(m, nr);
	return symbols;
}

/* What was watched; sites are those of the first job. */
static void end_accesses(const struct search *s, const struct control *c,
			 struct search_end *end, struct loaded *loaded)
{
	const struct access_scope *scope = s->target->scope;

	if (!scope || !scope->is_on)
		return;
	end->scope = scope;
	end->accesses = worker_access(s->runner[0].worker);
	free(access_live_sites(c, &end->nr_live));
	end->nr_atomic_pairs = s->learning.nr_atomic_pairs;
	for (uint32_t i = 0; i < s->nr_runners; i++)
		if (s->runner[i].worker)
			loaded_merge(loaded,
				     worker_loaded(s->runner[i].worker));
	if (scope->races == ACCESS_RACES_OFF)
		return;
	end->races = &s->learning.races;
	end->symbols = symbols_for_races(s, c);
}

static void tell_end(const struct search *s, const struct control *c)
{
	struct loaded loaded = { .nr = 0 };
	struct search_end end = {
		.options = s->o,
		.plan = s->plan,
		.program = s->target->argv[0],
		.path = s->target->program,
		.tally = &s->tally,
		.covered = s->covered,
		.control = c,
		.loaded = &loaded,
	};

	end_accesses(s, c, &end, &loaded);
	s->observer->ended(s->observer->data, &end);
	symbols_free(end.symbols);
	loaded_release(&loaded);
}

static void finish(struct search *s)
{
	const struct explore_strategy *strategy = s->plan->strategy;
	struct control *c = worker_control(s->runner[0].worker);

	search__end_generation(s);
	c->config.flags = s->config.flags;	/* no run's own */
	s->tally.is_interrupted = search__is_interrupted;
	if (s->tally.over_limit && s->tally.over_limit == s->tally.runs) {
		search__say(s, "'%s' does not end within %llu operations; "
			    "raise --max-steps", s->target->argv[0],
			    (unsigned long long)s->o->max_steps);
		s->tally.is_broken = true;
		s->status = EXIT_NO_CONTROL;
	}
	if (strategy->describe)
		strategy->describe(c->strategy, s->covered,
				   sizeof(s->covered));
	tell_end(s, c);
}

static void load_suppressions(struct search *s)
{
	const struct access_scope *scope = s->target->scope;
	int rc = 0;

	if (scope && scope->suppressions)
		rc = suppressions_load(&s->suppressions, scope->suppressions);
	if (rc)
		search__say(s, "cannot read suppressions '%s': %s",
			    scope->suppressions, strerror(-rc));
}

static void search_release(struct search *s)
{
	uint32_t nr_workers = s->nr_workers;

	worker_free(s->confirmer);
	worker_free(s->replayer);
	symbols_free(s->symbols.symbols);
	if (s->learning.home)
		learn_release(&s->learning);
	free(s->lesson);
	for (uint32_t i = 0; i < nr_workers; i++) {
		worker_free(s->runner[i].worker);
		worker_free(s->runner[i].replayer);
		symbols_free(s->runner[i].symbols.symbols);
	}
	free(s->runner);
	free(s->record);
	suppressions_release(&s->suppressions);
	set_release(&s->tally.digests);
	set_release(&s->places);
	pthread_cond_destroy(&s->handed_in);
	pthread_cond_destroy(&s->committed);
	pthread_mutex_destroy(&s->lock);
}

/* Returns SEARCH_FOLLOWS, or EXIT_NO_CONTROL when it cannot be. */
static int follow(struct search *s, struct target *target)
{
	char *was = xstrdup(path_base(s->target->argv[0]));
	struct errbuf err = ERRBUF_INIT;
	int status = EXIT_NO_CONTROL;
	uint32_t i = 0;

	while (i + 1 < s->nr_workers &&
	       !worker_control(s->runner[i].worker)->exec.is_whole)
		i++;
	if (target_replace(target, &worker_control(s->runner[i].worker)->exec,
			   &err)) {
		search__say(s, "'%s' replaced itself with another program: "
			    "%s", was, err.text);
	} else {
		status = SEARCH_FOLLOWS;
		if (!s->o->is_quiet)
			search__say(s, "note: '%s' replaced itself with '%s', "
				    "which is explored", was,
				    s->target->program);
	}
	free(was);
	return status;
}

int search_run(const struct options *o, struct target *target,
	       const struct plan *plan, const struct search_observer *observer)
{
	struct search s = {
		.o = o,
		.target = target,
		.plan = plan,
		.observer = observer,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.handed_in = PTHREAD_COND_INITIALIZER,
		.committed = PTHREAD_COND_INITIALIZER,
	};
	int rc;

	catch_signals();
	target->stop = &search__stop_runs;
	plan_configure(plan, o, &s.config);
	load_suppressions(&s);
	rc = start_workers(&s);
	s.nr_workers = s.nr_runners;
	if (rc) {
		s.status = EXIT_NO_CONTROL;
		goto out;
	}
	learn_init(&s.learning, worker_control(s.runner[0].worker), plan);
	s.tally.start_ns = now_ns();
	if (s.nr_workers == 1)
		search__run_alone(&s);
	else
		search__run_together(&s);
	if (s.follows)
		s.status = follow(&s, target);
	else
		finish(&s);
out:
	search_release(&s);
	return s.status;
}
