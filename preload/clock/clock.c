/* SPDX-License-Identifier: MIT */
/*
 * clock.c - slices: their start and end.
 *
 * With a counter a slice begins where the task is back in its own code, which
 * a breakpoint tells: what the runtime executes on the way there is not
 * counted. Signals stop the counter at their first instruction and start it
 * again with their last (entry.S). So a count depends on the target alone, and
 * the end of a slice is a place that a replay finds again: the instruction
 * behind the k-th tick. Interposed functions that are no operation count as
 * code of the target, but no slice ends inside one: it ends where that returns.
 */
#include "preload/clock/clock.h"

#include "preload/memory/access.h"
#include "preload/clock/approach.h"
#include "preload/clock/counter.h"

#define TRAP_FLAG 0x100ull
#define RESUME_FLAG 0x10000ull
/* si_code of a step; some hypervisors lose what tells the two apart. */
#define BRKPT_CODE 1
#define TRACE_CODE 2
#define PERF_DATA_OFFSET 24	/* of si_perf_data in siginfo_t */
#define NR_REGISTERS 16

enum phase {
	NO_SLICE = 0,
	AWAITED,	/* a breakpoint where the target's code goes on */
	COUNTING,	/* the counter will overflow */
	STEPPING,	/* the counter stands; steps are counted here */
	STEPPING_OVER,	/* likewise, to a breakpoint: a step of many traps */
	PASSING,	/* counting, to where the runtime returns: a big step */
	AT_BREAK,	/* counting, with a breakpoint at the recorded place */
};

uint64_t clock_left;
bool clock_is_over;
uint32_t clock_place = CLOCK_IN_TARGET;

static enum phase phase;
static bool is_fresh;		/* the slice has just begun */
static bool skips_step;		/* the next step's tick is counted already */
static struct approach approach;
static uint64_t slice_step;	/* log index of the decision */
static uint64_t step_ip;	/* of the instruction that is stepped */
static uint64_t pass_sp;	/* where the runtime's return address is */
static uint64_t pass_count;	/* what the counter said before it */

/* ---------------------------------------------------------------- begin */

void clock_start_run(void)
{
	const struct control_clock *clock = &runtime_control->config.clock;
	char text[128];
	int64_t r;

	phase = NO_SLICE;
	if (!clock_is_counter())
		return;
	r = counter_open(clock);
	if (r < 0) {
		runtime_format(text, sizeof(text),
			       "the counter of this run cannot be opened "
			       "(error %lu)", (unsigned long)-r);
		runtime_mode = RUNTIME_CONTROLLED;
		runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, 0, text);
	}
	signals_use_entries((uintptr_t)clock_entry_sigsys,
			    (uintptr_t)clock_entry_signal);
}

/*
 * The recorded end of the slice, in a replay: NULL when it did not end by the
 * clock, so that nothing has to be counted.
 */
static const struct sched_event *recorded_end(void)
{
	const struct sched_event *e = core_recorded();

	return e && e->kind == EXPLORE_OP_TICK &&
	       !(e->flags & SCHED_EVENT_YIELDS) ? e : NULL;
}

static void await_slice(uint64_t ticks)
{
	struct scheduler *s = runtime_scheduler();
	const struct control_task *k = core_self();
	bool is_access = k->has_vectors && !k->uses_trap_frame;
	uint64_t pc = is_access ? access_continues_at(k) :
				  s->task[s->current].pc;

	if (phase != NO_SLICE) {
		counter_stop();
		counter_break_off();
		phase = NO_SLICE;
	}
	clock_place = k->uses_trap_frame ? CLOCK_IN_HANDLER : CLOCK_IN_TARGET;
	if (!ticks || !pc || (core_env.script && !recorded_end()))
		return;
	approach.target = ticks;
	slice_step = s->step - 1;
	if (counter_break_at(pc))
		phase = AWAITED;
}

void clock_start_slice(uint64_t ticks)
{
	if (__builtin_expect(clock_is_counter(), 0)) {
		await_slice(ticks);
		return;
	}
	clock_left = ticks;
	clock_is_over = false;
}

/* ------------------------------------------------------------------ end */

void clock_end_slice(uint64_t pc)
{
	struct scheduler *s = runtime_scheduler();
	const struct runtime_op op = { .kind = EXPLORE_OP_TICK, .pc = pc };

	/* Slices of different lengths can end at one place: in a loop. */
	scheduler_note_result(s, s->current, s->ticks);
	core_point(&op);
}

/*
 * Registers for the digest: that the count and the place are right would be
 * little if the state were not. Addresses may differ between two runs, and
 * lie high.
 */
