/* SPDX-License-Identifier: MIT */
/*
 * sanitizer.h - targets that are built with a sanitizer: what they need to run
 * under explore, by the variable that holds the sanitizer's options.
 *
 * At exit, LeakSanitizer stops the threads of its process by ptrace, from a
 * process that shares its memory: there is one kernel thread, which runs all
 * tasks, and it would be stopped in the middle of the runtime. So leaks are not
 * looked for. A sanitizer in a library of its own wants to be the first in the
 * list of libraries, where the runtime is.
 */
#ifndef EXPLORER_SANITIZER_H
#define EXPLORER_SANITIZER_H

struct sanitizer {
	const char *variable;
	const char *options;
	const char *what;	/* is not looked for; for the summary */
};

/* That of an executable file; NULL: it has none that needs anything. */
const struct sanitizer *sanitizer_of(const char *path);

#endif /* EXPLORER_SANITIZER_H */
