/* SPDX-License-Identifier: MIT */
/*
 * test_generated.c - run generated functions unpatched and patched, from the
 * same random registers, flags, vectors and memory, and compare all of them
 * afterwards. Faults must come at the same instruction in the same state.
 * What the hook was told (address, size, read or write) is compared with the
 * operand and with the memory that has changed.
 *
 *	test_generated GENERATED.so
 */
#include <Zydis/Zydis.h>
#include <cpuid.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/differential/apply.h"
#include "tests/differential/generated.h"
#include "tests/differential/machine.h"

#define BATCH 128
#define ROUNDS 3
#define ARENA_BYTES 8192
#define STACK_BYTES (256 << 10)
#define RED_ZONE 128
#define SHOWN_STACK 8192	/* compared, above the red zone */

#define RCX 1
#define RSP 4
#define RSI 6
#define RDI 7

struct memory {
	uint8_t arena[ARENA_BYTES];
	uint8_t block[GENERATED_BLOCK_BYTES];
	uint8_t stack[RED_ZONE + SHOWN_STACK];
};

struct result {
	uint64_t gpr[16];
	uint64_t flags;
	int fault;		/* signal, or 0 */
	uint64_t fault_addr;	/* of the instruction */
	uint8_t xsave[MACHINE_XSAVE_BYTES];
	struct memory memory;
};

static uint8_t arena[ARENA_BYTES] __attribute__((aligned(4096)));
static uint8_t stack[STACK_BYTES] __attribute__((aligned(4096)));
static uint8_t *block;
static uint64_t xsave_mask, xsave_bytes;
static ZydisDecoder decoder;
static struct applied applied;
static unsigned int nr_failures, nr_runs, nr_faults, nr_calls;

/* ---- state before ---- */

static uint64_t random_state;

static uint64_t rnd64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void fill(void *to, size_t bytes)
{
	uint8_t *p = to;

	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(rnd64() >> 24);
}

static uint8_t *stack_top(void)
{
	/* The function finds rsp at a multiple of 64. */
	return stack + STACK_BYTES / 2 + 8;
}

static void fill_vectors(void)
{
	uint8_t *x = machine_state.xsave;
	uint16_t control = 0x37f;
	uint32_t mxcsr = 0x1f80;

	memset(x, 0, sizeof(machine_state.xsave));
	memcpy(x, &control, sizeof(control));
	x[4] = 0xff;		/* all x87 registers in use */
	memcpy(x + 24, &mxcsr, sizeof(mxcsr));
	for (unsigned int i = 0; i < 8; i++)
		fill(x + 32 + 16 * i, 10);
	fill(x + 160, 256);
	memcpy(x + 512, &xsave_mask, sizeof(xsave_mask));
	fill(x + 576, xsave_bytes - 576);
	machine_state.xsave_mask = xsave_mask;
}

static uint64_t random_index(void)
{
	switch (rnd64() % 3) {
	case 0:
		return 0;
	case 1:
		return (rnd64() % 9 - 4) * 64;
	default:
		return rnd64() % 200 - 100;
	}
}

static void prepare(const struct generated *g, uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ULL + 0x1234567;
	for (unsigned int i = 0; i < 16; i++)
		rnd64();
	fill(arena, sizeof(arena));
	fill(block, GENERATED_BLOCK_BYTES);
	fill(stack_top() - 1024, SHOWN_STACK + 1024);
	fill(machine_state.gpr, sizeof(machine_state.gpr));
	fill_vectors();
	/* CF, PF, AF, ZF, SF, OF, and for string instructions DF */
	machine_state.flags = 0x202 | (rnd64() & 0x8d5);
	if (rnd64() % 2)
		machine_state.gpr[RCX] = rnd64() % 4;
	if (g->base == GENERATED_STRING) {
		machine_state.flags |= rnd64() & 0x400;
		machine_state.gpr[RCX] = rnd64() % 9;
		machine_state.gpr[RSI] = (uint64_t)arena + 2048 + rnd64() % 64;
		machine_state.gpr[RDI] = (uint64_t)arena + 4096 + rnd64() % 64;
	}
	machine_state.gpr[RSP] = (uint64_t)stack_top();
	if (g->base < 16 && g->base != RSP)
		machine_state.gpr[g->base] = (uint64_t)arena + 4096;
	if (g->index < 16)
		machine_state.gpr[g->index] = random_index();
	machine_state.call = (uint64_t)g->call;
}

