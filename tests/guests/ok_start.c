/* SPDX-License-Identifier: MIT */
/*
 * ok_start - the words that the kernel lays on the stack of a new program are as
 * the kernel laid them: argc, argv, envp and the auxiliary vector behind one
 * another, the environment without anything that the user did not put there.
 */
#include <elf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : fail(#x))

extern char **environ;

static int done;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what)
{
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static void *count(void *arg)
{
	pthread_mutex_lock(&m);
	done++;
	pthread_mutex_unlock(&m);
	return arg;
}

static void check_vector(char **envp)
{
	static const unsigned long wanted[] = {
		AT_PAGESZ, AT_PHDR, AT_ENTRY, AT_RANDOM, AT_EXECFN,
	};
	const Elf64_auxv_t *a, *first;

	while (*envp)
		envp++;
	first = (const Elf64_auxv_t *)(envp + 1);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		for (a = first; a->a_type != AT_NULL; a++)
			if (a->a_type == wanted[i])
				break;
		CHECK(a->a_type == wanted[i]);
		CHECK(a->a_un.a_val == getauxval(wanted[i]));
	}
}

/* What /proc shows of the environment begins with the same strings. */
static void check_proc(char **envp)
{
	static char text[1 << 20];
	FILE *f = fopen("/proc/self/environ", "r");
	size_t n = fread(text, 1, sizeof(text) - 1, f), at = 0;

	fclose(f);
	for (; *envp; envp++) {
		CHECK(!strcmp(text + at, *envp));
		at += strlen(*envp) + 1;
	}
	for (; at < n; at++)
		CHECK(!text[at]);
}

int main(int argc, char **argv, char **envp)
{
	pthread_t t[2];

	CHECK(argc == 1 && !argv[1]);
	CHECK(envp == argv + argc + 1);
	CHECK(environ == envp);
	for (char **e = envp; *e; e++) {
		CHECK(strchr(*e, '='));
		CHECK(!strstr(*e, "explore-preload"));
		CHECK(strncmp(*e, "EXPLORE_CONTROL", 15));
		CHECK(strcmp(*e, "LD_BIND_NOW=explore"));
	}
	check_vector(envp);
	check_proc(envp);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, count, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	if (done != 2)
		fail("both threads");
	puts("ok");
	return 0;
}
