/* SPDX-License-Identifier: MIT */
/*
 * bit_field.c - two threads, each with a field of its own, side by side
 *
 * Argument 1: broken (both fields share a byte), or ok (one byte each).
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

static struct {
	unsigned int left : 4;
	unsigned int right : 4;
	unsigned int : 0;
	unsigned char own[2];
} flags;
static int is_ok;

static void *set_left(void *arg)
{
	if (is_ok)
		flags.own[0] = 5;
	else
		flags.left = 5;
	return arg;
}

static void *set_right(void *arg)
{
	if (is_ok)
		flags.own[1] = 6;
	else
		flags.right = 6;
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	is_ok = argc > 1 && !strcmp(argv[1], "ok");
	t = guest_start(set_left, NULL);
	u = guest_start(set_right, NULL);
	guest_join(t);
	guest_join(u);
	if (is_ok)
		assert(flags.own[0] == 5 && flags.own[1] == 6);
	else
		assert(flags.left == 5 && flags.right == 6);
	return guest_ok();
}
