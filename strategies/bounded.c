/* SPDX-License-Identifier: MIT */
/*
 * bounded.c - every schedule whose cost is within a bound, cheapest first.
 *
 * Shared by pb (cost: preemptions) and db (cost: delays), which differ in
 * nothing but what an answer costs.
 *
 * The tree of deviations. At each point the answer of rank 0 (order.c) is the
 * default and free. A schedule is then given by its deviations: the points
 * where it took another rank, as (position, rank) with ascending positions;
 * between and behind them it follows the default. No two lists of deviations
 * give the same schedule, and every schedule has one. Its parent is the
 * schedule without the last deviation, so the root is the default schedule and
 * the children of a schedule deviate once more, behind its last deviation.
 *
 * So a run shows its own children: every point it meets behind its last
 * deviation, with each rank but 0. pick() notes them as they are met, begin()
 * takes one and runs it. Nothing is run to find out that it is not wanted,
 * and nothing twice. The cost of a child is its parent's and that of its last
 * deviation; children that cost no more are taken at once (last in, first
 * out: a depth-first search), the others wait in a queue for the next level.
 * Level c thus runs the schedules of cost c, after all those that cost less.
 *
 * Memory. A node (12 bytes) per run, so that a child can be found by going
 * up its parents, and an entry (24 bytes) per waiting point of a run, not per
 * child. At the last level nothing waits for a next one, and nodes are given
 * back as soon as no stacked child needs them. When an array is full, what
 * does not fit is left out; describe() then names the level as incomplete.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

#define NO_NODE UINT32_MAX
#define NO_LEVEL UINT64_MAX
#define MIB (1u << 20)

/* A schedule: its parent's deviations, and one more. */
struct node {
	uint32_t parent;	/* NO_NODE: this is the default schedule */
	uint32_t position;	/* counts points with at least two answers */
	uint32_t rank;
};

/* Children of a node that deviate at one point: ranks `rank` .. `nr` - 1. */
struct entry {
	uint32_t node;
	uint32_t position;
	uint32_t rank;		/* the next to be run, 1 <= rank < nr */
	uint32_t nr;
	uint32_t cost;		/* enum strategy__cost */
	uint32_t fingerprint;	/* of the point */
};

struct deviation {
	uint32_t position;
	uint32_t rank;
};

/*
 * The state block: this, then the arrays in the order of their offsets.
 *
 * The queue is a ring: queue[head], then the `nr_queue` - 1 behind it. The
 * first `nr_level` of them belong to this level, the others to the next.
 */
struct state {
	uint64_t bound;
	uint64_t level;
	uint64_t nr_runs;	/* begun */
	uint64_t nr_done;	/* ended */
	uint64_t nr_beyond;	/* children that cost more than the bound */
	uint64_t nr_lost;	/* entries that did not fit */
	uint64_t lost_level;	/* the lowest level of a lost entry */
	uint64_t nr_strayed;	/* runs that left their plan's path */
	uint64_t plan_offset, nr_plan, max_plan;
	uint64_t node_offset, nr_nodes, max_nodes;
	uint64_t stack_offset, nr_stack, max_stack;
	uint64_t queue_offset, head, nr_queue, max_queue, nr_level;
	uint64_t last_base;	/* nodes of levels before the last */
	/* The run: */
	uint64_t position;	/* of the next point */
	uint64_t nr_deviated;	/* deviations of the plan that are done */
	uint32_t node;		/* of this run, or NO_NODE: there was no room */
	uint32_t has_strayed;
	/* What the last point of the plan must look like. */
	uint32_t expected_nr;
	uint32_t expected_fingerprint;
};

static struct deviation *plan_of(struct state *s)
{
	return (struct deviation *)((char *)s + s->plan_offset);
}

static struct node *nodes_of(struct state *s)
{
	return (struct node *)((char *)s + s->node_offset);
}

static struct entry *stack_of(struct state *s)
{
	return (struct entry *)((char *)s + s->stack_offset);
}

static struct entry *queue_at(struct state *s, uint64_t i)
{
	struct entry *queue = (struct entry *)((char *)s + s->queue_offset);

	return &queue[(s->head + i) % s->max_queue];
}

/* --------------------------------------------------------------- set-up */

