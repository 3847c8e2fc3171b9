/* SPDX-License-Identifier: MIT */
/*
 * notes.c - what happened in a run beside its operations, for reports.
 */
#include "explorer/target/notes.h"

#include <asm/unistd.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* ---------------------------------------------------------------- taking */

/* The target may have written what it likes to the region. */
static bool is_sane(const struct control_note *n, const struct trace *t)
{
	return n->kind > CONTROL_NOTE_NONE && n->kind < CONTROL_NOTE_NR &&
	       n->is_of_op <= 1 && n->task < SCHED_MAX_TASKS &&
	       n->other < SCHED_MAX_TASKS && n->object <= SCHED_MAX_OBJECTS &&
	       n->step < CONTROL_MAX_STEPS &&
	       n->step + n->is_of_op <= t->nr_events;
}


/* A stable sort: notes are nearly in order. */
static void sort(struct control_note *note, uint32_t nr)
{
	for (uint32_t i = 1; i < nr; i++) {
		struct control_note moved = note[i];
		uint32_t to = i;

		for (; to > 0 && note[to - 1].step > moved.step; to--)
			note[to] = note[to - 1];
		note[to] = moved;
	}
}

/* Numbers of inodes differ from run to run. */
static void name_file(const char *from, char *text, size_t bytes)
{
	static const char anonymous[] = "anon_inode:";
	size_t length = strlen(from);

	if (!strncmp(from, anonymous, strlen(anonymous))) {
		from += strlen(anonymous);
		from += *from == '[';
		length = strcspn(from, "]");
	} else if (from[0] != '/' && strstr(from, ":[")) {
		length = strcspn(from, ":");
	}
	snprintf(text, bytes, "%.*s", (int)length, from);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

/*
 * Processes by order of being made: the kernel's numbers differ from run to
 * run. 0: not known.
 */
static void number_children(struct trace *t)
{
	int32_t *number = xcalloc(t->nr_notes + 1, sizeof(*number));
	int32_t nr = 0, k;

	for (uint32_t i = 0; i < t->nr_notes; i++) {
		struct control_note *n = &t->note[i];

		if (n->kind == CONTROL_NOTE_FORK) {
			number[nr++] = n->number;
			n->number = nr;
		} else if (n->kind == CONTROL_NOTE_CHILD) {
			for (k = nr; k > 0 && number[k - 1] != n->number; k--)
				;
			n->number = k;
		}
	}
	free(number);
}

void notes_take(struct trace *t, const struct control *c)
{
	uint64_t nr = c->nr_notes, first;
	char text[CONTROL_NOTE_BYTES] = "";

	free(t->note);
	t->note = NULL;
	t->nr_notes = 0;
	if (!nr)
		return;
	first = nr > CONTROL_MAX_NOTES ? nr - CONTROL_MAX_NOTES : 0;
	t->note = xcalloc(nr - first, sizeof(*t->note));
	for (uint64_t i = first; i < nr; i++) {
		struct control_note *n = &t->note[t->nr_notes];

		*n = c->note[i % CONTROL_MAX_NOTES];
		n->text[sizeof(n->text) - 1] = '\0';
		name_file(n->text, text, sizeof(text));
		memcpy(n->text, text, sizeof(n->text));
		t->nr_notes += is_sane(n, t);
	}
	sort(t->note, t->nr_notes);
	number_children(t);
}

/* --------------------------------------------------------------- finding */

/* The first note of that step, or of a later one. */
uint32_t notes_first(const struct trace *t, uint64_t step)
{
	uint32_t low = 0, high = t->nr_notes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (t->note[middle].step < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct control_note *notes_of_op(const struct trace *t, uint64_t step,
				       enum control_note_kind kind)
{
	for (uint32_t i = notes_first(t, step);
	     i < t->nr_notes && t->note[i].step == step; i++)
		if (t->note[i].is_of_op && t->note[i].kind == kind)
			return &t->note[i];
	return NULL;
}

/* ----------------------------------------------------------------- words */

void notes_call_name(int32_t number, char *text, size_t bytes)
{
	char *name;

	/* What the source says: the C library makes these of open(). */
	if (number == __NR_openat || number == __NR_openat2) {
		snprintf(text, bytes, "open");
		return;
	}
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
	snprintf(text, bytes, "%s", name ? name : "call");
	free(name);
}

void notes_describe_fd(const struct control_note *n, char *text, size_t bytes)
{
	char name[CONTROL_NOTE_BYTES];

	name_file(n->text, name, sizeof(name));
	if (name[0])
		snprintf(text, bytes, "%d (%s%s)", n->fd,
			 strlen(n->text) == sizeof(n->text) - 1 ? "..." : "",
			 name);
	else
		snprintf(text, bytes, "fd %d", n->fd);
}

const char *notes_kind_name(uint8_t kind)
{
	static const char *const names[CONTROL_NOTE_NR] = {
		[CONTROL_NOTE_NONE] = "none",
		[CONTROL_NOTE_CALL] = "call",
		[CONTROL_NOTE_FREE] = "free",
		[CONTROL_NOTE_CANCELLED] = "cancelled",
		[CONTROL_NOTE_JOINED_CANCELLED] = "joined-cancelled",
		[CONTROL_NOTE_FORK] = "fork",
		[CONTROL_NOTE_HELD] = "held-at-fork",
		[CONTROL_NOTE_CHILD] = "child",
	};

	return kind < CONTROL_NOTE_NR ? names[kind] : "unknown";
}
