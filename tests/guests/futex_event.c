/* SPDX-License-Identifier: MIT */
/*
 * futex_event.c - an event made of a futex and a sequence number
 *
 * With "broken" as argument the number is read after the check, so that an
 * event in between is missed.
 */
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

static atomic_uint sequence;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_ready, is_broken;

static int has_happened(void)
{
	int seen;

	pthread_mutex_lock(&lock);
	seen = is_ready;
	pthread_mutex_unlock(&lock);
	return seen;
}

static void log_wait(void)
{
	static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
}

static void *wait_for_it(void *arg)
{
	unsigned int seen = sequence;

	(void)arg;
	while (!has_happened()) {
		log_wait();
		if (is_broken)
			seen = sequence;
		syscall(SYS_futex, &sequence, FUTEX_WAIT_PRIVATE, seen, NULL,
			NULL, 0);
		seen = sequence;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;

	is_broken = argc > 1 && !strcmp(argv[1], "broken");
	t = guest_start(wait_for_it, NULL);
	pthread_mutex_lock(&lock);
	is_ready = 1;
	pthread_mutex_unlock(&lock);
	sequence++;
	syscall(SYS_futex, &sequence, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	guest_join(t);
	return guest_ok();
}
