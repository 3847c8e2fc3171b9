/* SPDX-License-Identifier: MIT */
/*
 * seccomp.c - the target's own seccomp filters.
 *
 * The kernel would put the runtime's own calls to them, too, and a program
 * does not allow what it does not know. So its filters are kept here, and are
 * run on the calls as the program makes them. The kernel gets them only where
 * code runs without us: in native children, and in what is executed.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/prctl.h>

#include "preload/kernel/bpf.h"
#include "preload/kernel/seccomp.h"
#include "preload/kernel/signals.h"

#define MAX_PATH_BYTES (1u << 18)	/* of a task's filters together */
#define FILTER_COST 4u			/* instructions, beside its own */
#define CODE_SECCOMP 1			/* si_code SYS_SECCOMP */
#define MAX_ERROR 4095u

/* Newer than some headers. */
#define KILL_PROCESS 0x80000000u
#define KILL_THREAD 0u
#define USER_NOTIFICATION 0x7fc00000u
#define LOG 0x7ffc0000u
#define FLAG_TSYNC 1u
#define FLAG_LOG 2u
#define FLAG_SPEC_ALLOW 4u
#define FLAG_NEW_LISTENER 8u
#define FLAG_TSYNC_ESRCH 16u
#define KNOWN_FLAGS (FLAG_TSYNC | FLAG_LOG | FLAG_SPEC_ALLOW | FLAG_TSYNC_ESRCH)
#define GET_ACTION_AVAIL 2u

struct filter {
	struct filter *older;
	uint32_t nr;		/* instructions */
	uint32_t total;		/* cost of it and all older ones */
	uint32_t depth;		/* how many with it */
	struct sock_filter insn[];
};

/* All private: a child has its copy. By task; NULL: no filter. */
static struct filter *newest[SCHED_MAX_TASKS];
static bool no_new_privs[SCHED_MAX_TASKS];
static struct filter strict;	/* stands for the strict mode */
bool seccomp_is_on;

/* ------------------------------------------------------------ evaluation */

static struct seccomp_data call;	/* the one that is looked at */

static void describe_call(const struct trap *t)
{
	struct seccomp_data *d = &call;

	d->instruction_pointer = t->site;
	if (t->is_int80) {
		const struct sigcontext *m = &t->uc->uc_mcontext;
		const uint64_t arg[6] = { m->rbx, m->rcx, m->rdx, m->rsi,
					  m->rdi, m->rbp };

		d->arch = AUDIT_ARCH_I386;
		d->nr = (int)m->rax;
		for (int i = 0; i < 6; i++)
			d->args[i] = (uint32_t)arg[i];
		return;
	}
	d->arch = AUDIT_ARCH_X86_64;
	d->nr = (int)t->nr;
	memcpy(d->args, t->arg, sizeof(d->args));
}

/* The strictest of all filters' answers; of equal ones, the newest's. */
static uint32_t ask(const struct filter *f)
{
	uint32_t answer = SECCOMP_RET_ALLOW;

	for (; f; f = f->older) {
		uint32_t r = bpf_run(f->insn, &call);

		/* As signed numbers: to kill the process is below all else. */
		if ((int32_t)(r & ~SECCOMP_RET_DATA) <
		    (int32_t)(answer & ~SECCOMP_RET_DATA))
			answer = r;
	}
	return answer;
}

static _Noreturn void kill_process(const struct trap *t, int sig)
{
	char text[64];

	runtime_format(text, sizeof(text), CONTROL_SECCOMP_PRINT,
		       (long)call.nr);
	runtime_end(CONTROL_VERDICT_CRASH, sig, 0, t->site, text);
}

static _Noreturn void kill_thread(struct trap *t, int sig)
{
	if (runtime_control->scheduler.nr_live <= 1)
		kill_process(t, sig);
	threads_exit(t);
	__builtin_unreachable();
}

/* SIGSYS, which cannot be put off. */
static int64_t send_sigsys(struct trap *t, uint32_t data)
{
	const struct action *a = &signals_action[SIGSYS];
	struct signals_info info = {
		.signo = SIGSYS,
		.error = (int32_t)data,
		.code = CODE_SECCOMP,
		.pid = (int32_t)call.instruction_pointer,
		.uid = (int32_t)(call.instruction_pointer >> 32),
		.value = (uint32_t)call.nr |
			 (uint64_t)call.arch << 32,
	};

	if (a->handler <= 1 || core_self()->sigmask & SIGNALS_BIT(SIGSYS))
		kill_process(t, SIGSYS);
	signals_post((int)runtime_self(), &info);
	return call.nr;	/* what the handler may change */
}

static bool is_in_strict_mode(int64_t nr)
{
	return nr == __NR_read || nr == __NR_write || nr == __NR_exit ||
	       nr == __NR_rt_sigreturn;
}

