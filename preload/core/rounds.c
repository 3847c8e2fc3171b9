/* SPDX-License-Identifier: MIT */
/*
 * rounds.c - proofs that a task waits.
 *
 * A mark is where the task stood once: a place, its registers, and the rest of
 * its state: its stack upwards from there, its thread-local data, its vector
 * registers. Marks are made anew at powers of two (Brent's way to find a
 * cycle), so that whatever led into the loop does not matter. The rest is
 * looked at only where the registers have come back: that is rare where a task
 * gets on.
 *
 * What changes something takes the mark away: a write that watched code makes,
 * unless it left what was there, or is to the stack, which is compared;
 * operations, system calls. Locks do not, as long as the round lets go of all
 * that it took. A try that failed depends on what others do with locks
 * meanwhile.
 *
 * A round with a call in it passes nothing on in registers that calls do not
 * keep, nor below the stack pointer: both hold what the runtime left there.
 *
 * Where the proof has a gap (libraries that are not watched count in memory of
 * their own), scheduler.c has many rounds go by before it calls that a
 * livelock.
 */
#include "preload/core/rounds.h"

#include "preload/core/core.h"

#define PAGE 4096ull
#define STACK_BYTES (32u << 10)	/* looked at, upwards */
#define THREAD_BYTES 1024u	/* of thread-local data, below the fs base */
#define RED_ZONE 128u
#define SAVED_WORDS 5u		/* registers that a function saves */
#define SAME_TRIES 64u		/* in a random search that is enough */

struct rounds {
	uint64_t place;		/* of the mark; 0: there is none */
	uint64_t saved, all;	/* registers there, as hashes */
	uint64_t rest;		/* likewise; 0: not looked at yet */
	uint64_t effects;	/* scheduler.nr_effects then */
	uint64_t lockings;	/* scheduler.nr_lockings then */
	uint64_t stack_end;	/* as once found; 0: unknown */
	uint32_t nr_looks, next_mark, next_rest;
	uint32_t nr_misses;	/* the registers came back alone */
	int32_t nr_held;	/* locks taken since the mark, less let go */
	uint32_t has_tried;	/* in vain, since the mark */
	uint32_t nr_tries;	/* in vain, one after the other */
	uint8_t has_called;	/* an interposed function, since the mark */
	uint8_t is_in_call;	/* of one: the library changes its own lock */
	uint16_t pad;
};

static struct rounds rounds[SCHED_MAX_TASKS];
struct rounds_update rounds_update;

/* --------------------------------------------------------------- hashes */

struct hash {
	uint64_t a, b;
};

static inline void add_two(struct hash *h, uint64_t x, uint64_t y)
{
	h->a = (h->a ^ x) * 0x9e3779b97f4a7c15ull;
	h->b = (h->b ^ y) * 0xd6e8feb86659fd93ull;
	h->a ^= h->a >> 32;
	h->b ^= h->b >> 32;
}

static void add_words(struct hash *h, const uint64_t *word, uint64_t nr)
{
	for (; nr >= 2; nr -= 2, word += 2)
		add_two(h, word[0], word[1]);
	if (nr)
		add_two(h, word[0], 0);
}

/* Never 0. */
static uint64_t value_of(const struct hash *h)
{
	uint64_t value = h->a ^ (h->b << 1 | h->b >> 63);

	return value ? value : 1;
}

/* [start, end) as far as it is there; returns where it ends. */
static uint64_t add_memory(struct hash *h, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t stop = (start & ~(PAGE - 1)) + PAGE;
		uint64_t word;

		if (!sys_load64((const uint64_t *)(uintptr_t)start, &word))
			break;
		if (stop > end)
			stop = end;
		add_words(h, (const uint64_t *)(uintptr_t)start,
			  (stop - start) / 8);
		start = stop;
	}
	return start;
}

#define CONTROL_WORDS 4u	/* of FXSAVE's area, before the registers */
#define VECTOR_WORDS 48u	/* st0 to st7, xmm0 to xmm15 */

/* FXSAVE's area, as it begins a signal frame's, too; NULL: still in them. */
static void add_vectors(struct hash *h, const uint64_t *area)
{
	static _Alignas(16) uint64_t own[64];

	if (!area) {
		__asm__ volatile("fxsave64 %0" : "=m"(own));
		area = own;
	}
	/* The control words of x87 and SSE. */
	add_two(h, area[0] & 0xffff, area[3] & 0xffffffff);
	add_words(h, area + CONTROL_WORDS, VECTOR_WORDS);
}

