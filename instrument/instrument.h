/* SPDX-License-Identifier: MIT */
/*
 * instrument.h - find the memory accesses in a module's code and plan how to
 * make each of them call the runtime first.
 *
 * Works on files, in the tool: it reads an ELF file, decodes its functions
 * (Zydis) and writes a plan, which the runtime's zygote carries out in the
 * target's memory. Nothing here touches a process.
 *
 * A planned site has a trampoline:
 *	lea -128(%rsp), %rsp		over the red zone
 *	push %rdi; push %rsi
 *	lea <operand>, %rdi		rsp-based operands corrected
 *	mov $site, %esi			index in the plan's table + first_site
 *	call *<address of entry>(%rip)	keeps all registers and flags
 *	pop %rsi; pop %rdi
 *	lea 128(%rsp), %rsp
 *	<the instruction, moved>	and its neighbours that gave room
 *	jmp <behind them>
 * reached by a 5-byte jump where the instruction (with its neighbours in the
 * same basic block, when no jump can land on them) has the room, else by an
 * int3, whose handler continues in the trampoline. An instruction with two
 * memory operands has two calls: movs, the read first; cmps, that of rsi first.
 *
 * rdtsc and rdtscp are sites, too, where the caller has a stamp of its own. The
 * call takes the place of the instruction:
 *	lea -128(%rsp), %rsp
 *	push %rdi; push %rsi		only to look like the other ones
 *	call *<address of the entry>(%rip)
 *	pop %rsi; pop %rdi
 *	lea 128(%rsp), %rsp
 * They are reached by a jump or not at all: an int3 is no better than the trap
 * that they have by themselves.
 */
#ifndef INSTRUMENT_INSTRUMENT_H
#define INSTRUMENT_INSTRUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"

enum instrument_site_flags {
	INSTRUMENT_READS = 1 << 0,
	INSTRUMENT_WRITES = 1 << 1,	/* with READS: read-modify-write */
	INSTRUMENT_ATOMIC = 1 << 2,	/* lock prefix, or xchg with memory */
	INSTRUMENT_REP = 1 << 3,	/* `size` bytes, rcx times, from rdi */
	INSTRUMENT_STRING = 1 << 4,	/* a string instruction */
	INSTRUMENT_TSC = 1 << 5,	/* no access: rdtsc or rdtscp */
	/* The address counts from the fs base */
	INSTRUMENT_FS = 1 << 6,
};

/*
 * A movs has two calls, and a way around the instruction: the second call
 * takes it by returning that many bytes further on.
 */
#define INSTRUMENT_AROUND_BYTES 2

enum instrument_patch {
	INSTRUMENT_JUMP = 1,
	INSTRUMENT_INT3 = 2,
};

/* In code that is watched only for the order its accesses make: */
enum instrument_order_only {
	INSTRUMENT_ORDER_LOCKS = 1,	/* atomics are operations, others not */
	INSTRUMENT_ORDER_SILENT = 2,	/* none is an operation */
};

/* One access of one instruction. Lies in the control region, too. */
struct instrument_site {
	uint64_t addr;		/* of the instruction, in the process */
	uint64_t trampoline;	/* where a trap continues */
	uint64_t moved;		/* the moved instruction in the trampoline */
	uint16_t size;		/* bytes accessed (of one element for REP) */
	uint8_t flags;		/* enum instrument_site_flags */
	uint8_t patch;		/* enum instrument_patch */
	uint8_t length;		/* of the instruction */
	uint8_t nr_bytes;	/* of the patch; a trap has 1 */
	/*
	 * Not the first site of its patch, and without bytes of its own
	 * (nr_bytes and lead are 0): the write of a movs, or an instruction
	 * that was moved along with the one before it. Live while that one is
	 * patched.
	 */
	uint8_t is_second;
	/* The patch starts that many bytes before addr */
	uint8_t lead;
	uint8_t order_only;	/* enum instrument_order_only; the caller's */
	uint8_t original[16];	/* code at addr - lead before the patch */
	uint8_t patched[16];	/* and after it */
};

