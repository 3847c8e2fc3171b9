/* SPDX-License-Identifier: MIT */
/*
 * inputs.c - what devices and named pipes give: recorded, and given again.
 *
 * Regular files, pipes and sockets of the process itself are read anew in a
 * replay, which finds the same there. What a device says (/dev/urandom, a
 * terminal) or another process writes into a named pipe is not; so it goes to
 * the input log, and a replay answers from the recorded one.
 *
 * The log is a sequence of struct record, each followed by its data, padded to
 * eight bytes. docs/TRACE_FORMAT.md describes it.
 */
#include "preload/files.h"

struct record {
	uint32_t nr;		/* of the system call */
	uint32_t task;
	int64_t result;		/* bytes of data, or -errno */
};
static_assert(sizeof(struct record) == 16, "trace format");

static uint64_t next_recorded;	/* in script_input[] */

void inputs_start_run(void)
{
	next_recorded = 0;
}

/* The kernel's struct stat, as far as st_mode. */
struct stat_head {
	uint64_t dev, ino, nlink;
	uint32_t mode;
	uint8_t rest[256];
};

uint32_t inputs_type_of(int fd)
{
	struct stat_head st;

	if (sys_call2(__NR_fstat, fd, &st) < 0)
		return FILES_NO_TYPE;
	return st.mode >> 12 & 15;
}

bool inputs_is_outside(int fd)
{
	uint32_t type = files_type_of((uint64_t)fd);

	return type == FILES_TYPE_DEVICE || type == FILES_TYPE_FIFO;
}

bool inputs_is_file(int fd)
{
	uint32_t type = files_type_of((uint64_t)fd);

	return type == FILES_TYPE_REGULAR || type == FILES_TYPE_FOLDER;
}

static bool is_replay(void)
{
	return runtime_control->config.flags & CONTROL_F_REPLAY;
}

/* Answer from the recorded run. Returns false when it says nothing here. */
static bool take(const struct trap *t, int64_t *result)
{
	struct control *c = runtime_control;
	const struct record *r = (const void *)(c->script_input + next_recorded);
	uint64_t left = c->config.script_input_bytes - next_recorded, bytes;

	if (left < sizeof(*r) || r->nr != (uint32_t)t->nr ||
	    r->task != runtime_self())
		return false;
	bytes = r->result > 0 ? (uint64_t)r->result : 0;
	if (bytes > left - sizeof(*r) || bytes > t->arg[2])
		return false;
	if (!sys_copy_out(t->arg[1], r + 1, bytes))
		return false;
	next_recorded += sizeof(*r) + CORE_ALIGN_UP(bytes, 8);
	*result = r->result;
	return true;
}

static void record(const struct trap *t, int64_t result)
{
	struct control *c = runtime_control;
	uint64_t bytes = result > 0 ? (uint64_t)result : 0;
	struct record *r = (void *)(c->input + c->input_bytes);

	if (sizeof(*r) + bytes + 8 > CONTROL_INPUT_BYTES - c->input_bytes) {
		c->counters.inputs_lost++;
		return;
	}
	*r = (struct record){ (uint32_t)t->nr, runtime_self(), result };
	memcpy(r + 1, (void *)(uintptr_t)t->arg[1], bytes);
	c->input_bytes += sizeof(*r) + CORE_ALIGN_UP(bytes, 8);
}

int64_t inputs_read(struct trap *t)
{
	int64_t result;

	if (!is_replay() || !take(t, &result))
		result = trap_pass(t);
	record(t, result);
	return result;
}
