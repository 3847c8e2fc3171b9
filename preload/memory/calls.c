/* SPDX-License-Identifier: MIT */
/*
 * calls.c - memory that functions of the C library access for the program.
 *
 * The C library is never patched, but a memcpy() of a record tears as moves do,
 * and free() takes a block from under its readers. So the place of such a call
 * is a site, and what the callee reads and writes are its accesses: they feed
 * the detector, and once they are known to matter they are operations, a copy
 * one for each of its parts.
 *
 * Calls of watched modules only: their slots in the global offset table are
 * made to point here, by the zygote. free() and realloc() come from
 * interpose_alloc.c. Sites are found by the return address; they are numbered
 * as they are met, behind those of instructions (CONTROL_FIRST_CALL).
 *
 * Context: like an interposed function. It may not return to a caller with
 * other memory than the callee would leave.
 */
#include "preload/memory/access.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <linux/mman.h>

#include "preload/core/notes.h"
#include "preload/memory/calls.h"
#include "preload/memory/freed.h"

#define NR_KNOWN 4096u		/* a power of two */
#define NR_PROBES 16u
#define NOT_WATCHED UINT32_MAX
#define MAX_BYTES 512u		/* of one access that the detector sees */
#define NR_PARTS 8u		/* of a copy, as operations */
#define PART_MIN 8u

/* ------------------------------------------------------------- the sites */

/* Private memory; the zygote's knowledge comes with the fork. */
static struct {
	uint64_t pc;		/* inside the call; 0: free */
	uint32_t call;		/* number, or NOT_WATCHED */
} known[NR_KNOWN];
static uint32_t nr_taken;	/* calls that known[] has */

static uint32_t first_slot(uint64_t pc)
{
	return (uint32_t)((pc * 0x9e3779b97f4a7c15ull) >> 40);
}

/* The entry for pc, or the free one where it belongs; NR_KNOWN: no room. */
static uint32_t find(uint64_t pc)
{
	for (uint32_t i = 0; i < NR_PROBES; i++) {
		uint32_t slot = (first_slot(pc) + i) & (NR_KNOWN - 1);

		if (known[slot].pc == pc || !known[slot].pc)
			return slot;
	}
	return NR_KNOWN;
}

static bool has_sites(uint64_t start, uint64_t end)
{
	const struct control *c = runtime_control;
	uint32_t low = control_find_site(c, start);

	return low < c->nr_access && c->access[low].addr < end;
}

static bool is_watched(uint64_t pc)
{
	const struct control *c = runtime_control;

	for (uint32_t i = 0; i < c->nr_modules; i++) {
		const struct control_module *m = &c->module[i];

		if (pc >= m->start && pc < m->end)
			return has_sites(m->start, m->end);
	}
	return false;
}

void calls_refresh(void)
{
	const struct control *c = runtime_control;

	for (; nr_taken < c->nr_calls; nr_taken++) {
		uint64_t pc = c->access[control_call_site(nr_taken, 0)].addr;
		uint32_t slot = find(pc);

		if (slot == NR_KNOWN)
			continue;
		known[slot].pc = pc;
		known[slot].call = nr_taken;
	}
}

static uint32_t add_call(uint64_t pc)
{
	struct control *c = runtime_control;

	if (c->nr_calls == CONTROL_MAX_CALLS || !is_watched(pc))
		return NOT_WATCHED;
	control_add_call(c, pc);
	return c->nr_calls - 1;
}

/* What the zygote knew may have another number in this run. */
static bool has_number(uint32_t call, uint64_t pc)
{
	const struct control *c = runtime_control;

	return call == NOT_WATCHED ||
	       (call < c->nr_calls &&
		c->access[control_call_site(call, 0)].addr == pc);
}

/* The number of the call at pc in this run; or NOT_WATCHED. */
static uint32_t number(uint64_t pc)
{
	const struct control *c = runtime_control;

	for (uint32_t i = 0; i < c->nr_calls; i++)
		if (has_number(i, pc))
			return i;
	return add_call(pc);
}

/* The site of the call that returns to `ra`, of its reads; or NOT_WATCHED. */
static uint32_t site_of(uint64_t ra)
{
	uint64_t pc = ra - 1;
	uint32_t slot = find(pc);

	if (slot == NR_KNOWN)
		return NOT_WATCHED;
	if (!known[slot].pc || !has_number(known[slot].call, pc)) {
		known[slot].call = number(pc);
		known[slot].pc = pc;
	}
	if (known[slot].call == NOT_WATCHED)
		return NOT_WATCHED;
	return control_call_site(known[slot].call, 0);
}

