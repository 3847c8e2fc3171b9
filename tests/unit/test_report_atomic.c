/* SPDX-License-Identifier: MIT */
/*
 * test_report_atomic.c - which accesses of this very test are atomic ones.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explorer/symbols/internal.h"
#include "explorer/symbols/types.h"

extern _Atomic int atomic_test_plain;
extern atomic_uint atomic_test_array[3];
extern struct atomic_test_pair {
	int left;
	struct {
		long filler;
		_Atomic long right;
	} in[2];
} atomic_test_struct;
extern volatile int atomic_test_int;
_Atomic int atomic_test_plain;
atomic_uint atomic_test_array[3];
struct atomic_test_pair atomic_test_struct;
volatile int atomic_test_int;

static char program[4096];

/* The first object is the program itself. */
static int take_bias(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct trace_module *m = data;

	(void)bytes;
	m->bias = info->dlpi_addr;
	m->start = info->dlpi_addr;
	m->end = UINT64_MAX;
	return 1;
}

static int setup(void **state)
{
	struct trace_module m = { .path = program, .build_id = (char *)"" };

	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return -1;
	dl_iterate_phdr(take_bias, &m);
	*state = symbols_new(&m, 1);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	symbols_free(*state);
	return 0;
}

static uint64_t at(const volatile void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* What the caller's statement is. */
static __attribute__((noinline)) uint64_t here(int value)
{
	/* Every call counts: none may be taken for another. */
	__asm__ volatile("" : : "r"(value) : "memory");
	return at(__builtin_return_address(0)) - 1;
}

#define HIDDEN_LOAD(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)

static void test_variable__of_atomic_type(void **state)
{
	struct symbols *s = *state;

	assert_true(symbols__is_atomic_variable(s, at(&atomic_test_plain)));
	assert_true(symbols__is_atomic_variable(s, at(&atomic_test_array[2])));
	assert_true(symbols__is_atomic_variable(
		s, at(&atomic_test_struct.in[1].right)));
}

static void test_variable__of_another_type(void **state)
{
	struct symbols *s = *state;

	assert_false(symbols__is_atomic_variable(s, at(&atomic_test_int)));
	assert_false(symbols__is_atomic_variable(
		s, at(&atomic_test_struct.left)));
	assert_false(symbols__is_atomic_variable(
		s, at(&atomic_test_struct.in[1].filler)));
	assert_false(symbols__is_atomic_variable(s, at(state)));
}

static void test_line__with_an_atomic_word(void **state)
{
	struct symbols *s = *state;
	int heap = 1;
	uint64_t plain, builtin, macro, broken;

	plain = here(heap);
	builtin = here(__atomic_load_n(&heap, __ATOMIC_RELAXED));
	macro = here(HIDDEN_LOAD(&heap));
	broken = here(
		heap +
		__atomic_load_n(&heap, __ATOMIC_RELAXED));
	assert_false(symbols_is_atomic(s, plain, at(&heap)));
	assert_true(symbols_is_atomic(s, builtin, at(&heap)));
	assert_true(symbols_is_atomic(s, macro, at(&heap)));
	assert_true(symbols_is_atomic(s, broken, at(&heap)));
	assert_true(symbols_is_atomic(s, plain, at(&atomic_test_plain)));
}

static void test_pair__needs_both(void **state)
{
	struct symbols *s = *state;
	uint64_t plain, atomic, unknown = 16;
	int heap = 1;

	plain = here(heap);
	atomic = here(__atomic_load_n(&heap, __ATOMIC_RELAXED));
	assert_true(symbols_is_atomic_pair(s, atomic, atomic, at(&heap)));
	assert_false(symbols_is_atomic_pair(s, atomic, plain, at(&heap)));
	assert_false(symbols_is_atomic_pair(s, plain, atomic, at(&heap)));
	assert_false(symbols_is_atomic_pair(s, plain, plain, at(&heap)));
	assert_true(symbols_is_atomic_pair(s, atomic, unknown, at(&heap)));
	assert_true(symbols_is_atomic_pair(s, unknown, atomic, at(&heap)));
	assert_false(symbols_is_atomic_pair(s, unknown, unknown, at(&heap)));
	assert_false(symbols_is_atomic_pair(s, unknown, plain, at(&heap)));
}

static void test_name__of_the_standard_atomics(void **state)
{
	static const char *const yes[] = {
		"std::atomic<int>::load(std::memory_order) const",
		"std::__atomic_base<int>::operator int() const",
		"std::atomic<bool>::operator bool() const",
		"std::atomic_flag::test_and_set(std::memory_order)",
		"int std::atomic_load_explicit<int>(std::atomic<int> const*)",
		"std::__1::__atomic_base<int, false>::load[abi:v15006]() const",
		"core::sync::atomic::AtomicUsize::store::hfa9ea185bcabe41c",
	};
	static const char *const no[] = {
		"set(std::atomic<int>&)",
		"main::{lambda(std::atomic<int>*)#1}::operator()() const",
		"std::vector<std::atomic<int>>::size() const",
		"std::shared_ptr<std::atomic<int> >::get() const",
		"own::atomic<int>::load()", "core::sync::mutex::Mutex::lock",
		"std::atomic<int> make<int>(int)",
		"atomic_load", "std::atomicity()", "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (!symbols__is_atomic_name(yes[i]))
			fail_msg("not taken: '%s'", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (symbols__is_atomic_name(no[i]))
			fail_msg("wrongly taken: '%s'", no[i]);
	assert_false(symbols__is_atomic_name(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variable__of_atomic_type),
		cmocka_unit_test(test_variable__of_another_type),
		cmocka_unit_test(test_line__with_an_atomic_word),
		cmocka_unit_test(test_pair__needs_both),
		cmocka_unit_test(test_name__of_the_standard_atomics),
	};

	return cmocka_run_group_tests_name("report_atomic", tests, setup,
					   teardown);
}
