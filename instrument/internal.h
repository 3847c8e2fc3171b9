/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of instrument/ only.
 *
 * The passes of instrument_plan(), in order, each over the whole module:
 *	image   the file's segments and sections            image.c
 *	frames  function ranges from .eh_frame              frames.c
 *	code    every function decoded once, front to back  code.c
 *	landing where control may come in                   landing.c,
 *	        through jumps, tables, pointers, exceptions tables.c,
 *	                                                    lsda.c
 *	escape  whose frame others can reach                escape.c,
 *	                                                    cfa.c
 *	tls     whose thread-local variables others can reach tls.c
 *	operand which instructions are sites                operand.c
 *	patch   how each is reached, and its trampoline     patch.c,
 *	                                                    emit.c
 * All addresses are those of the file (bias not added) unless said otherwise.
 */
#ifndef INSTRUMENT_INTERNAL_H
#define INSTRUMENT_INTERNAL_H

#include <Zydis/Zydis.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instrument/instrument.h"

/* ---- image ---- */

/* A PT_LOAD. Bytes behind the file's part (.bss) are not in `bytes`. */
struct segment {
	uint64_t start, end;
	const uint8_t *bytes;	/* of the file, for [start, file_end) */
	uint64_t file_end;
	bool is_writable, is_executable;
	/*
	 * One bit per byte of [start, file_end) of an executable segment.
	 *	landing	somebody may jump here: no patch may cover it
	 *	root	one that no direct branch shows: a table, a pointer
	 *	entered	target of a direct branch that can be reached
	 */
	uint8_t *landing, *root, *entered;
};

enum section_flags {
	SECTION_CODE = 1 << 0,
	SECTION_PLT = 1 << 1,
};

struct section {
	uint64_t start, end;
	int flags;		/* enum section_flags */
};

struct image {
	int fd;
	Elf *elf;
	const uint8_t *file;
	size_t nr_file_bytes;
	struct segment *segment;
	size_t nr_segments;
	struct section *section;	/* allocated ones; may be none */
	size_t nr_sections;
	uint64_t relro_start, relro_end;
	uint64_t eh_frame, eh_frame_end;	/* equal: none */
	bool is_fixed;		/* not position independent */
};

enum landing_map {
	LANDING,		/* segment.landing */
	LANDING_ROOT,		/* and segment.landing */
	LANDING_ENTERED,
};

/* ---- pointers of exception tables ---- */

struct cursor {
	const uint8_t *at, *end;
	uint64_t addr;		/* of `at` */
	bool is_bad;		/* ran over the end: what was read is 0 */
};

/* ---- functions ---- */

/* What a CIE says for all of its functions. */
struct cie {
	uint64_t offset;	/* in .eh_frame */
	const uint8_t *code, *code_end;	/* initial instructions */
	uint64_t code_align;
	int64_t data_align;
	uint8_t pointer_encoding, lsda_encoding;
	bool has_data, is_known;
};

struct function {
	uint64_t start, end;
	uint64_t lsda;		/* 0: none */
	const uint8_t *cfa_code, *cfa_code_end;
	size_t cie;
	uint32_t first_insn, nr_insns;
	uint32_t group;		/* union-find: fragments of one function */
	bool is_skipped;
	bool is_fragment;	/* starts with a frame: another's cold part */
	bool is_joined;		/* with another half, in its group */
	bool is_frame_known;	/* of the group's root: an address in the */
				/* frame is taken */
	bool is_opaque;		/* targets inside it are not all known */
};

enum insn_kind {
	INSN_PLAIN,
	INSN_JCC,		/* direct, can be moved */
	INSN_JMP,		/* direct */
	INSN_JMP_INDIRECT,
	INSN_RET,
	INSN_CALL,		/* moved in two parts, see emit.c */
	/* Loop, jrcxz, xbegin: from here on not moved */
	INSN_LOOP,
	INSN_FIXED,		/* syscall, endbr and the like */
	INSN_END,		/* does not go on: ud2, hlt */
};

enum insn_flags {
	INSN_REACHED = 1 << 0,
	INSN_MEMORY = 1 << 1,	/* has a memory operand that is accessed */
	INSN_OPAQUE = 1 << 2,	/* an indirect jump of unknown targets */
	INSN_TSC = 1 << 3,	/* rdtsc, rdtscp: a site when it is reached */
	INSN_THREAD = 1 << 4,	/* reads the thread pointer, at %fs:0 */
};

struct insn {
	uint32_t offset;	/* from the function's start */
	uint8_t length;
	uint8_t kind;		/* enum insn_kind */
	uint16_t flags;		/* enum insn_flags */
	int64_t target;		/* of direct branches and calls: address */
};

struct module {
	struct image img;
	ZydisDecoder decoder;
	struct cie *cie;
	size_t nr_cies, max_cies;
	struct function *function;	/* ascending by start */
	size_t nr_functions, max_functions;
	struct insn *insn;
	size_t nr_insns, max_insns;
	uint64_t *head;		/* of jump tables, ascending */
	size_t nr_heads, max_heads;
	size_t max_sites;	/* allocated in plan->site */
	bool shares_tls;	/* others may reach a thread's own variables */
	const struct instrument_input *in;
	struct instrument_plan *plan;
};

/* ---- frames ---- */

enum cfa_base { CFA_UNKNOWN, CFA_RSP, CFA_RBP };

/* From `addr` on, the canonical frame address is base + offset. */
struct cfa_row {
	uint64_t addr;
	enum cfa_base base;
	int64_t offset;
};

struct cfa_table {
	struct cfa_row *row;
	size_t nr, max;
};

/* ---- sites ---- */

enum access_address {
	ACCESS_OPERAND,
	ACCESS_RSI,		/* string instructions */
	ACCESS_RDI,
};

struct access {
	enum access_address where;
	ZydisDecodedOperandMem mem;
	uint64_t constant;	/* when is_constant: instead of mem */
	bool is_constant;
	uint16_t size;
	uint8_t flags;		/* enum instrument_site_flags */
};

/* An instruction to call the runtime from. */
struct candidate {
	uint32_t insn;		/* index in module.insn */
	uint8_t nr_accesses;
	bool is_movs;
	bool is_tsc;		/* no access */
	struct access access[2];
};

struct candidates {
	struct candidate *item;
	size_t nr, max;
};

/* ---- trampolines ---- */

struct emitter {
	uint8_t *code;
	uint64_t base;		/* process address of code[0] */
	uint64_t used, max, room;	/* room: allocated so far */
	uint64_t entry_slot;
	uint64_t bias;
	bool is_bad;		/* full, out of reach: what was written is */
				/* to be taken back */
};

#endif /* INSTRUMENT_INTERNAL_H */