/* ---------------------------------------------------------- the accesses */

static bool is_live(uint32_t site)
{
	return runtime_control->access_state[site] & CONTROL_ACCESS_LIVE;
}

static void stop_at(uint32_t site, bool is_write, const void *p, uint64_t bytes)
{
	if (is_live(site + is_write))
		access_point_of_call(is_write ? EXPLORE_OP_MEMORY_WRITE :
						EXPLORE_OP_MEMORY_READ,
				     (uintptr_t)p,
				     (uint32_t)(bytes < MAX_BYTES ? bytes :
								    MAX_BYTES),
				     site + is_write);
}

static void note(uint32_t site, bool is_write, const void *p, uint64_t bytes)
{
	uint64_t nr = bytes < MAX_BYTES ? bytes : MAX_BYTES;

	if (bytes)
		access_of_call((uintptr_t)p, (uint32_t)nr,
			       site + is_write,
			       is_write ? RACES_WRITE : RACES_READ);
}

static void touch(uint32_t site, bool is_write, const void *p, uint64_t bytes)
{
	if (!bytes)
		return;
	stop_at(site, is_write, p, bytes);
	note(site, is_write, p, bytes);
}

/*
 * Begin with a call: the site of its reads, or NOT_WATCHED. `frame` is that of
 * the function that stands in for the callee: the caller's rbp, then where it
 * returns to. Its other registers may have changed since; to find the frames
 * above, these are what matters.
 */
static uint32_t enter(const uint64_t *frame)
{
	struct control_task *k;
	uint32_t site;

	if (runtime_mode != RUNTIME_CONTROLLED || !order_is_on ||
	    runtime_control->scheduler.nr_tasks == 1)
		return NOT_WATCHED;
	site = site_of(frame[1]);
	if (site == NOT_WATCHED)
		return site;
	values_settle();
	k = core_self();
	k->reg_ip = frame[1] - 1;
	k->reg_sp = (uintptr_t)(frame + 2);
	k->reg_bp = frame[0];
	return site;
}

static void leave(void)
{
	if (signals_are_due())
		sys_trap_self(SYS_NR_DELIVER);
}

void calls_write(const uint64_t *frame, const void *p, uint64_t bytes)
{
	uint32_t site = enter(frame);

	if (site == NOT_WATCHED)
		return;
	touch(site, true, p, bytes);
	leave();
}

void calls_free(const uint64_t *frame, const void *p, const char *what)
{
	uint64_t bytes = blocks_bytes((uintptr_t)p);
	uint32_t site = bytes ? enter(frame) : NOT_WATCHED;

	if (site != NOT_WATCHED)
		stop_at(site, true, p, bytes);
	if (site != NOT_WATCHED && is_live(site + 1))
		notes_free((uintptr_t)p, blocks_pc((uintptr_t)p));
	freed_check(what, (uintptr_t)p, blocks_caller(frame[1], frame + 2));
	if (site == NOT_WATCHED)
		return;
	note(site, true, p, bytes);
	leave();
}

static void read_at(const uint64_t *frame, const void *p, uint64_t bytes)
{
	uint32_t site = enter(frame);

	if (site == NOT_WATCHED)
		return;
	touch(site, false, p, bytes);
	leave();
}

/* We are compiled with frame pointers. */
#define FRAME ((const uint64_t *)__builtin_frame_address(0))

/* ------------------------------------------------------ the real functions */

#define FUNCTIONS(X)							\
	X(memcpy, void *, (void *, const void *, size_t))		\
	X(memmove, void *, (void *, const void *, size_t))		\
	X(mempcpy, void *, (void *, const void *, size_t))		\
	X(memset, void *, (void *, int, size_t))			\
	X(memcmp, int, (const void *, const void *, size_t))		\
	X(bcmp, int, (const void *, const void *, size_t))		\
	X(memchr, void *, (const void *, int, size_t))			\
	X(strlen, size_t, (const char *))				\
	X(strnlen, size_t, (const char *, size_t))			\
	X(strcpy, char *, (char *, const char *))			\
	X(stpcpy, char *, (char *, const char *))			\
	X(strncpy, char *, (char *, const char *, size_t))		\
	X(strcat, char *, (char *, const char *))			\
	X(strncat, char *, (char *, const char *, size_t))		\
	X(strcmp, int, (const char *, const char *))			\
	X(strncmp, int, (const char *, const char *, size_t))		\
	X(strchr, char *, (const char *, int))				\
	X(strrchr, char *, (const char *, int))				\
	X(strstr, char *, (const char *, const char *))			\
	X(strdup, char *, (const char *))				\
	X(strndup, char *, (const char *, size_t))			\
	X(__memcpy_chk, void *, (void *, const void *, size_t, size_t))	\
	X(__memmove_chk, void *, (void *, const void *, size_t, size_t)) \
	X(__mempcpy_chk, void *, (void *, const void *, size_t, size_t)) \
	X(__memset_chk, void *, (void *, int, size_t, size_t))		\
	X(__strcpy_chk, char *, (char *, const char *, size_t))		\
	X(__stpcpy_chk, char *, (char *, const char *, size_t))		\
	X(__strncpy_chk, char *, (char *, const char *, size_t, size_t)) \
	X(__strcat_chk, char *, (char *, const char *, size_t))		\
	X(__strncat_chk, char *, (char *, const char *, size_t, size_t))

