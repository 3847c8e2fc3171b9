/* SPDX-License-Identifier: MIT */
/*
 * files.c - system calls that may block on a descriptor.
 *
 * The call itself must never stop the carrier. A task announces it and is
 * enabled while poll(2) says that the descriptor is ready; when it is picked
 * the call is made and does not block. When nobody else can run, the runtime
 * waits in poll for real.
 */
#include "preload/memory/access.h"
#include "preload/kernel/files.h"
#include "preload/kernel/syscall_numbers.h"
#include "preload/kernel/virtuals.h"
#include "scheduler/objects.h"

#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#define NONBLOCK_FLAG 04000
#define DONTWAIT_FLAG 0x40
#define LOCK_NB_FLAG 4
#define MAX_REAL_WAIT 64
#define NR_TRACKED 1024
#define NS_PER_S 1000000000ull
#define SOON_NS 1000000ull
#define MAX_SECONDS 9000000000ull
#define CHILD_PATIENCE_NS 256000000ull

/* What each task waits for; private memory, one entry a task. */
static struct files_wait_for waits[SCHED_MAX_TASKS];
uint32_t files_nr_waits;
uint64_t files_changes;
/*
 * By descriptor: enum files_kind, the number of the pipe it is of, and once
 * somebody has asked, its type.
 */
