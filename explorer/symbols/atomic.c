/* SPDX-License-Identifier: MIT */
/*
 * atomic.c - whether an access was meant to be atomic.
 *
 * On x86-64 a compiler makes plain moves of atomic loads and stores, so the
 * instruction does not tell. What the debug information says of the variable
 * and of the function inlined there does; failing that, the words of the
 * statement in the source file. The last is a guess: a statement with an atomic
 * access counts as atomic in all its accesses. It only ever drops a race.
 */
#include "explorer/symbols/internal.h"
#include "explorer/symbols/types.h"

#include <ctype.h>
#include <dwarf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define MAX_FILE_BYTES (8u << 20)	/* of source; larger ones are skipped */
#define MAX_STATEMENT_LINES 6
#define MAX_MACRO_BYTES 2048u
#define MAX_SOURCES 64
#define MAX_DEPTH 6		/* macros within macros */
#define MAX_LOOKUPS 400u

/* ----------------------------------------------------------------- names */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/*
 * Where the qualified name begins in a demangled one: behind the return type
 * that templates have, and before the arguments, which may name any class.
 */
static const char *name_start(const char *name)
{
	const char *start = name;
	int depth = 0;

	for (const char *p = name; *p && (depth || *p != '('); p++) {
		if (*p == '<')
			depth++;
		else if (*p == '>' && depth)
			depth--;
		else if (!depth && *p == ' ' &&
			 (p - start < 8 || strncmp(p - 8, "operator", 8)))
			start = p + 1;
	}
	return start;
}

