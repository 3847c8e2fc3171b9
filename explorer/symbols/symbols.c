/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - addresses of the target to functions, files and lines.
 *
 * The modules lie where the run had them, not where this process has them, so
 * libdwfl is told the recorded addresses. A file that changed since is left
 * out: no name is better than a wrong one.
 */
#include "explorer/symbols/internal.h"
#include "explorer/symbols/types.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_SLOTS 256u	/* to begin with; a power of two */

/* From libstdc++, which has no C header for it. */
extern char *__cxa_demangle(const char *mangled, char *buffer,
			    size_t *bytes, int *status);

/* --------------------------------------------------------------- strings */

const char *symbols__keep(struct symbols *s, const char *text)
{
	struct symbols_string *string;

	if (!text)
		return NULL;
	string = malloc(sizeof(*string) + strlen(text) + 1);
	if (!string)
		return NULL;
	strcpy(string->text, text);
	string->next = s->strings;
	s->strings = string;
	return string->text;
}

const char *symbols__keep_demangled(struct symbols *s, const char *text)
{
	const char *kept;
	char *plain = NULL;

	if (text && text[0] == '_' && text[1] == 'Z')
		plain = __cxa_demangle(text, NULL, NULL, NULL);
	kept = symbols__keep(s, plain ? plain : text);
	free(plain);
	return kept;
}

/* --------------------------------------------------------------- modules */

/* We report modules ourselves; there is nothing to look for. */
static int find_no_elf(Dwfl_Module *module, void **userdata, const char *name,
		       Dwarf_Addr base, char **file_name, Elf **elf)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file_name;
	(void)elf;
	return -1;
}

static char *debuginfo_path;	/* NULL: the library's default */

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_no_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

static bool is_unchanged(const struct trace_module *m)
{
	char *id = NULL;
	bool same;

	if (!m->build_id || !m->build_id[0])
		return true;
	same = !trace_build_id(m->path, &id) && !strcmp(id, m->build_id);
	free(id);
	return same;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void report_modules(struct symbols *s, const struct trace_module *m,
			   uint32_t nr)
{
	dwfl_report_begin(s->dwfl);
	for (uint32_t i = 0; i < nr; i++)
		if (m[i].path && m[i].path[0] == '/' && is_unchanged(&m[i]))
			dwfl_report_elf(s->dwfl, base_name(m[i].path),
					m[i].path, -1, m[i].bias, true);
	dwfl_report_end(s->dwfl, NULL, NULL);
}

struct symbols *symbols_new(const struct trace_module *module, uint32_t nr)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->subject.mem_fd = -1;
	s->cwd = getcwd(NULL, 0);
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl) {
		symbols_free(s);
		return NULL;
	}
	report_modules(s, module, nr);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	symbols__free_variables(s);
	if (s->dwfl)
		dwfl_end(s->dwfl);
	if (s->subject.mem_fd >= 0)
		close(s->subject.mem_fd);
	while (s->strings) {
		struct symbols_string *next = s->strings->next;

		free(s->strings);
		s->strings = next;
	}
	free(s->cache);
	free(s->cwd);
	free(s);
}

/* ----------------------------------------------------------------- paths */

