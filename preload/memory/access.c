/* SPDX-License-Identifier: MIT */
/*
 * access.c - memory accesses of the target, as trampolines report them.
 *
 * The tool planned the patches (instrument/); the zygote carries them out
 * (patched.c). From then on an instrumented instruction calls access_hook()
 * first. Which sites matter is learned: the detector says when an access
 * conflicts with another task's, and both sites are marked. The tool makes
 * marked sites live between runs; during one, the set is fixed, so a run
 * replays from its decisions and the set it began with. A live access is an
 * operation; the others only feed the detector, and cannot be seen in the
 * schedule.
 *
 * Context: on our stack of the task, below an arbitrary instruction of the
 * target: vector registers are live, see core.c.
 */
#include "preload/memory/access.h"

#include "preload/clock/clock.h"
#include "preload/memory/freed.h"
#include "preload/core/rounds.h"
#include "scheduler/objects.h"

/* Executions of one site in one run, without anything found: */
#define LIVE_HITS 4096u		/* as an operation, whatever the memory */
#define TICK_HITS 1024u		/* others get a turn to come by here, too */
#define HOT_HITS 8192u		/* then it is unpatched for this run */
#define HOT_HITS_ALL 262144u	/* the same, where all is to be watched */
#define SPIN_READS 512u		/* without a write: perhaps a spin */
#define PATIENT_READS 8192u	/* enough of them, spin or not */
#define IMPATIENT_READS 64u	/* where that was so several times before */
#define ALONE_HITS 256u		/* with no second task yet */
#define OFTEN_HITS 256u		/* then the tool may take it for private */
#define MEMORY_READS 8u
#define NEW_READS 64u
#define SAME_READS 64u	/* live ones: enough in a random search */

/* Private memory: counts of this run, so that they replay. */
static uint32_t run_hits[CONTROL_MAX_ACCESS];
static uint16_t run_hits_alone[CONTROL_MAX_ACCESS];
static uint8_t run_ticks[CONTROL_MAX_ACCESS];	/* of loops that count */

uint64_t access_held[5];
/* The task has been elsewhere in this hook: signals may be due. */
static bool was_operation;
/* A signal came before the access: when its handler has run, it is made. */
static bool must_redo;

/* ---------------------------------------------------- repeated reads */

/*
 * A task that reads the same values from the same places over and over waits
 * for another to change them. One entry a recent read since its last write.
 */
struct reads {
	uint32_t nr_quiet;	/* reads that were no operation */
	uint32_t nr_same;
	uint32_t nr_ops;	/* of the task, when nr_same began to count */
	uint32_t next;		/* entries made: the first so many are valid */
	struct {
		uint64_t addr, value;
		uint32_t site, pad;
	} entry[MEMORY_READS];
};

static struct reads reads[SCHED_MAX_TASKS];

#define ARITHMETIC_FLAGS 0x8d5ull

static inline void forget_reads(uint32_t t)
{
	struct reads *r = &reads[t];

	r->nr_quiet = 0;
	if (!r->next)
		return;
	r->next = 0;
	r->nr_same = 0;
}

void access_forget_reads(uint32_t t)
{
	forget_reads(t);
}

/* The current task is about to write, without a stop before that. */
static inline void note_write(uint32_t t)
{
	forget_reads(t);
	rounds_effect(t);
}

static uint32_t nr_operations(uint32_t t)
{
	return runtime_control->scheduler.task[t].nr_ops;
}

/* Whether the task read just that here since it last did anything else. */
static bool is_repeated(uint32_t t, uint32_t site, uint64_t addr)
{
	struct reads *r = &reads[t];
	uint32_t nr = r->next < MEMORY_READS ? r->next : MEMORY_READS, i;
	uint64_t value = 0;

	sys_load64((void *)(uintptr_t)(addr & ~7ull), &value);
	for (i = 0; i < nr; i++)
		if (r->entry[i].site == site && r->entry[i].addr == addr)
			break;
	if (i < nr && r->entry[i].value == value) {
		if (!r->nr_same)
			r->nr_ops = nr_operations(t);
		r->nr_same++;
		return true;
	}
	r->nr_same = 0;
	if (i == nr)
		i = r->next++ % MEMORY_READS;
	r->entry[i].site = site;
	r->entry[i].addr = addr;
	r->entry[i].value = value;
	return false;
}

/*
 * The same for a read that is no operation. Code that computes writes now and
 * then, so nothing is remembered before a task has read a while.
 */
