/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - `explore doctor`: what this machine offers, and what each lack
 * costs.
 *
 * Everything is tried, not looked up: containers and hypervisors refuse what
 * the kernel's version promises. What may go wrong is tried in a child.
 */
#include "explorer/cli/commands.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "explorer/target/counters.h"
#include "explorer/cli/options.h"
#include "base/util.h"
#include "explorer/cli/message.h"
#include "explorer/target/launch.h"
#include "explorer/target/guard.h"
#include "explorer/target/target.h"
#include "explorer/target/worker.h"
#include "explorer/target/ward.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define DISPATCH_ON 1
#define DISPATCH_ALLOW 0
#define DISPATCH_BLOCK 1

#define HWCAP2_FSGSBASE_BIT 2u

/* One line of the answer. `cost` is printed when it is missing. */
static void say(const char *what, bool is_there, const char *detail,
		const char *cost)
{
	printf("%-4s %-22s %s\n", is_there ? "ok" : "no", what, detail);
	if (!is_there)
		printf("     %-22s %s\n", "", cost);
}

static void say_info(const char *what, const char *detail)
{
	printf("     %-22s %s\n", what, detail);
}

/* First line of a small file, or "" */
static void read_line(const char *path, char *text, int bytes)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(text, bytes, f))
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* ----------------------------------------------------- tried in a child */

/*
 * Whether `try` exits with 0 in a child, within a few seconds. errno of a
 * failure is the exit status; *why says it in words.
 */
static bool child_can(int (*try)(void), const char **why)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(5);
		_exit(try());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		*why = strerror(errno);
		return false;
	}
	if (WIFSIGNALED(status))
		*why = strsignal(WTERMSIG(status));
	else
		*why = strerror(WEXITSTATUS(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static volatile char selector;

static void on_dispatch(int sig)
{
	(void)sig;
	selector = DISPATCH_ALLOW;
	_exit(0);
}

/* Every call is trapped until the handler lets them through again. */
static int try_dispatch(void)
{
	signal(SIGSYS, on_dispatch);
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_ON, 0, 0, &selector))
		return errno;
	selector = DISPATCH_BLOCK;
	syscall(SYS_getppid);
	selector = DISPATCH_ALLOW;
	return ENOSYS;	/* armed, but nothing was trapped */
}

static void on_rdtsc(int sig)
{
	(void)sig;
	_exit(0);
}

static int try_tsc(void)
{
	signal(SIGSEGV, on_rdtsc);
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0))
		return errno;
	__rdtsc();
	return ENOTSUP;
}

static int try_personality(void)
{
	if (personality(ADDR_NO_RANDOMIZE) < 0)
		return errno;
	return personality(0xffffffff) & ADDR_NO_RANDOMIZE ? 0 : EPERM;
}

static int try_guard(void)
{
	struct errbuf err = ERRBUF_INIT;
	struct guard *g;
	int rc = guard_new(&g, WARD_PLAIN, &err);

	if (!rc)
		rc = guard_load(g);
	return rc < 0 ? -rc : 0;
}

/* What the gdb stub does: attach to a child of one's own. */
static int try_ptrace(void)
{
	pid_t pid = fork();
	int error = 0;

	if (!pid) {
		pause();
		_exit(0);
	}
	if (pid < 0)
		return errno;
	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		error = errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return error;
}

/* -------------------------------------------------------------- checks */

static bool check_dispatch(void)
{
	struct utsname u;
	const char *why;
	bool ok = child_can(try_dispatch, &why);

	if (uname(&u))
		u.release[0] = '\0';
	say_info("kernel", u.release);
	say("syscall dispatch", ok, ok ? "system calls can be trapped" : why,
	    "explore cannot work: it needs Linux 5.11 or later, and a "
	    "container that allows prctl(PR_SET_SYSCALL_USER_DISPATCH)");
	return ok;
}

static void check_fsgsbase(void)
{
	bool ok = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT;

	say("fsgsbase", ok, ok ? "task switches need no system call" :
	    "not offered by this kernel or processor",
	    "each task switch costs a system call more");
}

