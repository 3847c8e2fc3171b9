/* SPDX-License-Identifier: MIT */
/*
 * preload.c - patch a whole program at its start, for comparing what it does
 * with what it does unpatched.
 *
 *	APPLY='lib1.so:lib2.so' LD_PRELOAD=libapply.so PROGRAM
 *
 * The program itself is patched, and the libraries whose path contains one
 * of the strings of APPLY. At the end, APPLY_STATISTICS names a file to which
 * the counts go.
 */
#include "tests/differential/apply.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_APPLIED 32

static struct applied applied[MAX_APPLIED];
static size_t nr_applied;

static bool is_wanted(const char *path)
{
	char list[4096];
	char *save = NULL;

	if (!*path)
		return true;	/* the program itself */
	snprintf(list, sizeof(list), "%s", getenv("APPLY") ?: "");
	for (char *part = strtok_r(list, ":", &save); part;
	     part = strtok_r(NULL, ":", &save))
		if (strstr(path, part))
			return true;
	return false;
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct errbuf err = ERRBUF_INIT;
	struct applied *a = &applied[nr_applied];
	const char *path = *info->dlpi_name ? info->dlpi_name
					    : "/proc/self/exe";
	uint64_t bias, low, high;

	(void)size;
	(void)arg;
	if (nr_applied == MAX_APPLIED || !is_wanted(info->dlpi_name))
		return 0;
	if (apply_find_module((void *)(info->dlpi_addr +
				       info->dlpi_phdr[0].p_vaddr),
			      &bias, &low, &high) < 0 ||
	    apply_plan(a, path, bias, low, high, &err) < 0) {
		fprintf(stderr, "apply: %s: %s\n", path, err.text);
		_exit(99);
	}
	nr_applied++;
	return 0;
}

/* ---- traps stay ours: programs block or catch all signals ---- */

int sigaction(int signo, const struct sigaction *sa, struct sigaction *old)
{
	static int (*next)(int, const struct sigaction *, struct sigaction *);

	if (!next)
		next = dlsym(RTLD_NEXT, "sigaction");
	if (signo == SIGTRAP && nr_applied)
		sa = NULL;
	return next(signo, sa, old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	static int (*next)(int, const sigset_t *, sigset_t *);
	sigset_t without;

	if (!next)
		next = dlsym(RTLD_NEXT, "pthread_sigmask");
	if (set) {
		without = *set;
		if (how != SIG_UNBLOCK)
			sigdelset(&without, SIGTRAP);
		set = &without;
	}
	return next(how, set, old);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return pthread_sigmask(how, set, old) ? -1 : 0;
}

__attribute__((constructor)) static void start(void)
{
	size_t nr;

	dl_iterate_phdr(visit, NULL);
	nr = nr_applied;
	nr_applied = 0;		/* apply_patch() may set its handler */
	for (size_t i = 0; i < nr; i++)
		if (apply_patch(&applied[i]) < 0)
			_exit(98);
	nr_applied = nr;
}

__attribute__((destructor)) static void stop(void)
{
	const char *path = getenv("APPLY_STATISTICS");
	FILE *f = path ? fopen(path, "a") : NULL;

	for (size_t i = 0; f && i < nr_applied; i++)
		fprintf(f, "%u sites, %u by jump, %u by trap\n",
			applied[i].plan.nr_sites, applied[i].plan.nr_jumps,
			applied[i].plan.nr_int3);
	if (f) {
		fprintf(f, "%lu calls\n", (unsigned long)nr_apply_calls);
		fclose(f);
	}
}
