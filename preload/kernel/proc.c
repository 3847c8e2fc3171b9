/* SPDX-License-Identifier: MIT */
/*
 * proc.c - what /proc says of the tasks.
 *
 * The kernel knows one thread, the carrier. A path that names a task by its
 * number is turned into the carrier's, and what the kernel would say of the
 * thread itself is said from the model: its name, stat, status, and the list of
 * all tasks. A file so made is a snapshot in memory, taken when it is opened;
 * "comm" may be written, too.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "preload/kernel/files.h"
#include "preload/kernel/ids.h"
#include "preload/kernel/seccomp.h"

#define PATH_BYTES 512
#define TEXT_BYTES 4096
#define OPENS_DIRECTORY 0200000u	/* O_DIRECTORY */
#define ACCESS_MODE 3u			/* O_ACCMODE */
#define PROCESS (-1)

/* A path below /proc/PID or /proc/PID/task/TID: of whom, and the rest of it. */
struct place {
	int task;		/* PROCESS: of all */
	const char *rest;	/* "" or "/..." */
};

/* ---------------------------------------------------------------- paths */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number that is a path's whole next name; NULL when it is none. */
static const char *read_number(const char *p, uint64_t *value)
{
	if (!is_digit(*p))
		return NULL;
	for (*value = 0; is_digit(*p) && *value < UINT32_MAX; p++)
		*value = *value * 10 + (uint64_t)(*p - '0');
	return *p && *p != '/' ? NULL : p;
}

/* Behind `name`, when it is a path's whole next name; else NULL. */
static const char *skip_name(const char *p, const char *name)
{
	if (!core_has_prefix(p, name))
		return NULL;
	p += core_strlen(name);
	return *p && *p != '/' ? NULL : p;
}

static bool parse(const char *path, struct place *at)
{
	const char *p = path + 6, *q;
	uint64_t number;

	if (!core_has_prefix(path, "/proc/"))
		return false;
	at->task = PROCESS;
	if ((q = skip_name(p, "thread-self"))) {
		at->task = (int)runtime_self();
	} else if (!(q = skip_name(p, "self"))) {
		q = read_number(p, &number);
		if (!q)
			return false;
		if (number != ids_process) {
			at->task = threads_by_tid((uint32_t)number);
			if (at->task < 0)
				return false;
		}
	}
	at->rest = q;
	if (core_has_prefix(q, "/task/") && (q = read_number(q + 6, &number))) {
		int task = threads_by_tid((uint32_t)number);

		if (task < 0 && number == ids_process)
			task = 0;
		if (task >= 0) {
			at->task = task;
			at->rest = q;
		}
	}
	return true;
}

/* What a relative path may begin with, if it leads into /proc/PID. */
static bool may_be_inside(const char *path)
{
	return is_digit(*path) || core_has_prefix(path, "task") ||
	       core_has_prefix(path, "comm") || core_has_prefix(path, "stat") ||
	       core_has_prefix(path, "self") ||
	       core_has_prefix(path, "thread-self");
}

/* Write down the absolute path of what the call names, if it is below /proc. */
static bool find_path(const struct trap *t, int at, char *path)
{
	int64_t dirfd = at ? (int32_t)t->arg[0] : AT_FDCWD;
	char name[48];
	uint64_t c, n = 0;
	int64_t r;

	for (; n < PATH_BYTES; n++) {
		if (!sys_load8((void *)(uintptr_t)(t->arg[at] + n), &c))
			return false;
		path[n] = (char)c;
		if (!c)
			break;
		if (n == 5 && path[0] == '/' &&
		    !core_has_prefix(path, "/proc/"))
			return false;
	}
	if (n == PATH_BYTES)
		return false;
	if (path[0] == '/')
		return core_has_prefix(path, "/proc/");
	if (n >= PATH_BYTES / 2 || !may_be_inside(path))
		return false;
	if (dirfd == AT_FDCWD)
		runtime_format(name, sizeof(name), "/proc/self/cwd");
	else
		runtime_format(name, sizeof(name), "/proc/self/fd/%ld", dirfd);
	memmove(path + PATH_BYTES / 2, path, n + 1);
	r = sys_call3(__NR_readlink, name, path, PATH_BYTES / 2 - 1);
	if (r < 5)
		return false;
	path[r] = '/';
	memmove(path + r + 1, path + PATH_BYTES / 2, n + 1);
	return core_has_prefix(path, "/proc/");
}

