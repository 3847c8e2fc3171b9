/* SPDX-License-Identifier: MIT */
/*
 * litmus.c - threads that load and store; prints what came of it
 *
 * Each argument is a thread's program, three letters an instruction; the last
 * one is carried out by main:
 *	Wx1	store 1 into x (y, z)
 *	Rx0	load x into register 0, one of 10
 *	Ux0	++x, an unlocked read-modify-write instruction
 *	Ax0	the same, locked
 * Prints "outcome", the registers, and the values of x, y and z at the end.
 */
#include <string.h>

#include "tests/guests/guest.h"

static long variable[3];
static long reg[10];
static int nr_regs;

static void carry_out(const char *i)
{
	long *at = &variable[i[1] - 'x'];
	long value = i[2] - '0';

	switch (i[0]) {
	case 'W':
		__asm__ volatile("movq %1, %0" : "=m" (*at) : "r" (value));
		break;
	case 'R':
		__asm__ volatile("movq %1, %0" : "=r" (value) : "m" (*at));
		reg[i[2] - '0'] = value;
		break;
	case 'U':
		__asm__ volatile("incq %0" : "+m" (*at));
		break;
	case 'A':
		__asm__ volatile("lock incq %0" : "+m" (*at));
		break;
	}
}

static void *play(void *arg)
{
	const char *program = arg;

	for (; *program; program += 3)
		carry_out(program);
	return NULL;
}

static void check(const char *program)
{
	size_t length = strlen(program);

	for (size_t i = 0; i + 2 < length; i += 3) {
		if (!strchr("WRUA", program[i]) ||
		    !strchr("xyz", program[i + 1]) ||
		    program[i + 2] < '0' || program[i + 2] > '9')
			exit(99);
		if (program[i] == 'R' && program[i + 2] - '0' >= nr_regs)
			nr_regs = program[i + 2] - '0' + 1;
	}
	if (length % 3)
		exit(99);
}

int main(int argc, char **argv)
{
	pthread_t thread[8];

	if (argc < 2 || argc > 9)
		return 99;
	for (int i = 1; i < argc; i++)
		check(argv[i]);
	for (int i = 0; i < argc - 2; i++)
		thread[i] = guest_start(play, argv[i + 1]);
	play(argv[argc - 1]);
	for (int i = 0; i < argc - 2; i++)
		guest_join(thread[i]);
	printf("outcome");
	for (int i = 0; i < nr_regs; i++)
		printf(" %ld", reg[i]);
	printf(" x=%ld y=%ld z=%ld\n", variable[0], variable[1], variable[2]);
	return 0;
}
