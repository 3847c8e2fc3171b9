/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the instructions that C cannot express: the stub page, the switch
 * between tasks, the way in from a patched system call site.
 */

	.section .text.stub, "ax", @progbits
	.balign 4096
	.globl	sys_stub_start, sys_stub_end
	.hidden	sys_stub_start, sys_stub_end
sys_stub_start:

/* int64_t sys_call6(nr, a, b, c, d, e, f) */
	.globl	sys_call6
	.hidden	sys_call6
	.type	sys_call6, @function
sys_call6:
	.cfi_startproc
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
	syscall
	ret
	.cfi_endproc
	.size	sys_call6, .-sys_call6

/*
 * Unwinders know a signal frame by these very bytes at the return address, so
 * neither restorer has unwind tables of its own.
 */
	.globl	sys_restorer
	.hidden	sys_restorer
sys_restorer:
	mov	$15, %rax
	syscall
	ud2

/* void sys_sigreturn_at(sp) */
	.globl	sys_sigreturn_at
	.hidden	sys_sigreturn_at
sys_sigreturn_at:
	mov	%rdi, %rsp
	mov	$15, %eax
	syscall
	ud2

/* ioctl(counter_fd, edx, 0): no branch, whatever it answers. */
	.globl	clock_ioctl, clock_ioctl_end
	.hidden	clock_ioctl, clock_ioctl_end
	.type	clock_ioctl, @function
clock_ioctl:
	.cfi_startproc
	mov	$16, %eax		/* __NR_ioctl */
	movslq	counter_fd(%rip), %rdi
	mov	%edx, %esi
	xor	%edx, %edx
	syscall
	ret
	.cfi_endproc
	.size	clock_ioctl, .-clock_ioctl
clock_ioctl_end:

	.balign 4096
sys_stub_end:

	.text

	.globl	sys_target_restorer
	.hidden	sys_target_restorer
	nop				/* unwinders look one byte back */
sys_target_restorer:
	mov	$15, %rax
	syscall
	ud2

/* int64_t sys_trap_self(nr): not in the stub page, so it raises SIGSYS. */
	.globl	sys_trap_self
	.hidden	sys_trap_self
	.type	sys_trap_self, @function
sys_trap_self:
	.cfi_startproc
	mov	%rdi, %rax
	syscall
	ret
	.cfi_endproc
	.size	sys_trap_self, .-sys_trap_self

/* Accesses that may fault; the handler continues at sys_fault_exit. */
	.globl	sys_fault_start, sys_fault_end, sys_fault_exit
	.hidden	sys_fault_start, sys_fault_end, sys_fault_exit
	.globl	sys_load32, sys_load64, sys_store32
	.hidden	sys_load32, sys_load64, sys_store32
	.globl	sys_copy
	.hidden	sys_copy
	.globl	sys_load8, sys_load16, sys_store8, sys_store16, sys_store64
	.hidden	sys_load8, sys_load16, sys_store8, sys_store16, sys_store64
sys_load32:
	.cfi_startproc
sys_fault_start:
	mov	(%rdi), %eax
	mov	%eax, (%rsi)
	mov	$1, %eax
	ret
sys_load64:
	mov	(%rdi), %rax
	mov	%rax, (%rsi)
	mov	$1, %eax
	ret
sys_store32:
	mov	%esi, (%rdi)
	mov	$1, %eax
	ret
sys_load8:
	movzbl	(%rdi), %eax
	mov	%rax, (%rsi)
	mov	$1, %eax
	ret
sys_load16:
	movzwl	(%rdi), %eax
	mov	%rax, (%rsi)
	mov	$1, %eax
	ret
sys_store8:
	mov	%sil, (%rdi)
	mov	$1, %eax
	ret
sys_store16:
	mov	%si, (%rdi)
	mov	$1, %eax
	ret
sys_store64:
	mov	%rsi, (%rdi)
	mov	$1, %eax
	ret
sys_copy:
	mov	%rdx, %rcx
	rep movsb
	mov	$1, %eax
	ret
sys_fault_end:
sys_fault_exit:
	xor	%eax, %eax
	ret
	.cfi_endproc

