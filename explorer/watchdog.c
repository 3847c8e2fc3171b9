/* SPDX-License-Identifier: MIT */
/*
 * watchdog.c - looks after a run that does not reach its next operation.
 */
#include "explorer/watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "explorer/util.h"

#define PATIENCE_NS 1000000ull		/* before the first probe */
#define PAUSE_MAX_NS 256000000ull	/* between two probes */
/* A probe takes twice the steps of the last: this keeps its share small. */
#define PAUSE_GROWTH 4u
#define FORCE_CPU_NS 2000000000ull	/* then whatever it does is cut */
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
	d->moved_ns = now_ns();
	/* A probe that found no spin was in vain: look less often now. */
	if (!d->pause_ns || d->control->counters.spins != d->spins)
		d->pause_ns = PATIENCE_NS;
	d->spins = d->control->counters.spins;
	d->probe_ns = d->moved_ns + d->pause_ns;
	d->cpu_ns = d->probed_cpu_ns = cpu_time_ns(d);
}

void watchdog_kill(struct watchdog *d, enum watchdog_reason reason)
{
	if (!d->reason) {
		d->reason = reason;
		d->killed_ns = now_ns();
	}
	send(d, SIGKILL);
}

/*
 * FORCE costs reproducibility: where it hits depends on the time. So it is for
 * runs that nothing else gets on, and where somebody else could go on.
 */
static uint32_t choose_probe(const struct watchdog *d, uint64_t cpu)
{
	return cpu - d->cpu_ns > FORCE_CPU_NS &&
	       d->control->scheduler.nr_live > 1 ?
	       CONTROL_PROBE_FORCE : CONTROL_PROBE_LOOK;
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
	__atomic_store_n(&c->probe, choose_probe(d, cpu), __ATOMIC_RELEASE);
	send(d, PROBE_SIGNAL);
	d->probe_ns = now + d->pause_ns;
	d->pause_ns *= PAUSE_GROWTH;
	if (d->pause_ns > PAUSE_MAX_NS)
		d->pause_ns = PAUSE_MAX_NS;
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
	if (d->reason || (d->limit_ns && now - d->moved_ns > d->limit_ns))
		watchdog_kill(d, WATCHDOG_STUCK);
	else if (now >= d->probe_ns)
		probe(d, now);
}

bool watchdog_is_hopeless(const struct watchdog *d)
{
	return d->reason && now_ns() - d->killed_ns > HOPELESS_NS;
}

void watchdog_describe(const struct watchdog *d, char *text, size_t bytes)
{
	snprintf(text, bytes, "no operation within %llu seconds of real time",
		 (unsigned long long)(d->limit_ns / 1000000000u));
}
