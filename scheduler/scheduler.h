/* SPDX-License-Identifier: MIT */
/*
 * scheduler.h - tasks, objects, the enabled set and the choice of who is next.
 *
 * The scheduler is a model of the target's synchronisation. It knows every
 * task's next operation and every object's state, so it can tell exactly who
 * can run without letting anyone block. It does not switch contexts and does
 * not know what an operation does to the target: the runtime carries an
 * operation out once the scheduler has picked the task, and then tells the
 * model what changed (scheduler_acquire, scheduler_wake, ...).
 *
 * Rules of this folder: no malloc, no stdio, no system call, no floating
 * point, no pointer in the structs below. They lie in memory shared with the
 * tool, so a finished or crashed run can be read from outside, and the same
 * object code runs inside the target and in unit tests.
 *
 * Context of every function: one caller at a time (the carrier thread of the
 * target, or a test). Async-signal-safe. errno is never touched.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <explore/operation.h>
#include <explore/strategy.h>

#define SCHED_MAX_TASKS 4096u
#define SCHED_MAX_OBJECTS (1u << 17)
#define SCHED_NR_BUCKETS (SCHED_MAX_OBJECTS * 2u)
#define SCHED_NEVER UINT64_MAX	/* a deadline that does not come */
#define SCHED_MAX_HOLDERS 6

/* ------------------------------------------------------------- objects */

/* What an address is used as; one address can be several objects. */
enum sched_class {
	SCHED_CLASS_NONE = 0,
	SCHED_CLASS_THREAD = 1,		/* address: the task id */
	SCHED_CLASS_MUTEX = 2,
	SCHED_CLASS_RWLOCK = 3,
	SCHED_CLASS_SPIN = 4,
	SCHED_CLASS_COND = 5,
	SCHED_CLASS_SEM = 6,
	SCHED_CLASS_BARRIER = 7,
	SCHED_CLASS_ONCE = 8,
	SCHED_CLASS_FUTEX = 9,
	SCHED_CLASS_FD = 10,		/* address: see enum sched_fd_kind */
	SCHED_CLASS_CHILD = 11,		/* address: 0, all children */
	SCHED_CLASS_SIGNAL = 12,	/* address: the task id */
	SCHED_CLASS_MEMORY = 13,
};

/* What the low half of an FD's address is; in the high half. */
enum sched_fd_kind {
	SCHED_FD_NUMBER = 0,	/* a descriptor */
	/* A pipe or the like, whatever the descriptor */
	SCHED_FD_INSIDE = 1,
	SCHED_FD_NAMED_PIPE = 2,	/* by order of being made */
	SCHED_FD_SEMAPHORES = 4,	/* of System V, the same */
	SCHED_FD_QUEUE = 8,
};
#define SCHED_FD_ADDRESS(kind, nr) ((uint64_t)(kind) << 32 | (uint32_t)(nr))

enum sched_object_flags {
	SCHED_OBJECT_DESTROYED = 1 << 0,
	/* rwlock: waiting writers keep new readers out */
	SCHED_OBJECT_PREFERS_WRITER = 1 << 1,
	/* held by code the model did not see; the runtime falls back */
	SCHED_OBJECT_FOREIGN = 1 << 2,
	/* cond: timed waits are against CLOCK_MONOTONIC */
	SCHED_OBJECT_MONOTONIC = 1 << 3,
	/* shared with other processes: left to the C library */
	SCHED_OBJECT_SHARED = 1 << 4,
	/* mutex: free again, in a way, when its owner exits */
	SCHED_OBJECT_ROBUST = 1 << 5,
	/* sem: from sem_open(); shared once there is a native child */
	SCHED_OBJECT_NAMED = 1 << 6,
};

struct sched_object {
	uint64_t addr;
	uint64_t first_pc;	/* code that used it first */
	uint8_t class;		/* enum sched_class */
	uint8_t flags;		/* enum sched_object_flags */
	uint16_t nr_holders;	/* entries of holder[] in use, at most all */
	uint32_t owner;		/* exclusive holder's task id + 1; 0: none */
	/*
	 * mutex, spin: recursion depth, 0 iff owner is 0.
	 * rwlock: number of read holders; 0 while owner is set.
	 * sem: the value. barrier: tasks arrived in this generation.
	 */
	uint32_t count;
	uint32_t limit;		/* barrier: tasks that make it open */
	uint32_t generation;	/* barrier: how often it opened */
	uint32_t wait_head;	/* queue of waiters, task id + 1; 0: empty */
	uint32_t wait_tail;
	uint32_t nr_waiters;
	uint16_t holder[SCHED_MAX_HOLDERS];	/* rwlock: some read holders */
};
static_assert(sizeof(struct sched_object) == 64, "shared layout");

