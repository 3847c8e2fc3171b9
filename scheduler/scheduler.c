/* SPDX-License-Identifier: MIT */
/*
 * scheduler.c - life cycle, tasks, the choice of who is next, the log.
 *
 * scheduler_next() runs once per operation of the target: it is the hot path
 * of the whole tool.
 */
#include "scheduler/internal.h"
#include "scheduler/valid.h"
#include "scheduler/objects.h"

/* --------------------------------------------------------------- digest */

#define DIGEST_START 0x6a7d5b3c91e2f48bull
#define DIGEST_OTHER 0xc2b2ae3d27d4eb4full

/* For each h a bijection of `word`: one difference always shows. */
static inline uint64_t fold(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0xd6e8feb86659fd93ull;
	return h ^ (h >> 32);
}

/*
 * Everything that makes two runs the same run, and nothing that depends on
 * where things lie in memory. Two lanes, because multiplications wait.
 */
static inline __attribute__((always_inline)) uint64_t
digest_event(uint64_t digest, const struct sched_event *e, uint32_t nr,
	     uint32_t site, uint64_t result)
{
	bool is_timeout = e->flags & SCHED_EVENT_TIMEOUT;
	uint64_t what = e->point | (uint64_t)e->kind << 8 |
			(uint64_t)is_timeout << 16 | (uint64_t)e->task << 32;
	uint64_t objects = e->object | (uint64_t)e->object2 << 32;
	uint64_t choice = e->chosen | (uint64_t)nr << 32;
	uint64_t a = fold(fold(digest, what), objects);
	uint64_t b = fold(fold(DIGEST_OTHER ^ site, choice), result);

	return fold(a, b * 0x9fb21c651e98df25ull);
}

void scheduler_note_result(struct scheduler *s, uint32_t t, uint64_t value)
{
	/* The constant makes a result of 0 differ from none. */
	s->task[t].result = fold(s->task[t].result ^ DIGEST_OTHER, value);
}

/* ----------------------------------------------------------- life cycle */

static void clear(void *start, uint64_t bytes)
{
	__builtin_memset(start, 0, bytes);
}

void scheduler_init(struct scheduler *s, const struct scheduler_config *config)
{
	clear(s->task, s->nr_tasks * sizeof(s->task[0]));
	clear(s->object, s->nr_objects * sizeof(s->object[0]));
	clear(s->bucket, s->nr_buckets * sizeof(s->bucket[0]));
	clear(s->nr_ops, sizeof(s->nr_ops));
	s->config = *config;
	s->step = 0;
	s->now_ns = config->start_ns;
	s->digest = DIGEST_START;
	s->nr_preemptions = 0;
	s->nr_switches = 0;
	s->last_progress = 0;
	s->nr_spins = 0;
	s->spin_effects = 0;
	s->nr_effects = 0;
	s->nr_lockings = 0;
	s->turn_left = 0;
	s->turn_length = SCHED_TURN_PICKS;
	s->nr_turns = 0;
	s->ticks = 0;
	s->alarm_ns = SCHED_NEVER;
	s->busy_alarm_ns = SCHED_NEVER;
	s->idle_ns = 0;
	s->has_world = 0;
	s->waited_step = 0;
	s->current = 0;
	s->nr_settled = 0;
	s->settled_index = 0;
	s->settled_until_ns = 0;
	s->nr_tasks = 0;
	s->nr_live = 0;
	s->max_live = 0;
	s->nr_objects = 0;
	s->nr_buckets = SCHED_MIN_BUCKETS;
	s->nr_reusable = 0;
	s->next_reusable = 0;
	s->look_at = SCHED_FRESH_TASKS;
	s->nr_reused = 0;
}

/* --------------------------------------------------------- ids used again */

static void set_reusable(struct scheduler *s, uint32_t t, bool is_reusable)
{
	struct sched_task *task = &s->task[t];
	bool was = task->flags & SCHED_TASK_REUSABLE;

	if (is_reusable && !was) {
		task->flags |= SCHED_TASK_REUSABLE;
		s->nr_reusable++;
	} else if (!is_reusable && was) {
		task->flags &= (uint16_t)~SCHED_TASK_REUSABLE;
		s->nr_reusable--;
	}
}

