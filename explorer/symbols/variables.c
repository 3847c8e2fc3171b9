/* SPDX-License-Identifier: MIT */
/*
 * variables.c - addresses of the target to names of its global variables.
 *
 * The ELF symbol table says which variable an address lies in; DWARF, where
 * there is some, which part of it: `fork[2]`, `queue.lock`.
 */
#include "explorer/symbols/internal.h"
#include "explorer/symbols/types.h"
#include "explorer/symbols/variables.h"

#include <ctype.h>
#include <dwarf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16	/* of nested types, and of nested scopes */

struct variable {
	uint64_t addr;		/* in the target */
	Dwarf_Die die;		/* valid as long as the module's DWARF */
};

/* All variables with a fixed address of one module, by address. */
struct symbols_variables {
	struct symbols_variables *next;
	Dwfl_Module *module;
	uint64_t bias;		/* of the unit being walked */
	struct variable *variable;
	size_t nr, capacity;
};

/* ----------------------------------------------------------------- index */

static bool fixed_address(Dwarf_Die *die, uint64_t *addr)
{
	Dwarf_Attribute attr, operand;
	Dwarf_Op *op;
	size_t nr;

	if (!dwarf_attr(die, DW_AT_location, &attr) ||
	    dwarf_getlocation(&attr, &op, &nr) || nr != 1)
		return false;
	if (op->atom == DW_OP_addr) {
		*addr = op->number;
		return true;
	}
	/* clang's DWARF 5: the address stands in a table. */
	return op->atom == DW_OP_addrx &&
	       !dwarf_getlocation_attr(&attr, op, &operand) &&
	       !dwarf_formaddr(&operand, addr);
}

static void add_variable(struct symbols_variables *v, Dwarf_Die *die)
{
	uint64_t addr;

	if (!fixed_address(die, &addr))
		return;
	if (v->nr == v->capacity) {
		size_t capacity = v->capacity ? v->capacity * 2 : 64;
		struct variable *more = realloc(v->variable, capacity *
						sizeof(*more));

		if (!more)
			return;	/* it will be shown with a plain offset */
		v->variable = more;
		v->capacity = capacity;
	}
	v->variable[v->nr++] = (struct variable){ addr + v->bias, *die };
}

/* Where definitions can stand; a function has static variables. */
static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_lexical_block;
}

