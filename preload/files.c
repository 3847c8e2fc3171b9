/* SPDX-License-Identifier: MIT */
/*
 * files.c - system calls that may block on a descriptor.
 *
 * The call itself must never stop the carrier. A task announces it and is
 * enabled while poll(2) says that the descriptor is ready; when it is picked
 * the call is made and does not block. When nobody else can run, the runtime
 * waits in poll for real.
 */
#include "preload/access.h"
#include "preload/files.h"

#include <linux/errno.h>
#include <linux/poll.h>

#define NONBLOCK_FLAG 04000
#define DONTWAIT_FLAG 0x40
#define MAX_REAL_WAIT 64
#define NR_TRACKED 1024
#define CHILD_PATIENCE_NS 256000000ull

enum wait_kind {
	WAIT_NONE, WAIT_FD, WAIT_POLL, WAIT_SELECT, WAIT_CHILD, WAIT_FUTEX
};

/* What each task waits for; private memory, one entry a task. */
struct wait {
	uint32_t kind;
	int32_t fd;
	uint32_t events;
	uint64_t arg[4];
};

static struct wait waits[SCHED_MAX_TASKS];
uint32_t files_nr_waits;
/* By descriptor: enum files_kind, and the number of the pipe it is of. */
static struct {
	uint16_t id;
	uint8_t kind;
} known[NR_TRACKED] = {
	[1] = { .kind = FILES_OUTPUT }, [2] = { .kind = FILES_OUTPUT },
};
static uint32_t nr_inside;
/* A descriptor of something inside may go by a number that is not known. */
static bool has_lost_track;
static uint32_t nr_outside;	/* sockets, timers, ... opened */

enum files_kind files_kind_of(uint64_t fd)
{
	enum files_kind kind;

	if ((uint32_t)fd >= NR_TRACKED)
		return FILES_OTHER;
	kind = (enum files_kind)known[(uint32_t)fd].kind;
	if (kind == FILES_INSIDE &&
	    (runtime_control->counters.forks || has_lost_track))
		return FILES_OTHER;
	return kind;
}

uint32_t files_inside_id(uint64_t fd)
{
	return known[(uint32_t)fd].id;
}

static bool is_internal(int fd)
{
	return files_kind_of((uint64_t)fd) == FILES_INSIDE;
}

static void set_kind(int64_t fd, enum files_kind kind, uint32_t id)
{
	if (fd < 0)
		return;
	if (fd < NR_TRACKED) {
		known[fd].kind = (uint8_t)kind;
		known[fd].id = (uint16_t)id;
	} else if (kind == FILES_INSIDE) {
		has_lost_track = true;
	}
}

void files_set_kind(int64_t fd, enum files_kind kind, uint32_t id)
{
	set_kind(fd, kind, id);
}

static void copy_kind(int64_t to, uint64_t from)
{
	if ((uint32_t)from >= NR_TRACKED)
		set_kind(to, FILES_OTHER, 0);
	else
		set_kind(to, (enum files_kind)known[(uint32_t)from].kind,
			 known[(uint32_t)from].id);
}

void files_reset(void)
{
	files_nr_waits = 0;
}

/* ----------------------------------------------------------- readiness */

static bool poll_fd(int fd, uint32_t events)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	return sys_call3(__NR_poll, &p, 1, 0) != 0;
}

static bool is_ready_select(const struct wait *w)
{
	uint64_t set[3][16], zero[2] = { 0, 0 };
	uint64_t bytes = ((w->arg[0] & 1023) + 7) / 8;

	for (int i = 0; i < 3; i++)
		if (w->arg[i + 1] &&
		    !sys_copy_in(set[i], w->arg[i + 1],
				 CORE_ALIGN_UP(bytes, 8)))
			return true;	/* EFAULT */
	return sys_call6(__NR_pselect6, w->arg[0],
			 w->arg[1] ? SYS_ARG(set[0]) : 0,
			 w->arg[2] ? SYS_ARG(set[1]) : 0,
			 w->arg[3] ? SYS_ARG(set[2]) : 0, SYS_ARG(zero), 0) != 0;
}