/* --------------------------------------------------------------- tasks */

enum sched_task_state {
	SCHED_TASK_FREE = 0,
	SCHED_TASK_ALIVE = 1,	/* running, or stopped at its announced op */
	SCHED_TASK_DEAD = 2,
};

/* Why a queued wait ended. */
enum sched_wake {
	SCHED_WAKE_NONE = 0,	/* still waiting */
	SCHED_WAKE_WOKEN = 1,
	SCHED_WAKE_TIMEOUT = 2,
	SCHED_WAKE_INTERRUPTED = 3,	/* a signal or a cancellation */
};

enum sched_task_flags {
	/* A descriptor, child or signal it waits for is there now. */
	SCHED_TASK_READY = 1 << 0,
	/* Waits for something outside the process: time may really pass. */
	SCHED_TASK_EXTERNAL = 1 << 1,
	/* Its blocking operation must return early: signal or cancellation. */
	SCHED_TASK_INTERRUPTED = 1 << 2,
	SCHED_TASK_DETACHED = 1 << 3,
	SCHED_TASK_JOINED = 1 << 4,
	/* INTERRUPTED by pthread_cancel, not by a signal handler */
	SCHED_TASK_CANCELLED = 1 << 5,
	/* the handler that interrupted it last has SA_RESTART */
	SCHED_TASK_RESTARTS = 1 << 6,
	/* over, and nobody will ask for it: its id may be given again */
	SCHED_TASK_REUSABLE = 1 << 7,
	/*
	 * A handler may run before its operation, which is announced again
	 * then. Others are disturbed while their operation blocks only.
	 */
	SCHED_TASK_HANDLES = 1 << 8,
};

struct sched_task {
	uint8_t state;		/* enum sched_task_state */
	uint8_t wake;		/* enum sched_wake: outcome of a queued wait */
	uint16_t flags;		/* enum sched_task_flags */
	uint32_t id;
	uint32_t parent;
	uint32_t wait_object;	/* object whose queue it is in; 0: none */
	uint32_t next_waiter;	/* in that queue, task id + 1 */
	uint32_t wait_mask;	/* futex bitset */
	uint32_t wait_generation;	/* barrier generation it arrived in */
	uint32_t nr_ops;
	struct explore_op op;	/* announced; executing while it runs */
	uint64_t pc;		/* code address of op: where its call returns */
	uint64_t addr;		/* target address of op's object, for reports */
	uint64_t deadline_ns;	/* virtual; SCHED_NEVER when there is none */
	/* Fairness, all in steps; see scheduler_yielded(). */
	uint64_t enabled_since;	/* step + 1 of becoming enabled; 0: disabled */
	uint64_t last_scheduled; /* step + 1 of the last pick; 0: never */
	uint64_t last_yield;	/* step + 1 of the last yield; 0: never */
	uint64_t window;	/* behind tasks not scheduled since; 0: none */
	uint64_t result;	/* folded into the digest with the next event */
	/* Who disabled it since its last pick: bits by task id modulo 64. */
	uint64_t disabled_by;
	/*
	 * Of an announced EXPLORE_OP_F_IDLE: nr_effects + 1 when the round
	 * began that proves it; the same of nr_lockings, 0 if they do not
	 * matter.
	 */
	uint64_t idle_effects, idle_lockings;
};
static_assert(sizeof(struct sched_task) == 144, "shared layout");

/* -------------------------------------------------------------- events */

/*
 * One executed choice. TASK: `task` ran its announced operation. WAKE, VALUE:
 * `chosen` holds the task or number. The log of a run is an array of these;
 * `chosen` alone is enough to replay it, the rest verifies and explains.
 */
struct sched_event {
	uint64_t pc;		/* as sched_task.pc */
	uint32_t object;
	uint32_t object2;
	uint32_t chosen;	/* TASK, WAKE: a task. VALUE: the number */
	uint32_t digest;	/* low half of the run's digest after it */
	uint16_t task;		/* whose operation it is */
	uint16_t nr;		/* how many answers there were */
	uint8_t point;		/* enum explore_point_kind */
	uint8_t kind;		/* enum explore_op_kind */
	uint8_t flags;		/* enum sched_event_flags */
	uint8_t reserved;
	uint64_t now_ns;	/* virtual time when it was picked */
	/* TASK: clock ticks until it is preempted, as decided; 0: never. */
	uint64_t ticks;
};
static_assert(sizeof(struct sched_event) == 48, "shared layout");

