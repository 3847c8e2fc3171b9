/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one zygote and its control region; runs one run at a time.
 *
 * The zygote is the target, held at its main by the runtime; each run is a
 * fork of it. Tool and runtime talk through two futex words in the control
 * region (see preload/control.h). The tool never blocks for ever: every wait
 * is a short one, between which it looks whether the zygote still lives and
 * whether the run still moves (watchdog.c).
 */
#include "explorer/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "explorer/util.h"
#include "explorer/watchdog.h"

#define POLL_NS 2000000L	/* between two looks at the zygote */
#define CONTROL_FD_MIN 200	/* above what programs expect to get */
#define OUTPUT_MAX_BYTES (256ll << 20)

#ifndef PRELOAD_DIR
#define PRELOAD_DIR "/usr/local/lib/explore"
#endif
#define PRELOAD_NAME "libexplore-preload.so"

struct worker {
	const struct target *target;
	struct control *control;
	int control_fd;
	int output_fd;		/* memfd with what the run printed */
	int stdin_fd;		/* shared with the target: one file offset */
	pid_t zygote;
	bool has_aslr;
	bool has_ended;		/* the zygote was reaped */
	int wait_status;	/* iff has_ended */
	char *output;
	size_t output_bytes;
	bool has_output;	/* output[] is of the last run */
};

/* ------------------------------------------------------- the runtime file */

char *worker_find_preload(struct errbuf *err)
{
	const char *given = getenv("EXPLORE_PRELOAD");
	char self[PATH_MAX] = "", *slash, *beside, *path;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	slash = n > 0 ? strrchr(self, '/') : NULL;
	if (slash)
		*slash = '\0';
	/* The build tree: build/explorer/explore, build/preload/... */
	beside = xasprintf("%s/../preload/" PRELOAD_NAME, self);
	if (given && *given)
		path = realpath(given, NULL);
	else
		path = realpath(beside, NULL);
	if (!path && !(given && *given))
		path = realpath(PRELOAD_DIR "/" PRELOAD_NAME, NULL);
	free(beside);
	if (!path || access(path, R_OK)) {
		errbuf_addf(err, "cannot find the runtime '%s': is explore "
			    "installed?", given && *given ? given :
			    PRELOAD_DIR "/" PRELOAD_NAME);
		free(path);
		return NULL;
	}
	/* ld.so splits LD_PRELOAD at both, and knows no quoting. */
	if (strpbrk(path, ": ")) {
		errbuf_addf(err, "the runtime '%s' cannot be loaded from a "
			    "path with a space or a colon", path);
		free(path);
		return NULL;
	}
	return path;
}

/* --------------------------------------------------------- environment */

static bool is_variable(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(entry, name, n) && entry[n] == '=';
}

/* The user's environment with our variables in front. */
static char **make_env(char *const *user, const char *preload, int control_fd)
{
	const char *theirs = NULL;
	size_t nr = 0, at = 0;
	char **env;

	while (user[nr])
		nr++;
	env = xcalloc(nr + 4, sizeof(*env));
	for (size_t i = 0; i < nr; i++)
		if (is_variable(user[i], "LD_PRELOAD") &&
		    user[i][strlen("LD_PRELOAD=")])
			theirs = user[i] + strlen("LD_PRELOAD=");
	env[at++] = theirs ? xasprintf("LD_PRELOAD=%s:%s", preload, theirs) :
			     xasprintf("LD_PRELOAD=%s", preload);
	env[at++] = xasprintf(CONTROL_ENV "=%d", control_fd);
	if (theirs)
		env[at++] = xasprintf(CONTROL_ENV_PRELOAD "=%s", theirs);
	for (size_t i = 0; i < nr; i++)
		if (!is_variable(user[i], "LD_PRELOAD") &&
		    !is_variable(user[i], CONTROL_ENV) &&
		    !is_variable(user[i], CONTROL_ENV_PRELOAD))
			env[at++] = xstrdup(user[i]);
	return env;
}

/* ----------------------------------------------------------- processors */

int worker_choose_cpu(uint32_t n)
{
	cpu_set_t set;
	int nr;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	nr = CPU_COUNT(&set);
	if (!nr)
		return -1;
	n %= (uint32_t)nr;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && !n--)
			return cpu;
	return -1;
}

void worker_pin_self(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);	/* only for speed */
}

/* ------------------------------------------------- the child, before exec */

/* What the child tells about itself; the pipe closes at exec. */
struct note {
	enum note_kind {
		NOTE_ASLR,	/* personality() was refused */
		NOTE_CWD,
		NOTE_OUTPUT,
		NOTE_GUARD,
		NOTE_EXEC,
	} kind;
	int error;
};

static const char *note_text(enum note_kind kind)
{
	switch (kind) {
	case NOTE_CWD:
		return "cannot enter the directory of";
	case NOTE_OUTPUT:
		return "cannot capture the output of";
	case NOTE_GUARD:
		return "cannot load the guard filter (try --no-guard) for";
	case NOTE_ASLR:
	case NOTE_EXEC:
		break;
	}
	return "cannot execute";
}

