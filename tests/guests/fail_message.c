/* SPDX-License-Identifier: MIT */
/*
 * fail_message.c - tells the tool itself that something is wrong
 */
#include <explore/explore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int turn;

static void *take_turn(void *arg)
{
	int mine = (int)(uintptr_t)arg;

	pthread_mutex_lock(&lock);
	if (mine < turn)
		explore_fail("the second thread was faster");
	turn = mine;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	guest_run(2, take_turn);
	return guest_ok();
}