enum sched_event_flags {
	SCHED_EVENT_PREEMPTION = 1 << 0, /* the previous task could go on */
	SCHED_EVENT_TIMEOUT = 1 << 1,	/* runs because its deadline came */
	SCHED_EVENT_SWITCH = 1 << 2,	/* another task than before */
	SCHED_EVENT_YIELDS = 1 << 3,	/* the operation gives way by itself */
	SCHED_EVENT_PROBED = 1 << 4,	/* found by a look from outside */
};

/* ----------------------------------------------------------- scheduler */

struct scheduler_config {
	uint64_t max_steps;	/* points in a run, also the log's capacity */
	uint64_t op_cost_ns;	/* virtual time an operation takes */
	uint64_t slack_ns;	/* how much early a deadline may be taken */
	uint64_t start_ns;	/* virtual CLOCK_MONOTONIC at start */
	uint32_t wake_any;	/* 1: which waiter is woken is a choice */
	uint32_t is_exhaustive;	/* 1: the strategy tries everything */
};

struct scheduler {
	struct scheduler_config config;
	uint64_t step;		/* events logged so far */
	uint64_t now_ns;	/* virtual CLOCK_MONOTONIC */
	uint64_t digest;
	uint64_t nr_preemptions;
	uint64_t nr_switches;
	uint64_t last_progress;	/* step of the last op that was no yield */
	uint64_t nr_spins;	/* idle picks since anything changed: */
	uint64_t spin_effects;	/* nr_effects then */
	/*
	 * What has changed so far that a task could see: counted by operations,
	 * but for memory and successful tries, which the caller counts. Locks
	 * taken and let go are counted apart.
	 */
	uint64_t nr_effects;
	uint64_t nr_lockings;
	/* A starved task has its turn: so many picks more are its own. */
	uint32_t turn_task, turn_left;
	uint32_t turn_length;	/* of the next one */
	uint32_t nr_turns;
	uint64_t ticks;		/* of the last pick, as decided; 0: none */
	/*
	 * When the runtime has something to do (a timer of the target):
	 * virtual, SCHED_NEVER when there is nothing. No deadline behind it
	 * comes before it was told. The first counts while all wait, too; the
	 * second (processor time) only while somebody could run.
	 */
	uint64_t alarm_ns;
	uint64_t busy_alarm_ns;
	uint64_t idle_ns;	/* virtual time in which nobody could run */
	/*
	 * Other processes of the target run in real time, so virtual time does
	 * not jump: SCHED_OUTSIDE instead, once for each step.
	 */
	uint32_t has_world;
	uint32_t reserved_world;
	/* Step + 1 for which SCHED_OUTSIDE was heeded */
	uint64_t waited_step;
	uint32_t current;	/* task that runs */
	uint32_t nr_tasks;	/* created so far; ids are below */
	uint32_t nr_live;
	uint32_t max_live;
	/*
	 * When not 0, nothing has changed since the last choice but what the
	 * current task is about to do: candidate[0 .. nr_settled) are those
	 * that are enabled, as looked up then; the current task is the one at
	 * settled_index, and nobody's deadline comes before settled_until_ns.
	 */
	uint32_t nr_settled;
	uint32_t settled_index;
	uint64_t settled_until_ns;
	uint32_t nr_objects;	/* ids are 1 .. nr_objects */
	uint32_t nr_buckets;	/* power of two; part of bucket[] in use */
	uint64_t nr_ops[EXPLORE_OP_NR];	/* executed, by kind */
	uint16_t live[SCHED_MAX_TASKS];	/* ids, ascending */
	struct explore_op candidate[SCHED_MAX_TASKS];	/* of this point */
	struct sched_task task[SCHED_MAX_TASKS];
	struct sched_object object[SCHED_MAX_OBJECTS];	/* [id - 1] */
	uint32_t bucket[SCHED_NR_BUCKETS];	/* ids by hash; 0 empty */
	/* Ids of ended tasks given again: see scheduler_task_new(). */
	uint32_t nr_reusable;	/* tasks that have REUSABLE */
	uint32_t next_reusable;	/* none of them is below */
	uint32_t look_at;	/* nr_tasks at which to look for them */
	uint32_t nr_reused;	/* so far */
};

