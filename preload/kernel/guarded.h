/* SPDX-License-Identifier: MIT */
/*
 * guarded.h - the system calls that the guard refuses, for who installs its
 * filter and for who tells of it.
 */
#ifndef PRELOAD_GUARDED_H
#define PRELOAD_GUARDED_H

/* Whoever calls them: X(name) for each. */
#define GUARDED_ALWAYS(X)                                                  \
	/* the file system tree */                                         \
	X(mount) X(umount2) X(pivot_root) X(move_mount) X(open_tree)       \
	X(fsopen) X(fsmount) X(fspick) X(mount_setattr) X(swapon)          \
	X(swapoff) X(quotactl) X(quotactl_fd) X(setns) X(acct)             \
	/* the kernel */                                                   \
	X(reboot) X(kexec_load) X(kexec_file_load) X(init_module)          \
	X(finit_module) X(delete_module) X(bpf) X(iopl) X(ioperm)          \
	/* time and names of the machine */                                \
	X(settimeofday) X(clock_settime) X(adjtimex) X(clock_adjtime)      \
	X(sethostname) X(setdomainname) X(vhangup)

/* To processes that the target did not start; see explorer/target/referee.c. */
#define GUARDED_STRANGERS(X)                                               \
	X(kill) X(tkill) X(tgkill) X(rt_sigqueueinfo)                      \
	X(rt_tgsigqueueinfo) X(pidfd_open) X(ptrace) X(process_vm_writev)  \
	X(setpriority) X(ioprio_set) X(prlimit64) X(sched_setparam)        \
	X(sched_setscheduler) X(sched_setattr) X(sched_setaffinity)        \
	X(migrate_pages) X(move_pages)

#endif /* PRELOAD_GUARDED_H */
