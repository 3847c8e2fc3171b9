/* SPDX-License-Identifier: MIT */
/*
 * ok_stdio.c - threads print, allocate and lock a stream: correct
 */
#include <assert.h>
#include <string.h>

#include "guest.h"

static FILE *file;

static void *work(void *arg)
{
	char *text[40];

	for (int i = 0; i < 40; i++) {
		text[i] = malloc(16u + 100u * (unsigned int)i);
		assert(text[i]);
		strcpy(text[i], "some text\n");
	}
	flockfile(file);
	fputs_unlocked("begin ", file);
	fputs(text[39], file);
	funlockfile(file);
	for (int i = 0; i < 40; i++)
		free(text[i]);
	return arg;
}

int main(void)
{
	char line[64];
	int nr = 0;

	file = tmpfile();
	assert(file);
	guest_run(3, work);
	rewind(file);
	for (; fgets(line, sizeof(line), file); nr++)
		assert(!strcmp(line, "begin some text\n"));
	assert(nr == 3);
	fclose(file);
	return guest_ok();
}