/* Not a system call, natively: the vDSO answers. */
static bool is_of_vdso(const struct trap *t)
{
	return t->site - time_vdso_start < time_vdso_bytes &&
	       (t->nr != __NR_clock_gettime || time_is_of_vdso(t->arg[0]));
}

bool seccomp_admits(struct trap *t, int64_t *result)
{
	const struct filter *f = newest[runtime_self()];
	uint32_t answer;

	if (!f || t->nr == SYS_NR_DELIVER || t->nr == SYS_NR_DELIVER_HELD ||
	    is_of_vdso(t))
		return true;
	describe_call(t);
	if (f == &strict) {
		if (is_in_strict_mode(t->nr) && !t->is_int80)
			return true;
		kill_thread(t, SIGKILL);
	}
	answer = ask(f);
	switch (answer & ~SECCOMP_RET_DATA) {
	case SECCOMP_RET_ALLOW:
	case LOG:
		return true;
	case SECCOMP_RET_ERRNO:
		answer &= SECCOMP_RET_DATA;
		*result = -(int64_t)(answer < MAX_ERROR ? answer : MAX_ERROR);
		return false;
	case SECCOMP_RET_TRAP:
		*result = send_sigsys(t, answer & SECCOMP_RET_DATA);
		return false;
	case SECCOMP_RET_TRACE:		/* nobody traces us, */
	case USER_NOTIFICATION:		/* nobody listens */
		*result = -ENOSYS;
		return false;
	case KILL_THREAD:
		kill_thread(t, SIGSYS);
	default:
		kill_process(t, SIGSYS);
	}
}

/* ----------------------------------------------------------- installation */

static bool has_capability(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !sys_call2(__NR_capget, &header, data) &&
	       data[0].effective >> CAP_SYS_ADMIN & 1;
}

static void free_filter(struct filter *f)
{
	sys_call2(__NR_munmap, f, sizeof(*f) + f->nr * sizeof(f->insn[0]));
}

/* A filter of the current task's, or NULL and a negative errno in *error. */
static struct filter *read_filter(uint64_t from, int64_t *error)
{
	struct filter *older = newest[runtime_self()], *f;
	struct sock_fprog p = { 0 };
	uint64_t bytes;
	int64_t r;

	*error = -EFAULT;
	if (!sys_copy_in(&p, from, sizeof(p)))
		return NULL;
	*error = -EINVAL;
	if (!p.len || p.len > BPF_MAXINSNS)
		return NULL;
	*error = -EACCES;
	if (!seccomp_has_no_new_privs(runtime_self()) && !has_capability())
		return NULL;
	bytes = p.len * sizeof(f->insn[0]);
	r = sys_call6(__NR_mmap, 0, sizeof(*f) + bytes, 3 /* read, write */,
		      0x22 /* private, anonymous */, (uint64_t)-1, 0);
	*error = -ENOMEM;
	if (r < 0)
		return NULL;
	f = (void *)(uintptr_t)r;
	f->older = older;
	f->nr = p.len;
	f->total = p.len + (older ? older->total + FILTER_COST : 0);
	f->depth = older ? older->depth + 1 : 1;
	*error = 0;
	if (!sys_copy_in(f->insn, (uintptr_t)p.filter, bytes))
		*error = -EFAULT;
	else if (!bpf_is_valid(f->insn, f->nr) || older == &strict)
		*error = -EINVAL;
	else if (f->total > MAX_PATH_BYTES / sizeof(f->insn[0]))
		*error = -ENOMEM;
	if (!*error)
		return f;
	free_filter(f);
	return NULL;
}

/* Whether the filters of `task` are the oldest of these. */
static bool is_among(uint32_t task, const struct filter *f)
{
	const struct filter *theirs = newest[task];

	while (f && f != theirs)
		f = f->older;
	return f == theirs;
}

/* 0, or the thread that cannot have the caller's filters. */
static int64_t find_different(const struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_live; i++)
		if (!is_among(s->live[i], newest[s->current]))
			return core_task(s->live[i])->tid;
	return 0;
}

static void synchronise(const struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_live; i++) {
		uint32_t task = s->live[i];

		newest[task] = newest[s->current];
		no_new_privs[task] |= no_new_privs[s->current];
	}
}

static int64_t set_filter(uint64_t flags, uint64_t from)
{
	const struct scheduler *s = &runtime_control->scheduler;
	int64_t error, different;
	struct filter *f;

	/* As a kernel without listeners answers. */
	if (flags & FLAG_NEW_LISTENER && from)	/* not only asked for */
		runtime_control->counters.listeners++;
	if (flags & ~(uint64_t)KNOWN_FLAGS)
		return -EINVAL;
	f = read_filter(from, &error);
	if (!f)
		return error;
	different = flags & FLAG_TSYNC ? find_different(s) : 0;
	if (different) {
		free_filter(f);
		return flags & FLAG_TSYNC_ESRCH ? -ESRCH : different;
	}
	newest[s->current] = f;
	seccomp_is_on = true;
	if (flags & FLAG_TSYNC)
		synchronise(s);
	return 0;
}

