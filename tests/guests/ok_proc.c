/* SPDX-License-Identifier: MIT */
/*
 * Correct: looks itself up in /proc, by all the names that there are for a
 * process and its threads, and finds what it knows from elsewhere.
 */
#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define NR_THREADS 2

static sem_t up, go;
static pid_t tids[NR_THREADS];
static char text[8192];

static void check(int good)
{
	if (!good)
		abort();
}

static void *waits(void *arg)
{
	int i = *(int *)arg;
	char link[64] = "", expected[64];
	sigset_t set;

	tids[i] = gettid();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1 + i);
	check(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	sem_post(&up);
	sem_wait(&go);
	check(readlink("/proc/thread-self", link, sizeof(link) - 1) > 0);
	snprintf(expected, sizeof(expected), "%d/task/%d", (int)getpid(),
		 (int)gettid());
	check(!strcmp(link, expected));
	return arg;
}

static const char *content(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY);
	ssize_t n;

	check(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	check(n > 0 && !close(fd));
	text[n] = '\0';
	return text;
}

/* A line of "status". */
static unsigned long long line_of(const char *path, const char *name, int base)
{
	const char *p = strstr(content(AT_FDCWD, path), name);

	check(p != NULL);
	return strtoull(p + strlen(name), NULL, base);
}

static void look_at_list(void)
{
	DIR *dir = opendir("/proc/self/task");
	int nr = 0, nr_known = 0, nr_again = 0;
	struct dirent *e;
	struct stat st;
	char path[300];

	check(dir != NULL);
	while ((e = readdir(dir))) {
		int tid = atoi(e->d_name);

		if (e->d_name[0] == '.')
			continue;
		nr++;
		nr_known += tid == getpid() || tid == tids[0] || tid == tids[1];
		check(!fstatat(dirfd(dir), e->d_name, &st, 0) &&
		      S_ISDIR(st.st_mode));
		snprintf(path, sizeof(path), "%s/stat", e->d_name);
		check(atoi(content(dirfd(dir), path)) == tid);
	}
	check(nr == NR_THREADS + 1 && nr_known == nr);
	for (rewinddir(dir); readdir(dir);)
		nr_again++;
	check(nr_again == nr + 2);
	closedir(dir);
}

static void look_at_process(void)
{
	const char *p;
	char path[64], link[64] = "";
	struct stat st;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)getpid());
	p = content(AT_FDCWD, path);
	check(atoi(p) == getpid());
	p = strrchr(p, ')') + 4;
	ppid = atoi(p);
	check(ppid == getppid());
	for (int field = 4; field < 20; field++)
		p = strchr(p, ' ') + 1;
	check(atoi(p) == NR_THREADS + 1);
	check(line_of("/proc/self/status", "Threads:", 10) == NR_THREADS + 1);
	check(line_of("/proc/self/status", "\nPid:", 10) ==
	      (unsigned long long)getpid());
	snprintf(path, sizeof(path), "/proc/%d", (int)getpid());
	check(!lstat(path, &st) && S_ISDIR(st.st_mode));
	check(!lstat("/proc/self", &st) && S_ISLNK(st.st_mode));
	check(readlink("/proc/self", link, sizeof(link) - 1) > 0);
	check(atoi(link) == getpid());
	check(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0);
}

static void look_at_threads(void)
{
	char path[64];

	for (int i = 0; i < NR_THREADS; i++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/status",
			 (int)tids[i]);
		check(line_of(path, "\nPid:", 10) ==
		      (unsigned long long)tids[i]);
		check(line_of(path, "Tgid:", 10) ==
		      (unsigned long long)getpid());
		check(line_of(path, "SigBlk:", 16) ==
		      1ull << (SIGUSR1 + i - 1));
		snprintf(path, sizeof(path), "/proc/%d/task/%d/maps",
			 (int)getpid(), (int)tids[i]);
		check(!access(path, R_OK));
		snprintf(path, sizeof(path), "/proc/self/task/%d",
			 (int)tids[i]);
		check(!chdir(path));
		check(strstr(content(AT_FDCWD, "maps"), "ok_proc") != NULL);
		snprintf(path, sizeof(path), "/proc/%d/task/%d/maps",
			 (int)getpid(), (int)tids[i]);
		check(strstr(content(AT_FDCWD, path), "ok_proc") != NULL);
	}
	check(!chdir("/proc/self/task"));
	snprintf(path, sizeof(path), "%d/stat", (int)tids[1]);
	check(atoi(content(AT_FDCWD, path)) == tids[1]);
	check(!chdir("/"));
}

int main(void)
{
	int index[NR_THREADS] = { 0, 1 };
	pthread_t t[NR_THREADS];
	char path[64];

	sem_init(&up, 0, 0);
	sem_init(&go, 0, 0);
	for (int i = 0; i < NR_THREADS; i++)
		t[i] = guest_start(waits, &index[i]);
	for (int i = 0; i < NR_THREADS; i++)
		sem_wait(&up);
	look_at_list();
	look_at_process();
	look_at_threads();
	for (int i = 0; i < NR_THREADS; i++)
		sem_post(&go);
	for (int i = 0; i < NR_THREADS; i++)
		guest_join(t[i]);
	snprintf(path, sizeof(path), "/proc/self/task/%d", (int)tids[0]);
	check(access(path, F_OK) == -1);
	return guest_ok();
}