static inline bool is_repeated_quietly(uint32_t t, uint32_t site, uint64_t addr)
{
	if (__builtin_expect(++reads[t].nr_quiet < NEW_READS, 1))
		return false;
	return is_repeated(t, site, addr);
}

/*
 * Reads without a write in between: now and then a quarter of them is worth a
 * closer look, for as long as a round may take.
 */
static inline bool is_worth_a_look(uint32_t nr)
{
	uint32_t first;

	if (nr < SPIN_READS)
		return false;
	first = 1u << (31 - __builtin_clz(nr));
	return nr < first + first / 4;
}

/* ------------------------------------------------- where the task stands */

/* For unwinders: the access itself. What access_show() needs to know. */
static void show_access(struct control_task *k, uint32_t site,
			const struct access_frame *f)
{
	k->reg_ip = runtime_control->access[site].addr;
	k->reg_sp = f->sp + ACCESS_PUSHED + ACCESS_RED_ZONE;
}

static const struct access_frame *frame_of(const struct control_task *k)
{
	uint32_t task = (uint32_t)(k - runtime_control->task);

	return (const struct access_frame *)(uintptr_t)core_stack_of(task) - 1;
}

uint64_t access_continues_at(const struct control_task *k)
{
	return frame_of(k)->return_address;
}

void access_show(struct control_task *k)
{
	const struct access_frame *f = frame_of(k);

	k->reg_bp = f->rbp;
	k->reg_bx = f->rbx;
	k->reg_12 = f->r12;
	k->reg_13 = f->r13;
	k->reg_14 = f->r14;
	k->reg_15 = f->r15;
}

/* For the end of the run, right here. */
static void show_now(uint32_t site, const struct access_frame *f)
{
	show_access(core_self(), site, f);
	access_show(core_self());
}

/* ----------------------------------------------------------- detection */

static void learn(uint32_t site)
{
	struct control *c = runtime_control;

	if (site >= CONTROL_MAX_ACCESS ||
	    c->access_state[site] & CONTROL_ACCESS_LEARNED)
		return;
	c->access_state[site] |= CONTROL_ACCESS_LEARNED;
	c->nr_learned++;
}

static bool is_order_only(uint32_t site)
{
	return site < runtime_control->nr_access &&
	       runtime_control->access[site].order_only;
}

/* Ordered in this run; the tool has some runs see whether it is always so. */
static void share(uint32_t site)
{
	struct control *c = runtime_control;

	if (site < CONTROL_MAX_ACCESS && !is_order_only(site))
		c->access_state[site] |= CONTROL_ACCESS_SHARED;
}

/* How many of race[] this run has added, at its end. */
static uint32_t nr_noted;

static struct control_race *find_race(struct control *c, uint64_t a, uint64_t b)
{
	/* Sites race over and over: look where the pair was found last. */
	static uint32_t recent[64];
	uint32_t *at = &recent[((a ^ b >> 3) >> 1) % 64];

	for (uint32_t i = 0; i < c->nr_races; i++) {
		struct control_race *r = &c->race[(*at + i) % c->nr_races];

		if ((r->pc != a || r->other_pc != b) &&
		    (r->pc != b || r->other_pc != a))
			continue;
		*at = (uint32_t)(r - c->race);
		return r;
	}
	return NULL;
}

static void note_race(const struct races_found *f)
{
	struct control *c = runtime_control;
	struct control_race *r;
	uint64_t pc, other_pc;

	if (!control_is_site(c, f->site) || !control_is_site(c, f->other_site))
		return;
	pc = c->access[f->site].addr;
	other_pc = c->access[f->other_site].addr;
	if (find_race(c, pc, other_pc) || c->nr_races == CONTROL_MAX_RACES)
		return;
	r = &c->race[c->nr_races];
	*r = (struct control_race){
		.addr = f->addr,
		.pc = pc,
		.other_pc = other_pc,
		.site = f->site,
		.other_site = f->other_site,
		.task = f->task,
		.other_task = f->other_task,
		.size = f->size,
		.run = (uint32_t)c->config.run,
		.step = c->scheduler.step,
		.is_write = f->is_write,
		.other_is_write = f->other_is_write,
	};
	blocks_describe(r);
	c->nr_races++;
	nr_noted++;
}

/*
 * Bytes that an atomic instruction touched later on were meant to be atomic
 * before, too. What this run took for races meanwhile may follow from that, so
 * it all goes; what is real shows again in a run that knows these sites.
 */
