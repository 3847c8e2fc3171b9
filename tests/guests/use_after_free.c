/* SPDX-License-Identifier: MIT */
/*
 * use_after_free.c - the last reference is dropped while another one looks
 */
#include <assert.h>

#include "guest.h"

#define ALIVE 0x600d600d
#define DEAD 0xdeaddead

/* The magic lies past what malloc writes into a freed block. */
struct session {
	char name[48];
	volatile unsigned int magic;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t stats_lock = PTHREAD_MUTEX_INITIALIZER;
static struct session *session;
static int lookups;

static void *look(void *arg)
{
	struct session *s;

	(void)arg;
	pthread_mutex_lock(&lock);
	s = session;		/* and no reference taken */
	pthread_mutex_unlock(&lock);
	if (!s)
		return NULL;
	pthread_mutex_lock(&stats_lock);
	lookups++;
	pthread_mutex_unlock(&stats_lock);
	assert(s->magic == ALIVE);
	return NULL;
}

static void *close_it(void *arg)
{
	struct session *s;

	(void)arg;
	pthread_mutex_lock(&lock);
	s = session;
	session = NULL;
	pthread_mutex_unlock(&lock);
	s->magic = DEAD;
	free(s);
	return NULL;
}

int main(void)
{
	pthread_t t, u;

	session = calloc(1, sizeof(*session));
	if (!session)
		return 99;
	session->magic = ALIVE;
	t = guest_start(look, NULL);
	u = guest_start(close_it, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