/* Sets the offsets and sizes; returns the bytes of all. */
static size_t lay_out(struct state *s, const struct explore_setup *setup,
		      const struct explore_param *params)
{
	uint64_t quarter = strategy__value(setup, params, 1) * (MIB / 4);
	uint64_t at = sizeof(*s);

	s->max_plan = setup->max_steps;
	s->plan_offset = at;
	at += s->max_plan * sizeof(struct deviation);
	s->max_nodes = quarter / sizeof(struct node);
	s->node_offset = at;
	at += s->max_nodes * sizeof(struct node);
	s->max_stack = quarter / sizeof(struct entry);
	s->stack_offset = at;
	at += s->max_stack * sizeof(struct entry);
	s->max_queue = 2 * quarter / sizeof(struct entry);
	s->queue_offset = at;
	at += s->max_queue * sizeof(struct entry);
	return at;
}

size_t strategy__bounded_bytes(const struct explore_setup *setup,
			       const struct explore_param *params)
{
	struct state s;

	return lay_out(&s, setup, params);
}

void strategy__bounded_init(void *state, const struct explore_setup *setup,
			    const struct explore_param *params)
{
	struct state *s = state;

	lay_out(s, setup, params);
	s->bound = strategy__value(setup, params, 0);
	s->lost_level = NO_LEVEL;
}

/* ----------------------------------------------------------- next to run */

static bool is_last_level(const struct state *s)
{
	return s->level == s->bound;
}

/* The plan is the list of deviations of `node`, then `position`, `rank`. */
static void make_plan(struct state *s, const struct entry *e)
{
	struct deviation *plan = plan_of(s);
	const struct node *nodes = nodes_of(s);
	uint64_t nr = 1, i;
	uint32_t n;

	for (n = e->node; nodes[n].parent != NO_NODE; n = nodes[n].parent)
		nr++;
	s->nr_plan = nr;
	plan[nr - 1] = (struct deviation){ e->position, e->rank };
	i = nr - 1;
	for (n = e->node; nodes[n].parent != NO_NODE; n = nodes[n].parent)
		plan[--i] = (struct deviation){ nodes[n].position,
						nodes[n].rank };
	s->expected_nr = e->nr;
	s->expected_fingerprint = e->fingerprint;
}

static void make_node(struct state *s, const struct node *n)
{
	if (s->nr_nodes == s->max_nodes) {
		s->node = NO_NODE;
		return;
	}
	s->node = (uint32_t)s->nr_nodes++;
	nodes_of(s)[s->node] = *n;
}

/* Run the entry's next rank. The entry may be overwritten meanwhile. */
static void start_child(struct state *s, struct entry e)
{
	struct node n = { e.node, e.position, e.rank };

	make_plan(s, &e);
	/*
	 * Parents of stacked entries ascend with the stack, so once an entry
	 * is on top no node made after its parent is needed, unless the queue
	 * needs it, which at the last level it does not.
	 */
	if (is_last_level(s))
		s->nr_nodes = e.node >= s->last_base ? e.node + 1 :
						       s->last_base;
	make_node(s, &n);
}

static void pop_stack(struct state *s)
{
	struct entry *top = &stack_of(s)[s->nr_stack - 1];
	struct entry e = *top;

	if (++top->rank == top->nr)
		s->nr_stack--;
	start_child(s, e);
}

static void pop_queue(struct state *s)
{
	struct entry *first = queue_at(s, 0);
	struct entry e = *first;

	if (e.cost == STRATEGY__FLAT && e.rank + 1 < e.nr) {
		first->rank++;
	} else {
		s->head = (s->head + 1) % s->max_queue;
		s->nr_queue--;
		s->nr_level--;
	}
	if (e.cost == STRATEGY__RISING && e.rank + 1 < e.nr) {
		/* Its next rank costs one more. A place has just been freed. */
		if (is_last_level(s)) {
			s->nr_beyond += e.nr - e.rank - 1;
		} else {
			struct entry *last = queue_at(s, s->nr_queue++);

			*last = e;
			last->rank++;
		}
	}
	start_child(s, e);
}

static void start_root(struct state *s)
{
	struct node n = { .parent = NO_NODE };

	s->nr_plan = 0;
	make_node(s, &n);
}

/* On to the next level, if there is one. */
static bool next_level(struct state *s)
{
	if (!s->nr_queue || is_last_level(s))
		return false;
	s->level++;
	s->nr_level = s->nr_queue;
	if (is_last_level(s))
		s->last_base = s->nr_nodes;
	return true;
}

int strategy__bounded_begin(void *state, uint64_t run)
{
	struct state *s = state;

	(void)run;
	if (!s->nr_runs) {
		start_root(s);
	} else if (s->nr_stack) {
		pop_stack(s);
	} else {
		if (!s->nr_level && !next_level(s))
			return 0;
		pop_queue(s);
	}
	s->position = 0;
	s->nr_deviated = 0;
	s->has_strayed = 0;
	s->nr_runs++;
	return 1;
}