void access_end_run(void)
{
	struct control *c = runtime_control;
	uint32_t first = c->nr_races - nr_noted;
	bool has_atomic = false;

	if (!order_is_on)
		return;
	c->counters.races_lost = races_is_full(order_races) ||
				 c->nr_races == CONTROL_MAX_RACES;
	for (uint32_t i = first; i < c->nr_races; i++) {
		const struct control_race *r = &c->race[i];

		if (!races_is_atomic(order_races, r->addr, r->size))
			continue;
		c->access_state[r->site] |= CONTROL_ACCESS_ATOMIC;
		c->access_state[r->other_site] |= CONTROL_ACCESS_ATOMIC;
		c->nr_atomic_pairs++;
		has_atomic = true;
	}
	if (has_atomic)
		c->nr_races = first;
	nr_noted = 0;
}

/* The race is the failure that is looked for. */
static bool is_failure(const struct races_found *f)
{
	struct control *c = runtime_control;
	const struct control_race *r;

	if (!(c->config.flags & CONTROL_F_RACE_FAILS) ||
	    !control_is_site(c, f->other_site))
		return false;
	if (core_env.script)
		return c->scheduler.step >= core_env.nr_script &&
		       c->access[f->site].addr == c->replay_race_pc;
	r = find_race(c, c->access[f->site].addr,
		      c->access[f->other_site].addr);
	/* One that there is no room to note cannot be judged either. */
	if (r && r->benign == CONTROL_RACE_KNOWN)
		c->nr_known_races++;
	return r && r->benign == CONTROL_RACE_FAILS;
}

static _Noreturn void end_with_race(const struct races_found *f)
{
	struct control *c = runtime_control;
	struct control_race block = { .addr = f->addr };
	char text[256], where[80] = "";

	values_drop();	/* the instruction is never executed */
	blocks_describe(&block);
	if (block.block)
		runtime_format(where, sizeof(where), CONTROL_RACE_BLOCK,
			       block.block, block.block_bytes, block.block_pc);
	runtime_format(text, sizeof(text), CONTROL_RACE_PRINT "%s",
		       f->is_write ? "write" : "read", (unsigned long)f->size,
		       f->addr, f->other_is_write ? "write" : "read",
		       (unsigned long)f->other_task,
		       c->access[f->other_site].addr, where);
	c->verdict.addr = f->addr;
	runtime_end(CONTROL_VERDICT_RACE, 0, 0, c->access[f->site].addr, text);
}

/*
 * A library that makes its own locks means the plain accesses that meet without
 * an order as atomic. So they make one: the store that was before, too.
 */
static void order_by(const struct races_found *found)
{
	struct races_found again;

	races_make_atomic(order_races, found->addr, found->size);
	races_access(order_races, found->task, found->addr, found->size,
		     found->is_write ? RACES_WRITE : RACES_READ, found->site,
		     &again);
}

/* Without a frame the registers are on show already. */
static void found_race(const struct races_found *found,
		       const struct access_frame *f)
{
	struct races_found again;

	if (found->is_shared) {
		share(found->site);
		share(found->other_site);
		return;
	}
	if (__builtin_expect(order_last_exit(), 0)) {
		races_access(order_races, found->task, found->addr, found->size,
			     found->is_write ? RACES_WRITE : RACES_READ,
			     found->site, &again);
		return;
	}
	learn(found->site);
	learn(found->other_site);
	if (found->is_synchronising)
		return;
	if (is_order_only(found->site) || is_order_only(found->other_site)) {
		order_by(found);
		return;
	}
	if (f)
		show_now(found->site, f);
	if (__builtin_expect(watch_is_on, 0))
		watch_race(found);
	note_race(found);
	if (!is_failure(found))
		return;
	core_self()->uses_trap_frame = 1;
	end_with_race(found);
}

static _Noreturn void end_with_use_after_free(uint64_t addr, uint32_t size,
					      uint32_t site,
					      enum races_access how,
					      const struct access_frame *f)
{
	uint64_t pc = runtime_control->access[site].addr;
	char text[48];

	values_drop();
	if (f)
		show_now(site, f);
	core_self()->uses_trap_frame = 1;
	runtime_format(text, sizeof(text), "%s of %u byte%s",
		       how == RACES_READ ? "read" : "write", size,
		       size == 1 ? "" : "s");
	/* A return address lies behind its instruction. */
	freed_end(text, addr, 0, pc + 1);
}

static inline void detect(uint64_t addr, uint32_t size, uint32_t site,
			  enum races_access how, const struct access_frame *f)
{
	struct control *c = runtime_control;
	struct races_found found;

