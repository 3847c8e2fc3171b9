/* SPDX-License-Identifier: MIT */
/*
 * time.c - virtual clocks and sleeps.
 *
 * Virtual time is the scheduler's now_ns. It moves a little with each
 * operation and each look at a clock, and jumps when nobody can run before a
 * deadline. All clocks of the target derive from it.
 */
#include <elf.h>
#include <linux/errno.h>
#include <linux/time.h>

#include "preload/kernel/timers.h"

#define NS_PER_S TIME_NS_PER_S
#define READS_PER_YIELD 64u
#define TSC_PER_NS 2u
#define SI_KERNEL 0x80	/* si_code: no address is to blame */

uint64_t time_real_ns(void)
{
	struct timespec64 ts;

	sys_call2(__NR_clock_gettime, 1, &ts);
	return (uint64_t)ts.sec * NS_PER_S + (uint64_t)ts.nsec;
}

/* --------------------------------------------------------------- clocks */

/*
 * A task that only looks at the clock waits for time to pass, so the more it
 * looks without doing anything else, the faster time goes.
 */
static void pass_a_little(void)
{
	static uint64_t last_step, reads;
	struct scheduler *s = runtime_scheduler();
	uint64_t shift;

	if (last_step != s->step) {
		last_step = s->step;
		reads = 0;
	}
	reads++;
	shift = reads / 32 < 13 ? reads / 32 : 13;
	scheduler_advance(s, s->now_ns + (1000ull << shift));
}

static bool is_realtime(int clock)
{
	return clock == 0 || clock == 5 || clock == 8 || clock == 11;
}

bool time_is_of_processor(int clock)
{
	return clock == 2 || clock == 3 || clock < 0;
}

uint64_t time_of_clock(int clock, uint64_t now)
{
	const struct control_config *c = &runtime_control->config;

	if (is_realtime(clock))
		return now - c->scheduler.start_ns + c->realtime_ns;
	if (time_is_of_processor(clock))
		return now > c->scheduler.start_ns ?
		       now - c->scheduler.start_ns : 0;
	return now;
}

/* ------------------------------------------------------- processor time */

/* Two words of the target's: seconds, and parts of one. */
static int64_t write_pair(uint64_t to, uint64_t first, uint64_t second)
{
	const uint64_t pair[2] = { first, second };

	return sys_copy_out(to, pair, sizeof(pair)) ? 0 : -EFAULT;
}

static uint64_t counted_ns;	/* of all tasks, that is in their cpu_ns */

void time_count(uint32_t task)
{
	uint64_t now = scheduler_busy_ns(&runtime_control->scheduler);

	core_task(task)->cpu_ns += now - counted_ns;
	counted_ns = now;
}

/* A clock's id of clock_getcpuclockid(3): ~process << 3, and in these bits: */
#define CLOCK_OF_THREAD 4

/* Whose time it tells; -1: the whole process's. */
static int thread_of_clock(int clock)
{
	uint32_t tid = ~((uint32_t)clock >> 3 | 7u << 29);

	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return (int)runtime_self();
	if (clock >= 0 || !(clock & CLOCK_OF_THREAD))
		return -1;
	return tid ? threads_by_tid(tid) : (int)runtime_self();
}

uint64_t runtime_clock_ns(int clock)
{
	int task;

	pass_a_little();
	if (!time_is_of_processor(clock))
		return time_of_clock(clock, runtime_scheduler()->now_ns);
	time_count(runtime_self());
	task = thread_of_clock(clock);
	return task < 0 ? counted_ns : core_task((uint32_t)task)->cpu_ns;
}

#define WHO_SELF 0	/* RUSAGE_SELF, RUSAGE_THREAD */
#define WHO_THREAD 1

/*
 * The kernel's struct rusage begins with both times; the rest is the
 * carrier's.
 */
int64_t time_getrusage(struct trap *t)
{
	int64_t r = trap_pass(t);
	int who = (int)t->arg[0];
	uint64_t ns;

	if (r || (who != WHO_SELF && who != WHO_THREAD))
		return r;
	ns = runtime_clock_ns(who == WHO_SELF ? CLOCK_PROCESS_CPUTIME_ID
					      : CLOCK_THREAD_CPUTIME_ID);
	write_pair(t->arg[1], ns / NS_PER_S, ns % NS_PER_S / 1000);
	return write_pair(t->arg[1] + 16, 0, 0);
}

