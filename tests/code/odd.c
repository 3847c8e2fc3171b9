/* SPDX-License-Identifier: MIT */
/*
 * odd.c - code that no compiler would make, in functions with unwind tables
 *
 * Data between instructions that would decode as accesses, jumps into the middle
 * of an instruction, two functions that share bytes, a table of jumps that is
 * added to and shifted, addresses of 32 bits, an IFUNC, a masked and a gathering
 * access. Two threads use all of it; the results must be right.
 */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/guests/guest.h"

int data_between(volatile int *a, int which);
int middle(volatile int *a);
int shared_tail(volatile int *a);
int shared_tail_2(volatile int *a);
int obfuscated(volatile int *a, long which);
int narrow(volatile int *a);
int chosen(volatile int *a);

__asm__(".text\n"
	".globl data_between, middle, shared_tail, shared_tail_2\n"
	".globl obfuscated, narrow\n"

	/* A table of constants right behind a load, in reach of a patch. */
	"data_between:	.cfi_startproc\n"
	"	lea 1f(%rip), %rdx\n"
	"	mov (%rdi), %eax\n"
	"	jmp 2f\n"
	"1:	.long 0x10078b90, 0x078b078b, 0x90909089, 0x06\n"
	"2:	add (%rdx,%rsi,4), %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"

	/* mov $0xc0ff078b, %ecx is also mov (%rdi), %eax; inc %eax. */
	"middle:	.cfi_startproc\n"
	"	mov (%rdi), %eax\n"
	"	xor %ecx, %ecx\n"
	"	jz 1f + 1\n"
	"1:	.byte 0xb9, 0x8b, 0x07, 0xff, 0xc0\n"
	"	add (%rdi), %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"

	/* Two functions, whose entries in .eh_frame are below. */
	"shared_tail:\n"
	"	mov (%rdi), %eax\n"
	"	add $1, %eax\n"
	"shared_tail_2:\n"
	"	mov (%rdi), %eax\n"
	"	add $2, %eax\n"
	"	ret\n"
	"shared_end:\n"

	/* The table holds distances that are doubled and moved by 3. */
	"obfuscated:	.cfi_startproc\n"
	"	lea 9f(%rip), %rdx\n"
	"	lea 8f(%rip), %rax\n"
	"	movzbl (%rdx,%rsi), %edx\n"
	"	sub $3, %rdx\n"
	"	shr $1, %rdx\n"
	"	add %rdx, %rax\n"
	"	jmp *%rax\n"
	"8:	mov (%rdi), %eax\n"
	"7:	inc %eax\n"
	"6:	mov (%rdi), %ecx\n"
	"5:	add %ecx, %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.pushsection .rodata\n"
	"9:	.byte 3, (7b - 8b) * 2 + 3, (6b - 8b) * 2 + 3\n"
	"	.byte (5b - 8b) * 2 + 3\n"
	"	.popsection\n"

	"narrow:	.cfi_startproc\n"
	"	mov (%edi), %eax\n"
	"	mov %edi, %edi\n"
	"	mov %edi, %esi\n"
	"	mov $1, %ecx\n"
	"	addr32 rep movsl\n"
	"	lea -4(%edi), %edi\n"
	"	add (%edi), %eax\n"
	"	ret\n"
	"	.cfi_endproc\n"

	/* A CIE and two FDEs by hand: gas refuses to nest them. */
	"	.section .eh_frame, \"a\", @progbits\n"
	"0:	.long 2f - 1f\n"
	"1:	.long 0\n"
	"	.byte 1\n"
	"	.string \"zR\"\n"
	"	.uleb128 1\n"
	"	.sleb128 -8\n"
	"	.byte 16\n"
	"	.uleb128 1\n"
	"	.byte 0x1b\n"
	"	.byte 0x0c, 7, 8, 0x90, 1\n"
	"	.balign 8\n"
	"2:	.long 4f - 3f\n"
	"3:	.long 3b - 0b\n"
	"	.long shared_tail - .\n"
	"	.long shared_end - shared_tail\n"
	"	.uleb128 0\n"
	"	.balign 8\n"
	"4:	.long 6f - 5f\n"
	"5:	.long 5b - 0b\n"
	"	.long shared_tail_2 - .\n"
	"	.long shared_end - shared_tail_2\n"
	"	.uleb128 0\n"
	"	.balign 8\n"
	"6:\n"
	"	.text\n");

static int choose_one(volatile int *a)
{
	return *a + 1;
}

static int (*resolve(void))(volatile int *)
{
	return choose_one;
}

int chosen(volatile int *a) __attribute__((ifunc("resolve")));

/* Labels as values: distances, and the sum of one of them and a label. */
static int computed(volatile int *a, const uint8_t *program)
{
	static const int distance[] = {
		&&add - &&add, &&twice - &&add, &&store - &&add, &&end - &&add,
	};

	int value = *a;

next:
	goto *(&&add + distance[*program++]);
add:
	value += *a;
	goto next;
twice:
	value *= 2;
	goto next;
store:
	*a = value;
	goto next;
end:
	return value;
}

static void *use(void *arg)
{
	static volatile int shared;
	volatile int *low = arg;
	static const uint8_t program[] = { 0, 1, 2, 0, 3 };

	data_between(&shared, 1);
	middle(&shared);
	shared_tail(&shared);
	shared_tail_2(&shared);
	for (long i = 0; i < 4; i++)
		obfuscated(&shared, i);
	narrow(low);
	chosen(&shared);
	computed(&shared, program);
	return NULL;
}

int main(void)
{
	static const uint8_t program[] = { 0, 1, 2, 0, 3 };
	static volatile int value = 20, three = 3;
	pthread_t t[2];
	volatile int *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
				 0);

	assert((void *)low != MAP_FAILED);
	for (int i = 0; i < 2; i++)
		t[i] = guest_start(use, (void *)low);
	for (int i = 0; i < 2; i++)
		guest_join(t[i]);
	assert(data_between(&value, 0) == 20 + 0x10078b90);
	assert(data_between(&value, 3) == 26);
	assert(middle(&value) == 41);
	assert(shared_tail(&value) == 22 && shared_tail_2(&value) == 22);
	assert(obfuscated(&value, 0) == 41);
	*low = 8;
	assert(narrow(low) == 16);
	assert(chosen(&value) == 21);
	assert(computed(&three, program) == 24 && three == 12);
	return guest_ok();
}