	/* Before the first task is made, nobody is there to race with. */
	if (c->scheduler.nr_tasks == 1)
		return;
	if (c->access_state[site] & CONTROL_ACCESS_ATOMIC)
		races_make_atomic(order_races, addr, size);
	if (__builtin_expect(watch_is_on, 0)) {
		if (f)
			show_now(site, f);
		watch_access(addr, size, site);
	}
	if (__builtin_expect(freed_has(addr, size), 0) && !is_order_only(site))
		end_with_use_after_free(addr, size, site, how, f);
	if (races_access_news(order_races, runtime_self(), addr, size, how,
			      site, &found))
		found_race(&found, f);
}

/* ----------------------------------------------------- live accesses */

/* Of each site, as modules_site() has it; from access_instrument() on. */
static uint32_t site_name[CONTROL_MAX_ACCESS];

/* The run's objects that were used last, by address. */
#define RECENT_OBJECTS 64u

static struct {
	uint64_t addr;
	uint32_t id, pad;
} recent_object[RECENT_OBJECTS];

static uint32_t object_at(uint64_t addr, uint64_t pc)
{
	uint32_t i = (uint32_t)(addr >> 2 ^ addr >> 9) % RECENT_OBJECTS;
	/* Not runtime_scheduler(): a place in memory holds nobody up. */
	struct scheduler *s = &runtime_control->scheduler;

	if (recent_object[i].addr == addr && recent_object[i].id)
		return recent_object[i].id;
	recent_object[i].addr = addr;
	/* Locks need the room more: then it is one without a name, 0. */
	if (__builtin_expect(s->nr_objects < SCHED_MAX_OBJECTS / 2, 1))
		recent_object[i].id = scheduler_object_id(
			s, SCHED_CLASS_MEMORY, addr, pc);
	else
		recent_object[i].id = scheduler_object_find(
			s, SCHED_CLASS_MEMORY, addr);
	return recent_object[i].id;
}

/*
 * `flags`: what to add to those of the kind; `task_flags`: SCHED_TASK_HANDLES
 * or 0. False when there is a signal to be handled first: then there was no
 * operation.
 */
static bool access_point(uint16_t kind, uint64_t addr, uint32_t site,
			 uint16_t flags, uint16_t task_flags)
{
	struct sched_task *self =
		&runtime_control->scheduler.task[runtime_self()];
	uint64_t pc = runtime_control->access[site].addr;
	const struct sched_announce a = {
		.kind = kind,
		.flags = flags,
		.object = object_at(addr, pc),
		.site = site_name[site],
		.pc = pc,
		.addr = addr,
	};

	/* Not runtime_scheduler(): nothing else is changed here. */
	scheduler_announce(&runtime_control->scheduler, runtime_self(), &a);
	self->flags |= task_flags;
	core_enter();
	if (__builtin_expect(self->op.kind != kind, 0)) {
		must_redo = true;	/* see signals_tell() */
		return false;
	}
	if (__builtin_expect(runtime_control->config.flags & CONTROL_F_VALUES,
			     0))
		values_begin(kind, addr, runtime_control->access[site].size);
	return true;
}

void access_of_call(uint64_t addr, uint32_t size, uint32_t site,
		    enum races_access how)
{
	detect(addr, size, site, how, NULL);
}

void access_point_of_call(uint16_t kind, uint64_t addr, uint32_t size,
			  uint32_t site)
{
	if (!site_name[site])
		site_name[site] =
			modules_site(runtime_control->access[site].addr);
	runtime_control->access[site].size =
		size < UINT16_MAX ? (uint16_t)size : UINT16_MAX;
	rounds_settle();
	access_point(kind, addr, site, 0, 0);
	if (kind == EXPLORE_OP_MEMORY_WRITE)
		note_write(runtime_self());
}

static uint64_t load(uint64_t addr, uint32_t size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)(uintptr_t)addr;
	case 2:
		return *(const volatile uint16_t *)(uintptr_t)addr;
	case 4:
		return *(const volatile uint32_t *)(uintptr_t)addr;
	default:
		return *(const volatile uint64_t *)(uintptr_t)addr;
	}
}

static void store(uint64_t addr, uint32_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)(uintptr_t)addr = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)(uintptr_t)addr = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)(uintptr_t)addr = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)(uintptr_t)addr = value;
	}
}

