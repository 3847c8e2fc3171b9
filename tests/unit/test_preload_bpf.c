/* SPDX-License-Identifier: MIT */
/*
 * test_preload_bpf.c - filters of seccomp: which are valid, what they answer.
 *
 * Random programs are given to the kernel, too, where it takes filters from us:
 * it must accept the same ones, and answer the same.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/kernel/bpf.h"

#define NR_OF(a) (sizeof(a) / sizeof((a)[0]))
#define STMT(code, k) BPF_STMT((code), (k))
#define MAX_RANDOM 24		/* instructions */
#define NR_RANDOM 3000
#define PROBE 0x1357		/* no such system call */

static const struct seccomp_data data = {
	.nr = 39,
	.arch = AUDIT_ARCH_X86_64,
	.instruction_pointer = 0x1122334455667788ull,
	.args = { 1, 0xffffffff00000002ull, 3, 4, 5, 6 },
};

static uint64_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33) % below;
}

static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM, BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA, BPF_RET | BPF_K, BPF_RET | BPF_A,
	BPF_ALU | BPF_NEG, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX,
	BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_K, BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K, BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_AND | BPF_K, BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_K, BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K, BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K, BPF_ALU | BPF_RSH | BPF_X,
	BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K, BPF_JMP | BPF_JSET | BPF_X,
};
/* Valid in a socket's filter, or nowhere. */
static const uint16_t bad_codes[] = {
	BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND, BPF_LDX | BPF_B | BPF_MSH,
	BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_MOD | BPF_X, 0xffff,
};

/* An instruction; now and then one that cannot be. */
static struct sock_filter random_instruction(uint32_t left)
{
	struct sock_filter f = { .code = codes[next_random(NR_OF(codes))] };
	uint32_t slack = next_random(40) == 0;

	if (next_random(150) == 0)
		f.code = bad_codes[next_random(NR_OF(bad_codes))];
	switch (BPF_CLASS(f.code)) {
	case BPF_JMP:
		f.k = BPF_OP(f.code) == BPF_JA ? next_random(left + slack)
					       : next_random(8);
		f.jt = (uint8_t)next_random(left + slack);
		f.jf = (uint8_t)next_random(left + slack);
		break;
	case BPF_ALU:
		f.k = next_random(34);
		break;
	case BPF_RET:
		f.k = next_random(4096);
		break;
	default:
		f.k = next_random(16) * (BPF_MODE(f.code) == BPF_ABS ? 4 : 1) +
		      slack;
	}
	return f;
}

static uint32_t random_program(struct sock_filter *f)
{
	uint32_t nr = 2 + next_random(MAX_RANDOM - 2);

	/* All of its memory is written, as a rule. */
	for (uint32_t i = 0; i < nr - 1; i++)
		f[i] = random_instruction(nr - 1 - i);
	if (nr > 8 && next_random(2))
		for (uint32_t i = 0; i < 6; i++)
			f[i] = (struct sock_filter)STMT(BPF_ST, i * 3);
	f[nr - 1] = (struct sock_filter)STMT(BPF_RET | BPF_A, 0);
	return nr;
}

static long load(struct sock_filter *f, uint32_t nr)
{
	struct sock_fprog p = { (unsigned short)nr, f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) ? errno : 0;
}

static bool kernel_takes_filters(void)
{
	struct sock_filter f = STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	pid_t pid = fork();
	int status = 1;

	if (!pid)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || load(&f, 1));
	waitpid(pid, &status, 0);
	return !status;
}

/*
 * A program's value v as an errno for PROBE: v / 16 % 256 + 1, so that nothing
 * kills. All other calls go on.
 */
static uint32_t wrap(struct sock_filter *to, const struct sock_filter *f,
		     uint32_t nr)
{
	const struct sock_filter head[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROBE, 1, 0),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		STMT(BPF_LD | BPF_IMM, 0),
	};
	const struct sock_filter tail[] = {
		STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
		STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		STMT(BPF_RET | BPF_A, 0),
	};

	memcpy(to, head, sizeof(head));
	memcpy(to + NR_OF(head), f, nr * sizeof(*f));
	/* The last instruction gives its value to what comes behind it. */
	memcpy(to + NR_OF(head) + nr - 1, tail, sizeof(tail));
	return (uint32_t)NR_OF(head) + nr - 1 + (uint32_t)NR_OF(tail);
}

/* The errno that the filter gives for a call; -1: invalid, -2: it kills. */
static int answer_of_kernel(struct sock_filter *f, uint32_t nr)
{
	int result = -2, pipe_fd[2];
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		result = load(f, nr) ? -1 : 0;
		if (!result)
			result = syscall(PROBE, 1, 2, 3, 4, 5, 6) ? errno : 0;
		if (write(pipe_fd[1], &result, sizeof(result)) < 0)
			_exit(1);
		_exit(0);
	}
	close(pipe_fd[1]);
	if (read(pipe_fd[0], &result, sizeof(result)) < 0)
		result = -2;
	close(pipe_fd[0]);
	waitpid(pid, NULL, 0);
	return result;
}

