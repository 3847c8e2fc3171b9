/* SPDX-License-Identifier: MIT */
/*
 * test_report_text.c - what the report on a failure says, and what it leaves
 * out. The runs are made up; their code is this test's own.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explorer/report/report.h"

#define MAX_EVENTS 200
#define MAX_OBJECTS 8
#define MAX_TASKS 40

extern volatile long report_test_lock;
volatile long report_test_lock;

/* A run under construction. */
struct fixture {
	struct trace t;
	struct trace_module module;
	struct sched_event event[MAX_EVENTS];
	struct sched_object object[MAX_OBJECTS];
	struct sched_task task[MAX_TASKS];
	struct report r;
	struct symbols *symbols;
	char *text;
};

static void find_module(struct trace_module *m)
{
	char line[1024], path[512], self[512] = "";
	uint64_t start, end, offset;
	FILE *f = fopen("/proc/self/maps", "r");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(f && n > 0);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %511s", &start, &end,
			   &offset, path) == 4 && !strcmp(path, self)) {
			if (!offset)
				m->start = m->bias = start;
			m->end = end;
		}
	fclose(f);
	m->path = strdup(self);
	m->build_id = strdup("");
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	trace_init(&fx->t);
	find_module(&fx->module);
	fx->symbols = symbols_new(&fx->module, 1);
	fx->t.event = fx->event;
	fx->t.strategy = strdup("pct:depth=3");
	fx->t.seed = 7;
	fx->t.run = 12;
	fx->t.nr_tasks = 1;
	fx->t.has_reproduced = true;
	fx->r = (struct report){
		.trace = &fx->t, .symbols = fx->symbols,
		.object = fx->object, .task = fx->task,
		.trace_path = "explore-traces/bank-0",
		.replay_command = "explore replay explore-traces/bank-0",
	};
	*state = fx;
	return fx->symbols ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	symbols_free(fx->symbols);
	free(fx->module.path);
	free(fx->module.build_id);
	free(fx->t.strategy);
	free(fx->text);
	free(fx);
	return 0;
}

/* ---------------------------------------------------------- construction */

static struct sched_event *log_op(struct fixture *fx, uint16_t task,
				  uint8_t kind, uint32_t object)
{
	struct sched_event *e = &fx->event[fx->t.nr_events++];

	assert_true(fx->t.nr_events <= MAX_EVENTS);
	e->task = task;
	e->chosen = task;
	e->kind = kind;
	e->object = object;
	e->nr = 2;
	e->now_ns = 1000000000 + fx->t.nr_events * 50;
	e->pc = (uint64_t)(uintptr_t)log_op + 4;
	fx->t.nr_ops[kind]++;
	return e;
}

static uint32_t add_object(struct fixture *fx, enum sched_class class,
			   uint64_t addr)
{
	fx->object[fx->r.nr_objects].class = (uint8_t)class;
	fx->object[fx->r.nr_objects].addr = addr;
	return ++fx->r.nr_objects;
}

static struct sched_task *add_task(struct fixture *fx, uint16_t kind,
				   uint32_t object)
{
	struct sched_task *t = &fx->task[fx->r.nr_tasks];

	t->id = fx->r.nr_tasks++;
	t->state = SCHED_TASK_ALIVE;
	t->op.kind = kind;
	t->op.object = object;
	t->op.task = t->id;
	fx->t.nr_tasks = fx->r.nr_tasks;
	return t;
}

static const char *print(struct fixture *fx)
{
	size_t bytes;
	FILE *f;

	free(fx->text);
	fx->text = NULL;
	f = open_memstream(&fx->text, &bytes);
	report_print(f, &fx->r);
	fclose(f);
	return fx->text;
}

static void expect(struct fixture *fx, const char *wanted)
{
	if (!strstr(fx->text, wanted))
		fail_msg("no '%s' in:\n%s", wanted, fx->text);
}

static void refuse(struct fixture *fx, const char *unwanted)
{
	if (strstr(fx->text, unwanted))
		fail_msg("'%s' in:\n%s", unwanted, fx->text);
}

