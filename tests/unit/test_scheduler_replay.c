/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_replay.c - other choices, the digest, repeating a run; and a
 * long random walk through the whole model.
 */
#include "scheduler_fixture.h"
#include "scheduler/objects.h"

/* --------------------------------------------------------------- choose */

static void test_choose__a_number_is_logged(void **state)
{
	struct fixture *fx = *state;
	uint32_t chosen = 99;

	fx_task(fx);
	fx_run(fx, 0);
	fx->want = 5;
	assert_int_equal(scheduler_choose(fx->s, &fx->env, EXPLORE_POINT_VALUE,
					  0, 7, NULL, &chosen), SCHED_RUN);
	assert_int_equal(chosen, 5);
	assert_int_equal(fx->point.nr, 7);
	assert_null(fx->point.candidate);
	assert_int_equal(fx->s->step, 2);
	assert_int_equal(fx_last(fx)->point, EXPLORE_POINT_VALUE);
	assert_int_equal(fx_last(fx)->kind, EXPLORE_OP_CHOOSE);
	assert_int_equal(fx_last(fx)->chosen, 5);
	assert_int_equal(fx_last(fx)->nr, 7);
	assert_int_equal(fx->s->nr_ops[EXPLORE_OP_CHOOSE], 1);
	assert_int_equal(fx->s->now_ns, FX_OP_COST);
}

static void test_choose__among_tasks(void **state)
{
	struct fixture *fx = *state;
	static const uint32_t task[] = { 1, 3 };
	uint32_t chosen = 99;

	fx_tasks(fx, 4);
	fx->want = 3;
	assert_int_equal(scheduler_choose(fx->s, &fx->env, EXPLORE_POINT_WAKE,
					  2, 2, task, &chosen), SCHED_RUN);
	assert_int_equal(chosen, 3);
	assert_int_equal(fx->candidate[0].task, 1);
	assert_int_equal(fx_last(fx)->object, 2);
	assert_int_equal(fx_last(fx)->chosen, 3);
}

static void test_choose__one_answer_is_no_choice(void **state)
{
	struct fixture *fx = *state;
	static const uint32_t task[] = { 3 };
	uint32_t chosen = 99;

	fx_tasks(fx, 4);
	assert_int_equal(scheduler_choose(fx->s, &fx->env, EXPLORE_POINT_WAKE,
					  1, 1, task, &chosen), SCHED_RUN);
	assert_int_equal(chosen, 3);
	assert_int_equal(scheduler_choose(fx->s, &fx->env, EXPLORE_POINT_VALUE,
					  0, 1, NULL, &chosen), SCHED_RUN);
	assert_int_equal(chosen, 0);
	assert_int_equal(fx->nr_asked, 0);
	assert_int_equal(fx->s->step, 0);
}

static void test_choose__stops_at_the_step_limit(void **state)
{
	struct fixture *fx = *state;
	uint32_t chosen = 99;

	fx->config.max_steps = 1;
	fx_init(fx);
	fx_task(fx);
	fx_run(fx, 0);
	assert_int_equal(scheduler_choose(fx->s, &fx->env, EXPLORE_POINT_VALUE,
					  0, 2, NULL, &chosen),
			 SCHED_STEP_LIMIT);
	assert_int_equal(chosen, 99);
}

/* --------------------------------------------------------------- digest */

/* What a small run looks like; each field is varied on its own below. */
struct variation {
	uint64_t pc, addr;
	uint32_t site, object, object2, value, noted, chosen, nr;
	uint16_t kind;
};

static uint64_t digest_of(struct fixture *fx, const struct variation *v)
{
	uint32_t number;

	fx_init(fx);
	fx_tasks(fx, v->nr);
	fx_object(fx, SCHED_CLASS_SEM, 0x10);
	fx_announce(fx, v->chosen,
		    &(struct sched_announce){ .kind = v->kind,
					      .pc = v->pc,
					      .addr = v->addr,
					      .site = v->site,
					      .object = v->object,
					      .object2 = v->object2 });
	if (v->noted)
		scheduler_note_result(fx->s, v->chosen, v->noted - 1);
	fx_run(fx, v->chosen);
	fx->want = v->value;
	assert_int_equal(scheduler_choose(fx->s, &fx->env, EXPLORE_POINT_VALUE,
					  0, 9, NULL, &number), SCHED_RUN);
	return fx->s->digest;
}

