/* SPDX-License-Identifier: MIT */
/*
 * modules.c - which file a code address belongs to.
 *
 * Sites are named by module and offset, never by address, so that digests
 * hold wherever things are loaded.
 */
#include <link.h>

#include "preload/core/core.h"

/* Hash of each module's name, by index in control->module. */
static uint32_t name_hash[CONTROL_MAX_MODULES];
static uint32_t last_used;

static uint32_t hash_name(const char *path)
{
	const char *name = path;
	uint32_t h = 2166136261u;

	for (const char *p = path; *p; p++)
		if (*p == '/')
			name = p + 1;
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static void add(uint64_t start, uint64_t end, uint64_t bias, const char *path)
{
	struct control *c = runtime_control;
	struct control_module *m;

	if (c->nr_modules >= CONTROL_MAX_MODULES)
		return;
	m = &c->module[c->nr_modules];
	m->start = start;
	m->end = end;
	m->bias = bias;
	runtime_format(m->path, sizeof(m->path), "%s", path);
	name_hash[c->nr_modules] = hash_name(m->path);
	c->nr_modules++;
}

static int add_object(struct dl_phdr_info *info, size_t bytes, void *data)
{
	uint64_t low = UINT64_MAX, high = 0;

	(void)bytes;
	(void)data;
	/*
	 * A strategy is ours: patched, it would enter the runtime from within.
	 */
	if (runtime_control->config.plugin[0] &&
	    core_streq(info->dlpi_name, runtime_control->config.plugin))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type != PT_LOAD)
			continue;
		if (start < low)
			low = start;
		if (start + ph->p_memsz > high)
			high = start + ph->p_memsz;
	}
	if (low < high)
		add(low, high, info->dlpi_addr, info->dlpi_name);
	return 0;
}

void modules_init(void)
{
	runtime_control->nr_modules = 0;
	dl_iterate_phdr(add_object, NULL);
}

void modules_add_mapping(uint64_t start, uint64_t bytes, int fd,
			 uint64_t file_offset)
{
	char link[64], path[CONTROL_PATH_BYTES];
	int64_t n;

	runtime_format(link, sizeof(link), "/proc/self/fd/%ld", (long)fd);
	n = sys_call3(__NR_readlink, link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	/* Code segments are usually linked where they lie in the file. */
	add(start, start + bytes, start - file_offset, path);
}

static bool contains(const struct control_module *m, uint64_t pc)
{
	return pc - m->start < m->end - m->start;
}

uint32_t modules_site(uint64_t pc)
{
	struct control *c = runtime_control;
	uint32_t i = last_used;

	if (!pc)
		return 0;
	if (i >= c->nr_modules || !contains(&c->module[i], pc)) {
		for (i = 0; i < c->nr_modules; i++)
			if (contains(&c->module[i], pc))
				break;
		if (i == c->nr_modules)
			return 0;
		last_used = i;
	}
	return (name_hash[i] ^
		(uint32_t)((pc - c->module[i].bias) * 2654435761u)) | 1;
}