/* An object that an ended task holds says so by its id. */
static void keep_holders(struct scheduler *s, const struct sched_object *o)
{
	if (o->owner)
		set_reusable(s, o->owner - 1, false);
	for (uint32_t i = 0; i < o->nr_holders; i++)
		set_reusable(s, o->holder[i], false);
}

static void find_reusable(struct scheduler *s)
{
	/* Not main's: it is the process's, too. */
	for (uint32_t t = 1; t < s->nr_tasks; t++)
		if (s->task[t].state == SCHED_TASK_DEAD && t != s->current &&
		    s->task[t].flags &
			    (SCHED_TASK_JOINED | SCHED_TASK_DETACHED))
			set_reusable(s, t, true);
	for (uint32_t id = 1; id <= s->nr_objects; id++)
		keep_holders(s, &s->object[id - 1]);
	s->next_reusable = 0;
	if (s->nr_reusable < SCHED_FRESH_MORE)	/* looking is dear */
		s->look_at = s->nr_tasks + SCHED_FRESH_MORE < SCHED_MAX_TASKS ?
			     s->nr_tasks + SCHED_FRESH_MORE : SCHED_MAX_TASKS;
}

static uint32_t take_reusable(struct scheduler *s)
{
	uint32_t t = s->next_reusable;

	while (!(s->task[t].flags & SCHED_TASK_REUSABLE))
		t++;
	s->next_reusable = t + 1;
	s->nr_reusable--;
	s->nr_reused++;
	clear(&s->task[t], sizeof(s->task[t]));
	return t;
}

/* An id for a new task, its state cleared; SCHED_MAX_TASKS: there is none. */
static uint32_t choose_id(struct scheduler *s)
{
	if (!s->nr_reusable && s->nr_tasks >= s->look_at)
		find_reusable(s);
	if (s->nr_reusable)
		return take_reusable(s);
	return s->nr_tasks < SCHED_MAX_TASKS ? s->nr_tasks++ : SCHED_MAX_TASKS;
}

/* Keep the list in order. */
static void add_live(struct scheduler *s, uint32_t t)
{
	uint32_t i = s->nr_live++;

	for (; i && s->live[i - 1] > t; i--) {
		s->live[i] = s->live[i - 1];
		SCHED_NO_IDIOM();
	}
	s->live[i] = (uint16_t)t;
}

int scheduler_task_new(struct scheduler *s, uint32_t parent, uint64_t pc)
{
	uint32_t id;
	struct sched_announce start = {
		.kind = EXPLORE_OP_THREAD_START,
		.pc = pc,
	};
	struct sched_task *t;

	if (s->nr_objects >= SCHED_MAX_OBJECTS)
		return -1;
	id = choose_id(s);
	if (id == SCHED_MAX_TASKS)
		return -1;
	start.object = scheduler_object_id(s, SCHED_CLASS_THREAD, id, pc);
	t = &s->task[id];
	scheduler_changed(s);
	t->state = SCHED_TASK_ALIVE;
	t->id = id;
	t->parent = parent;
	add_live(s, id);
	if (s->nr_live > s->max_live)
		s->max_live = s->nr_live;
	scheduler_announce(s, id, &start);
	return (int)id;
}

void scheduler_task_exit(struct scheduler *s, uint32_t t)
{
	uint32_t i = 0;

	if (s->task[t].state != SCHED_TASK_ALIVE)
		return;
	scheduler_changed(s);
	scheduler_unwait(s, t, SCHED_WAKE_NONE);
	s->task[t].state = SCHED_TASK_DEAD;
	s->task[t].enabled_since = 0;
	s->task[t].deadline_ns = SCHED_NEVER;
	while (s->live[i] != t)
		i++;
	s->nr_live--;
	for (; i < s->nr_live; i++) {
		s->live[i] = s->live[i + 1];
		SCHED_NO_IDIOM();
	}
}

/* ----------------------------------------------------------------- time */

void scheduler_advance(struct scheduler *s, uint64_t now_ns)
{
	if (now_ns > s->now_ns)
		s->now_ns = now_ns;
}

void scheduler_idle(struct scheduler *s, uint64_t now_ns)
{
	if (now_ns <= s->now_ns)
		return;
	s->idle_ns += now_ns - s->now_ns;
	if (s->busy_alarm_ns != SCHED_NEVER)
		s->busy_alarm_ns += now_ns - s->now_ns;
	s->now_ns = now_ns;
}