static int answer_of_ours(const struct sock_filter *f, uint32_t nr)
{
	struct seccomp_data d = {
		.nr = PROBE,
		.arch = AUDIT_ARCH_X86_64,
		.args = { 1, 2, 3, 4, 5, 6 },
	};

	uint32_t answer;

	if (!bpf_is_valid(f, nr))
		return -1;
	answer = bpf_run(f, &d);
	return answer & SECCOMP_RET_ERRNO ? (int)(answer & SECCOMP_RET_DATA)
					  : -2;
}

/* What a program says of the place of its call differs: it is not loaded. */
static bool looks_at_place(const struct sock_filter *f, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (f[i].code == (BPF_LD | BPF_W | BPF_ABS) &&
		    (f[i].k == 8 || f[i].k == 12))
			return true;
	return false;
}

/* A return that kills, or traces, says no errno. */
static bool has_other_end(const struct sock_filter *f, uint32_t nr)
{
	for (uint32_t i = 0; i < nr - 1; i++)
		if (BPF_CLASS(f[i].code) == BPF_RET)
			return true;
	return false;
}

static void test_bpf_run__answers_as_the_kernel_does(void **state)
{
	struct sock_filter f[MAX_RANDOM], wrapped[MAX_RANDOM + 8];
	uint32_t nr_valid = 0, nr_invalid = 0;

	(void)state;
	if (!kernel_takes_filters())
		skip();
	for (int i = 0; i < NR_RANDOM; i++) {
		uint32_t nr = random_program(f), n;
		int ours, theirs;

		if (looks_at_place(f, nr) || has_other_end(f, nr))
			continue;
		n = wrap(wrapped, f, nr);
		ours = answer_of_ours(wrapped, n);
		theirs = answer_of_kernel(wrapped, n);
		if (ours != theirs)
			print_message("program %d: %d, not %d\n", i, ours,
				      theirs);
		assert_int_equal(ours, theirs);
		nr_valid += ours >= 0;
		nr_invalid += ours < 0;
	}
	print_message("%u valid, %u not\n", nr_valid, nr_invalid);
	assert_true(nr_valid > 100 && nr_invalid > 100);
}

static void test_bpf_run__compares_and_computes(void **state)
{
	const struct sock_filter by_number[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 0, 1),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 7),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_filter high_half[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS,
		     offsetof(struct seccomp_data, args[1]) + 4),
		STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_filter by_zero[] = {
		STMT(BPF_LD | BPF_IMM, 5),
		STMT(BPF_LDX | BPF_IMM, 0),
		STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	(void)state;
	assert_true(bpf_is_valid(by_number, NR_OF(by_number)));
	assert_int_equal(bpf_run(by_number, &data), SECCOMP_RET_ERRNO | 7);
	assert_int_equal(bpf_run(high_half, &data), 0xffffffff);
	assert_true(bpf_is_valid(by_zero, NR_OF(by_zero)));
	assert_int_equal(bpf_run(by_zero, &data), 0);
}

static void test_bpf_is_valid__refuses(void **state)
{
	const struct sock_filter no_end[] = { STMT(BPF_LD | BPF_IMM, 0) };
	const struct sock_filter unaligned[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, 2), STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_filter behind_data[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
		STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_filter unwritten[] = {
		STMT(BPF_LD | BPF_MEM, 3), STMT(BPF_RET | BPF_A, 0),
	};
	/* Written on one of two ways only. */
	const struct sock_filter half_written[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		STMT(BPF_ST, 3),
		STMT(BPF_LD | BPF_MEM, 3), STMT(BPF_RET | BPF_A, 0),
	};
	static struct sock_filter too_long[BPF_MAXINSNS + 1];

	(void)state;
	for (size_t i = 0; i < NR_OF(too_long); i++)
		too_long[i] = (struct sock_filter)STMT(BPF_RET | BPF_K, 0);
	assert_false(bpf_is_valid(no_end, 0));
	assert_false(bpf_is_valid(no_end, 1));
	assert_false(bpf_is_valid(unaligned, 2));
	assert_false(bpf_is_valid(behind_data, 2));
	assert_false(bpf_is_valid(unwritten, 2));
	assert_false(bpf_is_valid(half_written, 4));
	assert_false(bpf_is_valid(too_long, BPF_MAXINSNS + 1));
	assert_true(bpf_is_valid(too_long, BPF_MAXINSNS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bpf_is_valid__refuses),
		cmocka_unit_test(test_bpf_run__compares_and_computes),
		cmocka_unit_test(test_bpf_run__answers_as_the_kernel_does),
	};

	return cmocka_run_group_tests_name("preload_bpf", tests, NULL, NULL);
}