static struct {
#define SLOT(name, type, args) type (*name) args;
	FUNCTIONS(SLOT)
#undef SLOT
} next;

/* ------------------------------------------------------------------ copies */

/* Bytes of the part at `done` of a copy of n, when its parts are told apart. */
static size_t part_of(size_t n, size_t done)
{
	size_t part = (n / NR_PARTS + PART_MIN - 1) & ~(size_t)(PART_MIN - 1);

	if (part < PART_MIN)
		part = PART_MIN;
	return n - done < part ? n - done : part;
}

static bool overlap(const void *a, const void *b, size_t n)
{
	return (uintptr_t)a - (uintptr_t)b < n ||
	       (uintptr_t)b - (uintptr_t)a < n;
}

static void copy(const uint64_t *frame, void *to, const void *from, size_t n)
{
	uint32_t site = enter(frame);
	size_t part = n, done = 0;

	if (site == NOT_WATCHED || !n) {
		next.memmove(to, from, n);
		return;
	}
	do {
		if ((is_live(site) || is_live(site + 1)) &&
		    !overlap(to, from, n))
			part = part_of(n, done);
		touch(site, false, (const char *)from + done, part);
		touch(site, true, (char *)to + done, part);
		next.memmove((char *)to + done, (const char *)from + done,
			     part);
		done += part;
	} while (done < n);
	leave();
}

static void fill(const uint64_t *frame, void *to, int byte, size_t n)
{
	uint32_t site = enter(frame);
	size_t part = n, done = 0;

	if (site == NOT_WATCHED || !n) {
		next.memset(to, byte, n);
		return;
	}
	do {
		if (is_live(site + 1))
			part = part_of(n, done);
		touch(site, true, (char *)to + done, part);
		next.memset((char *)to + done, byte, part);
		done += part;
	} while (done < n);
	leave();
}

static void *call_memcpy(void *to, const void *from, size_t n)
{
	copy(FRAME, to, from, n);
	return to;
}

static void *call_memmove(void *to, const void *from, size_t n)
{
	copy(FRAME, to, from, n);
	return to;
}

static void *call_mempcpy(void *to, const void *from, size_t n)
{
	copy(FRAME, to, from, n);
	return (char *)to + n;
}

static void *call_memset(void *to, int byte, size_t n)
{
	fill(FRAME, to, byte, n);
	return to;
}

/* With too small an object the real one tells, and does not return. */
static void *call___memcpy_chk(void *to, const void *from, size_t n,
			       size_t room)
{
	if (n > room)
		return next.__memcpy_chk(to, from, n, room);
	copy(FRAME, to, from, n);
	return to;
}

static void *call___memmove_chk(void *to, const void *from, size_t n,
				size_t room)
{
	if (n > room)
		return next.__memmove_chk(to, from, n, room);
	copy(FRAME, to, from, n);
	return to;
}

static void *call___mempcpy_chk(void *to, const void *from, size_t n,
				size_t room)
{
	if (n > room)
		return next.__mempcpy_chk(to, from, n, room);
	copy(FRAME, to, from, n);
	return (char *)to + n;
}

static void *call___memset_chk(void *to, int byte, size_t n, size_t room)
{
	if (n > room)
		return next.__memset_chk(to, byte, n, room);
	fill(FRAME, to, byte, n);
	return to;
}

/* ----------------------------------------------------------------- strings */

/*
 * The string's bytes up to its end, at most n. Where it is an operation, it is
 * one for the whole string; who copies it copies what it is then.
 */
static size_t read_string(const uint64_t *frame, const char *s, size_t n)
{
	uint32_t site = enter(frame);
	size_t bytes;

	if (site == NOT_WATCHED)
		return next.strnlen(s, n);
	stop_at(site, false, s, 1);
	bytes = next.strnlen(s, n);
	note(site, false, s, bytes + (bytes < n));
	leave();
	return bytes;
}

