/* SPDX-License-Identifier: MIT */
/*
 * test_report_symbols.c - names, lines, variables and stacks of real code:
 * this test's own, and that of a child that stands still.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explorer/symbols/stacks.h"
#include "explorer/symbols/symbols.h"
#include "explorer/symbols/variables.h"

#define MAX_MODULES 64

/* Volatile and with external linkage: they must exist in memory. */
extern volatile int symbols_test_plain;
extern volatile int symbols_test_array[5];
extern struct symbols_test_pair {
	int left;
	struct {
		long deep[3];
	} right;
} symbols_test_struct;
extern struct symbols_test_lock {
	int nr;
	pthread_mutex_t lock;
} symbols_test_locks[2];
extern volatile short symbols_test_grid[3][4];
struct symbols_test_lock symbols_test_locks[2];
volatile short symbols_test_grid[3][4];
volatile int symbols_test_plain = 1;
volatile int symbols_test_array[5];
struct symbols_test_pair symbols_test_struct;

static struct trace_module module[MAX_MODULES];
static uint32_t nr_modules;

/* The file mappings of a process, one entry a file. */
static void read_maps(pid_t pid)
{
	char path[64], line[1024], name[512];
	uint64_t start, end, offset;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	nr_modules = 0;
	while (fgets(line, sizeof(line), f)) {
		struct trace_module *m = &module[nr_modules];

		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %511s", &start, &end,
			   &offset, name) != 4 || name[0] != '/')
			continue;
		if (nr_modules && !strcmp(m[-1].path, name)) {
			m[-1].end = end;
			continue;
		}
		if (offset || nr_modules == MAX_MODULES)
			continue;
		*m = (struct trace_module){
			.path = strdup(name), .build_id = strdup(""),
			.start = start, .end = end, .bias = start,
		};
		nr_modules++;
	}
	fclose(f);
}

static void drop_maps(void)
{
	while (nr_modules) {
		nr_modules--;
		free(module[nr_modules].path);
		free(module[nr_modules].build_id);
	}
}

static int setup(void **state)
{
	read_maps(getpid());
	*state = symbols_new(module, nr_modules);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	symbols_free(*state);
	drop_maps();
	return 0;
}

static uint64_t here(void)
{
	return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

static void test_find__names_function_and_line(void **state)
{
	struct symbol symbol;

	symbols_find(*state, (uint64_t)(uintptr_t)drop_maps, false, &symbol);
	assert_string_equal(symbol.function, "drop_maps");
	assert_non_null(strstr(symbol.file, "test_report_symbols.c"));
	assert_true(symbol.file[0] != '/');
	assert_int_not_equal(symbol.line, 0);
	assert_non_null(symbol.module);
	assert_true(symbol.offset < 1 << 24);
}

static __attribute__((noinline)) uint64_t call_here(int *line)
{
	uint64_t (*volatile call)(void) = here;
	uint64_t pc;

	pc = call(), *line = __LINE__;
	return pc;
}

static void test_find__takes_a_return_address_as_its_call(void **state)
{
	struct symbol symbol;
	int line;
	uint64_t pc = call_here(&line);

	symbols_find(*state, pc, true, &symbol);
	assert_string_equal(symbol.function, "call_here");
	assert_int_equal(symbol.line, line);
}

static void test_find__answers_the_same_twice(void **state)
{
	struct symbol a, b;

	/* More addresses than the cache has room for at first. */
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t pc = (uint64_t)(uintptr_t)drop_maps + i;

		symbols_find(*state, pc, i & 1, &a);
		symbols_find(*state, pc, i & 1, &b);
		assert_int_equal(a.line, b.line);
		assert_ptr_equal(a.function, b.function);
		assert_true(a.offset == b.offset);
	}
}

static void test_find__does_not_guess(void **state)
{
	struct symbol symbol;

	symbols_find(*state, 0, false, &symbol);
	assert_null(symbol.function);
	symbols_find(*state, 0x10, true, &symbol);
	assert_null(symbol.function);
	assert_null(symbol.module);
	symbols_find(*state, UINT64_MAX, true, &symbol);
	assert_null(symbol.function);
	symbols_find(*state, 1ull << 63, false, &symbol);
	symbols_find(NULL, 0x1000, false, &symbol);
	assert_null(symbol.function);
}

static void expect_variable(struct symbols *s, const volatile void *addr,
			    const char *wanted)
{
	char text[128] = "";

	assert_true(symbols_variable(s, (uint64_t)(uintptr_t)addr, text,
				     sizeof(text)));
	assert_string_equal(text, wanted);
}

static void test_variable__names_globals_and_their_parts(void **state)
{
	static volatile int symbols_test_local;
	char text[128];
	int on_stack;

	symbols_test_local = 1;
	symbols_test_grid[1][2] = 1;
	symbols_test_locks[1].nr = 1;
	symbols_test_array[0] = 1;
	symbols_test_struct.left = 1;
	expect_variable(*state, &symbols_test_plain, "symbols_test_plain");
	expect_variable(*state, &symbols_test_local, "symbols_test_local");
	expect_variable(*state, &symbols_test_array[3],
			"symbols_test_array[3]");
	expect_variable(*state, &symbols_test_struct.left,
			"symbols_test_struct.left");
	expect_variable(*state, &symbols_test_locks[1].lock,
			"symbols_test_locks[1].lock");
	expect_variable(*state, (char *)&symbols_test_locks[1].lock + 4,
			"symbols_test_locks[1].lock+4");
	expect_variable(*state, &symbols_test_grid[1][2],
			"symbols_test_grid[1][2]");
	expect_variable(*state, &symbols_test_struct.right.deep[2],
			"symbols_test_struct.right.deep[2]");
	assert_false(symbols_variable(*state, (uint64_t)(uintptr_t)&on_stack,
				      text, sizeof(text)));
	assert_false(symbols_variable(*state, (uint64_t)(uintptr_t)drop_maps,
				      text, sizeof(text)));
	assert_false(symbols_variable(*state, 0, text, sizeof(text)));
}