/* ---- a run ---- */

static sigjmp_buf back;
static struct result *running;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	static const int order[16] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
		REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11,
		REG_R12, REG_R13, REG_R14, REG_R15,
	};
	const ucontext_t *uc = context;

	(void)info;
	if (!running) {
		signal(signo, SIG_DFL);
		return;
	}
	for (unsigned int i = 0; i < 16; i++)
		running->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[order[i]];
	/* RF is the processor's business. */
	running->flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL] & 0xcd5;
	running->fault = signo;
	running->fault_addr = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	static const int signos[] = { SIGSEGV, SIGILL, SIGFPE, SIGBUS };
	struct sigaction sa = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	stack_t ss = { .ss_size = 256 << 10 };

	ss.ss_sp = malloc(ss.ss_size);
	sigaltstack(&ss, NULL);
	for (size_t i = 0; i < sizeof(signos) / sizeof(*signos); i++)
		sigaction(signos[i], &sa, NULL);
}

static void take_memory(struct memory *to)
{
	memcpy(to->arena, arena, sizeof(to->arena));
	memcpy(to->block, block, sizeof(to->block));
	/* The first 8 bytes are the return address. */
	memcpy(to->stack, stack_top() - 8 - RED_ZONE, sizeof(to->stack));
}

static void run(const struct generated *g, uint64_t seed, struct result *out)
{
	memset(out, 0, sizeof(*out));
	prepare(g, seed);
	running = out;
	if (sigsetjmp(back, 0) == 0) {
		machine_run();
		memcpy(out->gpr, machine_state.gpr, sizeof(out->gpr));
		out->flags = machine_state.flags & 0xcd5;
		memcpy(out->xsave, machine_state.xsave, xsave_bytes);
		/* last x87 instruction and header: where, not what */
		memset(out->xsave + 6, 0, 18);
		memset(out->xsave + 512, 0, 64);
	} else {
		__asm__ volatile("fninit");
		__builtin_ia32_ldmxcsr(0x1f80);
	}
	running = NULL;
	take_memory(&out->memory);
}

/* ---- comparing ---- */

static void fail(const struct generated *g, const char *what, uint64_t one,
		 uint64_t two)
{
	const uint8_t *code = (const uint8_t *)g->call;
	Dl_info info = { 0 };

	dladdr((const void *)code, &info);
	nr_failures++;
	if (nr_failures > 40)
		return;
	printf("function %zu at file offset %#lx: %s: %#lx, then %#lx\n",
	       (size_t)(g - (const struct generated *)
			    dlsym(RTLD_DEFAULT, "generated_table")),
	       (unsigned long)(code - (const uint8_t *)info.dli_fbase), what,
	       (unsigned long)one, (unsigned long)two);
}

/* Where the instruction at `addr` comes from, if it was moved. */
static uint64_t original_of(uint64_t addr)
{
	const struct instrument_site *s = NULL;
	int place;

	for (uint32_t i = 0; i < applied.plan.nr_sites; i++)
		if (!applied.plan.site[i].is_second &&
		    applied.plan.site[i].trampoline <= addr)
			s = &applied.plan.site[i];
	if (!s || addr - (uint64_t)applied.code >= applied.plan.code_bytes)
		return addr;
	place = instrument_place((const uint8_t *)s->trampoline,
				 addr - s->trampoline);
	return s->addr - s->lead + (uint64_t)place;
}

static void compare_faults(const struct generated *g, const struct result *a,
			   const struct result *b)
{
	if (a->fault != b->fault) {
		fail(g, "signal", (uint64_t)a->fault, (uint64_t)b->fault);
		return;
	}
	if (!a->fault)
		return;
	nr_faults++;
	if (original_of(b->fault_addr) != a->fault_addr)
		fail(g, "place of the fault", a->fault_addr, b->fault_addr);
}

static void compare_bytes(const struct generated *g, const char *what,
			  const uint8_t *a, const uint8_t *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (a[i] == b[i])
			continue;
		printf("byte %zu: ", i);
		fail(g, what, a[i], b[i]);
		return;
	}
}

