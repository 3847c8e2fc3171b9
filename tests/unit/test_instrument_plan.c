/* SPDX-License-Identifier: MIT */
/*
 * test_instrument_plan.c - the plan for this very program, whose code at the
 * top is made to be planned; and for damaged copies of it.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instrument/instrument.h"

#define R INSTRUMENT_READS
#define W INSTRUMENT_WRITES
#define A INSTRUMENT_ATOMIC
#define STR INSTRUMENT_STRING
#define REP (INSTRUMENT_STRING | INSTRUMENT_REP)

#define CODE_BYTES (64ULL << 20)

/*
 * Never called. The tests ask about places marked with L: not symbols, which
 * might be jumped to, but distances from the first function.
 */
__asm__(".macro L name\n"
	".L\\name:\n"
	"	.pushsection .rodata\n"
	"	.balign 4\n"
	"o_\\name: .long .L\\name - kinds\n"
	"	.popsection\n"
	".endm\n"
	"	.text\n"
	"	.type kinds, @function\n"
	"kinds:	.cfi_startproc\n"
	"L k_load\n"
	"	mov 8(%rdi), %eax\n"
	"L k_store\n"
	"	movb $1, (%rsi)\n"
	"L k_rmw\n"
	"	addl %eax, 4(%rdi,%rcx,4)\n"
	"L k_inc\n"
	"	incq (%r13)\n"
	"L k_lock\n"
	"	lock xaddw %ax, (%r12)\n"
	"L k_xchg\n"
	"	xchg %rax, (%rdi)\n"
	"L k_cmpxchg\n"
	"	cmpxchg %ecx, (%rdi)\n"
	"L k_test\n"
	"	testb $4, 7(%rdi)\n"
	"L k_sse\n"
	"	movaps (%rdi), %xmm0\n"
	"L k_avx\n"
	"	vmovups %ymm0, (%rdi)\n"
	"L k_x87\n"
	"	fstpt (%rdi)\n"
	"L k_push\n"
	"	push 16(%rdi)\n"
	"	pop %rax\n"
	"L k_movs\n"
	"	rep movsl\n"
	"L k_cmps\n"
	"	cmpsb\n"
	"L k_scas\n"
	"	repne scasb\n"
	"L k_stos\n"
	"	stosq\n"
	"L k_cmov\n"
	"	cmovne (%rdi), %eax\n"
	"L k_thread\n"
	"	mov %fs:-8, %eax\n"
	"L k_thread_base\n"
	"	incl %fs:8(%rdi)\n"
	"L k_data\n"
	"	movl $5, test_data(%rip)\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size kinds, . - kinds\n"

	"	.type none, @function\n"
	"none:	.cfi_startproc\n"
	"L n_lea\n"
	"	lea 8(%rdi), %rax\n"
	"L n_nop\n"
	"	nopl 8(%rdi)\n"
	"L n_prefetch\n"
	"	prefetcht0 (%rdi)\n"
	"L n_flush\n"
	"	clflush (%rdi)\n"
	"L n_tls\n"
	"	mov %fs:0, %rax\n"
	"L n_canary\n"
	"	sub %fs:40, %rax\n"
	"L n_gs\n"
	"	mov %gs:-8, %rax\n"
	"L n_constant\n"
	"	mov test_constant(%rip), %eax\n"
	"L n_gather\n"
	"	vpgatherdd %ymm1, (%rdi,%ymm2,4), %ymm3\n"
	"L n_mask\n"
	"	vmaskmovps (%rdi), %ymm1, %ymm2\n"
	"L n_evex\n"
	"	vmovups %zmm0, (%rdi){%k1}\n"
	"L n_bit\n"
	"	bts %rax, (%rdi)\n"
	"L n_short\n"
	"	mov (%edi), %eax\n"
	"L n_save\n"
	"	fxsave (%rdi)\n"
	"L n_call\n"
	"	call *8(%rdi)\n"
	"L n_jump\n"
	"	jmp *8(%rdi)\n"
	"	.cfi_endproc\n"
	"	.size none, . - none\n"

	/* Nobody learns an address of this frame. */
	"	.type private, @function\n"
	"private:	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"L p_rbp\n"
	"	mov %eax, -8(%rbp)\n"
	"L p_rsp\n"
	"	mov %eax, -16(%rsp)\n"
	"L p_array\n"
	"	mov %eax, -64(%rbp,%rax,4)\n"
	"	pop %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"L p_other\n"
	"	mov %eax, -8(%rbp)\n"	/* the caller's rbp */
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size private, . - private\n"

	/* An object at CFA-40, first seen with more on the stack. */
	"	.type taken, @function\n"
	"taken:	.cfi_startproc\n"
	"	sub $40, %rsp\n"
	"	.cfi_def_cfa_offset 48\n"
	"	push %rdi\n"
	"	.cfi_def_cfa_offset 56\n"
	"	lea 16(%rsp), %rsi\n"
	"	pop %rdi\n"
	"	.cfi_def_cfa_offset 48\n"
	"L t_below\n"
	"	mov %eax, 4(%rsp)\n"
	"L t_at\n"
	"	mov %eax, 8(%rsp)\n"
	"L t_above\n"
	"	mov %eax, 24(%rsp)\n"
	"L t_across\n"
	"	mov %rax, 4(%rsp)\n"
	"	add $40, %rsp\n"
	"	.cfi_def_cfa_offset 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size taken, . - taken\n"

	/* Room for jumps, and where there is none. */
	"	.type room, @function\n"
	"room:	.cfi_startproc\n"
	"L r_long\n"
	"	movl $1, 100(%rdi)\n"
	"L r_two\n"
	"	mov (%rdi), %eax\n"
	"	add $7, %eax\n"
	"L r_first\n"
	"	mov (%rdi), %ecx\n"	/* with the next, a site too */
	"L r_along\n"
	"	mov 4(%rdi), %edx\n"
	"L r_target\n"
	"	mov (%rsi), %eax\n"
	"L r_inside\n"
	"	add $1, %eax\n"		/* a loop starts here */
	"	jne .Lr_inside\n"
	"L r_branch\n"
	"	mov (%rsi), %eax\n"
	"	mov %eax, %edx\n"
	"	je .Lr_inside\n"
	"L r_call\n"
	"	mov (%rsi), %eax\n"
	"	call none\n"
	"	xor $5, %edx\n"
	"L r_lead\n"
	"	mov (%rsi), %eax\n"
	"L r_behind\n"
	"	jne .Lr_behind\n"
	"L r_trap\n"
	"	mov (%rsi), %eax\n"
	"L r_last\n"
	"	jne .Lr_last\n"
	"L r_system\n"
	"	mov (%rsi), %eax\n"
	"	syscall\n"
	"L r_end\n"
	"	mov (%rsi), %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size room, . - room\n"

	"	.type stamps, @function\n"
	"stamps:	.cfi_startproc\n"
	"L t_stamp\n"
	"	rdtsc\n"
	"	shl $32, %rdx\n"
	"	or %rdx, %rax\n"
	"	mov %rax, %r8\n"
	"L t_long\n"
	"	rdtscp\n"
	"	mov %eax, %r9d\n"
	"	test %edi, %edi\n"
	"	jne .Lt_join\n"
	"L t_joined\n"
	"	rdtsc\n"
	".Lt_join:\n"
	"	shl $32, %rdx\n"
	"	or %rdx, %rax\n"
	"	mov %r8, %rcx\n"
	"L t_behind\n"		/* takes the next one along */
	"	mov (%rsi), %ecx\n"
	"L t_taken\n"
	"	rdtscp\n"
	"L t_loop\n"
	"	jne .Lt_loop\n"
	"	mov (%rsi), %ecx\n"
	"L t_alone\n"		/* without room */
	"	rdtsc\n"
	".Lt_next:\n"
	"	mov (%rsi), %ecx\n"
	"L t_last\n"
	"	jne .Lt_next\n"
	"	jne .Lt_last\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size stamps, . - stamps\n"

	/* A table between the instructions; it would decode. */
	"	.type data_in_code, @function\n"
	"data_in_code:	.cfi_startproc\n"
	"L d_code\n"
	"	mov 8(%rdi), %rax\n"
	"	mov %rax, %rdx\n"
	"	ret\n"
	"L d_data\n"
	"	.byte 0x8b, 0x07, 0x8b, 0x47, 0x08, 0x90, 0x90\n"
	"	.cfi_endproc\n"
	"	.size data_in_code, . - data_in_code\n"

	"	.type undecodable, @function\n"
	"undecodable:	.cfi_startproc\n"
	"L u_code\n"
	"	mov 8(%rdi), %rax\n"
	"	ret\n"
	"	.byte 0x06, 0x06\n"
	"	.cfi_endproc\n"
	"	.size undecodable, . - undecodable\n"

	/* A switch: nobody but the table names its cases. */
	"	.type switched, @function\n"
	"switched:	.cfi_startproc\n"
	"	lea switch_table(%rip), %rdx\n"
	"	movslq (%rdx,%rdi,4), %rax\n"
	"	add %rdx, %rax\n"
	"	jmp *%rax\n"
	"L s_one\n"
	"	mov (%rsi), %eax\n"
	"L s_two\n"
	"	add $1, %eax\n"
	"	nop\n"
	"L s_three\n"
	"	mov (%rsi), %ecx\n"
	"	mov %ecx, %eax\n"
	"	nop\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size switched, . - switched\n"

	/* Only the exception table knows of the second place. */
	"	.type caught, @function\n"
	"caught:	.cfi_startproc\n"
	"	.cfi_personality 0x9b, personality_pointer\n"
	"	.cfi_lsda 0x1b, exception_table\n"
	"	call none\n"
	"c_end:	ret\n"
	"	nop\n"
	"L c_before\n"
	"	mov (%rsi), %eax\n"
	"L c_pad\n"
	"	mov (%rsi), %ecx\n"
	"	mov %ecx, %eax\n"
	"	nop\n"
	"	jmp .Lc_before\n"
	"	.cfi_endproc\n"
	"	.size caught, . - caught\n"
	"	.section .gcc_except_table, \"a\"\n"
	"exception_table:	.byte 0xff, 0xff, 1\n"
	"	.uleb128 9f - 8f\n"
	"8:	.uleb128 0\n"
	"	.uleb128 c_end - caught\n"
	"	.uleb128 .Lc_pad - caught\n"
	"	.uleb128 0\n"
	"9:\n"
	"	.section .data.rel.ro, \"aw\"\n"
	"	.balign 8\n"
	"personality_pointer:	.quad 0\n"

	"	.section .rodata\n"
	"	.balign 4\n"
	"switch_table:	.long .Ls_one - switch_table, .Ls_two - switch_table,"
	" .Ls_three - switch_table\n"
	"test_constant:	.long 7\n"
	"	.data\n"
	"	.balign 8\n"
	"test_data:	.quad 0\n"
	"	.text\n");

