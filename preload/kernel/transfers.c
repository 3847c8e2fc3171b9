/* SPDX-License-Identifier: MIT */
/*
 * transfers.c - calls that move bytes through a descriptor that may block.
 *
 * That poll(2) finds a descriptor ready does not mean that the call will not
 * block: more may be asked for than there is, or room for. So each part is
 * moved without blocking, the task gives way until there is more, and the sum
 * is what the kernel would have answered. The description's own O_NONBLOCK is
 * shared with other processes; where nothing else will do it is set for the
 * moment of one call.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "preload/memory/access.h"
#include "preload/kernel/files.h"
#include "preload/kernel/syscall_numbers.h"

#define NONBLOCK_FLAG 04000
#define NOWAIT_FLAG 8	/* RWF_NOWAIT */
#define SPLICE_NONBLOCK 2
#define SOL_SOCKET_LEVEL 1
#define SO_TYPE_NAME 3
#define SO_RCVTIMEO_NAME 20
#define SO_SNDTIMEO_NAME 21
#define STREAM_TYPE 1
#define MAX_VECTOR 1024
#define MAX_TRANSFER 0x7ffff000ull

enum message_flags {
	M_PEEK = 0x2, M_DONTWAIT = 0x40, M_WAITALL = 0x100,
	M_ERRQUEUE = 0x2000, M_WAITFORONE = 0x10000,
};

struct vector {
	uint64_t base, bytes;
};

/* The kernel's struct user_msghdr. */
struct message {
	uint64_t name;
	uint32_t name_bytes, pad;
	uint64_t vector, nr_vector;
	uint64_t control, control_bytes;
	uint32_t flags, pad2;
};
static_assert(sizeof(struct message) == 56, "as the kernel has it");

/* What is left to be moved: the rest of one piece, and further ones. */
struct pieces {
	struct vector first;
	uint64_t rest, nr_rest;	/* address of struct vectors of the target */
};

/* ----------------------------------------------------- without blocking */

static int64_t with_flag(int64_t fd, int64_t flags, const struct trap *t)
{
	int64_t r;

	sys_call3(__NR_fcntl, fd, F_SETFL, flags | NONBLOCK_FLAG);
	r = sys_call6(t->nr, t->arg[0], t->arg[1], t->arg[2], t->arg[3],
		      t->arg[4], t->arg[5]);
	sys_call3(__NR_fcntl, fd, F_SETFL, flags);
	return r;
}

static bool is_vector_call(int64_t nr)
{
	return nr == __NR_readv || nr == __NR_writev;
}

/* read, write, readv, writev of a socket: it has calls with a flag for that. */
static int64_t socket_nowait(const struct trap *t)
{
	bool is_out = t->nr == __NR_write || t->nr == __NR_writev;
	struct message m = { .vector = t->arg[1], .nr_vector = t->arg[2] };

	if (!is_vector_call(t->nr))
		return sys_call6(is_out ? __NR_sendto : __NR_recvfrom,
				 t->arg[0], t->arg[1], t->arg[2], M_DONTWAIT, 0,
				 0);
	return sys_call3(is_out ? __NR_sendmsg : __NR_recvmsg, t->arg[0], &m,
			 M_DONTWAIT);
}

/* The same of a pipe, if the kernel is new enough; else -EOPNOTSUPP. */
static int64_t pipe_nowait(const struct trap *t)
{
	bool is_out = t->nr == __NR_write || t->nr == __NR_writev;
	struct vector v = { t->arg[1], t->arg[2] };
	bool is_vector = is_vector_call(t->nr);

	return sys_call6(is_out ? __NR_pwritev2 : __NR_preadv2, t->arg[0],
			 is_vector ? t->arg[1] : SYS_ARG(&v),
			 is_vector ? t->arg[2] : 1, (uint64_t)-1, (uint64_t)-1,
			 NOWAIT_FLAG);
}

