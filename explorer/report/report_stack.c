/* SPDX-License-Identifier: MIT */
/*
 * report_stack.c - call stacks, without the frames that nobody asked for.
 */
#include "explorer/report/internal.h"

#include <string.h>

#include "explorer/symbols/symbols.h"

#define MAX_FRAMES 12u

/* What stands below main and below a thread's start routine. */
static bool is_start(const struct symbol *symbol)
{
	static const char *const names[] = {
		"start_thread", "clone", "clone3", "__clone", "__clone3",
		"_start", "__libc_start_main", "__libc_start_call_main",
		"thread_start",
	};

	if (!symbol->function)
		return symbol->is_system;
	if (!strncmp(symbol->function, "__libc_start_", 13))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(symbol->function, names[i]))
			return true;
	return false;
}

static const struct stack *find_stack(const struct report *r, uint32_t task)
{
	for (uint32_t i = 0; r->stack && i < r->nr_stacks; i++)
		if (r->stack[i].task == task && r->stack[i].nr)
			return &r->stack[i];
	return NULL;
}

/*
 * The innermost frame lies behind a call, too: tasks stand still in calls of
 * the runtime. Except the one that crashed or raced, at the instruction that
 * did it.
 */
static bool is_return(const struct report *r, const struct stack *stack,
		      uint32_t frame)
{
	const struct control_verdict *v = &r->trace->verdict;

	if (frame > 0 || stack->is_exact)
		return frame > 0;
	return v->task != stack->task || (v->kind != CONTROL_VERDICT_CRASH &&
					  v->kind != CONTROL_VERDICT_RACE);
}

static void find_frame(struct report_context *c, const struct stack *stack,
		       uint32_t frame, struct symbol *symbol)
{
	symbols_find(c->d.symbols, stack->pc[frame],
		     is_return(c->r, stack, frame), symbol);
}

/*
 * Frames [*first, *last) are the program's own, with what is between them. All
 * but the outermost when there are none; then false is returned.
 */
static bool own_frames(struct report_context *c, const struct stack *stack,
		       uint32_t *first, uint32_t *last)
{
	struct symbol symbol;
	bool is_own = false;

	*first = 0;
	*last = stack->nr;
	while (*last > 1) {
		find_frame(c, stack, *last - 1, &symbol);
		if (!is_start(&symbol))
			break;
		--*last;
	}
	for (uint32_t i = 0; i < *last && !is_own; i++) {
		find_frame(c, stack, i, &symbol);
		is_own = symbol.module && !symbol.is_system;
		*first = is_own ? i : 0;
	}
	while (is_own && *last > *first + 1) {
		find_frame(c, stack, *last - 1, &symbol);
		if (!symbol.is_system)
			break;
		--*last;
	}
	return is_own;
}

/* How main's return value became the exit status is of no interest. */
static bool is_after_main(const struct report *r, bool has_own)
{
	return r->trace->verdict.kind == CONTROL_VERDICT_EXIT && !has_own;
}

/* Lines of a stack as they are printed, so that the last can be counted. */
struct lines {
	FILE *f;
	const char *prefix;	/* of the first; others are below its end */
	uint32_t nr;
};

static void print_line(struct lines *l, const struct symbol *symbol,
		       uint64_t pc)
{
	char place[DESCRIBE_BYTES];

	if (++l->nr > MAX_FRAMES)
		return;
	describe_symbol(symbol, pc, place, sizeof(place));
	fprintf(l->f, "%*s %s\n", (int)strlen(l->prefix),
		l->nr == 1 ? l->prefix : "", place);
}

/* One frame, and the functions that were inlined into it. */
static void print_frame(struct report_context *c, const struct stack *stack,
			uint32_t frame, struct lines *l)
{
	struct symbol chain[SYMBOLS_MAX_CHAIN] = { 0 };
	uint64_t pc = stack->pc[frame];
	uint32_t nr = 1;

	if (c->d.symbols && !(pc >> 63))
		nr = symbols_chain(c->d.symbols, pc,
				    is_return(c->r, stack, frame), chain,
				    SYMBOLS_MAX_CHAIN);
	for (uint32_t i = 0; i < nr; i++)
		print_line(l, &chain[i], pc);
}

void report__print_frames(struct report_context *c, const struct stack *stack,
			  const char *prefix)
{
	struct lines l = { .f = c->f, .prefix = prefix };
	uint32_t first, last;

	if (is_after_main(c->r, own_frames(c, stack, &first, &last)))
		return;
	/* How a crash inside the C library came about begins there. */
	if (!is_return(c->r, stack, 0))
		first = 0;
	for (uint32_t i = first; i < last; i++)
		print_frame(c, stack, i, &l);
	if (l.nr > MAX_FRAMES)
		fprintf(c->f, "%*s ... and %u more\n", (int)strlen(prefix), "",
			l.nr - MAX_FRAMES);
}

void report__print_stack(struct report_context *c, uint32_t task)
{
	const struct stack *stack = find_stack(c->r, task);

	if (stack)
		report__print_frames(c, stack, "    at");
}

void report__failing_place(struct report_context *c, char *text, size_t bytes)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	const struct stack *stack = find_stack(c->r, v->task);
	uint32_t first, last;

	text[0] = '\0';
	if (stack) {
		if (is_after_main(c->r, own_frames(c, stack, &first, &last)))
			return;
		describe_place(&c->d, stack->pc[first],
			       is_return(c->r, stack, first), text, bytes);
	} else if (v->pc) {
		describe_place(&c->d, v->pc,
			       v->kind != CONTROL_VERDICT_CRASH &&
				       v->kind != CONTROL_VERDICT_RACE,
			       text, bytes);
	}
}