/* ---------------------------------------------------------------- texts */

static char text[TEXT_BYTES];

/* The carrier's own file; NUL-terminated. Returns its length or -errno. */
static int64_t read_real(const char *path, char *out, size_t bytes)
{
	int64_t fd = sys_call3(__NR_open, path, O_RDONLY | O_CLOEXEC, 0), n;

	if (fd < 0)
		return fd;
	n = sys_call3(__NR_read, fd, out, bytes - 1);
	sys_call1(__NR_close, fd);
	if (n >= 0)
		out[n] = '\0';
	return n;
}

static uint32_t shown_task(const struct place *at)
{
	return at->task == PROCESS ? 0 : (uint32_t)at->task;
}

static char state_of(uint32_t task)
{
	return task == runtime_self() ? 'R' : 'S';
}

static size_t write_comm(const struct place *at, char *out)
{
	return runtime_format(out, TEXT_BYTES, "%s\n",
			      core_task(shown_task(at))->name);
}

/* proc(5): "pid (comm) state ppid ... num_threads[20] ..." */
static size_t write_stat(const struct place *at, char *out)
{
	uint32_t task = shown_task(at);
	char state[2] = { state_of(task), '\0' };
	const char *p = text;
	uint32_t field = 4;
	size_t n;

	for (const char *q = text; *q; q++)
		if (*q == ')')
			p = q + 1;
	if (*p == ' ' && p[1])
		p += 2;			/* the state */
	n = runtime_format(out, TEXT_BYTES, "%lu (%s) %s",
			   (unsigned long)core_task(task)->tid,
			   core_task(task)->name, state);
	while (*p == ' ' && n < TEXT_BYTES - 64) {
		if (field == 4)
			n += runtime_format(out + n, 32, " %ld",
					    (long)sys_call0(__NR_getppid));
		else if (field == 20)
			n += runtime_format(out + n, 32, " %lu", (unsigned long)
					    runtime_scheduler()->nr_live);
		else
			out[n++] = ' ';
		for (p++; *p && *p != ' '; p++)
			if (field != 4 && field != 20 && n < TEXT_BYTES - 64)
				out[n++] = *p;
		field++;
	}
	return n;
}