uint64_t scheduler_next_deadline(const struct scheduler *s)
{
	uint64_t next = SCHED_NEVER;

	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct sched_task *t = &s->task[s->live[i]];

		if (t->deadline_ns < next &&
		    !scheduler__has_come(s, t->deadline_ns))
			next = t->deadline_ns;
	}
	return next;
}

/* ------------------------------------------------- asking and recording */

static uint16_t clamp16(uint32_t value)
{
	return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

static inline enum sched_result ask(struct scheduler *s,
			     const struct scheduler_env *env,
			     const struct explore_point *point,
			     struct explore_decision *decision)
{
	if (env->script && s->step >= env->nr_script)
		return SCHED_DIVERGED;
	*decision = env->ask ? env->ask(env, point) :
			       env->strategy->pick(env->state, point);
	if (decision->index < point->nr)
		return SCHED_RUN;
	return decision->index == EXPLORE_PICK_DIVERGED ? SCHED_DIVERGED :
							  SCHED_BAD_PICK;
}

static bool is_as_recorded(const struct sched_event *got,
			   const struct sched_event *expected)
{
	return got->task == expected->task && got->kind == expected->kind &&
	       got->object == expected->object &&
	       got->object2 == expected->object2 &&
	       got->chosen == expected->chosen && got->nr == expected->nr &&
	       got->digest == expected->digest;
}

/*
 * Make log[step], which is filled but for its digest, an event of the run. A
 * replay that differs keeps it in its slot, for the report, and does not count
 * it.
 */
static inline __attribute__((always_inline)) enum sched_result
record(struct scheduler *s, const struct scheduler_env *env, uint32_t nr,
       uint32_t site)
{
	struct sched_event *e = &env->log[s->step];
	struct sched_task *t = &s->task[e->task];
	uint64_t digest = digest_event(s->digest, e, nr, site, t->result);

	e->digest = (uint32_t)digest;
	if (env->script && !is_as_recorded(e, &env->script[s->step]))
		return SCHED_DIVERGED;
	s->digest = digest;
	t->result = 0;
	s->nr_ops[e->kind]++;
	s->step++;
	return SCHED_RUN;
}

/* WAKE among s->candidate[0 .. nr) or VALUE below nr; nr > 1. */
static enum sched_result choose(struct scheduler *s,
				const struct scheduler_env *env,
				enum explore_point_kind kind, uint32_t object,
				uint32_t nr, uint32_t *chosen)
{
	const struct sched_task *t = &s->task[s->current];
	struct explore_point point = {
		.step = s->step,
		.kind = kind,
		.nr = nr,
		.candidate = kind == EXPLORE_POINT_VALUE ? 0 : s->candidate,
		.previous = -1,
		.previous_task = s->current,
	};
	struct explore_decision decision = { 0 };
	struct sched_event *e;
	enum sched_result result;

	if (s->step >= s->config.max_steps)
		return SCHED_STEP_LIMIT;
	e = &env->log[s->step];
	*e = (struct sched_event){
		.pc = t->pc,
		.object = object,
		.chosen = UINT32_MAX,
		.task = (uint16_t)s->current,
		.nr = clamp16(nr),
		.point = (uint8_t)kind,
		.kind = kind == EXPLORE_POINT_WAKE ? EXPLORE_OP_WAKE_ORDER :
						     EXPLORE_OP_CHOOSE,
		.now_ns = s->now_ns,
	};
	result = ask(s, env, &point, &decision);
	if (result != SCHED_RUN)
		return result;
	e->chosen = kind == EXPLORE_POINT_WAKE ?
			    s->candidate[decision.index].task :
			    decision.index;
	result = record(s, env, nr, t->op.site);
	if (result == SCHED_RUN)
		*chosen = e->chosen;
	return result;
}

enum sched_result scheduler_choose(struct scheduler *s,
				   const struct scheduler_env *env,
				   enum explore_point_kind point,
				   uint32_t object, uint32_t nr,
				   const uint32_t *tasks, uint32_t *chosen)
{
	SCHED_ASSERT(nr);
	SCHED_ASSERT(point == EXPLORE_POINT_VALUE ||
		     (point == EXPLORE_POINT_WAKE && tasks));
	if (nr == 1) {
		*chosen = point == EXPLORE_POINT_WAKE ? tasks[0] : 0;
		return SCHED_RUN;
	}
	scheduler_changed(s);
	if (point == EXPLORE_POINT_WAKE)
		for (uint32_t i = 0; i < nr; i++)
			s->candidate[i] = s->task[tasks[i]].op;
	return choose(s, env, point, object, nr, chosen);
}

enum sched_result scheduler__choose_waiter(struct scheduler *s,
					   const struct scheduler_env *env,
					   uint32_t object, uint32_t nr,
					   uint32_t *chosen)
{
	if (nr == 1) {
		*chosen = s->candidate[0].task;
		return SCHED_RUN;
	}
	return choose(s, env, EXPLORE_POINT_WAKE, object, nr, chosen);
}

/* ----------------------------------------------------- who can run next */

/* What one look at all live tasks tells. */
struct scan {
	uint32_t nr;		/* enabled: s->candidate[0 .. nr) */
	uint32_t nr_yields;	/* of them at YIELD or SPIN */
	uint32_t nr_idle;	/* of them proved to wait for another */
	uint32_t nr_giving_way;	/* of them with EXPLORE_OP_F_YIELDS */
	bool has_window;	/* some have yielded: fairness matters */
	bool has_external;
	/* Of those that are not enabled. SCHED_NEVER: none is to come. */
	uint64_t next_deadline_ns;
};

/*
 * Nothing has changed since the round began that the task went: whenever it
 * goes on, it comes back here. A SPIN without a proof is taken for one.
 */
static bool is_idle(const struct scheduler *s, const struct sched_task *t,
		    const struct explore_op *op)
{
	if (!(op->flags & EXPLORE_OP_F_IDLE))
		return op->kind == EXPLORE_OP_SPIN;
	return t->idle_effects == s->nr_effects + 1 &&
	       (!t->idle_lockings || t->idle_lockings == s->nr_lockings + 1);
}

static inline void add_candidate(struct scheduler *s, struct scan *scan,
				 struct sched_task *t,
				 enum sched_readiness readiness)
{
	struct explore_op *op = &s->candidate[scan->nr++];

	*op = t->op;
	if (readiness == SCHED_ENABLED_TIMEOUT)
		op->flags |= EXPLORE_OP_F_TIMEOUT;
	if (!t->enabled_since)
		t->enabled_since = s->step + 1;
	scan->has_window |= t->window != 0;
	if (op->flags & EXPLORE_OP_F_YIELDS) {
		scan->nr_giving_way++;
		scan->nr_idle += is_idle(s, t, op);
		scan->nr_yields += op->kind == EXPLORE_OP_SPIN ||
				   op->kind == EXPLORE_OP_YIELD;
	}
}

static struct scan look(struct scheduler *s)
{
	struct scan scan = { .next_deadline_ns = SCHED_NEVER };

	for (uint32_t i = 0; i < s->nr_live; i++) {
		struct sched_task *t = &s->task[s->live[i]];
		enum sched_readiness readiness = scheduler__readiness(s, t);

		scan.has_external |= (t->flags & SCHED_TASK_EXTERNAL) != 0;
		if (readiness != SCHED_DISABLED) {
			add_candidate(s, &scan, t, readiness);
			continue;
		}
		if (t->enabled_since)
			scheduler__disabled(s, t);
		/* One that has come did not help: it needs its mutex. */
		if (t->deadline_ns < scan.next_deadline_ns &&
		    !scheduler__has_come(s, t->deadline_ns))
			scan.next_deadline_ns = t->deadline_ns;
	}
	return scan;
}

/*
 * Whether those who can run only turn in circles, so that the sleepers must
 * get their turn although virtual time has not come that far.
 */
static bool is_stale(const struct scheduler *s, const struct scan *scan)
{
	return scan->nr_idle == scan->nr ||
	       (scan->nr_yields == scan->nr &&
		s->step - s->last_progress >= SCHED_STALE_STEPS);
}

/* Whether other processes get real time before virtual time jumps. */
static bool waits_for_world(const struct scheduler *s, const struct scan *scan,
			    uint64_t alarm_ns)
{
	/* They turn in circles: a while for each step */
	if (scan->nr)
		return s->waited_step != s->step + 1;
	return alarm_ns != SCHED_NEVER ||
	       scan->next_deadline_ns != SCHED_NEVER;
}

/* A prime: a lock may be held at every second step. */
#define STARVATION_LOOK 509u

/*
 * Nobody but those who wait can run. A replay has not looked as closely as the
 * recorded run did, and takes it from that at its end.
 */
static bool is_livelock(const struct scheduler *s,
			const struct scheduler_env *env,
			const struct scan *scan)
{
	if (!scan->nr)
		return false;
	if (env->script && s->step >= env->nr_script)
		return scan->nr_giving_way == scan->nr;
	return scan->nr_idle == scan->nr && s->nr_spins >= SCHED_SPIN_LIMIT;
}

/* Fill s->candidate, moving time on where nobody can run before. */
static enum sched_result collect(struct scheduler *s,
				 const struct scheduler_env *env,
				 struct scan *scan)
{
	for (;;) {
		uint64_t alarm_ns;

		*scan = look(s);
		if (scan->nr && !is_stale(s, scan))
			return SCHED_RUN;
		alarm_ns = scan->nr ? s->busy_alarm_ns : s->alarm_ns;
		if (s->has_world && waits_for_world(s, scan, alarm_ns))
			return SCHED_OUTSIDE;
		if (scan->has_external) {
			/* Spinning on will not make the world move faster. */
			return scan->nr != scan->nr_idle ? SCHED_RUN :
							   SCHED_OUTSIDE;
		}
		if (alarm_ns != SCHED_NEVER &&
		    alarm_ns <= scan->next_deadline_ns)
			return SCHED_ALARM;
		if (scan->next_deadline_ns == SCHED_NEVER)
			break;
		if (scan->nr)
			s->now_ns = scan->next_deadline_ns;
		else
			scheduler_idle(s, scan->next_deadline_ns);
	}
	/* And nothing is to come. */
	if (is_livelock(s, env, scan))
		return SCHED_LIVELOCK;
	if (scan->nr)
		return SCHED_RUN;
	return s->nr_live ? SCHED_DEADLOCK : SCHED_FINISHED;
}

static int32_t find_candidate(const struct scheduler *s, uint32_t nr,
			      uint32_t task)
{
	for (uint32_t i = 0; i < nr; i++)
		if (s->candidate[i].task == task)
			return (int32_t)i;
	return -1;
}

/* The task was picked only because its deadline has come. */
static void time_out(struct scheduler *s, struct sched_task *t)
{
	t->op.flags |= EXPLORE_OP_F_TIMEOUT;
	scheduler_unwait(s, t->id, SCHED_WAKE_TIMEOUT);
	scheduler_yielded(s, t->id, false);
}

/*
 * The event of candidate `op` being picked at `point`, but for its digest.
 * Written once, in order: this is most of what an operation costs.
 */
static void describe(const struct scheduler *s,
		     const struct explore_point *point,
		     const struct explore_op *op, uint64_t ticks,
		     struct sched_event *e)
{
	const struct sched_task *t = &s->task[op->task];
	uint64_t now_ns = s->now_ns;
	uint8_t flags = op->flags & EXPLORE_OP_F_YIELDS ? SCHED_EVENT_YIELDS :
							  0;

	if (op->flags & EXPLORE_OP_F_TIMEOUT) {
		flags |= SCHED_EVENT_TIMEOUT;
		/* Taken up to slack_ns early. */
		if (t->deadline_ns > now_ns)
			now_ns = t->deadline_ns;
	}
	if (op->task != s->current) {
		flags |= SCHED_EVENT_SWITCH;
		if (point->previous >= 0 &&
		    !(point->candidate[point->previous].flags &
		      EXPLORE_OP_F_YIELDS))
			flags |= SCHED_EVENT_PREEMPTION;
	}
	if (op->flags & EXPLORE_OP_F_PROBED)
		flags |= SCHED_EVENT_PROBED;
	e->pc = t->pc;
	e->object = op->object;
	e->object2 = op->object2;
	e->chosen = op->task;
	e->task = (uint16_t)op->task;
	e->nr = clamp16(point->nr);
	e->point = EXPLORE_POINT_TASK;
	e->kind = (uint8_t)op->kind;
	e->flags = flags;
	e->reserved = 0;
	e->now_ns = now_ns;
	e->ticks = ticks;
}

enum effect {
	CHANGES = 0,
	CHANGES_NOTHING,	/* or the caller counts it */
	LOCKS,
};

static const uint8_t effect_of[EXPLORE_OP_NR] = {
	[EXPLORE_OP_MUTEX_LOCK] = LOCKS,
	[EXPLORE_OP_MUTEX_UNLOCK] = LOCKS,
	[EXPLORE_OP_SPIN_LOCK] = LOCKS,
	[EXPLORE_OP_SPIN_UNLOCK] = LOCKS,
	[EXPLORE_OP_RWLOCK_RDLOCK] = LOCKS,
	[EXPLORE_OP_RWLOCK_WRLOCK] = LOCKS,
	[EXPLORE_OP_RWLOCK_UNLOCK] = LOCKS,
	[EXPLORE_OP_MUTEX_TRYLOCK] = CHANGES_NOTHING,
	[EXPLORE_OP_SPIN_TRYLOCK] = CHANGES_NOTHING,
	[EXPLORE_OP_RWLOCK_TRYRDLOCK] = CHANGES_NOTHING,
	[EXPLORE_OP_RWLOCK_TRYWRLOCK] = CHANGES_NOTHING,
	[EXPLORE_OP_SEM_TRYWAIT] = CHANGES_NOTHING,
	[EXPLORE_OP_SEM_GETVALUE] = CHANGES_NOTHING,
	[EXPLORE_OP_YIELD] = CHANGES_NOTHING,
	[EXPLORE_OP_SPIN] = CHANGES_NOTHING,
	[EXPLORE_OP_TICK] = CHANGES_NOTHING,
	[EXPLORE_OP_MEMORY_READ] = CHANGES_NOTHING,
	[EXPLORE_OP_MEMORY_WRITE] = CHANGES_NOTHING,
	[EXPLORE_OP_ATOMIC_READ] = CHANGES_NOTHING,
	[EXPLORE_OP_ATOMIC_WRITE] = CHANGES_NOTHING,
	[EXPLORE_OP_ATOMIC_RMW] = CHANGES_NOTHING,
};

static void count_effect(struct scheduler *s, const struct sched_task *t,
			 const struct sched_event *e)
{
	uint8_t effect = e->flags & SCHED_EVENT_TIMEOUT ? CHANGES :
							  effect_of[e->kind];

	s->nr_effects += effect == CHANGES;
	s->nr_lockings += effect == LOCKS;
	if (s->spin_effects != s->nr_effects) {
		s->spin_effects = s->nr_effects;
		s->nr_spins = 0;
	}
	if (t->op.flags & EXPLORE_OP_F_YIELDS)
		s->nr_spins += is_idle(s, t, &t->op);
}

/* The event is in the log: make its task the one that runs. */
static void resume(struct scheduler *s, const struct sched_event *e)
{
	struct sched_task *t = &s->task[e->task];

	s->now_ns = e->now_ns;
	s->current = e->task;
	s->ticks = e->ticks;
	s->nr_switches += (e->flags & SCHED_EVENT_SWITCH) != 0;
	s->nr_preemptions += (e->flags & SCHED_EVENT_PREEMPTION) != 0;
	count_effect(s, t, e);
	t->nr_ops++;
	t->last_scheduled = s->step;	/* counts this event already */
	t->disabled_by = 0;
	if (e->flags & SCHED_EVENT_TIMEOUT)
		time_out(s, t);
	else if (!(t->op.flags & EXPLORE_OP_F_YIELDS))
		s->last_progress = s->step - 1;
}

/*
 * Of s->candidate[0 .. nr); s->current is the one at `previous`, or -1. Leaves
 * in s->settled_index which it was.
 */
static inline enum sched_result pick(struct scheduler *s,
				     const struct scheduler_env *env,
				     uint32_t nr, int32_t previous)
{
	struct explore_point point = {
		.step = s->step,
		.kind = EXPLORE_POINT_TASK,
		.nr = nr,
		.candidate = s->candidate,
		.previous = previous,
		.previous_task = s->current,
	};
	struct sched_event *e = &env->log[s->step];
	struct explore_decision decision = { 0 };
	const struct explore_op *op;
	enum sched_result result;

	result = ask(s, env, &point, &decision);
	if (result != SCHED_RUN) {
		*e = (struct sched_event){
			.chosen = UINT32_MAX,
			.task = (uint16_t)s->current,
			.nr = clamp16(nr),
			.point = EXPLORE_POINT_TASK,
			.now_ns = s->now_ns,
		};
		return result;
	}
	op = &s->candidate[decision.index];
	s->settled_index = decision.index;
	describe(s, &point, op, decision.ticks, e);
	result = record(s, env, nr, op->site);
	if (result == SCHED_RUN)
		resume(s, e);
	return result;
}

/* Behind it the task goes on in its own code, and does nothing but compute. */
static bool is_access(uint16_t kind)
{
	return kind >= EXPLORE_OP_MEMORY_READ && kind <= EXPLORE_OP_ATOMIC_RMW;
}

/*
 * The long way: look at all tasks. What was found holds for the next choice,
 * too, when an access was picked and fairness had no say.
 */
static enum sched_result next_of_all(struct scheduler *s,
				     const struct scheduler_env *env)
{
	enum sched_result result;
	struct scan scan;
	uint32_t nr;

	s->nr_settled = 0;
	result = collect(s, env, &scan);
	if (result == SCHED_RUN && s->step >= s->config.max_steps)
		result = SCHED_STEP_LIMIT;
	if (result != SCHED_RUN)
		return result;
	nr = scan.nr;
	if (scan.has_window && nr > 1)
		nr = scheduler__fair_filter(s, nr);
	if (s->turn_left && nr > 1)
		nr = scheduler__turn_filter(s, nr);
	else if (s->step % STARVATION_LOOK == 0 && nr > 1)
		nr = scheduler__starved_filter(s, nr);
	result = pick(s, env, nr, find_candidate(s, nr, s->current));
	if (result == SCHED_RUN && !scan.has_window && nr == scan.nr &&
	    is_access(s->task[s->current].op.kind)) {
		s->nr_settled = nr;
		s->settled_until_ns = scan.next_deadline_ns;
	}
	return result;
}

static bool is_settled(const struct scheduler *s)
{
	return s->nr_settled &&
	       !(s->task[s->current].op.flags &
		 (EXPLORE_OP_F_BLOCKING | EXPLORE_OP_F_YIELDS)) &&
	       !scheduler__has_come(s, s->settled_until_ns) &&
	       s->step % STARVATION_LOOK && s->step < s->config.max_steps;
}

#ifdef EXPLORE_CHECKS_FULL
static bool is_as_looked_up(struct scheduler *s)
{
	static struct explore_op settled[SCHED_MAX_TASKS];
	uint32_t nr = s->nr_settled;

	for (uint32_t i = 0; i < nr; i++)
		settled[i] = s->candidate[i];
	if (look(s).nr != nr)
		return false;
	for (uint32_t i = 0; i < nr; i++)
		if (settled[i].task != s->candidate[i].task ||
		    settled[i].kind != s->candidate[i].kind ||
		    settled[i].flags != s->candidate[i].flags)
			return false;
	return true;
}
#endif

/* The short way: only the current task has something new to do. */
static enum sched_result next_of_settled(struct scheduler *s,
					 const struct scheduler_env *env)
{
	enum sched_result result;

	s->candidate[s->settled_index] = s->task[s->current].op;
#ifdef EXPLORE_CHECKS_FULL
	SCHED_ASSERT(is_as_looked_up(s));
#endif
	result = pick(s, env, s->nr_settled, (int32_t)s->settled_index);
	if (result != SCHED_RUN || !is_access(s->task[s->current].op.kind))
		s->nr_settled = 0;
	return result;
}

enum sched_result scheduler_next(struct scheduler *s,
				 const struct scheduler_env *env)
{
	uint64_t before_ns = s->now_ns, before_idle_ns = s->idle_ns;
	uint64_t before_alarm_ns = s->busy_alarm_ns;
	enum sched_result result;

#ifdef EXPLORE_CHECKS_FULL
	SCHED_ASSERT(scheduler_is_valid(s));
#endif
	s->now_ns += s->config.op_cost_ns;
	result = is_settled(s) ? next_of_settled(s, env) : next_of_all(s, env);
	if (result != SCHED_RUN) {
		s->now_ns = before_ns;
		s->idle_ns = before_idle_ns;
		s->busy_alarm_ns = before_alarm_ns;
	}
	return result;
}