static bool is_ready_child(const struct wait *w)
{
	int32_t info[32] = { 0 };	/* siginfo_t; si_pid is [3] or [4] */
	int64_t r;

	r = sys_call5(__NR_waitid, w->arg[0], w->arg[1], info,
		      w->arg[2] | 1 | 0x01000000 /* WNOHANG | WNOWAIT */, 0);
	return r < 0 || info[4];
}

/* Another process changed the word, and perhaps woke us in vain. */
static bool is_ready_futex(uint32_t t, const struct wait *w)
{
	uint32_t value;

	if (sys_load32((void *)(uintptr_t)w->arg[0], &value) &&
	    value == (uint32_t)w->arg[1])
		return false;
	scheduler_unwait(runtime_scheduler(), t, SCHED_WAKE_WOKEN);
	return true;
}

static bool is_ready(uint32_t t, const struct wait *w)
{
	if (signals_would_interrupt(t))
		return true;
	switch (w->kind) {
	case WAIT_FD:
		return poll_fd(w->fd, w->events);
	case WAIT_POLL:
		return sys_call3(__NR_poll, w->arg[0], w->arg[1], 0) != 0;
	case WAIT_SELECT:
		return is_ready_select(w);
	case WAIT_CHILD:
		return is_ready_child(w);
	case WAIT_FUTEX:
		return is_ready_futex(t, w);
	default:
		return false;
	}
}

static bool refresh_all(void)
{
	struct scheduler *s = runtime_scheduler();
	bool any = false;

	for (uint32_t i = 0; i < s->nr_live; i++) {
		uint32_t t = s->live[i];
		struct sched_task *task = scheduler_task(s, t);
		bool ready;

		if (task->op.kind == EXPLORE_OP_SIGNAL_WAIT)
			ready = signals_has(t, core_task(t)->wait_set) ||
				signals_would_interrupt(t);
		else if (waits[t].kind)
			ready = is_ready(t, &waits[t]);
		else
			continue;
		if (ready)
			task->flags |= SCHED_TASK_READY;
		else
			task->flags &= (uint16_t)~SCHED_TASK_READY;
		any |= ready;
	}
	return any;
}

/* Sleep until one of the awaited descriptors is ready, a signal, or time. */
static void wait_really(uint64_t wait_ns)
{
	struct scheduler *s = runtime_scheduler();
	struct pollfd p[MAX_REAL_WAIT];
	uint64_t time[2] = { wait_ns / 1000000000ull, wait_ns % 1000000000ull };
	uint32_t nr = 0;

	for (uint32_t i = 0; i < s->nr_live && nr < MAX_REAL_WAIT; i++) {
		const struct wait *w = &waits[s->live[i]];

		if (w->kind == WAIT_FD) {
			p[nr].fd = w->fd;
			p[nr++].events = (short)w->events;
		} else if (w->kind) {
			/* Look again soon; these have no single descriptor. */
			if (time[0] || time[1] > 1000000) {
				time[0] = 0;
				time[1] = 1000000;
			}
		}
	}
	sys_call5(__NR_ppoll, p, nr, time, 0, 8);
}

bool files_look(uint64_t wait_ns)
{
	bool any = refresh_all();

	if (any || !wait_ns)
		return any;
	wait_really(wait_ns);
	return refresh_all();
}

/* ---------------------------------------------------------- the waiting */

/*
 * Announce the call in `t` and stop until what `w` says is ready. Returns 1
 * when the deadline came first, 0 when ready, -EINTR after a signal.
 */
