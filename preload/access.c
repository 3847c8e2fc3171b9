/* SPDX-License-Identifier: MIT */
/*
 * access.c - memory accesses of the target, as trampolines report them.
 *
 * The tool planned the patches (instrument/); the zygote carries them out.
 * From then on an instrumented instruction calls access_hook() first. Which
 * sites matter is learned: the detector says when an access conflicts with
 * another task's, and both sites are marked. The tool makes marked sites live
 * between runs; during one, the set is fixed, so a run replays from its
 * decisions and the set it began with. A live access is an operation; the
 * others only feed the detector, and cannot be seen in the schedule.
 *
 * Context: on the task's stack, below an arbitrary instruction of the target:
 * vector registers are live, see core.c.
 */
#include "preload/access.h"

#include <linux/mman.h>

/* Executions of one site in one run, without anything found: */
#define TICK_HITS 1024u		/* others get a turn to come by here, too */
#define HOT_HITS 8192u		/* then it is unpatched for this run */
/* Over all runs: then it is unpatched for good. */
#define PRIVATE_HITS 64u
#define PRIVATE_RUNS 24u
#define SPIN_READS 512u		/* the same reads again: perhaps a spin */
#define MEMORY_READS 8u

/* Private memory: counts of this run, so that they replay. */
static uint16_t run_hits[CONTROL_MAX_ACCESS];

/* ---------------------------------------------------- repeated reads */

/*
 * A task that reads the same values from the same places over and over waits
 * for another to change them. One entry a recent read since its last write.
 */
struct reads {
	uint32_t nr_same;
	uint32_t next;
	uint64_t state;		/* registers at state_site - 1, when last there */
	uint32_t state_site;
	uint32_t pad;
	struct {
		uint64_t addr, value;
		uint32_t site, pad;
	} entry[MEMORY_READS];
};

static struct reads reads[SCHED_MAX_TASKS];

static void forget_reads(uint32_t t)
{
	if (!reads[t].next && !reads[t].entry[0].site)
		return;
	memset(&reads[t], 0, sizeof(reads[t]));
}

