/* SPDX-License-Identifier: MIT */
/*
 * ipc.c - message queues and semaphores: those of System V, those of POSIX.
 *
 * They are the kernel's, and children share them. A call is announced, waits in
 * the model until the kernel's state says that it would not block, and is then
 * made so that it cannot.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ipc.h>
#include <linux/poll.h>

#include "preload/memory/access.h"
#include "preload/kernel/files.h"

#define MAX_OWN 256
#define MAX_SEM_OPS 500		/* SEMOPM */
#define GET_VALUE 12		/* GETVAL of semctl */
#define NOERROR_FLAG 010000	/* MSG_NOERROR */
#define EXCEPT_FLAG 020000	/* MSG_EXCEPT */
#define COPY_FLAG 040000	/* MSG_COPY */
#define PEEK_BYTES 8192		/* the usual limit of a message */

/* The kernel's struct msqid64_ds, as words. */
struct queue_state {
	uint64_t perm[6], times[3];
	uint64_t bytes, nr, max_bytes;
	uint64_t rest[4];
};

struct sem_op {
	uint16_t number;
	int16_t change;
	int16_t flags;
};

/* ------------------------------------------------------------- whose it is */

enum ipc_class { IPC_SEM = SCHED_FD_SEMAPHORES, IPC_MSG = SCHED_FD_QUEUE };

/* Made here and not found: no other process waits for it or wakes it. */
static struct {
	uint32_t class, id;
} own[MAX_OWN];
static uint32_t nr_own;

static void note_own(enum ipc_class class, int64_t id)
{
	own[nr_own % MAX_OWN].class = class;
	own[nr_own++ % MAX_OWN].id = (uint32_t)id;
}

/* Its place among them, from 1; 0: it was found. */
static uint32_t own_number(enum ipc_class class, uint64_t id)
{
	for (uint32_t i = 0; i < nr_own && i < MAX_OWN; i++)
		if (own[i].class == class && own[i].id == (uint32_t)id)
			return i + 1;
	return 0;
}

static bool is_external(enum ipc_class class, uint64_t id)
{
	return runtime_control->counters.forks || !own_number(class, id);
}

/* Made anew, if that is possible, so that we know that it was. */
int64_t ipc_get(struct trap *t)
{
	uint32_t n = t->nr == __NR_semget ? 2 : 1;
	enum ipc_class class = t->nr == __NR_semget ? IPC_SEM : IPC_MSG;
	struct trap anew = *t;
	int64_t r;

	if ((uint32_t)t->arg[0] != IPC_PRIVATE && !(t->arg[n] & IPC_CREAT))
		return trap_pass(t);
	anew.arg[n] |= IPC_EXCL;
	r = trap_pass(&anew);
	if (r >= 0)
		note_own(class, r);
	else if (r == -EEXIST && !(t->arg[n] & IPC_EXCL))
		r = trap_pass(t);
	return r;
}

/* The kernel's ids differ from run to run. */
static uint32_t object_of(const struct trap *t, enum ipc_class class)
{
	uint32_t number = own_number(class, t->arg[0]);

	if (!number)
		number = MAX_OWN + (uint32_t)t->arg[0];
	return runtime_object(SCHED_CLASS_FD, (void *)(uintptr_t)
			      SCHED_FD_ADDRESS(class, number), t->site);
}

/* ------------------------------------------------- System V: semaphores */

static bool load_op(uint64_t ops, uint64_t i, struct sem_op *op)
{
	const char *at = (const char *)(uintptr_t)ops + i * sizeof(*op);
	uint64_t number, change, flags;

	if (!sys_load16(at, &number) || !sys_load16(at + 2, &change) ||
	    !sys_load16(at + 4, &flags))
		return false;
	*op = (struct sem_op){ (uint16_t)number, (int16_t)change,
			       (int16_t)flags };
	return true;
}

/* The value before operation i, with what those before it did. */
static int64_t value_before(uint64_t id, uint64_t ops, uint64_t i,
			    uint16_t number)
{
	int64_t value = sys_call4(__NR_semctl, id, number, GET_VALUE, 0);
	struct sem_op op;

	for (uint64_t k = 0; value >= 0 && k < i; k++)
		if (load_op(ops, k, &op) && op.number == number)
			value += op.change;
	return value;
}

enum sem_outcome { SEM_GOES, SEM_BLOCKS, SEM_FAILS };

/* What semop() would do now; errors are the kernel's to find. */
static enum sem_outcome semaphores_now(uint64_t id, uint64_t ops, uint64_t nr)
{
	struct sem_op op;

	for (uint64_t i = 0; i < nr && nr <= MAX_SEM_OPS; i++) {
		int64_t value;

		if (!load_op(ops, i, &op))
			return SEM_GOES;
		value = value_before(id, ops, i, op.number);
		if (value < 0 || op.change > 0)
			continue;
		if (op.change ? value + op.change < 0 : value != 0)
			return op.flags & IPC_NOWAIT ? SEM_FAILS : SEM_BLOCKS;
	}
	return SEM_GOES;
}

