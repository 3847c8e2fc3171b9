/* SPDX-License-Identifier: MIT */
/*
 * search.c - the loop over runs: budget, workers, failures.
 *
 * Runs are numbered from 0. Runners take the next number, run it and hand in a
 * record; the main thread commits the records in the order of their numbers.
 * All that a search says depends on committed records only, so it says the
 * same for every number of jobs: the failure reported is the one with the
 * lowest number, and what other jobs had done beyond it does not count.
 *
 * With one job there is no other thread: run and commit alternate.
 */
#include "explorer/internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/options.h"
#include "explorer/util.h"

#define WINDOW_PER_JOB 4u	/* runs that may be ahead of the slowest */
#define MAX_OVER_LIMIT 3u	/* such runs before any complete one: enough */

/* Ends the runs that are under way; read by workers. */
static volatile sig_atomic_t stop_runs;
static volatile sig_atomic_t is_interrupted;

struct search {
	const struct options *o;
	const struct target *target;
	const struct plan *plan;
	struct control_config config;
	struct tally tally;
	struct progress progress;
	struct worker *confirmer;	/* replays failures; or NULL */
	struct failure *over_limit;	/* first run cut off, until one is not */
	char covered[256];	/* the strategy's own words */
	int status;		/* enum exit_status */
	bool is_done;

	uint32_t nr_runners;
	struct runner *runner;
	/* Below: shared with the runners' threads, under `lock`. */
	pthread_mutex_t lock;
	pthread_cond_t handed_in;
	pthread_cond_t committed;
	struct set places;	/* failures that are known */
	uint64_t next;		/* number of the next run */
	uint64_t nr_committed;
	uint32_t nr_active;	/* runners that may still hand in */
	uint32_t window;	/* entries of record[], by number modulo */
	struct record **record;
	bool has_ended;		/* no further number is given out */
};

struct runner {
	struct search *search;
	struct worker *worker;
	pthread_t thread;
	int cpu;
};

/* ----------------------------------------------------------------- Ctrl-C */

static void on_signal(int sig)
{
	(void)sig;
	is_interrupted = 1;
	stop_runs = 1;
}

