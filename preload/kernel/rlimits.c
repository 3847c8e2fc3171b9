/* SPDX-License-Identifier: MIT */
/*
 * rlimits.c - limits on memory see the program's memory, not ours.
 *
 * The runtime maps gigabytes that are hardly ever touched. The kernel counts
 * them as the target's: in RLIMIT_AS and RLIMIT_DATA, which are therefore set
 * that much higher than the target asks for, and in mlockall(), which would
 * fill them with pages and is done mapping by mapping here.
 *
 * Context: trap handlers; limits_reserve() in the zygote.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/resource.h>

#include "preload/memory/access.h"
#include "preload/kernel/ids.h"
#include "preload/kernel/rlimits.h"
#include "preload/kernel/traps.h"

#define MAX_RESERVES 8
#define USER_TOP 0x7ffffffff000ull

static struct {
	uint64_t start, end;
} reserve[MAX_RESERVES];
static uint32_t nr_reserves;

void limits_reserve(const void *start, uint64_t bytes)
{
	uint64_t at = (uintptr_t)start;

	/* A core is for what the target was, and for disks that are finite. */
	sys_call3(__NR_madvise, at, bytes, MADV_DONTDUMP);
	if (nr_reserves == MAX_RESERVES)
		return;
	reserve[nr_reserves].start = at;
	reserve[nr_reserves++].end = at + bytes;
}

/* -------------------------------------------------------------- rlimits */

/* As the target knows them; in the memory of the run. */
static struct control_limit limits[CONTROL_LIMIT_NR];

static int which(uint64_t resource)
{
	switch ((uint32_t)resource) {
	case RLIMIT_AS:
		return CONTROL_LIMIT_AS;
	case RLIMIT_DATA:
		return CONTROL_LIMIT_DATA;
	default:
		return -1;
	}
}

static uint64_t with_reserve(uint64_t value, int limit)
{
	uint64_t sum = value + control_reserve((uint32_t)limit, races_bytes());

	return sum < value ? UINT64_MAX : sum;
}

static uint64_t without_reserve(uint64_t value, int limit)
{
	uint64_t bytes = control_reserve((uint32_t)limit, races_bytes());

	return value == UINT64_MAX ? value : value < bytes ? 0 : value - bytes;
}

void limits_init(void)
{
	static const uint32_t resource[CONTROL_LIMIT_NR] = {
		[CONTROL_LIMIT_AS] = RLIMIT_AS,
		[CONTROL_LIMIT_DATA] = RLIMIT_DATA,
	};

	for (int i = 0; i < CONTROL_LIMIT_NR; i++) {
		const struct control_limit *user = &runtime_control->limit[i];
		struct control_limit real = *user;

		sys_call4(__NR_prlimit64, 0, resource[i], 0, &real);
		/* The tool had no right to raise it: it is what it was. */
		if (real.hard == user->hard)
			limits[i] = *user;
		else
			limits[i] = (struct control_limit){
				without_reserve(real.soft, i),
				without_reserve(real.hard, i),
			};
	}
}

static int64_t set_limit(uint64_t resource, int limit,
			 const struct control_limit *new)
{
	struct control_limit *now = &limits[limit];
	struct control_limit real = { with_reserve(new->soft, limit),
			       with_reserve(new->hard, limit) };
	struct control_limit was;
	int64_t r;

	if (new->soft > new->hard)
		return -EINVAL;
	r = sys_call4(__NR_prlimit64, 0, resource, 0, &was);
	/* The tool had no right to raise it by the reserve: all there is. */
	if (r >= 0 && new->hard <= now->hard && real.hard > was.hard) {
		real.hard = was.hard;
		if (real.soft > real.hard)
			real.soft = real.hard;
	}
	if (r >= 0)
		r = sys_call4(__NR_prlimit64, 0, resource, &real, 0);
	if (r < 0)
		return r;
	now->soft = new->soft;
	now->hard = new->hard;
	return 0;
}

