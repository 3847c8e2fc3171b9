/* SPDX-License-Identifier: MIT */
/*
 * ids.c - numbers of the process and its tasks, towards the kernel.
 */
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioprio.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "preload/kernel/guarded.h"
#include "preload/kernel/ids.h"
#include "preload/kernel/syscall_numbers.h"
#include "preload/kernel/traps.h"

#define MIN_FD 200		/* above what programs expect to get */

uint32_t ids_process;

/* ---------------------------------------------------------- the zygote */

#define MAX_ROUNDS 10000	/* of looking whether leftovers have ended */
#define ROUND_NS 200000u

/* All of them private, so what a run does to the region does not matter. */
static uint64_t main_word;	/* libc's note of main's id; 0: not known */
static uint64_t run_number;	/* the number of every run; 0: any */
static bool is_ambient;		/* a capability of ours is to be dropped */
static int64_t zygote;
static int64_t children_fd = -1;	/* the ward's children: us, orphans */
static char children_path[64];

/* Decimal digits at text[*at] on; *at comes to lie behind them. */
static int64_t take_number(const char *text, int64_t bytes, int64_t *at)
{
	int64_t n = 0;

	while (*at < bytes && (text[*at] < '0' || text[*at] > '9'))
		++*at;
	while (*at < bytes && text[*at] >= '0' && text[*at] <= '9')
		n = n * 10 + (text[(*at)++] - '0');
	return n;
}

/* Where the kernel shall clear it when main ends, it stands. */
static void find_main_word(void)
{
	uint32_t value;

	if (sys_call2(__NR_prctl, PR_GET_TID_ADDRESS, &main_word) < 0 ||
	    !main_word || !sys_load32((void *)(uintptr_t)main_word, &value) ||
	    value != (uint32_t)zygote)
		main_word = 0;
}

/* Children of a run get the numbers behind its own, in each run. */
static void set_next_number(void)
{
	char text[16];
	int64_t fd;

	if (!run_number)
		return;
	fd = sys_call3(__NR_open, "/proc/sys/kernel/ns_last_pid",
		       O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;		/* they differ, then */
	sys_call3(__NR_write, fd, text,
		  runtime_format(text, sizeof(text), "%lu",
				 (unsigned long)run_number));
	sys_call1(__NR_close, fd);
}

void ids_init(void)
{
	unsigned long ward = (unsigned long)sys_call0(__NR_getppid);
	int64_t fd;

	zygote = sys_call0(__NR_getpid);
	run_number = runtime_control->run_number;
	is_ambient = runtime_control->is_ambient;
	find_main_word();
	set_next_number();
	runtime_format(children_path, sizeof(children_path),
		       "/proc/%lu/task/%lu/children", ward, ward);
	fd = sys_call3(__NR_open, children_path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	children_fd = sys_call3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, MIN_FD);
	sys_call1(__NR_close, fd);
}

int64_t ids_fork_run(void)
{
	struct clone_args a = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&run_number,
		.set_tid_size = 1,
	};
	int64_t pid = -EINVAL;

	if (run_number)
		pid = sys_call2(__NR_clone3, &a, sizeof(a));
	if (pid < 0)
		pid = sys_call5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	return pid;
}

/* Kills the ward's children but the zygote. Returns how many there are. */
static int kill_orphans(void)
{
	char text[4096];
	int64_t bytes = sys_call4(__NR_pread64, children_fd, text,
				  sizeof(text), 0);
	int nr = 0;

	for (int64_t at = 0, pid; (pid = take_number(text, bytes, &at));)
		if (pid != zygote) {
			sys_call2(__NR_kill, pid, SIGKILL);
			nr++;
		}
	return nr;
}

void ids_end_leftovers(void)
{
	const uint64_t pause[2] = { 0, ROUND_NS };

	/* The ward reaps them. */
	for (int i = 0; i < MAX_ROUNDS && kill_orphans(); i++)
		sys_call2(__NR_nanosleep, pause, 0);
	if (runtime_control->counters.forks)
		set_next_number();
}