uint64_t runtime_deadline_ns(int clock, int64_t sec, int64_t nsec)
{
	const struct control_config *c = &runtime_control->config;
	uint64_t at;

	if (sec < 0)
		return 1;
	if (sec > 9000000000)
		return SCHED_NEVER - 1;
	at = (uint64_t)sec * NS_PER_S + (uint64_t)nsec;
	if (is_realtime(clock))
		at = at > c->realtime_ns
			     ? at - c->realtime_ns + c->scheduler.start_ns : 1;
	else if (time_is_of_processor(clock))
		at += c->scheduler.start_ns + runtime_scheduler()->idle_ns;
	return at ? at : 1;
}

static uint64_t read_clock(struct trap *t, int clock)
{
	static uint32_t reads;

	/* Someone may be polling the clock until another task has acted. */
	if (++reads % READS_PER_YIELD == 0) {
		struct runtime_op op = { .kind = EXPLORE_OP_YIELD,
					 .pc = t->site };

		core_point(&op);
	}
	return runtime_clock_ns(clock);
}

int64_t time_clock_gettime(struct trap *t)
{
	int clock = (int)t->arg[0];
	uint64_t now;

	if (clock > 11)
		return -EINVAL;
	now = read_clock(t, clock);
	return write_pair(t->arg[1], now / NS_PER_S, now % NS_PER_S);
}

int64_t time_clock_getres(struct trap *t)
{
	if ((int)t->arg[0] > 11)
		return -EINVAL;
	return t->arg[1] ? write_pair(t->arg[1], 0, 1) : 0;
}

int64_t time_gettimeofday(struct trap *t)
{
	uint64_t now = read_clock(t, 0);

	if (t->arg[0] &&
	    write_pair(t->arg[0], now / NS_PER_S, now % NS_PER_S / 1000))
		return -EFAULT;
	if (t->arg[1] && !sys_store64((void *)(uintptr_t)t->arg[1], 0))
		return -EFAULT;
	return 0;
}

int64_t time_time(struct trap *t)
{
	int64_t now = (int64_t)(read_clock(t, 0) / NS_PER_S);

	if (t->arg[0] && !sys_store64((void *)(uintptr_t)t->arg[0],
				      (uint64_t)now))
		return -EFAULT;
	return now;
}

int64_t time_times(struct trap *t)
{
	int64_t ticks = (int64_t)(read_clock(t, 1) / (NS_PER_S / 100));
	uint64_t busy = scheduler_busy_ns(runtime_scheduler());
	const int64_t buf[4] = { (int64_t)(busy / (NS_PER_S / 100)), 0, 0, 0 };

	if (t->arg[0] && !sys_copy_out(t->arg[0], buf, sizeof(buf)))
		return -EFAULT;
	return ticks;
}

/* What a patched rdtsc or rdtscp (entry.S) and one that traps give. */
RUNTIME_HIDDEN uint64_t time_stamp(void);
uint64_t time_stamp(void)
{
	pass_a_little();
	return runtime_scheduler()->now_ns * TSC_PER_NS;
}

/* rdtsc and rdtscp fault (PR_SET_TSC); answer with virtual time. */
RUNTIME_HIDDEN bool time_emulate_tsc(struct sigcontext *m);
bool time_emulate_tsc(struct sigcontext *m)
{
	const uint8_t *ip = (const uint8_t *)(uintptr_t)m->rip;
	uint32_t bytes;
	uint64_t tsc;

	if (!sys_load32((const uint32_t *)(uintptr_t)m->rip, &bytes))
		return false;
	if ((bytes & 0xffff) != 0x310f && (bytes & 0xffffff) != 0xf9010f)
		return false;
	tsc = time_stamp();
	m->rax = (uint32_t)tsc;
	m->rdx = tsc >> 32;
	if (ip[1] == 0x01)
		m->rcx = 0;
	m->rip += ip[1] == 0x01 ? 3 : 2;
	return true;
}

/*
 * The same for entry.S, before the frame of the signal is taken anywhere:
 * nobody else runs before it is answered.
 */
RUNTIME_HIDDEN bool time_trap(const struct signals_info *info,
			      struct ucontext *uc);
bool time_trap(const struct signals_info *info, struct ucontext *uc)
{
	return runtime_is_on() && info->code == SI_KERNEL &&
	       time_emulate_tsc(&uc->uc_mcontext);
}

/* --------------------------------------------------------------- sleeps */

static int64_t sleep_until(struct trap *t, uint64_t deadline,
			   uint64_t remaining)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_SLEEP,
		.pc = t->site,
		.deadline_ns = deadline ? deadline : 1,
	};
	struct sched_task *self = runtime_self_task();
	uint64_t now;

	core_point(&op);
	if (!(self->flags & SCHED_TASK_INTERRUPTED))
		return 0;
	self->flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
	now = runtime_scheduler()->now_ns;
	if (now >= deadline)
		return 0;
	if (remaining && write_pair(remaining, (deadline - now) / NS_PER_S,
				    (deadline - now) % NS_PER_S))
		return -EFAULT;
	return -EINTR;
}