/* T1 has a and wants b, T2 has b and wants a; T0 waits for T1. */
static void make_abba(struct fixture *fx)
{
	uint32_t one = add_object(fx, SCHED_CLASS_THREAD, 1);
	uint32_t a = add_object(fx, SCHED_CLASS_MUTEX, 0x10);
	uint32_t b = add_object(fx, SCHED_CLASS_MUTEX,
				(uint64_t)(uintptr_t)&report_test_lock);

	add_task(fx, EXPLORE_OP_THREAD_JOIN, one);
	add_task(fx, EXPLORE_OP_MUTEX_LOCK, b);
	add_task(fx, EXPLORE_OP_MUTEX_LOCK, a);
	log_op(fx, 0, EXPLORE_OP_THREAD_CREATE, 0);
	log_op(fx, 0, EXPLORE_OP_THREAD_CREATE, 0);
	log_op(fx, 1, EXPLORE_OP_MUTEX_LOCK, a)->flags = SCHED_EVENT_SWITCH;
	log_op(fx, 2, EXPLORE_OP_MUTEX_LOCK, b)->flags =
		SCHED_EVENT_SWITCH | SCHED_EVENT_PREEMPTION;
	fx->object[a - 1].owner = 1 + 1;
	fx->object[b - 1].owner = 2 + 1;
	fx->t.verdict.kind = CONTROL_VERDICT_DEADLOCK;
	fx->t.verdict.nr_cycle = 2;
	fx->t.verdict.cycle[0] = 2;
	fx->t.verdict.cycle[1] = 1;
	fx->t.nr_switches = 2;
	fx->t.nr_preemptions = 1;
}

/* ------------------------------------------------------------- deadlocks */

static void test_print__says_who_holds_and_who_waits(void **state)
{
	struct fixture *fx = *state;

	make_abba(fx);
	print(fx);
	expect(fx, "FAILED: deadlock: T1 and T2 wait for each other\n");
	expect(fx, "after 4 operations of 3 tasks, with 2 switches and "
	       "1 preemption\n");
	expect(fx, "run 12, strategy pct:depth=3, seed 7\n");
	expect(fx, "  T1 holds mutex#2 (since ");
	expect(fx, "test_report_text.c:");
	expect(fx, " and waits for mutex 'report_test_lock', held by T2\n");
	expect(fx, "  T2 holds mutex 'report_test_lock' (since ");
	expect(fx, " and waits for mutex#2, held by T1\n");
	expect(fx, "  T0 waits for the end of T1\n");
	/* Those in the cycle come first. */
	assert_true(strstr(fx->text, "  T1 holds") <
		    strstr(fx->text, "  T0 waits"));
}

static void test_print__shows_the_schedule_in_columns(void **state)
{
	struct fixture *fx = *state;

	make_abba(fx);
	print(fx);
	expect(fx, "   step    T0         T1            T2\n");
	expect(fx, "\n      0    create T1 ");
	expect(fx, "\n      1    create T2 ");
	expect(fx, "\n      2 >             lock mutex#2 ");
	expect(fx, "\n      3 !                           "
	       "lock report_test_lock ");
	refuse(fx, "earlier operations");
	refuse(fx, " \n");
}

static void test_print__names_what_a_lost_wake_up_waits_for(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = add_object(fx, SCHED_CLASS_COND, 0x20);
	uint32_t mutex = add_object(fx, SCHED_CLASS_MUTEX, 0x30);
	uint32_t sem = add_object(fx, SCHED_CLASS_SEM, 0x40);
	uint32_t barrier = add_object(fx, SCHED_CLASS_BARRIER, 0x50);

	add_task(fx, EXPLORE_OP_COND_WAKE, cond)->op.object2 = mutex;
	add_task(fx, EXPLORE_OP_SEM_WAIT, sem);
	add_task(fx, EXPLORE_OP_BARRIER_LEAVE, barrier);
	fx->object[barrier - 1].count = 2;
	fx->object[barrier - 1].limit = 3;
	fx->t.verdict.kind = CONTROL_VERDICT_DEADLOCK;
	print(fx);
	expect(fx, "FAILED: deadlock: no task can ever run again\n");
	expect(fx, "  T0 waits for a signal on condition#1\n");
	expect(fx, "  T1 waits for a post to semaphore#3\n");
	expect(fx, "  T2 waits at barrier#4, where 2 of 3 have arrived\n");
	fx->task[0].wake = SCHED_WAKE_WOKEN;
	fx->object[mutex - 1].owner = 1 + 1;
	print(fx);
	expect(fx, "  T0 was woken from condition#1 and waits for mutex#2, "
	       "held by T1\n");
}

static void test_print__names_readers_and_dead_owners(void **state)
{
	struct fixture *fx = *state;
	uint32_t rwlock = add_object(fx, SCHED_CLASS_RWLOCK, 0x20);
	uint32_t mutex = add_object(fx, SCHED_CLASS_MUTEX, 0x30);

	add_task(fx, EXPLORE_OP_RWLOCK_WRLOCK, rwlock);
	add_task(fx, EXPLORE_OP_MUTEX_LOCK, mutex);
	add_task(fx, EXPLORE_OP_NONE, 0)->state = SCHED_TASK_DEAD;
	fx->object[rwlock - 1].count = 3;
	fx->object[rwlock - 1].nr_holders = 2;
	fx->object[rwlock - 1].holder[0] = 1;
	fx->object[rwlock - 1].holder[1] = 2;
	fx->object[mutex - 1].owner = 2 + 1;
	fx->t.verdict.kind = CONTROL_VERDICT_PARTIAL_DEADLOCK;
	print(fx);
	expect(fx, "partial deadlock: the process ends while some tasks wait");
	expect(fx, "  T0 waits for rwlock#1, read-locked by T1 and T2 and "
	       "others\n");
	expect(fx, "  T1 holds rwlock#1 and waits for mutex#2, held by T2, "
	       "which has ended\n");
	refuse(fx, "\n  T2 ");	/* the dead are not listed */
}

