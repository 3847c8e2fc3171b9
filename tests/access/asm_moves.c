/* SPDX-License-Identifier: MIT */
/*
 * asm_moves.c - publication by moves that are written in assembly, or by atomic
 * built-ins behind macros that paste their names. Argument 1: function, macro
 * (the two ways to write the assembly), paste, or plain, which is a data race.
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

struct message {
	int text;
	struct message *next;
};

static struct message *box;
static const char *way;

static void put_pointer(struct message **at, struct message *m)
{
	__asm__ __volatile__("movq %1, %0"
			     : "=m"(*at)
			     : "r"(m)
			     : "memory");
}

static struct message *get_pointer(struct message **at)
{
	struct message *m;

	__asm__ volatile("movq %1, %0" : "=r"(m) : "m"(*at) : "memory");
	return m;
}

#define PUT(at, m)							\
	do {								\
		__asm__ volatile("movq %1, %0" : "=m"(*(at)) : "r"(m) : "memory"); \
	} while (0)
#define GET(at)								\
	({								\
		struct message *got;					\
		__asm__ volatile("movq %1, %0" : "=r"(got) : "m"(*(at)));	\
		got;							\
	})

#define CALL(name) __atomic_##name
#define ORDER(name) __ATOMIC_##name
#define my_load(at) CALL(load_n)(at, ORDER(ACQUIRE))
#define my_store(at, m) CALL(store_n)(at, m, ORDER(RELEASE))

static void put(struct message *m)
{
	if (!strcmp(way, "function"))
		put_pointer(&box->next, m);
	if (!strcmp(way, "macro"))
		PUT(&box->next, m);
	if (!strcmp(way, "paste"))
		my_store(&box->next, m);
	if (!strcmp(way, "plain"))
		*(struct message *volatile *)&box->next = m;
}

static struct message *get(void)
{
	struct message *m = NULL;

	if (!strcmp(way, "function"))
		m = get_pointer(&box->next);
	if (!strcmp(way, "macro"))
		m = GET(&box->next);
	if (!strcmp(way, "paste"))
		m = my_load(&box->next);
	if (!strcmp(way, "plain"))
		m = *(struct message *volatile *)&box->next;
	return m;
}

static void *produce(void *m)
{
	((struct message *)m)->text = 7;
	put(m);
	return NULL;
}

static void *consume(void *unused)
{
	struct message *m = get();

	if (m)
		assert(m->text == 7);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "function";
	box = calloc(2, sizeof(*box));
	t = guest_start(consume, NULL);
	u = guest_start(produce, box + 1);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
