/* SPDX-License-Identifier: MIT */
/*
 * ok_before_main.c - what a constructor made is in each run as the constructor
 * left it, whatever the run before did to it
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "guest.h"

#define BYTES 8192

static const char *kind = "";
static int fd = -1, other = -1, set = -1, set_copy = -1;
static int *words;

static void *nothing(void *arg)
{
	return arg;
}

/* ---------------------------------------------------------------- memory */

static void memory_make(void)
{
	fd = memfd_create("before", MFD_ALLOW_SEALING);
	assert(fd >= 0 && !ftruncate(fd, BYTES));
	words = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert(words != MAP_FAILED);
	words[1] = 6;
	assert(lseek(fd, 4, SEEK_SET) == 4);
}

static void memory_use(void)
{
	int word;

	assert(lseek(fd, 0, SEEK_END) == BYTES && !words[0] && words[1] == 6);
	assert(pread(fd, &word, sizeof(word), 4) == 4 && word == 6);
	words[0] = 1;
	words[BYTES / 4 - 1] = 3;
	assert(!ftruncate(fd, 4));
}

/* Nobody has it open any more. */
static void closed_make(void)
{
	memory_make();
	close(fd);
}

static void closed_use(void)
{
	assert(!words[0] && words[1] == 6);
	words[0] = words[1] = 9;
}

static void segment_make(void)
{
	int id = shmget(IPC_PRIVATE, BYTES, 0600);

	words = shmat(id, NULL, 0);
	assert(words != (void *)-1 && !shmctl(id, IPC_RMID, NULL));
	words[1] = 6;
}

/* ----------------------------------------------------------------- files */

static void file_make(void)
{
	char name[] = "/tmp/before-main.XXXXXX";

	fd = mkstemp(name);
	assert(fd >= 0 && !unlink(name));
	assert(write(fd, "abcdef", 6) == 6 && lseek(fd, 2, SEEK_SET) == 2);
	other = dup(fd);
}

static void file_use(void)
{
	char byte;

	assert(!(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)));
	assert(lseek(fd, 0, SEEK_CUR) == 2);
	assert(read(other, &byte, 1) == 1 && byte == 'c');
	assert(read(fd, &byte, 1) == 1 && byte == 'd');
	assert(lseek(fd, 0, SEEK_END) == 6);
	assert(!fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	assert(write(fd, "xyz", 3) == 3);
}

static void position_make(void)
{
	fd = open("/proc/self/exe", O_RDONLY);
	assert(fd >= 0 && lseek(fd, 7, SEEK_SET) == 7);
}

static void position_use(void)
{
	char byte;

	assert(lseek(fd, 0, SEEK_CUR) == 7 && read(fd, &byte, 1) == 1);
}

/* Another description of the same file. */
static int reopen(int of)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", of);
	return open(path, O_RDWR);
}

static void locks_make(void)
{
	struct flock area = { .l_type = F_WRLCK, .l_start = 2, .l_len = 3 };

	file_make();
	close(other);
	other = reopen(fd);
	assert(other >= 0 && !flock(fd, LOCK_EX));
	assert(!fcntl(fd, F_SETLK, &area));
	area.l_start = 10;
	area.l_len = 0;
	assert(!fcntl(fd, F_OFD_SETLK, &area));
}

