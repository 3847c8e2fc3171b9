/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - running what the search is made of, one at a time or several.
 *
 * With one job there is no other thread: run and commit alternate. With more,
 * each has a thread; see search.h for what makes the outcome the same.
 */
#include "explorer/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "explorer/race_stacks.h"

#define NR_LEARNING_RUNS 48u	/* by one job, before the others join */

/* ----------------------------------------------------------------- one run */

static bool has_choices(const struct control *c)
{
	if (c->scheduler.nr_tasks > 1)
		return true;
	for (uint64_t i = 0; i < c->scheduler.step; i++)
		if (c->event[i].nr > 1)
			return true;
	return false;
}

static void fill_record(struct record *r, const struct control *c)
{
	r->steps = c->scheduler.step;
	r->digest = c->digest;
	r->nr_tasks = c->scheduler.nr_tasks;
	r->verdict = c->verdict.kind;
	r->code = c->verdict.code;
	r->has_choices = has_choices(c);
	r->has_known_race = c->nr_known_races > 0;
	r->counters = c->counters;
	memcpy(r->nr_ops, c->scheduler.nr_ops, sizeof(r->nr_ops));
}

static bool is_known(struct search *s, uint64_t place)
{
	bool known;

	pthread_mutex_lock(&s->lock);
	known = set_has(&s->places, place);
	pthread_mutex_unlock(&s->lock);
	return known;
}

/* What a person may want to see of the run, while its traces are there. */
static void keep(struct runner *runner, struct record *r)
{
	struct search *s = runner->search;
	const char *output;

	if (search__is_failure(s->o, r->verdict, r->code)) {
		r->place = failure_place(worker_control(runner->worker));
		if (r->verdict == CONTROL_VERDICT_RACE)
			r->place = race_log_end(&runner->races,
					worker_control(runner->worker));
		if (!is_known(s, r->place))
			r->failure = failure_new(runner->worker, s->target,
						 s->plan);
	} else if (r->verdict > CONTROL_VERDICT_RACE) {
		errbuf_addf(&r->err, "%s",
			    worker_control(runner->worker)->verdict.message);
	}
	if (s->o->shows_output) {
		output = worker_output(runner->worker, &r->output_bytes);
		r->output = xcalloc(1, r->output_bytes);
		memcpy(r->output, output, r->output_bytes);
	}
}

/* A strategy that walks a tree has to begin again: the tree is another one. */
static void start_over(const struct search *s, struct control *c)
{
	if (!(s->plan->strategy->flags & EXPLORE_STRATEGY_F_SEQUENTIAL))
		return;
	madvise(c->strategy, sizeof(c->strategy), MADV_REMOVE);
	s->plan->strategy->init(c->strategy, &s->plan->setup);
}

/*
 * Accesses that the run showed to matter are operations from the next run on.
 * With several jobs that holds for the first runs only, which one job does
 * alone, so that every job explores the same operations.
 */
static void learn(const struct search *s, struct control *c)
{
	if (!s->is_frozen && access_make_live(c))
		start_over(s, c);
}

/* The run that is being judged, kept when the first race asks for it. */
struct judged_run {
	struct runner *runner;
	struct failure *kept;
};

/* A process of its own: the job's strategy goes on undisturbed. */
static int find_stacks(void *data, const struct control_race *r,
		       struct stack *later, struct stack *earlier,
		       struct errbuf *err)
{
	struct judged_run *run = data;
	struct runner *runner = run->runner;
	const struct search *s = runner->search;
	int rc = 0;

	if (!run->kept)
		run->kept = failure_new(runner->worker, s->target, s->plan);
	if (!runner->replayer)
		rc = worker_start(&runner->replayer, s->target, &s->config,
				  runner->cpu, err);
	if (!rc)
		rc = race_stacks_find(runner->replayer, &run->kept->trace,
				      worker_control(runner->worker), r, later,
				      earlier, err);
	if (rc == -ECHILD || rc == -ETIMEDOUT) {	/* it is gone */
		worker_free(runner->replayer);
		runner->replayer = NULL;
	}
	return rc;
}

