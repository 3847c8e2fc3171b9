/* SPDX-License-Identifier: MIT */
/*
 * report.c - what a person reads about one failure.
 *
 * From the general to the particular: what failed, who was where, how it came
 * to that, what the program said, how to see it again. Plain text, the same on
 * a terminal and in a file.
 */
#include "explorer/report/report.h"
#include "explorer/report/summary.h"

#include "explorer/report/internal.h"

#include <inttypes.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/races/race_stacks.h"
#include "recorder/names.h"

#define MAX_OUTPUT_LINES 10u
#define MAX_OUTPUT_BYTES 2000u

static const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

/* -------------------------------------------------------------- headline */

/* What a misuse of freed memory says of the block; NULL: nothing. */
static const char *find_block(const struct control_verdict *v)
{
	return v->kind == CONTROL_VERDICT_MISUSE ?
	       strstr(v->message, CONTROL_FREED_MARK) : NULL;
}

static void print_block(struct report_context *c)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	unsigned long offset, bytes, addr, alloc_pc, task, pc;
	const char *text = find_block(v);
	char place[DESCRIBE_BYTES];

	if (!text || sscanf(text, CONTROL_FREED_PRINT, &offset, &bytes, &addr,
			    &alloc_pc, &task, &pc) != 6)
		return;
	fprintf(c->f, "\nThe freed block\n  %lu byte%s, used at byte %lu\n",
		bytes, plural(bytes), offset);
	describe_place(&c->d, alloc_pc, true, place, sizeof(place));
	fprintf(c->f, "  allocated in %s\n", place);
	describe_place(&c->d, pc, true, place, sizeof(place));
	fprintf(c->f, "  freed by T%lu in %s\n", task, place);
}

/* The message up to its end or first newline: headlines are one line. */
static void print_message(FILE *f, const struct control_verdict *v,
			  const char *fallback)
{
	size_t n = strnlen(v->message, sizeof(v->message));
	const char *newline = memchr(v->message, '\n', n);
	const char *block = find_block(v);

	if (newline)
		n = (size_t)(newline - v->message);
	if (block)	/* it has a paragraph of its own */
		n = (size_t)(block - v->message);
	if (n)
		fprintf(f, "%.*s", (int)n, v->message);
	else
		fputs(fallback, f);
}

/* The target's own seccomp filter did it. */
static void print_filtered(struct report_context *c)
{
	long number;
	char *name;

	if (sscanf(c->r->trace->verdict.message, CONTROL_SECCOMP_PRINT,
		   &number) != 1)
		return;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)number);
	fprintf(c->f, ": its seccomp filter kills it at ");
	if (name)
		fprintf(c->f, "%s()", name);
	else
		fprintf(c->f, "system call %ld", number);
	free(name);
}

/*
 * The processor says what it was: a read, a write, or an attempt to execute.
 * Of an address that is not canonical, or not aligned, it does not tell the
 * value.
 */
static void print_fault(FILE *f, const struct control_verdict *v)
{
	static const struct {
		const char *message, *words;
	} faults[] = {
		{ CONTROL_FAULT_READ, ": read of" },
		{ CONTROL_FAULT_WRITE, ": write to" },
		{ CONTROL_FAULT_EXECUTE, ": execution of" },
	};

	if (!strcmp(v->message, CONTROL_FAULT_GENERAL)) {
		fprintf(f, ": general protection fault, at an address that "
			"the processor does not tell");
		return;
	}
	if (!strcmp(v->message, CONTROL_FAULT_SENT)) {
		fprintf(f, ", sent by a call");
		return;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (!strcmp(v->message, faults[i].message)) {
			fprintf(f, "%s address 0x%" PRIx64, faults[i].words,
				v->addr);
			return;
		}
	fprintf(f, " at address 0x%" PRIx64, v->addr);
}

static void print_crash(struct report_context *c)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	const char *name = sigabbrev_np(v->code);

	if (name)
		fprintf(c->f, "crash: SIG%s", name);
	else
		fprintf(c->f, "crash: signal %d", v->code);
	if (v->code == SIGSEGV || v->code == SIGBUS)
		print_fault(c->f, v);
	print_filtered(c);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_deadlock(struct report_context *c, const char *what)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	uint32_t nr = v->nr_cycle < 16 ? v->nr_cycle : 16;
	uint32_t task[16];
	char tasks[DESCRIBE_BYTES];

	memcpy(task, v->cycle, sizeof(task));
	qsort(task, nr, sizeof(*task), by_number);
	report__list_tasks(task, nr, tasks, sizeof(tasks));
	if (v->nr_cycle > 1)
		fprintf(c->f, "%s: %s wait for each other", what, tasks);
	else if (v->nr_cycle)
		fprintf(c->f, "%s: %s waits for itself", what, tasks);
	else if (v->kind == CONTROL_VERDICT_PARTIAL_DEADLOCK)
		fprintf(c->f, "%s: the process ends while some tasks wait "
			"for ever", what);
	else
		fprintf(c->f, "%s: no task can ever run again", what);
}

