/* SPDX-License-Identifier: MIT */
/*
 * races_fixture.h - a race detector on its own, for test_races_*.c.
 */
#ifndef TESTS_UNIT_RACES_FIXTURE_H
#define TESTS_UNIT_RACES_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "scheduler/races/races_internal.h"

#define RC_MUTEX 1u
#define RC_OTHER 2u
#define RC_X 0x601040ull	/* aligned */

static inline struct races *rc_new(void)
{
	struct races *r = mmap(NULL, races_bytes(), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);

	assert_ptr_not_equal(r, MAP_FAILED);
	races_init(r);
	return r;
}

static inline void rc_free(struct races *r)
{
	assert_int_equal(munmap(r, races_bytes()), 0);
}

/* All there is in a run that has just begun. */
static inline int rc_setup_main(void **state)
{
	*state = rc_new();
	return 0;
}

/* Tasks 1 to 3, unordered with one another. */
static inline int rc_setup(void **state)
{
	*state = rc_new();
	for (uint32_t t = 1; t <= 3; t++)
		races_fork(*state, 0, t);
	return 0;
}

static inline int rc_teardown(void **state)
{
	rc_free(*state);
	return 0;
}

enum rc_answer {
	RC_NOTHING = 0,
	RC_ORDER = 1,
	RC_RACE = 2,
};

/* An access with all there is to say. The site of task t is 100 + t. */
static inline enum rc_answer rc_access(struct races *r, uint32_t t,
				       uint64_t addr, uint32_t size,
				       enum races_access how,
				       struct races_found *found)
{
	struct races_found f = { .is_shared = 0x55 };

	if (!races_access(r, t, addr, size, how, 100 + t, &f)) {
		assert_int_equal(f.is_shared, 0x55);
		return RC_NOTHING;
	}
	assert_int_equal(f.task, t);
	assert_int_equal(f.site, 100 + t);
	assert_int_equal(f.is_write, how != RACES_READ);
	assert_int_not_equal(f.other_task, t);
	assert_true(f.size && f.addr >= addr && f.addr + f.size <= addr + size);
	if (found)
		*found = f;
	return f.is_synchronising ? RC_ORDER : RC_RACE;
}

/* The same on the variable at RC_X, of 4 bytes. */
static inline enum rc_answer rc_read(struct races *r, uint32_t t)
{
	return rc_access(r, t, RC_X, 4, RACES_READ, NULL);
}

static inline enum rc_answer rc_write(struct races *r, uint32_t t)
{
	return rc_access(r, t, RC_X, 4, RACES_WRITE, NULL);
}

static inline enum rc_answer rc_atomic(struct races *r, uint32_t t)
{
	return rc_access(r, t, RC_X, 4, RACES_ATOMIC, NULL);
}

#define RC_TEST(f) cmocka_unit_test_setup_teardown(f, rc_setup, rc_teardown)
#define RC_TEST_MAIN(f) \
	cmocka_unit_test_setup_teardown(f, rc_setup_main, rc_teardown)

#endif /* TESTS_UNIT_RACES_FIXTURE_H */