static int64_t wait_for(struct trap *t, const struct wait *w, uint16_t kind,
			uint32_t object, bool is_external, uint64_t deadline)
{
	struct scheduler *s = runtime_scheduler();
	struct sched_task *self = runtime_self_task();
	uint32_t id = s->current;
	struct runtime_op op = {
		.kind = kind,
		.flags = EXPLORE_OP_F_BLOCKING,
		.object = object,
		.pc = t->site,
		.deadline_ns = deadline,
	};
	bool timed_out;

	waits[id] = *w;
	files_nr_waits++;
	core_announce(&op);
	if (is_external)
		self->flags |= SCHED_TASK_EXTERNAL;
	core_enter();
	timed_out = self->op.flags & EXPLORE_OP_F_TIMEOUT;
	waits[id].kind = WAIT_NONE;
	files_nr_waits--;
	if (self->flags & SCHED_TASK_INTERRUPTED || signals_are_due()) {
		self->flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
		if (!is_ready(id, w) || signals_are_due())
			return -EINTR;
	}
	return timed_out;
}

void files_watch_word(uint32_t t, uint64_t addr, uint32_t value)
{
	waits[t] = (struct wait){ .kind = WAIT_FUTEX, .arg = { addr, value } };
	files_nr_waits++;
}

void files_unwatch_word(uint32_t t)
{
	waits[t].kind = WAIT_NONE;
	files_nr_waits--;
}

static uint32_t fd_object(const struct trap *t, uint64_t fd)
{
	return runtime_object(SCHED_CLASS_FD, (void *)(uintptr_t)(uint32_t)fd,
			      t->site);
}

static bool is_nonblocking_call(const struct trap *t)
{
	switch (t->nr) {
	case __NR_recvfrom:
	case __NR_sendto:
	case __NR_recvmmsg:
	case __NR_sendmmsg:
		return t->arg[3] & DONTWAIT_FLAG;
	case __NR_recvmsg:
	case __NR_sendmsg:
		return t->arg[2] & DONTWAIT_FLAG;
	default:
		return false;
	}
}

/* A call without its own way to block: only the order matters. */
static int64_t pass_in_order(struct trap *t, uint64_t fd)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_SYSCALL,
		.object = fd_object(t, fd),
		.pc = t->site,
	};

	core_point(&op);
	return trap_pass(t);
}

static bool has_control(const struct trap *t)
{
	uint64_t bytes;		/* struct msghdr: msg_controllen is [5] */

	return !sys_load64((const uint64_t *)(uintptr_t)t->arg[1] + 5, &bytes) ||
	       bytes;
}

int64_t files_trap(struct trap *t)
{
	const struct trap_entry *e = trap_entry(t->nr);
	uint64_t fd = t->arg[e->fd_arg - 1];
	struct wait w = { .kind = WAIT_FD, .fd = (int32_t)fd };
	int64_t flags, r;

	w.events = e->wait == FILES_WAIT_OUT ? POLLOUT : POLLIN;
	/* What is printed goes to the tool; its order is nobody's input. */
	if (e->wait == FILES_WAIT_OUT && files_kind_of(fd) == FILES_OUTPUT)
		return trap_pass(t);
	/* Descriptors that go through a socket come out with any number. */
	if (t->nr == __NR_sendmsg && has_control(t))
		has_lost_track = true;
	flags = sys_call3(__NR_fcntl, fd, 3 /* F_GETFL */, 0);
	if (flags < 0 || flags & NONBLOCK_FLAG || !e->wait ||
	    is_nonblocking_call(t)) {
		r = pass_in_order(t, fd);
		if (r == -EAGAIN && e->wait == FILES_WAIT_OUT)
			order_note_full();
		return r;
	}
	if (e->wait == FILES_WAIT_OUT && !poll_fd((int)fd, POLLOUT))
		order_note_full();
	r = wait_for(t, &w, EXPLORE_OP_SYSCALL, fd_object(t, fd),
		     !is_internal((int)fd), 0);
	if (r < 0)
		return r;
	if (t->nr == __NR_read && !is_internal((int)fd) &&
	    inputs_is_outside((int)fd))
		return inputs_read(t);
	return trap_pass(t);
}

/* ------------------------------------------------ poll, select, epoll */

static uint64_t deadline_of_ms(int64_t ms)
{
	if (ms < 0)
		return 0;
	return runtime_scheduler()->now_ns + 1 + (uint64_t)ms * 1000000ull;
}