struct launch {
	struct worker *w;
	const struct guard *guard;	/* NULL: none */
	char **env;
	int control_fd;		/* number it has in the target */
	int note_fd;
	int cpu;
	pid_t parent;
};

static void send_note(const struct launch *l, enum note_kind kind, int error)
{
	struct note n = { kind, error };

	while (write(l->note_fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

static _Noreturn void give_up(const struct launch *l, enum note_kind kind)
{
	send_note(l, kind, errno);
	_exit(127);
}

/* stdout and stderr append to one file: truncating it between runs works. */
static void redirect(const struct launch *l)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->w->output_fd);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || dup2(l->w->stdin_fd, 0) < 0 || dup2(fd, 1) < 0 ||
	    dup2(fd, 2) < 0)
		give_up(l, NOTE_OUTPUT);
}

static void set_limits(void)
{
	/* 1, not 0: the kernel pipes cores of limit 0 to a handler anyway. */
	struct rlimit core = { 1, 1 };

	if (!getrlimit(RLIMIT_CORE, &core))
		core.rlim_cur = core.rlim_max < 1 ? core.rlim_max : 1;
	setrlimit(RLIMIT_CORE, &core);
}

/* Signals as a shell gives them to a program. */
static void reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGPIPE, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(const struct launch *l)
{
	const struct target *t = l->w->target;

	/*
	 * A session of its own: Ctrl-C reaches only the tool, /dev/tty is
	 * out of reach, and kill(-pid) ends everything that it started.
	 */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != l->parent)
		_exit(127);	/* died before prctl() */
	reset_signals();
	set_limits();
	worker_pin_self(l->cpu);
	redirect(l);
	if (dup2(l->w->control_fd, l->control_fd) < 0)
		give_up(l, NOTE_OUTPUT);
	if (t->cwd && chdir(t->cwd))
		give_up(l, NOTE_CWD);
	errno = 0;
	if (personality(ADDR_NO_RANDOMIZE) < 0 ||
	    !(personality(0xffffffff) & ADDR_NO_RANDOMIZE))
		send_note(l, NOTE_ASLR, errno);
	if (l->guard) {
		int rc = guard_load(l->guard);

		errno = -rc;
		if (rc)
			give_up(l, NOTE_GUARD);
	}
	execve(t->program, t->argv, l->env);
	give_up(l, NOTE_EXEC);
}

/* ---------------------------------------------------- start, up to main */

static int read_notes(struct worker *w, int fd, struct errbuf *err)
{
	struct note n;
	ssize_t got;

	for (;;) {
		got = read(fd, &n, sizeof(n));
		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)sizeof(n))
			return 0;	/* closed by exec */
		if (n.kind != NOTE_ASLR)
			break;
		w->has_aslr = true;
	}
	errbuf_addf(err, "%s '%s': %s", note_text(n.kind), w->target->program,
		    strerror(n.error));
	return n.error ? -n.error : -ENOEXEC;
}

/* The lowest free number from CONTROL_FD_MIN on. */
static int choose_control_fd(int fd)
{
	int number = fcntl(fd, F_DUPFD_CLOEXEC, CONTROL_FD_MIN);

	if (number >= 0)
		close(number);
	return number;
}

static int launch(struct worker *w, int cpu, struct errbuf *err)
{
	struct launch l = { .w = w, .cpu = cpu, .parent = getpid() };
	char *preload = worker_find_preload(err);
	int note[2] = { -1, -1 }, rc = -ENOENT;
	struct guard *guard = NULL;

	if (!preload)
		goto out;
	rc = w->target->has_guard ? guard_new(&guard, err) : 0;
	if (rc)
		goto out;
	l.guard = guard;
	l.control_fd = choose_control_fd(w->control_fd);
	if (l.control_fd < 0 || pipe2(note, O_CLOEXEC)) {
		rc = -errno;
		errbuf_addf(err, "cannot start '%s': %s", w->target->program,
			    strerror(-rc));
		goto out;
	}
	l.note_fd = note[1];
	l.env = make_env(w->target->env ? w->target->env : environ, preload,
			 l.control_fd);
	w->zygote = fork();
	if (!w->zygote)
		run_child(&l);
	if (w->zygote < 0) {
		rc = -errno;
		errbuf_addf(err, "cannot fork: %s", strerror(-rc));
		goto out;
	}
	close(note[1]);
	note[1] = -1;
	rc = read_notes(w, note[0], err);
out:
	if (note[0] >= 0)
		close(note[0]);
	if (note[1] >= 0)
		close(note[1]);
	strv_free(l.env);
	guard_free(guard);
	free(preload);
	return rc;
}

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
		errbuf_addf(err, "cannot map %zu MiB of shared memory: %s",
			    sizeof(*c) >> 20, strerror(-rc));
		return rc;
	}
	w->control = c;
	c->magic = CONTROL_MAGIC;
	c->version = CONTROL_VERSION;
	c->bytes_low = (uint32_t)sizeof(*c);
	c->config = *config;
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
	    waitpid(w->zygote, &w->wait_status, WNOHANG) == w->zygote)
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
	return 0;
}