/* The call without blocking; `flags` are those of the description. */
static int64_t nowait(const struct trap *t, int64_t flags)
{
	struct trap n = *t;
	int64_t r;

	switch (t->nr) {
	case __NR_recvfrom:
	case __NR_sendto:
		n.arg[3] |= M_DONTWAIT;
		return trap_pass(&n);
	case __NR_recvmsg:
	case __NR_sendmsg:
		n.arg[2] |= M_DONTWAIT;
		return trap_pass(&n);
	case __NR_read:
	case __NR_readv:
	case __NR_write:
	case __NR_writev:
		if (files_type_of(t->arg[0]) == FILES_TYPE_SOCKET)
			return socket_nowait(t);
		if (files_type_of(t->arg[0]) == FILES_TYPE_FIFO) {
			r = pipe_nowait(t);
			if (r != -EOPNOTSUPP && r != -ENOSYS)
				return r;
		}
		break;
	default:
		break;
	}
	return with_flag((int64_t)t->arg[0], flags, t);
}

/* -------------------------------------------------------------- pieces */

static bool load_vector(uint64_t at, struct vector *v)
{
	const uint64_t *p = (const void *)(uintptr_t)at;

	return sys_load64(p, &v->base) && sys_load64(p + 1, &v->bytes);
}

/* Step over `bytes` of them, and over empty ones. */
static bool skip(struct pieces *p, uint64_t bytes)
{
	while (bytes >= p->first.bytes) {
		bytes -= p->first.bytes;
		p->first.bytes = 0;
		if (!p->nr_rest)
			return true;
		if (!load_vector(p->rest, &p->first))
			return false;
		p->rest += sizeof(struct vector);
		p->nr_rest--;
	}
	p->first.base += bytes;
	p->first.bytes -= bytes;
	return true;
}

/* All that the call is to move; 0 also when that cannot be read. */
static uint64_t find_pieces(const struct trap *t, struct pieces *p)
{
	uint64_t at = t->arg[1], nr = t->arg[2], total = 0;
	struct vector v;

	*p = (struct pieces){ .nr_rest = 0 };
	if (t->nr == __NR_recvmsg || t->nr == __NR_sendmsg) {
		const uint64_t *m = (const void *)(uintptr_t)t->arg[1];

		if (!sys_load64(m + 2, &at) || !sys_load64(m + 3, &nr))
			return 0;
	} else if (!is_vector_call(t->nr)) {
		p->first = (struct vector){ t->arg[1], t->arg[2] };
		return t->arg[2] < MAX_TRANSFER ? t->arg[2] : MAX_TRANSFER;
	}
	if (nr > MAX_VECTOR)
		return 0;
	for (uint64_t i = 0; i < nr; i++) {
		if (!load_vector(at + i * sizeof(v), &v))
			return 0;
		total += v.bytes;
	}
	p->rest = at;
	p->nr_rest = nr;
	return total < MAX_TRANSFER ? total : MAX_TRANSFER;
}

/* The call again, for what is left: an address or control data went before. */
static struct trap rest_of(const struct trap *t, const struct pieces *p)
{
	struct trap n = { .nr = t->nr, .site = t->site,
			  .arg = { t->arg[0], p->first.base, p->first.bytes } };

	switch (t->nr) {
	case __NR_readv:
		n.nr = __NR_read;
		break;
	case __NR_writev:
		n.nr = __NR_write;
		break;
	case __NR_recvfrom:
	case __NR_sendto:
		n.arg[3] = t->arg[3];
		break;
	case __NR_recvmsg:
		n.nr = __NR_recvfrom;
		n.arg[3] = t->arg[2];
		break;
	case __NR_sendmsg:
		n.nr = __NR_sendto;
		n.arg[3] = t->arg[2];
		break;
	default:
		break;
	}
	return n;
}

/* ------------------------------------------------------------- the loop */

/* Some socket has SO_RCVTIMEO or SO_SNDTIMEO. */
static bool has_timeouts;

