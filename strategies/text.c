/* SPDX-License-Identifier: MIT */
/*
 * text.c - lines of text for descriptions and errors, without a C library.
 */
#include "strategies/internal.h"

struct strategy__text strategy__text(char *buf, size_t bytes)
{
	if (bytes)
		*buf = '\0';
	return (struct strategy__text){ .at = buf, .left = bytes };
}

void strategy__add_bytes(struct strategy__text *t, const char *p, size_t nr)
{
	if (!t->left)
		return;
	while (nr-- && t->left > 1) {
		*t->at++ = *p++;
		t->left--;
	}
	*t->at = '\0';
}

void strategy__add(struct strategy__text *t, const char *string)
{
	strategy__add_bytes(t, string, strategy__length(string));
}

void strategy__add_u64(struct strategy__text *t, uint64_t value)
{
	char digits[20];	/* UINT64_MAX has 20 */
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	strategy__add_bytes(t, digits + i, sizeof(digits) - i);
}

void strategy__add_count(struct strategy__text *t, uint64_t nr,
			 const char *noun)
{
	strategy__add_u64(t, nr);
	strategy__add(t, " ");
	strategy__add(t, noun);
	if (nr != 1)
		strategy__add(t, "s");
}

bool strategy__is_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

size_t strategy__length(const char *s)
{
	size_t nr = 0;

	while (s[nr]) {
		/* Keeps compilers from making this a call of strlen(). */
		__asm__("");
		nr++;
	}
	return nr;
}