static void print_self_deadlock(struct report_context *c)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	char name[2 * DESCRIBE_BYTES];

	describe_object_long(&c->d, v->object, EXPLORE_OP_MUTEX_LOCK, name,
			     sizeof(name));
	fprintf(c->f, "self-deadlock: T%u locks %s, which it already holds",
		v->task, v->object ? name : "a mutex");
}

/* Verdicts whose text is the message, after a word that says what it is. */
static void print_kind(struct report_context *c)
{
	static const struct {
		uint32_t kind;
		const char *before, *fallback;
	} texts[] = {
		{ CONTROL_VERDICT_ABORT, "aborted", "" },
		{ CONTROL_VERDICT_ASSERT, "assertion failed: ", "no text" },
		{ CONTROL_VERDICT_LIVELOCK, "livelock: ",
		  "every task only yields or spins" },
		{ CONTROL_VERDICT_MISUSE, "misuse: ", "of the thread API" },
		{ CONTROL_VERDICT_FAIL, "explore_fail: ", "no text" },
		{ CONTROL_VERDICT_TIMEOUT, "timeout: ",
		  "no operation for too long a time" },
		{ CONTROL_VERDICT_DIVERGED, "the replay diverged: ",
		  "not the recorded run" },
		{ CONTROL_VERDICT_BAD_PICK, "bad strategy: ",
		  "its answer was out of range" },
		{ CONTROL_VERDICT_INTERNAL, "internal error: ", "no text" },
		{ CONTROL_VERDICT_EXEC, "exec: ",
		  "the program replaced itself" },
	};
	const struct control_verdict *v = &c->r->trace->verdict;
	char name[2 * DESCRIBE_BYTES];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].kind != v->kind)
			continue;
		fputs(texts[i].before, c->f);
		if (v->kind == CONTROL_VERDICT_ABORT && v->message[0])
			fputs(": ", c->f);
		print_message(c->f, v, texts[i].fallback);
		if (v->kind == CONTROL_VERDICT_MISUSE && v->object) {
			describe_object_long(&c->d, v->object,
					     EXPLORE_OP_NONE, name,
					     sizeof(name));
			fprintf(c->f, " (%s)", name);
		}
		return;
	}
	fputs(trace_verdict_name(v->kind), c->f);
}

/* Verdicts that happen at one place, which belongs into the headline. */
static bool has_place(uint32_t kind)
{
	switch (kind) {
	case CONTROL_VERDICT_EXIT:
	case CONTROL_VERDICT_CRASH:
	case CONTROL_VERDICT_ABORT:
	case CONTROL_VERDICT_SELF_DEADLOCK:
	case CONTROL_VERDICT_MISUSE:
	case CONTROL_VERDICT_FAIL:
		return true;
	default:
		return false;	/* an assertion names its own */
	}
}

/* Both accesses; which bytes they meet at is known by address only. */
static void print_race(struct report_context *c)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	char place[DESCRIBE_BYTES], memory[2 * DESCRIBE_BYTES];
	struct control_race r;

	if (!race_stacks_parse(v, &r)) {
		fprintf(c->f, "data race: ");
		print_message(c->f, v, "no text");
		return;
	}
	report_race_subject(c->d.symbols, &r, memory, sizeof(memory));
	describe_place(&c->d, r.pc, false, place, sizeof(place));
	fprintf(c->f, "data race on %s: %s by T%u in %s", memory,
		r.is_write ? "write" : "read", r.task, place);
	describe_place(&c->d, r.other_pc, false, place, sizeof(place));
	fprintf(c->f, ", %s by T%u in %s", r.other_is_write ? "write" : "read",
		r.other_task, place);
}

/* Where the tasks are now is below; the earlier access is over. */
static void print_earlier(struct report_context *c)
{
	struct control_race r;
	char prefix[32];

	if (!race_stacks_parse(&c->r->trace->verdict, &r))
		return;
	fprintf(c->f, "\nThe earlier access\n");
	snprintf(prefix, sizeof(prefix), "  %s by T%u at",
		 r.other_is_write ? "write" : "read", r.other_task);
	if (c->r->earlier && c->r->earlier->nr)
		report__print_frames(c, c->r->earlier, prefix);
	else
		fprintf(c->f, "  no stack: the run did not come by there "
			"again\n");
}

