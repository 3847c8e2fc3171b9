/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one zygote and its control region; runs one run at a time.
 *
 * The zygote is the target, held at its main by the runtime; each run is a
 * fork of it. Tool and runtime talk through two futex words in the control
 * region (see preload/region/control.h). The tool never blocks for ever: every
 * wait is a short one, between which it looks whether the zygote still lives
 * and whether the run still moves (watchdog.c).
 */
#include "explorer/target/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "explorer/target/counters.h"
#include "explorer/target/launch.h"
#include "explorer/target/region.h"
#include "explorer/target/rlimits.h"
#include "explorer/target/output.h"
#include "base/util.h"
#include "explorer/target/watchdog.h"

#define POLL_NS 2000000L	/* between two looks at the zygote */

struct worker {
	const struct target *target;
	struct control *control;
	int control_fd;
	int output_fd;		/* memfd with what the run printed */
	int stdin_fd;		/* shared with the target: one file offset */
	struct ward ward;
	struct region region;
	bool has_aslr;
	bool has_ended;		/* the zygote was reaped */
	int wait_status;	/* iff has_ended */
	uint32_t nr_modules;	/* at main; runs add what they load */
	uint64_t probe_pause_ns;	/* of the last run, see watchdog.h */
	struct output output;
	bool has_output;	/* `output` is of the last run */
	struct access_stats access;
	struct loaded loaded;	/* by the runs so far */
	bool expects_kill;	/* see worker_expect_kill() */
};

/* ---------------------------------------------------- start, up to main */

static int map_control(struct worker *w, const struct control_config *config,
		       struct errbuf *err)
{
	struct control *c = MAP_FAILED;
	int rc = 0;

	w->control_fd = memfd_create("explore-control", MFD_CLOEXEC);
	if (w->control_fd < 0 || ftruncate(w->control_fd, sizeof(*c)))
		rc = -errno;
	if (!rc) {
		c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_NORESERVE, w->control_fd, 0);
		rc = c == MAP_FAILED ? -errno : 0;
	}
	if (rc) {
		errbuf_addf(err, "cannot map %zu MiB of shared memory: %s%s",
			    sizeof(*c) >> 20, strerror(-rc),
			    rc == -ENOMEM ? " (ulimit -v, or no overcommit)" :
			    rc == -EFBIG ? " (ulimit -f)" : "");
		return rc;
	}
	w->control = c;
	c->magic = CONTROL_MAGIC;
	c->version = CONTROL_VERSION;
	c->bytes_low = (uint32_t)sizeof(*c);
	c->config = *config;
	limits_describe(c);
	return 0;
}

static int open_files(struct worker *w, struct errbuf *err)
{
	const char *path = w->target->stdin_path;
	int rc;

	w->stdin_fd = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
	if (w->stdin_fd < 0) {
		rc = -errno;
		errbuf_addf(err, "cannot open '%s': %s",
			    path ? path : "/dev/null", strerror(-rc));
		return rc;
	}
	w->output_fd = memfd_create("output", MFD_CLOEXEC);
	if (w->output_fd < 0) {
		rc = -errno;
		errbuf_addf(err, "cannot create a file for the output: %s",
			    strerror(-rc));
		return rc;
	}
	return 0;
}

/* ------------------------------------------------------------- hand-over */

static uint32_t state_of(struct worker *w)
{
	return __atomic_load_n(&w->control->state, __ATOMIC_ACQUIRE);
}