static void check_counters(void)
{
	struct errbuf why = ERRBUF_INIT;
	struct control_clock clock;
	bool ok = !counters_find(&clock, &why);

	say("branch counter", ok, ok ? "it counts exactly: --clock hpc works" :
				       why.text,
	    "--clock hpc cannot be used; the default, --clock soft, needs no "
	    "counter");
	if (ok && counters_may_overcount())
		say_info("", COUNTERS_ZEN_WARNING);
}

static void check_ptrace(void)
{
	char scope[32], detail[128];
	const char *why;
	bool ok = child_can(try_ptrace, &why);

	read_line("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope));
	snprintf(detail, sizeof(detail), "%s%s%s",
		 ok ? "a replay can be debugged" : why,
		 *scope ? "; yama ptrace_scope is " : "", scope);
	say("ptrace", ok, detail, "replays cannot be debugged with gdb");
}

static void check_memory(void)
{
	char line[128], detail[192];
	int fd = memfd_create("doctor", MFD_CLOEXEC);
	void *p = MAP_FAILED;
	bool ok;

	if (fd >= 0 && !ftruncate(fd, sizeof(struct control)))
		p = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_NORESERVE, fd, 0);
	ok = p != MAP_FAILED;
	read_line("/proc/meminfo", line, sizeof(line));
	snprintf(detail, sizeof(detail), "%s%s", ok ? line : strerror(errno),
		 ok ? "; a sparse region of 5 GiB can be mapped" : "");
	if (ok)
		munmap(p, sizeof(struct control));
	if (fd >= 0)
		close(fd);
	say("memory", ok, detail,
	    "explore cannot work: raise 'ulimit -v' or allow overcommit");
}

static void check_cores(void)
{
	cpu_set_t set;
	char detail[96];
	int usable = sched_getaffinity(0, sizeof(set), &set) ? 1 :
		     CPU_COUNT(&set);

	snprintf(detail, sizeof(detail), "%d usable of %ld; --jobs %d uses "
		 "all", usable, sysconf(_SC_NPROCESSORS_ONLN), usable);
	say_info("processors", detail);
}

static void check_simple(const char *what, int (*try)(void),
			 const char *detail, const char *cost)
{
	const char *why;
	bool ok = child_can(try, &why);

	say(what, ok, ok ? detail : why, cost);
}

static void check_namespace(void)
{
	enum ward_kind kind = ward_first_kind();
	char detail[160];
	int rc, first = 0;

	while ((rc = ward_try(kind)) && kind < WARD_PLAIN) {
		first = first ? first : rc;
		kind++;
	}
	snprintf(detail, sizeof(detail), "%s%s%s", ward_describe(kind),
		 first ? "; a better one: " : "",
		 first ? strerror(-first) : "");
	say("process numbers", !rc && kind != WARD_PLAIN, detail,
	    "getpid() differs from run to run, and only the guard keeps "
	    "signals from other processes");
}

static bool check_preload(void)
{
	struct errbuf err = ERRBUF_INIT;
	char *path = launch_find_preload(&err);
	bool ok = path != NULL;

	say("runtime", ok, ok ? path : err.text,
	    "explore cannot work: nothing controls the target's threads");
	free(path);
	return ok;
}

int cmd_doctor(const struct options *o)
{
	bool ok;

	(void)o;
	ok = check_dispatch();
	ok &= check_preload();
	check_fsgsbase();
	check_simple("fixed addresses", try_personality,
		     "randomisation can be turned off",
		     "addresses differ from start to start; a program whose "
		     "course depends on them may not replay");
	check_simple("time stamp counter", try_tsc, "rdtsc can be trapped",
		     "a program that reads the counter itself may not replay");
	check_simple("guard filter", try_guard,
		     "seccomp keeps targets from harming the system",
		     "use --no-guard, and only with programs you trust");
	check_namespace();
	check_counters();
	check_ptrace();
	check_cores();
	check_memory();
	printf("\n%s\n", ok ? "explore can work here" :
	       "explore cannot work here");
	return ok ? EXIT_NOTHING_FOUND : EXIT_NO_CONTROL;
}