static void print_headline(struct report_context *c)
{
	const struct control_verdict *v = &c->r->trace->verdict;
	char place[DESCRIBE_BYTES];

	fprintf(c->f, "FAILED: ");
	switch (v->kind) {
	case CONTROL_VERDICT_EXIT:
		fprintf(c->f, "exit status %d", v->code);
		break;
	case CONTROL_VERDICT_CRASH:
		print_crash(c);
		break;
	case CONTROL_VERDICT_DEADLOCK:
		print_deadlock(c, "deadlock");
		break;
	case CONTROL_VERDICT_PARTIAL_DEADLOCK:
		print_deadlock(c, "partial deadlock");
		break;
	case CONTROL_VERDICT_SELF_DEADLOCK:
		print_self_deadlock(c);
		break;
	case CONTROL_VERDICT_RACE:
		print_race(c);
		break;
	case CONTROL_VERDICT_STEP_LIMIT:
		fprintf(c->f, "still running after %" PRIu64 " operations",
			c->r->trace->nr_events);
		break;
	default:
		print_kind(c);
	}
	report__failing_place(c, place, sizeof(place));
	if (has_place(v->kind) && place[0])
		fprintf(c->f, ", in %s", place);
	fputc('\n', c->f);
}

static void print_numbers(struct report_context *c)
{
	const struct trace *t = c->r->trace;

	fprintf(c->f, "  after %" PRIu64 " operation%s of %u task%s, with %"
		PRIu64 " switch%s and %" PRIu64 " preemption%s\n",
		t->nr_events, plural(t->nr_events), t->nr_tasks,
		plural(t->nr_tasks), t->nr_switches,
		t->nr_switches == 1 ? "" : "es", t->nr_preemptions,
		plural(t->nr_preemptions));
	fprintf(c->f, "  run %" PRIu64 ", strategy %s, seed %" PRIu64 "\n",
		t->run, t->strategy ? t->strategy : "?", t->seed);
	if (c->r->counters)
		refusals_print(c->f, c->r->counters, t->module, t->nr_modules,
			       c->r->symbols);
}

/* ---------------------------------------------------------------- output */

/* The start of the last lines: few, and not too long in all. */
static size_t output_start(const char *s, size_t bytes)
{
	uint32_t lines = 0;
	size_t at = bytes;

	if (at && s[at - 1] == '\n')
		at--;
	while (at > 0 && bytes - at < MAX_OUTPUT_BYTES) {
		if (s[at - 1] == '\n' && ++lines == MAX_OUTPUT_LINES)
			break;
		at--;
	}
	return at;
}

/* Control characters could do anything to a terminal. */
static void print_output(struct report_context *c)
{
	const char *s = c->r->output;
	size_t bytes = c->r->output_bytes;
	size_t start;
	bool is_new_line = true;

	if (!s || !bytes)
		return;
	start = output_start(s, bytes);
	fprintf(c->f, "\nOutput of the program%s\n",
		start ? " (its last lines)" : "");
	for (size_t i = start; i < bytes; i++) {
		unsigned char byte = (unsigned char)s[i];

		if (is_new_line)
			fputs("  | ", c->f);
		is_new_line = byte == '\n';
		if ((byte < ' ' && byte != '\n' && byte != '\t') ||
		    byte == 0x7f)
			byte = '?';
		fputc(byte, c->f);
	}
	if (!is_new_line)
		fputc('\n', c->f);
}

/* ---------------------------------------------------------------- report */

static void print_footer(struct report_context *c)
{
	const struct report *r = c->r;

	fputc('\n', c->f);
	if (r->trace->has_reproduced)
		fprintf(c->f, "Replayed once: the same failure again.\n");
	else
		fprintf(c->f, "DID NOT REPRODUCE: a replay of this schedule "
			"went another way, so the\n  program depends on "
			"something that explore does not control.\n");
	if (r->trace_path)
		fprintf(c->f, "Trace:  %s\n", r->trace_path);
	else
		fprintf(c->f, "The trace was not saved.\n");
	if (r->replay_command)
		fprintf(c->f, "Replay: %s\n", r->replay_command);
}

void report_print(FILE *f, const struct report *r)
{
	struct report_context c = { .f = f, .r = r };

	describe_init(&c.d, r->trace, r->symbols, r->object, r->nr_objects);
	print_headline(&c);
	print_numbers(&c);
	print_earlier(&c);
	print_block(&c);
	report__print_tasks(&c);
	report__print_schedule(&c);
	print_output(&c);
	print_footer(&c);
	describe_release(&c.d);
}