static void set_word(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Sleep until the state may have changed from `state`, or for one poll. */
static void wait_state(struct worker *w, uint32_t state)
{
	struct timespec t = { .tv_nsec = POLL_NS };

	syscall(SYS_futex, &w->control->state, FUTEX_WAIT, state, &t, NULL,
		0);
}

/* Whether the zygote is gone; then it is reaped. */
static bool has_ended(struct worker *w)
{
	if (!w->has_ended &&
	    ward_has_ended(&w->ward, &w->wait_status))
		w->has_ended = true;
	return w->has_ended;
}

static void describe_end(int status, char *text, size_t bytes)
{
	if (WIFSIGNALED(status))
		snprintf(text, bytes, "killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, bytes, "exit status %d", WEXITSTATUS(status));
}

/* The last line that the target printed often says why it ended. */
static void add_last_line(struct worker *w, struct errbuf *err)
{
	size_t bytes, start;
	const char *text;

	w->has_output = false;
	text = worker_output(w, &bytes);
	while (bytes && text[bytes - 1] == '\n')
		bytes--;
	for (start = bytes; start && text[start - 1] != '\n'; start--)
		;
	if (bytes - start > 200)
		bytes = start + 200;
	if (bytes > start)
		errbuf_addf(err, "; it printed: %.*s", (int)(bytes - start),
			    text + start);
}

static int explain_early_end(struct worker *w, struct errbuf *err)
{
	char how[128];

	describe_end(w->wait_status, how, sizeof(how));
	errbuf_addf(err, "'%s' ended before main: %s", w->target->argv[0],
		    how);
	add_last_line(w, err);
	return -ECHILD;
}

static int wait_for_main(struct worker *w, struct errbuf *err)
{
	uint64_t limit_ns = w->target->run_timeout_ms * 1000000u;
	uint64_t start = now_ns();
	uint32_t state;

	while ((state = state_of(w)) != CONTROL_STATE_READY) {
		if (state == CONTROL_STATE_FAILED) {
			errbuf_addf(err, "'%s' cannot be controlled: %s",
				    w->target->argv[0],
				    w->control->verdict.message);
			return -ENOTSUP;
		}
		if (has_ended(w) && state_of(w) < CONTROL_STATE_READY)
			return explain_early_end(w, err);
		if (w->target->stop && *w->target->stop) {
			errbuf_addf(err, "interrupted");
			return -EINTR;
		}
		if (limit_ns && now_ns() - start > limit_ns) {
			errbuf_addf(err, "'%s' did not reach its main within "
				    "%llu seconds", w->target->argv[0],
				    (unsigned long long)(limit_ns /
							 1000000000u));
			return -ETIMEDOUT;
		}
		wait_state(w, state);
	}
	w->nr_modules = w->control->nr_modules;
	return 0;
}

/* Patch the held target's memory accesses; see access.c. */
static int instrument(struct worker *w, struct errbuf *err)
{
	struct control *c = w->control;
	uint32_t state;
	int rc;

	rc = access_plan(c, w->target->scope, w->target->program,
			 w->ward.zygote,
			 &w->access, err);
	if (rc || !c->nr_access)
		return rc;
	__atomic_store_n(&c->state, CONTROL_STATE_WAITING, __ATOMIC_RELEASE);
	set_word(&c->command, CONTROL_COMMAND_INSTRUMENT);
	while ((state = state_of(w)) != CONTROL_STATE_READY) {
		if (has_ended(w)) {
			errbuf_addf(err, "'%s' ended while it was being "
				    "instrumented", w->target->argv[0]);
			return -ECHILD;
		}
		wait_state(w, state);
	}
	return 0;
}

static int start(struct worker **out, const struct target *target,
		 const struct control_config *config, int cpu, bool is_lazy,
		 struct errbuf *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct launch l;
	int rc;

	w->target = target;
	w->control_fd = w->output_fd = w->stdin_fd = -1;
	rc = map_control(w, config, err);
	if (!rc)
		rc = open_files(w, err);
	l = (struct launch){
		.target = target,
		.control = w->control,
		.control_fd = w->control_fd,
		.output_fd = w->output_fd,
		.stdin_fd = w->stdin_fd,
		.cpu = cpu,
		.is_lazy = is_lazy,
	};
	if (!rc) {
		rc = launch_start(&l, err);
		w->ward = l.ward;
		w->has_aslr = l.has_aslr;
	}
	if (!rc)
		rc = wait_for_main(w, err);
	if (!rc && target->scope && target->scope->is_on)
		rc = instrument(w, err);
	if (!rc && target->tick_symbol)
		rc = counters_resolve(target->tick_symbol, target->program,
				      w->control,
				      &w->control->config.clock.event, err);
	if (rc) {
		worker_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

int worker_start(struct worker **out, const struct target *target,
		 const struct control_config *config, int cpu,
		 struct errbuf *err)
{
	struct errbuf first = ERRBUF_INIT;
	int rc = start(out, target, config, cpu, false, &first);

	/* Perhaps it refers to symbols that it never calls. */
	if (rc == -ECHILD && strstr(first.text, "symbol lookup error"))
		return start(out, target, config, cpu, true, err);
	if (rc)
		errbuf_addf(err, "%s", first.text);
	return rc;
}

/* Whether an address, and a number of a site, means the same in both. */
static bool is_same_layout(const struct worker *a, const struct worker *b)
{
	const struct control *x = a->control, *y = b->control;

	return a->nr_modules == b->nr_modules &&
	       !memcmp(x->module, y->module,
		       a->nr_modules * sizeof(x->module[0])) &&
	       x->nr_access == y->nr_access &&
	       !memcmp(x->access, y->access,
		       x->nr_access * sizeof(x->access[0]));
}

int worker_restart(struct worker *w, const struct control_config *config,
		   int cpu, struct errbuf *err)
{
	struct control *here = w->control;
	struct worker *new, old;
	int rc = worker_start(&new, w->target, config, cpu, err);

	if (rc)
		return rc;
	/* Others may look at what the two have in common all the time. */
	if (!is_same_layout(w, new) ||
	    mmap(here, sizeof(*here), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_NORESERVE | MAP_FIXED, new->control_fd,
		 0) == MAP_FAILED) {
		worker_free(new);
		return -ESTALE;
	}
	munmap(new->control, sizeof(*here));
	new->control = here;
	loaded_merge(&new->loaded, &w->loaded);
	new->expects_kill = w->expects_kill;
	old = *w;
	*w = *new;
	*new = old;
	new->control = NULL;
	worker_free(new);
	return 0;
}

const struct access_stats *worker_access(const struct worker *w)
{
	return &w->access;
}

struct control *worker_control(struct worker *w)
{
	return w->control;
}

bool worker_has_aslr(const struct worker *w)
{
	return w->has_aslr;
}

/* -------------------------------------------------------------- one run */

static void end_by_tool(struct worker *w, enum control_verdict_kind kind,
			int32_t code, const char *message)
{
	struct control_verdict *v = &w->control->verdict;
	struct scheduler *s = &w->control->scheduler;

	v->kind = kind;
	v->code = code;
	v->task = s->current < s->nr_tasks ? s->current : 0;
	v->pc = s->nr_tasks ? s->task[v->task].pc : 0;
	v->step = s->step;
	snprintf(v->message, sizeof(v->message), "%s", message);
	w->control->digest = s->digest;
}

void worker_expect_kill(struct worker *w)
{
	w->expects_kill = true;
}

/*
 * SIGKILL ended the run, and the model knows of none: what tasks send it sees
 * beforehand. Only children of the run can send it one unseen; they would do so
 * again. So can the program that one with several tasks has become.
 */
static bool is_killed_from_outside(struct worker *w,
				   const struct watchdog *dog)
{
	const struct control *c = w->control;
	int status = c->wait_status;

	if (c->verdict.kind != CONTROL_VERDICT_NONE || dog->reason ||
	    !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		w->expects_kill = false;
		return false;
	}
	return !c->counters.forks || !w->expects_kill;
}

static int explain_kill(struct worker *w, struct errbuf *err)
{
	errbuf_addf(err, "run %llu of '%s' was killed by SIGKILL, which it did "
		    "not send itself: for want of memory, by a limit, or by "
		    "somebody",
		    (unsigned long long)w->control->config.run,
		    w->target->argv[0]);
	w->expects_kill = true;
	return -ECHILD;
}

/* The run is over: give it a verdict when it died without leaving one. */
static void complete_verdict(struct worker *w, const struct watchdog *dog)
{
	struct control *c = w->control;
	int status = c->wait_status;
	char text[160];

	if (c->verdict.kind == CONTROL_VERDICT_EXEC &&
	    c->scheduler.nr_tasks > 1 && !dog->reason)
		c->verdict.kind = CONTROL_VERDICT_NONE;	/* how that ended */
	if (c->verdict.kind != CONTROL_VERDICT_NONE)
		return;
	if (dog->reason) {
		watchdog_describe(dog, text, sizeof(text));
		end_by_tool(w, CONTROL_VERDICT_TIMEOUT, 0, text);
	} else if (WIFSIGNALED(status)) {
		describe_end(status, text, sizeof(text));
		end_by_tool(w, CONTROL_VERDICT_CRASH, WTERMSIG(status), text);
	} else {
		end_by_tool(w, CONTROL_VERDICT_EXIT, WEXITSTATUS(status), "");
	}
}

static int begin_run(struct worker *w, struct errbuf *err)
{
	struct control *c = w->control;

	/* The runtime does the same, unless it dies before. */
	c->verdict.kind = CONTROL_VERDICT_NONE;
	c->verdict.nr_cycle = 0;
	c->verdict.message[0] = '\0';
	c->scheduler.step = 0;
	c->exec.is_whole = 0;
	c->nr_values = c->nr_notes = 0;
	c->nr_modules = w->nr_modules;
	access_rewind(c);
	c->release = 0;
	w->has_output = false;
	region_note(&w->region, c, w->nr_modules);
	if (ftruncate(w->output_fd, 0)) {
		int rc = -errno;

		errbuf_addf(err, "cannot empty the file for the output: %s",
			    strerror(-rc));
		return rc;
	}
	if (w->target->stdin_path)
		lseek(w->stdin_fd, 0, SEEK_SET);
	__atomic_store_n(&c->state, CONTROL_STATE_WAITING, __ATOMIC_RELEASE);
	set_word(&c->command, CONTROL_COMMAND_RUN);
	return 0;
}

/* How to look at a run at its end. */
struct look {
	void (*inspect)(struct worker *w, pid_t pid, void *data); /* or NULL */
	void *data;
};

/* Between two waits. Returns 0 to go on waiting. */
static int look_after(struct worker *w, struct watchdog *dog,
		      const struct look *look, struct errbuf *err)
{
	char how[128];

	if (has_ended(w) && state_of(w) != CONTROL_STATE_DONE) {
		describe_end(w->wait_status, how, sizeof(how));
		errbuf_addf(err, "the process that '%s' is forked from ended: "
			    "%s", w->target->argv[0], how);
		return -ECHILD;
	}
	output_bound(w->output_fd);
	if (w->target->stop && *w->target->stop)
		watchdog_kill(dog, WATCHDOG_STOPPED);
	else
		watchdog_look(dog);
	if (watchdog_is_late(dog)) {
		if (look->inspect)
			look->inspect(w, watchdog_run(dog), look->data);
		watchdog_kill(dog, WATCHDOG_STUCK);
	}
	if (watchdog_is_hopeless(dog)) {
		errbuf_addf(err, "a run of '%s' was killed and did not end",
			    w->target->argv[0]);
		return -ETIMEDOUT;
	}
	return 0;
}

static int wait_for_end(struct worker *w, struct watchdog *dog,
			const struct look *look, struct errbuf *err)
{
	struct control *c = w->control;
	uint32_t state;
	int rc;

	while ((state = state_of(w)) != CONTROL_STATE_DONE) {
		if (state == CONTROL_STATE_FAILED) {
			errbuf_addf(err, "'%s' cannot be controlled: %s",
				    w->target->argv[0], c->verdict.message);
			return -ENOTSUP;
		}
		if (state == CONTROL_STATE_FROZEN && !c->release) {
			if (look->inspect)
				look->inspect(w, watchdog_run(dog),
					      look->data);
			set_word(&c->release, 1);
			watchdog_moved(dog);
		}
		wait_state(w, state);
		/* Only after a whole poll: this is the path of every run. */
		if (state_of(w) != state)
			continue;
		rc = look_after(w, dog, look, err);
		if (rc)
			return rc;
	}
	return 0;
}

int worker_run(struct worker *w,
	       void (*inspect)(struct worker *w, pid_t pid, void *data),
	       void *data, struct errbuf *err)
{
	const struct look look = { inspect, data };
	struct control *c = w->control;
	struct watchdog dog;
	const char *what;
	int rc;

	if (w->has_ended) {
		errbuf_addf(err, "the process of '%s' has ended",
			    w->target->argv[0]);
		return -ECHILD;
	}
	rc = begin_run(w, err);
	if (rc)
		return rc;
	watchdog_init(&dog, c, &w->ward, w->target->run_timeout_ms,
		      w->probe_pause_ns);
	rc = wait_for_end(w, &dog, &look, err);
	watchdog_end(&dog);
	if (rc)
		return rc;
	if (dog.reason == WATCHDOG_STOPPED)
		return -EINTR;
	w->probe_pause_ns = dog.pause_ns;
	what = region_check(&w->region, c);
	if (what) {
		errbuf_addf(err, "run %llu of '%s' wrote over explore's own "
			    "memory, a stray write: %s cannot be used",
			    (unsigned long long)w->region.config.run,
			    w->target->argv[0], what);
		region_reset(&w->region, c);
		return -ENOTRECOVERABLE;
	}
	if (is_killed_from_outside(w, &dog))
		return explain_kill(w, err);
	complete_verdict(w, &dog);
	if (c->nr_modules > w->nr_modules)
		loaded_add(&w->loaded, c, w->nr_modules);
	return 0;
}

const struct loaded *worker_loaded(const struct worker *w)
{
	return &w->loaded;
}

const char *worker_output(struct worker *w, size_t *bytes)
{
	if (!w->has_output)
		output_read(&w->output, w->output_fd);
	w->has_output = true;
	*bytes = w->output.bytes;
	return w->output.text ? w->output.text : "";
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	/* Whatever it started and left behind goes with it. */
	ward_end(&w->ward);
	if (w->control)
		munmap(w->control, sizeof(*w->control));
	if (w->control_fd >= 0)
		close(w->control_fd);
	if (w->output_fd >= 0)
		close(w->output_fd);
	if (w->stdin_fd >= 0)
		close(w->stdin_fd);
	output_release(&w->output);
	loaded_release(&w->loaded);
	free(w);
}
