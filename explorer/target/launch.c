/* SPDX-License-Identifier: MIT */
/*
 * launch.c - from fork to exec: the process in which the target becomes a
 * zygote.
 */
#include "explorer/target/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "explorer/target/rlimits.h"
#include "explorer/target/sanitizer.h"
#include "explorer/target/shm.h"
#include "base/util.h"

#define CONTROL_FD_MIN 200	/* above what programs expect to get */

#ifndef PRELOAD_DIR
#define PRELOAD_DIR "/usr/local/lib/explore"
#endif
#define PRELOAD_NAME "libexplore-preload.so"

/* ------------------------------------------------------- the runtime file */

char *launch_find_preload(struct errbuf *err)
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
	if (n <= 0 && !path) {
		errbuf_addf(err, "there is no /proc, which explore needs");
		return NULL;
	}
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

/* The last value of an option is the one that counts. */
static char *add_options(const struct sanitizer *s, char *const *user)
{
	const char *theirs = "";

	for (; *user; user++)
		if (is_variable(*user, s->variable))
			theirs = *user + strlen(s->variable) + 1;
	return xasprintf("%s=%s%s%s", s->variable, theirs, *theirs ? ":" : "",
			 s->options);
}

/*
 * The user's environment with our variables behind it: what the runtime takes
 * out again at its end leaves the rest where it is.
 */
static char **make_env(char *const *user, const char *preload, int control_fd,
		       bool is_lazy, const struct sanitizer *sanitizer)
{
	const char *theirs = NULL;
	size_t nr = 0, at = 0, first;
	char **env;

	while (user[nr])
		nr++;
	env = xcalloc(nr + 6, sizeof(*env));
	for (size_t i = 0; i < nr; i++) {
		const char *value = user[i] + strlen("LD_PRELOAD=");

		if (is_variable(user[i], "LD_PRELOAD")) {
			if (*value)
				theirs = value;
			env[at++] = xasprintf(CONTROL_ENV_PRELOAD "=%s", value);
		} else if (sanitizer &&
			   is_variable(user[i], sanitizer->variable)) {
			continue;
		} else if (!is_variable(user[i], CONTROL_ENV) &&
			   !is_variable(user[i], CONTROL_ENV_PRELOAD)) {
			env[at++] = xstrdup(user[i]);
		}
	}
	if (sanitizer)
		env[at++] = add_options(sanitizer, user);
	first = at;
	env[at++] = theirs ? xasprintf("LD_PRELOAD=%s:%s", preload, theirs) :
			     xasprintf("LD_PRELOAD=%s", preload);
	env[at++] = xasprintf(CONTROL_ENV "=%d", control_fd);
	/* Symbols are looked up once, and not anew in each run. */
	if (!is_lazy)
		env[at++] = xstrdup(CONTROL_ENV_BIND_NOW);
	if ((at - first) % 2)
		env[at++] = xstrdup(CONTROL_ENV_PAD);
	return env;
}

/* ----------------------------------------------------------- processors */

/*
 * The first 64 that the user lets us have: as it was before we pin ourselves.
 */
static uint64_t first_processors(void)
{
	static uint64_t mask;
	cpu_set_t set;

	if (!mask && !sched_getaffinity(0, sizeof(set), &set))
		memcpy(&mask, &set, sizeof(mask));
	return mask;
}

int launch_choose_cpu(uint32_t n)
{
	cpu_set_t set;
	int nr, here;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	nr = CPU_COUNT(&set);
	here = sched_getcpu();
	first_processors();
	if (!nr || here < 0 || getenv("EXPLORE_NO_PIN"))
		return -1;
	/* From here on: several tools at a time shall not share one. */
	n %= (uint32_t)nr;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		int cpu = (here + i) % CPU_SETSIZE;

		if (CPU_ISSET(cpu, &set) && !n--)
			return cpu;
	}
	return -1;
}

void launch_pin_self(int cpu)
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

/* What the child needs; made before the fork. */
struct child {
	const struct launch *launch;
	const struct guard *guard;	/* NULL: none */
	char **env;
	int control_fd;		/* number it gets in the target */
	int note_fd;
};

