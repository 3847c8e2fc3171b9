/* SPDX-License-Identifier: MIT */
/*
 * string_moves.c - a text is replaced by string instructions while it is read
 *
 * Argument 1: reader (written by rep movsb, read byte by byte), writer (the
 * other way round), words (rep stosq against loads), single (movsb in a loop on
 * both sides), both (rep movsb on both sides), down (the writer from the end to
 * the start). All are broken. ok: two threads move parts of their own.
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

#define LENGTH 16u

static volatile char text[LENGTH];
static volatile uint64_t words[2];
static char copy[LENGTH], other[LENGTH];
static const char *way;

static void move(volatile char *to, const volatile char *from, size_t n)
{
	__asm__ volatile("rep movsb"
			 : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

static void move_down(volatile char *to, const volatile char *from, size_t n)
{
	to += n - 1;
	from += n - 1;
	__asm__ volatile("std\n\trep movsb\n\tcld"
			 : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

static void move_single(volatile char *to, const volatile char *from, size_t n)
{
	for (; n; n--)
		__asm__ volatile("movsb" : "+D" (to), "+S" (from) : : "memory");
}

static void fill(volatile uint64_t *to, uint64_t value, size_t n)
{
	__asm__ volatile("rep stosq"
			 : "+D" (to), "+c" (n) : "a" (value) : "memory");
}

static void check_copy(void)
{
	for (unsigned int i = 1; i < LENGTH; i++)
		assert(copy[i] == copy[0]);
}

static void *write_it(void *arg)
{
	char new[LENGTH];

	memset(new, 'x', sizeof(new));
	if (!strcmp(way, "words"))
		fill(words, 7, 2);
	else if (!strcmp(way, "single"))
		move_single(text, new, LENGTH);
	else if (!strcmp(way, "writer"))
		for (unsigned int i = 0; i < LENGTH; i++)
			text[i] = 'x';
	else if (!strcmp(way, "down"))
		move_down(text, new, LENGTH);
	else if (!strcmp(way, "ok"))
		move_down(text, new, LENGTH / 2);
	else
		move(text, new, LENGTH);
	return arg;
}

static void *read_it(void *arg)
{
	if (!strcmp(way, "words")) {
		uint64_t first = words[0];

		assert(first == words[1]);
	} else if (!strcmp(way, "single")) {
		move_single(copy, text, LENGTH);
	} else if (!strcmp(way, "reader")) {
		for (unsigned int i = 0; i < LENGTH; i++)
			copy[i] = text[i];
	} else if (!strcmp(way, "ok")) {
		move(copy, text + LENGTH / 2, LENGTH / 2);
		move(copy + LENGTH / 2, other, LENGTH / 2);
	} else {
		move(copy, text, LENGTH);
	}
	check_copy();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "reader";
	t = guest_start(write_it, NULL);
	u = guest_start(read_it, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