static void test_digest__shows_every_difference(void **state)
{
	const struct variation base = {
		.kind = EXPLORE_OP_YIELD,
		.nr = 3,
	};
	struct variation v[9] = {
		base, base, base, base, base, base, base, base, base
	};
	uint64_t digest[9];
	struct fixture *fx = *state;

	v[1].site = 1;
	v[2].object = 1;
	v[3].object2 = 1;
	v[4].value = 1;
	v[5].noted = 1;		/* a result of 0 is not no result */
	v[6].noted = 2;
	v[7].chosen = 1;
	v[8].kind = EXPLORE_OP_MEMORY_READ;
	for (int i = 0; i < 9; i++) {
		digest[i] = digest_of(fx, &v[i]);
		assert_true(digest[i] == digest_of(fx, &v[i]));
		for (int j = 0; j < i; j++) {
			assert_true(digest[i] != digest[j]);
			assert_true((uint32_t)digest[i] !=
				    (uint32_t)digest[j]);
		}
	}
}

static void test_digest__shows_how_many_could_run(void **state)
{
	struct variation a = { .kind = EXPLORE_OP_YIELD, .nr = 3 };
	struct variation b = a;
	struct fixture *fx = *state;

	b.nr = 4;
	assert_true(digest_of(fx, &a) != digest_of(fx, &b));
}

static void test_digest__knows_no_addresses(void **state)
{
	struct variation a = { .kind = EXPLORE_OP_YIELD, .nr = 3 };
	struct variation b = a;
	struct fixture *fx = *state;

	b.pc = 0x7fff12345678;
	b.addr = 0x55550000;
	assert_true(digest_of(fx, &a) == digest_of(fx, &b));
}

static void test_note_result__order_matters_and_once_only(void **state)
{
	struct fixture *fx = *state;
	uint64_t first;

	fx_task(fx);
	scheduler_note_result(fx->s, 0, 1);
	scheduler_note_result(fx->s, 0, 2);
	first = fx->s->task[0].result;
	fx_run(fx, 0);
	assert_int_equal(fx->s->task[0].result, 0);
	scheduler_note_result(fx->s, 0, 2);
	scheduler_note_result(fx->s, 0, 1);
	assert_true(fx->s->task[0].result != first);
}

/* --------------------------------------------------------- random walks */

/* A target with nr tasks that do one of everything, at random. */
struct walk {
	struct fixture *fx;
	uint64_t seed, random;
	uint32_t mutex, rwlock, sem, cond, barrier, futex;
	bool has_mutex[64];
	bool is_reader[64];
};

static uint32_t draw(struct walk *w, uint32_t nr)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 40) % nr;
}

static void walk_init(struct walk *w, struct fixture *fx, uint64_t seed)
{
	*w = (struct walk){ .fx = fx, .seed = seed, .random = seed };
	fx_init(fx);
	fx_tasks(fx, 4);
	w->mutex = fx_object(fx, SCHED_CLASS_MUTEX, 1);
	w->rwlock = fx_object(fx, SCHED_CLASS_RWLOCK, 2);
	w->sem = fx_object(fx, SCHED_CLASS_SEM, 3);
	w->cond = fx_object(fx, SCHED_CLASS_COND, 4);
	w->barrier = fx_object(fx, SCHED_CLASS_BARRIER, 5);
	w->futex = fx_object(fx, SCHED_CLASS_FUTEX, 6);
	scheduler_object(fx->s, w->barrier)->limit = 2;
	if (seed & 1)
		scheduler_object(fx->s, w->rwlock)->flags |=
			SCHED_OBJECT_PREFERS_WRITER;
}