/*
 * void core_enter(void): leave the current task here and continue whichever
 * task core_schedule() returns the saved stack pointer of. Saved, from low to
 * high: mxcsr and x87 control word (by core_schedule(), if another task is
 * next), r15, r14, r13, r12, rbx, rbp, return address; struct core_frame in
 * core.h is the same in C.
 */
	.globl	core_enter
	.hidden	core_enter
	.type	core_enter, @function
core_enter:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	push	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	push	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	push	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	push	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	push	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	mov	core_stack_top(%rip), %rsp
	call	core_schedule
	mov	%rax, %rsp
	cmp	%rbx, %rax
	jne	1f
	/* The same task goes on, and core_schedule() kept the others. */
	.cfi_remember_state
	mov	40(%rsp), %rbx
	.cfi_restore %rbx
	add	$48, %rsp
	.cfi_adjust_cfa_offset -48
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
1:	.cfi_restore_state
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	pop	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	pop	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	pop	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	pop	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	pop	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size	core_enter, .-core_enter

/*
 * void core_call(void (*fn)(void *), void *arg): fn(arg) on the runtime's own
 * stack; comes back to the same task.
 */
	.globl	core_call
	.hidden	core_call
	.type	core_call, @function
core_call:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	core_stack_top(%rip), %rsp
	call	*%rax
	mov	%rbp, %rsp
	.cfi_def_cfa_register %rsp
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size	core_call, .-core_call

/*
 * bool core_on_own_stack(bool (*fn)(op), op): fn(op) on our stack of the
 * current task, where that is not what it runs on.
 */
	.globl	core_on_own_stack
	.hidden	core_on_own_stack
	.type	core_on_own_stack, @function
core_on_own_stack:
	.cfi_startproc
	push	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	mov	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	core_task_top(%rip), %rdx
	mov	%rdx, %rcx
	sub	%rsp, %rcx
	cmp	$0xf000, %rcx		/* as stacks.c has it: 15 pages */
	cmovae	%rdx, %rsp
	call	*%rax
	mov	%rbp, %rsp
	.cfi_def_cfa_register %rsp
	pop	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size	core_on_own_stack, .-core_on_own_stack

/*
 * Where trampolines of patched system call sites call to (patch.c). On entry
 * rax is the number, rdi rsi rdx r10 r8 r9 the arguments; the trampoline has
 * stepped over the red zone and its return address is on the stack. All
 * registers but rax, rcx and r11 are kept, as `syscall` does; the runtime
 * itself never touches vector registers. Returns with carry clear and the
 * result in rax, or with carry set and everything as it was: the trampoline
 * then executes a real `syscall`.
 *
 * On our stack of the task: struct trap_fast, see traps.h. A child that shares
 * our memory has no business there.
 */
	.globl	trap_fast_entry
	.hidden	trap_fast_entry
	.type	trap_fast_entry, @function
trap_fast_entry:
	.cfi_startproc
	cmpl	$0, runtime_mode(%rip)
	je	2f
	mov	%rsp, %rcx
	mov	core_task_top(%rip), %rsp
	push	%rcx
	push	(%rcx)
	push	%rbp
	mov	%rsp, %rbp
	/* The frame's end is *(rbp + 16) + 8, rbp is at rbp. */
	.cfi_remember_state
	.cfi_escape 0x0f, 0x05, 0x76, 0x10, 0x06, 0x23, 0x08
	.cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%r9
	push	%r8
	push	%r10
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rax
	mov	%rsp, %rdi
	and	$-16, %rsp
	cld
	call	trap_fast
	lea	-96(%rbp), %rsp
	test	%edx, %edx
	jnz	1f
	add	$8, %rsp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%r10
	pop	%r8
	pop	%r9
	mov	16(%rbp), %rsp
	mov	(%rbp), %rbp
	xor	%ecx, %ecx		/* nothing of ours is left in them */
	xor	%r11d, %r11d
	clc
	ret
1:	pop	%rax
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%r10
	pop	%r8
	pop	%r9
	mov	16(%rbp), %rsp
	mov	(%rbp), %rbp
	.cfi_restore_state
2:	stc
	ret
	.cfi_endproc
	.size	trap_fast_entry, .-trap_fast_entry