/*
 * An unlocked read-modify-write reads, and writes later: another task may come
 * between. The value read is put back just before the instruction runs, so
 * that it computes with it and what came between is lost, as on real cores.
 */
static void live_update(uint64_t addr, uint32_t size, uint32_t site,
			uint16_t task_flags, const struct access_frame *f)
{
	uint32_t self = runtime_self();
	uint64_t old, readable;

	if (!access_point(EXPLORE_OP_MEMORY_READ, addr, site, 0, task_flags))
		return;
	if (size > 8 || (addr & 7) + size > 8 ||
	    !sys_load64((void *)(uintptr_t)(addr & ~7ull), &readable)) {
		note_write(self);
		detect(addr, size, site, RACES_WRITE, f);
		return;
	}
	old = load(addr, size);
	detect(addr, size, site, RACES_READ, f);
	/* No signal comes in the middle of an instruction. */
	access_point(EXPLORE_OP_MEMORY_WRITE, addr, site, 0, 0);
	note_write(self);
	detect(addr, size, site, RACES_WRITE, f);
	/* Not where it is the same: the page may be read-only. */
	if (load(addr, size) != old)
		store(addr, size, old);
}

/* The frame is in the order of struct rounds_place. */
#define SAVED_WORDS 6u

static uint64_t sp_of(const struct access_frame *f)
{
	return f->sp + ACCESS_PUSHED + ACCESS_RED_ZONE;
}

static bool is_back(uint32_t site, const struct access_frame *f)
{
	struct access_frame own = *f;
	const struct rounds_place p = {
		.place = runtime_control->access[site].addr,
		.sp = sp_of(f),
		.saved = &own.rbp,
		.other = &own.flags,
		.nr_saved = SAVED_WORDS,
		.nr_other = sizeof(own) / 8 - SAVED_WORDS,
	};

	own.flags &= ARITHMETIC_FLAGS;
	return rounds_is_back(&p);
}

/*
 * Whether a live access that may change nothing is one of a task that waits. A
 * proof says so; where schedules are sampled, that it found the same for many
 * times does as well. A replay does as the recorded run did.
 */
static uint16_t waiting(uint64_t addr, uint32_t site,
			const struct access_frame *f)
{
	uint32_t self = runtime_self();
	bool is_same = is_repeated(self, site, addr) &&
		       reads[self].nr_same >= SAME_READS;
	uint16_t flags = 0;

	if (is_back(site, f))
		flags = EXPLORE_OP_F_YIELDS | EXPLORE_OP_F_IDLE;
	else if (is_same && !(runtime_control->config.flags &
			      CONTROL_F_EXHAUSTIVE))
		flags = EXPLORE_OP_F_YIELDS;
	return rounds_give_way(flags);
}

static inline __attribute__((always_inline)) void
live_access(uint64_t addr, uint32_t size, uint32_t site, uint8_t flags,
	    const struct access_frame *f)
{
	/* The elements of a string are not told from one another. */
	uint16_t task_flags = flags & INSTRUMENT_STRING ? 0 :
							  SCHED_TASK_HANDLES;

	if (flags & INSTRUMENT_ATOMIC) {
		if (!access_point(EXPLORE_OP_ATOMIC_RMW, addr, site,
				  waiting(addr, site, f), task_flags))
			return;
		rounds_begin_update(addr, size, sp_of(f),
				    is_order_only(site));
		detect(addr, size, site, RACES_ATOMIC, f);
	} else if ((flags & (INSTRUMENT_READS | INSTRUMENT_WRITES)) ==
		   (INSTRUMENT_READS | INSTRUMENT_WRITES)) {
		live_update(addr, size, site, task_flags, f);
	} else if (flags & INSTRUMENT_WRITES) {
		if (!access_point(EXPLORE_OP_MEMORY_WRITE, addr, site, 0,
				  task_flags))
			return;
		rounds_begin_update(addr, size, sp_of(f),
				    is_order_only(site));
		detect(addr, size, site, RACES_WRITE, f);
	} else {
		if (!access_point(EXPLORE_OP_MEMORY_READ, addr, site,
				  waiting(addr, site, f), task_flags))
			return;
		detect(addr, size, site, RACES_READ, f);
	}
}

static void live(uint64_t addr, uint32_t size, uint32_t site, uint8_t flags,
		 const struct access_frame *f)
{
	struct control_task *k = core_self();

	show_access(k, site, f);
	k->has_vectors = 1;
	live_access(addr, size, site, flags, f);
	k->has_vectors = 0;
}

/* --------------------------------------------------- quiet accesses */

