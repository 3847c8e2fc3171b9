/* SPDX-License-Identifier: MIT */
/*
 * elements.c - string instructions, element by element.
 *
 * The processor may be interrupted between two elements of a `rep movsb`, and
 * other cores see what it has moved so far. So when a site of a string
 * instruction is live, its elements are operations of their own: the hook
 * moves them itself, in front of the instruction, and advances rcx, rsi and
 * rdi as the processor would. The instruction then executes what is left,
 * which may be nothing. An element that cannot be accessed is left to it as
 * well, so a fault comes where it belongs, with the registers it belongs to.
 * Comparisons advance over elements that do not end them; the last one is
 * compared by the instruction, which sets the flags.
 *
 * The first MAX_ELEMENTS of one execution are operations each; what is behind
 * them is one. A site that is not live is one access, and costs no more.
 */
#include "preload/memory/access.h"

#define MAX_ELEMENTS 16u

enum string_opcode {	/* of bytes; the next one is of words and longer */
	STRING_MOVS = 0xa4,
	STRING_CMPS = 0xa6,
	STRING_STOS = 0xaa,
	STRING_LODS = 0xac,
	STRING_SCAS = 0xae,
};

struct string {
	struct access_frame *f;
	uint32_t site;		/* the first of the instruction */
	uint32_t size;		/* of an element */
	uint8_t opcode;
	bool is_rep;
	bool is_repne;
};

/* What the second hook of an instruction has to do. */
enum rest {
	REST_HOOK,		/* as usual */
	REST_RUN,		/* nothing: the first one did it */
	REST_SKIP,		/* nor is the instruction to be executed */
};

static uint8_t rest_of[SCHED_MAX_TASKS];

static bool is_two_sites(const struct string *s)
{
	return s->opcode == STRING_MOVS || s->opcode == STRING_CMPS;
}

static bool is_comparison(const struct string *s)
{
	return s->opcode == STRING_CMPS || s->opcode == STRING_SCAS;
}

static struct string decode(uint32_t site, struct access_frame *f)
{
	const struct instrument_site *i = &runtime_control->access[site];
	const uint8_t *code = i->original + i->lead;
	struct string s = {
		.f = f,
		.site = site,
		.size = i->size,
		.is_rep = i->flags & INSTRUMENT_REP,
	};

	/* Prefixes up to the opcode; the last of these two counts. */
	for (uint32_t n = 0; n < i->length; n++) {
		if (code[n] == 0xf2)
			s.is_repne = true;
		if (code[n] == 0xf3)
			s.is_repne = false;
	}
	s.opcode = code[i->length - 1] & 0xfe;
	return s;
}

/* ------------------------------------------------------------- elements */

static bool peek(uint64_t addr, uint32_t size, uint64_t *value)
{
	void *at = (void *)(uintptr_t)addr;

	*value = 0;
	switch (size) {
	case 1:
		return sys_load8(at, value);
	case 2:
		return sys_load16(at, value);
	case 4:
		return sys_load32(at, (uint32_t *)value);
	default:
		return sys_load64(at, value);
	}
}

static bool poke(uint64_t addr, uint32_t size, uint64_t value)
{
	void *at = (void *)(uintptr_t)addr;

	switch (size) {
	case 1:
		return sys_store8(at, value);
	case 2:
		return sys_store16(at, value);
	case 4:
		return sys_store32(at, (uint32_t)value);
	default:
		return sys_store64(at, value);
	}
}

static uint64_t low_bytes(uint64_t value, uint32_t size)
{
	return size == 8 ? value : value & ((1ull << 8 * size) - 1);
}

static int64_t stride(const struct string *s)
{
	return s->f->flags & ACCESS_FLAGS_DF ? -(int64_t)s->size
					     : (int64_t)s->size;
}

static void advance(struct string *s)
{
	uint64_t by = (uint64_t)stride(s);

	if (s->opcode != STRING_STOS && s->opcode != STRING_SCAS)
		s->f->rsi += by;
	if (s->opcode != STRING_LODS)
		s->f->rdi += by;
	if (s->is_rep)
		s->f->rcx--;
}

/* Whether the comparison of a and b lets the instruction go on. */
static bool goes_on(const struct string *s, uint64_t a, uint64_t b)
{
	return (a == b) != s->is_repne;
}

static bool scan_one(const struct string *s, uint64_t rsi, uint64_t rdi)
{
	uint64_t a = low_bytes(s->f->rax, s->size), b;

	if (s->opcode == STRING_CMPS && !peek(rsi, s->size, &a))
		return false;
	return peek(rdi, s->size, &b) && goes_on(s, a, b);
}