int64_t transfers_setsockopt(struct trap *t)
{
	uint64_t name = (uint32_t)t->arg[2];

	if ((uint32_t)t->arg[1] == SOL_SOCKET_LEVEL &&
	    (name == SO_RCVTIMEO_NAME || name == SO_SNDTIMEO_NAME ||
	     name == 66 /* SO_RCVTIMEO_NEW */ ||
	     name == 67 /* SO_SNDTIMEO_NEW */))
		has_timeouts = true;
	return trap_pass(t);
}

static uint64_t deadline_of(uint64_t fd, bool is_out)
{
	uint64_t time[2] = { 0, 0 };
	uint32_t bytes = sizeof(time);

	if (!has_timeouts ||
	    sys_call5(__NR_getsockopt, fd, SOL_SOCKET_LEVEL,
		      is_out ? SO_SNDTIMEO_NAME : SO_RCVTIMEO_NAME, time,
		      &bytes) < 0 ||
	    (!time[0] && !time[1]))
		return 0;
	return runtime_scheduler()->now_ns + 1 + time[0] * 1000000000ull +
	       time[1] * 1000;
}

static bool is_stream(uint64_t fd)
{
	uint32_t type = 0, bytes = sizeof(type);

	return !sys_call5(__NR_getsockopt, fd, SOL_SOCKET_LEVEL, SO_TYPE_NAME,
			  &type, &bytes) && type == STREAM_TYPE;
}

static uint64_t message_flags(const struct trap *t)
{
	if (t->nr == __NR_recvmsg || t->nr == __NR_sendmsg)
		return t->arg[2];
	return t->nr == __NR_recvfrom || t->nr == __NR_sendto ? t->arg[3] : 0;
}

/* Whether a part is not enough. */
static bool wants_all(const struct trap *t, uint64_t fd, bool is_out)
{
	uint64_t flags = message_flags(t);

	if (is_out)
		return true;
	return flags & M_WAITALL && !(flags & M_PEEK) && is_stream(fd);
}

/* Descriptors came with it, which end a message. */
static bool has_got_control(const struct trap *t)
{
	uint64_t bytes;

	return t->nr == __NR_recvmsg &&
	       sys_load64((const uint64_t *)(uintptr_t)t->arg[1] + 5, &bytes) &&
	       bytes;
}

static bool is_external(uint64_t fd)
{
	return files_kind_of(fd) != FILES_INSIDE;
}

static int64_t wait_until(struct trap *t, uint64_t fd, bool is_out,
			  uint64_t deadline)
{
	struct files_wait_for w = {
		.kind = WAIT_FD, .fd = (int32_t)fd,
		.events = is_out ? POLLOUT : POLLIN,
	};

	return files_wait(t, &w, EXPLORE_OP_SYSCALL, files_object(t, fd),
			  is_external(fd), deadline);
}

/* What a signal makes of a call with SO_RCVTIMEO or SO_SNDTIMEO. */
static int64_t interrupted(int64_t r, uint64_t deadline)
{
	return r == -EINTR && deadline ? TRAP_TIMED_EINTR : r;
}

static int64_t nowait_again(const struct trap *t)
{
	return nowait(t, sys_call3(__NR_fcntl, t->arg[0], F_GETFL, 0) &
			 ~(int64_t)NONBLOCK_FLAG);
}

/*
 * Part after part. What has been moved is the answer, whatever ends it: an
 * error is found again by the next call.
 */
