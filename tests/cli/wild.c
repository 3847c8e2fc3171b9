/* SPDX-License-Identifier: MIT */
/*
 * wild.c - writes over memory that is not its own: `pattern` (a byte, or -1 for
 * others all the time) over `bytes` from `offset` in the tool's region.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pattern;
static size_t offset, bytes;

static unsigned char *find_region(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long at = 0;
	char line[512];

	while (f && !at && fgets(line, sizeof(line), f))
		if (strstr(line, "explore-control"))
			sscanf(line, "%lx", &at);
	if (f)
		fclose(f);
	return (unsigned char *)at;
}

static void use_lock(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

static void *run_wild(void *unused)
{
	unsigned char *region = find_region();
	unsigned int x = 12345;

	use_lock();
	for (size_t i = 0; region && i < bytes; i++) {
		x = x * 1103515245 + 12345;
		region[offset + i] = (unsigned char)(
			pattern < 0 ? (int)(x >> 16) : pattern);
	}
	use_lock();
	return unused;
}

static void *run(void *unused)
{
	use_lock();
	use_lock();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t a, b;

	if (argc < 4)
		return 2;
	pattern = atoi(argv[1]);
	offset = strtoul(argv[2], NULL, 0);
	bytes = strtoul(argv[3], NULL, 0);
	pthread_create(&a, NULL, run_wild, NULL);
	pthread_create(&b, NULL, run, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}
