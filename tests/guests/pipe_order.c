/* SPDX-License-Identifier: MIT */
/*
 * pipe_order.c - two threads write to one pipe; the reader expects an order
 */
#include <assert.h>
#include <unistd.h>

#include "guest.h"

static int end[2];

static void *say(void *arg)
{
	char c = (char)('a' + (uintptr_t)arg);

	if (arg)
		guest_compute();
	return write(end[1], &c, 1) == 1 ? NULL : (void *)1;
}

static void *listen(void *arg)
{
	char c;

	(void)arg;
	for (char want = 'a'; want <= 'b'; want++) {
		if (read(end[0], &c, 1) != 1)
			return (void *)1;
		assert(c == want);
	}
	return NULL;
}

int main(void)
{
	pthread_t t;

	if (pipe(end))
		return 99;
	t = guest_start(listen, NULL);
	guest_run(2, say);
	guest_join(t);
	return guest_ok();
}
