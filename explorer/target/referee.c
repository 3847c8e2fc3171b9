/* SPDX-License-Identifier: MIT */
/*
 * referee.c - whether a process is one that the target started.
 */
#include "explorer/target/referee.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "explorer/target/ward.h"

#define OWN_EXTENDED 15		/* F_SETOWN_EX */
#define OWNER_GROUP 2		/* F_OWNER_PGRP */
#define NOTIFY_BYTES 512 /* the kernel's structs may be longer than ours */

const struct referee_rule referee_rules[] = {
	{ SYS_kill, 0, REFEREE_KILL },
	{ SYS_tkill, 0, REFEREE_PROCESS },
	{ SYS_tgkill, 0, REFEREE_PROCESS },
	{ SYS_rt_sigqueueinfo, 0, REFEREE_PROCESS },
	{ SYS_rt_tgsigqueueinfo, 0, REFEREE_PROCESS },
	{ SYS_pidfd_open, 0, REFEREE_PROCESS },
	{ SYS_ptrace, 1, REFEREE_PROCESS },
	{ SYS_process_vm_writev, 0, REFEREE_PROCESS },
	{ SYS_setpriority, 1, REFEREE_WHICH },
	{ SYS_ioprio_set, 1, REFEREE_IO_WHICH },
	{ SYS_prlimit64, 0, REFEREE_PROCESS },
	{ SYS_sched_setparam, 0, REFEREE_PROCESS },
	{ SYS_sched_setscheduler, 0, REFEREE_PROCESS },
	{ SYS_sched_setattr, 0, REFEREE_PROCESS },
	{ SYS_sched_setaffinity, 0, REFEREE_PROCESS },
	{ SYS_migrate_pages, 0, REFEREE_PROCESS },
	{ SYS_move_pages, 0, REFEREE_PROCESS },
	{ SYS_fcntl, 2, REFEREE_OWNER },
};
const size_t referee_nr_rules = sizeof(referee_rules) /
				sizeof(referee_rules[0]);

/* -------------------------------------------------------------- /proc */

struct relation {
	pid_t parent, group;
};

/* From /proc/PID/stat. Returns whether there is such a process or thread. */
static bool read_relation(pid_t pid, struct relation *r)
{
	char path[32], text[512], *at = stpcpy(path, "/proc/");
	ssize_t n = -1;
	int fd;

	strcpy(ward_add_number(at, (unsigned long)pid), "/stat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	/* The name, in parentheses, may have any in itself. */
	at = strrchr(text, ')');
	if (!at || strlen(at) < sizeof(") S "))
		return false;
	r->parent = (pid_t)strtol(at + 4, &at, 10);
	r->group = (pid_t)strtol(at, NULL, 10);
	return true;
}

/* 0, ESRCH, or EPERM: not one that the target started. */
static int judge_process(pid_t pid, pid_t zygote)
{
	struct relation r = { 0 };
	pid_t ward = getpid();

	if (pid <= 0)
		return ESRCH;
	if (pid == zygote || pid == ward)
		return EPERM;
	if (!read_relation(pid, &r))
		return ESRCH;
	while (r.parent != ward)
		if (r.parent <= 1 || !read_relation(r.parent, &r))
			return EPERM;
	return 0;
}

/* Names in a directory, as the kernel gives them. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static int judge_member(const char *name, pid_t group, pid_t zygote, int so_far)
{
	pid_t pid = (pid_t)atoi(name);
	struct relation r;
	int rc;

	if (pid <= 0 || so_far == EPERM || !read_relation(pid, &r) ||
	    r.group != group)
		return so_far;
	rc = judge_process(pid, zygote);
	return rc == ESRCH ? so_far : rc;
}

/* All of a group must be the target's. */
static int judge_group(pid_t group, pid_t zygote)
{
	static _Alignas(8) char buffer[4096];
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = ESRCH;
	long n;

	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buffer,
				       sizeof(buffer))) > 0)
		for (long at = 0; at < n;) {
			struct entry *e = (void *)(buffer + at);

			rc = judge_member(e->name, group, zygote, rc);
			at += e->bytes;
		}
	if (fd >= 0)
		close(fd);
	return rc;
}

/* --------------------------------------------------------------- calls */

static int judge_kill(pid_t pid, pid_t zygote)
{
	if (!pid)
		return 0;	/* its own group, which a run leads */
	if (pid == -1)
		return EPERM;	/* everybody */
	return pid < 0 ? judge_group(-pid, zygote) : judge_process(pid, zygote);
}

static int judge_which(uint64_t which, pid_t who, pid_t zygote)
{
	if (which == PRIO_USER)
		return EPERM;
	if (!who)
		return 0;
	return which == PRIO_PGRP ? judge_group(who, zygote)
				  : judge_process(who, zygote);
}

static int judge_owner(const struct seccomp_notif *n, pid_t zygote)
{
	int32_t owner[2];	/* struct f_owner_ex: type, number */
	struct iovec to = { owner, sizeof(owner) };
	struct iovec from = { (void *)(uintptr_t)n->data.args[2],
			      sizeof(owner) };

	if (n->data.args[1] != OWN_EXTENDED)
		return judge_kill((pid_t)n->data.args[2], zygote);
	if (process_vm_readv((pid_t)n->pid, &to, 1, &from, 1, 0) !=
	    (ssize_t)sizeof(owner))
		return EPERM;
	if (!owner[1])
		return 0;
	return owner[0] == OWNER_GROUP ? judge_group(owner[1], zygote)
				       : judge_process(owner[1], zygote);
}

static int judge_call(const struct seccomp_notif *n, pid_t zygote)
{
	const struct referee_rule *rule = referee_rules, *end;
	pid_t pid;

	end = rule + referee_nr_rules;
	while (rule < end && rule->call != n->data.nr)
		rule++;
	/* Numbers of another architecture's calls mean something else. */
	if (rule == end || n->data.arch != AUDIT_ARCH_X86_64)
		return EPERM;
	pid = (pid_t)n->data.args[rule->arg];
	switch (rule->how) {
	case REFEREE_KILL:
		return judge_kill(pid, zygote);
	case REFEREE_WHICH:
		return judge_which(n->data.args[0], pid, zygote);
	case REFEREE_IO_WHICH:
		return judge_which(n->data.args[0] - 1, pid, zygote);
	case REFEREE_OWNER:
		return judge_owner(n, zygote);
	case REFEREE_PROCESS:
		break;
	}
	if (!pid || (rule->call == SYS_ptrace &&
		     n->data.args[0] == PTRACE_TRACEME))
		return 0;
	return judge_process(pid, zygote);
}

void referee_answer(int listener, pid_t zygote)
{
	static _Alignas(8) char buffer[2][NOTIFY_BYTES];
	struct seccomp_notif *n = (void *)buffer[0];
	struct seccomp_notif_resp *answer = (void *)buffer[1];

	memset(buffer, 0, sizeof(buffer));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, n))
		return;		/* the caller has died meanwhile */
	answer->id = n->id;
	answer->error = -judge_call(n, zygote);
	if (!answer->error)
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer);
}