bool time_is_valid(const struct timespec64 *ts)
{
	return ts->sec >= 0 && ts->nsec >= 0 && ts->nsec < (int64_t)NS_PER_S;
}

uint64_t time_from_now(const struct timespec64 *ts)
{
	uint64_t sec = (uint64_t)ts->sec;

	if (sec > 9000000000ull)
		return SCHED_NEVER - 1;
	return runtime_scheduler()->now_ns + sec * NS_PER_S +
	       (uint64_t)ts->nsec;
}

int64_t time_nanosleep(struct trap *t)
{
	struct timespec64 ts;

	if (!sys_copy_in(&ts, t->arg[0], sizeof(ts)))
		return -EFAULT;
	if (!time_is_valid(&ts))
		return -EINVAL;
	return sleep_until(t, time_from_now(&ts), t->arg[1]);
}

int64_t time_clock_nanosleep(struct trap *t)
{
	bool is_absolute = t->arg[1] & 1;	/* TIMER_ABSTIME */
	struct timespec64 ts;

	if ((int)t->arg[0] > 11)
		return -EINVAL;
	if (!sys_copy_in(&ts, t->arg[2], sizeof(ts)))
		return -EFAULT;
	if (!time_is_valid(&ts))
		return -EINVAL;
	if (is_absolute)
		return sleep_until(t, runtime_deadline_ns((int)t->arg[0],
							  ts.sec, ts.nsec),
				   0);
	return sleep_until(t, time_from_now(&ts), t->arg[3]);
}

/* ----------------------------------------------------------------- vDSO */

/* CLOCK_REALTIME, _MONOTONIC, _RAW, both _COARSE, _BOOTTIME, _TAI. */
#define VDSO_CLOCKS 0x8f3ull

/*
 * mov $nr, %eax; syscall; cmp $-4095, %rax; ret. The cmp does nothing but give
 * patch.c the room it wants, so that clock calls soon cost no signal.
 */
static void write_call(uint8_t *code, uint32_t nr)
{
	static const uint8_t rest[] = { 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0,
					0xff, 0xff, 0xc3 };

	code[0] = 0xb8;
	memcpy(code + 1, &nr, 4);
	memcpy(code + 5, rest, sizeof(rest));
}

static const struct {
	const char *name;
	uint32_t nr;
} vdso_calls[] = {
	{ "__vdso_clock_gettime", __NR_clock_gettime },
	{ "__vdso_gettimeofday", __NR_gettimeofday },
	{ "__vdso_time", __NR_time },
	{ "__vdso_clock_getres", __NR_clock_getres },
	{ "__vdso_getcpu", __NR_getcpu },
};

static void patch_symbol(char *base, const Elf64_Sym *sym, const char *name)
{
	char *at = base + sym->st_value;
	uint64_t page = (uintptr_t)at & ~4095ull;

	for (size_t i = 0; i < sizeof(vdso_calls) / sizeof(vdso_calls[0]);
	     i++) {
		if (!core_streq(name, vdso_calls[i].name) || sym->st_size < 14)
			continue;
		if (sys_call3(__NR_mprotect, page, 8192, 7) < 0 &&
		    sys_call3(__NR_mprotect, page, 4096, 7) < 0)
			return;
		write_call((uint8_t *)at, vdso_calls[i].nr);
		if (sys_call3(__NR_mprotect, page, 8192, 5) < 0)
			sys_call3(__NR_mprotect, page, 4096, 5);
	}
}

uint64_t time_vdso_start, time_vdso_bytes;

bool time_is_of_vdso(uint64_t clock)
{
	return clock < 64 && VDSO_CLOCKS >> clock & 1;
}

void time_patch_vdso_at(char *base)
{
	const Elf64_Ehdr *e = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + e->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *names = NULL;
	const uint32_t *hash = NULL;

	time_vdso_start = (uintptr_t)base;
	for (int i = 0; i < e->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			time_vdso_bytes = ph[i].p_vaddr + ph[i].p_memsz;
		else if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + ph[i].p_vaddr);
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			sym = (const void *)(base + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_STRTAB)
			names = base + dyn->d_un.d_ptr;
		else if (dyn->d_tag == DT_HASH)
			hash = (const void *)(base + dyn->d_un.d_ptr);
	}
	if (!sym || !names || !hash)
		return;
	for (uint32_t i = 0; i < hash[1]; i++)
		patch_symbol(base, &sym[i], names + sym[i].st_name);
}