/* Carry the operation of the current task out. Returns false if it died. */
static bool execute(struct walk *w, struct sched_announce *then)
{
	struct fixture *fx = w->fx;
	struct scheduler *s = fx->s;
	uint32_t t = s->current;
	const struct explore_op op = s->task[t].op;
	uint64_t until = draw(w, 3) ? 0 : s->now_ns + 100;
	uint32_t nr;

	if (op.flags & EXPLORE_OP_F_TIMEOUT &&
	    op.kind != EXPLORE_OP_COND_WAKE)
		return true;
	switch (op.kind) {
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_COND_WAKE:
		assert_int_equal(scheduler_object(s, w->mutex)->owner, 0);
		scheduler_acquire(s, w->mutex, t);
		w->has_mutex[t] = true;
		break;
	case EXPLORE_OP_MUTEX_UNLOCK:
		scheduler_release(s, w->mutex);
		w->has_mutex[t] = false;
		break;
	case EXPLORE_OP_COND_WAIT:
		scheduler_release(s, w->mutex);
		w->has_mutex[t] = false;
		scheduler_wait(s, w->cond, t, UINT32_MAX);
		*then = (struct sched_announce){ .kind = EXPLORE_OP_COND_WAKE,
						 .object = w->cond,
						 .object2 = w->mutex,
						 .deadline_ns = until };
		break;
	case EXPLORE_OP_COND_SIGNAL:
		assert_int_equal(scheduler_wake(s, &fx->env, w->cond,
						1 + draw(w, 2), 1, &nr),
				 SCHED_RUN);
		break;
	case EXPLORE_OP_RWLOCK_RDLOCK:
		assert_int_equal(scheduler_object(s, w->rwlock)->owner, 0);
		scheduler_acquire_shared(s, w->rwlock, t);
		w->is_reader[t] = true;
		break;
	case EXPLORE_OP_RWLOCK_WRLOCK:
		assert_int_equal(scheduler_object(s, w->rwlock)->count, 0);
		scheduler_acquire(s, w->rwlock, t);
		break;
	case EXPLORE_OP_RWLOCK_UNLOCK:
		if (scheduler_object(s, w->rwlock)->owner == t + 1)
			scheduler_release(s, w->rwlock);
		else
			scheduler_release_shared(s, w->rwlock, t);
		w->is_reader[t] = false;
		break;
	case EXPLORE_OP_SEM_WAIT:
		assert_true(scheduler_object(s, w->sem)->count-- > 0);
		break;
	case EXPLORE_OP_SEM_POST:
		scheduler_object(s, w->sem)->count++;
		break;
	case EXPLORE_OP_BARRIER_WAIT:
		if (!scheduler_barrier_arrive(s, w->barrier, t))
			*then = (struct sched_announce){
				.kind = EXPLORE_OP_BARRIER_LEAVE,
				.object = w->barrier,
			};
		break;
	case EXPLORE_OP_FUTEX_WAIT:
		scheduler_wait(s, w->futex, t, 1 + draw(w, 3));
		*then = (struct sched_announce){
			.kind = EXPLORE_OP_FUTEX_RESUME,
			.object = w->futex,
			.deadline_ns = until,
		};
		break;
	case EXPLORE_OP_FUTEX_WAKE:
		assert_int_equal(scheduler_wake(s, &fx->env, w->futex, 1,
						1 + draw(w, 3), &nr),
				 SCHED_RUN);
		break;
	case EXPLORE_OP_YIELD:
		scheduler_yielded(s, t, draw(w, 2));
		break;
	case EXPLORE_OP_THREAD_CREATE:
		if (s->nr_tasks < 64)
			fx_task(fx);
		break;
	case EXPLORE_OP_THREAD_EXIT:
		scheduler_task_exit(s, t);
		return false;
	default:
		break;
	}
	return true;
}

