/* SPDX-License-Identifier: MIT */
/*
 * children.c - what the child processes of a run are at when it ends.
 *
 * They run natively, so the kernel is asked, by /proc. What it does not tell
 * (no permission, no CONFIG_PROC_CHILDREN) is left out of the report.
 */
#include "explorer/target/notes.h"

#include <asm/unistd.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_CHILDREN 8u

static bool read_text(const char *path, char *text, size_t bytes)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(text, 1, bytes - 1, f);
	text[n] = '\0';
	fclose(f);
	return n;
}

/* The number that the target knows it by: the innermost namespace's. */
static int own_number(pid_t pid)
{
	char path[64], text[4096], *line, *last;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	line = read_text(path, text, sizeof(text)) ? strstr(text, "\nNSpid:") :
						     NULL;
	if (!line)
		return (int)pid;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last ? atoi(last + 1) : (int)pid;
}

static char state_of(pid_t pid)
{
	char path[64], text[512], *name_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	name_end = read_text(path, text, sizeof(text)) ? strrchr(text, ')') :
							 NULL;
	return name_end && name_end[1] ? name_end[2] : 0;
}

static bool has_descriptor(long nr)
{
	switch (nr) {
	case __NR_read:
	case __NR_write:
	case __NR_readv:
	case __NR_writev:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_accept:
	case __NR_accept4:
	case __NR_connect:
	case __NR_flock:
	case __NR_fcntl:
		return true;
	default:
		return false;
	}
}

/* "read on 3 (pipe)" */
static void name_call(struct control_note *n, pid_t pid, long nr, uint64_t arg)
{
	struct control_note file = { .fd = (int32_t)arg };
	char path[64], call[16], target[PATH_MAX], name[128];
	ssize_t bytes;

	notes_call_name((int32_t)nr, call, sizeof(call));
	if (!has_descriptor(nr)) {
		snprintf(n->text, sizeof(n->text), "waits in %s", call);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, file.fd);
	bytes = readlink(path, target, sizeof(target) - 1);
	target[bytes > 0 ? bytes : 0] = '\0';
	snprintf(file.text, sizeof(file.text), "%.*s",
		 (int)sizeof(file.text) - 2, target);
	notes_describe_fd(&file, name, sizeof(name));
	snprintf(n->text, sizeof(n->text), "waits in %s on %.40s", call, name);
}

static void find_call(struct control_note *n, pid_t pid)
{
	char path[64], text[256];
	uint64_t arg;
	long nr;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	if (!read_text(path, text, sizeof(text)) ||
	    sscanf(text, "%ld 0x%" SCNx64, &nr, &arg) != 2 || nr < 0) {
		snprintf(n->text, sizeof(n->text), "waits in the kernel");
		return;
	}
	if (nr == __NR_futex)
		n->addr = arg;
	name_call(n, pid, nr, arg);
}

static void add_child(struct control *c, pid_t pid)
{
	struct control_note n = {
		.step = c->scheduler.step,
		.number = own_number(pid),
		.kind = CONTROL_NOTE_CHILD,
	};

	switch (state_of(pid)) {
	case 'S':
	case 'D':
		find_call(&n, pid);
		break;
	case 'R':
		snprintf(n.text, sizeof(n.text), "runs");
		break;
	case 'T':
	case 't':
		snprintf(n.text, sizeof(n.text), "is stopped");
		break;
	default:
		return;		/* it has ended, or is hidden */
	}
	c->note[c->nr_notes++ % CONTROL_MAX_NOTES] = n;
}

void notes_add_children(struct control *c, pid_t run)
{
	char path[64], text[4096], *at = text, *end;
	uint32_t nr = 0;
	long pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)run,
		 (int)run);
	if (run <= 0 || !read_text(path, text, sizeof(text)))
		return;
	while ((pid = strtol(at, &end, 10)) > 0 && end != at &&
	       nr++ < MAX_CHILDREN) {
		add_child(c, (pid_t)pid);
		at = end;
	}
}