static struct {
	uint16_t id;
	uint8_t kind;
	uint8_t type;		/* st_mode >> 12, + 1; 0: not known */
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

uint32_t files_type_of(uint64_t fd)
{
	uint32_t n = (uint32_t)fd, type;

	if (n < NR_TRACKED && known[n].type)
		return known[n].type - 1u;
	type = inputs_type_of((int)n);
	if (n < NR_TRACKED && type != FILES_NO_TYPE)
		known[n].type = (uint8_t)(type + 1);
	return type;
}

static void set_kind(int64_t fd, enum files_kind kind, uint32_t id)
{
	if (fd < 0)
		return;
	if (virtuals_nr)
		virtuals_forget((uint32_t)fd, (uint32_t)fd);
	if (fd < NR_TRACKED) {
		known[fd].kind = (uint8_t)kind;
		known[fd].id = (uint16_t)id;
		known[fd].type = 0;
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
	if (to == (int32_t)from)
		return;
	if ((uint32_t)from >= NR_TRACKED)
		set_kind(to, FILES_OTHER, 0);
	else
		set_kind(to, (enum files_kind)known[(uint32_t)from].kind,
			 known[(uint32_t)from].id);
	if (virtuals_nr)
		virtuals_copy(to, from);
}

void files_note_inside(int64_t fd)
{
	set_kind(fd, FILES_INSIDE, ++nr_inside);
}

void files_note_inside_as(int64_t fd, uint32_t id)
{
	set_kind(fd, FILES_INSIDE, id);
}

void files_copy_kind(int64_t to, uint64_t from)
{
	copy_kind(to, from);
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

#define SELECT_BATCH 16

/* By set, what select(2) waits for, and what it takes for that. */
static const struct {
	uint16_t wanted, taken;
} select_events[3] = {
	{ POLLIN | POLLRDNORM | POLLRDBAND,
	  POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL },
	{ POLLOUT | POLLWRNORM | POLLWRBAND,
	  POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL },
	{ POLLPRI, POLLPRI | POLLNVAL },
};

static bool is_any_ready(struct pollfd *p, uint32_t nr, uint32_t set)
{
	if (!nr || sys_call3(__NR_poll, p, nr, 0) <= 0)
		return false;
	for (uint32_t i = 0; i < nr; i++)
		if (p[i].revents & select_events[set].taken)
			return true;
	return false;
}

/* What cannot be read is ready: the call will say what is wrong. */
static bool is_ready_set(const struct files_wait_for *w, uint32_t set)
{
	const uint64_t *words = (const void *)(uintptr_t)w->arg[1 + set];
	struct pollfd p[SELECT_BATCH];
	uint64_t word = 0;
	uint32_t nr = 0;

	for (uint32_t fd = 0; words && fd < w->arg[0]; fd++) {
		if (fd % 64 == 0 && !sys_load64(words + fd / 64, &word))
			return true;
		if (!word) {
			fd |= 63;
			continue;
		}
		if (!(word >> fd % 64 & 1))
			continue;
		p[nr++] = (struct pollfd){
			.fd = (int)fd,
			.events = (short)select_events[set].wanted,
		};
		if (nr == SELECT_BATCH) {
			if (is_any_ready(p, nr, set))
				return true;
			nr = 0;
		}
	}
	return is_any_ready(p, nr, set);
}

static bool is_ready_select(const struct files_wait_for *w)
{
	return is_ready_set(w, 0) || is_ready_set(w, 1) || is_ready_set(w, 2);
}

static bool is_ready_child(const struct files_wait_for *w)
{
	int32_t info[32] = { 0 };	/* siginfo_t; si_pid is [3] or [4] */
	int64_t r;

	r = sys_call5(__NR_waitid, w->arg[0], w->arg[1], info,
		      w->arg[2] | 1 | 0x01000000 /* WNOHANG | WNOWAIT */, 0);
	return r < 0 || info[4];
}

/* Another process changed the word, and perhaps woke us in vain. */
static bool is_ready_futex(uint32_t t, const struct files_wait_for *w)
{
	uint32_t value;

	if (sys_load32((void *)(uintptr_t)w->arg[0], &value) &&
	    value == (uint32_t)w->arg[1])
		return false;
	scheduler_unwait(runtime_scheduler(), t, SCHED_WAKE_WOKEN);
	return true;
}

static bool is_ready(uint32_t t, const struct files_wait_for *w)
{
	(void)t;
	if (w->has_result)
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
	case WAIT_QUERY:
		return w->is_ready(w);
	case WAIT_CHANGE:
		return w->arg[0] != files_changes;
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

		if (virtuals_nr && waits[t].kind)
			virtuals_show(t);
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

/*
 * Nobody else can run. A call that waits for a change that nobody here makes is
 * tried over and over, as the kernel would do it when another process makes it.
 */
static void try_calls(void)
{
	struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++) {
		struct files_wait_for *w = &waits[s->live[i]];

		if (w->kind != WAIT_CHANGE || w->has_result)
			continue;
		w->result = w->attempt(w->trap);
		w->has_result = w->result != -EAGAIN;
	}
}

/* ---------------------------------------------- words that others may wake */

#define MAX_WORDS 32
#define WORD_OF_32_BITS 2	/* FUTEX_32 */
#define MONOTONIC 1

/* The kernel's struct futex_waitv. */
struct word {
	uint64_t value, addr;
	uint32_t flags, reserved;
};

static uint32_t find_words(struct word *word)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t nr = 0;

	for (uint32_t i = 0; i < s->nr_live && nr < MAX_WORDS; i++) {
		const struct files_wait_for *w = &waits[s->live[i]];

		if (w->kind == WAIT_FUTEX)
			word[nr++] = (struct word){
				.addr = w->arg[0],
				.value = (uint32_t)w->arg[1],
				.flags = WORD_OF_32_BITS,
			};
	}
	return nr;
}

/*
 * The kernel says which word was woken, not how often. Waking one too many is
 * allowed: futex(2) may return without a reason.
 */
static void wake_word(uint64_t addr)
{
	struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct files_wait_for *w = &waits[s->live[i]];

		if (w->kind == WAIT_FUTEX && w->arg[0] == addr)
			scheduler_unwait(s, s->live[i], SCHED_WAKE_WOKEN);
	}
}

/*
 * Another process may wake a word without changing it, which only who is in the
 * kernel's queue is told. False where the kernel is too old, or without a word.
 */
static bool wait_on_words(uint64_t wait_ns)
{
	struct word word[MAX_WORDS];
	uint32_t nr = find_words(word);
	uint64_t until = time_real_ns() + wait_ns;
	uint64_t time[2] = { until / NS_PER_S, until % NS_PER_S };
	int64_t r;

	if (!nr)
		return false;
	r = sys_call5(__NR_futex_waitv, word, nr, 0, time, MONOTONIC);
	if (r >= 0 && r < nr)
		wake_word(word[r].addr);
	return r != -ENOSYS;
}

/* Sleep until one of the awaited descriptors is ready, a signal, or time. */
static void wait_really(uint64_t wait_ns)
{
	struct scheduler *s = runtime_scheduler();
	struct pollfd p[MAX_REAL_WAIT];
	bool has_words = false, is_soon = false;
	uint64_t time[2];
	uint32_t nr = 0;

	for (uint32_t i = 0; i < s->nr_live && nr < MAX_REAL_WAIT; i++) {
		const struct files_wait_for *w = &waits[s->live[i]];

		if (w->kind == WAIT_FD) {
			p[nr].fd = w->fd;
			p[nr++].events = (short)w->events;
		} else if (w->kind == WAIT_FUTEX) {
			has_words = true;
		} else if (w->kind) {
			is_soon = true;	/* these have no single descriptor */
		}
	}
	/* Of two places to wait at, the other one is looked at soon, too. */
	if ((is_soon || (has_words && nr)) && wait_ns > SOON_NS)
		wait_ns = SOON_NS;
	if (!has_words || !wait_on_words(wait_ns)) {
		if (has_words && wait_ns > SOON_NS)
			wait_ns = SOON_NS;
		time[0] = wait_ns / NS_PER_S;
		time[1] = wait_ns % NS_PER_S;
		sys_call5(__NR_ppoll, p, nr, time, 0, 8);
	}
	try_calls();
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

int64_t files_wait(struct trap *t, struct files_wait_for *w, uint16_t kind,
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

	w->has_result = false;
	waits[id] = *w;
	files_nr_waits++;
	core_announce(&op);
	if (is_external)
		self->flags |= SCHED_TASK_EXTERNAL;
	core_enter();
	if (virtuals_nr)
		virtuals_show(id);
	timed_out = self->op.flags & EXPLORE_OP_F_TIMEOUT;
	*w = waits[id];
	waits[id].kind = WAIT_NONE;
	files_nr_waits--;
	if (w->has_result)
		return FILES_READY;
	if (self->flags & SCHED_TASK_INTERRUPTED) {
		self->flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
		return -EINTR;
	}
	return timed_out ? FILES_TIMED_OUT : FILES_READY;
}

void files_watch_word(uint32_t t, uint64_t addr, uint32_t value)
{
	waits[t] = (struct files_wait_for){ .kind = WAIT_FUTEX,
					    .arg = { addr, value } };
	files_nr_waits++;
}

void files_unwatch_word(uint32_t t)
{
	waits[t].kind = WAIT_NONE;
	files_nr_waits--;
}

uint32_t files_object(const struct trap *t, uint64_t fd)
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

int64_t files_in_order(struct trap *t, uint64_t fd)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_SYSCALL,
		.object = files_object(t, fd),
		.pc = t->site,
	};
	int64_t r;