/*
 * In front of each trampoline stands, from its end to its start, where its
 * instructions come from: their number in one byte, then three bytes each, in
 * order: where in the trampoline what belongs to the instruction begins (two
 * bytes), and the instruction's distance from the start of the patch. The last
 * part of a moved call, for which the return address is already on the stack,
 * has an entry of its own, with INSTRUMENT_PLACE_PUSHED added. The jump back is
 * the instruction behind the patch.
 */
#define INSTRUMENT_PLACE_PUSHED 0x80u
#define INSTRUMENT_PLACE_BYTES 3u

/* The entry for the instruction at `offset`; -1: there is none. */
static inline int instrument_place(const uint8_t *trampoline, uint64_t offset)
{
	int place = -1;

	for (unsigned int i = 1; i <= trampoline[-1]; i++) {
		const uint8_t *e = trampoline - 1 - INSTRUMENT_PLACE_BYTES * i;

		if (((uint32_t)e[0] | (uint32_t)e[1] << 8) > offset)
			break;
		place = e[2];
	}
	return place;
}

/* What was left unpatched; instrument_skip_text() has the words. */
enum instrument_skip {
	/* instructions */
	INSTRUMENT_SKIP_FRAME,		/* the own frame, address not taken */
	/* Fs:, gs:, where none but the thread */
	INSTRUMENT_SKIP_TLS,
					/* can reach that, see tls.c */
	INSTRUMENT_SKIP_READ_ONLY,	/* constant data */
	INSTRUMENT_SKIP_BRANCH,		/* call or jmp through memory */
	INSTRUMENT_SKIP_GATHER,		/* several addresses, or masked */
	INSTRUMENT_SKIP_ADDRESS,	/* addresses of 32 bits (67h) */
	INSTRUMENT_SKIP_UNREACHED,	/* perhaps data between the code */
	INSTRUMENT_SKIP_ROOM,		/* no room for its trampoline */
	INSTRUMENT_SKIP_OTHER,		/* xsave, bt with a register ... */
	/* functions */
	INSTRUMENT_SKIP_UNDECODED,	/* with undecodable bytes */
	INSTRUMENT_SKIP_MISREAD,	/* jumped into an instruction */
	INSTRUMENT_SKIP_OVERLAP,	/* two that share bytes */
	INSTRUMENT_SKIP_WRITABLE,	/* in memory that can be written to */
	/* stretches of code */
	INSTRUMENT_SKIP_UNLISTED,	/* in no function of .eh_frame */
	INSTRUMENT_SKIP_NR
};

/* "12 " and this: "accesses to thread-local data". Never NULL. */
const char *instrument_skip_text(enum instrument_skip why);

struct instrument_input {
	const char *path;	/* the ELF file */
	uint64_t bias;		/* process address = file address + bias */
	uint64_t entry_slot;	/* process address of a pointer to the hook */
	uint64_t code_base;	/* where trampolines will lie: within 1.9 GiB */
	uint64_t code_bytes;	/* room there */
	uint32_t first_site;
	uint32_t max_sites;
	bool only_atomics;	/* leave all other accesses alone */
	bool has_tsc;		/* entry_slot[1] is for rdtsc, [2] for rdtscp */
};

struct instrument_plan {
	struct instrument_site *site;	/* malloc'd, ascending by addr */
	uint32_t nr_sites;
	uint8_t *code;		/* malloc'd; to be copied to code_base; the */
				/*
				 * first 64 bytes are the caller's: entry_slot
				 */
	uint64_t code_bytes;
	uint32_t nr_functions;
	uint32_t nr_instructions;
	uint32_t nr_jumps, nr_int3;
	uint32_t nr_tsc;	/* of nr_jumps: rdtsc and rdtscp */
	uint32_t skipped[INSTRUMENT_SKIP_NR];
	bool has_no_ranges;	/* no .eh_frame: left alone */
};

/*
 * Plan one module. Returns 0; -errno or -ENOEXEC with `err`. A module without
 * usable .eh_frame gives an empty plan with has_no_ranges.
 */
int instrument_plan(const struct instrument_input *in,
		    struct instrument_plan *plan, struct errbuf *err);

void instrument_plan_release(struct instrument_plan *plan);

/*
 * Whether the module makes its own locks: it asks the kernel for futexes by
 * syscall(2), for which the C library has no other function. False for what
 * cannot be read.
 */
bool instrument_makes_locks(const char *path);

#endif /* INSTRUMENT_INSTRUMENT_H */