static void walk(struct symbols_variables *v, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_variable)
			add_variable(v, &die);
		else if (is_scope(tag))
			walk(v, &die, depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

static int by_address(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static struct symbols_variables *index_of(struct symbols *s,
					  Dwfl_Module *module)
{
	struct symbols_variables *v;
	Dwarf_Die *unit = NULL;

	for (v = s->variables; v; v = v->next)
		if (v->module == module)
			return v;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->module = module;
	v->next = s->variables;
	s->variables = v;
	while ((unit = dwfl_module_nextcu(module, unit, &v->bias)))
		walk(v, unit, 0);
	if (v->nr)
		qsort(v->variable, v->nr, sizeof(*v->variable), by_address);
	return v;
}

void symbols__free_variables(struct symbols *s)
{
	while (s->variables) {
		struct symbols_variables *next = s->variables->next;

		free(s->variables->variable);
		free(s->variables);
		s->variables = next;
	}
}

/* ----------------------------------------------------------------- parts */

/* Where we are in a value: the rest of the offset, and the name so far. */
struct part {
	Dwarf_Die type;
	uint64_t offset;
	char *text;
	size_t bytes;
	bool is_thorough;	/* into the insides of others' types, too */
	Dwarf_Off stop;		/* the type not to go into; 0: none */
};

static void add_text(struct part *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add_text(struct part *p, const char *fmt, ...)
{
	size_t used = strlen(p->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(p->text + used, p->bytes - used, fmt, args);
	va_end(args);
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, DW_AT_type, &attr) &&
	       dwarf_formref_die(&attr, type) &&
	       !dwarf_peel_type(type, type);
}

/* Elements of the array in its dimensions after the first. */
static uint64_t inner_count(Dwarf_Die *range)
{
	uint64_t count = 1;
	Dwarf_Die next = *range;

	while (!dwarf_siblingof(&next, &next)) {
		Dwarf_Attribute attr;
		Dwarf_Word n;

		if (dwarf_tag(&next) != DW_TAG_subrange_type)
			continue;
		if (dwarf_attr(&next, DW_AT_count, &attr) &&
		    !dwarf_formudata(&attr, &n))
			count *= n;
		else if (dwarf_attr(&next, DW_AT_upper_bound, &attr) &&
			 !dwarf_formudata(&attr, &n))
			count *= n + 1;
	}
	return count;
}

static bool enter_array(struct part *p)
{
	Dwarf_Die element, range;
	Dwarf_Word size;

	if (!type_of(&p->type, &element) ||
	    dwarf_aggregate_size(&element, &size) || !size ||
	    dwarf_child(&p->type, &range))
		return false;
	do {
		uint64_t row;

		if (dwarf_tag(&range) != DW_TAG_subrange_type)
			continue;
		row = size * inner_count(&range);
		if (!row)
			return false;
		add_text(p, "[%" PRIu64 "]", p->offset / row);
		p->offset %= row;
	} while (!dwarf_siblingof(&range, &range));
	p->type = element;
	return true;
}

/* Whether the offset lies in this member or base; then how far from there. */
static bool covers(Dwarf_Die *member, uint64_t offset, Dwarf_Die *type,
		   uint64_t *rest)
{
	Dwarf_Attribute attr;
	Dwarf_Word start, size;

	if (!dwarf_attr(member, DW_AT_data_member_location, &attr) ||
	    dwarf_formudata(&attr, &start) || !type_of(member, type) ||
	    dwarf_aggregate_size(type, &size))
		return false;
	*rest = offset - start;
	return offset >= start && offset - start < size;
}

/*
 * Names that begin with an underscore are the insides of somebody's type:
 * pthread_mutex_t, std::mutex. There the name ends.
 */
static bool enter_struct(struct part *p)
{
	Dwarf_Die member, type;
	uint64_t rest;

	if (dwarf_child(&p->type, &member))
		return false;
	do {
		int tag = dwarf_tag(&member);
		const char *name = dwarf_diename(&member);

		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
		    !covers(&member, p->offset, &type, &rest))
			continue;
		if (tag == DW_TAG_member && name) {
			if (name[0] == '_' && !p->is_thorough)
				return false;
			add_text(p, ".%s", name);
		}
		p->type = type;
		p->offset = rest;
		return true;
	} while (!dwarf_siblingof(&member, &member));
	return false;
}

static void add_parts(struct part *p)
{
	bool goes_on = true;

	for (int depth = 0; goes_on && depth < MAX_DEPTH; depth++) {
		if (p->stop && !p->offset &&
		    dwarf_dieoffset(&p->type) == p->stop)
			break;
		switch (dwarf_tag(&p->type)) {
		case DW_TAG_array_type:
			goes_on = enter_array(p);
			break;
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
			goes_on = enter_struct(p);
			break;
		default:
			goes_on = false;
		}
	}
}

static struct variable *find_variable(struct symbols *s, Dwfl_Module *module,
				      uint64_t start)
{
	struct symbols_variables *v = index_of(s, module);
	struct variable key = { .addr = start };

	if (!v || !v->nr)
		return NULL;
	return bsearch(&key, v->variable, v->nr, sizeof(*v->variable),
		       by_address);
}

/* ---------------------------------------------------------------- atomic */

/* A member function's name begins with its class; a class's own needs this. */
static bool is_atomic_class(Dwarf_Die *type)
{
	Dwarf_Die *scopes = NULL;
	const char *name = dwarf_diename(type);
	bool found = false, is_std = false;
	char full[160];
	int nr;

	if (!name)
		return false;
	nr = dwarf_getscopes_die(type, &scopes);
	for (int i = 1; i < nr && !is_std; i++) {
		const char *scope = dwarf_diename(&scopes[i]);

		is_std = dwarf_tag(&scopes[i]) == DW_TAG_namespace && scope &&
			 !strcmp(scope, "std");
	}
	free(scopes);
	if (is_std) {
		snprintf(full, sizeof(full), "std::%s", name);
		found = symbols__is_atomic_name(full);
	}
	return found;
}

/*
 * Whether the declared type has that qualifier; others and typedefs are taken
 * off one by one.
 */
static bool is_declared(Dwarf_Die *die, int qualifier)
{
	Dwarf_Die type = *die;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		Dwarf_Attribute attr;

		if (!dwarf_attr_integrate(&type, DW_AT_type, &attr) ||
		    !dwarf_formref_die(&attr, &type))
			return false;
		if (dwarf_tag(&type) == qualifier)
			return true;
		switch (dwarf_tag(&type)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_atomic_type:
		case DW_TAG_array_type:
			break;
		default:
			return false;
		}
	}
	return false;
}

/* The member or base that the part lies in, in *member. */
static bool find_member(struct part *p, Dwarf_Die *member)
{
	Dwarf_Die type;
	uint64_t rest;

	if (dwarf_child(&p->type, member))
		return false;
	do {
		int tag = dwarf_tag(member);

		if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) &&
		    covers(member, p->offset, &type, &rest)) {
			p->type = type;
			p->offset = rest;
			return true;
		}
	} while (!dwarf_siblingof(member, member));
	return false;
}