/*
 * What trampolines of instrumented accesses call: rdi is the address, esi the
 * site. The trampoline keeps rdi, rsi and the red zone; everything else is
 * kept here, flags included. On our stack of the task: struct access_frame, see
 * access.h. No flag may change before they are saved, hence jrcxz; a child that
 * shares our memory must not come to that stack.
 */
	.macro	keep_nothing
	.cfi_remember_state
	pop	%rbp
	add	$40, %rsp	/* callee-saved: the values are back */
	/* popfq is slow: only where the direction flag was set. */
	mov	(%rsp), %rax
	test	$0x400, %eax
	jnz	2f
	mov	%eax, %ecx
	mov	%al, %ah
	shr	$11, %ecx
	and	$1, %ecx
	mov	%cl, %al
	add	$127, %al	/* overflow */
	sahf			/* the others */
	lea	8(%rsp), %rsp
1:	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdx
	pop	%rcx
	pop	%rax
	mov	24(%rsp), %rsp
	lea	8(%rsp), %rsp
	.endm

	.globl	access_entry
	.hidden	access_entry
	.type	access_entry, @function
	.cfi_startproc
5:	pop	%rcx
	ret
access_entry:
	push	%rcx
	mov	runtime_mode(%rip), %ecx
	jrcxz	5b
	mov	core_task_top(%rip), %rcx
	xchg	%rcx, %rsp
	push	%rcx
	push	24(%rcx)
	push	16(%rcx)
	push	8(%rcx)
	push	%rax
	push	(%rcx)
	push	%rdx
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	pushfq
	/* cld is slow, too: also only where it was set. */
	testl	$0x400, (%rsp)
	jnz	3f
4:
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rbp
	mov	%rsp, %rdx
	mov	%rsp, %rbp
	/* The frame's end is *(rbp + 136) + 16, rbp is at rbp. */
	.cfi_escape 0x0f, 0x06, 0x76, 0x88, 0x01, 0x06, 0x23, 0x10
	.cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00
	call	access_hook
	test	%al, %al
	jnz	6f
	keep_nothing
	ret
2:	popfq
	jmp	1b
	.cfi_restore_state
3:	cld
	jmp	4b
	/* Signals are due: a call that traps, with the registers held. */
6:	cmp	$2, %al			/* ACCESS_DELIVER_AND_REDO */
	je	7f
	keep_nothing
	.cfi_def_cfa %rsp, 8
	.cfi_same_value %rbp
	mov	%rax, access_held(%rip)
	mov	%rcx, access_held+8(%rip)
	mov	%r11, access_held+16(%rip)
	mov	$0x3fff1, %eax		/* SYS_NR_DELIVER_HELD */
	syscall
	ret
2:	popfq
	jmp	1b
	.cfi_restore_state
	/* Likewise, before the access is told: that comes behind it. */
7:	keep_nothing
	.cfi_def_cfa %rsp, 8
	.cfi_same_value %rbp
	mov	%rax, access_held(%rip)
	mov	%rcx, access_held+8(%rip)
	mov	%r11, access_held+16(%rip)
	mov	access_held+24(%rip), %rdi
	mov	access_held+32(%rip), %rsi
	mov	$0x3fff1, %eax		/* SYS_NR_DELIVER_HELD */
	syscall
	jmp	access_entry
2:	popfq
	jmp	1b
	.cfi_restore_state
	.cfi_endproc
	.size	access_entry, .-access_entry

/*
 * What trampolines call instead of rdtsc and rdtscp: on our stack of the task,
 * and with all registers and flags kept but the instruction's results. These
 * are free from the start, so rax can hold the flags.
 */
	.macro	time_entry name, insn, is_rdtscp
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	.cfi_startproc
	lahf
	seto	%al
	cmpl	$0, runtime_mode(%rip)
	je	5f
	mov	%rsp, %rdx
	mov	core_task_top(%rip), %rsp
	push	%rdx
	push	%rax
	pushfq
	push	%rcx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbp
	mov	%rsp, %rbp
	/* The frame's end is *(rbp + 80) + 8, rbp is at rbp. */
	.cfi_remember_state
	.cfi_escape 0x0f, 0x06, 0x76, 0xd0, 0x00, 0x06, 0x23, 0x08
	.cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00
	and	$-16, %rsp
	testl	$0x400, 64(%rbp)	/* cld and std are slow */
	jnz	2f
	call	time_stamp