/*
 * Look at the races that the last run saw. Returns whether it ended by one
 * that does not count: then it is to be done again.
 */
static bool judge_races(struct runner *runner)
{
	const struct search *s = runner->search;
	struct judged_run run = { .runner = runner };
	struct race_judge j = {
		.c = worker_control(runner->worker),
		.home = worker_control(s->runner[0].worker),
		.scope = s->target->scope,
		.suppressions = &s->suppressions,
		.is_keep_going = s->o->is_keep_going,
		.find_stacks = find_stacks,
		.data = &run,
	};
	bool is_changed = false;
	struct trace_module *m;
	uint32_t nr;

	if (j.c->nr_races <= runner->races.nr ||
	    j.scope->races == ACCESS_RACES_OFF)
		return false;
	m = replay_modules(j.c, s->target->program, &nr);
	j.symbols = symbols_new(m, nr);
	replay_modules_free(m, nr);
	if (!j.symbols)
		return false;
	is_changed = race_log_judge(&runner->races, &j);
	symbols_free(j.symbols);
	failure_free(run.kept);
	if (!is_changed || j.c->verdict.kind != CONTROL_VERDICT_RACE)
		return false;
	start_over(s, j.c);
	return true;
}

/* Run number r->run. */
static void run_one(struct runner *runner, struct record *r)
{
	const struct search *s = runner->search;
	const struct explore_strategy *strategy = s->plan->strategy;
	struct control *c = worker_control(runner->worker);
	struct explore_outcome outcome;
	int rc;

	do {
		if (!strategy->begin(c->strategy, r->run)) {
			r->kind = RECORD_EXHAUSTED;
			return;
		}
		c->config.run = r->run;
		c->nr_known_races = 0;
		rc = worker_run(runner->worker, NULL, NULL, &r->err);
		if (rc) {
			c->nr_races = runner->races.nr;
			r->kind = rc == -EINTR ? RECORD_STOPPED : RECORD_BROKEN;
			return;
		}
	} while (judge_races(runner));
	fill_record(r, c);
	keep(runner, r);
	outcome = (struct explore_outcome){
		.run = r->run,
		.steps = r->steps,
		.digest = r->digest,
		.nr_tasks = r->nr_tasks,
		.failed = r->has_known_race ||
			  search__is_failure(s->o, r->verdict, r->code),
	};
	if (strategy->end)
		strategy->end(c->strategy, &outcome);
	learn(s, c);
}

static void record_clear(struct record *r)
{
	failure_free(r->failure);
	free(r->output);
	memset(r, 0, sizeof(*r));
}

/* Whether the budget has room for run number `next`. */
static bool is_within_budget(const struct search *s, uint64_t next)
{
	const struct budget *b = &s->o->budget;

	if (search__stop_runs)
		return false;
	if (b->runs)
		return next < b->runs;
	return !next || now_ns() - s->tally.start_ns < b->time_ns;
}

/* ----------------------------------------------------------------- one job */

static void run_below(struct search *s, uint64_t limit)
{
	struct record *r = xcalloc(1, sizeof(*r));

	for (; !s->is_done && s->next < limit && is_within_budget(s, s->next);
	     s->next++) {
		record_clear(r);
		r->run = s->next;
		run_one(&s->runner[0], r);
		search__commit(s, r);
	}
	record_clear(r);
	free(r);
}

void search__run_alone(struct search *s)
{
	run_below(s, UINT64_MAX);
}

/* --------------------------------------------------------------- many jobs */

