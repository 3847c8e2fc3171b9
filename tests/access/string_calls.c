/* SPDX-License-Identifier: MIT */
/*
 * string_calls.c - memory that the C library's functions read and write
 *
 * Argument 1: copy (memcpy from and to a shared record), text (a string that
 * is measured, then copied, while another takes its place), or ok-copy and
 * ok-text, the same under a lock.
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

#define RECORD 96

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_locked;
/* Not constant, or the compiler makes moves of the calls. */
static volatile size_t record_bytes = RECORD;
static char record[RECORD], text[RECORD] = "short";
static const char *volatile longer = "a text that is longer than the first";

static void enter(void)
{
	if (is_locked)
		pthread_mutex_lock(&lock);
}

static void leave(void)
{
	if (is_locked)
		pthread_mutex_unlock(&lock);
}

static void *write_record(void *arg)
{
	char mine[RECORD];

	memset(mine, 'a', record_bytes);
	enter();
	memcpy(record, mine, record_bytes);
	leave();
	return arg;
}

static void *read_record(void *arg)
{
	char mine[RECORD];

	enter();
	memcpy(mine, record, record_bytes);
	leave();
	for (size_t i = 1; i < RECORD; i++)
		assert(mine[i] == mine[0]);
	return arg;
}

static void *write_text(void *arg)
{
	enter();
	strcpy(text, longer);
	leave();
	return arg;
}

static void *read_text(void *arg)
{
	char mine[RECORD];
	size_t n;

	enter();
	n = strlen(text);
	strcpy(mine, text);
	leave();
	assert(strlen(mine) == n);
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "copy";
	int is_text;
	pthread_t t, u;

	is_locked = !strncmp(what, "ok-", 3);
	is_text = !strcmp(what + 3 * is_locked, "text");
	t = guest_start(is_text ? write_text : write_record, NULL);
	u = guest_start(is_text ? read_text : read_record, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
