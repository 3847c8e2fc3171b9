/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - the runtime's stacks: one for each task.
 *
 * The stacks of the target are its own affair: a coroutine's may have a
 * kilobyte, a goroutine's some hundred bytes left, another may be full. So the
 * runtime takes next to nothing of them. Trampolines and patched sites change
 * to the task's stack of ours with their first instructions (entry.S). Signal
 * handlers begin on one alternate stack, which all tasks share; what the
 * kernel put there is taken to the task's own at once, and rt_sigreturn finds
 * it there, however many other tasks had signals in between.
 *
 * A task's stack of ours is empty while the task executes code of the target,
 * handlers of signals included: these return through the kernel, which needs
 * nothing from us but the frame on the target's stack.
 */
#include <linux/mman.h>

#include "preload/core/core.h"
#include "preload/kernel/rlimits.h"
#include "preload/kernel/signals.h"

uint64_t core_task_top;
static uint64_t stacks;

uint64_t core_stack_of(uint32_t t)
{
	/* The tops are busy: not all in the same lines of the cache. */
	return stacks + (t + 1ull) * CONTROL_TASK_STACK_BYTES - t % 8 * 512;
}

void stacks_init(void)
{
	uint64_t bytes = (uint64_t)SCHED_MAX_TASKS * CONTROL_TASK_STACK_BYTES;

	/* Private: a child that goes on natively needs the frame it is in. */
	stacks = (uint64_t)sys_call6(__NR_mmap, 0, bytes,
				     PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS |
					     MAP_NORESERVE,
				     (uint64_t)-1, 0);
	sys_call3(__NR_madvise, stacks, bytes, MADV_NOHUGEPAGE);
	limits_reserve((void *)(uintptr_t)stacks, bytes);
	core_task_top = core_stack_of(0);
}

bool core_is_on_stack_of(uint32_t t, uint64_t sp)
{
	return core_stack_of(t) - sp < CONTROL_TASK_STACK_BYTES - 4096;
}

/* What the kernel puts on the stack; then there is the state of the FPU. */
struct frame {
	uint64_t restorer;
	struct ucontext uc;
	struct signals_info info;
};
static_assert(sizeof(struct ucontext) == 304, "entry.S knows it");

/*
 * Take the frame of a signal to the stack of the current task. Returns where it
 * is now; NULL: it stays where it is, and no other task may be switched to.
 *
 * Context: called by entry.S, on the alternate stack.
 */
RUNTIME_HIDDEN struct frame *stacks_take_frame(struct ucontext *uc);
struct frame *stacks_take_frame(struct ucontext *uc)
{
	struct frame *from = (void *)((char *)uc - sizeof(uint64_t)), *to;
	uint64_t sp = uc->uc_mcontext.rsp, top = core_task_top, fp = 0;
	uint64_t bytes;

	if (runtime_mode == RUNTIME_NATIVE || core_is_on_choice_stack(sp) ||
	    sp - signals_altstack_low < SIGNALS_ALTSTACK_BYTES)
		return NULL;
	if (core_is_on_stack_of(runtime_self(), sp))
		top = sp - 128;
	if (uc->uc_mcontext.fpstate) {
		bytes = signals_fp_bytes(uc->uc_mcontext.fpstate);
		fp = top = (top - bytes) & ~63ull;
		memcpy((void *)(uintptr_t)fp, uc->uc_mcontext.fpstate, bytes);
	}
	/* As after a call: entry.S returns from there. */
	to = (void *)(uintptr_t)(((top - sizeof(*to)) & ~15ull) - 8);
	*to = *from;
	to->uc.uc_mcontext.fpstate = (void *)(uintptr_t)fp;
	return to;
}