/* The relock was logged, but the lock is held since the time before. */
static void test_print__dates_a_self_deadlock_right(void **state)
{
	struct fixture *fx = *state;
	uint32_t mutex = add_object(fx, SCHED_CLASS_MUTEX, 0x10);
	uint32_t futex = add_object(fx, SCHED_CLASS_FUTEX, 0x10);
	uint64_t elsewhere = (uint64_t)(uintptr_t)make_abba + 4;
	char line[64];
	struct symbol symbol;

	add_task(fx, EXPLORE_OP_FUTEX_WAIT, futex);
	fx->object[mutex - 1].owner = 0 + 1;
	log_op(fx, 0, EXPLORE_OP_MUTEX_LOCK, mutex)->pc = elsewhere;
	log_op(fx, 0, EXPLORE_OP_MUTEX_LOCK, mutex);
	fx->t.verdict.kind = CONTROL_VERDICT_SELF_DEADLOCK;
	fx->t.verdict.object = mutex;
	symbols_find(fx->symbols, elsewhere, true, &symbol);
	snprintf(line, sizeof(line), "since %s:%d) and waits for itself\n",
		 symbol.file, symbol.line);
	print(fx);
	expect(fx, "FAILED: self-deadlock: T0 locks mutex#1, which it already "
	       "holds");
	expect(fx, line);
}

/* ---------------------------------------------------------------- places */

static void test_print__shows_the_stack_of_a_crash(void **state)
{
	struct fixture *fx = *state;
	struct stack stack = { .task = 1, .nr = 2 };

	add_task(fx, EXPLORE_OP_NONE, 0);
	add_task(fx, EXPLORE_OP_NONE, 0);
	/* Exact, at a function's first byte: pc - 1 is in another one. */
	stack.pc[0] = (uint64_t)(uintptr_t)make_abba;
	stack.pc[1] = (uint64_t)(uintptr_t)log_op + 4;
	fx->r.stack = &stack;
	fx->r.nr_stacks = 1;
	fx->t.verdict.kind = CONTROL_VERDICT_CRASH;
	fx->t.verdict.code = SIGSEGV;
	fx->t.verdict.addr = 0x18;
	fx->t.verdict.task = 1;
	print(fx);
	expect(fx, "FAILED: crash: SIGSEGV at address 0x18, in make_abba() ");
	expect(fx, "  T1 failed here; it holds no lock\n"
	       "    at make_abba() ");
	expect(fx, "\n       log_op() ");
	/* Stacks of 100 frames tell no more than their ends. */
	for (stack.nr = 0; stack.nr < 20; stack.nr++)
		stack.pc[stack.nr] = (uint64_t)(uintptr_t)log_op + 4;
	print(fx);
	expect(fx, "       ... and 8 more\n");
}

static void test_print__repeats_messages_in_one_line(void **state)
{
	struct fixture *fx = *state;

	add_task(fx, EXPLORE_OP_NONE, 0);
	fx->t.verdict.kind = CONTROL_VERDICT_ASSERT;
	strcpy(fx->t.verdict.message,
	       "bank.c:42: main: Assertion `x == 1' failed.\nmore");
	print(fx);
	expect(fx, "FAILED: assertion failed: bank.c:42: main: Assertion "
	       "`x == 1' failed.\n  after");
	fx->t.verdict.kind = CONTROL_VERDICT_FAIL;
	print(fx);
	expect(fx, "FAILED: explore_fail: bank.c:42");
	fx->t.verdict.kind = CONTROL_VERDICT_MISUSE;
	strcpy(fx->t.verdict.message, "unlock of a mutex that is not locked");
	fx->t.verdict.object = add_object(fx, SCHED_CLASS_MUTEX, 0x10);
	print(fx);
	expect(fx, "FAILED: misuse: unlock of a mutex that is not locked "
	       "(mutex#1)");
	fx->t.verdict.kind = CONTROL_VERDICT_EXIT;
	fx->t.verdict.code = 3;
	print(fx);
	expect(fx, "FAILED: exit status 3\n");
}

/* ---------------------------------------------------------------- limits */

