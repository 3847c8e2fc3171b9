/* SPDX-License-Identifier: MIT */
/*
 * timers.c - interval timers: alarm, setitimer, timer_create, timerfd.
 */
#include <linux/errno.h>
#include <linux/time.h>

#include "preload/memory/access.h"
#include "preload/kernel/signals.h"
#include "preload/kernel/timers.h"

#define NR_ITIMERS 3	/* ITIMER_REAL, VIRTUAL, PROF */
#define NR_TIMERS 16384	/* RLIMIT_SIGPENDING bounds them natively */
/*
 * So many expirations in a row that nobody notices are worth waking up for:
 * when all wait for something else, there is no end to them.
 */
#define MAX_VAIN 64u
#define NOTIFY_SIGNAL 0		/* SIGEV_SIGNAL, NONE, THREAD_ID */
#define NOTIFY_NONE 1
#define NOTIFY_THREAD_ID 4
#define FD_ABSTIME 1		/* TFD_TIMER_ABSTIME, CANCEL_ON_SET */
#define FD_CANCEL_ON_SET 2

enum use {
	UNUSED = 0,
	SIGNALS,	/* sends one when it expires */
	SILENT,		/* SIGEV_NONE: it can be asked */
	DESCRIPTOR,
};

struct timer {
	uint64_t expiry, interval;	/* expiry SCHED_NEVER: not armed */
	uint64_t value;
	uint64_t ticks;		/* DESCRIPTOR: not read yet */
	uint64_t next_tick;	/* while its signal is pending: of its clock */
	int32_t signo, task, overrun, clock;
	uint32_t nr_vain;
	uint8_t use;		/* enum use */
	/* Its signal is pending; the next interval begins when it is taken. */
	bool is_waiting;
};

static struct timer timers[NR_TIMERS];
static int nr_timers = NR_ITIMERS;	/* those behind were never used */
static bool is_worth_a_look;	/* some sent in vain, or wait */

/* ----------------------------------------------------------- expirations */

/* What its clock shows, counted from the start of the run or before. */
static uint64_t now_of(const struct timer *timer)
{
	const struct scheduler *s = &runtime_control->scheduler;

	return time_is_of_processor(timer->clock) ? scheduler_busy_ns(s)
						  : s->now_ns;
}

static bool is_alarm(const struct timer *timer)
{
	if (timer->expiry == SCHED_NEVER)
		return false;
	/* Who is readable wakes nobody until it is read. */
	if (timer->use == DESCRIPTOR)
		return !timer->ticks;
	return timer->use == SIGNALS && timer->nr_vain < MAX_VAIN;
}

/* No deadline behind that comes before, also while its signal is pending. */
static uint64_t due(const struct timer *timer)
{
	return timer->is_waiting ? timer->next_tick : timer->expiry;
}

static void find_next_tick(struct timer *timer)
{
	uint64_t now = now_of(timer);

	timer->next_tick = timer->expiry;
	if (timer->next_tick <= now)
		timer->next_tick += ((now - timer->next_tick) /
				     timer->interval + 1) * timer->interval;
}

/*
 * Processor time passes while somebody can run only, so such a timer is no
 * reason to let time jump when nobody can.
 */
static void find_next(void)
{
	struct scheduler *s = runtime_scheduler();
	uint64_t next = SCHED_NEVER, next_busy = SCHED_NEVER;

	for (int i = 0; i < nr_timers; i++) {
		const struct timer *timer = &timers[i];
		uint64_t at = due(timer);

		if (!is_alarm(timer))
			continue;
		if (time_is_of_processor(timer->clock)) {
			uint64_t now = now_of(timer);

			at = s->now_ns + (at > now ? at - now : 0);
			next_busy = at < next_busy ? at : next_busy;
		} else if (at < next) {
			next = at;
		}
	}
	s->alarm_ns = next;
	s->busy_alarm_ns = next < next_busy ? next : next_busy;
	computing_pass_time(s->busy_alarm_ns != SCHED_NEVER);
}

void timers_reset(void)
{
	static const struct timer itimer[NR_ITIMERS] = {
		{ .signo = SIGALRM, .clock = CLOCK_MONOTONIC },
		{ .signo = SIGVTALRM, .clock = CLOCK_PROCESS_CPUTIME_ID },
		{ .signo = SIGPROF, .clock = CLOCK_PROCESS_CPUTIME_ID },
	};

	for (int i = 0; i < NR_ITIMERS; i++) {
		timers[i] = itimer[i];
		timers[i].expiry = SCHED_NEVER;
		timers[i].task = -1;
		timers[i].use = SIGNALS;
	}
}

