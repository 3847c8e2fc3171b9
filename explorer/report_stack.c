/* SPDX-License-Identifier: MIT */
/*
 * report_stack.c - call stacks, without the frames that nobody asked for.
 */
#include "explorer/report.h"

#include <string.h>

#define MAX_FRAMES 12u

/* Libraries whose frames say nothing about the program under test. */
static bool is_system_module(const char *module)
{
	static const char *const prefixes[] = {
		"libc.so", "libc-2", "libpthread", "ld-linux", "libstdc++",
		"libgcc_s", "ld-2", "libc++",
	};

	if (!module)
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(module, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* What stands below main and below a thread's start routine. */
static bool is_start(const struct symbol *symbol)
{
	static const char *const names[] = {
		"start_thread", "clone", "clone3", "__clone", "__clone3",
		"_start", "__libc_start_main", "__libc_start_call_main",
		"thread_start",
	};

	if (!symbol->function)
		return is_system_module(symbol->module);
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
 * the runtime. Except the one that crashed, at the instruction that did it.
 */
static bool is_return(const struct report *r, const struct stack *stack,
		      uint32_t frame)
{
	const struct control_verdict *v = &r->trace->verdict;

	return frame > 0 || v->kind != CONTROL_VERDICT_CRASH ||
	       v->task != stack->task;
}

static void find_frame(struct report_context *c, const struct stack *stack,
		       uint32_t frame, struct symbol *symbol)
{
	symbols_find(c->d.symbols, stack->pc[frame],
		     is_return(c->r, stack, frame), symbol);
}

/* Frames [*first, *last) are the program's own, with what is between. */
static void own_frames(struct report_context *c, const struct stack *stack,
		       uint32_t *first, uint32_t *last)
{
	struct symbol symbol;

	*first = 0;
	*last = stack->nr;
	while (*last > 1) {
		find_frame(c, stack, *last - 1, &symbol);
		if (!is_start(&symbol))
			break;
		--*last;
	}
	for (uint32_t i = 0; i < *last; i++) {
		find_frame(c, stack, i, &symbol);
		if (!is_system_module(symbol.module)) {
			*first = i;
			return;
		}
	}
}

void report__print_stack(struct report_context *c, uint32_t task)
{
	const struct stack *stack = find_stack(c->r, task);
	char place[DESCRIBE_BYTES];
	uint32_t first, last;

	if (!stack)
		return;
	own_frames(c, stack, &first, &last);
	/* How a crash inside the C library came about starts there. */
	if (first && is_return(c->r, stack, 0) == false)
		first = 0;
	for (uint32_t i = first; i < last && i - first < MAX_FRAMES; i++) {
		describe_place(&c->d, stack->pc[i], is_return(c->r, stack, i),
			       place, sizeof(place));
		fprintf(c->f, "    %s %s\n", i == first ? "at" : "  ", place);
	}
	if (last - first > MAX_FRAMES)
		fprintf(c->f, "       ... and %u more\n",
			last - first - MAX_FRAMES);
}

void report__failing_place(struct report_context *c, char *text, size_t bytes)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	const struct stack *stack = find_stack(c->r, v->task);
	uint32_t first, last;

	text[0] = '\0';
	if (stack) {
		own_frames(c, stack, &first, &last);
		describe_place(&c->d, stack->pc[first],
			       is_return(c->r, stack, first), text, bytes);
	} else if (v->pc) {
		describe_place(&c->d, v->pc,
			       v->kind != CONTROL_VERDICT_CRASH, text, bytes);
	}
}