int worker_start(struct worker **out, const struct target *target,
		 const struct control_config *config, int cpu,
		 struct errbuf *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int rc;

	w->target = target;
	w->control_fd = w->output_fd = w->stdin_fd = -1;
	rc = map_control(w, config, err);
	if (!rc)
		rc = open_files(w, err);
	if (!rc)
		rc = launch(w, cpu, err);
	if (!rc)
		rc = wait_for_main(w, err);
	if (rc) {
		worker_free(w);
		return rc;
	}
	*out = w;
	return 0;
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

/* The run is over: give it a verdict when it died without leaving one. */
static void complete_verdict(struct worker *w, const struct watchdog *dog)
{
	struct control *c = w->control;
	int status = c->wait_status;
	char text[160];

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
	c->release = 0;
	w->has_output = false;
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

static bool prints_too_much(struct worker *w)
{
	struct stat st;

	return !fstat(w->output_fd, &st) && st.st_size > OUTPUT_MAX_BYTES;
}

/* Between two waits. Returns 0 to go on waiting. */
static int look_after(struct worker *w, struct watchdog *dog,
		      struct errbuf *err)
{
	char how[128];

	if (has_ended(w) && state_of(w) != CONTROL_STATE_DONE) {
		describe_end(w->wait_status, how, sizeof(how));
		errbuf_addf(err, "the process that '%s' is forked from ended: "
			    "%s", w->target->argv[0], how);
		return -ECHILD;
	}
	if (w->target->stop && *w->target->stop)
		watchdog_kill(dog, WATCHDOG_STOPPED);
	else if (prints_too_much(w))
		watchdog_kill(dog, WATCHDOG_OUTPUT);
	else
		watchdog_look(dog);
	if (watchdog_is_hopeless(dog)) {
		errbuf_addf(err, "a run of '%s' was killed and did not end",
			    w->target->argv[0]);
		return -ETIMEDOUT;
	}
	return 0;
}

int worker_run(struct worker *w,
	       void (*inspect)(struct worker *w, pid_t pid, void *data),
	       void *data, struct errbuf *err)
{
	struct control *c = w->control;
	struct watchdog dog;
	uint32_t state;
	int rc;

	if (w->has_ended) {
		errbuf_addf(err, "the process of '%s' has ended",
			    w->target->argv[0]);
		return -ECHILD;
	}
	rc = begin_run(w, err);
	if (rc)
		return rc;
	watchdog_init(&dog, c, w->target->run_timeout_ms);
	while ((state = state_of(w)) != CONTROL_STATE_DONE) {
		if (state == CONTROL_STATE_FAILED) {
			errbuf_addf(err, "'%s' cannot be controlled: %s",
				    w->target->argv[0], c->verdict.message);
			return -ENOTSUP;
		}
		if (state == CONTROL_STATE_FROZEN && !c->release) {
			if (inspect)
				inspect(w, c->run_pid, data);
			set_word(&c->release, 1);
			watchdog_moved(&dog);
		}
		wait_state(w, state);
		/* Only after a whole poll: this is the path of every run. */
		if (state_of(w) != state)
			continue;
		rc = look_after(w, &dog, err);
		if (rc)
			return rc;
	}
	if (dog.reason == WATCHDOG_STOPPED)
		return -EINTR;
	complete_verdict(w, &dog);
	return 0;
}

const char *worker_output(struct worker *w, size_t *bytes)
{
	struct stat st;
	ssize_t n = 0;

	*bytes = w->output_bytes;
	if (w->has_output)
		return w->output;
	w->output_bytes = 0;
	if (!fstat(w->output_fd, &st) && st.st_size > 0) {
		w->output = xrealloc(w->output, 1, (size_t)st.st_size);
		n = pread(w->output_fd, w->output, (size_t)st.st_size, 0);
	}
	w->output_bytes = n > 0 ? (size_t)n : 0;
	w->has_output = true;
	*bytes = w->output_bytes;
	return w->output ? w->output : "";
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->zygote > 0) {
		/* Whatever it started and left behind goes with it. */
		kill(-w->zygote, SIGKILL);
		if (!w->has_ended) {
			kill(w->zygote, SIGKILL);
			while (waitpid(w->zygote, NULL, 0) < 0 &&
			       errno == EINTR)
				;
		}
	}
	if (w->control)
		munmap(w->control, sizeof(*w->control));
	if (w->control_fd >= 0)
		close(w->control_fd);
	if (w->output_fd >= 0)
		close(w->output_fd);
	if (w->stdin_fd >= 0)
		close(w->stdin_fd);
	free(w->output);
	free(w);
}