/* Stop here as an operation of that kind, behind everybody else. */
static void stand_back(uint16_t kind, uint32_t site,
		       const struct access_frame *f)
{
	struct scheduler *s = runtime_scheduler();
	struct control_task *k = core_self();
	const struct runtime_op op = {
		.kind = kind,
		.flags = EXPLORE_OP_F_YIELDS |
			 (kind == EXPLORE_OP_SPIN ? EXPLORE_OP_F_IDLE : 0),
		.pc = runtime_control->access[site].addr,
	};

	show_access(k, site, f);
	k->has_vectors = 1;
	core_announce(&op);
	scheduler_yielded(s, s->current, true);
	core_enter();
	k->has_vectors = 0;
	was_operation = true;
}

/*
 * In a replay the recorded run says whether the task stands back here: it does
 * when that is its next event. Returns 1 or 0, or -1: the record does not say.
 */
static int recorded(uint16_t kind, uint32_t site)
{
	const struct sched_event *e;

	if (!core_env.script)
		return -1;
	e = core_recorded();
	if (!e)
		return -1;	/* it stood here, or elsewhere, at the end */
	return e->kind == kind && e->flags & SCHED_EVENT_YIELDS &&
	       !(e->flags & SCHED_EVENT_PROBED) &&
	       e->pc == runtime_control->access[site].addr;
}

/*
 * How many times the same may be read. A loop that counts its turns is not
 * told from one that computes before it took thousands of them; one that did
 * so several times is not worth the wait again.
 */
static uint32_t patience(uint32_t site)
{
	return PATIENT_READS >> run_ticks[site];
}

/*
 * Whether the task may be made to stand back though nothing proves that it
 * waits. Where all schedules are tried, that would hide those in which it goes
 * on; unless the site is new, for then the search begins once more.
 */
static bool may_tick(uint32_t site)
{
	const struct control *c = runtime_control;

	return !(c->config.flags & CONTROL_F_EXHAUSTIVE) ||
	       !(c->access_state[site] & CONTROL_ACCESS_LEARNED);
}

/* Somebody could go on, now or when time has passed. */
static bool is_awaited(void)
{
	const struct scheduler *s = runtime_scheduler();

	if (scheduler_next_deadline(s) != SCHED_NEVER ||
	    timers_next() != SCHED_NEVER)
		return true;
	for (uint32_t i = 0; i < s->nr_live; i++)
		if (s->live[i] != s->current &&
		    (s->task[s->live[i]].flags & SCHED_TASK_EXTERNAL ||
		     scheduler_is_enabled(s, s->live[i])))
			return true;
	return false;
}

/*
 * A loop that only others can end. In a replay, any turn of it will do where a
 * proof is late: sites may be watched that were not then. But before the loop
 * the task may come by here, too.
 */
static bool is_spin(uint32_t site, const struct access_frame *f)
{
	struct reads *r = &reads[runtime_self()];
	bool has_proof = is_worth_a_look(r->nr_quiet) && is_back(site, f);
	int told;

	if (!core_env.script)
		return has_proof;
	told = recorded(EXPLORE_OP_SPIN, site);
	if (told > 0 && r->nr_same >= SPIN_READS)
		return true;
	return told && has_proof;
}

static void spin(uint32_t site, const struct access_frame *f)
{
	struct reads *r = &reads[runtime_self()];

	/* Once proved, the next round is enough. */
	r->nr_quiet = SPIN_READS;
	r->nr_same = 0;
	runtime_control->counters.spins++;
	learn(site);
	stand_back(EXPLORE_OP_SPIN, site, f);
}

/*
 * Loops that compute are no spin; but one that finds the same for thousands of
 * turns, counting them, had better let the others go on as well.
 */
static void check_patience(uint32_t site, const struct access_frame *f)
{
	struct reads *r = &reads[runtime_self()];
	/* Then others had their turn all the time. */
	bool has_operations = r->nr_ops != nr_operations(runtime_self());
	int is_tick;

	if (r->nr_same < patience(site))
		return;
	r->nr_same = 0;
	is_tick = recorded(EXPLORE_OP_TICK, site);
	if (!(is_tick < 0 ? may_tick(site) && is_awaited() : is_tick))
		return;
	runtime_control->counters.spins++;
	if (!has_operations) {
		learn(site);
		if (patience(site) > IMPATIENT_READS)
			run_ticks[site]++;
	}
	stand_back(EXPLORE_OP_TICK, site, f);
}

