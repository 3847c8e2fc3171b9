/* SPDX-License-Identifier: MIT */
/*
 * ok_limits - limits on memory and its locking mean the program's memory: what
 * was set is what is read, what fits is there, what does not fit is refused.
 */
#define TEST_SOFT (1ul << 30)
#define TEST_HARD (2ul << 30)

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHECK(x) ((x) ? (void)0 : fail(#x))

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int done;

static void fail(const char *what)
{
	fprintf(stderr, "not so: %s (%s)\n", what, strerror(errno));
	abort();
}

static void *count(void *arg)
{
	char *p = malloc(1 << 20);

	CHECK(p);
	memset(p, 1, 1 << 20);
	pthread_mutex_lock(&m);
	done++;
	pthread_mutex_unlock(&m);
	free(p);
	return arg;
}

static void check_limit(int resource, int prot)
{
	struct rlimit r = { TEST_SOFT, TEST_HARD }, was, now;
	void *p;

	CHECK(!getrlimit(resource, &was));
	CHECK(!setrlimit(resource, &r));
	CHECK(!getrlimit(resource, &now));
	CHECK(now.rlim_cur == TEST_SOFT && now.rlim_max == TEST_HARD);
	CHECK(!prlimit(getpid(), resource, NULL, &now));
	CHECK(now.rlim_cur == TEST_SOFT && now.rlim_max == TEST_HARD);
	r.rlim_cur = TEST_HARD + 1;
	CHECK(setrlimit(resource, &r) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_prlimit64, 0, resource, (void *)8, NULL) == -1 &&
	      errno == EFAULT);
	p = mmap(NULL, 200 << 20, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(!munmap(p, 200 << 20));
	p = mmap(NULL, TEST_SOFT + (64 << 20), prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p == MAP_FAILED && errno == ENOMEM);
}

/* In kB; what the tool itself maps is not locked. */
static long locked(void)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %ld", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void check_locking(void)
{
	void *p;

	/* Without the right to do it there is nothing to see. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE)) {
		CHECK(errno == ENOMEM || errno == EPERM);
		return;
	}
	CHECK(locked() > 0 && locked() < 256 << 10);
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(!munlockall());
	CHECK(!locked());
	CHECK(!mlockall(MCL_CURRENT | MCL_ONFAULT));
	CHECK(!munlockall());
	CHECK(mlockall(0) == -1 && errno == EINVAL);
	CHECK(mlockall(8 | MCL_CURRENT) == -1 && errno == EINVAL);
}

int main(void)
{
	pthread_t t[2];

	check_locking();
	check_limit(RLIMIT_AS, PROT_READ);
	check_limit(RLIMIT_DATA, PROT_READ | PROT_WRITE);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, count, NULL));
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(done == 2);
	puts("ok");
	return 0;
}