static int64_t move(struct trap *t, uint64_t fd, int64_t flags, bool is_out)
{
	uint64_t deadline = deadline_of(fd, is_out), total, done = 0;
	bool is_all = wants_all(t, fd, is_out);
	struct trap part = *t;
	struct pieces p;
	int64_t r;

	total = is_all ? find_pieces(t, &p) : 0;
	for (;;) {
		r = wait_until(t, fd, is_out, deadline);
		if (r == FILES_READY) {
			r = nowait(&part, flags);
			if (r == -EAGAIN)	/* not ready after all */
				r = files_retry(&part, nowait_again,
						true, files_object(t, fd),
						is_external(fd), deadline);
		} else if (r == FILES_TIMED_OUT) {
			r = -EAGAIN;
		}
		if (r <= 0)
			return done ? (int64_t)done : interrupted(r, deadline);
		done += (uint64_t)r;
		if (done >= total || (!is_out && has_got_control(&part)))
			return (int64_t)done;
		if (!skip(&p, (uint64_t)r) || !p.first.bytes)
			return (int64_t)done;
		part = rest_of(t, &p);
	}
}

/* --------------------------------------------------------- many messages */

#define MMSG_BYTES 64	/* struct mmsghdr: a msghdr, and its length */

static bool is_time_over(uint64_t limit)
{
	return limit && runtime_scheduler()->now_ns >= limit;
}

/* As recvmmsg(2) says, the timeout is looked at after each message only. */
static int64_t move_messages(struct trap *t, uint64_t fd, int64_t flags,
			     bool is_out)
{
	uint64_t nr = (uint32_t)t->arg[2], done = 0, limit = 0;
	struct trap one = { .nr = is_out ? __NR_sendmsg : __NR_recvmsg,
			    .site = t->site };
	int64_t r = 0;

	if (!is_out)
		r = files_deadline(t->arg[4], 1, &limit);
	if (r < 0)
		return r;
	for (; done < nr && done < MAX_VECTOR && !is_time_over(limit); done++) {
		uint64_t at = t->arg[1] + done * MMSG_BYTES;

		one.arg[0] = fd;
		one.arg[1] = at;
		one.arg[2] = t->arg[3] & ~(uint64_t)M_WAITFORONE;
		r = done && t->arg[3] & M_WAITFORONE ? nowait(&one, flags)
						     : move(&one, fd, flags,
							    is_out);
		if (r < 0)
			break;
		sys_store32((void *)(uintptr_t)(at + sizeof(struct message)),
			    (uint32_t)r);
	}
	return done ? (int64_t)done : r < 0 ? r : 0;
}

/* ---------------------------------------------------------- connections */

static int64_t attempt_connect(const struct trap *t)
{
	int64_t flags = sys_call3(__NR_fcntl, t->arg[0], F_GETFL, 0);

	return flags < 0 ? flags
			 : with_flag((int64_t)t->arg[0],
				     flags & ~(int64_t)NONBLOCK_FLAG, t);
}

int64_t transfers_connect(struct trap *t)
{
	uint64_t fd = t->arg[0], deadline;
	int64_t flags = sys_call3(__NR_fcntl, fd, F_GETFL, 0), r;

	if (flags < 0 || flags & NONBLOCK_FLAG)
		return files_in_order(t, fd);
	deadline = deadline_of(fd, true);
	r = files_retry(t, attempt_connect, false, files_object(t, fd),
			is_external(fd), deadline);
	if (r != -EINPROGRESS && r != -EALREADY)
		return interrupted(r, deadline);
	r = wait_until(t, fd, true, deadline);
	if (r < 0)
		return interrupted(r, deadline);
	if (r == FILES_TIMED_OUT)
		return -EINPROGRESS;
	/*
	 * Asked again, the kernel tells how it ended, and leaves it like that.
	 */
	r = attempt_connect(t);
	return r == -EISCONN ? 0 : r;
}

/* ---------------------------------------------------- splice and the like */

static bool are_both_ready(const struct files_wait_for *w)
{
	for (int i = 0; i < 2; i++) {
		struct pollfd p = {
			.fd = (int32_t)w->arg[i],
			.events = i ? POLLOUT : POLLIN,
		};

		if (p.fd >= 0 && !sys_call3(__NR_poll, &p, 1, 0))
			return false;
	}
	return true;
}

