/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - running what the search is made of, one at a time or several.
 *
 * With one job there is no other thread: run and commit alternate. With more,
 * each has a thread; see search.h for what makes the outcome the same.
 */
#include "explorer/search/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "explorer/races/race_stacks.h"
#include "recorder/format.h"

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
	r->nr_tasks = c->scheduler.nr_tasks + c->scheduler.nr_reused;
	r->verdict = c->verdict.kind;
	r->code = c->verdict.code;
	r->has_choices = has_choices(c);
	r->is_followable = c->exec.is_whole;
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
		r->place = place_of_failure(worker_control(runner->worker));
		if (r->verdict == CONTROL_VERDICT_RACE)
			r->place = race_log_end(&r->lesson->races,
					&s->learning.races,
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

static bool is_sequential(const struct plan *plan)
{
	return plan->strategy->flags & EXPLORE_STRATEGY_F_SEQUENTIAL;
}

/* A strategy that walks a tree has to begin again: the tree is another one. */
static void start_over(const struct search *s, struct control *c)
{
	if (!is_sequential(s->plan))
		return;
	madvise(c->strategy, sizeof(c->strategy), MADV_REMOVE);
	s->plan->strategy->init(c->strategy, &s->plan->setup);
}

/* The symbols of the region's modules; borrowed from the cache; or NULL. */
static struct symbols *find_symbols(struct symbol_cache *cache,
				    const struct search *s,
				    const struct control *c)
{
	uint64_t modules = format_checksum(FORMAT_CHECKSUM_INIT, c->module,
					   c->nr_modules *
						   sizeof(c->module[0]));
	struct trace_module *m;
	uint32_t nr;

	if (cache->symbols && cache->modules == modules)
		return cache->symbols;
	symbols_free(cache->symbols);
	m = replay_modules(c, s->target->program, &nr);
	cache->symbols = symbols_new(m, nr);
	cache->modules = modules;
	replay_modules_free(m, nr);
	return cache->symbols;
}

/*
 * The stacks of a race of that run, by a process of its own: the job's strategy
 * goes on undisturbed.
 */
static int replay_for_stacks(struct worker **replayer, const struct search *s,
			     int cpu, const struct trace *t,
			     const struct control *from,
			     const struct control_race *r, struct stack *later,
			     struct stack *earlier, struct errbuf *err)
{
	int rc = -ECHILD;

	for (int i = 0; rc == -ECHILD && i < SEARCH_MAX_STARTS; i++) {
		rc = *replayer ? 0 : worker_start(replayer, s->target,
						  &s->config, cpu, err);
		if (!rc)
			rc = race_stacks_find(*replayer, t, from, r, later,
					      earlier, err);
		if (rc == -ECHILD || rc == -ETIMEDOUT) {	/* it is gone */
			worker_free(*replayer);
			*replayer = NULL;
		}
	}
	return rc;
}

/* The run that is being judged, kept when the first race asks for it. */
struct judged_run {
	struct runner *runner;
	struct failure *kept;
};

static int find_stacks(void *data, const struct control_race *r,
		       struct stack *later, struct stack *earlier,
		       struct errbuf *err)
{
	struct judged_run *run = data;
	struct runner *runner = run->runner;
	const struct search *s = runner->search;

	if (!run->kept)
		run->kept = failure_new(runner->worker, s->target, s->plan);
	return replay_for_stacks(&runner->replayer, s, runner->cpu,
				 &run->kept->trace,
				 worker_control(runner->worker), r, later,
				 earlier, err);
}

/*
 * Look at the races that the last run saw. Returns whether it ended by one
 * that does not count: then it is to be done again.
 */
static bool judge_races(struct runner *runner, struct race_log *log)
{
	const struct search *s = runner->search;
	struct judged_run run = { .runner = runner };
	struct race_judge j = {
		.c = worker_control(runner->worker),
		.known = &s->learning.races,
		.home = worker_control(s->runner[0].worker),
		.scope = s->target->scope,
		.suppressions = &s->suppressions,
		.is_keep_going = s->o->is_keep_going,
		.find_stacks = find_stacks,
		.data = &run,
	};
	bool is_changed = false;

	if (j.c->nr_races <= j.known->nr + log->nr ||
	    j.scope->races == ACCESS_RACES_OFF)
		return false;
	j.symbols = find_symbols(&runner->symbols, s, j.c);
	if (!j.symbols)
		return false;
	is_changed = race_log_judge(log, &j);
	failure_free(run.kept);
	if (!is_changed || j.c->verdict.kind != CONTROL_VERDICT_RACE)
		return false;
	start_over(s, j.c);
	return true;
}

static bool watches_accesses(const struct search *s)
{
	return s->target->scope && s->target->scope->is_on;
}

/* The run as it was, when the report will want the stacks of its races. */
static void keep_for_stacks(const struct runner *runner, struct lesson *l)
{
	const struct search *s = runner->search;

	if ((l->races.nr || l->races.nr_unsure) &&
	    s->target->scope->races == ACCESS_RACES_REPORT)
		l->run = failure_new(runner->worker, s->target, s->plan);
}

/* Run as often as it takes. Returns 0 or as worker_run(). */
static int run_until_judged(struct runner *runner, struct record *r,
			    bool *is_again)
{
	const struct search *s = runner->search;
	struct control *c = worker_control(runner->worker);
	int rc;

	for (*is_again = false;; *is_again = true) {
		if (*is_again)
			access_keep_atomic(c);
		if (!s->plan->strategy->begin(c->strategy, r->run)) {
			r->kind = RECORD_EXHAUSTED;
			return 0;
		}
		c->nr_known_races = 0;
		rc = worker_run(runner->worker, NULL, NULL, &r->err);
		if (rc || !judge_races(runner, &r->lesson->races))
			return rc;
	}
}

/*
 * The process that runs are forked from was killed, or the run was, for want
 * of memory say. A run follows from its number and from what was learned, so
 * another one can do it. Not where the strategy's state is the sum of all
 * runs.
 */
static bool revive(struct runner *runner, struct record *r)
{
	const struct search *s = runner->search;
	struct control *c = worker_control(runner->worker);
	struct errbuf err = ERRBUF_INIT;

	if (is_sequential(s->plan) ||
	    worker_restart(runner->worker, &s->config, runner->cpu, &err) ||
	    plan_start(s->plan, c, &err))
		return false;
	learn_tell(&s->learning, c);
	lesson_release(r->lesson);
	r->err = (struct errbuf)ERRBUF_INIT;
	return true;
}

static int run_or_revive(struct runner *runner, struct record *r,
			 bool *is_again)
{
	const struct search *s = runner->search;
	struct control *c = worker_control(runner->worker);
	int rc = -ECHILD;

	for (int i = 0; rc == -ECHILD && i < SEARCH_MAX_STARTS; i++) {
		if (i && !revive(runner, r))
			return rc;
		c->config.run = r->run;
		c->config.flags = s->config.flags |
				  learn_run_flags(s->plan, r->run);
		if (is_sequential(s->plan))
			worker_expect_kill(runner->worker);
		rc = run_until_judged(runner, r, is_again);
	}
	return rc;
}

/* Run number r->run. */
static void run_one(struct runner *runner, struct record *r)
{
	const struct search *s = runner->search;
	const struct explore_strategy *strategy = s->plan->strategy;
	struct control *c = worker_control(runner->worker);
	struct explore_outcome outcome;
	bool is_again;
	int rc;

	r->lesson = xcalloc(1, sizeof(*r->lesson));
	rc = run_or_revive(runner, r, &is_again);
	if (rc)
		r->kind = rc == -EINTR ? RECORD_STOPPED : RECORD_BROKEN;
	if (rc || r->kind == RECORD_EXHAUSTED)
		return;
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
	if (!watches_accesses(s))
		return;
	lesson_take(r->lesson, &s->learning, c);
	keep_for_stacks(runner, r->lesson);
	if (is_again)
		learn_tell(&s->learning, c);
}

/* ------------------------------------------------------------- generations */

static void lesson_free(struct lesson *l)
{
	if (!l)
		return;
	lesson_release(l);
	free(l);
}

/* The run is committed; what it showed is merged with those of the others. */
static void take_lesson(struct search *s, struct record *r)
{
	if (r->kind != RECORD_RAN)
		return;
	s->lesson = xrealloc(s->lesson, s->nr_lessons + 1, sizeof(*s->lesson));
	s->lesson[s->nr_lessons++] = r->lesson;
	r->lesson = NULL;
}

struct merged_run {
	struct search *s;
	const struct lesson *lesson;
};

static int find_merged_stacks(void *data, const struct control_race *r,
			      struct stack *later, struct stack *earlier,
			      struct errbuf *err)
{
	struct merged_run *run = data;
	struct search *s = run->s;

	return replay_for_stacks(&s->replayer, s, s->runner[0].cpu,
				 &run->lesson->run->trace, s->learning.home, r,
				 later, earlier, err);
}

static void merge_lesson(struct search *s, struct lesson *l)
{
	struct control *home = worker_control(s->runner[0].worker);
	struct merged_run run = { s, l };
	struct race_judge j = {
		.c = home,
		.home = home,
		.scope = s->target->scope,
		.suppressions = &s->suppressions,
		.is_keep_going = s->o->is_keep_going,
		.find_stacks = find_merged_stacks,
		.data = &run,
	};

	if (l->races.nr || l->races.nr_unsure)
		j.symbols = find_symbols(&s->symbols, s, home);
	learn_merge(&s->learning, l, &j);
}

void search__end_generation(struct search *s)
{
	uint64_t begin_ns = now_ns();
	uint32_t nr_live;

	for (uint32_t i = 0; i < s->nr_lessons; i++) {
		merge_lesson(s, s->lesson[i]);
		lesson_free(s->lesson[i]);
	}
	s->nr_lessons = 0;
	nr_live = learn_end_generation(&s->learning);
	if (!s->learning.has_news)
		return;
	s->learning.has_news = false;
	for (uint32_t i = 0; i < s->nr_workers; i++)
		learn_tell(&s->learning, worker_control(s->runner[i].worker));
	if (nr_live)
		start_over(s, worker_control(s->runner[0].worker));
	s->tally.paused_ns += now_ns() - begin_ns;
}

/* When run number `next` begins a generation: how far that goes. */
static void begin_generation(struct search *s, uint64_t next)
{
	if (next)
		search__end_generation(s);
	pthread_mutex_lock(&s->lock);
	s->generation_end = next + learn_generation(s->plan, next);
	pthread_mutex_unlock(&s->lock);
}

static void record_clear(struct record *r)
{
	failure_free(r->failure);
	lesson_free(r->lesson);
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

void search__run_alone(struct search *s)
{
	struct record *r = xcalloc(1, sizeof(*r));

	for (; !s->is_done && is_within_budget(s, s->next); s->next++) {
		if (s->next == s->generation_end)
			begin_generation(s, s->next);
		record_clear(r);
		r->run = s->next;
		run_one(&s->runner[0], r);
		search__commit(s, r);
		take_lesson(s, r);
	}
	record_clear(r);
	free(r);
}

/* --------------------------------------------------------------- many jobs */

/* The next number, or false: there is nothing more to do. */
static bool take_number(struct search *s, uint64_t *run)
{
	bool got;

	pthread_mutex_lock(&s->lock);
	while (!s->has_ended &&
	       (s->next >= s->nr_committed + s->window ||
		s->next == s->generation_end))
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

	launch_pin_self(runner->cpu);
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

/* At a generation's end all jobs wait for the next one. */
static void count_committed(struct search *s)
{
	if (s->nr_committed + 1 == s->generation_end && !s->is_done)
		begin_generation(s, s->nr_committed + 1);
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
	/* What is replayed for the report is no run of a job. */
	search__stop_runs = search__is_interrupted;
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

void search__run_together(struct search *s)
{
	struct record *r;

	begin_generation(s, 0);
	if (start_runners(s)) {
		search__say(s, "cannot start a thread");
		s->status = EXIT_NO_CONTROL;
		return;
	}
	while (!s->is_done && (r = next_record(s))) {
		search__commit(s, r);
		take_lesson(s, r);
		record_clear(r);
		free(r);
		count_committed(s);
	}
	stop_runners(s);
}