/* Let the intervals that are over be over; returns how many. */
static uint64_t go_on(struct timer *timer)
{
	uint64_t now = now_of(timer), nr = 1;

	if (timer->expiry > now)
		return 0;
	if (timer->interval) {
		nr += (now - timer->expiry) / timer->interval;
		timer->expiry += nr * timer->interval;
	} else {
		timer->expiry = SCHED_NEVER;
	}
	return nr;
}

static void note_vain(struct timer *timer)
{
	timer->nr_vain++;
	is_worth_a_look = true;
}

static struct signals_info info_of(const struct timer *timer)
{
	int id = (int)(timer - timers);

	return (struct signals_info){
		.signo = timer->signo,
		.code = id < NR_ITIMERS ? SIGNALS_CODE_KERNEL
					: SIGNALS_CODE_TIMER,
		.pid = id < NR_ITIMERS ? 0 : id,
		.value = timer->value,
	};
}

/* Whether it is pending now; one that is ignored never is. */
static bool send(struct timer *timer)
{
	const struct scheduler *s = &runtime_control->scheduler;
	struct signals_info info = info_of(timer);

	if (timer->task >= 0 &&
	    s->task[timer->task].state != SCHED_TASK_ALIVE)
		return false;
	if (!signals_is_queued(&info))
		signals_post(timer->task, &info);
	timer->is_waiting = timer->interval && signals_is_queued(&info);
	is_worth_a_look |= timer->is_waiting;
	return signals_is_queued(&info);
}

static void fire(struct timer *timer)
{
	bool is_sent;

	if (timer->is_waiting) {	/* counted when its signal is taken */
		find_next_tick(timer);
		note_vain(timer);
		return;
	}
	timer->overrun = 0;
	if (timer->use == DESCRIPTOR) {
		timer->ticks += go_on(timer);
		return;
	}
	is_sent = send(timer);
	if (timer->is_waiting)
		find_next_tick(timer);
	else
		go_on(timer);
	if (!is_sent)
		note_vain(timer);
}

bool timers_fire(void)
{
	const struct scheduler *s = &runtime_control->scheduler;
	bool any = false;

	if (s->alarm_ns > s->now_ns && s->busy_alarm_ns > s->now_ns)
		return false;
	for (int i = 0; i < nr_timers; i++)
		if (is_alarm(&timers[i]) &&
		    due(&timers[i]) <= now_of(&timers[i])) {
			fire(&timers[i]);
			any = true;
		}
	find_next();
	return any;
}

void timers_look_again(void)
{
	if (!is_worth_a_look)
		return;
	is_worth_a_look = false;
	for (int i = 0; i < nr_timers; i++) {
		struct timer *timer = &timers[i];
		struct signals_info info = info_of(timer);

		if (timer->use != SIGNALS)
			continue;
		timer->nr_vain = 0;
		if (timer->is_waiting && !signals_is_queued(&info)) {
			timer->is_waiting = false;	/* it was thrown away */
			go_on(timer);
		}
		is_worth_a_look |= timer->is_waiting;
	}
	find_next();
}

static struct timer *sender_of(const struct signals_info *info)
{
	if (info->code == SIGNALS_CODE_TIMER)
		return info->pid >= NR_ITIMERS && info->pid < nr_timers
			       ? &timers[info->pid] : NULL;
	for (int i = 0; i < NR_ITIMERS; i++)
		if (timers[i].signo == info->signo)
			return &timers[i];
	return NULL;
}

void timers_taken(struct signals_info *info)
{
	struct timer *timer = sender_of(info);

	if (timer && timer->is_waiting && timer->signo == info->signo) {
		timer->is_waiting = false;
		timer->overrun = (int32_t)(go_on(timer) - 1);
		if (info->code == SIGNALS_CODE_TIMER)
			info->uid = timer->overrun;	/* si_overrun */
		find_next();
	}
	timers_look_again();
}

/* ---------------------------------------------------- setting and asking */

/* Until it expires next; 0: it is not armed. */
static uint64_t remaining_ns(const struct timer *timer)
{
	uint64_t now = now_of(timer);

	if (timer->expiry == SCHED_NEVER)
		return 0;
	if (timer->expiry > now)
		return timer->expiry - now;
	return timer->interval ? timer->interval -
				 (now - timer->expiry) % timer->interval : 1;
}