static void send_note(const struct child *c, enum note_kind kind, int error)
{
	struct note n = { kind, error };

	while (write(c->note_fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

static _Noreturn void give_up(const struct child *c, enum note_kind kind)
{
	send_note(c, kind, errno);
	_exit(127);
}

/* stdout and stderr append to one file: truncating it between runs works. */
static void redirect(const struct child *c)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->launch->output_fd);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || dup2(c->launch->stdin_fd, 0) < 0 || dup2(fd, 1) < 0 ||
	    dup2(fd, 2) < 0)
		give_up(c, NOTE_OUTPUT);
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
	sigaction(SIGXFSZ, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The runtime closes it before main; see preload/start/shm.c. */
static void hand_over_shm(const struct child *c)
{
	int fd = c->launch->ward.shm_fd, number = -1;

	if (fd < 0)
		return;
	number = fcntl(fd, F_DUPFD, c->control_fd + 1);
	if (number < 0)
		number = fcntl(fd, F_DUPFD, 3);
	c->launch->control->shm_fd = number;
}

static _Noreturn void run_child(const struct child *c)
{
	const struct target *t = c->launch->target;

	/*
	 * A session of its own: Ctrl-C reaches only the tool, /dev/tty is
	 * out of reach, and kill(-pid) ends everything that it started.
	 */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != c->launch->ward.parent)
		_exit(127);	/* it died before prctl() */
	reset_signals();
	set_limits();
	limits_give_back();
	launch_pin_self(c->launch->cpu);
	redirect(c);
	if (dup2(c->launch->control_fd, c->control_fd) < 0)
		give_up(c, NOTE_OUTPUT);
	hand_over_shm(c);
	if (t->cwd && chdir(t->cwd))
		give_up(c, NOTE_CWD);
	errno = 0;
	if (personality(ADDR_NO_RANDOMIZE) < 0 ||
	    !(personality(0xffffffff) & ADDR_NO_RANDOMIZE))
		send_note(c, NOTE_ASLR, errno);
	if (c->guard) {
		int rc = guard_load(c->guard);

		if (rc > 0)
			rc = ward_send_listener(&c->launch->ward, rc);
		errno = -rc;
		if (rc)
			give_up(c, NOTE_GUARD);
	}
	execve(t->program, t->argv, c->env);
	give_up(c, NOTE_EXEC);
}

static int read_notes(struct launch *l, int fd, struct errbuf *err)
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
		l->has_aslr = true;
	}
	errbuf_addf(err, "%s '%s': %s", note_text(n.kind), l->target->program,
		    strerror(n.error));
	return n.error ? -n.error : -ENOEXEC;
}

/*
 * The lowest free number from CONTROL_FD_MIN on, or the last one that the limit
 * allows; the target gets its own limit only after it has the number.
 */
static int choose_control_fd(int fd)
{
	int number = fcntl(fd, F_DUPFD_CLOEXEC, CONTROL_FD_MIN);
	struct rlimit r;

	if (number < 0 && errno == EINVAL && !getrlimit(RLIMIT_NOFILE, &r))
		number = fcntl(fd, F_DUPFD_CLOEXEC, (int)r.rlim_cur - 1);

	if (number >= 0)
		close(number);
	return number;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* One try, with a ward of l->ward.kind. */
static int start_in_ward(struct launch *l, struct child *c, struct errbuf *err)
{
	bool is_plain = l->ward.kind == WARD_PLAIN;
	enum shm_state state = shm_look(l->target->program, l->target->cwd);
	struct guard *guard = NULL;
	int note[2] = { -1, -1 }, rc;
	pid_t pid = -1;

	rc = l->target->has_guard ? guard_new(&guard, l->ward.kind, err) : 0;
	if (rc)
		return rc;
	c->guard = guard;
	l->control->run_number = is_plain ? 0 :
				 l->control->config.virtual_pid;
	l->control->shm_fd = state == SHM_PRIVATE || state == SHM_ABSENT ||
			     is_plain ? 0 : -1;
	l->control->processors = first_processors();
	l->control->had_no_new_privs =
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	l->control->is_ambient = l->ward.kind == WARD_USER_NAMESPACE &&
				 geteuid();
	if (c->control_fd >= 0 && !pipe2(note, O_CLOEXEC)) {
		c->note_fd = note[1];
		pid = ward_fork(&l->ward, note[1]);
	}
	if (!pid)
		run_child(c);
	rc = pid < 0 ? -errno : 0;
	close_end(&note[1]);
	if (rc)
		errbuf_addf(err, "cannot start '%s': %s", l->target->program,
			    strerror(-rc));
	else
		rc = read_notes(l, note[0], err);
	close_end(&note[0]);
	guard_free(guard);
	return rc;
}

/* The ward could not be made, whatever else went wrong. */
static bool lacks_ward(const struct launch *l)
{
	return l->ward.kind < WARD_PLAIN && l->ward.page &&
	       l->ward.page->error;
}

int launch_start(struct launch *l, struct errbuf *err)
{
	struct child c = { .launch = l };
	char *const *env = l->target->env ? l->target->env : environ;
	char *preload = launch_find_preload(err);
	int rc = -ENOENT;

	l->has_aslr = false;
	if (!preload)
		return rc;
	c.control_fd = choose_control_fd(l->control_fd);
	c.env = make_env(env, preload, c.control_fd, l->is_lazy,
			 sanitizer_of(l->target->program));
	for (int kind = (int)ward_first_kind(); kind < NR_WARD_KINDS; kind++) {
		struct errbuf why = ERRBUF_INIT;

		l->ward = (struct ward){ .kind = (enum ward_kind)kind };
		rc = start_in_ward(l, &c, &why);
		if (lacks_ward(l)) {
			ward_end(&l->ward);
			continue;
		}
		if (rc)
			errbuf_addf(err, "%s", why.text);
		break;
	}
	if (!rc)
		ward_find_zygote(&l->ward);
	strv_free(c.env);
	free(preload);
	return rc;
}