/* Wait for data at `in` and room at `out`; -1 is neither. */
static int64_t wait_both(struct trap *t, int32_t in, int32_t out)
{
	struct files_wait_for w = {
		.kind = WAIT_QUERY, .is_ready = are_both_ready,
		.arg = { (uint32_t)in, (uint32_t)out },
	};

	return files_wait(t, &w, EXPLORE_OP_SYSCALL,
			  files_object(t, (uint32_t)(in < 0 ? out : in)),
			  (in >= 0 && is_external((uint32_t)in)) ||
			  (out >= 0 && is_external((uint32_t)out)), 0);
}

static bool blocks(int32_t fd)
{
	int64_t flags = sys_call3(__NR_fcntl, fd, F_GETFL, 0);

	return fd < 0 || flags < 0 || !(flags & NONBLOCK_FLAG);
}

/* Both descriptions non-blocking for the moment of the call. */
static int64_t with_both(const struct trap *t, int32_t in, int32_t out)
{
	int64_t flags = in < 0 ? -1 : sys_call3(__NR_fcntl, in, F_GETFL, 0);
	int64_t out_flags, r;

	if (flags >= 0)
		sys_call3(__NR_fcntl, in, F_SETFL, flags | NONBLOCK_FLAG);
	out_flags = out < 0 ? -1 : sys_call3(__NR_fcntl, out, F_GETFL, 0);
	if (out_flags >= 0)
		sys_call3(__NR_fcntl, out, F_SETFL, out_flags | NONBLOCK_FLAG);
	r = sys_call6(t->nr, t->arg[0], t->arg[1], t->arg[2], t->arg[3],
		      t->arg[4], t->arg[5]);
	if (out_flags >= 0)
		sys_call3(__NR_fcntl, out, F_SETFL, out_flags);
	if (flags >= 0)
		sys_call3(__NR_fcntl, in, F_SETFL, flags);
	return r;
}

/* The race detector's view: what was in one went to the other. */
static int64_t note_both(const struct trap *t, int32_t in, int32_t out,
			 int64_t result)
{
	if (in >= 0)
		order_descriptor(t, (uint32_t)in);
	if (out >= 0)
		order_descriptor(t, (uint32_t)out);
	return result;
}

/* One of them says that it must not block: then the call does not. */
static int64_t pass_between(struct trap *t, int32_t in, int32_t out)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_SYSCALL,
		.object = files_object(t, (uint32_t)(in < 0 ? out : in)),
		.pc = t->site,
	};

	core_point(&op);
	return note_both(t, in, out, with_both(t, in, out));
}

/*
 * splice, tee and vmsplice move what they can, and what that is, is the
 * answer.
 */
static int64_t move_between(struct trap *t, int32_t in, int32_t out,
			    uint32_t flags_arg)
{
	int64_t r;

	if (t->arg[flags_arg] & SPLICE_NONBLOCK || !blocks(in) || !blocks(out))
		return pass_between(t, in, out);
	t->arg[flags_arg] |= SPLICE_NONBLOCK;
	do {
		r = wait_both(t, in, out);
		if (r < 0)
			return r;
		r = with_both(t, in, out);
	} while (r == -EAGAIN);
	return note_both(t, in, out, r);
}

int64_t transfers_splice(struct trap *t)
{
	return move_between(t, (int32_t)t->arg[0], (int32_t)t->arg[2], 5);
}

int64_t transfers_tee(struct trap *t)
{
	return move_between(t, (int32_t)t->arg[0], (int32_t)t->arg[1], 3);
}

int64_t transfers_vmsplice(struct trap *t)
{
	int64_t flags = sys_call3(__NR_fcntl, t->arg[0], F_GETFL, 0);
	int32_t fd = (int32_t)t->arg[0];

	return flags & O_ACCMODE ? move_between(t, -1, fd, 3)
				 : move_between(t, fd, -1, 3);
}

