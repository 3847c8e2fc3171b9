/* SPDX-License-Identifier: MIT */
/* files.c - open(2), read(2), write(2), stat(2), locks, directories, mmap of files. */
#include "system.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>

static char path[64];

static int make_file(const char *what)
{
	int f = open(scratch(path, sizeof(path), what),
		     O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (f < 0)
		abort();
	unlink(path);
	return f;
}

/* Threads append to one file: nothing is lost. */
static int shared;

static void *append(void *arg)
{
	char line[10];

	memset(line, (int)(intptr_t)arg, sizeof(line));
	for (int i = 0; i < 10; i++)
		if (write(shared, line, sizeof(line)) != sizeof(line))
			return (void *)1;
	return NULL;
}

static void appends(void)
{
	int f = open(scratch(path, sizeof(path), "append"),
		     O_RDWR | O_CREAT | O_APPEND, 0600);
	int nr[2] = { 0, 0 };
	char c;
	pthread_t a, b;

	shared = f;
	unlink(path);
	a = start(append, (void *)'a');
	b = start(append, (void *)'b');
	TELL((long)join(a));
	TELL((long)join(b));
	TELL(lseek(f, 0, SEEK_END));
	TELL(lseek(f, 0, SEEK_SET));
	while (read(f, &c, 1) == 1)
		nr[c == 'b']++;
	say("%d %d\n", nr[0], nr[1]);
}

/* pread(2), pwrite(2), vectors: at places, without the offset. */
static void *write_block(void *arg)
{
	char block[100];

	memset(block, 'A' + (int)(intptr_t)arg, sizeof(block));
	return (void *)pwrite(shared, block, 100, 100 * (intptr_t)arg);
}

static void positioned(void)
{
	char x[150], y[200];
	struct iovec v[] = { { x, sizeof(x) }, { y, sizeof(y) } };
	pthread_t t[4];

	shared = make_file("positioned");
	for (intptr_t i = 0; i < 4; i++)
		t[i] = start(write_block, (void *)i);
	for (int i = 0; i < 4; i++)
		TELL((long)join(t[i]));
	TELL(preadv(shared, v, 2, 50));
	say("%c %c %c\n", x[0], x[149], y[199]);
	TELL(lseek(shared, 0, SEEK_CUR));
	TELL(pread(shared, x, 1, -1));
	TELL(preadv2(shared, v, 2, 0, 0));
}

/* Errors of open(2) and the flags of descriptors. */
static void open_errors(void)
{
	int f;

	TELL(open("/nonexistent/file", O_RDONLY));
	TELL(open("/tmp", O_WRONLY));
	TELL(open("", O_RDONLY));
	TELL(openat(-1, "relative", O_RDONLY));
	TELL(open("/dev/null", O_RDONLY | O_DIRECTORY));
	f = open("/dev/null", O_RDWR | O_CLOEXEC);
	TELL(fcntl(f, F_GETFD));
	TELL(fcntl(f, F_SETFD, 0));
	TELL(fcntl(f, F_GETFD));
	TELL_TRUE((fcntl(f, F_GETFL) & O_ACCMODE) == O_RDWR);
	TELL(close(f));
	TELL(close(f));
	TELL(fcntl(f, F_GETFD));
	TELL(dup2(f, 5000));
}

/* stat(2) and what changes it. */
static void stats(void)
{
	struct stat st;
	int f = make_file("stat");

	TELL(ftruncate(f, 12345));
	TELL(fstat(f, &st));
	TELL((long)st.st_size);
	TELL((long)st.st_nlink);
	TELL(fchmod(f, 0640));
	TELL(fstat(f, &st));
	TELL((long)(st.st_mode & 07777));
	TELL_TRUE(S_ISREG(st.st_mode));
	TELL(stat("/nonexistent", &st));
	TELL(fstat(-1, &st));
	TELL(lstat("/proc/self", &st));
	TELL_TRUE(S_ISLNK(st.st_mode));
	TELL(access("/proc/self/status", R_OK));
	TELL(access("/nonexistent", F_OK));
	TELL(fallocate(f, 0, 0, 20000));
	TELL(fstat(f, &st));
	TELL((long)st.st_size);
}

/* flock(2) between two descriptions: the second waits for the first. */
static void *lock_second(void *arg)
{
	int f = open(path, O_RDWR);

	(void)arg;
	if (flock(f, LOCK_EX))
		return (void *)1;
	close(f);
	return NULL;
}

static void flocks(void)
{
	int f = open(scratch(path, sizeof(path), "flock"), O_RDWR | O_CREAT,
		     0600), g = open(path, O_RDWR);
	pthread_t t;

	TELL(flock(f, LOCK_EX));
	TELL(flock(g, LOCK_SH | LOCK_NB));
	t = start(lock_second, NULL);
	TELL(flock(f, LOCK_UN));
	TELL((long)join(t));
	TELL(flock(g, LOCK_SH | LOCK_NB));
	TELL(flock(99, LOCK_SH));
	unlink(path);
}

/* Record locks: between processes, and of open descriptions. */
static void record_locks(void)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int f = open(scratch(path, sizeof(path), "fcntl"), O_RDWR | O_CREAT,
		     0600), status, p[2];
	pid_t child;
	char c;

	if (pipe(p))
		abort();
	TELL(fcntl(f, F_SETLK, &all));
	child = fork();
	if (!child) {
		struct flock mine = all;

		if (fcntl(f, F_SETLK, &mine) != -1 || errno != EAGAIN)
			_exit(1);
		if (fcntl(f, F_GETLK, &mine) || mine.l_pid != getppid())
			_exit(2);
		if (write(p[1], "x", 1) != 1)
			_exit(3);
		mine = all;
		_exit(fcntl(f, F_SETLKW, &mine) ? 4 : 0);
	}
	TELL(read(p[0], &c, 1));
	all.l_type = F_UNLCK;
	TELL(fcntl(f, F_SETLK, &all));
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
	unlink(path);
}

