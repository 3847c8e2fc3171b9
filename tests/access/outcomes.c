/* SPDX-License-Identifier: MIT */
/*
 * outcomes.c - what litmus.c may print under sequential consistency
 *
 * Takes the same arguments, walks through all interleavings of a model of that
 * program, and prints their number ("schedules N") and each outcome once. In
 * the model main creates the threads, plays the last program and joins; a
 * thread's start and its end are steps as well. Knows nothing of the tool.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 8
#define MAX_STEPS 64
#define MAX_OUTCOMES 1024

/* One step of a thread; kinds beside those of litmus.c: */
#define CREATE 'c'
#define START 's'
#define END 'e'
#define JOIN 'j'
#define UPDATE_END 'u'	/* the second half of 'U' */

struct step {
	char kind, variable, number;
};

struct thread {
	struct step step[MAX_STEPS];
	int nr;
};

struct state {
	int at[MAX_THREADS];
	int is_created[MAX_THREADS], has_ended[MAX_THREADS];
	long variable[3], reg[10], update[MAX_THREADS];
};

static struct thread thread[MAX_THREADS];	/* [0] is main */
static int nr_threads, nr_regs;
static char *outcome[MAX_OUTCOMES];
static int nr_outcomes;
static unsigned long nr_schedules;

static void add(struct thread *t, char kind, char variable, char number)
{
	if (t->nr == MAX_STEPS)
		exit(99);
	t->step[t->nr++] = (struct step){ kind, variable, number };
}

static void add_program(struct thread *t, const char *program)
{
	for (; *program; program += 3) {
		add(t, program[0], (char)(program[1] - 'x'),
		    (char)(program[2] - '0'));
		if (program[0] == 'U')
			add(t, UPDATE_END, (char)(program[1] - 'x'), 0);
		if (program[0] == 'R' && program[2] - '0' >= nr_regs)
			nr_regs = program[2] - '0' + 1;
	}
}

static void add_outcome(const struct state *s)
{
	char text[256];
	int n = sprintf(text, "outcome");

	for (int i = 0; i < nr_regs; i++)
		n += sprintf(text + n, " %ld", s->reg[i]);
	sprintf(text + n, " x=%ld y=%ld z=%ld", s->variable[0],
		s->variable[1], s->variable[2]);
	nr_schedules++;
	for (int i = 0; i < nr_outcomes; i++)
		if (!strcmp(outcome[i], text))
			return;
	if (nr_outcomes == MAX_OUTCOMES)
		exit(99);
	outcome[nr_outcomes++] = strdup(text);
}

static int can_step(const struct state *s, int t)
{
	const struct step *step = &thread[t].step[s->at[t]];

	if (s->at[t] == thread[t].nr || !s->is_created[t])
		return 0;
	return step->kind != JOIN || s->has_ended[(int)step->number];
}

static void carry_out(struct state *s, int t)
{
	const struct step *step = &thread[t].step[s->at[t]++];
	long *variable = &s->variable[(int)step->variable];
	int number = step->number;

	switch (step->kind) {
	case CREATE:
		s->is_created[number] = 1;
		break;
	case END:
		s->has_ended[t] = 1;
		break;
	case 'W':
		*variable = number;
		break;
	case 'R':
		s->reg[number] = *variable;
		break;
	case 'A':
		++*variable;
		break;
	case 'U':
		s->update[t] = *variable;
		break;
	case UPDATE_END:
		*variable = s->update[t] + 1;
		break;
	}
}

static void walk(const struct state *s)
{
	int can = 0;

	for (int t = 0; t < nr_threads; t++) {
		struct state next = *s;

		if (!can_step(s, t))
			continue;
		can = 1;
		carry_out(&next, t);
		walk(&next);
	}
	if (!can)
		add_outcome(s);
}

int main(int argc, char **argv)
{
	struct state s = { .is_created = { 1 } };

	if (argc < 2 || argc > MAX_THREADS + 1)
		return 99;
	nr_threads = argc - 1;
	for (int t = 1; t < nr_threads; t++) {
		add(&thread[0], CREATE, 0, (char)t);
		add(&thread[t], START, 0, 0);
		add_program(&thread[t], argv[t]);
		add(&thread[t], END, 0, 0);
	}
	add_program(&thread[0], argv[argc - 1]);
	for (int t = 1; t < nr_threads; t++)
		add(&thread[0], JOIN, 0, (char)t);
	walk(&s);
	printf("schedules %lu\n", nr_schedules);
	for (int i = 0; i < nr_outcomes; i++)
		puts(outcome[i]);
	return 0;
}