/* All of it, or up to the end of the file. */
int64_t transfers_sendfile(struct trap *t)
{
	int32_t out = (int32_t)t->arg[0], in = (int32_t)t->arg[1];
	uint64_t left = t->arg[3], done = 0;
	int64_t r;

	if (!blocks(out))
		return pass_between(t, in, out);
	do {
		r = wait_both(t, in, out);
		if (r >= 0) {
			t->arg[3] = left;
			r = note_both(t, in, out, with_both(t, -1, out));
			if (r == -EAGAIN)
				continue;
		}
		if (r <= 0)
			return done ? (int64_t)done : r;
		done += (uint64_t)r;
		left -= (uint64_t)r;
	} while (left);
	return (int64_t)done;
}

/* ------------------------------------------------------------ terminals */

static bool load_termios(uint64_t fd, struct termios *m)
{
	return files_type_of(fd) == FILES_TYPE_DEVICE &&
	       sys_call3(__NR_ioctl, fd, TCGETS, m) >= 0;
}

bool transfers_is_raw_terminal(uint64_t fd)
{
	struct termios m;

	return load_termios(fd, &m) && !(m.c_lflag & ICANON);
}

/* Any character, however many poll(2) would wait for, or an end. */
static bool has_characters(const struct files_wait_for *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	uint32_t nr = 0;

	return sys_call3(__NR_ioctl, w->fd, FIONREAD, &nr) < 0 || nr ||
	       sys_call3(__NR_poll, &p, 1, 0);
}

static int64_t read_characters(struct trap *t, uint64_t fd, int64_t flags)
{
	int64_t r;

	sys_call3(__NR_fcntl, fd, F_SETFL, flags | NONBLOCK_FLAG);
	r = inputs_read(t);
	sys_call3(__NR_fcntl, fd, F_SETFL, flags);
	return r;
}

/*
 * VMIN and VTIME, see termios(3), in virtual time: without VMIN the time is
 * that of the whole read, with it that from one character to the next.
 */
int64_t transfers_read_terminal(struct trap *t, uint64_t fd, int64_t flags)
{
	struct files_wait_for w = { .kind = WAIT_QUERY, .fd = (int32_t)fd,
				    .is_ready = has_characters };
	uint64_t min, time_ns, deadline, done = 0;
	struct trap part = *t;
	struct termios m;
	int64_t r;

	if (!load_termios(fd, &m))
		return -EIO;
	min = m.c_cc[VMIN];
	time_ns = m.c_cc[VTIME] * 100000000ull;
	if (!min && !time_ns) {
		struct runtime_op op = { .kind = EXPLORE_OP_SYSCALL,
					 .object = files_object(t, fd),
					 .pc = t->site };

		core_point(&op);
		return inputs_read(t);
	}
	deadline = min ? 0 : runtime_scheduler()->now_ns + time_ns;
	for (;;) {
		r = files_wait(t, &w, EXPLORE_OP_SYSCALL, files_object(t, fd),
			       true, deadline);
		if (r == FILES_TIMED_OUT)
			return (int64_t)done;
		if (r == FILES_READY)
			r = read_characters(&part, fd, flags);
		if (r == -EAGAIN)
			continue;
		if (r <= 0)
			return done ? (int64_t)done : r;
		done += (uint64_t)r;
		if (done >= min || done >= t->arg[2])
			return (int64_t)done;
		part.arg[1] = t->arg[1] + done;
		part.arg[2] = t->arg[2] - done;
		if (time_ns)
			deadline = runtime_scheduler()->now_ns + time_ns;
	}
}

/* ----------------------------------------------------------------- all */

static bool is_storage(uint64_t fd)
{
	return inputs_is_file((int)fd);
}

int64_t transfers_make(struct trap *t, uint64_t fd, int64_t flags)
{
	bool is_out = trap_entry(t->nr)->wait == FILES_WAIT_OUT;

	if (is_storage(fd))
		return files_in_order(t, fd);
	if (t->nr == __NR_recvmmsg || t->nr == __NR_sendmmsg)
		return move_messages(t, fd, flags, is_out);
	return move(t, fd, flags, is_out);
}