static void *ofd_second(void *arg)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int f = open(path, O_RDWR);

	(void)arg;
	if (fcntl(f, F_OFD_SETLKW, &all))
		return (void *)1;
	close(f);
	return NULL;
}

static void description_locks(void)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int f = open(scratch(path, sizeof(path), "ofd"), O_RDWR | O_CREAT, 0600);
	pthread_t t;

	TELL(fcntl(f, F_OFD_SETLK, &all));
	t = start(ofd_second, NULL);
	all.l_type = F_UNLCK;
	TELL(fcntl(f, F_OFD_SETLK, &all));
	TELL((long)join(t));
	unlink(path);
}

/* A directory, its entries, and names relative to it. */
static void directories(void)
{
	char dir[64];
	struct dirent *e;
	int nr = 0, d;
	DIR *stream;

	scratch(dir, sizeof(dir), "dir");
	TELL(mkdir(dir, 0700));
	TELL(mkdir(dir, 0700));
	d = open(dir, O_RDONLY | O_DIRECTORY);
	TELL(close(openat(d, "a", O_CREAT | O_WRONLY, 0600)));
	TELL(linkat(d, "a", d, "b", 0));
	TELL(symlinkat("a", d, "c"));
	TELL(renameat(d, "b", d, "e"));
	TELL(rmdir(dir));
	stream = opendir(dir);
	while ((e = readdir(stream)))
		nr++;
	closedir(stream);
	TELL((long)nr);
	TELL(readlinkat(d, "c", path, sizeof(path)));
	TELL(unlinkat(d, "a", 0));
	TELL(unlinkat(d, "c", 0));
	TELL(unlinkat(d, "e", 0));
	TELL(unlinkat(d, "e", 0));
	TELL(rmdir(dir));
}

/* inotify(7): what happens in a directory. */
static void *touch_file(void *arg)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/new", (char *)arg);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	unlink(name);
	return NULL;
}

static void inotifies(void)
{
	_Alignas(struct inotify_event) char buf[4096];
	struct inotify_event *e = (void *)buf;
	char dir[64];
	int in = inotify_init1(IN_CLOEXEC);
	pthread_t t;

	mkdir(scratch(dir, sizeof(dir), "inotify"), 0700);
	TELL(inotify_add_watch(in, dir, IN_CREATE));
	t = start(touch_file, dir);
	TELL_TRUE(read(in, buf, sizeof(buf)) > 0);
	TELL_TRUE(e->mask == IN_CREATE);
	say("%s\n", e->name);
	join(t);
	rmdir(dir);
}