static void note_registers(struct scheduler *s, const struct sigcontext *m)
{
	const unsigned long long *r = &m->r8;	/* 16 in a row, to rsp */

	for (uint32_t i = 0; i < NR_REGISTERS; i++)
		if (!(r[i] >> 32))
			scheduler_note_result(s, s->current, r[i] ^ i);
}

static void arrive(struct ucontext *uc)
{
	struct scheduler *s = runtime_scheduler();
	struct sigcontext *m = &uc->uc_mcontext;
	const struct runtime_op op = { .kind = EXPLORE_OP_TICK, .pc = m->rip };

	phase = NO_SLICE;
	counter_break_off();
	if (trap_is_runtime_code(m->rip))
		return;
	/* It may have become one more, see approach_overflow(). */
	s->ticks = approach.target;
	core_env.log[slice_step].ticks = approach.target;
	scheduler_note_result(s, s->current, approach.target);
	note_registers(s, m);
	/* Else the breakpoint that begins the next slice would be skipped. */
	m->eflags &= ~RESUME_FLAG;
	trap_preempt(uc, &op);
}

/* ------------------------------------------------------------ on the way */

/* A conditional branch: what the processor's event counts. */
static bool is_branch(const uint8_t *code)
{
	/* Segment prefixes: hints; 66, f2: without effect in front of one. */
	while (*code == 0x2e || *code == 0x3e || *code == 0x66 ||
	       *code == 0xf2)
		code++;
	return (*code & 0xf0) == 0x70 || (*code >= 0xe0 && *code <= 0xe3) ||
	       (code[0] == 0x0f && (code[1] & 0xf0) == 0x80);
}

/*
 * The length of the instruction when it is a repeated string operation, else
 * 0. A step would stop after each repetition.
 */
static uint32_t length_of_rep(const uint8_t *code)
{
	bool is_repeated = false;
	uint32_t n = 0;

	while (code[n] == 0xf2 || code[n] == 0xf3 || code[n] == 0x66 ||
	       code[n] == 0x67)
		is_repeated |= code[n++] >= 0xf2;
	if ((code[n] & 0xf0) == 0x40)
		n++;
	if (!is_repeated || !((code[n] >= 0xa4 && code[n] <= 0xa7) ||
			      (code[n] >= 0xaa && code[n] <= 0xaf)))
		return 0;
	return n + 1;
}

static bool is_tick(uint64_t ip)
{
	const struct control_clock *clock = &runtime_control->config.clock;

	if (clock->kind == CONTROL_CLOCK_BREAK)
		return ip == clock->event;
	return is_branch((const uint8_t *)(uintptr_t)ip);
}

static _Noreturn void end_missed(const struct sigcontext *m)
{
	runtime_end(CONTROL_VERDICT_DIVERGED, 0, 0, m->rip,
		    "the counter was seen beyond the end of a slice: on this "
		    "machine its signals come too late to replay by it");
}

static bool is_return(const uint8_t *code)
{
	if (*code == 0xf2 || *code == 0xf3)
		code++;
	return *code == 0xc3 || *code == 0xc2;
}

/*
 * The step before, from step_ip, called the runtime. What that executes is not
 * worth a step each: it may go over as many marks as a block has bytes. False:
 * it did not, or there is no breakpoint to be had.
 */
static bool start_passing(const struct sigcontext *m)
{
	uint64_t back;

	if (phase != STEPPING || !trap_is_in_runtime(m->rip) ||
	    trap_is_in_runtime(step_ip) ||
	    is_return((const uint8_t *)(uintptr_t)step_ip) ||
	    !sys_load64((const uint64_t *)(uintptr_t)m->rsp, &back) ||
	    !counter_break_at(back))
		return false;
	counter_set_period(COUNTER_NEVER);
	pass_count = counter_read();
	pass_sp = m->rsp;
	phase = PASSING;
	is_fresh = true;
	return true;
}

static void start_step(const struct sigcontext *m)
{
	uint64_t ip = m->rip;
	uint32_t length;

	if (start_passing(m))
		return;
	length = length_of_rep((const uint8_t *)(uintptr_t)ip);
	step_ip = ip;
	phase = length && counter_break_at(ip + length) ? STEPPING_OVER :
							  STEPPING;
}