static void compare(const struct generated *g, const struct result *a,
		    const struct result *b)
{
	compare_faults(g, a, b);
	for (unsigned int i = 0; i < 16; i++)
		if (a->gpr[i] != b->gpr[i]) {
			printf("register %u: ", i);
			fail(g, "value", a->gpr[i], b->gpr[i]);
		}
	if (a->flags != b->flags)
		fail(g, "flags", a->flags, b->flags);
	compare_bytes(g, "vectors", a->xsave, b->xsave, sizeof(a->xsave));
	compare_bytes(g, "memory", a->memory.arena, b->memory.arena,
		      sizeof(a->memory.arena));
	compare_bytes(g, "block", a->memory.block, b->memory.block,
		      sizeof(a->memory.block));
	compare_bytes(g, "stack", a->memory.stack, b->memory.stack,
		      sizeof(a->memory.stack));
}

/* ---- what the hook was told ---- */

static uint64_t register_before(const struct machine_state *before,
				ZydisRegister reg)
{
	uint64_t value = before->gpr[ZydisRegisterGetId(reg) & 15];

	/* the return address is on the stack by then */
	return reg == ZYDIS_REGISTER_RSP ? value - 8 : value;
}

/* Where the operand of a site is, from the registers at the start. */
static uint64_t expected_address(const struct machine_state *before,
				 const struct instrument_site *s, bool is_rdi)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	uint64_t addr = 0;

	ZydisDecoderDecodeFull(&decoder, s->original + s->lead, s->length,
			       &insn, op);
	if (insn.meta.category == ZYDIS_CATEGORY_STRINGOP)
		return before->gpr[is_rdi ? RDI : RSI];
	for (unsigned int i = 0; i < insn.operand_count_visible; i++) {
		const ZydisDecodedOperandMem *mem = &op[i].mem;

		if (op[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		addr = (uint64_t)mem->disp.value;
		if (mem->base == ZYDIS_REGISTER_RIP)
			addr += s->addr + s->length;
		else if (mem->base != ZYDIS_REGISTER_NONE)
			addr += register_before(before, mem->base);
		if (mem->index != ZYDIS_REGISTER_NONE)
			addr += register_before(before, mem->index) *
				mem->scale;
		break;
	}
	return addr;
}

static bool is_rdi_of_string(const struct instrument_site *s)
{
	switch (s->original[s->lead + s->length - 1]) {
	case 0xaa:	/* stos */
	case 0xab:
	case 0xae:	/* scas */
	case 0xaf:
		return true;
	default:	/* lods and the first of movs and cmps */
		return s > applied.plan.site && s[-1].addr == s->addr;
	}
}

static void check_call(const struct generated *g,
		       const struct machine_state *before,
		       const struct apply_call *call)
{
	const struct instrument_site *s;
	uint64_t addr;

	if (call->site >= applied.plan.nr_sites) {
		fail(g, "site", call->site, applied.plan.nr_sites);
		return;
	}
	nr_calls++;
	s = &applied.plan.site[call->site];
	addr = expected_address(before, s, is_rdi_of_string(s));
	if (addr != call->addr)
		fail(g, "operand's address", addr, call->addr);
}

/* Some call announced a write of this byte. */
static bool is_announced(uint64_t first, uint64_t last, uint64_t addr)
{
	for (uint64_t i = first; i < last; i++) {
		const struct apply_call *call =
			&apply_log[i & (APPLY_LOG_SIZE - 1)];
		const struct instrument_site *s =
			&applied.plan.site[call->site];

		if (!(s->flags & INSTRUMENT_WRITES))
			continue;
		if ((s->flags & INSTRUMENT_REP) ||
		    (addr >= call->addr && addr < call->addr + s->size))
			return true;
	}
	return false;
}

/* Masked stores are left out on purpose. Only for what is not patched. */
static bool has_masked(const struct generated *g)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	const uint8_t *at = (const uint8_t *)g->call;

	for (unsigned int n = 0; n < 64; n++, at += insn.length) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, at, 15,
							 &insn, op)))
			return false;
		if (insn.avx.mask.reg > ZYDIS_REGISTER_K0 ||
		    strstr(ZydisMnemonicGetString(insn.mnemonic), "maskmov"))
			return true;
	}
	return false;
}