static bool is_part_declared(Dwarf_Die *variable, struct part *p,
			     int qualifier)
{
	Dwarf_Die die = *variable;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (is_declared(&die, qualifier))
			return true;
		switch (dwarf_tag(&p->type)) {
		case DW_TAG_array_type:
			die = p->type;
			if (!enter_array(p))
				return false;
			break;
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			if (qualifier == DW_TAG_atomic_type &&
			    is_atomic_class(&p->type))
				return true;
			if (!find_member(p, &die))
				return false;
			break;
		default:
			return false;
		}
	}
	return false;
}

/* ---------------------------------------------------------------- symbol */

/* gcc names a function's static variable `lock.1234`; nobody wrote that. */
static void drop_suffix(char *name)
{
	char *dot = strrchr(name, '.');

	if (!dot || dot == name || !dot[1])
		return;
	for (const char *p = dot + 1; *p; p++)
		if (!isdigit((unsigned char)*p))
			return;
	*dot = '\0';
}

/* The data symbol around addr; NULL: there is none. */
static const char *data_symbol(Dwfl_Module *module, uint64_t addr,
			       uint64_t *offset)
{
	GElf_Off distance = 0;
	GElf_Sym sym;
	const char *name;

	name = dwfl_module_addrinfo(module, addr, &distance, &sym, NULL, NULL,
				    NULL);
	if (!name || GELF_ST_TYPE(sym.st_info) == STT_FUNC ||
	    GELF_ST_TYPE(sym.st_info) == STT_GNU_IFUNC)
		return NULL;
	if (distance && distance >= sym.st_size)
		return NULL;
	*offset = distance;
	return name;
}

/* Down to the part at addr, or to where it is of the type `stop`. */
static bool name_variable(struct symbols *s, uint64_t addr, Dwarf_Off stop,
			  char *text, size_t bytes)
{
	Dwfl_Module *module = s ? dwfl_addrmodule(s->dwfl, addr) : NULL;
	struct part part = { .text = text, .bytes = bytes, .stop = stop };
	struct variable *variable;
	const char *name, *plain = NULL;

	name = module ? data_symbol(module, addr, &part.offset) : NULL;
	if (!name)
		return false;
	variable = find_variable(s, module, addr - part.offset);
	if (variable)
		plain = symbols__die_name(s, &variable->die);
	if (!plain)
		plain = symbols__keep_demangled(s, name);
	snprintf(text, bytes, "%s", plain ? plain : name);
	drop_suffix(text);
	if (variable && type_of(&variable->die, &part.type))
		add_parts(&part);
	if (part.offset)
		add_text(&part, "+%" PRIu64, part.offset);
	return true;
}

bool symbols_variable(struct symbols *s, uint64_t addr, char *text,
		      size_t bytes)
{
	return name_variable(s, addr, 0, text, bytes);
}

bool symbols__pointed(struct symbols *s, Dwarf_Die *pointer, uint64_t addr,
		      char *text, size_t bytes)
{
	Dwarf_Die type;
	Dwarf_Off stop = type_of(pointer, &type) ? dwarf_dieoffset(&type) : 0;

	return name_variable(s, addr, stop, text, bytes);
}

static bool is_variable_declared(struct symbols *s, uint64_t addr,
				 int qualifier)
{
	Dwfl_Module *module = s ? dwfl_addrmodule(s->dwfl, addr) : NULL;
	char text[256] = "";
	struct part part = { .text = text, .bytes = sizeof(text) };
	struct variable *variable;

	if (!module || !data_symbol(module, addr, &part.offset))
		return false;
	variable = find_variable(s, module, addr - part.offset);
	return variable && type_of(&variable->die, &part.type) &&
	       is_part_declared(&variable->die, &part, qualifier);
}

bool symbols__is_atomic_variable(struct symbols *s, uint64_t addr)
{
	return is_variable_declared(s, addr, DW_TAG_atomic_type);
}

bool symbols_is_volatile(struct symbols *s, uint64_t addr)
{
	return is_variable_declared(s, addr, DW_TAG_volatile_type);
}

bool symbols__type_at(struct symbols *s, uint64_t addr, uint32_t size,
		      Dwarf_Die *type)
{
	Dwfl_Module *module = s ? dwfl_addrmodule(s->dwfl, addr) : NULL;
	char text[256] = "";
	struct part part = {
		.text = text, .bytes = sizeof(text), .is_thorough = true,
	};
	struct variable *variable;
	Dwarf_Word bytes;

	if (!module || !data_symbol(module, addr, &part.offset))
		return false;
	variable = find_variable(s, module, addr - part.offset);
	if (!variable || !type_of(&variable->die, &part.type))
		return false;
	add_parts(&part);
	*type = part.type;
	return !part.offset && !dwarf_aggregate_size(type, &bytes) &&
	       bytes == size;
}
