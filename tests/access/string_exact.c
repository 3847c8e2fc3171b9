/* SPDX-License-Identifier: MIT */
/*
 * string_exact.c - string instructions do what the processor does
 *
 * Each instruction is there twice: in a function with unwind tables, which is
 * watched, and in one without, which is not. First two threads run the watched
 * ones over the same memory, so that their sites become live. Then both are run
 * from the same registers, flags and memory, and must leave the same ones; also
 * where they come to a page that cannot be accessed: a handler looks at the
 * registers in the middle of the instruction, and allows the access.
 */
#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/guests/guest.h"

#define PAGE ((uintptr_t)4096)
#define SHOWN 1024u	/* bytes around the middle of each half */

/* Offsets are known to the assembler below. */
struct machine {
	uint64_t rax, rcx, rsi, rdi, flags;
};

struct function {
	void (*watched)(struct machine *m);
	const char *watched_insn;
	void (*bare)(struct machine *m);
	const char *bare_insn;
	int64_t size;
	bool is_rep;
};

/* The function `name` around the instruction `text`. */
#define BODY(name, text, frame, end, push, pop)				\
	".text\n" name ":\n" frame "\tpush %rbx\n" push			\
	"\tmov %rdi, %rbx\n"						\
	"\tmov (%rbx), %rax\n\tmov 8(%rbx), %rcx\n"			\
	"\tmov 16(%rbx), %rsi\n\tmov 24(%rbx), %rdi\n"			\
	"\tpushq 32(%rbx)\n\tpopfq\n"					\
	name "_insn:\t" text "\n"					\
	"\tpushfq\n\tpopq 32(%rbx)\n\tcld\n"				\
	"\tmov %rax, (%rbx)\n\tmov %rcx, 8(%rbx)\n"			\
	"\tmov %rsi, 16(%rbx)\n\tmov %rdi, 24(%rbx)\n"			\
	"\tpop %rbx\n" pop "\tret\n" end