static void check_writes(const struct generated *g,
			 const struct memory *before,
			 const struct memory *after, uint64_t first,
			 uint64_t last)
{
	for (size_t i = 0; i < ARENA_BYTES; i++)
		if (before->arena[i] != after->arena[i] &&
		    !is_announced(first, last, (uint64_t)arena + i)) {
			fail(g, "silent write", i, after->arena[i]);
			return;
		}
	for (size_t i = 0; i < GENERATED_BLOCK_BYTES; i++)
		if (before->block[i] != after->block[i] &&
		    !is_announced(first, last, (uint64_t)block + i)) {
			fail(g, "silent write to the block", i,
			     after->block[i]);
			return;
		}
}

static void run_patched(const struct generated *g, uint64_t seed,
			bool is_masked, struct result *out)
{
	static struct machine_state before;
	static struct memory memory;
	uint64_t first = nr_apply_calls;

	prepare(g, seed);
	before = machine_state;
	take_memory(&memory);
	run(g, seed, out);
	for (uint64_t i = first; i < nr_apply_calls; i++)
		check_call(g, &before, &apply_log[i & (APPLY_LOG_SIZE - 1)]);
	if (!is_masked)
		check_writes(g, &memory, &out->memory, first, nr_apply_calls);
}

static void run_batch(const struct generated *first,
		      const struct generated *end, uint64_t seed)
{
	static struct result plain[BATCH][ROUNDS];
	static struct result patched;
	bool is_masked[BATCH];

	for (const struct generated *g = first; g < end; g++) {
		size_t i = (size_t)(g - first);

		is_masked[i] = has_masked(g);
		for (unsigned int r = 0; r < ROUNDS; r++)
			run(g, seed + i * ROUNDS + r, &plain[i][r]);
	}
	if (apply_patch(&applied) < 0)
		abort();
	for (const struct generated *g = first; g < end; g++) {
		size_t i = (size_t)(g - first);

		for (unsigned int r = 0; r < ROUNDS; r++) {
			run_patched(g, seed + i * ROUNDS + r, is_masked[i],
				    &patched);
			compare(g, &plain[i][r], &patched);
			nr_runs++;
		}
	}
	if (apply_restore(&applied) < 0)
		abort();
}

/* ---- set up ---- */

static bool find_xsave(void)
{
	unsigned int a, b, c, d;
	uint32_t low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) ||
	    !(c & bit_AVX))
		return false;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	xsave_mask = low & 0xe7;	/* x87, SSE, AVX, AVX-512 */
	xsave_bytes = 832;
	for (unsigned int i = 5; i < 8; i++)
		if ((xsave_mask >> i & 1) &&
		    __get_cpuid_count(0xd, i, &a, &b, &c, &d) &&
		    a + b > xsave_bytes)
			xsave_bytes = a + b;
	return xsave_bytes <= MACHINE_XSAVE_BYTES;
}

int main(int argc, char **argv)
{
	struct errbuf err = ERRBUF_INIT;
	const struct generated *table, *end;
	uint64_t bias, low, high;
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;

	if (!lib) {
		fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "no library");
		return 99;
	}
	if (!find_xsave())
		return 77;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	table = dlsym(lib, "generated_table");
	end = dlsym(lib, "generated_table_end");
	block = dlsym(lib, "generated_block_start");
	if (apply_find_module(table, &bias, &low, &high) < 0 ||
	    apply_plan(&applied, argv[1], bias, low, high, &err) < 0) {
		fprintf(stderr, "cannot plan: %s\n", err.text);
		return 99;
	}
	catch_faults();
	for (const struct generated *g = table; g < end; g += BATCH)
		run_batch(g, g + BATCH < end ? g + BATCH : end,
			  (uint64_t)(g - table) * ROUNDS);
	printf("%zu functions, %u sites (%u by jump, %u by trap), %u runs, "
	       "%u faults, %u calls, %u failures\n", (size_t)(end - table),
	       applied.plan.nr_sites, applied.plan.nr_jumps,
	       applied.plan.nr_int3, nr_runs, nr_faults, nr_calls,
	       nr_failures);
	/* Something must have been tested. */
	return nr_failures || nr_calls < (size_t)(end - table) ? 1 : 0;
}
