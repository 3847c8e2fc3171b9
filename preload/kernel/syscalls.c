/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - the table of system calls; its rows are in syscalls.def.
 */
#include <linux/errno.h>

#include "preload/memory/access.h"
#include "preload/kernel/files.h"
#include "preload/kernel/syscall_numbers.h"

#define NR_ROWS CONTROL_MAX_SYSCALLS

#define CALL(name, handler_, blocks_, after_, flags_, fd_, ids_, error_) \
	[__NR_##name] = { .handler = handler_, .flags = flags_,         \
			  .fd_arg = (fd_) & 15, .wait = (fd_) >> 4,     \
			  .blocks = blocks_, .after = after_,           \
			  .ids = ids_, .error = error_ },

const struct trap_entry trap_table[NR_ROWS] = {
#include "preload/kernel/syscalls.def"
};

/* A call that explore does not know might do anything, so it is not made. */
const struct trap_entry *trap_entry(int64_t nr)
{
	static const struct trap_entry deliver = {
		.handler = signals_deliver_now, .flags = TRAP_F_FRAME,
	};
	static const struct trap_entry unknown = {
		.handler = trap_refuse, .flags = TRAP_F_FRAME, .error = ENOSYS,
	};

	if (nr == SYS_NR_DELIVER || nr == SYS_NR_DELIVER_HELD)
		return &deliver;
	if (nr < 0 || nr >= NR_ROWS || !trap_table[nr].blocks)
		return &unknown;
	return &trap_table[nr];
}
