/* SPDX-License-Identifier: MIT */
/*
 * ok_dlopen.c - two threads load a library and call into it: correct
 */
#include <assert.h>
#include <dlfcn.h>

#include "guest.h"

static void *use(void *arg)
{
	double (*cosine)(double);
	void *library = dlopen("libm.so.6", RTLD_NOW);

	(void)arg;
	assert(library);
	*(void **)&cosine = dlsym(library, "cos");
	assert(cosine && cosine(0.0) == 1.0);
	dlclose(library);
	return NULL;
}

int main(void)
{
	guest_run(2, use);
	return guest_ok();
}