static void follow(struct ucontext *uc, enum approach_what what)
{
	const struct control_clock *clock = &runtime_control->config.clock;
	struct sigcontext *m = &uc->uc_mcontext;

	if (what == APPROACH_BREAK && phase != AT_BREAK &&
	    !counter_break_at(recorded_end()->pc))
		what = APPROACH_STEP;
	switch (what) {
	case APPROACH_RUN:
		counter_set_period(approach.period);
		phase = COUNTING;
		break;
	case APPROACH_BREAK:
		phase = AT_BREAK;
		break;
	case APPROACH_STEP:
		spin_stop(uc);
		/* An execution breakpoint counts before the instruction. */
		skips_step = phase != STEPPING && phase != STEPPING_OVER &&
			     clock->kind == CONTROL_CLOCK_BREAK &&
			     m->rip == clock->event;
		start_step(m);
		break;
	case APPROACH_ARRIVED:
		arrive(uc);
		break;
	case APPROACH_MISSED:
		end_missed(m);
	}
}

static void on_step(struct ucontext *uc)
{
	bool was_tick = !skips_step && is_tick(step_ip);

	skips_step = false;
	follow(uc, approach_stepped(&approach, was_tick));
}

static void on_break(struct ucontext *uc)
{
	const struct control_clock *clock = &runtime_control->config.clock;
	bool is_replay = core_env.script != NULL;

	if (phase == AWAITED) {
		counter_break_off();
		counter_reset();
		is_fresh = true;
		follow(uc, approach_begin(&approach, approach.target,
					  is_replay ? clock->skid :
						      clock->margin,
					  is_replay));
	} else if (phase == AT_BREAK) {
		follow(uc, approach_reached(&approach, counter_read()));
	} else if (phase == STEPPING_OVER) {
		counter_break_off();
		on_step(uc);
	} else if (phase == PASSING && uc->uc_mcontext.rsp > pass_sp) {
		counter_break_off();
		follow(uc, approach_passed(&approach,
					   counter_read() - pass_count));
	}
}

static void on_overflow(struct ucontext *uc)
{
	uint64_t ip = uc->uc_mcontext.rip;
	const struct sched_event *end;

	if (phase != COUNTING)
		return;
	end = core_env.script ? recorded_end() : NULL;
	follow(uc, approach_overflow(&approach, counter_read(),
				     end && end->pc == ip));
}

bool clock_trap(const struct signals_info *info, struct ucontext *uc)
{
	uint64_t source;

	if (!clock_is_counter())
		return false;
	if (info->code == COUNTER_TRAP_CODE) {
		memcpy(&source, (const char *)info + PERF_DATA_OFFSET,
		       sizeof(source));
		if (source == COUNTER_BREAK)
			on_break(uc);
		else if (source == COUNTER_OVERFLOW)
			on_overflow(uc);
		return source == COUNTER_BREAK || source == COUNTER_OVERFLOW;
	}
	if ((info->code != TRACE_CODE && info->code != BRKPT_CODE) ||
	    spin_is_stepping())
		return false;
	if (phase == STEPPING)
		on_step(uc);
	return true;	/* else the slice ended before the step did */
}

bool clock_is_stepping(void)
{
	return phase == STEPPING || phase == STEPPING_OVER;
}

/* The instruction copied the flags, ours among them. */
void clock_fix_syscall(struct sigcontext *m)
{
	if (phase == STEPPING)
		m->r11 &= ~TRAP_FLAG;
}

/* The beginning or the end of a handler: it takes place for the target's. */
static bool is_entry(uint64_t ip)
{
	uint64_t entry = (uintptr_t)clock_entry_sigsys;
	uint64_t call = (uintptr_t)clock_ioctl;

	return ip - entry < (uintptr_t)clock_entry_end - entry ||
	       ip - call < (uintptr_t)clock_ioctl_end - call;
}

static struct clock_exit leave_to(uint32_t place)
{
	return (struct clock_exit){
		.request = counter_request(place == CLOCK_IN_TARGET_COUNTED),
		.place = place,
	};
}

struct clock_exit clock_leave(struct ucontext *uc, uint32_t place)
{
	bool is_counted = (phase == COUNTING || phase == AT_BREAK ||
			   phase == PASSING) &&
			  (place == CLOCK_IN_TARGET_COUNTED || is_fresh);

	/*
	 * Two signals at once: the other's handler is about to begin, and will
	 * see to all that; or is about to end, and has seen to it.
	 */
	if (place == CLOCK_IN_HANDLER || is_entry(uc->uc_mcontext.rip))
		return leave_to(place);
	is_fresh = false;
	if (phase == STEPPING)
		uc->uc_mcontext.eflags |= TRAP_FLAG;
	else if (!spin_is_stepping())
		uc->uc_mcontext.eflags &= ~TRAP_FLAG;
	return leave_to(is_counted ? CLOCK_IN_TARGET_COUNTED : CLOCK_IN_TARGET);
}
