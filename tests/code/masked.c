/* SPDX-License-Identifier: MIT */
/*
 * masked.c - vector instructions with masks and with several addresses
 *
 * As far as the processor has them; some write where a plain access of the same
 * size would fault.
 */
#include <assert.h>
#include <immintrin.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/guests/guest.h"

#define PAGE 4096

static int32_t shared[64] __attribute__((aligned(64)));
static int32_t *edge;	/* eight bytes are left in the page */

__attribute__((target("avx2"))) static void use_avx2(int32_t *table)
{
	__m256i mask = _mm256_setr_epi32(-1, -1, 0, 0, 0, 0, 0, 0);
	__m256i index = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
	__m256i two = _mm256_maskload_epi32(edge, mask);
	__m256i back = _mm256_i32gather_epi32(table, index, 4);

	_mm256_maskstore_epi32(edge, mask, _mm256_add_epi32(two, two));
	_mm256_storeu_si256((__m256i *)(table + 8), back);
}

__attribute__((target("avx512f"))) static void use_avx512(int32_t *table)
{
	__m512i index = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6,
					  5, 4, 3, 2, 1, 0);
	__m512i v = _mm512_mask_loadu_epi32(_mm512_set1_epi32(9), 3, edge);

	_mm512_mask_storeu_epi32(edge, 3, v);
	v = _mm512_mask_i32gather_epi32(v, 0x00ff, index, table, 4);
	_mm512_mask_i32scatter_epi32(table + 32, 0xff00, index, v, 4);
}

static void *use(void *arg)
{
	int32_t *table = arg;

	if (__builtin_cpu_supports("avx2"))
		use_avx2(table);
	if (__builtin_cpu_supports("avx512f"))
		use_avx512(table);
	return NULL;
}

static void *use_shared(void *arg)
{
	(void)arg;
	return use(shared);
}

int main(void)
{
	int32_t own[64];
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert(p != MAP_FAILED && !munmap(p + PAGE, PAGE));
	edge = (int32_t *)(p + PAGE) - 2;
	guest_run(2, use_shared);
	for (int i = 0; i < 64; i++)
		own[i] = i * 3;
	edge[0] = 5;
	edge[1] = 6;
	use(own);
	if (__builtin_cpu_supports("avx2"))
		assert(edge[0] == 10 && edge[1] == 12 && own[8] == 21 &&
		       own[15] == 0);
	if (__builtin_cpu_supports("avx512f"))
		assert(own[32 + 7] == 9 && own[32] == 9 && own[33] == 9);
	return guest_ok();
}
