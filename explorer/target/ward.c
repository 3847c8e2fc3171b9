/* SPDX-License-Identifier: MIT */
/*
 * ward.c - the process between the tool and a zygote.
 *
 * The ward is made by clone(), not fork(): the tool may have threads, so no
 * lock of the C library can be trusted in it, and it takes none.
 */
#include "explorer/target/ward.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explorer/target/referee.h"
#include "explorer/target/shm.h"
#include "base/util.h"

#define CHILDREN_BYTES 4096

/* --------------------------------------------------------------- kinds */

static const struct {
	unsigned long flags;
	const char *text;
} kinds[NR_WARD_KINDS] = {
	[WARD_NAMESPACE] = { CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC,
		"a PID namespace of its own" },
	[WARD_USER_NAMESPACE] = {
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC,
		"a PID namespace of its own, in a user namespace" },
	[WARD_PLAIN] = { 0,
		"no PID namespace: getpid() differs from run to run" },
};

enum ward_kind ward_first_kind(void)
{
	if (getenv("EXPLORE_NO_NAMESPACE"))
		return WARD_PLAIN;
	return geteuid() ? WARD_USER_NAMESPACE : WARD_NAMESPACE;
}

const char *ward_describe(enum ward_kind kind)
{
	return kinds[kind].text;
}

/* ------------------------------------------------------------ children */

char *ward_add_number(char *to, unsigned long n)
{
	char digits[24];
	size_t nr = 0;

	do
		digits[nr++] = (char)('0' + n % 10);
	while (n /= 10);
	while (nr)
		*to++ = digits[--nr];
	return to;
}

/*
 * The numbers of a process's children, oldest first, as text. Returns its
 * bytes, 0 when there are none or it is gone.
 */
static size_t read_children(pid_t pid, char *text, size_t bytes)
{
	char path[64], *at = stpcpy(path, "/proc/");
	ssize_t n = -1;
	int fd;

	at = stpcpy(ward_add_number(at, (unsigned long)pid), "/task/");
	strcpy(ward_add_number(at, (unsigned long)pid), "/children");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, bytes - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static pid_t first_child(pid_t pid)
{
	char text[CHILDREN_BYTES];

	return read_children(pid, text, sizeof(text)) ? atoi(text) : 0;
}

static pid_t last_child(pid_t pid)
{
	char text[CHILDREN_BYTES];
	size_t n = read_children(pid, text, sizeof(text));

	while (n && text[n - 1] == ' ')
		n--;
	while (n && text[n - 1] != ' ')
		n--;
	return atoi(text + n);
}

/* ------------------------------------------------- the ward, before all */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = errno;
	close(fd);
	return rc;
}

static int map_one_id(const char *path, unsigned long id)
{
	char text[64], *at = ward_add_number(text, id);

	*at++ = ' ';
	strcpy(ward_add_number(at, id), " 1\n");
	return write_file(path, text);
}

/* User and group are in the namespace what they are outside. */
static int map_ids(uid_t uid, gid_t gid)
{
	int rc = map_one_id("/proc/self/uid_map", uid);

	if (!rc)
		rc = write_file("/proc/self/setgroups", "deny");
	return rc ? rc : map_one_id("/proc/self/gid_map", gid);
}

/* Numbers in /proc are the namespace's; mounts outside still come in. */
static int mount_proc(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL))
		return errno;
	return 0;
}

/* exec() takes all capabilities from who is not root, but for ambient ones. */
static int keep_capability(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return errno;
	data[WARD_CAPABILITY / 32].inheritable |= 1u << WARD_CAPABILITY % 32;
	if (syscall(SYS_capset, &header, data) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, WARD_CAPABILITY, 0, 0))
		return errno;
	return 0;
}

static pid_t fork_zygote(const struct ward *w)
{
	uint64_t number = WARD_ZYGOTE_NUMBER;
	struct clone_args a = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = w->kind == WARD_PLAIN ? 0 : 1,
	};

	if (w->kind == WARD_PLAIN)
		a.set_tid = 0;
	return (pid_t)syscall(SYS_clone3, &a, sizeof(a));
}

static bool is_alone(int life_fd)
{
	struct pollfd p = { .fd = life_fd };

	return poll(&p, 1, 0) > 0 && p.revents & POLLERR;
}

/* ----------------------------------------------------- the ward at work */

/* Who loses its parent by that becomes our child, so it ends. */
static void kill_all(void)
{
	char text[CHILDREN_BYTES], *at, *end;

	do {
		read_children(getpid(), text, sizeof(text));
		for (at = text; *at >= '0' && *at <= '9';
		     at = end + (*end == ' '))
			kill((pid_t)strtol(at, &end, 10), SIGKILL);
	} while (waitpid(-1, NULL, 0) > 0 || errno != ECHILD);
}

static void reap(struct ward_page *page, pid_t zygote)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == zygote) {
			page->status = status;
			page->has_status = true;
		}
}