	if (!inputs_goes_on(t))
		core_point(&op);
	return inputs_answer(t, &r) ? r : trap_pass(t);
}

static bool has_control(const struct trap *t)
{
	uint64_t bytes;		/* struct msghdr: msg_controllen is [5] */

	return !sys_load64((const uint64_t *)(uintptr_t)t->arg[1] + 5,
			   &bytes) ||
	       bytes;
}

static bool may_pass_descriptors(const struct trap *t)
{
	return t->nr == __NR_sendmmsg ||
	       (t->nr == __NR_sendmsg && has_control(t));
}

int64_t files_trap(struct trap *t)
{
	const struct trap_entry *e = trap_entry(t->nr);
	uint64_t fd = t->arg[e->fd_arg - 1];
	struct files_wait_for w = { .kind = WAIT_FD, .fd = (int32_t)fd };
	int64_t flags, r;

	w.events = e->wait == FILES_WAIT_OUT ? POLLOUT : POLLIN;
	/* Output goes to the tool; its order affects no other task. */
	if (e->wait == FILES_WAIT_OUT && files_kind_of(fd) == FILES_OUTPUT)
		return trap_pass(t);
	/* Descriptors that go through a socket come out with any number. */
	if (may_pass_descriptors(t))
		has_lost_track = true;
	flags = sys_call3(__NR_fcntl, fd, 3 /* F_GETFL */, 0);
	if (flags < 0 || flags & NONBLOCK_FLAG || !e->wait ||
	    is_nonblocking_call(t)) {
		r = files_in_order(t, fd);
		if (r == -EAGAIN && e->wait == FILES_WAIT_OUT)
			order_note_full();
		return r;
	}
	if (e->wait == FILES_WAIT_OUT && !poll_fd((int)fd, POLLOUT))
		order_note_full();
	if (t->nr != __NR_read || is_internal((int)fd) ||
	    !inputs_is_outside((int)fd))
		return transfers_make(t, fd, flags);
	if (transfers_is_raw_terminal(fd))
		return transfers_read_terminal(t, fd, flags);
	r = files_wait(t, &w, EXPLORE_OP_SYSCALL, files_object(t, fd), true, 0);
	return r < 0 ? r : inputs_read(t);
}