static void locks_use(void)
{
	struct flock area = { .l_type = F_WRLCK, .l_start = 12 };

	assert(flock(other, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK);
	assert(fcntl(other, F_OFD_SETLK, &area) && errno == EAGAIN);
	assert(!fcntl(fd, F_OFD_SETLK,
		      &(struct flock){ .l_type = F_UNLCK, .l_start = 10 }));
	assert(!flock(fd, LOCK_UN) && !flock(other, LOCK_EX | LOCK_NB));
	/* Mine: it is not in my way, and in that of nobody but others. */
	area = (struct flock){ .l_type = F_WRLCK, .l_len = 6 };
	assert(!fcntl(other, F_SETLK, &area));
	area = (struct flock){ .l_type = F_WRLCK, .l_start = 2, .l_len = 1 };
	assert(!fcntl(other, F_OFD_GETLK, &area) && area.l_type == F_WRLCK);
}

/* ---------------------------------------------------------- pipes, counts */

static void pipe_make(void)
{
	int end[2];

	assert(!pipe2(end, O_NONBLOCK) && write(end[1], "abc", 3) == 3);
	fd = end[0];
	other = end[1];
	assert(fcntl(fd, F_SETFL, 0) == 0);
}

static void *read_all(void *arg)
{
	char bytes[8];

	assert(read(fd, bytes, 2) == 2 && !memcmp(bytes, "ab", 2));
	assert(read(fd, bytes, 8) > 0);
	while (read(fd, bytes, 8) > 0)
		continue;
	return arg;
}

/* It ends where the only writer closes it. */
static void pipe_use(void)
{
	pthread_t reader = guest_start(read_all, NULL);

	assert(fcntl(other, F_GETFL) & O_NONBLOCK);
	assert(write(other, "def", 3) == 3 && !close(other));
	guest_join(reader);
}

static void count_make(int flags)
{
	fd = eventfd(3, EFD_NONBLOCK | flags);
	other = dup(fd);
	assert(fd >= 0 && other >= 0);
}

static void counter_make(void)
{
	count_make(0);
}

static void semaphore_make(void)
{
	count_make(EFD_SEMAPHORE);
}

static void counter_use(void)
{
	uint64_t count;

	assert(read(fd, &count, 8) == 8 && count == 3);
	assert(read(other, &count, 8) < 0 && errno == EAGAIN);
	count = 5;
	assert(write(other, &count, 8) == 8);
}

static void semaphore_use(void)
{
	uint64_t count;

	for (int i = 0; i < 3; i++)
		assert(read(i ? other : fd, &count, 8) == 8 && count == 1);
	assert(read(fd, &count, 8) < 0 && errno == EAGAIN);
	assert(write(fd, &count, 8) == 8);
}

static void timer_make(void)
{
	const struct itimerspec hour = { .it_value = { 3600, 0 } };

	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	assert(fd >= 0 && !timerfd_settime(fd, 0, &hour, NULL));
}

static void timer_use(void)
{
	struct itimerspec now;

	assert(!timerfd_gettime(fd, &now) && now.it_value.tv_sec >= 3000);
	assert(!timerfd_settime(fd, 0, &(struct itimerspec){ 0 }, NULL));
}

static void poll_make(void)
{
	struct epoll_event e = { EPOLLIN | EPOLLONESHOT, { .u64 = 77 } };

	pipe_make();
	set = epoll_create1(0);
	set_copy = dup(set);
	assert(set >= 0 && !epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
}

static void poll_use(void)
{
	struct epoll_event e = { EPOLLOUT, { .u64 = 5 } };

	assert(epoll_wait(set_copy, &e, 1, 0) == 1 && e.data.u64 == 77);
	assert(!epoll_wait(set, &e, 1, 0));
	e = (struct epoll_event){ EPOLLOUT, { .u64 = 5 } };
	assert(!epoll_ctl(set, EPOLL_CTL_ADD, other, &e));
	assert(!epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
	pipe_use();
}

static const struct {
	const char *name;
	void (*make)(void);
	void (*use)(void);
} kinds[] = {
	{ "memory", memory_make, memory_use },
	{ "closed", closed_make, closed_use },
	{ "segment", segment_make, closed_use },
	{ "file", file_make, file_use },
	{ "position", position_make, position_use },
	{ "locks", locks_make, locks_use },
	{ "pipe", pipe_make, pipe_use },
	{ "counter", counter_make, counter_use },
	{ "semaphore", semaphore_make, semaphore_use },
	{ "timer", timer_make, timer_use },
	{ "poll", poll_make, poll_use },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

__attribute__((constructor)) static void make(int argc, char **argv)
{
	if (argc > 1)
		kind = argv[1];
	for (size_t i = 0; i < NR_KINDS; i++)
		if (!strcmp(kinds[i].name, kind))
			kinds[i].make();
}

int main(void)
{
	for (size_t i = 0; i < NR_KINDS; i++)
		if (!strcmp(kinds[i].name, kind))
			kinds[i].use();
	guest_run(2, nothing);
	return guest_ok();
}