static int receive_listener(const struct ward *w)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (w->listener_fd[0] < 0)
		return -1;
	close(w->listener_fd[1]);
	/* Nothing comes from a zygote without a guard: its end closes. */
	if (recvmsg(w->listener_fd[0], &m, 0) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

int ward_send_listener(const struct ward *w, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int rc;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	rc = sendmsg(w->listener_fd[1], &m, 0) == 1 ? 0 : -errno;
	close(fd);
	return rc;
}

/* All descriptors but these. */
static void close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		syscall(SYS_close_range, 0, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low < 0 ? 0 : low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0u, 0);
}

static _Noreturn void serve(const struct ward *w, pid_t zygote)
{
	struct signalfd_siginfo info = { 0 };
	struct pollfd p[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	p[0] = (struct pollfd){ signalfd(-1, &set, 0), POLLIN, 0 };
	p[1] = (struct pollfd){ receive_listener(w), POLLIN, 0 };
	close_others(p[0].fd, p[1].fd);
	while (info.ssi_signo != SIGTERM && !w->page->has_status) {
		reap(w->page, zygote);
		if (w->page->has_status || poll(p, 2, -1) <= 0)
			continue;
		if (p[1].revents & POLLIN)
			referee_answer(p[1].fd, zygote);
		else if (p[1].revents)
			p[1].fd = -1;	/* nobody is left under the filter */
		if (p[0].revents & POLLIN)
			read(p[0].fd, &info, sizeof(info));
	}
	if (w->kind == WARD_PLAIN)
		kill_all();
	_exit(0);	/* and with it, an init's namespace */
}

static _Noreturn void give_up(const struct ward *w, int error)
{
	w->page->error = error;
	_exit(1);
}

/* Returns in the zygote only. */
static void be_ward(struct ward *w, int life_fd, uid_t uid, gid_t gid)
{
	sigset_t all, none;
	pid_t zygote;
	int rc = 0;

	/* An init cannot be killed from inside; another one cleans up first. */
	prctl(PR_SET_PDEATHSIG, w->kind == WARD_PLAIN ? SIGTERM : SIGKILL);
	if (is_alone(life_fd))
		_exit(1);
	w->parent = getpid();
	setsid();
	prctl(PR_SET_NAME, "explore-ward");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (w->kind == WARD_USER_NAMESPACE)
		rc = map_ids(uid, gid);
	if (!rc && w->kind != WARD_PLAIN)
		rc = mount_proc();
	if (rc)
		give_up(w, rc);
	if (w->kind != WARD_PLAIN)
		w->shm_fd = shm_mount();
	if (w->kind == WARD_PLAIN &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		       w->listener_fd))
		give_up(w, errno);
	zygote = fork_zygote(w);
	if (zygote < 0)
		give_up(w, errno);
	if (zygote)
		serve(w, zygote);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (w->kind == WARD_USER_NAMESPACE && uid)
		rc = keep_capability();
	if (rc)
		give_up(w, rc);
}

/* ---------------------------------------------------------- for the tool */

pid_t ward_fork(struct ward *w, int life_fd)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t pid;

	w->listener_fd[0] = w->listener_fd[1] = w->shm_fd = -1;
	w->page = mmap(NULL, sizeof(*w->page), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->page == MAP_FAILED) {
		w->page = NULL;
		return -1;
	}
	pid = (pid_t)syscall(SYS_clone, kinds[w->kind].flags | SIGCHLD, NULL,
			     NULL, NULL, NULL);
	if (pid < 0)
		w->page->error = errno;
	if (!pid)
		be_ward(w, life_fd, uid, gid);
	else
		w->pid = pid > 0 ? pid : 0;
	return pid;
}

void ward_find_zygote(struct ward *w)
{
	w->zygote = first_child(w->pid);
}

int ward_open_run(const struct ward *w, pid_t *pid)
{
	int fd;

	*pid = w->zygote > 0 ? last_child(w->zygote) : 0;
	if (!*pid)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, *pid, 0);
	/* It may have ended meanwhile, and the number be somebody else's. */
	if (fd >= 0 && last_child(w->zygote) != *pid) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool ward_has_ended(struct ward *w, int *status)
{
	int own;

	if (!w->pid || waitpid(w->pid, &own, WNOHANG) != w->pid)
		return false;
	*status = w->page->has_status ? w->page->status : own;
	w->pid = 0;
	return true;
}

void ward_end(struct ward *w)
{
	if (w->pid > 0) {
		kill(w->pid, w->kind == WARD_PLAIN ? SIGTERM : SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (w->page)
		munmap(w->page, sizeof(*w->page));
	*w = (struct ward){ .kind = w->kind };
}

int ward_try(enum ward_kind kind)
{
	struct ward w = { .kind = kind };
	int life[2], error = 0;
	char byte;
	pid_t pid;

	if (pipe2(life, O_CLOEXEC))
		return -errno;
	pid = ward_fork(&w, life[1]);
	if (!pid)
		_exit(0);
	error = pid < 0 ? errno : 0;
	close(life[1]);
	while (pid > 0 && read(life[0], &byte, 1) < 0 && errno == EINTR)
		;
	if (w.page && w.page->error)
		error = w.page->error;
	close(life[0]);
	ward_end(&w);
	return -error;
}