/*
 * What scheduler functions borrow and that is not shared: where to ask, where
 * to log, and, in a replay, what to expect.
 */
struct scheduler_env {
	const struct explore_strategy *strategy;
	void *state;			/* the strategy's */
	/* Ask the strategy; NULL: call strategy->pick directly. */
	struct explore_decision (*ask)(const struct scheduler_env *env,
				       const struct explore_point *point);
	struct sched_event *log;	/* room for config.max_steps */
	const struct sched_event *script;	/* recorded run, or NULL */
	uint64_t nr_script;
};

enum sched_result {
	SCHED_RUN = 0,		/* current is the task to resume */
	SCHED_FINISHED,		/* no task is alive */
	SCHED_DEADLOCK,		/* tasks alive, none can ever run */
	SCHED_OUTSIDE,		/* all wait for something outside */
	SCHED_LIVELOCK,		/* all that can run spin, and for long */
	SCHED_STEP_LIMIT,	/* config.max_steps reached */
	SCHED_DIVERGED,		/* replay: not the recorded event */
	SCHED_BAD_PICK,		/* the strategy answered out of range */
	SCHED_ALARM,		/* nothing to do before the alarm */
};

/*
 * Make the state of a fresh run in `s`: no tasks, no objects. Only what an
 * earlier run used needs to be zero, so this is cheap; the first call must be
 * given zeroed memory.
 */
void scheduler_init(struct scheduler *s, const struct scheduler_config *config);

/*
 * Something changes that may decide who can run. The functions below say so
 * themselves; for callers who write to tasks and objects directly.
 */
static inline void scheduler_changed(struct scheduler *s)
{
	s->nr_settled = 0;
}

/* ------------------------------------------------------------- queries */

static inline struct sched_task *scheduler_task(struct scheduler *s, uint32_t t)
{
	return &s->task[t];
}

/* The object with this id (1-based); valid until the next scheduler_init(). */
static inline struct sched_object *scheduler_object(struct scheduler *s,
						    uint32_t id)
{
	return &s->object[id - 1];
}

/*
 * Whether the task's announced operation could be carried out now without
 * blocking. Deadlines count when they are at most slack_ns away.
 */
bool scheduler_is_enabled(const struct scheduler *s, uint32_t t);
/*
 * A live task can go on by nothing but a deadline that is ahead, if at all. Who
 * comes now comes before that, though the scheduler may take it early.
 */
bool scheduler_is_waiting(const struct scheduler *s, uint32_t t);

/*
 * The earliest deadline of a live task that has not come yet, or SCHED_NEVER.
 * (One that has come and did not enable its task waits for a mutex.)
 */
uint64_t scheduler_next_deadline(const struct scheduler *s);

/* ------------------------------------------------------------- objects */

/* --------------------------------------------------------------- tasks */

/* Tasks created before ids are given again, and between two looks for some. */
#define SCHED_FRESH_TASKS 1024u
#define SCHED_FRESH_MORE 256u

/*
 * A new live task, announced at THREAD_START. Returns its id, or -1: full. The
 * first SCHED_FRESH_TASKS ids are used once; later the id may be that of a task
 * that was joined or detached, has ended, and owns nothing.
 */
int scheduler_task_new(struct scheduler *s, uint32_t parent, uint64_t pc);

/* The task is gone; joiners become enabled. */
void scheduler_task_exit(struct scheduler *s, uint32_t t);

/* ---------------------------------------------------------- operations */

struct sched_announce {
	uint16_t kind;
	uint16_t flags;		/* added to the kind's own */
	uint32_t object;
	uint32_t object2;
	uint32_t site;
	uint64_t pc;
	uint64_t addr;
	uint64_t deadline_ns;	/* 0 is taken as SCHED_NEVER */
};

/* enum explore_op_flags that every operation of a kind has. */
extern const uint16_t scheduler_kind_flags[EXPLORE_OP_NR];

/*
 * An operation is copied as words of 64 bits soon after it was announced, and
 * such a load would wait until smaller stores are through.
 */
static inline void scheduler__store_op(struct explore_op *op, uint32_t flags,
				       uint32_t t,
				       const struct sched_announce *a)
{
	uint64_t first = a->kind | flags << 16 | (uint64_t)t << 32;
	uint64_t second = a->object | (uint64_t)a->object2 << 32;
	uint64_t third = a->site;	/* reserved is 0 */

	static_assert(offsetof(struct explore_op, flags) == 2 &&
		      offsetof(struct explore_op, task) == 4 &&
		      offsetof(struct explore_op, object) == 8 &&
		      offsetof(struct explore_op, object2) == 12 &&
		      offsetof(struct explore_op, site) == 16 &&
		      sizeof(struct explore_op) == 24, "three words");
	__builtin_memcpy(op, &first, 8);
	__builtin_memcpy((char *)op + 8, &second, 8);
	__builtin_memcpy((char *)op + 16, &third, 8);
}