static void catch_signals(void)
{
	/* Once: the second Ctrl-C kills the tool, and the targets with it. */
	struct sigaction sa = {
		.sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	is_interrupted = stop_runs = 0;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* ----------------------------------------------------------------- one run */

static bool is_failure(const struct options *o, const struct record *r)
{
	if (r->verdict == CONTROL_VERDICT_EXIT)
		return !o->ok_exit[(uint8_t)r->code];
	return r->verdict >= CONTROL_VERDICT_CRASH &&
	       r->verdict <= CONTROL_VERDICT_RACE;
}

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

	if (is_failure(s->o, r)) {
		r->place = failure_place(worker_control(runner->worker));
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

/* Run number r->run. */
static void run_one(struct runner *runner, struct record *r)
{
	const struct explore_strategy *strategy = runner->search->plan->strategy;
	struct control *c = worker_control(runner->worker);
	struct explore_outcome outcome;
	int rc;

	if (!strategy->begin(c->strategy, r->run)) {
		r->kind = RECORD_EXHAUSTED;
		return;
	}
	c->config.run = r->run;
	rc = worker_run(runner->worker, NULL, NULL, &r->err);
	if (rc) {
		r->kind = rc == -EINTR ? RECORD_STOPPED : RECORD_BROKEN;
		return;
	}
	fill_record(r, c);
	keep(runner, r);
	outcome = (struct explore_outcome){
		.run = r->run,
		.steps = r->steps,
		.digest = r->digest,
		.nr_tasks = r->nr_tasks,
		.failed = is_failure(runner->search->o, r),
	};
	if (strategy->end)
		strategy->end(c->strategy, &outcome);
}

static void record_clear(struct record *r)
{
	failure_free(r->failure);
	free(r->output);
	memset(r, 0, sizeof(*r));
}

/* ---------------------------------------------------------------- failures */

/* A target of its own: the runs before cannot have changed it. */
static int start_confirmer(struct search *s, struct errbuf *err)
{
	if (s->confirmer)
		return 0;
	return worker_start(&s->confirmer, s->target, &s->config,
			    s->runner[0].cpu, err);
}

static void report_failure(struct search *s, struct failure **f)
{
	struct errbuf err = ERRBUF_INIT;
	uint64_t begin_ns = now_ns();
	char *path = NULL;

	progress_clear(&s->progress);
	if (start_confirmer(s, &err) ||
	    failure_confirm(f, s->confirmer, s->target, s->plan, &err)) {
		if (!is_interrupted)
			warn("the failing run could not be replayed: %s",
			     err.text);
		worker_free(s->confirmer);
		s->confirmer = NULL;
		err.text[0] = '\0';
	}
	s->status = EXIT_FOUND;
	if (failure_save(*f, s->o->traces, &path, &err)) {
		warn("%s", err.text);
		s->status = EXIT_NO_CONTROL;
	}
	failure_report(stdout, *f, path);
	free(path);
	if (s->nr_runners == 1)	/* others go on meanwhile */
		s->tally.paused_ns += now_ns() - begin_ns;
}

static void handle_failure(struct search *s, struct failure **f,
			   uint64_t place)
{
	bool is_new;

	s->tally.failures++;
	pthread_mutex_lock(&s->lock);
	is_new = set_add(&s->places, place);
	pthread_mutex_unlock(&s->lock);
	if (is_new && *f) {
		s->tally.distinct_failures++;
		report_failure(s, f);
	}
	if (!s->o->is_keep_going)
		s->is_done = true;
}

/*
 * A run cut off by --max-steps is a finding when others come to an end within
 * it, and says nothing when none does.
 */
static void handle_over_limit(struct search *s, struct record *r)
{
	s->tally.over_limit++;
	if (s->tally.over_limit < s->tally.runs) {
		handle_failure(s, &r->failure, r->place);
		return;
	}
	if (!s->over_limit) {
		s->over_limit = r->failure;
		r->failure = NULL;
	}
	if (s->tally.over_limit >= MAX_OVER_LIMIT)
		s->is_done = true;
}

static void judge_over_limit(struct search *s)
{
	if (!s->over_limit || s->tally.over_limit == s->tally.runs)
		return;
	handle_failure(s, &s->over_limit, s->over_limit->place);
	failure_free(s->over_limit);
	s->over_limit = NULL;
}

/* No statement about the target is possible: say why, status 3. */
static void handle_no_verdict(struct search *s, const struct record *r)
{
	const char *name = s->target->argv[0];
	const char *why = r->err.text;

	progress_clear(&s->progress);
	if (r->kind == RECORD_BROKEN)
		warn("%s", why);
	else if (r->verdict == CONTROL_VERDICT_EXEC)
		warn("'%s' replaced itself with another program%s%s; explore "
		     "that one", name, *why ? ": " : "", why);
	else if (r->verdict == CONTROL_VERDICT_BAD_PICK)
		warn("strategy '%s' gave an illegal answer in run %llu%s%s",
		     s->plan->spec, (unsigned long long)r->run,
		     *why ? ": " : "", why);
	else
		warn("run %llu of '%s' ended with an internal error (%s)%s%s",
		     (unsigned long long)r->run, name,
		     trace_verdict_name(r->verdict), *why ? ": " : "", why);
	s->status = EXIT_NO_CONTROL;
	s->tally.is_broken = true;
	s->is_done = true;
}

/* ------------------------------------------------------------------ commit */

static void judge(struct search *s, struct record *r)
{
	if (r->verdict > CONTROL_VERDICT_RACE) {
		handle_no_verdict(s, r);
		return;
	}
	if (r->verdict == CONTROL_VERDICT_STEP_LIMIT) {
		handle_over_limit(s, r);
		return;
	}
	judge_over_limit(s);
	if (!s->is_done && is_failure(s->o, r))
		handle_failure(s, &r->failure, r->place);
	if (!r->has_choices && !s->is_done) {
		progress_clear(&s->progress);
		warn("'%s' created no second thread: nothing to explore",
		     s->target->argv[0]);
		s->is_done = true;
	}
}

/* Take one finished run into account; in the order of their numbers. */
static void commit(struct search *s, struct record *r)
{
	switch (r->kind) {
	case RECORD_EXHAUSTED:
		s->tally.is_exhausted = true;
		s->is_done = true;
		return;
	case RECORD_STOPPED:
		s->is_done = true;
		return;
	case RECORD_BROKEN:
		handle_no_verdict(s, r);
		return;
	case RECORD_RAN:
		break;
	}
	tally_add(&s->tally, r);
	if (r->output_bytes) {
		progress_clear(&s->progress);
		fwrite(r->output, 1, r->output_bytes, stdout);
	}
	judge(s, r);
	progress_update(&s->progress, &s->tally, s->o);
}

/* Whether the budget has room for run number `next`. */
static bool is_within_budget(const struct search *s, uint64_t next)
{
	const struct budget *b = &s->o->budget;

	if (stop_runs)
		return false;
	if (b->runs)
		return next < b->runs;
	return !next || now_ns() - s->tally.start_ns < b->time_ns;
}

/* ----------------------------------------------------------------- one job */

static void run_alone(struct search *s)
{
	struct record *r = xcalloc(1, sizeof(*r));

	for (; !s->is_done && is_within_budget(s, s->next); s->next++) {
		record_clear(r);
		r->run = s->next;
		run_one(&s->runner[0], r);
		commit(s, r);
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
	stop_runs = 1;
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

static void run_together(struct search *s)
{
	struct record *r;

	if (start_runners(s)) {
		warn("cannot start a thread");
		s->status = EXIT_NO_CONTROL;
		return;
	}
	while (!s->is_done && (r = next_record(s))) {
		commit(s, r);
		record_clear(r);
		free(r);
		count_committed(s);
	}
	stop_runners(s);
}

/* ------------------------------------------------------------ begin and end */

static uint32_t choose_jobs(const struct search *s)
{
	uint32_t jobs = s->o->jobs;

	if (jobs > 1 &&
	    s->plan->strategy->flags & EXPLORE_STRATEGY_F_SEQUENTIAL) {
		if (!s->o->is_quiet)
			warn("note: strategy '%s' builds each run on the one "
			     "before, so one job is used", s->plan->spec);
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
		s->runner[i].cpu = worker_choose_cpu(i);
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
			warn("%s", err.text);
			return rc;
		}
	}
	s->window = jobs * WINDOW_PER_JOB;
	s->record = xcalloc(s->window, sizeof(*s->record));
	if (jobs == 1)
		worker_pin_self(s->runner[0].cpu);
	return 0;
}

static void finish(struct search *s)
{
	const struct explore_strategy *strategy = s->plan->strategy;

	progress_clear(&s->progress);
	s->tally.is_interrupted = is_interrupted;
	if (s->over_limit && s->tally.over_limit == s->tally.runs) {
		warn("'%s' does not end within %llu operations; raise "
		     "--max-steps", s->target->argv[0],
		     (unsigned long long)s->o->max_steps);
		s->tally.is_broken = true;
		s->status = EXIT_NO_CONTROL;
	}
	if (strategy->describe)
		strategy->describe(worker_control(s->runner[0].worker)->strategy,
				   s->covered, sizeof(s->covered));
	summary_print(stdout, &s->tally, s->o, s->plan, s->target->argv[0],
		      s->covered);
}

static void search_release(struct search *s, uint32_t nr_workers)
{
	worker_free(s->confirmer);
	for (uint32_t i = 0; i < nr_workers; i++)
		worker_free(s->runner[i].worker);
	free(s->runner);
	free(s->record);
	failure_free(s->over_limit);
	set_release(&s->tally.digests);
	set_release(&s->places);
	pthread_cond_destroy(&s->handed_in);
	pthread_cond_destroy(&s->committed);
	pthread_mutex_destroy(&s->lock);
}

int search_run(const struct options *o, struct target *target,
	       const struct plan *plan)
{
	struct search s = {
		.o = o,
		.target = target,
		.plan = plan,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.handed_in = PTHREAD_COND_INITIALIZER,
		.committed = PTHREAD_COND_INITIALIZER,
	};
	uint32_t nr_workers;
	int rc;

	catch_signals();
	target->stop = &stop_runs;
	plan_configure(plan, o, &s.config);
	rc = start_workers(&s);
	nr_workers = s.nr_runners;
	if (rc) {
		s.status = EXIT_NO_CONTROL;
		goto out;
	}
	s.tally.start_ns = now_ns();
	progress_init(&s.progress, o->is_quiet);
	if (nr_workers == 1)
		run_alone(&s);
	else
		run_together(&s);
	finish(&s);
out:
	search_release(&s, nr_workers);
	return s.status;
}
