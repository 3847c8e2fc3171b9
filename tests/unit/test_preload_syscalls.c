/* SPDX-License-Identifier: MIT */
/*
 * test_preload_syscalls.c - the table of system calls against the kernel's list.
 *
 * kernel_calls.h is made from the kernel headers of this machine. Each call there
 * must have a row, and each row must be modelled, passed for a reason, or refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "preload/kernel/files.h"
#include "preload/kernel/syscall_numbers.h"

struct row {
	const char *name, *handler;
	int nr, blocks, after, flags, fd, ids, error;
};

#define CALL(name_, handler_, blocks_, after_, flags_, fd_, ids_, error_) \
	{ #name_, #handler_, __NR_##name_, blocks_, after_, flags_, fd_,  \
	  ids_, error_ },
static const struct row rows[] = {
#include "preload/kernel/syscalls.def"
};
#undef CALL

#define KERNEL(name, nr) { #name, nr },
static const struct {
	const char *name;
	int nr;
} kernel[] = {
#include "kernel_calls.h"
};

#define NR(x) (sizeof(x) / sizeof((x)[0]))
#define TEXT(x) #x
#define EXPANDED(x) TEXT(x)

/*
 * Calls that may wait for somebody else for ever, by their man pages: never
 * passed as they are, and never without saying what a signal does to them.
 */
static const char *const may_wait[] = {
	"accept", "accept4", "clock_nanosleep", "connect", "creat", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "fcntl", "flock", "futex", "futex_wait",
	"futex_waitv", "io_getevents", "io_pgetevents", "io_uring_enter",
	"mq_timedreceive", "mq_timedsend", "msgrcv", "msgsnd",
	"nanosleep", "open", "openat", "openat2", "pause", "poll", "ppoll",
	"pselect6", "read", "readv", "recvfrom", "recvmmsg", "recvmsg",
	"rt_sigsuspend", "rt_sigtimedwait", "select", "semop", "semtimedop",
	"sendfile", "sendmmsg", "sendmsg", "sendto", "splice", "tee",
	"vmsplice", "wait4", "waitid", "write", "writev",
};

/* Always EINTR after a handler, by signal(7), "Interruption of system calls". */
static const char *const never_restarted[] = {
	"clock_nanosleep", "epoll_pwait", "epoll_pwait2", "epoll_wait",
	"io_getevents", "io_pgetevents", "msgrcv", "msgsnd", "nanosleep",
	"pause", "poll", "ppoll", "pselect6", "rt_sigsuspend",
	"rt_sigtimedwait", "select", "semop", "semtimedop",
};

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < NR(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static bool is_passed(const struct row *r)
{
	return !strcmp(r->handler, EXPANDED(NULL));
}

static void test_table__has_a_row_for_each_call_of_the_kernel(void **state)
{
	(void)state;
	assert_true(NR(kernel) > 300);
	for (size_t i = 0; i < NR(kernel); i++) {
		const struct row *r = find(kernel[i].name);

		if (!r)
			fail_msg("no row for %s (%d)", kernel[i].name,
				 kernel[i].nr);
		assert_int_equal(r->nr, kernel[i].nr);
		assert_true(r->nr < CONTROL_MAX_SYSCALLS);
	}
}

static void test_table__has_one_row_for_a_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR(rows); i++)
		for (size_t k = 0; k < i; k++)
			if (rows[i].nr == rows[k].nr)
				fail_msg("%s and %s are both %d", rows[i].name,
					 rows[k].name, rows[i].nr);
}

/* Modelled, passed because it cannot block, or refused. */
static const char *fault_of(const struct row *r)
{
	bool is_refused = !strcmp(r->handler, "trap_refuse");

	switch (r->blocks) {
	case TRAP_NEVER:
	case TRAP_DISK:
		return r->after != TRAP_NO_SIGNAL ? "is never interrupted" :
		       is_refused ? "is refused, but says otherwise" : NULL;
	case TRAP_MODEL:
	case TRAP_READY:
		return is_passed(r) ? "may block and is passed as it is" : NULL;
	case TRAP_REFUSED:
		return !is_refused || !r->error ? "is refused without an error"
						: NULL;
	default:
		return "does not say whether it blocks";
	}
}

static void test_row__says_how_the_carrier_is_kept_from_blocking(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR(rows); i++)
		if (fault_of(&rows[i]))
			fail_msg("%s: %s", rows[i].name, fault_of(&rows[i]));
}

static void test_row__of_a_call_that_waits_for_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR(may_wait); i++) {
		const struct row *r = find(may_wait[i]);

		assert_non_null(r);
		if (r->blocks == TRAP_NEVER || r->blocks == TRAP_DISK)
			fail_msg("%s may wait for others", r->name);
		if (r->blocks != TRAP_REFUSED && r->after == TRAP_NO_SIGNAL)
			fail_msg("%s does not say what a signal does to it",
				 r->name);
	}
}

static void test_row__of_a_call_that_is_never_restarted(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR(never_restarted); i++) {
		const struct row *r = find(never_restarted[i]);

		assert_non_null(r);
		if (r->after != TRAP_RESUMES && r->after != TRAP_FAILS)
			fail_msg("%s is never restarted", r->name);
	}
}

/* An id that is passed without a look would be one of the kernel's. */
static void test_row__with_an_id_that_is_translated(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR(rows); i++) {
		const struct trap_entry e = { .ids = (uint16_t)rows[i].ids };
		bool has_id = false;

		for (uint32_t n = 0; n < TRAP_RESULT; n++)
			has_id |= trap_id_of(&e, n) == TRAP_ID_NUMBER ||
				  trap_id_of(&e, n) == TRAP_ID_DEPENDS;
		if (rows[i].flags & TRAP_F_PID && !has_id)
			fail_msg("%s has no id to translate", rows[i].name);
	}
}

/* What is counted in the summary was passed, and orders all that it may. */
static void test_row__that_is_counted_orders(void **state)
{
	const int both = TRAP_F_SEES | TRAP_F_SHOWS;

	(void)state;
	for (size_t i = 0; i < NR(rows); i++)
		if (is_passed(&rows[i]) && !(rows[i].flags & TRAP_F_QUIET) &&
		    !(rows[i].flags & both))
			fail_msg("%s is passed, counted, and orders nothing",
				 rows[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table__has_a_row_for_each_call_of_the_kernel),
		cmocka_unit_test(test_table__has_one_row_for_a_number),
		cmocka_unit_test(test_row__says_how_the_carrier_is_kept_from_blocking),
		cmocka_unit_test(test_row__of_a_call_that_waits_for_others),
		cmocka_unit_test(test_row__of_a_call_that_is_never_restarted),
		cmocka_unit_test(test_row__with_an_id_that_is_translated),
		cmocka_unit_test(test_row__that_is_counted_orders),
	};

	return cmocka_run_group_tests_name("preload_syscalls", tests, NULL,
					   NULL);
}