static size_t write_hex(char *out, uint64_t value)
{
	for (int i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
	out[16] = '\n';
	out[17] = '\0';
	return 17;
}

struct line {
	const char *name;
	enum { LINE_TEXT, LINE_NUMBER, LINE_SET } form;
	const char *text;
	uint64_t value;
};

static const struct line *find_line(const struct line *lines, size_t nr,
				    const char *at)
{
	for (size_t i = 0; i < nr; i++)
		if (core_has_prefix(at, lines[i].name))
			return &lines[i];
	return NULL;
}

static size_t write_line(char *out, const struct line *line)
{
	size_t n = runtime_format(out, 32, "%s\t", line->name);

	switch (line->form) {
	case LINE_TEXT:
		return n + runtime_format(out + n, 32, "%s\n", line->text);
	case LINE_NUMBER:
		return n + runtime_format(out + n, 32, "%lu\n",
					  (unsigned long)line->value);
	default:
		return n + write_hex(out + n, line->value);
	}
}

static size_t write_status(const struct place *at, char *out)
{
	uint32_t task = shown_task(at);
	const struct control_task *k = core_task(task);
	uint64_t ignored, caught;
	size_t n = 0;

	signals_dispositions(&ignored, &caught);
	const struct line lines[] = {
		{ "Name:", LINE_TEXT, k->name, 0 },
		{ "State:", LINE_TEXT,
		  task == runtime_self() ? "R (running)" : "S (sleeping)", 0 },
		{ "Tgid:", LINE_NUMBER, NULL, core_task(0)->tid },
		{ "Pid:", LINE_NUMBER, NULL, k->tid },
		{ "PPid:", LINE_NUMBER, NULL,
		  (uint64_t)sys_call0(__NR_getppid) },
		{ "Threads:", LINE_NUMBER, NULL, runtime_scheduler()->nr_live },
		{ "SigPnd:", LINE_SET, NULL, k->sigpending },
		{ "ShdPnd:", LINE_SET, NULL, signals_pending },
		{ "SigBlk:", LINE_SET, NULL, k->sigmask },
		{ "SigIgn:", LINE_SET, NULL, ignored },
		{ "SigCgt:", LINE_SET, NULL, caught },
		{ "NoNewPrivs:", LINE_NUMBER, NULL,
		  seccomp_has_no_new_privs(task) },
		{ "Seccomp:", LINE_NUMBER, NULL, seccomp_mode(task) },
		{ "Seccomp_filters:", LINE_NUMBER, NULL,
		  seccomp_nr_filters(task) },
	};

	for (const char *p = text; *p && n < TEXT_BYTES - 128;) {
		const struct line *line =
			find_line(lines, sizeof(lines) / sizeof(*lines), p);

		if (line)
			n += write_line(out + n, line);
		for (; *p && *p != '\n'; p++)
			if (!line && n < TEXT_BYTES - 128)
				out[n++] = *p;
		if (*p) {
			p++;
			if (!line)
				out[n++] = '\n';
		}
	}
	return n;
}

static const struct {
	const char *rest, *real;
	size_t (*write)(const struct place *at, char *out);
} made[] = {
	{ "/comm", NULL, write_comm },
	{ "/stat", "/proc/thread-self/stat", write_stat },
	{ "/status", "/proc/thread-self/status", write_status },
};

/* ----------------------------------------------------------------- calls */

static uint64_t open_flags(const struct trap *t)
{
	return t->arg[t->nr == __NR_openat ? 2 : 1];
}

static bool is_open(const struct trap *t)
{
	return t->nr == __NR_open || t->nr == __NR_openat;
}

/* A file in memory with the text, at its beginning. Returns it or -errno. */
static int64_t open_text(const char *out, size_t bytes, uint64_t flags)
{
	int64_t fd = sys_call2(__NR_memfd_create, "proc",
			       flags & O_CLOEXEC ? 1 /* MFD_CLOEXEC */ : 0);

	if (fd < 0)
		return fd;
	sys_call3(__NR_write, fd, out, bytes);
	sys_call3(__NR_lseek, fd, 0, 0);
	return fd;
}

/* Returns whether it is a file that is made here; then *r is the result. */
static bool open_made(const struct trap *t, const struct place *at, int64_t *r)
{
	static char out[TEXT_BYTES];
	uint64_t flags = open_flags(t);

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		if (!core_streq(at->rest, made[i].rest))
			continue;
		if (flags & OPENS_DIRECTORY ||
		    (made[i].real && flags & ACCESS_MODE))
			return false;
		if (made[i].real && read_real(made[i].real, text,
					      sizeof(text)) < 0)
			return false;
		*r = open_text(out, made[i].write(at, out), flags);
		files_set_kind(*r, made[i].real ? FILES_REGULAR : FILES_NAME,
			       shown_task(at));
		return true;
	}
	return false;
}

static int64_t copy_link(const struct trap *t, int at, const char *link)
{
	uint64_t bytes = core_strlen(link), room = t->arg[at + 2];

	if (!(int32_t)room || (int32_t)room < 0)
		return -EINVAL;
	if (bytes > room)
		bytes = room;
	return sys_copy_out(t->arg[at + 1], link, bytes) ? (int64_t)bytes
							 : -EFAULT;
}

/* The links that say who is asking. */
static bool read_own_link(const struct trap *t, int at, const char *path,
			  int64_t *r)
{
	char link[48];

	if (t->nr != __NR_readlink && t->nr != __NR_readlinkat)
		return false;
	if (core_streq(path, "/proc/self"))
		runtime_format(link, sizeof(link), "%lu",
			       (unsigned long)core_task(0)->tid);
	else if (core_streq(path, "/proc/thread-self"))
		runtime_format(link, sizeof(link), "%lu/task/%lu",
			       (unsigned long)core_task(0)->tid,
			       (unsigned long)core_self()->tid);
	else
		return false;
	*r = copy_link(t, at, link);
	return true;
}