static struct sched_announce draw_op(struct walk *w)
{
	static const struct {
		uint16_t kind;
		uint8_t object;		/* offset in struct walk */
	} row[] = {
#define AT(member) offsetof(struct walk, member)
		{ EXPLORE_OP_SEM_WAIT, AT(sem) },
		{ EXPLORE_OP_SEM_POST, AT(sem) },
		{ EXPLORE_OP_SEM_POST, AT(sem) },
		{ EXPLORE_OP_BARRIER_WAIT, AT(barrier) },
		{ EXPLORE_OP_FUTEX_WAIT, AT(futex) },
		{ EXPLORE_OP_FUTEX_WAKE, AT(futex) },
		{ EXPLORE_OP_FUTEX_WAKE, AT(futex) },
		{ EXPLORE_OP_COND_SIGNAL, AT(cond) },
		{ EXPLORE_OP_COND_SIGNAL, AT(cond) },
		{ EXPLORE_OP_YIELD, AT(cond) },
		{ EXPLORE_OP_THREAD_CREATE, AT(cond) },
		{ EXPLORE_OP_SLEEP, AT(cond) },
		{ EXPLORE_OP_MUTEX_LOCK, AT(mutex) },
		{ EXPLORE_OP_MUTEX_LOCK, AT(mutex) },
		{ EXPLORE_OP_RWLOCK_RDLOCK, AT(rwlock) },
		{ EXPLORE_OP_RWLOCK_WRLOCK, AT(rwlock) },
		{ EXPLORE_OP_THREAD_EXIT, AT(cond) },
#undef AT
	};
	uint32_t t = w->fx->s->current;
	struct sched_announce a = { 0 };
	uint32_t i = draw(w, sizeof(row) / sizeof(row[0]));

	if (w->is_reader[t] ||
	    scheduler_object(w->fx->s, w->rwlock)->owner == t + 1) {
		a.kind = EXPLORE_OP_RWLOCK_UNLOCK;
		a.object = w->rwlock;
		return a;
	}
	if (w->has_mutex[t]) {
		a.kind = draw(w, 2) ? EXPLORE_OP_COND_WAIT :
				      EXPLORE_OP_MUTEX_UNLOCK;
		a.object = a.kind == EXPLORE_OP_COND_WAIT ? w->cond : w->mutex;
		return a;
	}
	a.kind = row[i].kind;
	a.object = *(uint32_t *)((char *)w + row[i].object);
	if (a.kind == EXPLORE_OP_SLEEP || !draw(w, 4))
		a.deadline_ns = w->fx->s->now_ns + 1 + draw(w, 200);
	return a;
}

/* Returns how the walk ended, after at most `steps` choices of tasks. */
static enum sched_result walk_on(struct walk *w, uint32_t steps)
{
	struct fixture *fx = w->fx;
	enum sched_result result = SCHED_RUN;

	while (steps--) {
		struct sched_announce then = { 0 };

		result = fx_next(fx);
		if (result != SCHED_RUN)
			break;
		assert_true(fx_offered(fx, fx->s->current));
		if (!execute(w, &then))
			continue;
		scheduler_note_result(fx->s, fx->s->current, draw(w, 5));
		if (!then.kind)
			then = draw_op(w);
		fx_announce(fx, fx->s->current, &then);
	}
	return result;
}

/* Picks at random; a strategy with a seed. */
static struct explore_decision ask_random(const struct scheduler_env *env,
					  const struct explore_point *point)
{
	struct fixture *fx = env->state;

	fx_pick(fx, point);	/* notes the point */
	return (struct explore_decision){
		.index = (uint32_t)((point->step * 2654435761u) >> 7) %
			 point->nr,
	};
}

/* Answers with what the script has. */
static struct explore_decision ask_script(const struct scheduler_env *env,
					  const struct explore_point *point)
{
	struct fixture *fx = env->state;
	uint32_t chosen = env->script[point->step].chosen;
	struct explore_decision d = { .index = EXPLORE_PICK_DIVERGED };

	fx_pick(fx, point);
	if (point->kind == EXPLORE_POINT_VALUE) {
		d.index = chosen;
		return d;
	}
	for (uint32_t i = 0; i < point->nr; i++)
		if (point->candidate[i].task == chosen)
			d.index = i;
	return d;
}

static void test_walk__keeps_every_invariant(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr_by_result[SCHED_BAD_PICK + 1] = { 0 };
	struct walk w;

	fx->env.ask = ask_random;
	for (uint64_t seed = 0; seed < 40; seed++) {
		fx->config.wake_any = seed & 2 ? 1 : 0;
		fx->config.slack_ns = seed & 4 ? 30 : 0;
		walk_init(&w, fx, seed);
		nr_by_result[walk_on(&w, 1000)]++;
	}
	/* It did something: runs of both kinds, nothing impossible. */
	assert_true(nr_by_result[SCHED_RUN] + nr_by_result[SCHED_FINISHED] +
			    nr_by_result[SCHED_DEADLOCK] == 40);
	assert_true(nr_by_result[SCHED_DEADLOCK] > 0);
}