/* ------------------------------------------------------------- the run */

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	sys_call2(__NR_capset, &header, none);
}

void ids_start_run(void)
{
	ids_process = (uint32_t)sys_call0(__NR_getpid);
	if (main_word)
		sys_store32((void *)(uintptr_t)main_word, ids_process);
	if (is_ambient)
		drop_capabilities();
	if (children_fd >= 0)
		sys_call1(__NR_close, children_fd);
	/* As a job of a shell: a signal to its group reaches nobody else. */
	sys_call2(__NR_setpgid, 0, 0);
}

static bool find_in(const char *path, bool (*is)(int64_t pid))
{
	char text[512];
	int64_t fd, bytes, at = 0;
	bool is_found = false;

	fd = sys_call3(__NR_open, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bytes = sys_call3(__NR_read, fd, text, sizeof(text));
	sys_call1(__NR_close, fd);
	for (int64_t pid; !is_found && (pid = take_number(text, bytes, &at));)
		is_found = is(pid);
	return is_found;
}

static bool is_orphan(int64_t pid)
{
	return pid != zygote;
}

bool ids_has_orphan(void)
{
	return find_in(children_path, is_orphan);
}

bool ids_find_child(bool (*is)(int64_t pid))
{
	char path[64];

	runtime_format(path, sizeof(path), "/proc/%lu/task/%lu/children",
		       (unsigned long)ids_process, (unsigned long)ids_process);
	return find_in(path, is);
}

/* ------------------------------------------------------------- numbers */

bool ids_is_self(int64_t pid)
{
	return pid > 0 && (pid == ids_process ||
			   threads_by_tid((uint32_t)pid) >= 0);
}

bool ids_is_own_group(int64_t pid)
{
	return !pid || (pid < -1 && sys_call1(__NR_getpgid, 0) == -pid);
}

bool ids_is_own_pidfd(uint64_t fd)
{
	char path[48], text[512];
	int64_t info, at = 0, bytes;

	runtime_format(path, sizeof(path), "/proc/self/fdinfo/%ld",
		       (long)(int32_t)fd);
	info = sys_call3(__NR_open, path, O_RDONLY | O_CLOEXEC, 0);
	if (info < 0)
		return false;
	bytes = sys_call3(__NR_read, info, text, sizeof(text) - 1);
	sys_call1(__NR_close, info);
	if (bytes <= 0)
		return false;
	text[bytes] = '\0';
	while (at < bytes && !core_has_prefix(text + at, "\nPid:\t"))
		at++;
	return at < bytes && take_number(text, bytes, &at) == ids_process;
}

/* The number that the kernel knows: a task's is the process's. */
static uint64_t to_kernel(uint64_t pid)
{
	int32_t p = (int32_t)pid;

	if (p > (int32_t)IDS_FIRST_TASK && threads_by_tid((uint32_t)p) >= 0)
		return ids_process;
	return pid;
}

/*
 * A number behind a pointer. The kernel gets a copy, which is there until the
 * next such call.
 */
static uint64_t translate_struct(uint64_t from, size_t offset)
{
	static uint64_t copy;
	uint32_t pid;

	if (!sys_load64((void *)(uintptr_t)from, &copy))
		return from;	/* the kernel answers EFAULT */
	memcpy(&pid, (char *)&copy + offset, sizeof(pid));
	if (to_kernel(pid) == pid)
		return from;
	pid = ids_process;
	memcpy((char *)&copy + offset, &pid, sizeof(pid));
	return (uintptr_t)&copy;
}

static void translate_owner(struct trap *t)
{
	if (t->arg[1] == F_SETOWN)
		t->arg[2] = to_kernel(t->arg[2]);
	else if (t->arg[1] == F_SETOWN_EX)
		t->arg[2] = translate_struct(t->arg[2],
					     offsetof(struct f_owner_ex, pid));
}

/* Where it depends on another argument, or lies in memory. */
static void translate_special(struct trap *t)
{
	switch (t->nr) {
	case __NR_fcntl:
		translate_owner(t);
		break;
	case __NR_getpriority:
	case __NR_setpriority:
		if (t->arg[0] == PRIO_PROCESS)
			t->arg[1] = to_kernel(t->arg[1]);
		break;
	case __NR_ioprio_get:
	case __NR_ioprio_set:
		if (t->arg[0] == IOPRIO_WHO_PROCESS)
			t->arg[1] = to_kernel(t->arg[1]);
		break;
	case __NR_capget:
	case __NR_capset:
		t->arg[0] = translate_struct(
			t->arg[0],
			offsetof(struct __user_cap_header_struct, pid));
		break;
	}
}

void ids_translate(struct trap *t, const struct trap_entry *e)
{
	bool is_special = false;

	for (uint32_t n = 0; n < TRAP_RESULT; n++) {
		enum trap_id id = trap_id_of(e, n);

		if (id == TRAP_ID_NUMBER)
			t->arg[n] = to_kernel(t->arg[n]);
		is_special |= id == TRAP_ID_DEPENDS;
	}
	if (is_special)
		translate_special(t);
}

#define STACK_WORDS 64		/* looked through for a caller */

/* Libraries of the system's, and the vDSO; "" is the program. */
static bool is_system(const char *path)
{
	return core_has_prefix(path, "/lib") || path[0] == '[' ||
	       core_has_prefix(path, "/usr/lib");
}

static bool is_guarded(int64_t nr)
{
	switch (nr) {
#define CALL(name) case __NR_##name:
	GUARDED_ALWAYS(CALL)
	GUARDED_STRANGERS(CALL)
#undef CALL
		return true;
	default:
		return false;
	}
}

/* Whether the bytes before a return address are a call. */
static bool is_behind_call(uint64_t pc)
{
	uint64_t byte;

	for (uint64_t bytes = 2; bytes <= 7; bytes++) {
		if (!sys_load8((void *)(uintptr_t)(pc - bytes), &byte))
			return false;
		if (byte == 0xff || (byte == 0xe8 && bytes == 5))
			return true;
	}
	return false;
}

/*
 * Who called the library's function that made the call: the innermost return
 * address on the stack that is in code of the program's. Functions around a
 * system call have small frames. 0: none.
 */
static uint64_t find_caller(void)
{
	const struct control *c = runtime_control;
	uint64_t sp = core_self()->reg_sp, word;

	for (int i = 0; i < STACK_WORDS; i++, sp += 8) {
		if (!sys_load64((void *)(uintptr_t)sp, &word))
			return 0;
		for (uint32_t m = 0; m < c->nr_modules; m++)
			if (word - c->module[m].start <
				    c->module[m].end - c->module[m].start &&
			    !is_system(c->module[m].path) &&
			    is_behind_call(word))
				return word;
	}
	return 0;
}

static void note_refusal(const struct trap *t)
{
	struct control *c = runtime_control;
	uint64_t pc = find_caller();
	struct control_refusal *r;

	if (c->counters.nr_refusals >= CONTROL_MAX_REFUSALS)
		return;
	if (!pc)
		pc = t->site;
	r = &c->counters.refusal[c->counters.nr_refusals++];
	r->number = (uint32_t)t->nr;
	r->task = runtime_self();
	r->module = 0;
	while (r->module < c->nr_modules &&
	       pc - c->module[r->module].start >=
		       c->module[r->module].end - c->module[r->module].start)
		r->module++;
	if (r->module == c->nr_modules)
		r->module = CONTROL_MAX_MODULES;
	else
		r->offset = pc - c->module[r->module].start;
}

bool ids_was_refused(const struct trap *t)
{
	if (runtime_control->config.flags & CONTROL_F_NO_GUARD ||
	    !is_guarded(t->nr))
		return false;
	if (!runtime_control->counters.refused[t->nr])
		note_refusal(t);
	runtime_control->counters.denied++;
	runtime_control->counters.refused[t->nr]++;
	return true;
}

int64_t ids_signal_other(struct trap *t)
{
	int64_t r = trap_pass(t);

	/* The guard knows who descends from the run, and refuses the rest. */
	if (r == -EPERM)
		ids_was_refused(t);
	return r;
}