/* Where all schedules are tried, some have the others come by first. */
static bool takes_turns(void)
{
	return !(runtime_control->config.flags & CONTROL_F_EXHAUSTIVE);
}

/*
 * So many instructions have been executed. A timer that is due is an
 * operation.
 */
static void pass_time(uint32_t site, const struct access_frame *f)
{
	struct control_task *k = core_self();
	const struct runtime_op op = {
		.kind = EXPLORE_OP_TICK,
		.pc = runtime_control->access[site].addr,
	};

	if (!computing_batch(reads[runtime_self()].nr_same >= SAME_READS))
		return;
	show_access(k, site, f);
	k->has_vectors = 1;
	core_point(&op);
	k->has_vectors = 0;
	was_operation = true;
}

/* How often a site is executed before it is unpatched for this run. */
static uint32_t hot_hits(void)
{
	return runtime_control->config.flags & CONTROL_F_WATCH_ALL ?
		       HOT_HITS_ALL : HOT_HITS;
}

/* One that waits for a timer is not to be taken out for good. */
static void note_often(uint64_t addr, uint32_t site)
{
	if (computing_left)
		computing_look(addr, site);
	else
		runtime_control->access_state[site] |= CONTROL_ACCESS_HOT;
}

/*
 * A site that is executed very often costs time, and most are private. But
 * nothing is known before another task had the chance to come by, so let the
 * others go on first.
 */
static void count_hit(uint64_t addr, uint32_t site,
		      const struct access_frame *f)
{
	struct control *c = runtime_control;

	if (c->access_state[site] & CONTROL_ACCESS_LEARNED)
		return;
	if (c->scheduler.nr_live == 1) {
		if (!(++run_hits_alone[site] % OFTEN_HITS))
			note_often(addr, site);
		if (computing_left && !(run_hits_alone[site] % HOT_HITS) &&
		    c->scheduler.nr_tasks == 1 && !computing_is_steady(site))
			access_park(site);
		return;
	}
	if (!(++run_hits[site] % OFTEN_HITS))
		note_often(addr, site);
	if (run_hits[site] < TICK_HITS)
		return;
	if (run_hits[site] == TICK_HITS && takes_turns() &&
	    recorded(EXPLORE_OP_TICK, site))
		stand_back(EXPLORE_OP_TICK, site, f);
	else if (!(run_hits[site] % hot_hits()) && !clock_has_slices() &&
		 !computing_is_steady(site))
		access_unpatch(site);
}

/* The task was elsewhere, and a handler is due before the access is made. */
static bool is_interrupted(uint32_t site)
{
	if (__builtin_expect(!was_operation, 1) ||
	    runtime_control->access[site].flags & INSTRUMENT_STRING ||
	    !signals_are_due())
		return false;
	must_redo = true;
	return true;
}

static void quiet(uint64_t addr, uint32_t size, uint32_t site, uint8_t flags,
		  const struct access_frame *f)
{
	uint32_t self = runtime_self();
	bool repeated = false;

	/* The instruction itself comes after all of this, so detect last. */
	if (!(flags & INSTRUMENT_WRITES))
		repeated = is_repeated_quietly(self, site, addr);
	/* A task that repeats the same read is waiting for another task. */
	if (!(flags & INSTRUMENT_WRITES) && is_spin(site, f))
		spin(site, f);
	else if (repeated)
		check_patience(site, f);
	else
		count_hit(addr, site, f);
	if (is_interrupted(site))
		return;
	detect(addr, size, site,
	       flags & INSTRUMENT_WRITES ? RACES_WRITE : RACES_READ, f);
	if (flags & INSTRUMENT_WRITES)
		rounds_begin_update(addr, size, sp_of(f),
				    is_order_only(site));
}

static void quiet_atomic(uint64_t addr, uint32_t size, uint32_t site,
			 const struct access_frame *f)
{
	is_repeated_quietly(runtime_self(), site, addr);
	if (is_spin(site, f))
		spin(site, f);
	if (is_interrupted(site))
		return;
	rounds_begin_update(addr, size, sp_of(f),
				    is_order_only(site));
	detect(addr, size, site, RACES_ATOMIC, f);
}

/*
 * A live site that is executed very often in a run computes, for the most part:
 * then only what other tasks may be about to meet is an operation.
 */
static bool is_computing(uint32_t site, uint64_t addr, uint32_t size)
{
	if (run_hits[site] < LIVE_HITS) {
		run_hits[site]++;
		return false;
	}
	return races_is_settled(order_races, runtime_self(), addr, size);
}