static int64_t set_strict(void)
{
	struct filter **f = &newest[runtime_self()];

	if (*f && *f != &strict)
		return -EINVAL;
	*f = &strict;
	seccomp_is_on = true;
	return 0;
}

static int64_t is_action_available(uint64_t from)
{
	uint32_t action;

	if (!sys_load32((void *)(uintptr_t)from, &action))
		return -EFAULT;
	switch (action) {
	case KILL_PROCESS:
	case KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

int64_t seccomp_call(struct trap *t)
{
	switch ((uint32_t)t->arg[0]) {
	case SECCOMP_SET_MODE_STRICT:
		return (uint32_t)t->arg[1] || t->arg[2] ? -EINVAL
							: set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return set_filter((uint32_t)t->arg[1], t->arg[2]);
	case GET_ACTION_AVAIL:
		return (uint32_t)t->arg[1] ? -EINVAL
					   : is_action_available(t->arg[2]);
	default:
		return -EINVAL;
	}
}

static int64_t set_no_new_privs(const struct trap *t)
{
	if (t->arg[1] != 1 || t->arg[2] || t->arg[3] || t->arg[4])
		return -EINVAL;
	no_new_privs[runtime_self()] = true;
	seccomp_is_on = true;
	return 0;
}

bool seccomp_prctl(const struct trap *t, int64_t *result)
{
	uint32_t self = runtime_self();

	switch (t->arg[0]) {
	case PR_SET_SECCOMP:
		if (t->arg[1] == SECCOMP_MODE_STRICT)
			*result = set_strict();
		else if (t->arg[1] == SECCOMP_MODE_FILTER)
			*result = set_filter(0, t->arg[2]);
		else
			*result = -EINVAL;
		return true;
	case PR_GET_SECCOMP:
		*result = seccomp_mode(self);
		return true;
	case PR_SET_NO_NEW_PRIVS:
		*result = set_no_new_privs(t);
		return true;
	case PR_GET_NO_NEW_PRIVS:
		*result = t->arg[1] || t->arg[2] || t->arg[3] || t->arg[4]
				  ? -EINVAL : seccomp_has_no_new_privs(self);
		return true;
	default:
		return false;
	}
}

/* ------------------------------------------------------------------ tasks */

void seccomp_inherit(uint32_t parent, uint32_t child)
{
	newest[child] = newest[parent];
	no_new_privs[child] = no_new_privs[parent];
}

uint32_t seccomp_mode(uint32_t task)
{
	if (!newest[task])
		return SECCOMP_MODE_DISABLED;
	return newest[task] == &strict ? SECCOMP_MODE_STRICT
				       : SECCOMP_MODE_FILTER;
}

uint32_t seccomp_nr_filters(uint32_t task)
{
	return newest[task] ? newest[task]->depth : 0;
}

/* The guard sets it, too, which the target is not told. */
bool seccomp_has_no_new_privs(uint32_t task)
{
	return no_new_privs[task] || runtime_control->had_no_new_privs;
}

/* ---------------------------------------------------- for the kernel, once */

#define LOW_WORD(field) \
	((uint32_t)__builtin_offsetof(struct seccomp_data, field))
#define HIGH_WORD(field) (LOW_WORD(field) + 4)
#define NR_PREFIX 7

/*
 * In front of a filter: a call from the stub page passes, as what returns to
 * the program in a child is such a call. The page does not cross 4 GiB.
 */
static uint32_t write_prefix(struct sock_filter *to)
{
	uint64_t from = (uintptr_t)sys_stub_start;
	uint64_t end = (uintptr_t)sys_stub_end;
	const struct sock_filter prefix[NR_PREFIX] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 HIGH_WORD(instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(from >> 32),
			 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 LOW_WORD(instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)from, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)end, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_IMM, 0),	/* as a filter begins */
	};

	memcpy(to, prefix, sizeof(prefix));
	return NR_PREFIX;
}

static void install(const struct filter *f)
{
	static struct sock_filter program[BPF_MAXINSNS];
	struct sock_fprog p = { .filter = program };
	uint32_t nr = 0;

	if (f->nr + NR_PREFIX <= BPF_MAXINSNS)
		nr = write_prefix(program);
	memcpy(program + nr, f->insn, f->nr * sizeof(f->insn[0]));
	p.len = (unsigned short)(nr + f->nr);
	sys_call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, FLAG_SPEC_ALLOW, &p);
}

void seccomp_go_native(void)
{
	uint32_t self = runtime_self();
	const struct filter *f;

	if (no_new_privs[self])
		sys_call5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (uint32_t n = 1; n <= seccomp_nr_filters(self); n++) {
		for (f = newest[self]; f->depth != n;)
			f = f->older;
		install(f);
	}
}