/* Take "/./" and "dir/.." out of an absolute path, by its text alone. */
static void normalise(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t n = 1 + strcspn(from + 1, "/");

		if (n == 1 || (n == 2 && from[1] == '.')) {
			/* nothing */
		} else if (n == 3 && from[1] == '.' && from[2] == '.') {
			while (to > path && *--to != '/')
				;
		} else {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	*to = '\0';
}

/* Headers that nobody reads to find a bug of their own; ours is one. */
static bool is_system_path(const char *path)
{
	static const char own[] = "/explore/explore.h";
	size_t length = strlen(path);

	return !strncmp(path, "/usr/include/", 13) ||
	       !strncmp(path, "/usr/lib/", 9) ||
	       (length >= sizeof(own) - 1 &&
		!strcmp(path + length - (sizeof(own) - 1), own));
}

/* Libraries whose frames say nothing about the program under test. */
static bool is_system_module(const char *module)
{
	static const char *const prefixes[] = {
		"libc.so", "libc-2", "libpthread", "ld-linux", "ld-2",
		"libstdc++", "libgcc_s", "libc++",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(module, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* Below the working directory: from there; else the bare file name. */
void symbols__set_path(struct symbols *s, const char *dir, const char *file,
		       struct symbol *out)
{
	size_t length = s->cwd ? strlen(s->cwd) : 0;
	char *full;

	if (file[0] == '/' || !dir || dir[0] != '/')
		full = strdup(file);
	else if (asprintf(&full, "%s/%s", dir, file) < 0)
		full = NULL;
	if (!full)
		return;
	if (full[0] == '/')
		normalise(full);
	if (length > 1 && !strncmp(full, s->cwd, length) &&
	    full[length] == '/')
		out->file = symbols__keep(s, full + length + 1);
	else
		out->file = symbols__keep(s, base_name(full));
	out->is_system = is_system_path(full) ||
			 (out->module && is_system_module(out->module));
	free(full);
}

/* ---------------------------------------------------------------- lookup */

const char *symbols__die_name(struct symbols *s, Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		return symbols__keep_demangled(s, dwarf_formstring(&attr));
	return symbols__keep(s, dwarf_diename(die));
}

/*
 * The compilation unit that addr lies in. dwfl_module_addrdie() goes by
 * .debug_aranges, which clang does not write.
 */
Dwarf_Die *symbols__unit(Dwfl_Module *module, Dwarf_Addr addr,
			 Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(module, addr, bias);

	if (unit)
		return unit;
	while ((unit = dwfl_module_nextcu(module, unit, bias)))
		if (dwarf_haspc(unit, addr - *bias) > 0)
			return unit;
	return NULL;
}

/*
 * The innermost function around addr, inlined ones included: it is the one
 * that the line belongs to.
 */
static const char *scope_name(struct symbols *s, Dwarf_Die *unit,
			      Dwarf_Addr addr)
{
	Dwarf_Die *scopes = NULL;
	const char *name = NULL;
	int nr = symbols__scopes(unit, addr, &scopes);

	for (int i = 0; i < nr && !name; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram ||
		    tag == DW_TAG_inlined_subroutine)
			name = symbols__die_name(s, &scopes[i]);
	}
	free(scopes);
	return name;
}

static void find_line(struct symbols *s, Dwarf_Die *unit, Dwarf_Addr addr,
		      struct symbol *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, addr);
	Dwarf_Attribute attr;
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	const char *dir = NULL;

	/* Line 0: code that the compiler made up. */
	if (!file || dwarf_lineno(line, &out->line) || !out->line)
		return;
	if (dwarf_attr(unit, DW_AT_comp_dir, &attr))
		dir = dwarf_formstring(&attr);
	symbols__set_path(s, dir, file, out);
}

/* From the ELF symbol table, when there is no DWARF. */
static const char *table_name(struct symbols *s, Dwfl_Module *module,
			      Dwarf_Addr addr)
{
	GElf_Off offset;
	GElf_Sym sym;
	const char *name;

	name = dwfl_module_addrinfo(module, addr, &offset, &sym, NULL, NULL,
				    NULL);
	/* Far behind the end of the last symbol known is another function. */
	if (!name || (sym.st_size && offset >= sym.st_size))
		return NULL;
	return symbols__keep_demangled(s, name);
}

/* The innermost function at addr, and its line. */
static void look_up(struct symbols *s, uint64_t addr, struct symbol *out)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, addr);
	Dwarf_Die *unit;
	Dwarf_Addr bias = 0;

	memset(out, 0, sizeof(*out));
	out->offset = addr;
	if (!module)
		return;
	out->module = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL,
				       NULL, NULL);
	out->is_system = out->module && is_system_module(out->module);
	if (dwfl_module_getelf(module, &bias))
		out->offset = addr - bias;
	unit = symbols__unit(module, addr, &bias);
	if (unit) {
		out->function = scope_name(s, unit, addr - bias);
		find_line(s, unit, addr - bias, out);
	}
	if (!out->function)
		out->function = table_name(s, module, addr);
}

uint32_t symbols_chain(struct symbols *s, uint64_t pc, bool is_return,
			struct symbol *out, uint32_t max)
{
	uint32_t nr, own = 0;

	look_up(s, pc - is_return, &out[0]);
	nr = 1 + symbols__callers(s, pc - is_return, &out[0], &out[1],
				  max - 1);
	for (uint32_t i = 0; i < nr; i++)
		out[i].offset += is_return;
	for (uint32_t i = 0; i < nr; i++)
		if (!out[i].is_system)
			out[own++] = out[i];
	return own ? own : nr;
}

/* ----------------------------------------------------------------- cache */

static struct symbols_entry *slot_of(struct symbols_entry *cache, size_t nr,
				     uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (nr - 1);

	while (cache[i].key && cache[i].key != key)
		i = (i + 1) & (nr - 1);
	return &cache[i];
}

/* False when there is no memory for a larger cache; the old one stands. */
static bool grow(struct symbols *s)
{
	size_t nr = s->nr_cache ? s->nr_cache * 2 : CACHE_SLOTS;
	struct symbols_entry *cache = calloc(nr, sizeof(*cache));

	if (!cache)
		return false;
	for (size_t i = 0; i < s->nr_cache; i++)
		if (s->cache[i].key)
			*slot_of(cache, nr, s->cache[i].key) = s->cache[i];
	free(s->cache);
	s->cache = cache;
	s->nr_cache = nr;
	return true;
}

void symbols_find(struct symbols *s, uint64_t pc, bool is_return,
		  struct symbol *out)
{
	struct symbol chain[SYMBOLS_MAX_CHAIN];
	uint64_t key = pc * 2 + is_return;
	struct symbols_entry *entry;

	memset(out, 0, sizeof(*out));
	/* The upper half is the kernel's, and the key has 64 bits. */
	if (!s || !pc || pc >> 63)
		return;
	if (2 * (s->nr_cached + 1) >= s->nr_cache && !grow(s)) {
		look_up(s, pc - is_return, out);
		return;
	}
	entry = slot_of(s->cache, s->nr_cache, key);
	if (!entry->key) {
		entry->key = key;
		s->nr_cached++;
		symbols_chain(s, pc, is_return, chain, SYMBOLS_MAX_CHAIN);
		entry->symbol = chain[0];
	}
	*out = entry->symbol;
}