/* *deadline = 0 without a limit. Returns 0 or -errno. */
static int64_t deadline_of_parts(uint64_t from, uint64_t unit_ns,
				 uint64_t *deadline)
{
	int64_t ts[2];

	*deadline = 0;
	if (!from)
		return 0;
	if (!sys_copy_in(ts, from, sizeof(ts)))
		return -EFAULT;
	if (ts[0] < 0 || ts[1] < 0 ||
	    (unit_ns == 1 && ts[1] >= 1000000000))
		return -EINVAL;
	*deadline = runtime_scheduler()->now_ns + 1 +
		    (uint64_t)ts[0] * 1000000000ull + (uint64_t)ts[1] * unit_ns;
	return 0;
}

/* A mask given for the duration of the call (ppoll, pselect, epoll_pwait). */
static int64_t swap_mask(uint64_t set, uint64_t bytes)
{
	struct control_task *k = core_self();
	uint64_t mask;

	if (!set)
		return 0;
	if (bytes != sizeof(mask))
		return -EINVAL;
	if (!sys_load64((const void *)(uintptr_t)set, &mask))
		return -EFAULT;
	k->saved_mask = k->sigmask;
	k->has_saved_mask = 1;
	k->sigmask = mask & ~(SIGNALS_BIT(SIGKILL) | SIGNALS_BIT(SIGSTOP));
	return 0;
}

static int64_t restore_mask(int64_t result)
{
	struct control_task *k = core_self();

	if (k->has_saved_mask && result != -EINTR) {
		k->sigmask = k->saved_mask;
		k->has_saved_mask = 0;
	}
	return result;
}

static int64_t poll_until(struct trap *t, uint64_t deadline)
{
	struct pollfd first = { .fd = -1 }, p;
	struct wait w = { .kind = WAIT_POLL, .arg = { t->arg[0], t->arg[1] } };
	bool is_external = false;
	int64_t r;

	/* The kernel knows how many there may be. */
	r = sys_call3(__NR_poll, t->arg[0], t->arg[1], 0);
	if (r < 0)
		return r;
	for (uint64_t i = 0; i < t->arg[1]; i++) {
		if (!sys_copy_in(&p, t->arg[0] + i * sizeof(p), sizeof(p)))
			return -EFAULT;
		if (!i)
			first = p;
		if (p.fd >= 0 && !is_internal(p.fd))
			is_external = true;
	}
	r = wait_for(t, &w, EXPLORE_OP_SYSCALL,
		     t->arg[1] ? fd_object(t, (uint64_t)first.fd) : 0,
		     is_external, deadline);
	if (r < 0)
		return r;
	return sys_call3(__NR_poll, t->arg[0], t->arg[1], 0);
}

int64_t files_poll(struct trap *t)
{
	return poll_until(t, deadline_of_ms((int32_t)t->arg[2]));
}

int64_t files_ppoll(struct trap *t)
{
	uint64_t deadline;
	int64_t r = deadline_of_parts(t->arg[2], 1, &deadline);

	if (!r)
		r = swap_mask(t->arg[3], t->arg[4]);
	return r ? r : restore_mask(poll_until(t, deadline));
}

static int64_t select_until(struct trap *t, uint64_t deadline)
{
	struct wait w = { .kind = WAIT_SELECT, .arg = { t->arg[0], t->arg[1],
							t->arg[2], t->arg[3] } };
	uint64_t zero[2] = { 0, 0 };
	int64_t r;

	r = wait_for(t, &w, EXPLORE_OP_SYSCALL, 0,
		     t->arg[0] && (nr_outside ||
				   runtime_control->counters.forks),
		     deadline);
	if (r < 0)
		return r;
	return sys_call6(__NR_pselect6, t->arg[0], t->arg[1], t->arg[2],
			 t->arg[3], SYS_ARG(zero), 0);
}

int64_t files_select(struct trap *t)
{
	uint64_t deadline;
	int64_t r = deadline_of_parts(t->arg[4], 1000, &deadline);

	return r ? r : select_until(t, deadline);
}

