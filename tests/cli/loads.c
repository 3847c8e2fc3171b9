/* SPDX-License-Identifier: MIT */
/*
 * loads.c - two threads run code that main has loaded: of argument 1. With
 * -DLOADED it is that code, which loses updates.
 */
#ifdef LOADED

void hit(void);
int shared;

void hit(void)
{
	int seen = shared;

	shared = seen + 1;
}

#else

#include <dlfcn.h>
#include <pthread.h>

static void (*hit)(void);

static void *work(void *unused)
{
	hit();
	return unused;
}

int main(int argc, char **argv)
{
	void *code = argc > 1 ? dlopen(argv[1], RTLD_NOW) : 0;
	pthread_t t[2];

	if (!code)
		return 2;
	*(void **)&hit = dlsym(code, "hit");
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], 0, work, 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], 0);
	return *(int *)dlsym(code, "shared") == 2 ? 0 : 1;
}

#endif