/* Up to the first difference, or the end of both. */
static size_t common(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] && a[i] == b[i])
		i++;
	return i < n ? i + 1 : i;
}

static void read_both(const uint64_t *frame, const void *a, const void *b,
		      size_t n, bool is_string)
{
	uint32_t site = enter(frame);

	if (site == NOT_WATCHED || !n)
		return;
	stop_at(site, false, a, 1);
	stop_at(site, false, b, 1);
	if (is_string)
		n = common(a, b, n);
	note(site, false, a, n);
	note(site, false, b, n);
	leave();
}

/* Returns its end. */
static char *append(const uint64_t *frame, char *to, const char *from, size_t n)
{
	size_t bytes = read_string(frame, from, n);

	/* The source may have changed, as it may for the real ones. */
	copy(frame, to, from, bytes);
	fill(frame, to + bytes, 0, 1);
	return to + bytes;
}

static char *call_strcpy(char *to, const char *from)
{
	append(FRAME, to, from, SIZE_MAX);
	return to;
}

static char *call_stpcpy(char *to, const char *from)
{
	return append(FRAME, to, from, SIZE_MAX);
}

static void fill_up(const uint64_t *frame, char *to, const char *from, size_t n)
{
	size_t bytes = read_string(frame, from, n);

	copy(frame, to, from, bytes);
	fill(frame, to + bytes, 0, n - bytes);
}

static char *call_strncpy(char *to, const char *from, size_t n)
{
	fill_up(FRAME, to, from, n);
	return to;
}

static char *call_strcat(char *to, const char *from)
{
	size_t used = read_string(FRAME, to, SIZE_MAX);

	append(FRAME, to + used, from, SIZE_MAX);
	return to;
}

static char *call_strncat(char *to, const char *from, size_t n)
{
	size_t used = read_string(FRAME, to, SIZE_MAX);

	append(FRAME, to + used, from, n);
	return to;
}

static char *call___strcpy_chk(char *to, const char *from, size_t room)
{
	if (next.strlen(from) >= room)
		return next.__strcpy_chk(to, from, room);
	append(FRAME, to, from, SIZE_MAX);
	return to;
}

static char *call___stpcpy_chk(char *to, const char *from, size_t room)
{
	if (next.strlen(from) >= room)
		return next.__stpcpy_chk(to, from, room);
	return append(FRAME, to, from, SIZE_MAX);
}

static char *call___strncpy_chk(char *to, const char *from, size_t n,
				size_t room)
{
	if (n > room)
		return next.__strncpy_chk(to, from, n, room);
	fill_up(FRAME, to, from, n);
	return to;
}

static char *call___strcat_chk(char *to, const char *from, size_t room)
{
	size_t used = read_string(FRAME, to, SIZE_MAX);

	if (used + next.strlen(from) >= room)
		return next.__strcat_chk(to, from, room);
	append(FRAME, to + used, from, SIZE_MAX);
	return to;
}

static char *call___strncat_chk(char *to, const char *from, size_t n,
				size_t room)
{
	size_t used = read_string(FRAME, to, SIZE_MAX);

	if (used + next.strnlen(from, n) >= room)
		return next.__strncat_chk(to, from, n, room);
	append(FRAME, to + used, from, n);
	return to;
}

static size_t call_strlen(const char *s)
{
	return read_string(FRAME, s, SIZE_MAX);
}

static size_t call_strnlen(const char *s, size_t n)
{
	return read_string(FRAME, s, n);
}

static int call_strcmp(const char *a, const char *b)
{
	read_both(FRAME, a, b, SIZE_MAX, true);
	return next.strcmp(a, b);
}

static int call_strncmp(const char *a, const char *b, size_t n)
{
	read_both(FRAME, a, b, n, true);
	return next.strncmp(a, b, n);
}

static int call_memcmp(const void *a, const void *b, size_t n)
{
	read_both(FRAME, a, b, n, false);
	return next.memcmp(a, b, n);
}

static int call_bcmp(const void *a, const void *b, size_t n)
{
	read_both(FRAME, a, b, n, false);
	return next.bcmp(a, b, n);
}

static void *call_memchr(const void *p, int byte, size_t n)
{
	const char *found = next.memchr(p, byte, n);

	/* rawmemchr() by another name has no end. */
	if (found)
		n = (size_t)(found - (const char *)p) + 1;
	read_at(FRAME, p, n);
	return next.memchr(p, byte, n);
}

static char *call_strchr(const char *s, int byte)
{
	read_string(FRAME, s, SIZE_MAX);
	return next.strchr(s, byte);
}