1:	mov	%eax, %ecx
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	%rbp, %rsp
	mov	72(%rsp), %rax
	add	$127, %al		/* overflow */
	sahf				/* the others */
	pop	%rbp
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	mov	%ecx, %eax
	pop	%rcx
	.if \is_rdtscp
	mov	$0, %ecx		/* the first processor */
	.endif
	mov	16(%rsp), %rsp
	.cfi_remember_state
	.cfi_def_cfa %rsp, 8
	.cfi_same_value %rbp
	ret
	.cfi_restore_state
2:	cld
	call	time_stamp
	std
	jmp	1b
	.cfi_restore_state
	/* A child on its own has the processor's. */
5:	add	$127, %al
	sahf
	\insn
	ret
	.cfi_endproc
	.size	\name, .-\name
	.endm

	time_entry time_entry_rdtsc, rdtsc, 0
	time_entry time_entry_rdtscp, rdtscp, 1

/*
 * Handlers of signals begin here, on the alternate stack, and go on where
 * stacks_take_frame() says. A handler need not keep callee-saved registers:
 * sigreturn loads them all.
 */
	.macro	take_frame
	mov	%edi, %r12d
	mov	%rsi, %r13
	mov	%rdx, %r14
	cld
	mov	%rdx, %rdi
	call	stacks_take_frame
	test	%rax, %rax
	jz	2f
	lea	8(%rax), %r14		/* struct ucontext */
	lea	8+304(%rax), %r13	/* siginfo_t */
	lea	-8(%rax), %rsp
2:	mov	%r12d, %edi
	mov	%r13, %rsi
	mov	%r14, %rdx
	.endm

	.globl	trap_entry_sigsys, trap_entry_signal
	.hidden	trap_entry_sigsys, trap_entry_signal
	.type	trap_entry_sigsys, @function
	.type	trap_entry_signal, @function
trap_entry_sigsys:
	.cfi_startproc
	lea	trap_sigsys(%rip), %rbx
	jmp	1f
trap_entry_signal:
	lea	signals_enter(%rip), %rbx
	cmp	$11, %edi	/* SIGSEGV: a time stamp needs no more */
	jne	1f
	mov	%rsi, %r13
	mov	%rdx, %r14
	cld
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	call	time_trap
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	test	%al, %al
	jnz	3f
	mov	$11, %edi
	mov	%r13, %rsi
	mov	%r14, %rdx
1:	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	take_frame
	call	*%rbx
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
3:	ret
	.cfi_endproc
	.size	trap_entry_sigsys, .-trap_entry_sigsys

/*
 * Signal handlers when the clock is a counter (clock.c): stop it first, start
 * it last, with no branch between that and the target's code. A handler need
 * not keep callee-saved registers: sigreturn loads them all.
 */
	.globl	clock_entry_sigsys, clock_entry_signal
	.hidden	clock_entry_sigsys, clock_entry_signal
	.type	clock_entry_sigsys, @function
	.type	clock_entry_signal, @function
clock_entry_sigsys:
	.cfi_startproc
	lea	trap_sigsys(%rip), %rbx
	jmp	1f
clock_entry_signal:
	lea	signals_enter(%rip), %rbx
1:	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	mov	%edi, %r12d
	mov	%rsi, %r13
	mov	%rdx, %r14
	xor	%r15d, %r15d
	xchg	%r15d, clock_place(%rip)
	mov	$0x2401, %edx		/* PERF_EVENT_IOC_DISABLE */
	call	clock_ioctl
	mov	%r12d, %edi
	mov	%r13, %rsi
	mov	%r14, %rdx
	take_frame
	call	*%rbx
	mov	%r14, %rdi
	mov	%r15d, %esi
	call	clock_leave
	mov	%eax, %edx
	shr	$32, %rax
	mov	%eax, clock_place(%rip)
	call	clock_ioctl
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	clock_entry_sigsys, .-clock_entry_sigsys
	.globl	clock_entry_end
	.hidden	clock_entry_end
clock_entry_end:

	.section .note.GNU-stack, "", @progbits