/*
 * Say what task `t` does next. Clears READY, EXTERNAL, HANDLES; keeps wake.
 * Inline, as this is done for each operation: then `a` need not be in memory.
 */
static inline void scheduler_announce(struct scheduler *s, uint32_t t,
				      const struct sched_announce *a)
{
	struct sched_task *task = &s->task[t];

	if (a->kind >= EXPLORE_OP_NR)
		__builtin_trap();
	if (t != s->current)
		scheduler_changed(s);
	scheduler__store_op(&task->op, scheduler_kind_flags[a->kind] | a->flags,
			    t, a);
	task->pc = a->pc;
	task->addr = a->addr;
	task->deadline_ns = a->deadline_ns ? a->deadline_ns : SCHED_NEVER;
	task->flags &= (uint16_t)~(SCHED_TASK_READY | SCHED_TASK_EXTERNAL |
				   SCHED_TASK_HANDLES);
}

/*
 * Choose who runs next, log it, and make it s->current. Virtual time moves on
 * by the cost of an operation, or jumps to the earliest deadline when nobody
 * can run before (unless a task is EXTERNAL: then SCHED_OUTSIDE).
 *
 * On any result but SCHED_RUN no event was added and `current`, the time and
 * the digest are unchanged. SCHED_DEADLOCK, SCHED_LIVELOCK and
 * SCHED_STEP_LIMIT are findings, not errors. After SCHED_DIVERGED and
 * SCHED_BAD_PICK the free slot log[step] describes what was refused; its
 * `chosen` is UINT32_MAX when there was no answer (task is then the one that
 * ran last).
 *
 * Time also jumps to the next deadline when all who can run only spin, or have
 * only yielded for a while. If all spin and a task is EXTERNAL: SCHED_OUTSIDE.
 * Where time would jump over the alarm: SCHED_ALARM; the caller lets time pass
 * up to it, and moves it.
 *
 * A task picked because of its deadline alone has EXPLORE_OP_F_TIMEOUT in its
 * op.flags, is taken out of its queue, and counts as having yielded. For other
 * kinds the caller says so with scheduler_yielded(). A FUTEX_LOCK_PI that runs
 * because the lock is free may still be queued: the caller takes it out.
 */
enum sched_result scheduler_next(struct scheduler *s,
				 const struct scheduler_env *env);

/*
 * A choice of another kind, for the current task: WAKE among nr tasks given in
 * `tasks`, or VALUE below nr (tasks NULL). Logged when nr > 1. On SCHED_RUN
 * *chosen is the task id or value.
 */
enum sched_result scheduler_choose(struct scheduler *s,
				   const struct scheduler_env *env,
				   enum explore_point_kind point,
				   uint32_t object, uint32_t nr,
				   const uint32_t *tasks, uint32_t *chosen);

/* Let virtual time pass, to at least `now_ns`, while somebody computes. */
void scheduler_advance(struct scheduler *s, uint64_t now_ns);

/* The same while everybody waits: no processor time. */
void scheduler_idle(struct scheduler *s, uint64_t now_ns);

/* Virtual processor time of all tasks together. */
static inline uint64_t scheduler_busy_ns(const struct scheduler *s)
{
	return s->now_ns - s->config.start_ns - s->idle_ns;
}

/* Fold a result of t's operation into the digest, with its next event. */
void scheduler_note_result(struct scheduler *s, uint32_t t, uint64_t value);

/*
 * Task `t` gave way without progress (yield, sleep, failed trylock). Fairness
 * as in Musuvathi and Qadeer, "Fair stateless model checking" (PLDI 2008):
 * from its second yield on, t is offered only when no task is enabled that
 * stayed enabled and unscheduled since t's previous yield, or that only t has
 * kept from running now and then. With `strong`, that holds from this yield on,
 * against every task enabled now. Context: t is the task that runs.
 */
void scheduler_yielded(struct scheduler *s, uint32_t t, bool strong);

/* -------------------------------------- what operations do to objects */

#endif /* SCHEDULER_SCHEDULER_H */
