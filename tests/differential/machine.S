/* SPDX-License-Identifier: MIT */
/*
 * machine.S - run a function with all registers given. Not reentrant.
 */
	.text
	.globl machine_run
	.type machine_run, @function
machine_run:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, host_rsp(%rip)
	mov	machine_state+144(%rip), %eax
	xor	%edx, %edx
	xrstor64 machine_state+192(%rip)
	pushq	machine_state+128(%rip)
	popfq
	mov	machine_state+0(%rip), %rax
	mov	machine_state+8(%rip), %rcx
	mov	machine_state+16(%rip), %rdx
	mov	machine_state+24(%rip), %rbx
	mov	machine_state+32(%rip), %rsp
	mov	machine_state+40(%rip), %rbp
	mov	machine_state+48(%rip), %rsi
	mov	machine_state+56(%rip), %rdi
	mov	machine_state+64(%rip), %r8
	mov	machine_state+72(%rip), %r9
	mov	machine_state+80(%rip), %r10
	mov	machine_state+88(%rip), %r11
	mov	machine_state+96(%rip), %r12
	mov	machine_state+104(%rip), %r13
	mov	machine_state+112(%rip), %r14
	mov	machine_state+120(%rip), %r15
	call	*machine_state+136(%rip)
	mov	%rax, machine_state+0(%rip)
	mov	%rcx, machine_state+8(%rip)
	mov	%rdx, machine_state+16(%rip)
	mov	%rbx, machine_state+24(%rip)
	mov	%rsp, machine_state+32(%rip)
	mov	%rbp, machine_state+40(%rip)
	mov	%rsi, machine_state+48(%rip)
	mov	%rdi, machine_state+56(%rip)
	mov	%r8, machine_state+64(%rip)
	mov	%r9, machine_state+72(%rip)
	mov	%r10, machine_state+80(%rip)
	mov	%r11, machine_state+88(%rip)
	mov	%r12, machine_state+96(%rip)
	mov	%r13, machine_state+104(%rip)
	mov	%r14, machine_state+112(%rip)
	mov	%r15, machine_state+120(%rip)
	mov	host_rsp(%rip), %rsp
	pushfq
	popq	machine_state+128(%rip)
	mov	machine_state+144(%rip), %eax
	xor	%edx, %edx
	xsave64	machine_state+192(%rip)
	cld
	fninit
	ldmxcsr	default_mxcsr(%rip)
	vzeroupper
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size machine_run, . - machine_run

	.section .rodata
	.balign 4
default_mxcsr:
	.long	0x1f80

	.bss
	.balign 64
	.globl machine_state
machine_state:
	.skip	192 + 4096
host_rsp:
	.skip	8

	.section .note.GNU-stack, "", @progbits
