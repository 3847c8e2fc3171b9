/* SPDX-License-Identifier: MIT */
/*
 * race_stacks.c - the call stacks of both accesses of a race.
 *
 * A race shows at its later access, when the earlier one is long over. So the
 * run is replayed: up to the race, to have the stack there and to count the
 * accesses that may have been the earlier one; and again, up to the last of
 * these. See preload/memory/watch.c.
 */
#include "explorer/races/race_stacks.h"

#include <errno.h>
#include <string.h>

#include "explorer/symbols/symbols.h"
#include "explorer/target/access.h"
#include "explorer/target/replay.h"

/* ----------------------------------------------------------- addresses */

/* A code address of one process in another of the same target. */
uint64_t race_stacks_address(const struct control *from,
			     const struct control *to, uint64_t addr)
{
	for (uint32_t i = 0; i < from->nr_modules &&
			     i < CONTROL_MAX_MODULES; i++) {
		const struct control_module *m = &from->module[i];

		if (addr < m->start || addr >= m->end)
			continue;
		if (i < to->nr_modules &&
		    !strncmp(m->path, to->module[i].path, CONTROL_PATH_BYTES))
			return addr - m->bias + to->module[i].bias;
		break;
	}
	return addr;
}

void race_stacks_move(struct stack *stack, const struct control *from,
		      const struct control *to)
{
	for (uint32_t i = 0; i < stack->nr; i++)
		stack->pc[i] = race_stacks_address(from, to, stack->pc[i]);
}

void race_stacks_move_race(struct control_race *r, const struct control *from,
			   const struct control *to)
{
	r->addr = race_stacks_address(from, to, r->addr);
	r->pc = race_stacks_address(from, to, r->pc);
	r->other_pc = race_stacks_address(from, to, r->other_pc);
	r->block_pc = race_stacks_address(from, to, r->block_pc);
}

/* ------------------------------------------------------------- replays */

struct look {
	const char *program;
	struct stack *stack;
};

/* The run stands still where it was to stop. */
static void look(struct worker *w, pid_t pid, void *data)
{
	const struct control *c = worker_control(w);
	struct look *at = data;
	struct trace_module *m;
	struct symbols *symbols;
	uint32_t nr;

	if (c->verdict.kind != CONTROL_VERDICT_WATCH)
		return;
	m = replay_modules(c, at->program, &nr);
	symbols = symbols_new(m, nr);
	replay_modules_free(m, nr);
	if (!symbols)
		return;
	stacks_unwind(symbols, c, pid, c->verdict.task, at->stack);
	symbols_free(symbols);
}

/* Returns 0 with the stack where the watch ended the run. */
static int replay_to(struct worker *w, const struct trace *t,
		     struct stack *stack, struct errbuf *err)
{
	struct control *c = worker_control(w);
	struct look at = { t->program, stack };
	int rc;

	memset(stack, 0, sizeof(*stack));
	rc = replay_inspect(w, t, look, &at, err);
	if (rc)
		return rc;
	if (c->verdict.kind != CONTROL_VERDICT_WATCH) {
		errbuf_addf(err, "the run did not repeat");
		return -ESTALE;
	}
	if (!stack->nr) {
		errbuf_addf(err, "it cannot be unwound");
		return -ESRCH;
	}
	return 0;
}

/* The watch counted how many there are; now stop at the last. */
static int replay_to_earlier(struct worker *w, const struct trace *t,
			     struct stack *stack, struct errbuf *err)
{
	struct control_watch *watch = &worker_control(w)->watch;

	if (!watch->nr_seen) {
		errbuf_addf(err, "the access was not seen again");
		return -ESTALE;
	}
	watch->mode = CONTROL_WATCH_ACCESS;
	watch->stop_at = watch->nr_seen;
	return replay_to(w, t, stack, err);
}

int race_stacks_find(struct worker *w, const struct trace *t,
		     const struct control *from, const struct control_race *r,
		     struct stack *later, struct stack *earlier,
		     struct errbuf *err)
{
	struct control *c = worker_control(w);
	int rc;