static char *call_strrchr(const char *s, int byte)
{
	read_string(FRAME, s, SIZE_MAX);
	return next.strrchr(s, byte);
}

static char *call_strstr(const char *s, const char *what)
{
	read_string(FRAME, s, SIZE_MAX);
	return next.strstr(s, what);
}

static char *call_strdup(const char *s)
{
	read_string(FRAME, s, SIZE_MAX);
	return next.strdup(s);
}

static char *call_strndup(const char *s, size_t n)
{
	read_string(FRAME, s, n);
	return next.strndup(s, n);
}

/* ------------------------------------------------------------ installation */

static const struct {
	const char *name;
	void *call;
	void **next;
} function[] = {
#define ROW(name, type, args) \
	{ #name, (void *)(uintptr_t)call_##name, (void **)&next.name },
	FUNCTIONS(ROW)
#undef ROW
};

#define NR_FUNCTIONS (sizeof(function) / sizeof(function[0]))

struct module {
	uint64_t bias;
	const Elf64_Sym *symbol;
	const char *names;
	const Elf64_Rela *rela[2];	/* DT_RELA, DT_JMPREL */
	uint64_t rela_bytes[2];
	uint64_t relro, relro_end;
};

/* The dynamic linker has made addresses of the offsets, save in the vDSO. */
static void read_dynamic(struct module *m, const Elf64_Dyn *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		const void *p = (const void *)d->d_un.d_ptr;

		switch (d->d_tag) {
		case DT_SYMTAB:
			m->symbol = p;
			break;
		case DT_STRTAB:
			m->names = p;
			break;
		case DT_RELA:
			m->rela[0] = p;
			break;
		case DT_RELASZ:
			m->rela_bytes[0] = d->d_un.d_val;
			break;
		case DT_JMPREL:
			m->rela[1] = p;
			break;
		case DT_PLTRELSZ:
			m->rela_bytes[1] = d->d_un.d_val;
			break;
		default:
			break;
		}
	}
}

static void write_slot(const struct module *m, uint64_t slot, void *value)
{
	uint64_t page = slot & ~4095ull;
	bool is_relro = slot >= m->relro && slot < m->relro_end;

	/* Others are in data, whose pages may be executable, too. */
	if (is_relro &&
	    sys_call3(__NR_mprotect, page, 4096, 3 /* read, write */) < 0)
		return;
	*(void **)(uintptr_t)slot = value;
	if (is_relro)
		sys_call3(__NR_mprotect, page, 4096, 1 /* read */);
}

static void redirect(const struct module *m, const Elf64_Rela *r)
{
	const Elf64_Sym *symbol = &m->symbol[ELF64_R_SYM(r->r_info)];
	uint32_t type = (uint32_t)ELF64_R_TYPE(r->r_info);

	if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
	    symbol->st_shndx != SHN_UNDEF)
		return;
	for (size_t i = 0; i < NR_FUNCTIONS; i++)
		if (*function[i].next &&
		    core_streq(m->names + symbol->st_name, function[i].name))
			write_slot(m, m->bias + r->r_offset, function[i].call);
}

static int redirect_module(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	struct module m = { .bias = info->dlpi_addr };
	const Elf64_Dyn *dynamic = NULL;
	bool is_in_scope = false;

	(void)bytes;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *p = &info->dlpi_phdr[i];
		uint64_t start = m.bias + p->p_vaddr;

		if (p->p_type == PT_DYNAMIC)
			dynamic = (const void *)(uintptr_t)start;
		else if (p->p_type == PT_LOAD && p->p_flags & PF_X)
			is_in_scope |= has_sites(start, start + p->p_memsz);
		if (p->p_type != PT_GNU_RELRO)
			continue;
		m.relro = start;
		m.relro_end = start + p->p_memsz;
	}
	if (!dynamic || !is_in_scope)
		return 0;
	read_dynamic(&m, dynamic);
	for (int i = 0; i < 2 && m.symbol && m.names; i++) {
		uint64_t nr = m.rela_bytes[i] / sizeof(**m.rela);

		for (uint64_t k = 0; k < nr; k++)
			redirect(&m, &m.rela[i][k]);
	}
	return 0;
}

void calls_install(void)
{
	/* Without these nothing above works; every C library has them. */
	for (size_t i = 0; i < NR_FUNCTIONS; i++)
		*function[i].next = dlsym(RTLD_DEFAULT, function[i].name);
	if (next.memmove && next.memset && next.strlen && next.strnlen)
		dl_iterate_phdr(redirect_module, NULL);
}