static void test_new__skips_files_that_changed(void **state)
{
	struct symbols *s;
	struct symbol symbol;
	uint64_t pc = (uint64_t)(uintptr_t)drop_maps;

	(void)state;
	free(module[0].build_id);
	module[0].build_id = strdup("00112233");
	s = symbols_new(module, nr_modules);
	assert_non_null(s);
	symbols_find(s, pc, false, &symbol);
	assert_null(symbol.function);
	symbols_free(s);
}

/* ---------------------------------------------------------------- stacks */

static int gate[2];

static __attribute__((noinline)) int wait_inner(void)
{
	char byte;

	if (read(gate[0], &byte, 1) < 0)
		return 1;
	return symbols_test_plain;
}

/* Through a pointer: no compiler makes a loop of this recursion. */
static int wait_outer(int n);
static int (*volatile again)(int) = wait_outer;

static __attribute__((noinline)) int wait_outer(int n)
{
	return n ? again(n - 1) + 1 : wait_inner() + 1;
}

/* A child that stands in wait_inner(), stopped by ptrace. */
static pid_t stopped_child(struct user_regs_struct *regs)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(wait_outer(2));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	/* Run to the read; it is the next system call after raise's own. */
	for (int i = 0; i < 20; i++) {
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		ptrace(PTRACE_GETREGS, pid, 0, regs);
		if (regs->orig_rax == 0)
			return pid;
	}
	fail_msg("the child never came to read()");
	return pid;
}

static void give_registers(struct control_task *t,
			   const struct user_regs_struct *regs)
{
	t->reg_ip = regs->rip;
	t->reg_sp = regs->rsp;
	t->reg_bp = regs->rbp;
	t->reg_bx = regs->rbx;
	t->reg_12 = regs->r12;
	t->reg_13 = regs->r13;
	t->reg_14 = regs->r14;
	t->reg_15 = regs->r15;
}

static bool has_function(struct symbols *s, const struct stack *stack,
			 const char *name, uint32_t *from)
{
	for (; *from < stack->nr; (*from)++) {
		struct symbol symbol;

		symbols_find(s, stack->pc[*from], *from > 0, &symbol);
		if (symbol.function && !strcmp(symbol.function, name)) {
			(*from)++;
			return true;
		}
	}
	return false;
}

static void test_unwind__walks_a_stopped_task(void **state)
{
	struct control *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				 -1, 0);
	struct user_regs_struct regs;
	struct stack stack;

	assert_ptr_not_equal(c, MAP_FAILED);
	assert_int_equal(pipe(gate), 0);
	/* Two runs, two tasks: what is attached once must follow both. */
	for (uint32_t t = 0; t < 8; t += 7) {
		pid_t pid = stopped_child(&regs);
		uint32_t at = 0;

		give_registers(&c->task[t], &regs);
		assert_int_equal(stacks_unwind(*state, c, pid, t, &stack), 0);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_equal(stack.task, t);
		assert_true(stack.pc[0] == regs.rip);
		assert_true(has_function(*state, &stack, "wait_inner", &at));
		for (int i = 0; i < 3; i++)
			assert_true(has_function(*state, &stack, "wait_outer",
						 &at));
		assert_true(has_function(*state, &stack, "main", &at));
	}
	close(gate[0]);
	close(gate[1]);
	munmap(c, sizeof(*c));
}

static void test_unwind__survives_nonsense(void **state)
{
	struct control *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				 -1, 0);
	struct stack stack;

	assert_ptr_not_equal(c, MAP_FAILED);
	assert_int_equal(stacks_unwind(*state, c, getpid(), 0, &stack),
			 -ESRCH);
	assert_int_equal(stack.nr, 0);
	c->task[1].reg_ip = 0x1234;
	c->task[1].reg_sp = 0x5678;
	assert_int_equal(stacks_unwind(*state, c, getpid(), 1, &stack), 0);
	assert_int_equal(stack.nr, 1);
	assert_true(stack.pc[0] == 0x1234);
	assert_int_equal(stacks_unwind(*state, c, getpid(), SCHED_MAX_TASKS,
				       &stack), -EINVAL);
	munmap(c, sizeof(*c));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_find__names_function_and_line),
		TEST(test_find__takes_a_return_address_as_its_call),
		TEST(test_find__answers_the_same_twice),
		TEST(test_find__does_not_guess),
		TEST(test_variable__names_globals_and_their_parts),
		TEST(test_new__skips_files_that_changed),
		TEST(test_unwind__walks_a_stopped_task),
		TEST(test_unwind__survives_nonsense),
	};

	return cmocka_run_group_tests_name("report_symbols", tests, NULL,
					   NULL);
}