bool symbols__is_atomic_name(const char *name)
{
	static const char *const prefixes[] = {
		"atomic<", "atomic_", "__atomic_base", "__atomic_flag_base",
		"__atomic_float<", "__atomic_ref<", "__atomic_impl::",
		"__cxx_atomic_",
	};

	if (!name)
		return false;
	name = name_start(name);
	/* Rust's, as c++filt reads them: "core::sync::atomic::atomic_store". */
	if (!strncmp(name, "core::sync::atomic::", 20))
		return true;
	if (strncmp(name, "std::", 5))
		return false;
	name += 5;
	if (!strncmp(name, "__1::", 5))	/* libc++ */
		name += 5;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* ---------------------------------------------------------------- source */

struct text {
	const char *start;
	size_t bytes;
};

/*
 * Words that make an access atomic, as C, C++ and the Linux world know them.
 * Inline assembly is written where the compiler is not to choose how memory is
 * accessed. A name that ends where another one is to be pasted on is no word of
 * its own: "atomic_".
 */
static bool is_atomic_word(const char *word, size_t n)
{
	static const char *const prefixes[] = {
		"__atomic_", "__sync_", "__c11_atomic_", "atomic_load",
		"atomic_store", "atomic_exchange", "atomic_compare_exchange",
		"atomic_fetch_", "atomic_flag_", "atomic_init", "memory_order",
	};
	static const char *const words[] = {
		"_Atomic", "READ_ONCE", "WRITE_ONCE", "ACCESS_ONCE",
		"atomic_ref", "__ATOMIC_RELAXED", "atomic_", "asm", "__asm",
		"__asm__",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (n >= strlen(prefixes[i]) &&
		    !strncmp(word, prefixes[i], strlen(prefixes[i])))
			return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (n == strlen(words[i]) && !strncmp(word, words[i], n))
			return true;
	return false;
}

/* The next word at or after *at; its length, or 0: there is none. */
static size_t next_word(struct text t, size_t *at)
{
	size_t n = 0;

	while (*at < t.bytes && !is_word(t.start[*at]))
		++*at;
	while (*at + n < t.bytes && is_word(t.start[*at + n]))
		n++;
	return n;
}

static bool has_atomic_word(struct text t)
{
	size_t n;

	for (size_t at = 0; (n = next_word(t, &at)); at += n)
		if (is_atomic_word(t.start + at, n))
			return true;
	return false;
}

static size_t line_end(struct text t, size_t at)
{
	const char *p = at < t.bytes ? memchr(t.start + at, '\n', t.bytes - at)
				     : NULL;

	return p ? (size_t)(p - t.start) : t.bytes;
}

/* The start of the line before the one that starts at `at`. */
static size_t line_before(struct text t, size_t at)
{
	at--;
	while (at && t.start[at - 1] != '\n')
		at--;
	return at;
}

/* Whether a statement may end with this line. */
static bool ends_statement(struct text t, size_t start, size_t end)
{
	while (end > start && isspace((unsigned char)t.start[end - 1]))
		end--;
	return end == start || strchr(";{}:", t.start[end - 1]) ||
	       t.start[start] == '#' ||
	       (end - start > 1 && !strncmp(t.start + end - 2, "*/", 2));
}

/* The lines of the statement that stands on line `line`. */
static struct text statement_at(struct text file, int line)
{
	size_t start = 0, end;

	for (int i = 1; i < line && start < file.bytes; i++)
		start = line_end(file, start) + 1;
	if (start >= file.bytes)
		return (struct text){ NULL, 0 };
	end = line_end(file, start);
	for (int i = 0; i < MAX_STATEMENT_LINES && end < file.bytes; i++) {
		if (ends_statement(file, line_before(file, end + 1), end))
			break;
		end = line_end(file, end + 1);
	}
	for (int i = 0; i < MAX_STATEMENT_LINES && start; i++) {
		size_t before = line_before(file, start);

		if (ends_statement(file, before, start - 1))
			break;
		start = before;
	}
	return (struct text){ file.start + start, end - start };
}

static bool has_word(struct text t, const char *word)
{
	size_t n;

	for (size_t at = 0; (n = next_word(t, &at)); at += n)
		if (n == strlen(word) && !strncmp(t.start + at, word, n))
			return true;
	return false;
}

static struct text trimmed(struct text t)
{
	while (t.bytes && isspace((unsigned char)t.start[t.bytes - 1]))
		t.bytes--;
	while (t.bytes && isspace((unsigned char)t.start[0])) {
		t.start++;
		t.bytes--;
	}
	return t;
}

/* `#pragma omp atomic` before the statement, or before the block it is in. */
static bool has_atomic_pragma(struct text file, struct text statement)
{
	size_t start = (size_t)(statement.start - file.start);
	bool is_first = true, is_in_block = false;

	for (int i = 0; i < MAX_STATEMENT_LINES && start; i++) {
		size_t before = line_before(file, start);
		struct text line = trimmed((struct text){ file.start + before,
							  start - before });

		start = before;
		if (!line.bytes)
			continue;
		if (line.start[0] == '#')
			return (is_first || is_in_block) &&
			       has_word(line, "pragma") &&
			       has_word(line, "omp") &&
			       has_word(line, "atomic");
		/* Of a block with two statements, either. */
		if (line.bytes == 1 && line.start[0] == '{')
			is_in_block = true;
		else if (is_in_block || line.start[line.bytes - 1] != ';')
			return false;
		is_first = false;
	}
	return false;
}

/* The body of the macro of that name, from "#define NAME"; or nothing. */
static struct text find_macro(struct text file, const char *name, size_t n)
{
	struct text body = { NULL, 0 };
	size_t at = 0;

	while (at < file.bytes) {
		size_t end = line_end(file, at), p = at;

		if (file.start[p] == '#') {
			p++;
			while (p < end && (file.start[p] == ' ' ||
					   file.start[p] == '\t'))
				p++;
			if (end - p > 7 &&
			    !strncmp(file.start + p, "define", 6)) {
				p += 6;
				if (next_word(file, &p) == n && p < end &&
				    !strncmp(file.start + p, name, n))
					break;
			}
		}
		at = end + 1;
	}
	if (at >= file.bytes)
		return body;
	body.start = file.start + at;
	for (size_t end = line_end(file, at);; end = line_end(file, end + 1)) {
		body.bytes = end - at;
		if (end >= file.bytes || file.start[end - 1] != '\\' ||
		    body.bytes > MAX_MACRO_BYTES)
			return body;
	}
}

/* The files where macros may be defined: that of the statement comes first. */
struct sources {
	struct text file[MAX_SOURCES];
	size_t nr;
};

static struct text find_macro_in(const struct sources *all, const char *name,
				 size_t n)
{
	struct text body = { NULL, 0 };

	for (size_t i = 0; i < all->nr && !body.start; i++)
		body = find_macro(all->file[i], name, n);
	return body;
}

/*
 * A macro of one's own may hide the builtin, behind macros of its own. `budget`
 * bounds how many are looked up.
 */
static bool has_atomic_macro(const struct sources *all, struct text text,
			     int depth, uint32_t *budget)
{
	size_t n;

	for (size_t at = 0; (n = next_word(text, &at)) && *budget; at += n) {
		struct text body;

		if (isdigit((unsigned char)text.start[at]))
			continue;
		--*budget;
		body = find_macro_in(all, text.start + at, n);
		/* Its own text begins with its name. */
		if (!body.start || body.start == text.start)
			continue;
		if (has_atomic_word(body) ||
		    (depth && has_atomic_macro(all, body, depth - 1, budget)))
			return true;
	}
	return false;
}

static struct text map_file(const char *path)
{
	struct text t = { NULL, 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		return t;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size < MAX_FILE_BYTES) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
		if (p != MAP_FAILED)
			t = (struct text){ p, (size_t)st.st_size };
	}
	close(fd);
	return t;
}

static struct text open_source(const char *dir, const char *path)
{
	char *full = path[0] == '/' || !dir ? xstrdup(path)
					    : xasprintf("%s/%s", dir, path);
	struct text t = map_file(full);

	free(full);
	return t;
}

static void close_source(struct text t)
{
	if (t.start)
		munmap((void *)(uintptr_t)t.start, t.bytes);
}

static const char *directory_of(Dwarf_Die *unit)
{
	Dwarf_Attribute attr;

	return dwarf_attr(unit, DW_AT_comp_dir, &attr)
		       ? dwarf_formstring(&attr) : NULL;
}

/* Of the C library and the compiler, whose atomic macros have known names. */
static bool is_system_header(const char *path)
{
	static const char *const prefixes[] = {
		"/usr/lib/", "/usr/include/x86_64-linux-gnu/bits/",
		"/usr/include/x86_64-linux-gnu/sys/",
		"/usr/include/x86_64-linux-gnu/gnu/", "/usr/include/c++/",
		"/usr/include/x86_64-linux-gnu/c++/",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(path, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/*
 * Whether a word of the statement is an atomic macro, of any file of the unit.
 */
static bool is_atomic_macro(Dwarf_Die *unit, struct text file,
			    struct text statement)
{
	struct sources all = { .file = { file }, .nr = 1 };
	uint32_t budget = MAX_LOOKUPS;
	Dwarf_Files *files;
	size_t nr;
	bool found;

	if (dwarf_getsrcfiles(unit, &files, &nr))
		nr = 0;
	for (size_t i = 0; i < nr && all.nr < MAX_SOURCES; i++) {
		const char *path = dwarf_filesrc(files, i, NULL, NULL);

		if (!path || is_system_header(path))
			continue;
		all.file[all.nr] = open_source(directory_of(unit), path);
		all.nr += all.file[all.nr].start != NULL;
	}
	found = has_atomic_macro(&all, statement, MAX_DEPTH, &budget);
	for (size_t i = 1; i < all.nr; i++)
		close_source(all.file[i]);
	return found;
}

/* *is_known: the source could be read, so the answer says something. */
static bool is_atomic_line(Dwarf_Die *unit, const char *path, int line,
			   bool *is_known)
{
	struct text file, statement;
	bool found;

	if (!path || line <= 0)
		return false;
	file = open_source(directory_of(unit), path);
	if (!file.start)
		return false;
	*is_known = true;
	statement = statement_at(file, line);
	found = statement.start && (has_atomic_word(statement) ||
				    has_atomic_pragma(file, statement) ||
				    is_atomic_macro(unit, file, statement));
	close_source(file);
	return found;
}

/* ------------------------------------------------------------------ code */

/*
 * Through an inlined function whose name is an atomic one, in C too
 * (`load_acquire` is not; its line is looked at). The name of the class is part
 * of a method's.
 */
static bool is_atomic_scope(struct symbols *s, Dwarf_Die *unit,
			    Dwarf_Addr addr)
{
	Dwarf_Die *scopes = NULL;
	bool found = false;
	int nr = symbols__scopes(unit, addr, &scopes);

	for (int i = 0; i < nr && !found; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_subprogram &&
		    tag != DW_TAG_inlined_subroutine)
			continue;
		found = symbols__is_atomic_name(symbols__die_name(s,
								  &scopes[i]));
		if (tag == DW_TAG_subprogram)
			break;
	}
	free(scopes);
	return found;
}

/* The innermost line only: callers' lines say nothing of this access. */
static bool is_atomic_code(struct symbols *s, uint64_t pc, bool *is_known)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, pc);
	Dwarf_Addr bias = 0;
	Dwarf_Die *unit = module ? symbols__unit(module, pc, &bias) : NULL;
	Dwarf_Line *line;
	int line_nr = 0;

	*is_known = false;
	if (!unit)
		return false;
	if (is_atomic_scope(s, unit, pc - bias))
		return true;
	line = dwarf_getsrc_die(unit, pc - bias);
	if (!line || dwarf_lineno(line, &line_nr) || !line_nr)
		return false;
	return is_atomic_line(unit, dwarf_linesrc(line, NULL, NULL), line_nr,
			      is_known);
}

bool symbols_is_atomic(struct symbols *s, uint64_t pc, uint64_t addr)
{
	bool is_known;

	return s && (symbols__is_atomic_variable(s, addr) ||
		     is_atomic_code(s, pc, &is_known));
}

bool symbols_is_atomic_pair(struct symbols *s, uint64_t pc, uint64_t other_pc,
			    uint64_t addr)
{
	bool is_known, is_other_known, is_atomic, is_other_atomic;

	if (!s)
		return false;
	if (symbols__is_atomic_variable(s, addr))
		return true;
	is_atomic = is_atomic_code(s, pc, &is_known);
	is_other_atomic = is_atomic_code(s, other_pc, &is_other_known);
	return (is_atomic && (is_other_atomic || !is_other_known)) ||
	       (is_other_atomic && !is_known);
}

bool symbols_may_be_atomic_pair(struct symbols *s, uint64_t pc,
				uint64_t other_pc)
{
	bool is_known = false, is_other_known = false;

	if (!s)
		return true;
	is_atomic_code(s, pc, &is_known);
	is_atomic_code(s, other_pc, &is_other_known);
	return !is_known && !is_other_known;
}
