/* SPDX-License-Identifier: MIT */
/*
 * enumerate.c - how many schedules has guest `exact`? By brute force.
 *
 * A model of that guest, made without the scheduler of the tool: each thread is
 * a list of steps, and every complete order of steps is counted once. Equal
 * states have equal futures, so their counts are kept in a table.
 *
 *	enumerate CAST		prints the number of schedules
 *	enumerate CAST preemptions N	... of those with at most N preemptions
 *	enumerate CAST delays N		... of those with at most N delays
 *
 * A preemption is a switch away from a thread whose next step was possible. A
 * delay passes over a thread that a round robin would run: the one that ran
 * last, and then in order of creation, and round again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TASKS 8
#define MAX_STEPS 24
#define NR_MUTEXES 2
#define NOBODY 0xff

enum step_kind {
	STEP_START,		/* the first step of every thread */
	STEP_EXIT,		/* the last step of every thread but main */
	STEP_CREATE,		/* arg: the thread */
	STEP_JOIN,		/* arg: the thread */
	STEP_PROCESS_EXIT,	/* the last step of main: all is over */
	STEP_LOCK,		/* arg: the mutex */
	STEP_UNLOCK,		/* arg: the mutex */
	STEP_POST,
	STEP_WAIT,
	STEP_ARRIVE,		/* at the barrier; the last one goes on */
	STEP_LEAVE,
	STEP_COND_WAIT,		/* skipped when told; gives up mutex 0 */
	STEP_COND_WAKE,		/* takes it again; then looks once more */
	STEP_TELL,
	STEP_ACCESS,		/* of memory; always possible */
};

struct step {
	uint8_t kind;
	uint8_t arg;
};

struct program {
	struct step step[MAX_STEPS];
	uint8_t nr;
};

/* No padding: states are compared as bytes. */
struct state {
	uint8_t at[MAX_TASKS];	/* index of the next step */
	uint8_t is_alive[MAX_TASKS];
	uint8_t is_woken[MAX_TASKS];
	uint8_t queue[MAX_TASKS];	/* of the condition, in order */
	uint8_t owner[NR_MUTEXES];
	uint8_t nr_queued;
	uint8_t value;		/* of the semaphore */
	uint8_t nr_arrived;
	uint8_t generation;	/* odd: the barrier has opened */
	uint8_t is_told;
	uint8_t last;		/* who made the last step */
	uint8_t nr_left;	/* what choices may still cost */
};

struct entry {
	struct state state;
	uint64_t count;
	struct entry *next;
};

#define NR_BUCKETS (1u << 20)
static struct entry *bucket[NR_BUCKETS];
static struct program program[MAX_TASKS];
static uint8_t nr_tasks = 1;
static enum { FREE, BY_PREEMPTIONS, BY_DELAYS } cost_kind;

static void add(struct program *p, enum step_kind kind, unsigned int arg)
{
	if (p->nr == MAX_STEPS)
		abort();
	p->step[p->nr++] = (struct step){ (uint8_t)kind, (uint8_t)arg };
}

static void add_visit(struct program *p, unsigned int mutex)
{
	add(p, STEP_LOCK, mutex);
	add(p, STEP_UNLOCK, mutex);
}

/* The threads that access memory. */
static int add_accesses(struct program *p, char role)
{
	switch (role) {
	case 'r':
	case 's':
	case 'k':
		add(p, STEP_ACCESS, 0);
		return 0;
	case 'i':
	case 'g':
	case 'd':
	case 'e':
		add(p, STEP_ACCESS, 0);
		add(p, STEP_ACCESS, 0);
		return 0;
	case 'l':
		add(p, STEP_ACCESS, 0);
		/* fall through */
	case 'x':
	case 'v':
		for (int i = 0; i < 3; i++)
			add(p, STEP_ACCESS, 0);
		return 0;
	case 'q':
		add(p, STEP_LOCK, 0);
		add(p, STEP_ACCESS, 0);
		add(p, STEP_ACCESS, 0);
		add(p, STEP_UNLOCK, 0);
		return 0;
	default:
		return -1;
	}
}

/* The thread that a letter of the cast stands for; see guests/exact.c. */
static int make_program(struct program *p, char role)
{
	add(p, STEP_START, 0);
	switch (role) {
	case 'm':
		break;
	case 'A':
		add_visit(p, 0);
		/* fall through */
	case 'a':
		add_visit(p, 0);
		break;
	case 'B':
		add_visit(p, 1);
		/* fall through */
	case 'b':
		add_visit(p, 1);
		break;
	case 'n':
		add(p, STEP_LOCK, 0);
		add_visit(p, 1);
		add(p, STEP_UNLOCK, 0);
		break;
	case 'p':
		add(p, STEP_POST, 0);
		break;
	case 'w':
		add(p, STEP_WAIT, 0);
		break;
	case 'y':
		add(p, STEP_ARRIVE, 0);
		add(p, STEP_LEAVE, 0);
		break;
	case 'c':
		add(p, STEP_LOCK, 0);
		add(p, STEP_COND_WAIT, 0);
		add(p, STEP_COND_WAKE, 0);
		add(p, STEP_UNLOCK, 0);
		break;
	case 't':
		add(p, STEP_LOCK, 0);
		add(p, STEP_TELL, 0);
		add(p, STEP_UNLOCK, 0);
		break;
	default:
		if (add_accesses(p, role))
			return -1;
	}
	add(p, STEP_EXIT, 0);
	return 0;
}