static void test_print__leaves_out_the_beginning(void **state)
{
	struct fixture *fx = *state;

	add_task(fx, EXPLORE_OP_NONE, 0);
	for (uint32_t i = 0; i < 100; i++)
		log_op(fx, i % 2, i / 2 % 2 ? EXPLORE_OP_SEM_POST
					    : EXPLORE_OP_SEM_WAIT, 0);
	print(fx);
	expect(fx, "  ... 60 earlier operations: see explore dump\n");
	expect(fx, "\n     60 ");
	expect(fx, "\n     99 ");
	refuse(fx, "\n     59 ");
}

static void test_print__counts_what_only_repeats(void **state)
{
	struct fixture *fx = *state;

	add_task(fx, EXPLORE_OP_NONE, 0);
	log_op(fx, 0, EXPLORE_OP_THREAD_CREATE, 0);
	for (uint32_t i = 0; i < 100; i++)
		log_op(fx, 1, EXPLORE_OP_YIELD, 0);
	log_op(fx, 0, EXPLORE_OP_PROCESS_EXIT, 0);
	print(fx);
	expect(fx, "yield, 100 times");
	refuse(fx, "earlier operations");
	expect(fx, "\n    101 ");
}

static void test_print__names_tasks_in_rows_when_there_are_many(void **state)
{
	struct fixture *fx = *state;

	for (uint32_t i = 0; i < 30; i++) {
		add_task(fx, EXPLORE_OP_YIELD, 0);
		log_op(fx, (uint16_t)i, EXPLORE_OP_YIELD, 0);
	}
	fx->t.verdict.kind = CONTROL_VERDICT_LIVELOCK;
	print(fx);
	expect(fx, "FAILED: livelock: every task only yields or spins\n");
	expect(fx, "   step    task    operation\n");
	expect(fx, "\n     29    T29     yield ");
	expect(fx, "\n  ... and 18 more\n");
}

/* --------------------------------------------------------- output, footer */

static void test_print__shows_the_end_of_the_output_safely(void **state)
{
	struct fixture *fx = *state;
	char output[400] = "first\n";
	size_t used = strlen(output);

	for (int i = 0; i < 20; i++)
		used += (size_t)sprintf(output + used, "line %d\n", i);
	used += (size_t)sprintf(output + used, "red \033[31m alert");
	add_task(fx, EXPLORE_OP_NONE, 0);
	fx->r.output = output;
	fx->r.output_bytes = used;
	print(fx);
	expect(fx, "Output of the program (its last lines)\n  | line 11\n");
	expect(fx, "  | red ?[31m alert\n");
	refuse(fx, "| first");
	refuse(fx, "\033");
	fx->r.output = "short\n";
	fx->r.output_bytes = 6;
	print(fx);
	expect(fx, "Output of the program\n  | short\n\n");
}

static void test_print__says_how_to_replay(void **state)
{
	struct fixture *fx = *state;

	add_task(fx, EXPLORE_OP_NONE, 0);
	print(fx);
	expect(fx, "Replayed once: the same failure again.\n");
	expect(fx, "Trace:  explore-traces/bank-0\n");
	expect(fx, "Replay: explore replay explore-traces/bank-0\n");
	fx->t.has_reproduced = false;
	fx->r.trace_path = NULL;
	fx->r.replay_command = NULL;
	print(fx);
	expect(fx, "DID NOT REPRODUCE");
	expect(fx, "The trace was not saved.\n");
	refuse(fx, "Replay:");
}

/* A run of which only the trace is left, without any debug information. */
static void test_print__needs_nothing_but_the_trace(void **state)
{
	struct fixture *fx = *state;

	make_abba(fx);
	fx->r.object = NULL;
	fx->r.nr_objects = 0;
	fx->r.task = NULL;
	fx->r.nr_tasks = 0;
	fx->r.symbols = NULL;
	print(fx);
	expect(fx, "deadlock: T1 and T2 wait for each other");
	expect(fx, "lock mutex#2\n");
	refuse(fx, "Tasks");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_print__says_who_holds_and_who_waits),
		TEST(test_print__shows_the_schedule_in_columns),
		TEST(test_print__names_what_a_lost_wake_up_waits_for),
		TEST(test_print__names_readers_and_dead_owners),
		TEST(test_print__dates_a_self_deadlock_right),
		TEST(test_print__shows_the_stack_of_a_crash),
		TEST(test_print__repeats_messages_in_one_line),
		TEST(test_print__leaves_out_the_beginning),
		TEST(test_print__counts_what_only_repeats),
		TEST(test_print__names_tasks_in_rows_when_there_are_many),
		TEST(test_print__shows_the_end_of_the_output_safely),
		TEST(test_print__says_how_to_replay),
		TEST(test_print__needs_nothing_but_the_trace),
	};

	return cmocka_run_group_tests_name("report_text", tests, NULL, NULL);
}