#define DEFINE(name, text)						\
	extern void watched_##name(struct machine *m);			\
	extern void bare_##name(struct machine *m);			\
	extern const char watched_##name##_insn[], bare_##name##_insn[];	\
	__asm__(BODY("watched_" #name, text, "\t.cfi_startproc\n",	\
		     "\t.cfi_endproc\n",					\
		     "\t.cfi_adjust_cfa_offset 8\n"			\
		     "\t.cfi_rel_offset %rbx, 0\n",			\
		     "\t.cfi_adjust_cfa_offset -8\n"			\
		     "\t.cfi_restore %rbx\n")				\
		BODY("bare_" #name, text, "", "", "", ""))

#define ROW(name, size, is_rep)						\
	{ watched_##name, watched_##name##_insn, bare_##name,		\
	  bare_##name##_insn, size, is_rep }

DEFINE(movsb, "movsb");
DEFINE(movsq, "movsq");
DEFINE(stosl, "stosl");
DEFINE(lodsw, "lodsw");
DEFINE(lodsl, "lodsl");
DEFINE(cmpsb, "cmpsb");
DEFINE(scasq, "scasq");
DEFINE(rep_movsb, "rep movsb");
DEFINE(rep_movsw, "rep movsw");
DEFINE(rep_movsl, "rep movsl");
DEFINE(rep_movsq, "rep movsq");
DEFINE(rep_stosb, "rep stosb");
DEFINE(rep_stosw, "rep stosw");
DEFINE(rep_stosl, "rep stosl");
DEFINE(rep_stosq, "rep stosq");
DEFINE(rep_lodsb, "rep lodsb");
DEFINE(rep_lodsw, "rep lodsw");
DEFINE(rep_lodsl, "rep lodsl");
DEFINE(rep_lodsq, "rep lodsq");
DEFINE(repe_cmpsb, "repe cmpsb");
DEFINE(repe_cmpsl, "repe cmpsl");
DEFINE(repne_cmpsw, "repne cmpsw");
DEFINE(repe_scasb, "repe scasb");
DEFINE(repne_scasb, "repne scasb");
DEFINE(repne_scasl, "repne scasl");
DEFINE(repe_scasq, "repe scasq");

static const struct function functions[] = {
	ROW(movsb, 1, false), ROW(movsq, 8, false), ROW(stosl, 4, false),
	ROW(lodsw, 2, false), ROW(lodsl, 4, false), ROW(cmpsb, 1, false),
	ROW(scasq, 8, false),
	ROW(rep_movsb, 1, true), ROW(rep_movsw, 2, true),
	ROW(rep_movsl, 4, true), ROW(rep_movsq, 8, true),
	ROW(rep_stosb, 1, true), ROW(rep_stosw, 2, true),
	ROW(rep_stosl, 4, true), ROW(rep_stosq, 8, true),
	ROW(rep_lodsb, 1, true), ROW(rep_lodsw, 2, true),
	ROW(rep_lodsl, 4, true), ROW(rep_lodsq, 8, true),
	ROW(repe_cmpsb, 1, true), ROW(repe_cmpsl, 4, true),
	ROW(repne_cmpsw, 2, true), ROW(repe_scasb, 1, true),
	ROW(repne_scasb, 1, true), ROW(repne_scasl, 4, true),
	ROW(repe_scasq, 8, true),
};

#define NR_FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* ---- one execution ---- */

/* Two pages to read from, then two to write to. */
static uint8_t memory[4 * PAGE] __attribute__((aligned(4096)));

struct fault {
	uint64_t addr, rax, rcx, rsi, rdi, offset;
};

struct result {
	struct machine m;
	struct fault fault;
	uint8_t from[SHOWN], to[SHOWN];
};

static struct fault *fault;
static const char *insn;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint8_t *page = (uint8_t *)((uintptr_t)info->si_addr & -PAGE);

	(void)signo;
	*fault = (struct fault){
		.addr = (uintptr_t)info->si_addr,
		.rax = (uint64_t)r[REG_RAX],
		.rcx = (uint64_t)r[REG_RCX],
		.rsi = (uint64_t)r[REG_RSI],
		.rdi = (uint64_t)r[REG_RDI],
		.offset = (uint64_t)r[REG_RIP] - (uintptr_t)insn,
	};
	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		abort();
}

/* What is found at the places that comparisons look at. */
static void fill_memory(unsigned int same)
{
	static uint8_t pattern[4][SHOWN];
	uint8_t *bytes = pattern[same % 4];

	for (unsigned int i = 0; i < SHOWN && !bytes[SHOWN - 1]; i++)
		bytes[i] = (uint8_t)(1 + i / same);
	memcpy(memory + 3 * PAGE - SHOWN / 2, bytes, SHOWN);
	/* The same in both, or what differs soon. */
	memcpy(memory + PAGE - SHOWN / 2 + (same < 7), bytes, SHOWN);
}

static void execute(const struct function *f, bool is_watched, struct machine m,
		    unsigned int same, uint8_t *closed, struct result *out)
{
	memset(out, 0, sizeof(*out));
	fill_memory(same);
	insn = is_watched ? f->watched_insn : f->bare_insn;
	fault = &out->fault;
	if (closed && mprotect(closed, PAGE, PROT_NONE))
		abort();
	(is_watched ? f->watched : f->bare)(&m);
	if (closed && mprotect(closed, PAGE, PROT_READ | PROT_WRITE))
		abort();
	out->m = m;
	memcpy(out->from, memory + PAGE - SHOWN / 2, SHOWN);
	memcpy(out->to, memory + 3 * PAGE - SHOWN / 2, SHOWN);
}

/* The same from both; `way`: which page is closed, which way it goes. */
static void compare(const struct function *f, uint64_t count,
		    unsigned int same, unsigned int way)
{
	static struct result watched, bare;
	bool is_down = way & 1;
	uint64_t ahead = f->size * 3 + 1;
	uint8_t *closed = way >> 1 == 1 ? memory + (is_down ? 0 : PAGE) :
			  way >> 1 == 2 ? memory + (is_down ? 2 : 3) * PAGE :
			  NULL;
	struct machine m = {
		.rax = 0x1122334455660000 + same,
		.rcx = count,
		.rsi = (uintptr_t)memory + PAGE,
		.rdi = (uintptr_t)memory + 3 * PAGE,
		.flags = 0x202 | (is_down ? 0x400 : 0) |
			 (count & 1 ? 0x8d5 : 0),
	};

	/* A few elements, then the end of the page; the last one crosses it. */
	m.rsi += is_down ? ahead : -ahead;
	m.rdi += is_down ? ahead : -ahead;
	execute(f, true, m, same, closed, &watched);
	execute(f, false, m, same, closed, &bare);
	assert(watched.m.rax == bare.m.rax);
	assert(watched.m.rcx == bare.m.rcx);
	assert(watched.m.rsi == bare.m.rsi);
	assert(watched.m.rdi == bare.m.rdi);
	assert(watched.m.flags == bare.m.flags);
	assert(!memcmp(&watched.fault, &bare.fault, sizeof(bare.fault)));
	assert(!memcmp(watched.from, bare.from, SHOWN));
	assert(!memcmp(watched.to, bare.to, SHOWN));
}

/* ---- all of them ---- */

static char racy[128];

static void *race(void *arg)
{
	for (unsigned int i = 0; i < NR_FUNCTIONS; i++) {
		struct machine m = {
			.rcx = 3,
			.rsi = (uintptr_t)racy,
			.rdi = (uintptr_t)racy + 8,
			.flags = 0x202,
		};

		functions[i].watched(&m);
	}
	return arg;
}

int main(void)
{
	static const uint64_t counts[] = { 0, 2, 19 };
	static const unsigned int sames[] = { 1, 7, 200 };
	struct sigaction sa = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO,
	};

	guest_run(2, race);
	sigaction(SIGSEGV, &sa, NULL);
	for (unsigned int i = 0; i < NR_FUNCTIONS; i++)
		for (unsigned int way = 0; way < 6; way++)
			for (unsigned int k = 0; k < 3; k++)
				compare(&functions[i], counts[k],
					sames[(i + k + way) % 3], way);
	return guest_ok();
}