/* ---- the plan of a file ---- */

static struct instrument_plan plan;
static uint64_t bias;

static int find_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	bias = info->dlpi_addr;
	return 1;
}

static bool with_tsc, with_atomics_only;

static int plan_file(const char *path, struct instrument_plan *p,
		     uint32_t max_sites, uint64_t code_bytes)
{
	struct errbuf err = ERRBUF_INIT;
	struct instrument_input in = {
		.path = path,
		.bias = 0x10000000,
		.code_base = 0x20000000,
		.entry_slot = 0x20000000,
		.code_bytes = code_bytes,
		.first_site = 1000,
		.max_sites = max_sites,
		.has_tsc = with_tsc,
		.only_atomics = with_atomics_only,
	};
	int e = instrument_plan(&in, p, &err);

	assert_true((e < 0) == (*err.text != '\0'));
	return e;
}

static int setup(void **state)
{
	(void)state;
	dl_iterate_phdr(find_bias, NULL);
	return plan_file("/proc/self/exe", &plan, 1 << 20, CODE_BYTES);
}

static int teardown(void **state)
{
	(void)state;
	instrument_plan_release(&plan);
	return 0;
}

/* A site of the label; nr 1 is the second access. NULL: none there. */
static const struct instrument_site *site_at(const void *label,
					     unsigned int nr)
{
	uint64_t addr = (uint64_t)label - bias + 0x10000000;

	for (uint32_t i = 0; i < plan.nr_sites; i++)
		if (plan.site[i].addr == addr && nr-- == 0)
			return &plan.site[i];
	return NULL;
}