/* Elements that one execution accesses, all of them. */
static uint64_t count(const struct string *s)
{
	uint64_t rsi = s->f->rsi, rdi = s->f->rdi, n = 0;

	if (!s->is_rep)
		return 1;
	if (!is_comparison(s))
		return s->f->rcx;
	while (n < s->f->rcx) {
		n++;
		if (!scan_one(s, rsi, rdi))
			break;
		rsi += (uint64_t)stride(s);
		rdi += (uint64_t)stride(s);
	}
	return n;
}

/* What is left as one access each, from `addr` on. */
static void access_rest(const struct string *s, uint32_t site, uint64_t addr)
{
	uint64_t bytes = count(s) * s->size;

	if (!bytes)
		return;
	if (bytes > UINT32_MAX)
		bytes = UINT32_MAX;
	if (stride(s) < 0)
		addr -= bytes - s->size;
	access_do(addr, (uint32_t)bytes, site, s->f);
}

/* The accesses of all that is left. */
static void access_all(const struct string *s)
{
	if (s->opcode == STRING_STOS || s->opcode == STRING_SCAS) {
		access_rest(s, s->site, s->f->rdi);
		return;
	}
	access_rest(s, s->site, s->f->rsi);
	if (is_two_sites(s))
		access_rest(s, s->site + 1, s->f->rdi);
}

static bool move_element(struct string *s)
{
	struct access_frame *f = s->f;
	uint64_t value = f->rax;

	if (s->opcode != STRING_STOS) {
		access_do(f->rsi, s->size, s->site, f);
		if (!peek(f->rsi, s->size, &value))
			return false;
	}
	if (s->opcode == STRING_LODS) {
		f->rax = s->size < 4 ? value | (f->rax & ~low_bytes(
							~0ull, s->size))
				     : value;
	} else {
		access_do(f->rdi, s->size,
			  s->site + (s->opcode == STRING_MOVS), f);
		if (!poke(f->rdi, s->size, value))
			return false;
	}
	advance(s);
	return true;
}

/* False when it is the last one: the instruction itself compares that. */
static bool compare_element(struct string *s)
{
	struct access_frame *f = s->f;

	if (s->opcode == STRING_CMPS)
		access_do(f->rsi, s->size, s->site, f);
	access_do(f->rdi, s->size, s->site + (s->opcode == STRING_CMPS), f);
	if (f->rcx == 1 || !scan_one(s, f->rsi, f->rdi))
		return false;
	advance(s);
	return true;
}

/* Live and repeated: what is to be done by the instruction is announced. */
static void live_elements(struct string *s)
{
	for (uint32_t n = 0; s->f->rcx; n++) {
		if (n == MAX_ELEMENTS) {
			access_all(s);
			return;
		}
		if (!(is_comparison(s) ? compare_element(s)
				       : move_element(s)))
			return;
	}
}

/*
 * Called for each access of a string instruction. The read of a movs and its
 * write are operations of their own when they are live, so a single movs is
 * carried out here, too: the trampoline has a way around the instruction.
 */
static void take_elements(uint64_t addr, uint32_t site, struct access_frame *f)
{
	const struct instrument_site *i = &runtime_control->access[site];
	bool is_first = !site || i[-1].addr != i->addr;
	struct string s;

	if (!is_first && rest_of[runtime_self()] != REST_HOOK) {
		if (rest_of[runtime_self()] == REST_SKIP)
			f->return_address += INSTRUMENT_AROUND_BYTES;
		return;
	}
	s = decode(site, f);
	if (!access_is_live(site)) {
		rest_of[runtime_self()] = REST_HOOK;
		access_rest(&s, site, addr);
	} else if (s.is_rep) {
		live_elements(&s);
		rest_of[runtime_self()] = REST_RUN;
	} else if (s.opcode == STRING_MOVS) {
		rest_of[runtime_self()] = move_element(&s) ? REST_SKIP
							   : REST_RUN;
	} else {
		access_all(&s);
		rest_of[runtime_self()] = REST_RUN;
	}
}

void elements_hook(uint64_t addr, uint32_t site, struct access_frame *f)
{
	uint64_t *pushed = (uint64_t *)(uintptr_t)f->sp;

	take_elements(addr, site, f);
	/* The trampoline has these. */
	pushed[1] = f->return_address;
	pushed[2] = f->rsi;
	pushed[3] = f->rdi;
}
