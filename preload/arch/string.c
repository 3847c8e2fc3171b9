/* SPDX-License-Identifier: MIT */
/*
 * string.c - memory and text without the C library.
 *
 * The compiler may emit calls to memcpy and friends for struct copies; libc's
 * versions use vector registers and resolve through the PLT, so the runtime
 * brings its own, hidden from the target.
 */
#include <stdarg.h>

#include "preload/core/core.h"

RUNTIME_HIDDEN void *memcpy(void *to, const void *from, size_t bytes)
{
	void *result = to;

	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(bytes)
			 :
			 : "memory");
	return result;
}

RUNTIME_HIDDEN void *memset(void *to, int value, size_t bytes)
{
	void *result = to;

	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(bytes)
			 : "a"(value)
			 : "memory");
	return result;
}

RUNTIME_HIDDEN void *memmove(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + bytes)
		return memcpy(to, from, bytes);
	while (bytes--)
		t[bytes] = f[bytes];
	return to;
}

RUNTIME_HIDDEN int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;

	for (; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t core_strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool core_has_prefix(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

bool core_streq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

struct sink {
	char *buf;
	size_t bytes, used;
};

static void put(struct sink *s, char c)
{
	if (s->used + 1 < s->bytes)
		s->buf[s->used++] = c;
}

static void put_number(struct sink *s, uint64_t value, unsigned int base)
{
	char digit[24];
	size_t n = 0;

	do {
		digit[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(s, digit[--n]);
}

static void put_one(struct sink *s, char verb, va_list *ap)
{
	const char *text;
	long number;

	switch (verb) {
	case 's':
		text = va_arg(*ap, const char *);
		while (text && *text)
			put(s, *text++);
		break;
	case 'd':
		number = va_arg(*ap, long);
		if (number < 0)
			put(s, '-');
		put_number(s, number < 0 ? -(uint64_t)number : (uint64_t)number,
			   10);
		break;
	case 'u':
		put_number(s, va_arg(*ap, unsigned long), 10);
		break;
	case 'x':
		put_number(s, va_arg(*ap, unsigned long), 16);
		break;
	default:
		put(s, verb);
	}
}

size_t runtime_format(char *buf, size_t bytes, const char *fmt, ...)
{
	struct sink s = { buf, bytes, 0 };
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%' || !fmt[1]) {
			put(&s, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == 'l')	/* as in %lu, to please -Wformat */
			fmt++;
		put_one(&s, *fmt, &ap);
	}
	va_end(ap);
	if (bytes)
		buf[s.used] = '\0';
	return s.used;
}