/* Make the first run that does not end early the script. */
static uint64_t record(struct fixture *fx, struct walk *w,
		       struct sched_event *script)
{
	uint64_t seed = 0;

	fx->config.wake_any = 1;
	fx->env.ask = ask_random;
	do {
		assert_true(seed < 1000);
		walk_init(w, fx, seed++);
	} while (walk_on(w, 200) != SCHED_RUN);
	memcpy(script, fx->log, fx->s->step * sizeof(*script));
	fx->env.script = script;
	fx->env.nr_script = fx->s->step;
	fx->env.ask = ask_script;
	return fx->s->digest;
}

static void test_replay__repeats_a_run_event_by_event(void **state)
{
	struct fixture *fx = *state;
	struct sched_event *script = calloc(FX_MAX_STEPS, sizeof(*script));
	struct walk w;
	uint64_t digest;

	assert_non_null(script);
	digest = record(fx, &w, script);
	walk_init(&w, fx, w.seed);
	assert_int_equal(walk_on(&w, 200), SCHED_RUN);
	assert_int_equal(fx->s->step, fx->env.nr_script);
	assert_memory_equal(fx->log, script,
			    fx->env.nr_script * sizeof(*script));
	assert_true(fx->s->digest == digest);
	/* There is nothing to go on with. */
	assert_int_equal(fx_next(fx), SCHED_DIVERGED);
	assert_int_equal(fx->s->step, fx->env.nr_script);
	free(script);
}

static void test_replay__stops_at_the_first_difference(void **state)
{
	struct fixture *fx = *state;
	struct sched_event *script = calloc(FX_MAX_STEPS, sizeof(*script));
	struct walk w;

	assert_non_null(script);
	record(fx, &w, script);
	for (int field = 0; field < 7; field++) {
		struct sched_event *e = &script[50];
		const struct sched_event right = *e;

		assert_int_equal(e->point, EXPLORE_POINT_TASK);
		switch (field) {
		case 0: e->task++; break;
		case 1: e->kind++; break;
		case 2: e->object++; break;
		case 3: e->object2++; break;
		case 4: e->nr++; break;
		case 5: e->digest++; break;
		case 6: e->chosen = 4000; break;
		}
		walk_init(&w, fx, w.seed);
		assert_int_equal(walk_on(&w, 200), SCHED_DIVERGED);
		assert_int_equal(fx->s->step, 50);
		assert_int_equal((uint32_t)fx->s->digest, script[49].digest);
		if (field < 6)	/* what came instead is there to report */
			assert_memory_equal(&fx->log[50], &right,
					    sizeof(right));
		else
			assert_int_equal(fx->log[50].chosen, UINT32_MAX);
		*e = right;
	}
	free(script);
}

/* Same choices, but an operation returned something else. */
static void test_replay__notices_another_result(void **state)
{
	struct fixture *fx = *state;
	struct sched_event script[2];

	fx_task(fx);
	fx_run(fx, 0);
	scheduler_note_result(fx->s, 0, 1);
	fx_run(fx, 0);
	memcpy(script, fx->log, sizeof(script));
	fx_init(fx);
	fx_task(fx);
	fx->env.script = script;
	fx->env.nr_script = 2;
	fx_run(fx, 0);
	scheduler_note_result(fx->s, 0, 2);
	assert_int_equal(fx_next(fx), SCHED_DIVERGED);
	assert_int_equal(fx->s->step, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_choose__a_number_is_logged),
		FX_TEST(test_choose__among_tasks),
		FX_TEST(test_choose__one_answer_is_no_choice),
		FX_TEST(test_choose__stops_at_the_step_limit),
		FX_TEST(test_digest__shows_every_difference),
		FX_TEST(test_digest__shows_how_many_could_run),
		FX_TEST(test_digest__knows_no_addresses),
		FX_TEST(test_note_result__order_matters_and_once_only),
		FX_TEST(test_walk__keeps_every_invariant),
		FX_TEST(test_replay__repeats_a_run_event_by_event),
		FX_TEST(test_replay__stops_at_the_first_difference),
		FX_TEST(test_replay__notices_another_result),
	};

	return cmocka_run_group_tests_name("scheduler_replay", tests, NULL,
					   NULL);
}
