/* SPDX-License-Identifier: MIT */
/*
 * cmd_run.c - `explore [run] PROGRAM`, and `explore record PROGRAM`.
 */
#include "explorer/cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "explorer/cli/console.h"
#include "explorer/cli/message.h"
#include "explorer/target/launch.h"
#include "explorer/report/report.h"
#include "recorder/names.h"

/* Both commands start the same way. */
struct job {
	struct target target;
	struct plan plan;
	struct access_scope scope;	/* the target's */
};

static void open_stdin_path(struct target *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(EXIT_USAGE, "cannot open '%s': %s", path,
		    strerror(errno));
	close(fd);
	t->stdin_path = realpath(path, NULL);
	if (!t->stdin_path)
		die(EXIT_USAGE, "cannot open '%s': %s", path,
		    strerror(errno));
}

/*
 * Hours of searching are lost when the trace cannot be written at the end, so
 * see to that first. The directory itself is made only when it is needed.
 */
static void check_traces(const char *path)
{
	char *parent = xstrdup(path), *slash, *probe;
	struct stat st;

	while (stat(parent, &st) && errno == ENOENT) {
		slash = strrchr(parent, '/');
		if (!slash) {
			strcpy(parent, ".");
			break;
		}
		/* "/x" lies in "/" */
		slash[slash == parent] = '\0';
	}
	if (stat(parent, &st))
		die(EXIT_NO_CONTROL, "cannot write traces to '%s': %s", path,
		    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		die(EXIT_NO_CONTROL, "cannot write traces to '%s': '%s' is "
		    "not a directory", path, parent);
	/* Really try: root may write anywhere, except where nobody can. */
	probe = xasprintf("%s/.explore-XXXXXX", parent);
	if (!mkdtemp(probe))
		die(EXIT_NO_CONTROL, "cannot write traces to '%s': %s", path,
		    strerror(errno));
	rmdir(probe);
	free(probe);
	trace_clean(path);
	free(parent);
}

static void job_init(struct job *j, const struct options *o)
{
	struct errbuf err = ERRBUF_INIT;

	if (plan_init(&j->plan, o, &err))
		die(EXIT_USAGE, "%s", err.text);
	if (target_init(&j->target, o->operand, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	if (plan_choose_clock(&j->plan, o, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	if (j->plan.warning && !o->is_quiet)
		warn("%s", j->plan.warning);
	j->scope = o->scope;
	j->scope.is_on = j->plan.watches;
	j->target.has_guard = o->has_guard;
	j->target.scope = &j->scope;
	j->target.tick_symbol = o->tick_symbol;
	j->target.run_timeout_ms = o->run_timeout_ms;
	if (o->stdin_path)
		open_stdin_path(&j->target, o->stdin_path);
	check_traces(o->traces);
}

static void job_release(struct job *j)
{
	target_release(&j->target);
	plan_release(&j->plan);
}

#define MAX_FOLLOWED 16u

int cmd_run(const struct options *o)
{
	uint32_t nr_followed = 0;
	struct console console;
	struct job j;
	int status;

	job_init(&j, o);
	console_init(&console, o);
	do
		status = search_run(o, &j.target, &j.plan, &console.observer);
	while (status == SEARCH_FOLLOWS && nr_followed++ < MAX_FOLLOWED);
	if (status == SEARCH_FOLLOWS) {
		warn("'%s' goes on replacing itself", j.target.argv[0]);
		status = EXIT_NO_CONTROL;
	}
	job_release(&j);
	return status;
}

/* --------------------------------------------------------------- record */

static bool is_failure(const struct options *o,
		       const struct control_verdict *v)
{
	if (v->kind == CONTROL_VERDICT_EXIT)
		return !o->ok_exit[(uint8_t)v->code];
	return true;
}

/* The one run, or die. */
static void run_once(struct job *j, struct worker *w)
{
	struct control *c = worker_control(w);
	struct errbuf err = ERRBUF_INIT;

	if (plan_start(&j->plan, c, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	if (!j->plan.strategy->begin(c->strategy, 0))
		die(EXIT_NO_CONTROL, "strategy '%s' has no first run",
		    j->plan.spec);
	c->config.run = 0;
	worker_expect_kill(w);
	if (worker_run(w, NULL, NULL, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
}

/* Whether the target is what it replaced itself with now. */
static bool follow(struct job *j, struct control *c)
{
	struct errbuf err = ERRBUF_INIT;

	if (c->verdict.kind != CONTROL_VERDICT_EXEC || !c->exec.is_whole)
		return false;
	if (target_replace(&j->target, &c->exec, &err))
		die(EXIT_NO_CONTROL, "'%s' replaced itself with another "
		    "program: %s", j->target.argv[0], err.text);
	return true;
}

/* The recorded run, of the program that it is in the end. */
static struct failure *record_run(struct job *j,
				  const struct control_config *config, int cpu)
{
	uint32_t nr_followed = 0;
	struct failure *f;
	struct worker *w;
	struct control *c;

	for (;;) {
		struct errbuf err = ERRBUF_INIT;

		if (worker_start(&w, &j->target, config, cpu, &err))
			die(EXIT_NO_CONTROL, "%s", err.text);
		run_once(j, w);
		c = worker_control(w);
		if (nr_followed++ == MAX_FOLLOWED || !follow(j, c))
			break;
		worker_free(w);
	}
	if (c->verdict.kind > CONTROL_VERDICT_RACE)
		die(EXIT_NO_CONTROL, "the run of '%s' got no verdict: %s%s%s",
		    j->target.argv[0], trace_verdict_name(c->verdict.kind),
		    c->verdict.message[0] ? ": " : "", c->verdict.message);
	f = failure_new(w, &j->target, &j->plan);
	worker_free(w);
	return f;
}

int cmd_record(const struct options *o)
{
	struct control_config config;
	struct worker *second = NULL;
	struct errbuf err = ERRBUF_INIT;
	struct failure *f;
	struct job j;
	char *path;
	int status = EXIT_NOTHING_FOUND, cpu;

	job_init(&j, o);
	plan_configure(&j.plan, o, &config);
	cpu = launch_choose_cpu(0);
	launch_pin_self(cpu);
	f = record_run(&j, &config, cpu);
	if (worker_start(&second, &j.target, &config, cpu, &err) ||
	    failure_confirm(&f, second, &j.target, &j.plan, &err))
		warn("the run could not be replayed: %s", err.text);
	worker_free(second);
	err.text[0] = '\0';
	if (failure_save(f, o->traces, &path, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	if (is_failure(o, &f->trace.verdict)) {
		status = EXIT_FOUND;
		report_failure(stdout, f, path);
	} else {
		if (o->shows_output)
			fwrite(f->output, 1, f->output_bytes, stdout);
		printf("recorded '%s': %s, %llu operations, %u task%s%s\n",
		       path, trace_verdict_name(f->trace.verdict.kind),
		       (unsigned long long)f->trace.nr_events,
		       f->trace.nr_tasks, f->trace.nr_tasks == 1 ? "" : "s",
		       f->trace.has_reproduced ? "" :
		       "; its replay diverged");
	}
	free(path);
	failure_free(f);
	job_release(&j);
	return status;
}