/* Whether the task read just that here since it last did anything else. */
static bool is_repeated(uint32_t t, uint32_t site, uint64_t addr)
{
	struct reads *r = &reads[t];
	uint64_t value = 0;
	uint32_t i;

	sys_load64((void *)(uintptr_t)(addr & ~7ull), &value);
	for (i = 0; i < MEMORY_READS; i++)
		if (r->entry[i].site == site + 1 && r->entry[i].addr == addr)
			break;
	if (i < MEMORY_READS && r->entry[i].value == value) {
		r->nr_same++;
		return true;
	}
	r->nr_same = 0;
	if (i == MEMORY_READS)
		i = r->next++ % MEMORY_READS;
	r->entry[i].site = site + 1;
	r->entry[i].addr = addr;
	r->entry[i].value = value;
	return false;
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

static bool is_known_race(const struct control *c, uint64_t a, uint64_t b)
{
	for (uint32_t i = 0; i < c->nr_races; i++)
		if ((c->race[i].pc == a && c->race[i].other_pc == b) ||
		    (c->race[i].pc == b && c->race[i].other_pc == a))
			return true;
	return false;
}

static void note_race(const struct races_found *f)
{
	struct control *c = runtime_control;
	struct control_race *r;
	uint64_t pc, other_pc;

	if (f->site >= c->nr_access || f->other_site >= c->nr_access)
		return;
	pc = c->access[f->site].addr;
	other_pc = c->access[f->other_site].addr;
	if (is_known_race(c, pc, other_pc) || c->nr_races == CONTROL_MAX_RACES)
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
	c->nr_races++;
}

static _Noreturn void end_with_race(const struct races_found *f)
{
	const struct control *c = runtime_control;
	char text[160];

	runtime_format(text, sizeof(text),
		       "%s of %lu bytes at 0x%lx, and a %s by T%lu at 0x%lx",
		       f->is_write ? "write" : "read", (unsigned long)f->size,
		       f->addr, f->other_is_write ? "write" : "read",
		       (unsigned long)f->other_task,
		       c->access[f->other_site].addr);
	runtime_end(CONTROL_VERDICT_RACE, 0, 0, c->access[f->site].addr, text);
}

static void detect(uint64_t addr, uint32_t size, uint32_t site,
		   enum races_access how)
{
	struct control *c = runtime_control;
	struct races_found found;

	/* Before the first task is made, nobody is there to race with. */
	if (c->scheduler.nr_tasks == 1)
		return;
	if (!races_access(order_races, runtime_self(), addr, size, how, site,
			  &found))
		return;
	learn(site);
	learn(found.other_site);
	if (found.is_synchronising)
		return;
	note_race(&found);
	if (c->config.flags & CONTROL_F_RACE_FAILS)
		end_with_race(&found);
}

/* ----------------------------------------------------- live accesses */

static bool access_point(uint16_t kind, uint64_t addr, uint32_t site,
			 bool repeated)
{
	struct scheduler *s = runtime_scheduler();
	const struct runtime_op op = {
		.kind = kind,
		.flags = repeated ? EXPLORE_OP_F_YIELDS : 0,
		/* Without room for more objects it is one without a name. */
		.object = scheduler_object_id(s, SCHED_CLASS_MEMORY, addr,
					      runtime_control->access[site].addr),
		.pc = runtime_control->access[site].addr,
	};

	return core_point(&op);
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
static void live_update(uint64_t addr, uint32_t size, uint32_t site)
{
	uint32_t self = runtime_self();
	uint64_t old, readable;

	access_point(EXPLORE_OP_MEMORY_READ, addr, site, false);
	if (size > 8 || (addr & 7) + size > 8 ||
	    !sys_load64((void *)(uintptr_t)(addr & ~7ull), &readable)) {
		detect(addr, size, site, RACES_WRITE);
		return;
	}
	old = load(addr, size);
	detect(addr, size, site, RACES_READ);
	forget_reads(self);
	access_point(EXPLORE_OP_MEMORY_WRITE, addr, site, false);
	detect(addr, size, site, RACES_WRITE);
	/* Not where it is the same: the page may be read-only. */
	if (load(addr, size) != old)
		store(addr, size, old);
}

static void live(uint64_t addr, uint32_t size, uint32_t site, uint8_t flags)
{
	uint32_t self = runtime_self();
	bool repeated;

	if (flags & INSTRUMENT_ATOMIC) {
		repeated = is_repeated(self, site, addr);
		if (repeated)
			scheduler_yielded(runtime_scheduler(), self, false);
		access_point(EXPLORE_OP_ATOMIC_RMW, addr, site, repeated);
		detect(addr, size, site, RACES_ATOMIC);
	} else if ((flags & (INSTRUMENT_READS | INSTRUMENT_WRITES)) ==
		   (INSTRUMENT_READS | INSTRUMENT_WRITES)) {
		live_update(addr, size, site);
	} else if (flags & INSTRUMENT_WRITES) {
		forget_reads(self);
		access_point(EXPLORE_OP_MEMORY_WRITE, addr, site, false);
		detect(addr, size, site, RACES_WRITE);
	} else {
		repeated = is_repeated(self, site, addr);
		if (repeated)
			scheduler_yielded(runtime_scheduler(), self, false);
		access_point(EXPLORE_OP_MEMORY_READ, addr, site, repeated);
		detect(addr, size, site, RACES_READ);
	}
}

/* --------------------------------------------------- quiet accesses */

static void unpatch(uint32_t site);

/* Stop here as an operation of that kind, behind everybody else. */
static void stand_back(uint16_t kind, uint32_t site)
{
	struct scheduler *s = runtime_scheduler();
	const struct runtime_op op = {
		.kind = kind,
		.pc = runtime_control->access[site].addr,
	};

	core_announce(&op);
	scheduler_yielded(s, s->current, true);
	core_enter();
	if (signals_are_due())
		sys_trap_self(SYS_NR_DELIVER);
}

/*
 * In a replay the recorded run says whether the task stands back here: it does
 * when that is its next event. Returns 1 or 0, or -1: no replay.
 */
static int recorded(uint16_t kind, uint32_t site)
{
	struct scheduler *s = runtime_scheduler();
	const struct sched_event *e;

	if (!core_env.script)
		return -1;
	for (uint64_t i = s->step; i < core_env.nr_script; i++) {
		e = &core_env.script[i];
		if (e->task == s->current && e->point == EXPLORE_POINT_TASK)
			return e->kind == kind &&
			       e->pc == runtime_control->access[site].addr;
	}
	return 0;
}

/* Registers and the top of the stack: what a loop may count in. */
static uint64_t state_of(const struct access_frame *f)
{
	const uint64_t *word = (const uint64_t *)f;
	uint64_t h = 0;

	/* The frame itself first, then what lies above the red zone. */
	for (size_t i = 0; i < sizeof(*f) / 8 + 64; i++) {
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

/*
 * The same reads over and over are a spin when the registers come back, too:
 * then nothing changes until another task does something. Loops that compute
 * change theirs. In a replay, any turn of a recorded spin is the right one.
 */
static void check_spin(uint32_t site, const struct access_frame *f)
{
	struct reads *r = &reads[runtime_self()];
	int is_recorded;
	uint64_t state;

	if (r->nr_same < SPIN_READS && !core_env.script)
		return;
	is_recorded = recorded(EXPLORE_OP_SPIN, site);
	if (is_recorded < 0) {
		state = state_of(f);
		is_recorded = r->state_site == site + 1 && r->state == state;
		if (!r->state_site || r->state_site == site + 1) {
			r->state_site = site + 1;
			r->state = state;
		}
	}
	if (!is_recorded) {
		if (r->nr_same > 2 * SPIN_READS) {
			r->nr_same = 0;
			r->state_site = 0;
		}
		return;
	}
	r->nr_same = 0;
	runtime_control->counters.spins++;
	learn(site);
	stand_back(EXPLORE_OP_SPIN, site);
}

/*
 * A site that is executed very often costs time, and most are private. But
 * nothing is known before another task had the chance to come by, so let the
 * others go on first.
 */
static void count_hit(uint32_t site)
{
	struct control *c = runtime_control;

	if (c->access_hits[site] < UINT32_MAX - 1)
		c->access_hits[site]++;
	if (c->access_state[site] & CONTROL_ACCESS_LEARNED ||
	    c->scheduler.nr_live == 1)
		return;
	run_hits[site]++;
	if (run_hits[site] == TICK_HITS && recorded(EXPLORE_OP_TICK, site))
		stand_back(EXPLORE_OP_TICK, site);
	else if (run_hits[site] == HOT_HITS)
		unpatch(site);
}

static void quiet(uint64_t addr, uint32_t size, uint32_t site, uint8_t flags,
		  const struct access_frame *f)
{
	struct control *c = runtime_control;
	uint32_t self = runtime_self();

	if (flags & INSTRUMENT_WRITES) {
		forget_reads(self);
		detect(addr, size, site, RACES_WRITE);
	} else {
		detect(addr, size, site, RACES_READ);
		if (c->scheduler.nr_live > 1 && is_repeated(self, site, addr))
			check_spin(site, f);
	}
	count_hit(site);
}

/* Where the task stands, for unwinders: the access itself. */
static void show_site(struct control_task *k, uint64_t ip,
		      const struct access_frame *f)
{
	k->reg_ip = ip;
	k->reg_sp = (uintptr_t)(f + 1) + 128;
	k->reg_bp = f->rbp;
	k->reg_bx = f->rbx;
	k->reg_12 = f->r12;
	k->reg_13 = f->r13;
	k->reg_14 = f->r14;
	k->reg_15 = f->r15;
	k->uses_trap_frame = 1;
	k->has_vectors = 1;
}

void access_hook(uint64_t addr, uint32_t site, const struct access_frame *f)
{
	struct control *c = runtime_control;
	const struct instrument_site *i;
	struct control_task *k;
	uint64_t size;

	if (runtime_mode != RUNTIME_CONTROLLED || !order_is_on)
		return;
	i = &c->access[site];
	size = i->size;
	if (i->flags & INSTRUMENT_REP)
		size *= f->rcx;
	if (!size)
		return;
	c->nr_accesses++;
	k = core_self();
	show_site(k, i->addr, f);
	if (c->access_state[site] & CONTROL_ACCESS_LIVE ||
	    i->flags & INSTRUMENT_ATOMIC)
		live(addr, (uint32_t)size, site, i->flags);
	else
		quiet(addr, (uint32_t)size, site, i->flags, f);
	k->has_vectors = 0;
	k->uses_trap_frame = 0;
	if (signals_are_due())
		sys_trap_self(SYS_NR_DELIVER);
}

/* ------------------------------------------------------------ patching */

static bool write_code(uint64_t addr, const uint8_t *bytes, uint32_t nr)
{
	uint64_t first = addr & ~4095ull;
	uint64_t length = ((addr + nr - 1) & ~4095ull) + 4096 - first;

	if (sys_call3(__NR_mprotect, first, length, 7) < 0)
		return false;
	memcpy((void *)(uintptr_t)addr, bytes, nr);
	sys_call3(__NR_mprotect, first, length, 5);
	return true;
}

static void unpatch(uint32_t site)
{
	struct control *c = runtime_control;
	const struct instrument_site *i = &c->access[site];

	/* Of two accesses by one instruction, both must be private. */
	c->access_state[site] |= CONTROL_ACCESS_PRIVATE;
	if (i->is_second ? !(c->access_state[site - 1] & CONTROL_ACCESS_PRIVATE)
			 : site + 1 < c->nr_access && i[1].is_second &&
			   !(c->access_state[site + 1] & CONTROL_ACCESS_PRIVATE))
		return;
	write_code(i->addr, i->original, i->nr_bytes);
	c->nr_private++;
}

static bool map_area(struct control *c, const struct control_area *a)
{
	int64_t r = sys_call6(__NR_mmap, a->base, a->bytes, 7,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			      (uint64_t)-1, 0);

	if ((uint64_t)r != a->base)
		return false;
	memcpy((void *)(uintptr_t)a->base, c->code + a->offset, a->bytes);
	*(uint64_t *)(uintptr_t)a->base = (uintptr_t)access_entry;
	sys_call3(__NR_mprotect, a->base, a->bytes, 5);
	return true;
}

static bool has_area(const struct control *c, uint64_t ip)
{
	for (uint32_t i = 0; i < c->nr_areas; i++)
		if (ip - c->area[i].base < c->area[i].bytes)
			return true;
	return false;
}

void access_instrument(void)
{
	struct control *c = runtime_control;

	c->access_failed = 0;
	for (uint32_t i = 0; i < c->nr_areas; i++)
		if (!map_area(c, &c->area[i]))
			c->area[i].bytes = 0;
	for (uint32_t i = 0; i < c->nr_access; i++) {
		const struct instrument_site *site = &c->access[i];

		if (site->is_second)
			continue;
		if (!has_area(c, site->trampoline) ||
		    memcmp((void *)(uintptr_t)site->addr, site->original,
			   site->nr_bytes) ||
		    !write_code(site->addr, site->patched, site->nr_bytes))
			c->access_failed++;
	}
}

/* Between runs: what proved private costs nothing from now on. */
void access_apply(void)
{
	static uint32_t nr_runs;
	struct control *c = runtime_control;

	nr_runs++;
	if (nr_runs < PRIVATE_RUNS || nr_runs % PRIVATE_RUNS)
		return;
	for (uint32_t i = 0; i < c->nr_access; i++) {
		uint8_t state = c->access_state[i];

		if (state & CONTROL_ACCESS_LEARNED ||
		    c->access[i].flags & INSTRUMENT_ATOMIC)
			continue;
		/* A run may have unpatched its own copy already. */
		if (c->access_hits[i] >= PRIVATE_HITS &&
		    c->access_hits[i] != UINT32_MAX) {
			unpatch(i);
			c->access_hits[i] = UINT32_MAX;
		}
	}
}

bool access_is_trampoline(uint64_t ip)
{
	return runtime_control->nr_areas && has_area(runtime_control, ip);
}

uint64_t access_original_ip(uint64_t ip)
{
	const struct control *c = runtime_control;

	if (!access_is_trampoline(ip))
		return ip;
	for (uint32_t i = 0; i < c->nr_access; i++)
		if (c->access[i].moved == ip)
			return c->access[i].addr;
	return ip;
}

uint64_t access_int3_target(uint64_t ip)
{
	const struct control *c = runtime_control;
	uint32_t low = 0, high = c->nr_access;

	while (low < high) {	/* sites ascend: the tool sorts modules */
		uint32_t middle = low + (high - low) / 2;

		if (c->access[middle].addr < ip - 1)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->nr_access || c->access[low].addr != ip - 1 ||
	    c->access[low].patch != INSTRUMENT_INT3)
		return 0;
	return c->access[low].trampoline;
}