int64_t files_pselect(struct trap *t)
{
	uint64_t deadline, mask[2] = { 0, 0 };
	int64_t r;

	if (t->arg[5] && !sys_copy_in(mask, t->arg[5], sizeof(mask)))
		return -EFAULT;
	r = deadline_of_parts(t->arg[4], 1, &deadline);
	if (!r)
		r = swap_mask(mask[0], mask[1]);
	return r ? r : restore_mask(select_until(t, deadline));
}

static int64_t epoll_until(struct trap *t, uint64_t deadline)
{
	struct wait w = { .kind = WAIT_FD, .fd = (int32_t)t->arg[0],
			  .events = POLLIN };
	int64_t r;

	r = wait_for(t, &w, EXPLORE_OP_SYSCALL, fd_object(t, t->arg[0]),
		     nr_outside || runtime_control->counters.forks, deadline);
	if (r < 0)
		return r;
	return sys_call4(__NR_epoll_wait, t->arg[0], t->arg[1], t->arg[2], 0);
}

int64_t files_epoll_wait(struct trap *t)
{
	return epoll_until(t, deadline_of_ms((int32_t)t->arg[3]));
}

int64_t files_epoll_pwait(struct trap *t)
{
	uint64_t deadline;
	int64_t r = 0;

	if (t->nr == __NR_epoll_pwait)
		deadline = deadline_of_ms((int32_t)t->arg[3]);
	else
		r = deadline_of_parts(t->arg[3], 1, &deadline);
	if (!r)
		r = swap_mask(t->arg[4], t->arg[5]);
	return r ? r : restore_mask(epoll_until(t, deadline));
}

/* ------------------------------------------------------------- children */

/*
 * Most children end by themselves and soon, and when exactly is no business of
 * the schedule: give it time to. One that needs us is not waited for again and
 * again.
 */
static void give_child_time(const struct wait *w)
{
	struct control *c = runtime_control;
	uint64_t slice[2] = { 0, 200000 };
	uint64_t end = time_real_ns();

	end += c->nr_slow_children < 8 ?
	       CHILD_PATIENCE_NS >> c->nr_slow_children : 0;
	while (!is_ready_child(w)) {
		if (time_real_ns() >= end) {
			c->nr_slow_children++;
			return;
		}
		sys_call5(__NR_ppoll, 0, 0, slice, 0, 8);
	}
}

int64_t files_wait_child(struct trap *t, uint64_t idtype, uint64_t id,
			 uint64_t options)
{
	struct wait w = { .kind = WAIT_CHILD,
			  .arg = { idtype, id, options & ~1ull } };

	give_child_time(&w);
	return wait_for(t, &w, EXPLORE_OP_CHILD_WAIT,
			runtime_object(SCHED_CLASS_CHILD, NULL, t->site), true,
			0);
}

/* --------------------------------------------------------------- others */

/* Make it non-blocking and try again after the others had a chance. */
static int64_t retry(struct trap *t)
{
	int64_t r;

	for (;;) {
		r = pass_in_order(t, t->arg[0]);
		if (r != -EAGAIN)
			return r;
		threads_yield(t);
	}
}

int64_t files_flock(struct trap *t)
{
	if (t->arg[1] & 4)	/* LOCK_NB */
		return pass_in_order(t, t->arg[0]);
	t->arg[1] |= 4;
	return retry(t);
}

int64_t files_fcntl(struct trap *t)
{
	int64_t r;

	switch (t->arg[1]) {
	case 38:		/* F_OFD_SETLKW */
		t->arg[1] = 37;	/* F_OFD_SETLK */
		return retry(t);
	case 0:			/* F_DUPFD */
	case 1030:		/* F_DUPFD_CLOEXEC */
		r = trap_pass(t);
		copy_kind(r, t->arg[0]);
		return r;
	default:
		return trap_pass(t);
	}
}