	c->watch = (struct control_watch){
		.mode = CONTROL_WATCH_RACE,
		.task = r->task,
		.other_task = r->other_task,
		.site = access_find_site(c, race_stacks_address(from, c, r->pc),
					 r->site),
		.other_site = access_find_site(
			c, race_stacks_address(from, c, r->other_pc),
			r->other_site),
		.addr = r->addr,
		.size = r->size,
	};
	memset(earlier, 0, sizeof(*earlier));
	rc = replay_to(w, t, later, err);
	/* Where it is differs from process to process, but not from now on. */
	if (!rc && c->watch.addr != r->addr)
		rc = replay_to(w, t, later, err);
	if (!rc)
		rc = replay_to_earlier(w, t, earlier, err);
	c->watch.mode = CONTROL_WATCH_OFF;
	race_stacks_move(later, c, from);
	race_stacks_move(earlier, c, from);
	return rc;
}

/* --------------------------------------------------- a failure's own race */

bool race_stacks_parse(const struct control_verdict *v, struct control_race *r)
{
	unsigned long size, addr, task, pc, block, bytes, from;
	char how[16], other_how[16];
	int nr;

	if (v->kind != CONTROL_VERDICT_RACE)
		return false;
	nr = sscanf(v->message, CONTROL_RACE_SCAN, how, &size, &addr, other_how,
		    &task, &pc, &block, &bytes, &from);
	if (nr < 6)
		return false;
	*r = (struct control_race){
		.addr = addr,
		.size = (uint32_t)size,
		.pc = v->pc,
		.other_pc = pc,
		.task = v->task,
		.other_task = (uint32_t)task,
		.is_write = !strcmp(how, "write"),
		.other_is_write = !strcmp(other_how, "write"),
		.block = nr == 9 ? block : 0,
		.block_bytes = nr == 9 ? bytes : 0,
		.block_pc = nr == 9 ? from : 0,
	};
	return true;
}

/* An instruction with two accesses is one of them; UINT32_MAX: not watched. */
static uint32_t find_site(const struct control *c, uint64_t pc, bool is_write)
{
	const uint8_t flag = is_write ? INSTRUMENT_WRITES : INSTRUMENT_READS;

	for (uint32_t i = 0; i < c->nr_access; i++)
		if (c->access[i].addr == pc && c->access[i].flags & flag)
			return i;
	return UINT32_MAX;
}

void race_stacks_count(struct worker *w, const struct trace *t)
{
	struct control *c = worker_control(w);
	struct control_race r;

	c->watch.mode = CONTROL_WATCH_OFF;
	if (!race_stacks_parse(&t->verdict, &r))
		return;
	c->watch = (struct control_watch){
		.mode = CONTROL_WATCH_ACCESS,
		.other_task = r.other_task,
		.other_site = find_site(c, replay_address(c, t, r.other_pc),
					r.other_is_write),
		.addr = r.addr,
		.size = r.size,
	};
	/* What lies in no module is somewhere else in every process. */
	if (worker_has_aslr(w))
		c->watch.addr = replay_address(c, t, r.addr);
}

int race_stacks_earlier(struct worker *w, const struct trace *t,
			struct stack *earlier, struct errbuf *err)
{
	struct control *c = worker_control(w);
	struct control_race r;
	int rc = 0;

	memset(earlier, 0, sizeof(*earlier));
	if (c->watch.mode == CONTROL_WATCH_OFF)
		return -EINVAL;
	/*
	 * Heap memory, somewhere else in this process: now it is known where.
	 */
	if (!c->watch.nr_seen && race_stacks_parse(&c->verdict, &r)) {
		c->watch.addr = r.addr;
		rc = replay_inspect(w, t, NULL, NULL, err);
	}
	if (!rc)
		rc = replay_to_earlier(w, t, earlier, err);
	c->watch.mode = CONTROL_WATCH_OFF;
	return rc;
}