/* ------------------------------------------------------------- in a run */

static void lose(struct state *s, uint64_t level)
{
	s->nr_lost++;
	if (level < s->lost_level)
		s->lost_level = level;
}

/* This run's children at this point. */
static void note_children(struct state *s, const struct explore_point *point,
			  enum strategy__cost cost)
{
	struct entry e = {
		.node = s->node,
		.position = (uint32_t)s->position,
		.rank = 1,
		.nr = point->nr,
		.cost = cost,
		.fingerprint = strategy__fingerprint(point),
	};

	if (cost == STRATEGY__FREE) {
		if (s->node == NO_NODE || s->nr_stack == s->max_stack)
			lose(s, s->level);
		else
			stack_of(s)[s->nr_stack++] = e;
	} else if (is_last_level(s)) {
		s->nr_beyond += point->nr - 1;
	} else if (s->node == NO_NODE || s->nr_queue == s->max_queue) {
		lose(s, s->level + 1);
	} else {
		*queue_at(s, s->nr_queue++) = e;
	}
}

static void stray(struct state *s)
{
	if (!s->has_strayed)
		s->nr_strayed++;
	s->has_strayed = 1;
}

/* The rank to take at the plan's point, which has come. */
static uint32_t follow_plan(struct state *s, const struct explore_point *point)
{
	uint32_t rank = plan_of(s)[s->nr_deviated++].rank;

	if (rank >= point->nr ||
	    (s->nr_deviated == s->nr_plan &&
	     (point->nr != s->expected_nr ||
	      strategy__fingerprint(point) != s->expected_fingerprint))) {
		stray(s);
		return 0;
	}
	return rank;
}

struct explore_decision
strategy__bounded_pick(void *state, const struct explore_point *point,
		       const struct strategy__bounded_ops *ops)
{
	struct state *s = state;
	uint32_t rank = 0;

	if (point->nr < 2)
		return strategy__answer(0);
	if (s->nr_deviated < s->nr_plan) {
		if (plan_of(s)[s->nr_deviated].position == s->position)
			rank = follow_plan(s, point);
	} else if (!s->has_strayed) {
		note_children(s, point, ops->cost(point));
	}
	s->position++;
	return strategy__answer(strategy__ranked(point, rank));
}

void strategy__bounded_end(void *state, const struct explore_outcome *outcome)
{
	struct state *s = state;

	(void)outcome;
	s->nr_done++;
	if (s->nr_deviated < s->nr_plan)
		stray(s);
}

/* ---------------------------------------------------------- what was done */

/* The number of levels, from 0 on, all of whose schedules were run. */
static uint64_t full_levels(const struct state *s)
{
	bool is_level_done = s->nr_runs && s->nr_done == s->nr_runs &&
			     !s->nr_stack && !s->nr_level;
	uint64_t nr = s->level + is_level_done;

	return nr < s->lost_level ? nr : s->lost_level;
}

static void describe_levels(const struct state *s, struct strategy__text *t,
			    const char *noun)
{
	uint64_t nr = full_levels(s);

	if (nr == s->level + 1 && !s->nr_queue && !s->nr_beyond &&
	    !s->nr_lost && !s->nr_strayed) {
		strategy__add(t, "every schedule");
	} else if (!nr) {
		strategy__add(t, "part of the schedules without ");
		strategy__add(t, noun);
	} else if (nr == 1) {
		strategy__add(t, "all schedules without ");
		strategy__add(t, noun);
	} else {
		strategy__add(t, "all schedules with up to ");
		strategy__add_count(t, nr - 1, noun);
	}
	if (nr && nr <= s->level) {
		strategy__add(t, ", part of those with ");
		strategy__add_u64(t, s->level);
	}
}

void strategy__bounded_describe(const void *state, char *text, size_t bytes,
				const struct strategy__bounded_ops *ops)
{
	const struct state *s = state;
	struct strategy__text t = strategy__text(text, bytes);

	describe_levels(s, &t, ops->noun);
	strategy__add(&t, ": ");
	strategy__add_count(&t, s->nr_done, "run");
	if (s->nr_lost) {
		strategy__add(&t, "; from ");
		strategy__add_count(&t, s->lost_level, ops->noun);
		strategy__add(&t, " on schedules are missing, for lack of "
			      "room (parameter memory)");
	}
	if (s->nr_strayed) {
		strategy__add(&t, "; the target is not deterministic, ");
		strategy__add_count(&t, s->nr_strayed, "run");
		strategy__add(&t, " left the expected path, so schedules may "
			      "be missing");
	}
}
