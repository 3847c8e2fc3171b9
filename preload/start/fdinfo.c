/* SPDX-License-Identifier: MIT */
/*
 * fdinfo.c - what the kernel says of a descriptor, in /proc/self/fdinfo.
 */
#include <linux/fcntl.h>

#include "preload/arch/sys.h"
#include "preload/start/inherited.h"

const char *fdinfo_read(int64_t fd)
{
	static char text[FDINFO_BYTES];
	char path[48];
	int64_t info, n, used = 0;

	runtime_format(path, sizeof(path), "/proc/self/fdinfo/%ld", (long)fd);
	info = sys_call3(__NR_open, path, O_RDONLY | O_CLOEXEC, 0);
	if (info < 0)
		return "";
	while (used < FDINFO_BYTES - 1 &&
	       (n = sys_call3(__NR_read, info, text + used,
			      FDINFO_BYTES - 1 - used)) > 0)
		used += n;
	sys_call1(__NR_close, info);
	text[used] = '\0';
	return text;
}

const char *fdinfo_find(const char *text, const char *key)
{
	bool is_start = true;

	for (; *text; text++) {
		if (is_start && core_has_prefix(text, key))
			return text + core_strlen(key);
		is_start = *text == '\n';
	}
	return NULL;
}

static uint32_t digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

const char *fdinfo_number(const char *at, uint32_t base, uint64_t *value)
{
	*value = 0;
	while (*at && *at != '\n' && digit(*at) >= base)
		at++;
	for (; digit(*at) < base; at++)
		*value = *value * base + digit(*at);
	return at;
}