/* sendfile(2) and copy_file_range(2). */
static void *take_all(void *arg)
{
	static char buf[4096];
	long sum = 0, n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0)
		sum += n;
	return (void *)sum;
}

static void copies(void)
{
	int f = make_file("from"), g = make_file("to"), p[2];
	pthread_t t;
	off_t at = 0;

	if (pipe(p))
		abort();
	TELL(ftruncate(f, 200000));
	t = start(take_all, &p[0]);
	for (long left = 200000; left > 0;) {
		ssize_t n = sendfile(p[1], f, &at, (size_t)left);

		if (n <= 0)
			abort();
		left -= n;
	}
	close(p[1]);
	TELL((long)join(t));
	TELL((long)at);
	at = 0;
	TELL(copy_file_range(f, &at, g, NULL, 200000, 0));
	TELL(lseek(g, 0, SEEK_END));
	TELL(fsync(g));
	TELL(fdatasync(g));
	TELL(sync_file_range(g, 0, 0, 0));
	TELL(syncfs(g));
}

/* A file in memory that two threads see. */
static void *see(void *arg)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		       *(int *)arg, 0);

	p[1]++;
	msync(p, 4096, MS_SYNC);
	munmap(p, 4096);
	return NULL;
}

static void mapped_file(void)
{
	int f = make_file("map");
	char *p, c[2];

	TELL(ftruncate(f, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	p[0] = 'x';
	p[1] = 'a';
	join(start(see, &f));
	TELL(pread(f, c, 2, 0));
	say("%c%c\n", c[0], c[1]);
	TELL(munmap(p, 4096));
	TELL_TRUE(mmap(NULL, 4096, PROT_READ, MAP_SHARED, -1, 0) == MAP_FAILED);
}

/* RLIMIT_FSIZE: SIGXFSZ has been handled when the write returns. */
static volatile sig_atomic_t nr_big;

static void too_big(int sig)
{
	(void)sig;
	nr_big++;
}

static void size_limit(void)
{
	struct rlimit old, low;
	int f = make_file("limit");

	signal(SIGXFSZ, too_big);
	TELL(getrlimit(RLIMIT_FSIZE, &old));
	low = old;
	low.rlim_cur = 1000;
	TELL(setrlimit(RLIMIT_FSIZE, &low));
	TELL(pwrite(f, "x", 1, 2000));
	TELL((long)nr_big);
	TELL(pwrite(f, "abcd", 4, 998));
	TELL(setrlimit(RLIMIT_FSIZE, &old));
}

/* A pseudo-terminal: lines, raw bytes, and a reader that waits. */
static int tty;

static void *type_line(void *arg)
{
	return (void *)(intptr_t)write(*(int *)arg, "hello\n", 6);
}

static void terminals(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios t;
	char buf[32], c;
	pthread_t w;

	TELL(grantpt(master));
	TELL(unlockpt(master));
	tty = open(ptsname(master), O_RDWR | O_NOCTTY);
	TELL_TRUE(isatty(tty));
	w = start(type_line, &master);
	TELL(read(tty, buf, sizeof(buf)));
	TELL((long)join(w));
	TELL(tcgetattr(tty, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	TELL(tcsetattr(tty, TCSANOW, &t));
	w = start(type_line, &master);
	TELL(read(tty, &c, 1));
	TELL((long)join(w));
	t.c_cc[VMIN] = 0;
	TELL(tcsetattr(tty, TCSAFLUSH, &t));
	TELL(read(tty, &c, 1));
	TELL(tcgetattr(0, &t) == -1 ? 0 : 0);
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "append", appends },
		{ "positioned", positioned },
		{ "open", open_errors },
		{ "stat", stats },
		{ "flock", flocks },
		{ "record-locks", record_locks },
		{ "description-locks", description_locks },
		{ "directories", directories },
		{ "inotify", inotifies },
		{ "copies", copies },
		{ "mapped", mapped_file },
		{ "size-limit", size_limit },
		{ "terminals", terminals },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