#define LABEL(name)                                      \
	({                                               \
		extern const int32_t o_##name;           \
		extern const char kinds[];               \
		(const void *)(kinds + o_##name);        \
	})

static void check_access(const void *label, unsigned int nr, int flags,
			 unsigned int size, const char *name)
{
	const struct instrument_site *s = site_at(label, nr);

	if (!s)
		fail_msg("no site %u at %s", nr, name);
	if (s->flags != flags || s->size != size)
		fail_msg("%s: flags %#x, size %u", name, s->flags, s->size);
}

#define CHECK(name, flags, size) \
	check_access(LABEL(name), 0, flags, size, #name)
#define CHECK_SECOND(name, flags, size) \
	check_access(LABEL(name), 1, flags, size, #name)

static void test_plan__tells_kind_and_size(void **state)
{
	(void)state;
	CHECK(k_load, R, 4);
	CHECK(k_store, W, 1);
	CHECK(k_rmw, R | W, 4);
	CHECK(k_inc, R | W, 8);
	CHECK(k_lock, R | W | A, 2);
	CHECK(k_xchg, R | W | A, 8);
	CHECK(k_cmpxchg, R | W, 4);
	CHECK(k_test, R, 1);
	CHECK(k_sse, R, 16);
	CHECK(k_avx, W, 32);
	CHECK(k_x87, W, 10);
	CHECK(k_push, R, 8);
	CHECK(k_movs, R | REP, 4);
	CHECK_SECOND(k_movs, W | REP, 4);
	CHECK(k_cmps, R | STR, 1);
	CHECK_SECOND(k_cmps, R | STR, 1);
	CHECK(k_scas, R | REP, 1);
	CHECK(k_stos, W | STR, 8);
	CHECK(k_cmov, R, 4);
	CHECK(k_data, W, 4);
	CHECK(k_thread, R | INSTRUMENT_FS, 4);
	CHECK(k_thread_base, R | W | INSTRUMENT_FS, 4);
}

static void test_plan__leaves_out_what_is_no_shared_access(void **state)
{
	(void)state;
	assert_null(site_at(LABEL(n_lea), 0));
	assert_null(site_at(LABEL(n_nop), 0));
	assert_null(site_at(LABEL(n_prefetch), 0));
	assert_null(site_at(LABEL(n_flush), 0));
	assert_null(site_at(LABEL(n_tls), 0));
	assert_null(site_at(LABEL(n_canary), 0));
	assert_null(site_at(LABEL(n_gs), 0));
	assert_null(site_at(LABEL(n_constant), 0));
	assert_null(site_at(LABEL(n_gather), 0));
	assert_null(site_at(LABEL(n_mask), 0));
	assert_null(site_at(LABEL(n_evex), 0));
	assert_null(site_at(LABEL(n_bit), 0));
	assert_null(site_at(LABEL(n_short), 0));
	assert_null(site_at(LABEL(n_save), 0));
	assert_null(site_at(LABEL(n_call), 0));
	assert_null(site_at(LABEL(n_jump), 0));
	assert_true(plan.skipped[INSTRUMENT_SKIP_TLS] > 0);
	assert_true(plan.skipped[INSTRUMENT_SKIP_READ_ONLY] > 0);
	assert_true(plan.skipped[INSTRUMENT_SKIP_GATHER] >= 3);
	assert_true(plan.skipped[INSTRUMENT_SKIP_BRANCH] >= 2);
	assert_true(plan.skipped[INSTRUMENT_SKIP_OTHER] >= 2);
	assert_true(plan.skipped[INSTRUMENT_SKIP_ADDRESS] >= 1);
}

static void test_plan__leaves_out_a_private_frame(void **state)
{
	(void)state;
	assert_null(site_at(LABEL(p_rbp), 0));
	assert_null(site_at(LABEL(p_rsp), 0));
	assert_null(site_at(LABEL(p_array), 0));
	assert_non_null(site_at(LABEL(p_other), 0));
}

static void test_plan__takes_a_frame_with_a_taken_address(void **state)
{
	(void)state;
	assert_non_null(site_at(LABEL(t_below), 0));
	assert_non_null(site_at(LABEL(t_at), 0));
	assert_non_null(site_at(LABEL(t_above), 0));
	assert_non_null(site_at(LABEL(t_across), 0));
}

static void check_patch(const void *label, enum instrument_patch patch,
			unsigned int bytes, const char *name)
{
	const struct instrument_site *s = site_at(label, 0);

	if (!s)
		fail_msg("no site at %s", name);
	if (s->patch != patch || s->nr_bytes != bytes)
		fail_msg("%s: patch %u of %u bytes", name, s->patch,
			 s->nr_bytes);
}

#define PATCH(name, patch, bytes) \
	check_patch(LABEL(name), INSTRUMENT_##patch, bytes, #name)

static void test_plan__jumps_where_there_is_room(void **state)
{
	const struct instrument_site *s;

	(void)state;
	PATCH(r_long, JUMP, 7);
	PATCH(r_two, JUMP, 5);
	PATCH(r_first, JUMP, 7);
	PATCH(r_along, JUMP, 0);
	PATCH(r_target, JUMP, 0);
	PATCH(r_branch, JUMP, 6);
	PATCH(r_call, JUMP, 7);
	PATCH(r_lead, JUMP, 5);
	assert_int_equal(site_at(LABEL(r_lead), 0)->lead, 3);
	PATCH(r_trap, INT3, 1);
	PATCH(r_system, INT3, 1);
	PATCH(r_end, INT3, 1);
	s = site_at(LABEL(r_along), 0);
	assert_true(s->is_second);
	assert_int_equal(s->trampoline, s[-1].trampoline);
	assert_true(s->moved > s[-1].moved);
}

static void test_plan__leaves_time_stamps_alone(void **state)
{
	(void)state;
	assert_null(site_at(LABEL(t_stamp), 0));
	assert_null(site_at(LABEL(t_long), 0));
	assert_null(site_at(LABEL(t_taken), 0));
	assert_int_equal(plan.nr_tsc, 0);
	PATCH(t_behind, JUMP, 5);
	assert_int_equal(site_at(LABEL(t_behind), 0)->lead, 3);
}

static void test_plan__calls_for_time_stamps(void **state)
{
	struct instrument_plan without = plan;
	int e;

	(void)state;
	with_tsc = true;
	e = plan_file("/proc/self/exe", &plan, 1 << 20, CODE_BYTES);
	with_tsc = false;
	assert_int_equal(e, 0);
	PATCH(t_stamp, JUMP, 6);
	PATCH(t_long, JUMP, 6);
	CHECK(t_stamp, INSTRUMENT_TSC, 0);
	CHECK(t_long, INSTRUMENT_TSC, 0);
	/* Somebody jumps behind it, and there is no other room. */
	assert_null(site_at(LABEL(t_alone), 0));
	assert_null(site_at(LABEL(t_joined), 0));
	PATCH(t_behind, JUMP, 5);
	assert_int_equal(site_at(LABEL(t_behind), 0)->lead, 0);
	PATCH(t_taken, JUMP, 0);
	CHECK(t_taken, INSTRUMENT_TSC, 0);
	assert_int_equal(plan.nr_tsc, 3);
	instrument_plan_release(&plan);
	plan = without;
}

/* As in a library that is watched for the order it makes, if at all. */
static void test_plan__calls_for_time_stamps_where_little_is_watched(
	void **state)
{
	struct instrument_plan all = plan;
	int e;

	(void)state;
	with_tsc = with_atomics_only = true;
	e = plan_file("/proc/self/exe", &plan, 1 << 20, CODE_BYTES);
	with_tsc = with_atomics_only = false;
	assert_int_equal(e, 0);
	PATCH(t_stamp, JUMP, 6);
	PATCH(t_long, JUMP, 6);
	assert_null(site_at(LABEL(t_taken), 1));
	assert_int_equal(plan.nr_tsc, 3);
	assert_true(plan.nr_sites < all.nr_sites);
	instrument_plan_release(&plan);
	plan = all;
}

static void test_plan__keeps_switch_targets_free(void **state)
{
	(void)state;
	PATCH(s_one, INT3, 1);
	PATCH(s_three, JUMP, 5);
}

static void test_plan__keeps_catch_blocks_free(void **state)
{
	(void)state;
	PATCH(c_before, INT3, 1);
	PATCH(c_pad, JUMP, 5);
}

static void test_plan__leaves_data_in_code_alone(void **state)
{
	(void)state;
	assert_non_null(site_at(LABEL(d_code), 0));
	assert_null(site_at(LABEL(d_data), 0));
	assert_null(site_at((const char *)LABEL(d_data) + 2, 0));
	assert_null(site_at(LABEL(u_code), 0));
	assert_true(plan.skipped[INSTRUMENT_SKIP_UNDECODED] >= 1);
}

static void test_plan__numbers_sites_from_the_first(void **state)
{
	const struct instrument_site *s = &plan.site[0];
	const uint8_t *code = plan.code + (s->trampoline - 0x20000000);
	uint32_t nr;
	size_t i = 0;

	(void)state;
	while (i < 32 && code[i] != 0xbe)	/* mov $nr, %esi */
		i++;
	memcpy(&nr, code + i + 1, sizeof(nr));
	assert_int_equal(nr, 1000);
	for (i = 0; i < 64; i++)
		assert_int_equal(plan.code[i], 0);
}

static void test_plan__stops_at_the_room_it_is_given(void **state)
{
	struct instrument_plan p;

	(void)state;
	assert_int_equal(plan_file("/proc/self/exe", &p, 10, CODE_BYTES), 0);
	assert_true(p.nr_sites <= 10);
	assert_true(p.skipped[INSTRUMENT_SKIP_ROOM] >
		    plan.skipped[INSTRUMENT_SKIP_ROOM]);
	instrument_plan_release(&p);
	assert_int_equal(plan_file("/proc/self/exe", &p, 1000, 4096), 0);
	assert_true(p.code_bytes <= 4096);
	assert_true(p.nr_sites > 10);
	instrument_plan_release(&p);
}

/* ---- other files ---- */

static char copy[] = "/tmp/test_instrument_plan.XXXXXX";
static uint8_t *bytes;
static size_t nr_bytes;

static void read_self(void)
{
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY);
	size_t done = 0;
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	nr_bytes = (size_t)st.st_size;
	bytes = malloc(nr_bytes);
	assert_non_null(bytes);
	while (done < nr_bytes &&
	       (n = read(fd, bytes + done, nr_bytes - done)) > 0)
		done += (size_t)n;
	close(fd);
	assert_int_equal(done, nr_bytes);
}

static void write_copy(size_t size)
{
	int fd = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static int setup_copy(void **state)
{
	int fd = mkstemp(copy);

	if (fd < 0)
		return -1;
	close(fd);
	read_self();
	return setup(state);
}

static int teardown_copy(void **state)
{
	unlink(copy);
	memcpy(copy + strlen(copy) - 6, "XXXXXX", 6);
	free(bytes);
	return teardown(state);
}

static void test_plan__refuses_what_is_no_program(void **state)
{
	struct instrument_plan p;

	(void)state;
	assert_int_equal(plan_file("/no/such/file", &p, 10, CODE_BYTES),
			 -ENOENT);
	assert_int_equal(plan_file("/tmp", &p, 10, CODE_BYTES), -ENOEXEC);
	memcpy(bytes, "#!/bin/sh\n", 10);
	write_copy(nr_bytes);
	assert_int_equal(plan_file(copy, &p, 10, CODE_BYTES), -ENOEXEC);
	write_copy(0);
	assert_int_equal(plan_file(copy, &p, 10, CODE_BYTES), -ENOEXEC);
}

static void test_plan__works_without_section_headers(void **state)
{
	struct instrument_plan p;
	Elf64_Ehdr eh;

	(void)state;
	memcpy(&eh, bytes, sizeof(eh));
	eh.e_shoff = 0;
	eh.e_shnum = 0;
	eh.e_shstrndx = 0;
	memcpy(bytes, &eh, sizeof(eh));
	write_copy(nr_bytes);
	assert_int_equal(plan_file(copy, &p, 1 << 20, CODE_BYTES), 0);
	assert_true(p.nr_functions >= plan.nr_functions);
	assert_true(p.nr_sites >= plan.nr_sites * 9 / 10);
	instrument_plan_release(&p);
}

static void test_plan__leaves_writable_code_alone(void **state)
{
	struct instrument_plan p;
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	(void)state;
	memcpy(&eh, bytes, sizeof(eh));
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		uint8_t *at = bytes + eh.e_phoff + i * sizeof(ph);

		memcpy(&ph, at, sizeof(ph));
		if (ph.p_flags & PF_X)
			ph.p_flags |= PF_W;
		memcpy(at, &ph, sizeof(ph));
	}
	write_copy(nr_bytes);
	assert_int_equal(plan_file(copy, &p, 1 << 20, CODE_BYTES), 0);
	assert_true(p.has_no_ranges);
	assert_int_equal(p.nr_sites, 0);
	instrument_plan_release(&p);
}

/* Any answer will do, but there must be one. */
static void test_plan__survives_damaged_files(void **state)
{
	uint64_t random = 88172645463325252ULL;
	struct instrument_plan p;

	(void)state;
	for (unsigned int n = 0; n < 60; n++) {
		size_t size = nr_bytes;
		uint8_t saved[16];
		size_t at[16];

		for (unsigned int i = 0; i < 16; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			/* headers and tables are worth the most */
			at[i] = random % (i < 4 ? 1024 : nr_bytes);
			saved[i] = bytes[at[i]];
			bytes[at[i]] = (uint8_t)(random >> 40);
		}
		if (n % 4 == 0)
			size = random % nr_bytes;
		write_copy(size);
		if (plan_file(copy, &p, 1 << 20, CODE_BYTES) == 0)
			instrument_plan_release(&p);
		for (unsigned int i = 16; i-- > 0;)
			bytes[at[i]] = saved[i];
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan__tells_kind_and_size),
		cmocka_unit_test(
			test_plan__leaves_out_what_is_no_shared_access),
		cmocka_unit_test(test_plan__leaves_out_a_private_frame),
		cmocka_unit_test(
			test_plan__takes_a_frame_with_a_taken_address),
		cmocka_unit_test(test_plan__jumps_where_there_is_room),
		cmocka_unit_test(test_plan__leaves_time_stamps_alone),
		cmocka_unit_test(test_plan__calls_for_time_stamps),
		cmocka_unit_test(
			test_plan__calls_for_time_stamps_where_little_is_watched),
		cmocka_unit_test(test_plan__keeps_switch_targets_free),
		cmocka_unit_test(test_plan__keeps_catch_blocks_free),
		cmocka_unit_test(test_plan__leaves_data_in_code_alone),
		cmocka_unit_test(test_plan__numbers_sites_from_the_first),
		cmocka_unit_test(test_plan__stops_at_the_room_it_is_given),
	};
	const struct CMUnitTest files[] = {
		cmocka_unit_test_setup_teardown(
			test_plan__refuses_what_is_no_program, setup_copy,
			teardown_copy),
		cmocka_unit_test_setup_teardown(
			test_plan__works_without_section_headers, setup_copy,
			teardown_copy),
		cmocka_unit_test_setup_teardown(
			test_plan__leaves_writable_code_alone, setup_copy,
			teardown_copy),
		cmocka_unit_test_setup_teardown(
			test_plan__survives_damaged_files, setup_copy,
			teardown_copy),
	};
	int failed = cmocka_run_group_tests_name("instrument_plan", tests,
						 setup, teardown);

	return failed + cmocka_run_group_tests_name("instrument_plan_files",
						    files, NULL, NULL);
}
