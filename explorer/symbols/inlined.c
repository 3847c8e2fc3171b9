/* SPDX-License-Identifier: MIT */
/*
 * inlined.c - the frames that the compiler folded into one.
 */
#include "explorer/symbols/internal.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static Dwarf_Word number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value))
		return 0;
	return value;
}

/* Where an inlined function was called from. */
static void find_call(struct symbols *s, Dwarf_Die *unit, Dwarf_Die *inlined,
		      struct symbol *out)
{
	Dwarf_Word index = number(inlined, DW_AT_call_file);
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	const char *file, *dir = NULL;
	size_t nr;

	if (dwarf_getsrcfiles(unit, &files, &nr) || index >= nr)
		return;
	file = dwarf_filesrc(files, index, NULL, NULL);
	out->line = (int)number(inlined, DW_AT_call_line);
	if (!file || !out->line)
		return;
	if (dwarf_attr(unit, DW_AT_comp_dir, &attr))
		dir = dwarf_formstring(&attr);
	symbols__set_path(s, dir, file, out);
}

#define MAX_SCOPES 64

struct scopes {
	Dwarf_Addr addr;
	Dwarf_Die die[MAX_SCOPES];	/* outermost first */
	int nr;
};

/* The function around the address, and what is in it around the address. */
static bool descend(struct scopes *s, Dwarf_Die *parent)
{
	Dwarf_Die child;

	if (dwarf_child(parent, &child))
		return false;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_namespace:
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
		case DW_TAG_module:
			if (descend(s, &child))
				return true;
			break;
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
		case DW_TAG_inlined_subroutine:
			if (dwarf_haspc(&child, s->addr) <= 0 ||
			    s->nr == MAX_SCOPES)
				break;
			s->die[s->nr++] = child;
			descend(s, &child);
			return true;
		default:
			break;
		}
	} while (!dwarf_siblingof(&child, &child));
	return false;
}

/*
 * libdw takes it that functions stand at the top of their unit. Rust's stand in
 * their namespaces.
 */
int symbols__scopes(Dwarf_Die *unit, Dwarf_Addr addr, Dwarf_Die **scopes)
{
	struct scopes s = { .addr = addr };
	int nr = dwarf_getscopes(unit, addr, scopes);

	if (nr > 0)
		return nr;
	*scopes = NULL;
	if (!descend(&s, unit))
		return 0;
	*scopes = xcalloc((size_t)s.nr, sizeof(**scopes));
	for (int i = 0; i < s.nr; i++)
		(*scopes)[i] = s.die[s.nr - 1 - i];
	return s.nr;
}

/* The innermost inlined function around addr, in *die. */
static bool find_innermost(Dwarf_Die *unit, Dwarf_Addr addr, Dwarf_Die *die)
{
	Dwarf_Die *scopes = NULL;
	int nr = symbols__scopes(unit, addr, &scopes);
	bool found = false;

	for (int i = 0; i < nr && !found; i++) {
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
		found = dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine;
		*die = scopes[i];
	}
	free(scopes);
	return found;
}

static uint32_t find_callers(struct symbols *s, Dwarf_Die *unit,
			     Dwarf_Die *innermost, const struct symbol *frame,
			     struct symbol *out, uint32_t max)
{
	Dwarf_Die *scopes = NULL;
	Dwarf_Die *inner = NULL;	/* whose caller is looked for */
	int nr_scopes = dwarf_getscopes_die(innermost, &scopes);
	uint32_t nr = 0;

	for (int i = 0; i < nr_scopes && nr < max; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_subprogram &&
		    tag != DW_TAG_inlined_subroutine)
			continue;
		if (inner) {
			out[nr] = *frame;
			out[nr].file = NULL;
			out[nr].line = 0;
			out[nr].function = symbols__die_name(s, &scopes[i]);
			find_call(s, unit, inner, &out[nr++]);
		}
		inner = &scopes[i];
		if (tag == DW_TAG_subprogram)
			break;
	}
	free(scopes);
	return nr;
}

uint32_t symbols__callers(struct symbols *s, uint64_t addr,
			  const struct symbol *innermost, struct symbol *out,
			  uint32_t max)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, addr);
	Dwarf_Addr bias = 0;
	Dwarf_Die *unit, die;

	unit = module ? symbols__unit(module, addr, &bias) : NULL;
	if (!unit || !find_innermost(unit, addr - bias, &die))
		return 0;
	return find_callers(s, unit, &die, innermost, out, max);
}