/* Index of the argument that is the path; before it is a directory. */
static int path_arg(int64_t nr)
{
	switch (nr) {
	case __NR_openat:
	case __NR_newfstatat:
	case __NR_statx:
	case __NR_faccessat:
	case 439 /* faccessat2 */:
	case __NR_readlinkat:
		return 1;
	case __NR_open:
	case __NR_stat:
	case __NR_lstat:
	case __NR_access:
	case __NR_readlink:
	case __NR_chdir:
		return 0;
	default:
		return -1;
	}
}

bool proc_enter(struct trap *t, int64_t *r)
{
	static char path[PATH_BYTES], real[PATH_BYTES + 32];
	int arg = path_arg(t->nr);
	struct place at;
	bool is_list;

	if (arg < 0 || !find_path(t, arg, path) || !parse(path, &at))
		return false;
	if (read_own_link(t, arg, path, r) ||
	    (is_open(t) && open_made(t, &at, r)))
		return true;
	if (core_streq(path, "/proc/self") ||
	    core_streq(path, "/proc/thread-self"))
		return false;	/* the links themselves */
	runtime_format(real, sizeof(real), "/proc/%s%s",
		       at.task == PROCESS ? "self" : "thread-self",
		       at.rest[0] ? at.rest : "/.");
	t->arg[arg] = (uintptr_t)real;
	is_list = core_streq(at.rest, "/task") || core_streq(at.rest, "/task/");
	if (!is_open(t) || !is_list)
		return false;
	*r = trap_pass(t);
	files_set_kind(*r, FILES_TASKS, 0);
	return true;
}

/* ------------------------------------------------------------- the list */

struct entry64 {		/* struct linux_dirent64 */
	uint64_t ino;
	int64_t next;
	uint16_t bytes;
	uint8_t type;
	char name[13];
};
static_assert(sizeof(struct entry64) == 32, "names fit");

/* The entry at a position of the list; 0: behind its end. */
static uint64_t make_entry(uint64_t position, struct entry64 *e)
{
	const struct scheduler *s = runtime_scheduler();
	uint64_t bytes;

	if (position >= s->nr_live + 2)
		return 0;
	memset(e, 0, sizeof(*e));
	e->ino = position + 1;
	e->next = (int64_t)position + 1;
	e->type = 4;		/* DT_DIR */
	if (position < 2)
		bytes = runtime_format(e->name, sizeof(e->name), "%s",
				       position ? ".." : ".");
	else
		bytes = runtime_format(e->name, sizeof(e->name), "%lu",
				       (unsigned long)
				       core_task(s->live[position - 2])->tid);
	bytes = CORE_ALIGN_UP(offsetof(struct entry64, name) + bytes + 1, 8);
	e->bytes = (uint16_t)bytes;
	return bytes;
}

static int64_t list_tasks(const struct trap *t)
{
	int64_t position =
		sys_call3(__NR_lseek, t->arg[0], 0, 1 /* SEEK_CUR */);
	uint64_t done = 0, bytes;
	struct entry64 e;

	if (position < 0)
		return position;
	while ((bytes = make_entry((uint64_t)position, &e))) {
		if (done + bytes > (uint32_t)t->arg[2]) {
			if (!done)
				return -EINVAL;
			break;
		}
		if (!sys_copy_out(t->arg[1] + done, &e, bytes))
			return -EFAULT;
		done += bytes;
		position++;
	}
	sys_call3(__NR_lseek, t->arg[0], position, 0);
	return (int64_t)done;
}

/* A thread's name is written as one piece; a newline ends it. */
static int64_t take_name(const struct trap *t, uint32_t task)
{
	char name[16] = { 0 };
	uint64_t bytes = t->arg[2] < 15 ? t->arg[2] : 15;

	if (!sys_copy_in(name, t->arg[1], bytes))
		return -EFAULT;
	for (int i = 0; i < 15; i++)
		if (name[i] == '\n')
			memset(name + i, 0, sizeof(name) - (size_t)i);
	if (runtime_scheduler()->task[task].state == SCHED_TASK_ALIVE)
		threads_set_name(task, name);
	return (int64_t)t->arg[2];
}

bool proc_call(struct trap *t, enum files_kind kind, uint32_t id, int64_t *r)
{
	if (kind == FILES_TASKS && t->nr == __NR_getdents64)
		*r = list_tasks(t);
	else if (kind == FILES_NAME && t->nr == __NR_write)
		*r = take_name(t, id);
	else
		return false;
	return true;
}
