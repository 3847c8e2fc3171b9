/* SPDX-License-Identifier: MIT */
/*
 * hook.S - what trampolines call in the comparison: count, log, and leave
 * garbage in rdi and rsi, which the trampoline must bring back itself. No
 * unwind information, so that it is never patched.
 */
	.text
	.globl apply_hook
	.hidden apply_hook
	.type apply_hook, @function
apply_hook:
	pushfq
	push	%rax
	push	%rcx
	mov	nr_apply_calls(%rip), %rax
	incq	nr_apply_calls(%rip)
	and	$255, %eax
	shl	$4, %eax
	lea	apply_log(%rip), %rcx
	mov	%rdi, (%rcx,%rax)
	mov	%esi, %esi
	mov	%rsi, 8(%rcx,%rax)
	mov	$0x5a5a5a5a, %edi
	mov	%edi, %esi
	pop	%rcx
	pop	%rax
	popfq
	ret
	.size apply_hook, . - apply_hook

	.bss
	.balign 16
	.globl nr_apply_calls, apply_log
	.hidden nr_apply_calls, apply_log
nr_apply_calls:
	.skip	8
	.balign 16
apply_log:
	.skip	256 * 16

	.section .note.GNU-stack, "", @progbits