/* The slice of the task ended with the instruction before this one. */
static void end_slice(uint32_t site, const struct access_frame *f)
{
	struct control_task *k = core_self();

	show_access(k, site, f);
	k->has_vectors = 1;
	clock_end_slice(runtime_control->access[site].addr);
	k->has_vectors = 0;
	was_operation = true;
}

static void spin_here(uint32_t site, const struct access_frame *f)
{
	struct control_task *k = core_self();

	show_access(k, site, f);
	k->has_vectors = 1;
	spin_now();
	k->has_vectors = 0;
}

void access_name_sites(void)
{
	const struct control *c = runtime_control;

	for (uint32_t i = 0; i < c->nr_access; i++)
		site_name[i] = modules_site(c->access[i].addr);
}

/* An operation, or one that only the detector is told of. */
bool access_is_live(uint32_t site)
{
	const struct control *c = runtime_control;
	const struct instrument_site *i = &c->access[site];

	if (c->access_state[site] & CONTROL_ACCESS_LIVE)
		return true;
	if (__builtin_expect(!(i->flags & INSTRUMENT_ATOMIC), 1))
		return false;
	/* A library's own need no place to switch where nobody else is. */
	return !i->order_only || (i->order_only == INSTRUMENT_ORDER_LOCKS &&
				  c->scheduler.nr_live > 1);
}

/* The way from the start to the first thread is long, and costs little. */
static void pass_alone(uint32_t site)
{
	if (runtime_control->access[site].flags & INSTRUMENT_WRITES)
		rounds_effect(0);
	if (++run_hits_alone[site] == ALONE_HITS)
		access_park(site);
}

static inline __attribute__((always_inline)) void
do_access(uint64_t addr, uint32_t size, uint32_t site,
	  const struct access_frame *f)
{
	struct control *c = runtime_control;
	const struct instrument_site *i = &c->access[site];
	uint8_t state = c->access_state[site];
	bool is_live = state & CONTROL_ACCESS_LIVE ||
		       (i->flags & INSTRUMENT_ATOMIC && access_is_live(site));

	values_settle();
	rounds_settle();
	if (__builtin_expect(spin_is_due, 0))
		spin_here(site, f);
	if (is_live && !(i->flags & INSTRUMENT_ATOMIC) &&
	    is_computing(site, addr, size))
		is_live = false;
	/* A live access is an operation, where others get their turn anyway. */
	if (clock_is_over && !is_live)
		end_slice(site, f);
	if (__builtin_expect(computing_left != 0, 0) && !is_live &&
	    !--computing_left)
		pass_time(site, f);
	if (is_interrupted(site))
		return;
	c->nr_accesses++;
	if (!(state & CONTROL_ACCESS_SEEN)) {
		c->access_state[site] |= CONTROL_ACCESS_SEEN;
		c->nr_seen++;
	}
	if (is_live)
		live(addr, size, site, i->flags, f);
	else if (__builtin_expect(c->scheduler.nr_tasks == 1, 0) &&
		 !computing_left)
		pass_alone(site);
	else if (i->flags & INSTRUMENT_ATOMIC)
		quiet_atomic(addr, size, site, f);
	else
		quiet(addr, size, site, i->flags, f);
	clock_tick();
	if (is_live)
		was_operation = true;
}

void access_do(uint64_t addr, uint32_t size, uint32_t site,
	       const struct access_frame *f)
{
	do_access(addr, size, site, f);
}

uint32_t access_hook(uint64_t addr, uint32_t site, struct access_frame *f)
{
	const struct instrument_site *i = &runtime_control->access[site];
	uint64_t operand = addr;

	if (runtime_mode != RUNTIME_CONTROLLED || !order_is_on)
		return ACCESS_GO_ON;
	if (__builtin_expect(i->flags & INSTRUMENT_FS, 0))
		addr += sys_get_fs();
	if (i->flags & INSTRUMENT_STRING)
		elements_hook(addr, site, f);
	else
		do_access(addr, i->size, site, f);
	if (__builtin_expect(!was_operation, 1))
		return ACCESS_GO_ON;
	was_operation = false;
	if (!must_redo && !signals_are_due())
		return ACCESS_GO_ON;
	values_drop();	/* a handler runs before the instruction */
	if (!must_redo)
		return ACCESS_DELIVER;
	must_redo = false;
	access_held[3] = operand;
	access_held[4] = site;
	return ACCESS_DELIVER_AND_REDO;
}