/* struct itimerval or itimerspec, whose parts of a second are of unit_ns. */
static void describe(const struct timer *timer, uint64_t unit_ns,
		     uint64_t out[4])
{
	uint64_t left = remaining_ns(timer);

	out[0] = timer->interval / TIME_NS_PER_S;
	out[1] = timer->interval % TIME_NS_PER_S / unit_ns;
	out[2] = left / TIME_NS_PER_S;
	out[3] = left % TIME_NS_PER_S / unit_ns;
}

static int64_t write_timer(const struct timer *timer, uint64_t unit_ns,
			   uint64_t to)
{
	uint64_t out[4];

	describe(timer, unit_ns, out);
	return sys_copy_out(to, out, 4 * sizeof(*out)) ? 0 : -EFAULT;
}

/* From now on it is due at that time; one that is over expires at once. */
static void arm(struct timer *timer, uint64_t expiry, uint64_t interval)
{
	timer->expiry = expiry;
	timer->interval = interval;
	timer->overrun = 0;
	timer->ticks = 0;
	timer->nr_vain = 0;
	timer->is_waiting = false;
	find_next();
	timers_fire();
}

int64_t time_alarm(struct trap *t)
{
	uint64_t left = remaining_ns(&timers[0]), ns;

	ns = (t->arg[0] & UINT32_MAX) * TIME_NS_PER_S;
	arm(&timers[0], ns ? now_of(&timers[0]) + ns : SCHED_NEVER, 0);
	return (int64_t)((left + TIME_NS_PER_S - 1) / TIME_NS_PER_S);
}

int64_t time_getitimer(struct trap *t)
{
	if (t->arg[0] >= NR_ITIMERS)
		return -EINVAL;
	return write_timer(&timers[t->arg[0]], 1000, t->arg[1]);
}

int64_t time_setitimer(struct trap *t)
{
	struct timer *timer, was;
	int64_t new[4] = { 0 };		/* NULL disarms it: a Linux feature */
	uint64_t value;

	if (t->arg[1] && !sys_copy_in(new, t->arg[1], sizeof(new)))
		return -EFAULT;
	if (t->arg[0] >= NR_ITIMERS || new[0] < 0 || new[2] < 0 ||
	    (uint64_t)new[1] >= 1000000 || (uint64_t)new[3] >= 1000000)
		return -EINVAL;
	timer = &timers[t->arg[0]];
	was = *timer;
	value = (uint64_t)new[2] * TIME_NS_PER_S + (uint64_t)new[3] * 1000;
	arm(timer, value ? now_of(timer) + value : SCHED_NEVER,
	    (uint64_t)new[0] * TIME_NS_PER_S + (uint64_t)new[1] * 1000);
	return t->arg[2] ? write_timer(&was, 1000, t->arg[2]) : 0;
}

/* ----------------------------------------------------------- timer_create */

/* struct sigevent, as far as it matters */
struct event64 {
	uint64_t value;
	int32_t signo, notify, tid;
};

static int new_timer(uint8_t use, int clock)
{
	int id = NR_ITIMERS;

	while (id < NR_TIMERS && timers[id].use != UNUSED)
		id++;
	if (id == NR_TIMERS)
		return -EAGAIN;
	if (id == nr_timers)
		nr_timers++;
	timers[id] = (struct timer){ .expiry = SCHED_NEVER, .task = -1,
				     .signo = SIGALRM, .value = (uint64_t)id,
				     .clock = clock, .use = use };
	return id;
}

static int64_t check_clock(int clock)
{
	switch (clock) {
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	case 10:	/* CLOCK_SGI_CYCLE, which is no more */
		return -EINVAL;
	default:
		return clock > CLOCK_TAI ? -EINVAL : 0;
	}
}

static int64_t check_event(const struct event64 *e)
{
	switch (e->notify) {
	case NOTIFY_NONE:
		return 0;
	case NOTIFY_THREAD_ID:
		if (threads_by_tid((uint32_t)e->tid) < 0)
			return -EINVAL;
		break;
	case NOTIFY_SIGNAL:
	case 2:		/* SIGEV_THREAD: as NOTIFY_SIGNAL, to the kernel */
		break;
	default:
		return -EINVAL;
	}
	return e->signo < 1 || e->signo > NR_SIGNALS ? -EINVAL : 0;
}

