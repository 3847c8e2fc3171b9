/* SPDX-License-Identifier: MIT */
/*
 * ok_attributes.c - what a thread can ask about itself: correct
 */
#include <assert.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t tid_of[4];

static void look_at_stack(void)
{
	size_t bytes, guard;
	pthread_attr_t attr;
	char here, *low;
	void *stack;

	assert(!pthread_getattr_np(pthread_self(), &attr));
	assert(!pthread_attr_getstack(&attr, &stack, &bytes));
	assert(!pthread_attr_getguardsize(&attr, &guard));
	low = stack;
	assert(&here > low && &here < low + bytes);
	pthread_attr_destroy(&attr);
}

static void look_at_scheduling(void)
{
	struct sched_param param;
	cpu_set_t cpus;
	unsigned int cpu;
	int policy;

	assert(!pthread_getschedparam(pthread_self(), &policy, &param));
	assert(policy == SCHED_OTHER && !param.sched_priority);
	assert(!pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus));
	assert(CPU_COUNT(&cpus) > 0);
	assert(!pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus));
	assert(sched_getcpu() >= 0);
	assert(!getcpu(&cpu, NULL));
	assert(getpriority(PRIO_PROCESS, 0) >= -20);
	assert(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

static void *work(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	char name[16];

	assert(getpid() != gettid());
	assert(gettid() == syscall(SYS_gettid));
	pthread_mutex_lock(&lock);
	tid_of[me] = gettid();
	pthread_mutex_unlock(&lock);
	assert(!prctl(PR_SET_NAME, me ? "odd" : "even"));
	sched_yield();
	assert(!prctl(PR_GET_NAME, name));
	assert(!strcmp(name, me ? "odd" : "even"));
	look_at_stack();
	look_at_scheduling();
	assert(tid_of[me] == gettid());
	return NULL;
}

int main(void)
{
	assert(getpid() == gettid());
	look_at_stack();
	look_at_scheduling();
	guest_run(2, work);
	assert(tid_of[0] != tid_of[1]);
	assert(tid_of[0] > 0 && tid_of[1] > 0);
	return guest_ok();
}
