/* SPDX-License-Identifier: MIT */
/*
 * ok_setjmp.c - each thread jumps out of nested calls: correct
 */
#include <assert.h>
#include <setjmp.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int nr_caught;

static _Noreturn void fail_inside(jmp_buf out, int code)
{
	pthread_mutex_lock(&lock);
	nr_caught++;
	pthread_mutex_unlock(&lock);
	longjmp(out, code);
}

static void *work(void *arg)
{
	volatile int rounds = 0;
	jmp_buf out;
	int code;

	(void)arg;
	code = setjmp(out);
	if (code < 3) {
		rounds = rounds + 1;
		fail_inside(out, code + 1);
	}
	assert(rounds == 3);
	return NULL;
}

int main(void)
{
	guest_run(3, work);
	assert(nr_caught == 9);
	return guest_ok();
}
