/* SPDX-License-Identifier: MIT */
/*
 * counter.c - perf events of the carrier.
 */
#include "preload/clock/counter.h"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#define ENABLE_IOC 0x2400	/* PERF_EVENT_IOC_..., without <sys/ioctl.h> */
#define DISABLE_IOC 0x2401
#define RESET_IOC 0x2403
#define PERIOD_IOC 0x40082404
#define MODIFY_IOC 0x4008240b
#define DUPFD_CLOEXEC 1030
#define LOWEST_FD 900		/* out of the way of what the target opens */

int32_t counter_fd = -1;
static int32_t break_fd = -1;
static bool has_break;

static struct perf_event_attr attributes(uint32_t type, uint64_t config)
{
	struct perf_event_attr a;

	memset(&a, 0, sizeof(a));
	a.size = sizeof(a);
	a.type = type;
	if (type == PERF_TYPE_BREAKPOINT) {
		a.bp_type = HW_BREAKPOINT_X;
		a.bp_addr = config;
		a.bp_len = sizeof(long);
	} else {
		a.config = config;
		a.pinned = 1;
	}
	a.sample_period = COUNTER_NEVER;
	a.disabled = 1;
	a.exclude_kernel = 1;
	a.exclude_hv = 1;
	a.remove_on_exec = 1;	/* what sigtrap wants */
	a.sigtrap = 1;
	return a;
}

static int64_t open_event(struct perf_event_attr *a)
{
	int64_t fd = sys_call5(__NR_perf_event_open, a, 0, -1, -1,
			       PERF_FLAG_FD_CLOEXEC);
	int64_t high;

	if (fd < 0)
		return fd;
	high = sys_call3(__NR_fcntl, fd, DUPFD_CLOEXEC, LOWEST_FD);
	if (high < 0)
		return fd;
	sys_call1(__NR_close, fd);
	return high;
}

static struct perf_event_attr break_attributes(uint64_t addr)
{
	struct perf_event_attr a = attributes(PERF_TYPE_BREAKPOINT, addr);

	a.sample_period = 1;
	a.sig_data = COUNTER_BREAK;
	return a;
}

int64_t counter_open(const struct control_clock *clock)
{
	bool is_break = clock->kind == CONTROL_CLOCK_BREAK;
	struct perf_event_attr a = attributes(is_break ? PERF_TYPE_BREAKPOINT :
							 PERF_TYPE_RAW,
					      clock->event);
	int64_t fd;

	a.sig_data = COUNTER_OVERFLOW;
	fd = open_event(&a);
	if (fd < 0)
		return fd;
	counter_fd = (int32_t)fd;
	/* Anywhere: it is moved before it is used. */
	a = break_attributes((uintptr_t)sys_stub_start);
	fd = open_event(&a);
	break_fd = (int32_t)fd;
	return fd < 0 ? fd : 0;
}

void counter_reset(void)
{
	sys_call3(__NR_ioctl, counter_fd, RESET_IOC, 0);
	counter_set_period(COUNTER_NEVER);
}

void counter_set_period(uint64_t ticks)
{
	sys_call3(__NR_ioctl, counter_fd, PERIOD_IOC, &ticks);
}

void counter_stop(void)
{
	sys_call3(__NR_ioctl, counter_fd, DISABLE_IOC, 0);
}

uint32_t counter_request(bool runs)
{
	return runs ? ENABLE_IOC : DISABLE_IOC;
}

uint64_t counter_read(void)
{
	uint64_t count;

	if (sys_call3(__NR_read, counter_fd, &count, sizeof(count)) !=
	    sizeof(count))
		return UINT64_MAX;
	return count;
}

bool counter_break_at(uint64_t addr)
{
	struct perf_event_attr a = break_attributes(addr);

	a.disabled = 0;
	has_break = sys_call3(__NR_ioctl, break_fd, MODIFY_IOC, &a) == 0;
	return has_break;
}

void counter_break_off(void)
{
	if (has_break)
		sys_call3(__NR_ioctl, break_fd, DISABLE_IOC, 0);
	has_break = false;
}
