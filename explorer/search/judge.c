/* SPDX-License-Identifier: MIT */
/*
 * judge.c - what the runs of a search mean: failures, limits, errors.
 */
#include "explorer/search/internal.h"
#include "recorder/names.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_OVER_LIMIT 3u	/* such runs before any complete one: enough */

bool search__is_failure(const struct options *o, uint32_t verdict,
			int32_t code)
{
	if (verdict == CONTROL_VERDICT_EXIT)
		return !o->ok_exit[(uint8_t)code];
	return verdict >= CONTROL_VERDICT_CRASH &&
	       verdict <= CONTROL_VERDICT_RACE &&
	       verdict != CONTROL_VERDICT_STEP_LIMIT;
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

/* Once more where the target was killed, see revive(). */
static int confirm(struct search *s, struct failure **f, struct errbuf *err)
{
	int rc = -ECHILD;

	for (int i = 0; rc == -ECHILD && i < SEARCH_MAX_STARTS; i++) {
		err->text[0] = '\0';
		rc = start_confirmer(s, err);
		if (!rc)
			rc = failure_confirm(f, s->confirmer, s->target,
					     s->plan, err);
		if (!rc)
			return 0;
		worker_free(s->confirmer);
		s->confirmer = NULL;
	}
	return rc;
}

static void report_failure(struct search *s, struct failure **f)
{
	struct errbuf err = ERRBUF_INIT;
	uint64_t begin_ns = now_ns();
	char *path = NULL;

	if (confirm(s, f, &err) && !search__is_interrupted)
		search__say(s, "the failing run could not be replayed: %s",
			    err.text);
	err.text[0] = '\0';
	s->status = EXIT_FOUND;
	if (failure_save(*f, s->o->traces, &path, &err)) {
		search__say(s, "%s", err.text);
		s->status = EXIT_NO_CONTROL;
	}
	s->observer->failed(s->observer->data, *f, path);
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
 * A run cut off by --max-steps says nothing about the target: what waits for
 * ever is told before. Where no run comes to an end, to go on is no use.
 */
static void handle_over_limit(struct search *s)
{
	s->tally.over_limit++;
	if (s->tally.over_limit == s->tally.runs &&
	    s->tally.over_limit >= MAX_OVER_LIMIT)
		s->is_done = true;
}

/* No statement about the target is possible: say why, status 3. */
static void handle_no_verdict(struct search *s, const struct record *r)
{
	const char *name = s->target->argv[0];
	const char *why = r->err.text;

	if (r->verdict == CONTROL_VERDICT_EXEC && r->is_followable) {
		s->follows = true;
		s->is_done = true;
		return;
	}
	if (r->kind == RECORD_BROKEN)
		search__say(s, "%s", why);
	else if (r->verdict == CONTROL_VERDICT_EXEC)
		search__say(s, "'%s' replaced itself with another program%s%s; "
			    "explore that one", name, *why ? ": " : "", why);
	else if (r->verdict == CONTROL_VERDICT_BAD_PICK)
		search__say(s, "strategy '%s' gave an illegal answer in run "
			    "%llu%s%s", s->plan->spec,
			    (unsigned long long)r->run, *why ? ": " : "", why);
	else
		search__say(s, "run %llu of '%s' ended with an internal error "
			    "(%s)%s%s", (unsigned long long)r->run, name,
			    trace_verdict_name(r->verdict), *why ? ": " : "",
			    why);
	s->status = EXIT_NO_CONTROL;
	s->tally.is_broken = true;
	s->is_done = true;
}

/* ------------------------------------------------------------------ commit */

/* Wrappers such as `timeout` have the program to be tested as a child. */
static void say_no_thread(struct search *s, const struct record *r)
{
	const char *name = s->target->argv[0];
	unsigned long long nr = r->counters.forks;

	if (!nr)
		search__say(s, "'%s' created no second thread: nothing to "
			    "explore", name);
	else
		search__say(s, "'%s' created no second thread itself, and what "
			    "its %llu child process%s did was not controlled: "
			    "nothing to explore; if '%s' only starts the "
			    "program to be tested, run that one directly: "
			    "explore PROGRAM", name, nr, nr == 1 ? "" : "es",
			    name);
}

static void judge(struct search *s, struct record *r)
{
	if (r->verdict > CONTROL_VERDICT_RACE) {
		handle_no_verdict(s, r);
		return;
	}
	if (r->verdict == CONTROL_VERDICT_STEP_LIMIT) {
		handle_over_limit(s);
		return;
	}
	if (search__is_failure(s->o, r->verdict, r->code))
		handle_failure(s, &r->failure, r->place);
	else if (r->has_known_race)
		s->tally.failures++;	/* of a kind that is known */
	if (!r->has_choices && !s->is_done) {
		say_no_thread(s, r);
		s->is_done = true;
	}
}

void search__commit(struct search *s, struct record *r)
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
			fwrite(r->output, 1, r->output_bytes, stdout);
	}
	judge(s, r);
	s->observer->progressed(s->observer->data, &s->tally);
}
