/* SPDX-License-Identifier: MIT */
/*
 * signals_deliver.c - from a pending signal to the handler that runs.
 *
 * Handlers of the target return through sys_target_restorer, whose
 * rt_sigreturn traps, so that the virtual mask comes back with the context.
 */
#include <linux/errno.h>

#include "preload/core/notes.h"
#include "preload/kernel/signals.h"

struct frame {
	uint64_t restorer;
	struct ucontext uc;
	struct signals_info info;
};

#define FX_BYTES 512
#define FX_MAGIC 0x46505853u
#define FX_SW_OFFSET 464	/* struct _fpx_sw_bytes in the FXSAVE area */

uint64_t signals_fp_bytes(const void *fp)
{
	const uint32_t *sw = (const void *)((const char *)fp + FX_SW_OFFSET);

	return sw[0] == FX_MAGIC ? sw[1] : FX_BYTES;
}

static bool is_within(uint64_t sp, uint64_t low, uint64_t bytes)
{
	return sp - low < bytes;
}

/*
 * Whether there is room for the frame. The kernel's answer is a SIGSEGV that
 * nobody can catch where there is none.
 */
static bool is_writable(uint64_t low, uint64_t high)
{
	volatile uint32_t *word;
	uint32_t value;

	for (uint64_t at = low; at < high; at = (at | 4095) + 1) {
		word = (volatile uint32_t *)(uintptr_t)(at & ~3ull);
		if (!sys_load32(word, &value) || !sys_store32(word, value))
			return false;
	}
	return true;
}

static _Noreturn void die_of_overflow(const struct signals_info *info,
				      const struct sigcontext *m,
				      uint64_t frame)
{
	struct signals_info fault = { .signo = SIGSEGV, .code = 1 };
	uint64_t addr = frame;

	/* That of the fault for which there was a handler, but no stack. */
	if (info->signo == SIGSEGV && info->code > 0)
		addr = (uint64_t)(uint32_t)info->pid |
		       (uint64_t)(uint32_t)info->uid << 32;
	signals_die(&fault, m, addr);
}

/* Where the handler's frame starts to grow down from. */
static uint64_t frame_top(const struct action *a, const struct sigcontext *m)
{
	const struct control_task *k = core_self();

	if (a->flags & ONSTACK_FLAG && k->altstack_bytes &&
	    !is_within(m->rsp, k->altstack_sp, k->altstack_bytes))
		return k->altstack_sp + k->altstack_bytes;
	return m->rsp - 128;
}

void signals_push_handler(struct ucontext *uc, const struct action *a,
			 const struct signals_info *info)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct control_task *k = core_self();
	uint64_t sp = frame_top(a, m), fp = 0;
	struct frame *f;
	uint64_t top = sp;

	f = (void *)(uintptr_t)(sp - 128 - sizeof(*f) -
		(m->fpstate ? signals_fp_bytes(m->fpstate) : 0));
	/*
	 * One handler returns and the next is due: the frame of the first,
	 * which is copied, is where this one would go.
	 */
	if ((uintptr_t)uc < top && (uintptr_t)(uc + 1) > (uintptr_t)f) {
		f = (void *)((uintptr_t)f - (top - (uintptr_t)uc) - 64);
		sp = top = (uintptr_t)uc - 64;
	}
	if (!is_writable((uintptr_t)f, top))
		die_of_overflow(info, m, (uintptr_t)f);
	if (m->fpstate) {
		uint64_t bytes = signals_fp_bytes(m->fpstate);

		fp = (sp - bytes) & ~63ull;
		memcpy((void *)(uintptr_t)fp, m->fpstate, bytes);
		sp = fp;
	}
	f = (void *)(uintptr_t)(((sp - sizeof(*f)) & ~15ull) - 8);
	f->restorer = (uintptr_t)sys_target_restorer;
	f->uc = *uc;
	f->uc.uc_mcontext.fpstate = (void *)(uintptr_t)fp;
	f->uc.uc_sigmask = k->has_saved_mask ? k->saved_mask : k->sigmask;
	f->info = *info;
	k->has_saved_mask = 0;
	k->sigmask |= a->mask;
	if (!(a->flags & NODEFER_FLAG))
		k->sigmask |= SIGNALS_BIT(info->signo);
	k->sigmask &= ~UNBLOCKABLE;
	m->rdi = (uint64_t)info->signo;
	m->rsi = (uintptr_t)&f->info;
	m->rdx = (uintptr_t)&f->uc;
	m->rax = 0;
	m->rip = a->handler;
	m->rsp = (uintptr_t)f;
	m->eflags &= ~0x10500ull;	/* RF, DF, TF */
}