static int64_t change(struct trap *t, int limit, uint64_t new, uint64_t old)
{
	struct control_limit was = limits[limit];
	struct control_limit value = { 0, 0 };
	int64_t r;

	if (new && (!sys_load64((uint64_t *)(uintptr_t)new, &value.soft) ||
		    !sys_load64((uint64_t *)(uintptr_t)new + 1, &value.hard)))
		return -EFAULT;
	r = new ? set_limit(t->arg[t->nr == __NR_prlimit64], limit, &value) : 0;
	if (r < 0)
		return r;
	if (old && (!sys_store64((uint64_t *)(uintptr_t)old, was.soft) ||
		    !sys_store64((uint64_t *)(uintptr_t)old + 1, was.hard)))
		return -EFAULT;
	return 0;
}

int64_t limits_getrlimit(struct trap *t)
{
	int limit = which(t->arg[0]);

	return limit < 0 ? trap_pass(t) : change(t, limit, 0, t->arg[1]);
}

int64_t limits_setrlimit(struct trap *t)
{
	int limit = which(t->arg[0]);

	return limit < 0 ? trap_pass(t) : change(t, limit, t->arg[1], 0);
}

int64_t limits_prlimit(struct trap *t)
{
	int limit = which(t->arg[1]);
	int32_t pid = (int32_t)t->arg[0];

	if (limit < 0 || (pid && !ids_is_self(pid)))
		return trap_pass(t);
	return change(t, limit, t->arg[2], t->arg[3]);
}

/* ------------------------------------------------------------- mlockall */

static bool is_ours(uint64_t start, uint64_t end)
{
	if (trap_is_runtime_code(start))
		return true;
	for (uint32_t i = 0; i < nr_reserves; i++)
		if (start < reserve[i].end && end > reserve[i].start)
			return true;
	return false;
}

/*
 * First the lock, which may meet a limit; then the pages, which need not be
 * there (guard pages), as mlockall() sees it.
 */
static int64_t lock_mapping(uint64_t start, uint64_t end, bool on_fault)
{
	int64_t r = sys_call3(__NR_mlock2, start, end - start, MLOCK_ONFAULT);

	if (r >= 0 && !on_fault)
		sys_call2(__NR_mlock, start, end - start);
	return r;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static uint64_t read_hex(const char **p)
{
	uint64_t value = 0;

	for (; is_hex(**p); (*p)++)
		value = value << 4 |
			(uint64_t)(**p <= '9' ? **p - '0' : **p - 'a' + 10);
	return value;
}

/* "start-end ..." */
static int64_t lock_line(const char *line, bool on_fault)
{
	uint64_t start = read_hex(&line), end;

	line++;
	end = read_hex(&line);
	if (start >= USER_TOP || is_ours(start, end))
		return 0;
	return lock_mapping(start, end, on_fault);
}

/* The lines in text[0, n), the last of which may be cut: returns its length. */
static uint32_t lock_lines(char *text, uint32_t n, bool on_fault, int64_t *r)
{
	uint32_t start = 0;

	for (uint32_t i = 0; i < n && *r >= 0; i++) {
		if (text[i] != '\n')
			continue;
		*r = lock_line(text + start, on_fault);
		start = i + 1;
	}
	memmove(text, text + start, n - start);
	return n - start;
}

static int64_t lock_all(bool on_fault)
{
	static char text[4096];
	uint32_t kept = 0;
	int64_t fd, n = 1, r = 0;

	fd = sys_call3(__NR_open, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -EAGAIN;
	while (n > 0 && r >= 0) {
		n = sys_call3(__NR_read, fd, text + kept, sizeof(text) - kept);
		if (n > 0)
			kept = lock_lines(text, kept + (uint32_t)n, on_fault,
					  &r);
	}
	sys_call1(__NR_close, fd);
	return r;
}

int64_t limits_mlockall(struct trap *t)
{
	uint64_t flags = t->arg[0];
	int64_t r;

	if (!(flags & MCL_CURRENT) ||
	    flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return trap_pass(t);
	r = lock_all(flags & MCL_ONFAULT);
	if (r >= 0 && flags & MCL_FUTURE)
		r = sys_call1(__NR_mlockall, flags & ~(uint64_t)MCL_CURRENT);
	if (r < 0)
		sys_call0(__NR_munlockall);
	return r;
}
