/* SPDX-License-Identifier: MIT */
/*
 * watchdog.c - looks after a run that does not reach its next operation.
 */
#include "explorer/target/watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define PATIENCE_NS 1000000ull		/* before the first probe */
#define PAUSE_MAX_NS 256000000ull	/* between two probes */
/* A probe takes twice the steps of the last: this keeps its share small. */
#define PAUSE_GROWTH 4u
#define CHARGE_NS 50000000ull		/* how often time is charged to a run */
/* Where the run would be taken for stuck soon, whatever it does is cut. */
#define FORCE_PERCENT 80u
#define FORCE_DEFAULT_NS 30000000000ull	/* of that, when there is no limit */
#define FORCE_AGAIN_NS 2000000000ull
#define MAX_FORCES 8u
#define HOPELESS_NS 10000000000ull	/* from the kill to giving up */
#define PROBE_SIGNAL SIGURG		/* as preload/signals.c has it */

pid_t watchdog_run(struct watchdog *d)
{
	if (d->run_fd < 0)
		d->run_fd = ward_open_run(d->ward, &d->run);
	return d->run_fd < 0 ? 0 : d->run;
}

/* By descriptor: the number may be somebody else's by now. */
static void send(struct watchdog *d, int sig)
{
	if (watchdog_run(d) > 0)
		syscall(SYS_pidfd_send_signal, d->run_fd, sig, NULL, 0);
}

/* Processor time of the run; 0 when it has none. */
static uint64_t cpu_time_ns(struct watchdog *d)
{
	pid_t pid = watchdog_run(d);
	struct timespec t;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) ||
	    clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void watchdog_init(struct watchdog *d, struct control *c,
		   const struct ward *ward, uint64_t limit_ms,
		   uint64_t pause_ns)
{
	*d = (struct watchdog){
		.control = c,
		.ward = ward,
		.run_fd = -1,
		.limit_ns = limit_ms * 1000000u,
		.step = UINT64_MAX,
		.pause_ns = pause_ns,
	};
}

void watchdog_end(struct watchdog *d)
{
	if (d->run_fd >= 0)
		close(d->run_fd);
	d->run_fd = -1;
}

void watchdog_moved(struct watchdog *d)
{
	d->moved_ns = d->charged_at_ns = now_ns();
	d->charged_ns = 0;
	/* A probe that found no spin was in vain: look less often now. */
	if (!d->pause_ns || d->control->counters.spins != d->spins)
		d->pause_ns = PATIENCE_NS;
	d->spins = d->control->counters.spins;
	d->probe_ns = d->moved_ns + d->pause_ns;
	d->charged_cpu_ns = d->probed_cpu_ns = cpu_time_ns(d);
}

void watchdog_kill(struct watchdog *d, enum watchdog_reason reason)
{
	if (!d->reason) {
		d->reason = reason;
		d->killed_ns = now_ns();
	}
	send(d, SIGKILL);
}

/* 'R', 'S', ... of the run's process; 0 when it has none. */
static char process_state(struct watchdog *d)
{
	pid_t pid = watchdog_run(d);
	char path[64], text[512] = "", *name_end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	name_end = strrchr(text, ')');
	return name_end && name_end[1] ? name_end[2] : 0;
}

/*
 * A run that computes is charged with the time that it had a processor, so a
 * machine with much to do does not make it late; one that sleeps in the kernel
 * with all of it.
 */
static void charge(struct watchdog *d, uint64_t now)
{
	uint64_t cpu, real = now - d->charged_at_ns;

	if (real < CHARGE_NS)
		return;
	cpu = cpu_time_ns(d);
	d->charged_ns += process_state(d) == 'R' ?
				 cpu - d->charged_cpu_ns : real;
	d->charged_cpu_ns = cpu;
	d->charged_at_ns = now;
}

/* Others could go on, if the one that runs gave way. */
static bool is_awaited(const struct control *c)
{
	const struct scheduler *s = &c->scheduler;

	for (uint32_t t = 0; t < s->nr_tasks && t < SCHED_MAX_TASKS; t++)
		if (t != s->current && scheduler_is_enabled(s, t))
			return true;
	return false;
}

/*
 * FORCE costs reproducibility: how often it hits depends on the time. So it is
 * for runs that would be given up else, where somebody could go on.
 */
static uint32_t choose_probe(struct watchdog *d)
{
	uint64_t limit = d->limit_ns ? d->limit_ns / 100 * FORCE_PERCENT :
				       FORCE_DEFAULT_NS;

	if (d->nr_forces && limit > FORCE_AGAIN_NS)
		limit = FORCE_AGAIN_NS;
	if (d->charged_ns < limit || d->nr_forces == MAX_FORCES ||
	    !is_awaited(d->control))
		return CONTROL_PROBE_LOOK;
	d->nr_forces++;
	return CONTROL_PROBE_FORCE;
}

/*
 * Ask the runtime to look where the run is. LOOK interrupts only what can be
 * proved to spin, so its outcome does not depend on when it is sent.
 */
static void probe(struct watchdog *d, uint64_t now)
{
	struct control *c = d->control;
	uint64_t cpu = cpu_time_ns(d);

	/* Sleeping in the kernel, or hardly scheduled: nothing to see. */
	if (cpu < d->probed_cpu_ns + d->pause_ns / 2) {
		d->probe_ns = now + PATIENCE_NS;
		return;
	}
	d->probed_cpu_ns = cpu;
	__atomic_store_n(&c->probe, choose_probe(d), __ATOMIC_RELEASE);
	send(d, PROBE_SIGNAL);
	d->probe_ns = now + d->pause_ns;
	d->pause_ns *= PAUSE_GROWTH;
	if (d->pause_ns > PAUSE_MAX_NS)
		d->pause_ns = PAUSE_MAX_NS;
}

bool watchdog_is_late(const struct watchdog *d)
{
	return !d->reason && d->limit_ns && d->charged_ns > d->limit_ns &&
	       d->step == d->control->scheduler.step;
}

void watchdog_look(struct watchdog *d)
{
	uint64_t step = __atomic_load_n(&d->control->scheduler.step,
					__ATOMIC_RELAXED);
	uint64_t now;

	if (step != d->step) {
		d->step = step;
		watchdog_moved(d);
		return;
	}
	now = now_ns();
	charge(d, now);
	if (d->reason)
		watchdog_kill(d, d->reason);
	else if (!watchdog_is_late(d) && now >= d->probe_ns)
		probe(d, now);
}

bool watchdog_is_hopeless(const struct watchdog *d)
{
	return d->reason && now_ns() - d->killed_ns > HOPELESS_NS;
}

void watchdog_describe(const struct watchdog *d, char *text, size_t bytes)
{
	snprintf(text, bytes, "no operation within %llu seconds",
		 (unsigned long long)(d->limit_ns / 1000000000u));
}