static int make_programs(const char *cast)
{
	size_t nr = strlen(cast);

	if (nr >= MAX_TASKS || 2 * nr + 2 > MAX_STEPS)
		return -1;
	add(&program[0], STEP_START, 0);
	for (unsigned int i = 1; i <= nr; i++) {
		add(&program[0], STEP_CREATE, i);
		if (make_program(&program[i], cast[i - 1]))
			return -1;
	}
	for (unsigned int i = 1; i <= nr; i++)
		add(&program[0], STEP_JOIN, i);
	add(&program[0], STEP_PROCESS_EXIT, 0);
	nr_tasks = (uint8_t)(nr + 1);
	return 0;
}

static const struct step *next_step(const struct state *s, unsigned int t)
{
	return &program[t].step[s->at[t]];
}

static int is_possible(const struct state *s, unsigned int t)
{
	const struct step *step = next_step(s, t);

	if (!s->is_alive[t])
		return 0;
	switch (step->kind) {
	case STEP_JOIN:
		return !s->is_alive[step->arg];
	case STEP_LOCK:
		return s->owner[step->arg] == NOBODY;
	case STEP_WAIT:
		return s->value > 0;
	case STEP_LEAVE:
		return s->generation;
	case STEP_COND_WAKE:
		return s->is_woken[t] && s->owner[0] == NOBODY;
	default:
		return 1;
	}
}

static void tell(struct state *s)
{
	s->is_told = 1;
	if (!s->nr_queued)
		return;
	s->is_woken[s->queue[0]] = 1;
	s->nr_queued--;
	memmove(s->queue, s->queue + 1, s->nr_queued);
	s->queue[s->nr_queued] = 0;
}

/* The next step of `t`, which is possible. Returns 1 when all is over. */
static int take_step(struct state *s, unsigned int t)
{
	const struct step *step = next_step(s, t);

	s->at[t]++;
	switch (step->kind) {
	case STEP_PROCESS_EXIT:
		return 1;
	case STEP_EXIT:
		s->is_alive[t] = 0;
		break;
	case STEP_CREATE:
		s->is_alive[step->arg] = 1;
		break;
	case STEP_LOCK:
		s->owner[step->arg] = (uint8_t)t;
		break;
	case STEP_UNLOCK:
		s->owner[step->arg] = NOBODY;
		break;
	case STEP_POST:
		s->value++;
		break;
	case STEP_WAIT:
		s->value--;
		break;
	case STEP_ARRIVE:
		if (++s->nr_arrived == 2) {
			s->generation = 1;
			s->at[t]++;	/* nothing to leave */
		}
		break;
	case STEP_COND_WAIT:
		s->owner[0] = NOBODY;
		s->queue[s->nr_queued++] = (uint8_t)t;
		break;
	case STEP_COND_WAKE:
		s->owner[0] = (uint8_t)t;
		s->is_woken[t] = 0;
		if (!s->is_told)
			s->at[t] -= 2;	/* wait again */
		break;
	case STEP_TELL:
		tell(s);
		break;
	}
	/* A look at the flag is no step of its own. */
	if (s->is_alive[t] && next_step(s, t)->kind == STEP_COND_WAIT &&
	    s->is_told)
		s->at[t] = (uint8_t)(s->at[t] + 2);
	return 0;
}

static uint64_t *remembered(const struct state *s)
{
	const unsigned char *byte = (const unsigned char *)s;
	uint64_t hash = 1469598103934665603ull;
	struct entry *e;

	for (size_t i = 0; i < sizeof(*s); i++)
		hash = (hash ^ byte[i]) * 1099511628211ull;
	hash ^= hash >> 32;
	for (e = bucket[hash % NR_BUCKETS]; e; e = e->next)
		if (!memcmp(&e->state, s, sizeof(*s)))
			return &e->count;
	e = malloc(sizeof(*e));
	if (!e)
		abort();
	e->state = *s;
	e->count = UINT64_MAX;
	e->next = bucket[hash % NR_BUCKETS];
	bucket[hash % NR_BUCKETS] = e;
	return &e->count;
}

/* What it costs to choose `t`, whose next step is possible. */
static unsigned int cost_of(const struct state *s, unsigned int t)
{
	unsigned int delays = 0;

	if (cost_kind == FREE)
		return 0;
	if (cost_kind == BY_PREEMPTIONS)
		return t != s->last && is_possible(s, s->last);
	for (unsigned int u = s->last; u != t; u = (u + 1) % nr_tasks)
		delays += (unsigned int)is_possible(s, u);
	return delays;
}

/* Complete schedules from here on; a deadlock is the end of one, too. */
static uint64_t count_from(const struct state *s)
{
	uint64_t *kept = remembered(s), sum = 0;
	int is_stuck = 1;

	if (*kept != UINT64_MAX)
		return *kept;
	for (unsigned int t = 0; t < nr_tasks; t++) {
		struct state after = *s;

		if (!is_possible(s, t))
			continue;
		is_stuck = 0;
		if (cost_of(s, t) > s->nr_left)
			continue;
		after.nr_left = (uint8_t)(after.nr_left - cost_of(s, t));
		after.last = cost_kind == FREE ? 0 : (uint8_t)t;
		sum += take_step(&after, t) ? 1 : count_from(&after);
	}
	*kept = is_stuck ? 1 : sum;
	return *kept;
}

int main(int argc, char **argv)
{
	struct state s = { .is_alive = { 1 }, .owner = { NOBODY, NOBODY } };

	if (argc == 4) {
		cost_kind = strcmp(argv[2], "delays") ? BY_PREEMPTIONS :
							BY_DELAYS;
		s.nr_left = (uint8_t)strtoul(argv[3], NULL, 10);
	}
	if ((argc != 2 && argc != 4) || make_programs(argv[1])) {
		fprintf(stderr, "usage: enumerate CAST "
			"[preemptions|delays N]\n");
		return 2;
	}
	printf("%llu\n", (unsigned long long)count_from(&s));
	return 0;
}