/* ------------------------------------------------ poll, select, epoll */

static uint64_t deadline_of_ms(int64_t ms)
{
	if (ms < 0)
		return 0;
	return runtime_scheduler()->now_ns + 1 + (uint64_t)ms * 1000000ull;
}

int64_t files_deadline(uint64_t addr, uint64_t unit_ns, uint64_t *deadline)
{
	const uint64_t *ts = (const void *)(uintptr_t)addr;
	uint64_t sec, part;

	*deadline = 0;
	if (!ts)
		return 0;
	if (!sys_load64(ts, &sec) || !sys_load64(ts + 1, &part))
		return -EFAULT;
	if ((int64_t)sec < 0 || (int64_t)part < 0)
		return -EINVAL;
	/*
	 * select(2) takes more microseconds than a second has, others do not.
	 */
	if (unit_ns == 1 && part >= NS_PER_S)
		return -EINVAL;
	sec += part / (NS_PER_S / unit_ns);
	part %= NS_PER_S / unit_ns;
	*deadline = sec > MAX_SECONDS ? SCHED_NEVER - 1
			: runtime_scheduler()->now_ns + 1 + sec * NS_PER_S +
			  part * unit_ns;
	return 0;
}

/* What is left of it, where it came from; memory that is not there is fine. */
static void write_time_left(uint64_t addr, uint64_t unit_ns, uint64_t deadline)
{
	uint64_t *ts = (void *)(uintptr_t)addr;
	uint64_t now = runtime_scheduler()->now_ns + 1;
	uint64_t left = deadline > now ? deadline - now : 0;

	if (ts && sys_store64(ts, left / NS_PER_S))
		sys_store64(ts + 1, left % NS_PER_S / unit_ns);
}

/* A mask given for the duration of the call (ppoll, pselect, epoll_pwait). */
int64_t files_swap_mask(uint64_t set, uint64_t bytes)
{
	struct control_task *k = core_self();
	uint64_t mask;

	if (!set)
		return 0;
	if (bytes != sizeof(mask))
		return -EINVAL;
	if (!sys_load64((const uint64_t *)(uintptr_t)set, &mask))
		return -EFAULT;
	k->saved_mask = k->sigmask;
	k->has_saved_mask = 1;
	k->sigmask = mask & ~(SIGNALS_BIT(SIGKILL) | SIGNALS_BIT(SIGSTOP));
	signals_have_news = true;
	return 0;
}