static uint64_t rest_of(struct rounds *r, const struct rounds_place *p)
{
	uint64_t sp = r->has_called ? p->sp : p->sp - RED_ZONE;
	struct hash h = { 0, 0 };
	uint64_t fs = sys_get_fs() & ~7ull, end = (sp & ~7ull) + STACK_BYTES;

	sp &= ~7ull;
	if (r->stack_end > sp && r->stack_end < end)
		end = r->stack_end;
	/* A thread's own data, and the C library's, are above its stack. */
	if (fs > sp && fs < end)
		end = fs;
	else
		add_memory(&h, fs - THREAD_BYTES, fs);
	r->stack_end = add_memory(&h, sp, end);
	/* A function called in between may have changed them all. */
	if (!r->has_called)
		add_vectors(&h, p->vectors);
	return value_of(&h);
}

/* ---------------------------------------------------------------- marks */

void rounds_forget(uint32_t t)
{
	struct rounds *r = &rounds[t];

	if (!r->nr_looks)
		return;
	r->place = 0;
	r->nr_looks = 0;
	r->nr_misses = 0;
	r->nr_tries = 0;
}

/* A round begins here. */
static void begin_round(struct rounds *r)
{
	const struct scheduler *s = &runtime_control->scheduler;

	r->effects = s->nr_effects;
	r->lockings = s->nr_lockings;
	r->nr_held = 0;
	r->has_tried = 0;
	r->has_called = 0;
}

static void make_mark(struct rounds *r, uint64_t place, uint64_t saved,
		      uint64_t all)
{
	r->place = place;
	r->saved = saved;
	r->all = all;
	r->rest = 0;
	r->next_mark = 2 * r->nr_looks;
	r->next_rest = 0;
	begin_round(r);
}

/* The registers have come back: has the rest? */
static bool has_rest(struct rounds *r, const struct rounds_place *p)
{
	uint64_t rest = rest_of(r, p);
	bool is_same;

	is_same = r->rest == rest && !r->nr_held;
	/* It counts on its stack: do not look so often. */
	if (r->rest && r->rest != rest && r->nr_misses < 64)
		r->nr_misses++;
	r->next_rest = r->nr_looks + r->nr_misses;
	r->rest = rest;
	return is_same;
}

static void prove(const struct rounds *r)
{
	struct sched_task *task = runtime_self_task();

	task->idle_effects = r->effects + 1;
	task->idle_lockings = r->has_tried ? r->lockings + 1 : 0;
}

bool rounds_is_back(const struct rounds_place *p)
{
	struct rounds *r = &rounds[runtime_self()];
	struct hash h = { 0, p->sp };
	uint64_t saved, all;
	bool is_same;

	r->nr_looks++;
	add_words(&h, p->saved, p->nr_saved);
	saved = value_of(&h);
	add_words(&h, p->other, p->nr_other);
	all = value_of(&h);
	if (r->place != p->place ||
	    (r->has_called ? r->saved != saved : r->all != all)) {
		if (!r->place || r->nr_looks >= r->next_mark)
			make_mark(r, p->place, saved, all);
		return false;
	}
	if (r->nr_looks < r->next_rest)
		return false;
	is_same = has_rest(r, p);
	if (is_same)
		prove(r);
	r->all = all;
	begin_round(r);
	return is_same;
}

bool rounds_is_back_at_call(const uint64_t *arg, const void *vectors)
{
	const struct control_task *k = core_self();
	const uint64_t word[] = {
		k->reg_bp, k->reg_bx, k->reg_12, k->reg_13, k->reg_14,
		k->reg_15,
	};
	const struct rounds_place p = {
		.place = k->reg_ip,
		.sp = k->reg_sp,
		.saved = word,
		.other = arg,
		.vectors = vectors,
		.nr_saved = sizeof(word) / sizeof(word[0]),
		.nr_other = 6,
	};

	rounds_settle();
	return rounds_is_back(&p);
}

uint16_t rounds_give_way(uint16_t flags)
{
	const struct sched_event *e = core_env.script ? core_recorded() : NULL;

	if (e && !(e->flags & SCHED_EVENT_YIELDS))
		flags = 0;
	else if (e)
		flags |= EXPLORE_OP_F_YIELDS;
	if (flags)
		scheduler_yielded(runtime_scheduler(), runtime_self(), false);
	return flags;
}

/* ----------------------------------------------------------------- tries */

static bool is_exhaustive(void)
{
	return runtime_control->config.flags & CONTROL_F_EXHAUSTIVE;
}

/*
 * A function's caller has its registers either in them still, or in the first
 * words below the function's frame address, where they were saved.
 */