int64_t time_timer_create(struct trap *t)
{
	struct event64 event = { 0 };
	int64_t r = check_clock((int)t->arg[0]);
	int id;

	if (t->arg[1] && !sys_copy_in(&event, t->arg[1], sizeof(event)))
		return -EFAULT;
	if (!r && t->arg[1])
		r = check_event(&event);
	if (r)
		return r;
	id = new_timer(SIGNALS, (int)t->arg[0]);
	if (id < 0)
		return id;
	if (t->arg[1]) {
		timers[id].value = event.value;
		timers[id].signo = event.signo;
		if (event.notify == NOTIFY_NONE)
			timers[id].use = SILENT;
		if (event.notify == NOTIFY_THREAD_ID)
			timers[id].task = threads_by_tid((uint32_t)event.tid);
	}
	if (!sys_store32((void *)(uintptr_t)t->arg[2], (uint32_t)id)) {
		timers[id].use = UNUSED;
		return -EFAULT;
	}
	return 0;
}

static struct timer *timer_at(uint64_t id)
{
	id = (uint32_t)id;
	if (id < NR_ITIMERS || id >= NR_TIMERS || timers[id].use == UNUSED ||
	    timers[id].use == DESCRIPTOR)
		return NULL;
	return &timers[id];
}

/* Where a time that was given lies on the timer's own clock. */
static uint64_t expiry_of(const struct timer *timer,
			  const struct timespec64 *at, bool is_absolute)
{
	uint64_t ns = at->sec > 9000000000 ? SCHED_NEVER / 2 :
		      (uint64_t)at->sec * TIME_NS_PER_S + (uint64_t)at->nsec;

	if (!ns)
		return SCHED_NEVER;
	if (!is_absolute)
		return now_of(timer) + ns;
	if (time_is_of_processor(timer->clock))
		return ns;
	return runtime_deadline_ns(timer->clock, at->sec, at->nsec);
}

static int64_t set(struct timer *timer, bool is_absolute, struct trap *t)
{
	struct timespec64 new[2];	/* interval, value */
	struct timer was;

	if (!sys_copy_in(new, t->arg[2], sizeof(new)))
		return -EFAULT;
	if (!timer || !time_is_valid(&new[0]) || !time_is_valid(&new[1]))
		return -EINVAL;
	was = *timer;
	arm(timer, expiry_of(timer, &new[1], is_absolute),
	    (uint64_t)new[0].sec * TIME_NS_PER_S + (uint64_t)new[0].nsec);
	return t->arg[3] ? write_timer(&was, 1, t->arg[3]) : 0;
}

int64_t time_timer_settime(struct trap *t)
{
	if (!t->arg[2])
		return -EINVAL;
	return set(timer_at(t->arg[0]), t->arg[1] & 1 /* TIMER_ABSTIME */, t);
}

int64_t time_timer_gettime(struct trap *t)
{
	struct timer *timer = timer_at(t->arg[0]);

	if (!timer)
		return -EINVAL;
	if (timer->use == SILENT)
		go_on(timer);
	return write_timer(timer, 1, t->arg[1]);
}

int64_t time_timer_getoverrun(struct trap *t)
{
	struct timer *timer = timer_at(t->arg[0]);

	return timer ? timer->overrun : -EINVAL;
}

int64_t time_timer_delete(struct trap *t)
{
	struct timer *timer = timer_at(t->arg[0]);

	if (!timer)
		return -EINVAL;
	timer->use = UNUSED;
	find_next();
	return 0;
}

/* ------------------------------------------------------------- timerfd */

int timers_open(int clock)
{
	return new_timer(DESCRIPTOR, clock);
}

void timers_close(int id)
{
	timers[id].use = UNUSED;
	find_next();
}

int64_t timers_set(int id, struct trap *t)
{
	if (t->arg[1] & ~(uint64_t)(FD_ABSTIME | FD_CANCEL_ON_SET))
		return -EINVAL;
	return set(&timers[id], t->arg[1] & FD_ABSTIME, t);
}

int64_t timers_get(int id, struct trap *t)
{
	timers_ticks(id);
	return write_timer(&timers[id], 1, t->arg[1]);
}

/* One that was not read is due at once. */
void timers_describe(int id, uint64_t time[4])
{
	describe(&timers[id], 1, time);
	if (timers[id].ticks) {
		time[2] = 0;
		time[3] = 1;
	}
}

uint64_t timers_ticks(int id)
{
	struct timer *timer = &timers[id];
	uint64_t nr = go_on(timer);

	timer->ticks += nr;
	if (nr)
		find_next();
	return timer->ticks;
}

uint64_t timers_take_ticks(int id)
{
	uint64_t ticks = timers_ticks(id);

	timers[id].ticks = 0;
	find_next();
	return ticks;
}
