/* SPDX-License-Identifier: MIT */
/*
 * check_then_act.c - a pointer of file scope is checked, and then followed
 *
 * Argument 1: broken (it is read again for following), or ok (once).
 */
#include <string.h>

#include "tests/guests/guest.h"

static int value;
static int *volatile current = &value;
static int is_broken;

static void *use(void *arg)
{
	if (is_broken) {
		if (current)
			*current = 1;
	} else {
		int *mine = current;

		if (mine)
			*mine = 1;
	}
	return arg;
}

static void *retire(void *arg)
{
	current = NULL;
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	is_broken = argc < 2 || strcmp(argv[1], "ok");
	t = guest_start(use, NULL);
	u = guest_start(retire, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
