/* SPDX-License-Identifier: MIT */
/*
 * relocated.c - the dynamic linker changes the code before main
 *
 * Addresses of 64 bits in instructions (DT_TEXTREL): what is in the file is not
 * what is executed.
 */
#include <assert.h>

#include "tests/guests/guest.h"

volatile long value = 40;

long get_absolute(void);
long get_behind(volatile long *a);

__asm__(".text\n"
	"get_absolute:	.cfi_startproc\n"
	"	movabs value, %rax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"get_behind:	.cfi_startproc\n"
	"	mov (%rdi), %rdx\n"	/* room from the next one */
	"	movabs $value, %rax\n"
	"	add (%rax), %rdx\n"
	"	mov %rdx, %rax\n"
	"	ret\n"
	"	.cfi_endproc\n");

static void *use(void *arg)
{
	value = get_absolute();
	get_behind(&value);
	return arg;
}

int main(void)
{
	static volatile long two = 2;

	guest_run(2, use);
	assert(get_absolute() == 40);
	assert(get_behind(&two) == 42);
	return guest_ok();
}
