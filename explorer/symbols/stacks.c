/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - call stacks of the tasks of a frozen run.
 *
 * A task is no kernel thread: its registers are in the control region and its
 * stack is ordinary memory of the run's process. libdwfl is given a "process"
 * whose threads are the tasks; thread ids are task ids + 1.
 */
#include "explorer/symbols/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "scheduler/operations.h"

#define RUNTIME_NAME "libexplore-preload"

/* DWARF's numbers of x86-64 registers (System V ABI, figure 3.36). */
enum {
	DWARF_RBX = 3, DWARF_RBP = 6, DWARF_RSP = 7, DWARF_R12 = 12,
};

/*
 * process_vm_readv may be forbidden where /proc/PID/mem is not, and the other
 * way round; a parent may usually do both.
 */
static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result,
		      void *data)
{
	const struct symbols_subject *subject = data;
	struct iovec local = { result, sizeof(*result) };
	struct iovec remote = { (void *)(uintptr_t)addr, sizeof(*result) };

	(void)dwfl;
	if (process_vm_readv(subject->pid, &local, 1, &remote, 1, 0) ==
	    sizeof(*result))
		return true;
	return subject->mem_fd >= 0 &&
	       pread(subject->mem_fd, result, sizeof(*result), (off_t)addr) ==
	       sizeof(*result);
}

static pid_t next_thread(Dwfl *dwfl, void *data, void **thread)
{
	struct symbols_subject *subject = data;

	(void)dwfl;
	if (*thread)
		return 0;
	*thread = subject;
	return (pid_t)subject->task + 1;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *data, void **thread)
{
	struct symbols_subject *subject = data;

	(void)dwfl;
	*thread = subject;
	return tid == (pid_t)subject->task + 1;
}

/* It jumped to where no code is: called through a bad pointer, most likely. */
static bool is_stray(Dwfl *dwfl, const struct control *c, uint32_t t)
{
	return c->verdict.kind == CONTROL_VERDICT_CRASH &&
	       c->verdict.task == t &&
	       !dwfl_addrmodule(dwfl, c->task[t].reg_ip);
}

/* Callee-saved registers only: nobody unwinds by the others. */
static bool set_registers(Dwfl_Thread *thread, void *data)
{
	const struct symbols_subject *subject = data;
	const struct control_task *t =
		&subject->control->task[subject->task];
	const Dwarf_Word bx = t->reg_bx;
	Dwarf_Word frame[] = { t->reg_bp, t->reg_sp };
	Dwarf_Word pc = t->reg_ip;
	const Dwarf_Word high[] = {
		t->reg_12, t->reg_13, t->reg_14, t->reg_15,
	};

	/* No table leads on from no code: begin with who called it. */
	if (is_stray(subject->dwfl, subject->control, subject->task) &&
	    read_word(subject->dwfl, t->reg_sp, &pc, data))
		frame[1] += 8;
	dwfl_thread_state_register_pc(thread, pc);
	return dwfl_thread_state_registers(thread, DWARF_RBX, 1, &bx) &&
	       dwfl_thread_state_registers(thread, DWARF_RBP, 2, frame) &&
	       dwfl_thread_state_registers(thread, DWARF_R12, 4, high);
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_word,
	.set_initial_registers = set_registers,
};

/* Frames in all: a damaged stack may lead round in circles. */
#define MAX_STEPS (STACK_MAX_FRAMES * 2)

struct walk {
	struct symbols *symbols;
	struct stack *stack;
	uint32_t nr_steps;
};

static bool is_runtime(struct symbols *s, uint64_t pc)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, pc);
	const char *name = NULL;

	if (module)
		name = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL,
					NULL, NULL);
	return name && !strncmp(name, RUNTIME_NAME, strlen(RUNTIME_NAME));
}

static int add_frame(Dwfl_Frame *frame, void *data)
{
	struct walk *walk = data;
	struct stack *stack = walk->stack;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, NULL) || !pc ||
	    walk->nr_steps++ == MAX_STEPS)
		return DWARF_CB_ABORT;
	if (is_runtime(walk->symbols, pc))
		return DWARF_CB_OK;
	stack->pc[stack->nr++] = pc;
	return stack->nr < STACK_MAX_FRAMES ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static int attach(struct symbols *s, const struct control *c, pid_t pid,
		  uint32_t t)
{
	char path[64];

	if (s->subject.mem_fd < 0 || s->subject.pid != pid) {
		if (s->subject.mem_fd >= 0)
			close(s->subject.mem_fd);
		snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
		s->subject.mem_fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	s->subject.control = c;
	s->subject.dwfl = s->dwfl;
	s->subject.pid = pid;
	s->subject.task = t;
	/* Once per Dwfl: later runs only change what `subject` says. */
	if (!s->is_attached &&
	    !dwfl_attach_state(s->dwfl, NULL, pid, &callbacks, &s->subject))
		return -ENOEXEC;
	s->is_attached = true;
	return 0;
}

/*
 * Whether a task stands at an instruction: one that did what ended the run, or
 * one that a probe or an access stopped. Others stand still in calls of the
 * runtime.
 */
static bool is_at_instruction(const struct control *c, uint32_t t)
{
	const struct control_verdict *v = &c->verdict;

	switch (v->kind) {
	case CONTROL_VERDICT_CRASH:
	case CONTROL_VERDICT_RACE:
	case CONTROL_VERDICT_WATCH:
		if (v->task == t)
			return true;
		break;
	default:
		break;
	}
	return !operation_is_call(c->scheduler.task[t].op.kind);
}

int stacks_unwind(struct symbols *s, const struct control *c, pid_t pid,
		  uint32_t t, struct stack *out)
{
	struct walk walk = { .symbols = s, .stack = out };
	int ret;

	memset(out, 0, sizeof(*out));
	out->task = t;
	if (!s || t >= SCHED_MAX_TASKS)
		return -EINVAL;
	out->is_exact = is_at_instruction(c, t);
	ret = attach(s, c, pid, t);
	if (ret)
		return ret;
	if (is_stray(s->dwfl, c, t))
		out->pc[out->nr++] = c->task[t].reg_ip;
	/* It fails where no frame is left and where no table leads on. */
	dwfl_getthread_frames(s->dwfl, (pid_t)t + 1, add_frame, &walk);
	if (!out->nr && c->task[t].reg_ip &&
	    !is_runtime(s, c->task[t].reg_ip))
		out->pc[out->nr++] = c->task[t].reg_ip;
	return out->nr ? 0 : -ESRCH;
}
