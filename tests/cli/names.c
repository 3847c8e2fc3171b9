/* SPDX-License-Identifier: MIT */
/*
 * names - takes names that others could take, and gives none of them back:
 * /dev/shm, System V. In each run they must be free, and what a constructor made
 * or OUTSIDE (a file in /dev/shm) is must be as it was at first.
 *
 *	names [OUTSIDE]
 */
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW (O_CREAT | O_EXCL | O_RDWR)

static int *early;
static sem_t *both;

__attribute__((constructor)) static void make(void)
{
	int fd = shm_open("/explore-early", NEW, 0600);

	assert(fd >= 0 && !ftruncate(fd, 8192));
	early = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	early[1] = 4;
	both = sem_open("/explore-both", O_CREAT | O_EXCL, 0600, 2);
	assert(both != SEM_FAILED);
}

static void *post(void *arg)
{
	sem_post(both);
	return arg;
}

static void use_early(void)
{
	int fd = shm_open("/explore-early", O_RDWR, 0), value;
	struct stat s;

	assert(!early[0] && early[1] == 4 && fd >= 0);
	assert(!fstat(fd, &s) && s.st_size == 8192);
	assert(!sem_getvalue(both, &value) && value == 2);
	early[0] = 7;
	early[1] = 0;
	assert(pread(fd, &value, sizeof(value), 0) == 4 && value == 7);
	assert(!ftruncate(fd, 4) && !fchmod(fd, 0400));
	assert(!shm_unlink("/explore-early"));
}

static void take_names(void)
{
	sem_t *sem = sem_open("/explore-late", O_CREAT | O_EXCL, 0600, 1);

	assert(sem != SEM_FAILED);
	assert(shm_open("/explore-shm", NEW, 0600) >= 0);
	assert(!mkdir("/dev/shm/explore-dir", 0500));
	assert(!symlink("nowhere", "/dev/shm/explore-link"));
	assert(!chmod("/dev/shm/explore-dir", 0700));
	assert(open("/dev/shm/explore-dir/.file", NEW, 0400) >= 0);
	assert(shmget(0x45580001, 100, IPC_CREAT | IPC_EXCL | 0600) >= 0);
	assert(semget(0x45580001, 1, IPC_CREAT | IPC_EXCL | 0600) >= 0);
	assert(msgget(0x45580001, IPC_CREAT | IPC_EXCL | 0600) >= 0);
}

static void use_outside(const char *path)
{
	char text[16] = "";
	int fd = open(path, O_RDWR);

	assert(fd >= 0 && read(fd, text, sizeof(text)) == 6);
	assert(!strcmp(text, "hello\n"));
	assert(!ftruncate(fd, 0) && !unlink(path));
	assert(!mkdir(path, 0700));
}

int main(int argc, char **argv)
{
	pthread_t thread;

	use_early();
	take_names();
	if (argc > 1)
		use_outside(argv[1]);
	assert(!pthread_create(&thread, NULL, post, NULL));
	assert(!pthread_join(thread, NULL));
	return 0;
}
