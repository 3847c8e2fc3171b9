/* SPDX-License-Identifier: MIT */
/*
 * early.c - goes wrong in a constructor, before main.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not a constant, which the compiler would warn about. */
static void *volatile nowhere;

__attribute__((constructor)) static void construct(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "exit")) {
		fputs("cannot start: no licence\n", stderr);
		exit(7);
	}
	if (!strcmp(what, "crash"))
		*(volatile int *)nowhere = 1;
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
}

int main(void)
{
	return 0;
}