static bool is_ready_sem(const struct files_wait_for *w)
{
	return semaphores_now(w->arg[0], w->arg[1], w->arg[2]) != SEM_BLOCKS;
}

int64_t ipc_semop(struct trap *t)
{
	struct files_wait_for w = {
		.kind = WAIT_QUERY, .is_ready = is_ready_sem,
		.arg = { t->arg[0], t->arg[1], (uint32_t)t->arg[2] },
	};
	uint64_t none[2] = { 0, 0 }, deadline = 0;
	int64_t r = 0;

	if (t->nr == __NR_semtimedop)
		r = files_deadline(t->arg[3], 1, &deadline);
	if (r < 0)
		return r;
	for (;;) {
		r = files_wait(t, &w, EXPLORE_OP_SYSCALL, object_of(t, IPC_SEM),
			       is_external(IPC_SEM, t->arg[0]), deadline);
		if (r < 0)
			return r;
		if (r == FILES_TIMED_OUT)
			return -EAGAIN;
		r = sys_call4(__NR_semtimedop, t->arg[0], t->arg[1], t->arg[2],
			      none);
		if (r != -EAGAIN ||
		    semaphores_now(w.arg[0], w.arg[1], w.arg[2]) == SEM_FAILS)
			return r;
	}
}

/* ---------------------------------------------------- System V: messages */

static bool queue_now(uint64_t id, struct queue_state *q)
{
	return sys_call3(__NR_msgctl, id, IPC_STAT, q) >= 0;
}

static bool is_ready_to_send(const struct files_wait_for *w)
{
	struct queue_state q = { .nr = 0 };

	return !queue_now(w->arg[0], &q) ||
	       (q.bytes + w->arg[1] <= q.max_bytes && q.nr < q.max_bytes);
}

static bool is_wanted(int64_t type, int64_t wanted, uint64_t flags)
{
	if (wanted < 0)
		return type <= -wanted;
	return flags & EXCEPT_FLAG ? type != wanted : type == wanted;
}

/*
 * Looks at the messages one by one (MSG_COPY). Where the kernel does not offer
 * that, any message will do, and the call says whether it was the right one.
 */
static bool is_ready_to_receive(const struct files_wait_for *w)
{
	static struct {
		int64_t type;
		char text[PEEK_BYTES];
	} copy;
	struct queue_state q = { .nr = 0 };
	int64_t wanted = (int64_t)w->arg[1], r;

	if (!queue_now(w->arg[0], &q))
		return true;
	if (!wanted)
		return q.nr;
	for (uint64_t i = 0; i < q.nr; i++) {
		r = sys_call5(__NR_msgrcv, w->arg[0], &copy, sizeof(copy.text),
			      i, COPY_FLAG | IPC_NOWAIT | NOERROR_FLAG);
		if (r < 0 || is_wanted(copy.type, wanted, w->arg[2]))
			return true;
	}
	return false;
}

static int64_t pass_nowait(const struct trap *t)
{
	int64_t r = sys_call5(t->nr, t->arg[0], t->arg[1], t->arg[2],
			      t->arg[3], t->arg[4]);

	return r == -ENOMSG ? -EAGAIN : r;
}

static int64_t with_queue(struct trap *t, struct files_wait_for *w,
			  uint32_t flags_arg)
{
	uint32_t object = object_of(t, IPC_MSG);
	bool external = is_external(IPC_MSG, t->arg[0]);
	int64_t r;

	w->kind = WAIT_QUERY;
	if (t->arg[flags_arg] & IPC_NOWAIT) {
		struct runtime_op op = { .kind = EXPLORE_OP_SYSCALL,
					 .object = object, .pc = t->site };

		core_point(&op);
		return trap_pass(t);
	}
	t->arg[flags_arg] |= IPC_NOWAIT;
	r = files_wait(t, w, EXPLORE_OP_SYSCALL, object, external, 0);
	if (r < 0)
		return r;
	r = pass_nowait(t);
	return r == -EAGAIN
		       ? files_retry(t, pass_nowait, true, object, external, 0)
		       : r;
}

int64_t ipc_msgsnd(struct trap *t)
{
	struct files_wait_for w = {
		.is_ready = is_ready_to_send,
		.arg = { t->arg[0], t->arg[2] },
	};

	return with_queue(t, &w, 3);
}

int64_t ipc_msgrcv(struct trap *t)
{
	struct files_wait_for w = {
		.is_ready = is_ready_to_receive,
		.arg = { t->arg[0], t->arg[3], t->arg[4] },
	};

	return with_queue(t, &w, 4);
}

/* ------------------------------------------------------- POSIX: messages */

/* Two descriptors of one queue that was made here have one number. */
static struct {
	uint64_t ino;
	uint32_t id;
} queues[MAX_OWN];
static uint32_t nr_queues;

static uint64_t ino_of(int64_t fd)
{
	uint64_t st[36] = { 0 };	/* struct stat: st_ino is [1] */

	return sys_call2(__NR_fstat, fd, st) < 0 ? 0 : st[1];
}