/* The next number, or false: there is nothing more to do. */
static bool take_number(struct search *s, uint64_t *run)
{
	bool got;

	pthread_mutex_lock(&s->lock);
	while (!s->has_ended && s->next >= s->nr_committed + s->window)
		pthread_cond_wait(&s->committed, &s->lock);
	got = !s->has_ended && is_within_budget(s, s->next);
	if (got)
		*run = s->next++;
	else
		s->has_ended = true;
	pthread_mutex_unlock(&s->lock);
	return got;
}

static void hand_in(struct search *s, struct record *r)
{
	pthread_mutex_lock(&s->lock);
	s->record[r->run % s->window] = r;
	if (r->kind != RECORD_RAN)
		s->has_ended = true;
	pthread_cond_signal(&s->handed_in);
	pthread_mutex_unlock(&s->lock);
}

static void *runner_main(void *arg)
{
	struct runner *runner = arg;
	struct search *s = runner->search;
	uint64_t run;

	worker_pin_self(runner->cpu);
	while (take_number(s, &run)) {
		struct record *r = xcalloc(1, sizeof(*r));

		r->run = run;
		run_one(runner, r);
		hand_in(s, r);
	}
	pthread_mutex_lock(&s->lock);
	s->nr_active--;
	pthread_cond_broadcast(&s->committed);
	pthread_cond_signal(&s->handed_in);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* The record to commit next, or NULL when there will be no more. */
static struct record *next_record(struct search *s)
{
	struct record **slot, *r;

	pthread_mutex_lock(&s->lock);
	slot = &s->record[s->nr_committed % s->window];
	while (!*slot && s->nr_active)
		pthread_cond_wait(&s->handed_in, &s->lock);
	r = *slot;
	*slot = NULL;
	pthread_mutex_unlock(&s->lock);
	return r;
}

static void count_committed(struct search *s)
{
	pthread_mutex_lock(&s->lock);
	s->nr_committed++;
	pthread_cond_broadcast(&s->committed);
	pthread_mutex_unlock(&s->lock);
}

static void stop_runners(struct search *s)
{
	search__stop_runs = 1;
	pthread_mutex_lock(&s->lock);
	s->has_ended = true;
	pthread_cond_broadcast(&s->committed);
	pthread_mutex_unlock(&s->lock);
	for (uint32_t i = 0; i < s->nr_runners; i++)
		pthread_join(s->runner[i].thread, NULL);
	for (uint32_t i = 0; i < s->window; i++) {
		if (!s->record[i])
			continue;
		record_clear(s->record[i]);
		free(s->record[i]);
	}
}

/* Threads that could not be started are done without. */
static int start_runners(struct search *s)
{
	sigset_t all, old;
	uint32_t nr;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	s->nr_active = s->nr_runners;
	for (nr = 0; nr < s->nr_runners; nr++)
		if (pthread_create(&s->runner[nr].thread, NULL, runner_main,
				   &s->runner[nr]))
			break;
	pthread_mutex_lock(&s->lock);
	s->nr_active -= s->nr_runners - nr;
	pthread_mutex_unlock(&s->lock);
	s->nr_runners = nr;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return nr ? 0 : -EAGAIN;
}

/* One job learns which accesses matter; the others take that over. */
static void learn_alone(struct search *s)
{
	if (!s->target->scope || !s->target->scope->is_on)
		return;
	run_below(s, NR_LEARNING_RUNS);
	s->nr_committed = s->next;
	for (uint32_t i = 1; i < s->nr_runners; i++)
		access_share(worker_control(s->runner[i].worker),
			     worker_control(s->runner[0].worker));
	s->is_frozen = true;
}

void search__run_together(struct search *s)
{
	struct record *r;

	learn_alone(s);
	if (s->is_done)
		return;

	if (start_runners(s)) {
		warn("cannot start a thread");
		s->status = EXIT_NO_CONTROL;
		return;
	}
	while (!s->is_done && (r = next_record(s))) {
		search__commit(s, r);
		record_clear(r);
		free(r);
		count_committed(s);
	}
	stop_runners(s);
}