int64_t files_restore_mask(int64_t result)
{
	struct control_task *k = core_self();

	if (k->has_saved_mask && result != -EINTR) {
		k->sigmask = k->saved_mask;
		k->has_saved_mask = 0;
	}
	return result;
}

/* Whether one of the descriptors leads outside; -EFAULT. */
static int64_t is_poll_external(const struct trap *t)
{
	const struct pollfd *p = (const void *)(uintptr_t)t->arg[0];
	bool is_external = false;
	uint32_t fd;

	for (uint64_t i = 0; i < (uint32_t)t->arg[1]; i++) {
		if (!sys_load32((const uint32_t *)&p[i].fd, &fd))
			return -EFAULT;
		if ((int32_t)fd >= 0 && !is_internal((int32_t)fd))
			is_external = true;
	}
	return is_external;
}

static int64_t poll_until(struct trap *t, uint64_t deadline)
{
	struct files_wait_for w = {
		.kind = WAIT_POLL,
		.arg = { t->arg[0], (uint32_t)t->arg[1] },
	};
	int64_t r, is_external;
	uint32_t fd = 0;

	/* The kernel knows how many there may be. */
	r = sys_call3(__NR_poll, t->arg[0], t->arg[1], 0);
	if (r < 0)
		return r;
	is_external = is_poll_external(t);
	if (is_external < 0)
		return is_external;
	if (w.arg[1])
		sys_load32((const uint32_t *)(uintptr_t)t->arg[0], &fd);
	do {
		int64_t why = files_wait(t, &w, EXPLORE_OP_SYSCALL,
					 w.arg[1] ? files_object(t, fd) : 0,
					 is_external, deadline);

		if (why < 0)
			return why;
		r = sys_call3(__NR_poll, t->arg[0], t->arg[1], 0);
		if (why == FILES_TIMED_OUT)
			break;
	} while (!r);
	return r;
}

int64_t files_poll(struct trap *t)
{
	return poll_until(t, deadline_of_ms((int32_t)t->arg[2]));
}

int64_t files_ppoll(struct trap *t)
{
	uint64_t deadline;
	int64_t r = files_deadline(t->arg[2], 1, &deadline);

	if (!r)
		r = files_swap_mask(t->arg[3], t->arg[4]);
	if (r)
		return r;
	r = files_restore_mask(poll_until(t, deadline));
	write_time_left(t->arg[2], 1, deadline);
	return r;
}

static int64_t select_until(struct trap *t, uint64_t deadline)
{
	struct files_wait_for w = {
		.kind = WAIT_SELECT,
		.arg = { (uint32_t)t->arg[0], t->arg[1], t->arg[2], t->arg[3] },
	};
	uint64_t zero[2] = { 0, 0 };
	int64_t r;

	if ((int32_t)t->arg[0] < 0)
		return -EINVAL;
	r = files_wait(t, &w, EXPLORE_OP_SYSCALL, 0,
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
	int64_t r = files_deadline(t->arg[4], 1000, &deadline);

	if (r)
		return r;
	r = select_until(t, deadline);
	write_time_left(t->arg[4], 1000, deadline);
	return r;
}

int64_t files_pselect(struct trap *t)
{
	uint64_t deadline, mask[2] = { 0, 0 };
	int64_t r = files_deadline(t->arg[4], 1, &deadline);

	if (!r && t->arg[5] && !sys_copy_in(mask, t->arg[5], sizeof(mask)))
		r = -EFAULT;
	if (!r)
		r = files_swap_mask(mask[0], mask[1]);
	if (r)
		return r;
	r = files_restore_mask(select_until(t, deadline));
	write_time_left(t->arg[4], 1, deadline);
	return r;
}

static int64_t epoll_until(struct trap *t, uint64_t deadline)
{
	struct files_wait_for w = { .kind = WAIT_FD, .fd = (int32_t)t->arg[0],
				    .events = POLLIN };
	int64_t r;

	do {
		int64_t why = files_wait(t, &w, EXPLORE_OP_SYSCALL,
					 files_object(t, t->arg[0]),
					 nr_outside ||
					 runtime_control->counters.forks,
					 deadline);

		if (why < 0)
			return why;
		r = sys_call4(__NR_epoll_wait, t->arg[0], t->arg[1], t->arg[2],
			      0);
		if (why == FILES_TIMED_OUT)
			break;
	} while (!r);
	return r;
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
		r = files_deadline(t->arg[3], 1, &deadline);
	if (!r)
		r = files_swap_mask(t->arg[4], t->arg[5]);
	return r ? r : files_restore_mask(epoll_until(t, deadline));
}

/* ------------------------------------------------------------- children */

/*
 * Most children end by themselves and soon, and when exactly is no business of
 * the schedule: give it time to. Give up sooner each time a child turns out to
 * depend on us.
 */
static void give_child_time(const struct files_wait_for *w)
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
	struct files_wait_for w = { .kind = WAIT_CHILD,
			  .arg = { idtype, id, options & ~1ull } };

	give_child_time(&w);
	return files_wait(t, &w, EXPLORE_OP_CHILD_WAIT,
			runtime_object(SCHED_CLASS_CHILD, NULL, t->site), true,
			0);
}