/* Calls that make a pair of descriptors in arg[i]. */
int64_t files_make_pair(struct trap *t)
{
	const int32_t *fd = (const void *)(uintptr_t)
		t->arg[t->nr == __NR_socketpair ? 3 : 0];
	int64_t r = trap_pass(t);

	if (r == 0) {
		nr_inside++;
		set_kind(fd[0], FILES_INSIDE, nr_inside);
		set_kind(fd[1], FILES_INSIDE, nr_inside);
	}
	return r;
}

int64_t files_make_internal(struct trap *t)
{
	int64_t r = trap_pass(t);

	set_kind(r, FILES_INSIDE, ++nr_inside);
	return r;
}

int64_t files_make_outside(struct trap *t)
{
	int64_t r = trap_pass(t);

	set_kind(r, FILES_OTHER, 0);
	if (r >= 0)
		nr_outside++;
	return r;
}

int64_t files_dup(struct trap *t)
{
	int64_t r = trap_pass(t);

	copy_kind(r, t->arg[0]);
	return r;
}

int64_t files_close(struct trap *t)
{
	set_kind((int32_t)t->arg[0], FILES_OTHER, 0);
	return trap_pass(t);
}

int64_t files_close_range(struct trap *t)
{
	for (uint64_t fd = (uint32_t)t->arg[0];
	     fd < NR_TRACKED && fd <= (uint32_t)t->arg[1]; fd++)
		set_kind((int64_t)fd, FILES_OTHER, 0);
	return trap_pass(t);
}

/* /proc/self/fd/N, /dev/fd/N: a pipe from inside by another number. */
static bool is_descriptor_path(const char *path)
{
	for (; *path; path++)
		if (core_has_prefix(path, "/fd/"))
			return true;
	return false;
}

int64_t files_open(struct trap *t)
{
	const char *path = (const void *)(uintptr_t)
		t->arg[t->nr == __NR_openat ? 1 : 0];
	int64_t r = trap_pass(t);

	if (r < 0)	/* as it is for a path that cannot be read */
		return r;
	if (is_descriptor_path(path))
		has_lost_track = true;
	set_kind(r, inputs_is_file((int)r) ? FILES_REGULAR : FILES_OTHER, 0);
	return r;
}

/* --------------------------------------------------------------- memory */

/* Where the kernel gives out memory, nothing has happened yet. */

int64_t files_brk(struct trap *t)
{
	static uint64_t end;
	uint64_t was = end;

	end = (uint64_t)trap_pass(t);
	if (was && end > was)
		order_new_memory(was, end - was);
	return (int64_t)end;
}

int64_t files_mremap(struct trap *t)
{
	uint64_t old = t->arg[0], old_bytes = t->arg[1], bytes = t->arg[2];
	int64_t r = access_munmap(t);

	if (r < 0 && r > -4096)
		return r;
	if ((uint64_t)r != old)
		order_new_memory((uint64_t)r, bytes);
	else if (bytes > old_bytes)
		order_new_memory(old + old_bytes, bytes - old_bytes);
	return r;
}

int64_t files_shmat(struct trap *t)
{
	uint64_t info[16] = { 0 };	/* struct shmid_ds: shm_segsz is [6] */
	int64_t r = trap_pass(t);

	if (r < 0 && r > -4096)
		return r;
	if (!sys_call3(__NR_shmctl, t->arg[0], 2 /* IPC_STAT */, info))
		order_new_memory((uint64_t)r, info[6]);
	return r;
}

int64_t files_mmap(struct trap *t)
{
	bool is_file = (int32_t)t->arg[4] >= 0 && !(t->arg[3] & 0x20);
	/* In the place of what was there. */
	int64_t r = t->arg[3] & 0x10 /* MAP_FIXED */ ? access_munmap(t)
						     : trap_pass(t);

	if (r < 0 && r > -4096)
		return r;
	order_new_memory((uint64_t)r, t->arg[1]);
	if (t->arg[3] & 1 && t->arg[2] & 2 && is_file)
		runtime_control->counters.shared_maps++;
	if (t->arg[2] & 4 && is_file)
		modules_add_mapping((uint64_t)r, t->arg[1], (int)t->arg[4],
				    t->arg[5]);
	return r;
}