uint16_t rounds_of_try(uint64_t pc, const struct rounds_registers *r,
		       const uint64_t *frame)
{
	uint32_t self = runtime_self();
	const struct rounds_place p = {
		.place = pc,
		.sp = (uintptr_t)(frame - SAVED_WORDS),
		.saved = &r->rbx,
		.nr_saved = sizeof(*r) / 8,
	};

	rounds_settle();
	rounds[self].has_called = 1;
	if (rounds_is_back(&p))
		return rounds_give_way(EXPLORE_OP_F_YIELDS |
				       EXPLORE_OP_F_IDLE);
	if (!is_exhaustive() && rounds[self].nr_tries >= SAME_TRIES)
		return rounds_give_way(EXPLORE_OP_F_YIELDS);
	return rounds_give_way(0);
}

void rounds_tried(bool has_failed, bool is_lock)
{
	uint32_t self = runtime_self();
	struct rounds *r = &rounds[self];

	if (has_failed) {
		r->has_tried = 1;
		r->nr_tries++;
		return;
	}
	r->nr_tries = 0;
	if (!is_lock)
		rounds_effect(self);
	else
		r->nr_held++;
}

/* ------------------------------------------------------------ operations */

enum effect {
	CHANGES = 0,
	CHANGES_NOTHING,
	TRIES,			/* and says how it ended */
	TAKES,
	LETS_GO,
};

static const uint8_t effect_of[EXPLORE_OP_NR] = {
	[EXPLORE_OP_MUTEX_LOCK] = TAKES,
	[EXPLORE_OP_MUTEX_TRYLOCK] = TRIES,
	[EXPLORE_OP_MUTEX_UNLOCK] = LETS_GO,
	[EXPLORE_OP_SPIN_LOCK] = TAKES,
	[EXPLORE_OP_SPIN_TRYLOCK] = TRIES,
	[EXPLORE_OP_SPIN_UNLOCK] = LETS_GO,
	[EXPLORE_OP_RWLOCK_RDLOCK] = TAKES,
	[EXPLORE_OP_RWLOCK_WRLOCK] = TAKES,
	[EXPLORE_OP_RWLOCK_TRYRDLOCK] = TRIES,
	[EXPLORE_OP_RWLOCK_TRYWRLOCK] = TRIES,
	[EXPLORE_OP_RWLOCK_UNLOCK] = LETS_GO,
	[EXPLORE_OP_SEM_TRYWAIT] = TRIES,
	[EXPLORE_OP_SEM_GETVALUE] = TRIES,
	[EXPLORE_OP_YIELD] = CHANGES_NOTHING,
	[EXPLORE_OP_SPIN] = CHANGES_NOTHING,
	[EXPLORE_OP_TICK] = CHANGES_NOTHING,
};

void rounds_announce(uint16_t kind)
{
	struct rounds *r = &rounds[runtime_self()];

	rounds_settle();
	r->is_in_call = 0;
	switch (effect_of[kind]) {
	case CHANGES_NOTHING:
		return;
	case TRIES:
		break;
	case TAKES:
		r->nr_held++;
		break;
	case LETS_GO:
		r->nr_held--;
		break;
	default:
		rounds_forget(runtime_self());
		return;
	}
	r->has_called = r->is_in_call = 1;
}

/* --------------------------------------------------------------- updates */

/*
 * What a task has on its stack and in its thread-local data is part of what is
 * compared. Only where it is looked at: another may wait for what a caller has
 * there, too.
 */
static bool is_compared(const struct rounds_update *u)
{
	return rounds[runtime_self()].nr_looks &&
	       (u->base - (u->sp - RED_ZONE) < STACK_BYTES ||
		u->base - (sys_get_fs() - THREAD_BYTES) < THREAD_BYTES);
}

static void end_changed(const struct rounds_update *u)
{
	if (is_compared(u))
		return;
	access_forget_reads(runtime_self());
	rounds_effect(runtime_self());
}

void rounds_begin_update(uint64_t addr, uint32_t size, uint64_t sp,
			 bool is_library)
{
	struct rounds_update *u = &rounds_update;
	uint64_t nr = ((addr & 7) + size + 7) / 8;

	if (is_library && rounds[runtime_self()].is_in_call)
		return;
	u->base = addr & ~7ull;
	u->sp = sp;
	for (uint32_t i = 0; i < nr; i++)
		if (i == 2 ||
		    !sys_load64((const uint64_t *)(uintptr_t)u->base + i,
				&u->value[i])) {
			end_changed(u);
			return;
		}
	u->nr = (uint32_t)nr;
}

/* Nobody else has run since. */
void rounds_end_update(void)
{
	struct rounds_update *u = &rounds_update;
	uint32_t nr = u->nr;

	u->nr = 0;
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t word;

		if (!sys_load64((const uint64_t *)(uintptr_t)u->base + i,
				&word) || word != u->value[i]) {
			end_changed(u);
			return;
		}
	}
}