/* --------------------------------------------------------------- others */

int64_t files_retry(struct trap *t, int64_t (*attempt)(const struct trap *),
		    bool was_tried, uint32_t object, bool is_external,
		    uint64_t deadline)
{
	struct files_wait_for w = { .kind = WAIT_CHANGE, .attempt = attempt,
				    .trap = t };
	int64_t r;

	for (;;) {
		w.arg[0] = files_changes - !was_tried;
		was_tried = true;
		r = files_wait(t, &w, EXPLORE_OP_SYSCALL, object, is_external,
			       deadline);
		if (r < 0)
			return r;
		if (w.has_result)
			return w.result;
		if (r == FILES_TIMED_OUT)
			return -EAGAIN;
		r = attempt(t);
		if (r != -EAGAIN)
			return r;
	}
}

static int64_t pass_as_it_is(const struct trap *t)
{
	return sys_call6(t->nr, t->arg[0], t->arg[1], t->arg[2], t->arg[3],
			 t->arg[4], t->arg[5]);
}

/*
 * The call was made non-blocking. A task here that has the lock gives it back
 * by a call; but any process of the machine may have it, so to wait for it is
 * never a deadlock.
 */
static int64_t lock(struct trap *t)
{
	int64_t r = files_in_order(t, t->arg[0]);

	if (r != -EAGAIN)
		return r;
	return files_retry(t, pass_as_it_is, true, files_object(t, t->arg[0]),
			   true, 0);
}

int64_t files_flock(struct trap *t)
{
	if (t->arg[1] & LOCK_NB_FLAG)
		return files_in_order(t, t->arg[0]);
	t->arg[1] |= LOCK_NB_FLAG;
	return lock(t);
}

int64_t files_fcntl(struct trap *t)
{
	int64_t r;

	switch (t->arg[1]) {
	case F_SETLKW:
	case F_OFD_SETLKW:
		t->arg[1]--;	/* F_SETLK, F_OFD_SETLK */
		return lock(t);
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
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
	if (t->arg[2] & CLOSE_RANGE_CLOEXEC)
		return trap_pass(t);
	if (virtuals_nr)
		virtuals_forget((uint32_t)t->arg[0], (uint32_t)t->arg[1]);
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
		t->arg[t->nr == __NR_openat || t->nr == __NR_openat2];
	bool is_inside;
	int64_t r;

	if (!fifos_open(t, &r, &is_inside))
		r = trap_pass(t);
	if (r < 0)
		return r;
	if (is_descriptor_path(path))
		has_lost_track = true;
	set_kind(r, inputs_is_file((int)r) ? FILES_REGULAR : FILES_OTHER, 0);
	if (is_inside)
		fifos_note(r);
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