int64_t ipc_mq_open(struct trap *t)
{
	struct trap anew = *t;
	int64_t r;

	if (t->arg[1] & O_CREAT) {
		anew.arg[1] |= O_EXCL;
		r = trap_pass(&anew);
		if (r >= 0) {
			files_note_inside(r);
			if (nr_queues < MAX_OWN) {
				queues[nr_queues].ino = ino_of(r);
				queues[nr_queues++].id =
					files_inside_id((uint64_t)r);
			}
			return r;
		}
		if (r != -EEXIST || t->arg[1] & O_EXCL)
			return r;
	}
	r = trap_pass(t);
	for (uint32_t i = 0; r >= 0 && i < nr_queues; i++)
		if (queues[i].ino == ino_of(r))
			files_note_inside_as(r, queues[i].id);
	return r;
}

/* A time that is long over makes the kernel answer at once. */
static int64_t move_nowait(const struct trap *t)
{
	uint64_t none[2] = { 0, 0 };
	int64_t r = sys_call5(t->nr, t->arg[0], t->arg[1], t->arg[2],
			      t->arg[3], none);

	return r == -ETIMEDOUT ? -EAGAIN : r;
}

static int64_t mq_deadline(uint64_t addr, uint64_t *deadline)
{
	const uint64_t *ts = (const void *)(uintptr_t)addr;
	uint64_t sec, nsec;

	*deadline = 0;
	if (!ts)
		return 0;
	if (!sys_load64(ts, &sec) || !sys_load64(ts + 1, &nsec))
		return -EFAULT;
	if ((int64_t)sec < 0 || nsec >= 1000000000)
		return -EINVAL;
	*deadline = runtime_deadline_ns(0 /* CLOCK_REALTIME */, (int64_t)sec,
					(int64_t)nsec);
	return 0;
}

int64_t ipc_mq_move(struct trap *t)
{
	int64_t flags = sys_call3(__NR_fcntl, t->arg[0], F_GETFL, 0), r;
	uint32_t object = files_object(t, t->arg[0]);
	bool external = files_kind_of(t->arg[0]) != FILES_INSIDE;
	struct files_wait_for w = {
		.kind = WAIT_FD, .fd = (int32_t)t->arg[0],
		.events = t->nr == __NR_mq_timedsend ? POLLOUT : POLLIN,
	};
	uint64_t deadline;

	r = mq_deadline(t->arg[4], &deadline);
	if (r < 0)
		return r;
	if (flags < 0 || flags & O_NONBLOCK)
		return files_in_order(t, t->arg[0]);
	r = files_wait(t, &w, EXPLORE_OP_SYSCALL, object, external, deadline);
	if (r < 0)
		return r;
	r = r == FILES_TIMED_OUT ? -EAGAIN : move_nowait(t);
	if (r == -EAGAIN &&
	    !(deadline && runtime_scheduler()->now_ns >= deadline))
		r = files_retry(t, move_nowait, true, object, external,
				deadline);
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

/* ---------------------------------------------- asynchronous input, output */

/* The head of the ring that a context is the address of. */
static bool has_events(const struct files_wait_for *w)
{
	const uint32_t *ring = (const void *)(uintptr_t)w->arg[0];
	uint32_t head, tail;

	return !sys_load32(ring + 2, &head) || !sys_load32(ring + 3, &tail) ||
	       head != tail;
}

static int64_t events_until(struct trap *t, uint64_t deadline)
{
	struct files_wait_for w = { .kind = WAIT_QUERY, .is_ready = has_events,
				    .arg = { t->arg[0] } };
	int64_t min = (int64_t)t->arg[1], nr = (int64_t)t->arg[2], done = 0, r;
	uint64_t none[2] = { 0, 0 };

	if (min < 0 || nr < min)
		return -EINVAL;
	for (;;) {
		r = sys_call5(__NR_io_getevents, t->arg[0], 0, nr - done,
			      t->arg[3] + (uint64_t)done * 32, none);
		if (r < 0)
			return done ? done : r;
		done += r;
		if (done >= min || !nr)
			return done;
		r = files_wait(t, &w, EXPLORE_OP_SYSCALL, 0, true, deadline);
		if (r != FILES_READY)
			return done || r > 0 ? done : r;
	}
}

int64_t ipc_io_getevents(struct trap *t)
{
	struct runtime_op op = { .kind = EXPLORE_OP_SYSCALL, .pc = t->site };
	uint64_t deadline, mask[2] = { 0, 0 };
	int64_t r = files_deadline(t->arg[4], 1, &deadline);

	if (!r && t->nr == __NR_io_pgetevents && t->arg[5] &&
	    !sys_copy_in(mask, t->arg[5], sizeof(mask)))
		r = -EFAULT;
	if (!r)
		r = files_swap_mask(mask[0], mask[1]);
	if (r)
		return r;
	core_point(&op);
	return files_restore_mask(events_until(t, deadline));
}