static char assert_text[CONTROL_MESSAGE_BYTES];
static uint64_t assert_pc;

/* Called by the interposed __assert_fail() before the real one. */
RUNTIME_HIDDEN void runtime_note_assert(const char *text, uint64_t pc);
void runtime_note_assert(const char *text, uint64_t pc)
{
	runtime_format(assert_text, sizeof(assert_text), "%s", text);
	assert_pc = pc;
}

/* Of the processor's page faults, trap 14: what the access was. */
#define PAGE_FAULT 14
#define PAGE_FAULT_WRITE (1u << 1)
#define PAGE_FAULT_EXECUTE (1u << 4)
/* The kernel is not told the address. */
#define STACK_FAULT 12
#define PROTECTION_FAULT 13

/* For people; the verdict's message, where it has no other. */
static void note_fault(const struct signals_info *info,
		       const struct sigcontext *m)
{
	const char *what = "";

	if (info->signo != SIGSEGV && info->signo != SIGBUS)
		return;
	if (info->code <= 0)
		what = CONTROL_FAULT_SENT;
	else if (m->trapno == PROTECTION_FAULT || m->trapno == STACK_FAULT)
		what = CONTROL_FAULT_GENERAL;
	else if (m->trapno == PAGE_FAULT && m->err & PAGE_FAULT_EXECUTE)
		what = CONTROL_FAULT_EXECUTE;
	else if (m->trapno == PAGE_FAULT && m->err & PAGE_FAULT_WRITE)
		what = CONTROL_FAULT_WRITE;
	else if (m->trapno == PAGE_FAULT)
		what = CONTROL_FAULT_READ;
	runtime_format(assert_text, sizeof(assert_text), "%s", what);
}

void signals_die(const struct signals_info *info,
			     const struct sigcontext *m, uint64_t addr)
{
	enum control_verdict_kind kind = CONTROL_VERDICT_CRASH;
	uint64_t pc = m->rip;

	trap_show_context(core_self(), m, m->rip);
	runtime_control->verdict.addr = addr;
	note_fault(info, m);
	if (info->signo == SIGABRT) {
		kind = assert_text[0] ? CONTROL_VERDICT_ASSERT
				      : CONTROL_VERDICT_ABORT;
		if (assert_pc)
			pc = assert_pc;
	}
	runtime_end(kind, info->signo, 0, pc, assert_text);
}

void signals_forget_assert(void)
{
	assert_text[0] = '\0';
}

static bool is_restartable(int64_t nr)
{
	return trap_entry(nr)->after == TRAP_RESTARTS && !trap_was_timed;
}

/* For interposers that stand for a restartable call (sem_wait). */
static void note_restart(bool restarts)
{
	struct sched_task *self = runtime_self_task();

	if (restarts)
		self->flags |= SCHED_TASK_RESTARTS;
	else
		self->flags &= (uint16_t)~SCHED_TASK_RESTARTS;
}

static void restart(struct sigcontext *m, int64_t nr, uint64_t ip)
{
	m->rax = (uint64_t)nr;
	m->rip = ip;
}

void signals_deliver(struct ucontext *uc, int64_t nr, uint64_t restart_ip)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct signals_info info;
	bool was_any = false;
	int sig;

	while ((sig = signals_take(~core_self()->sigmask, &info))) {
		struct action *a = &signals_action[sig];

		was_any = true;
		if (signals_is_ignored(sig))
			continue;
		if (signals_is_stop(sig)) {
			signals_stop();
			continue;
		}
		if (a->handler == 0)
			signals_die(&info, m, 0);
		runtime_control->counters.signals++;
		if ((int64_t)m->rax == -EINTR && a->flags & RESTART_FLAG &&
		    is_restartable(nr))
			restart(m, nr, restart_ip);
		note_restart(a->flags & RESTART_FLAG);
		if (sig == SIGNALS_CANCEL)
			notes_cancelled(0);
		signals_push_handler(uc, a, &info);
		if (a->flags & RESETHAND_FLAG)
			a->handler = 0;
		return;
	}
	/* Without a handler the call begins again, but for one with a time. */
	if ((int64_t)m->rax == -EINTR && nr >= 0 && was_any &&
	    trap_entry(nr)->after != TRAP_RESUMES)
		restart(m, nr, restart_ip);
	if (core_self()->has_saved_mask) {
		core_self()->sigmask = core_self()->saved_mask;
		core_self()->has_saved_mask = 0;
	}
}
