/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - the table: one row per system call that is not simply passed.
 *
 * A call without a row goes to the kernel as it is and is counted as passed
 * unrecorded; a row with a NULL handler and TRAP_F_QUIET says that this is
 * right for it.
 */
#include "preload/access.h"
#include "preload/files.h"

#define NR_ROWS CONTROL_MAX_SYSCALLS

#define QUIET { NULL, TRAP_F_QUIET, 0, 0 }
#define CALL(h) { h, 0, 0, 0 }
#define FRAME(h) { h, TRAP_F_FRAME, 0, 0 }
#define PID { NULL, TRAP_F_QUIET | TRAP_F_PID, 0, 0 }
#define READS(arg) { files_trap, 0, 1 + (arg), FILES_WAIT_IN }
#define WRITES(arg) { files_trap, 0, 1 + (arg), FILES_WAIT_OUT }
#define ORDERED(arg) { files_trap, 0, 1 + (arg), FILES_WAIT_NONE }

const struct trap_entry trap_table[NR_ROWS] = {
	/* threads */
	[__NR_clone] = FRAME(threads_clone),
	[__NR_clone3] = FRAME(threads_clone),
	[__NR_exit] = FRAME(threads_exit),
	[__NR_gettid] = CALL(threads_gettid),
	[__NR_set_tid_address] = CALL(threads_set_tid_address),
	[__NR_set_robust_list] = CALL(threads_set_robust_list),
	[__NR_get_robust_list] = CALL(threads_get_robust_list),
	[__NR_rseq] = CALL(threads_rseq),
	[__NR_sched_yield] = CALL(threads_yield),
	[__NR_prctl] = CALL(threads_prctl),
	[__NR_sched_getaffinity] = CALL(threads_sched_getaffinity),
	[__NR_sched_setaffinity] = CALL(threads_sched_getaffinity),
	[__NR_getcpu] = CALL(threads_getcpu),
	[__NR_futex] = CALL(futex_trap),
	[449 /* futex_waitv */] = CALL(futex_waitv),

	/* signals */
	[__NR_rt_sigaction] = CALL(signals_sigaction),
	[__NR_rt_sigprocmask] = CALL(signals_sigprocmask),
	[__NR_rt_sigreturn] = FRAME(signals_sigreturn),
	[__NR_sigaltstack] = CALL(signals_sigaltstack),
	[__NR_rt_sigpending] = CALL(signals_sigpending),
	[__NR_rt_sigsuspend] = CALL(signals_sigsuspend),
	[__NR_rt_sigtimedwait] = CALL(signals_sigtimedwait),
	[__NR_pause] = CALL(signals_pause),
	[__NR_kill] = CALL(signals_kill),
	[__NR_tgkill] = FRAME(signals_tgkill),
	[__NR_tkill] = FRAME(signals_tkill),
	[__NR_rt_sigqueueinfo] = CALL(signals_sigqueueinfo),
	[__NR_rt_tgsigqueueinfo] = CALL(signals_tgsigqueueinfo),

	/* time */
	[__NR_nanosleep] = CALL(time_nanosleep),
	[__NR_clock_nanosleep] = CALL(time_clock_nanosleep),
	[__NR_clock_gettime] = CALL(time_clock_gettime),
	[__NR_clock_getres] = CALL(time_clock_getres),
	[__NR_gettimeofday] = CALL(time_gettimeofday),
	[__NR_time] = CALL(time_time),
	[__NR_times] = CALL(time_times),
	[__NR_alarm] = CALL(time_alarm),
	[__NR_setitimer] = CALL(time_setitimer),
	[__NR_getitimer] = CALL(time_getitimer),
	[__NR_timer_create] = CALL(time_timer_create),
	[__NR_timer_settime] = CALL(time_timer_settime),
	[__NR_timer_gettime] = CALL(time_timer_gettime),
	[__NR_timer_getoverrun] = CALL(time_timer_getoverrun),
	[__NR_timer_delete] = CALL(time_timer_delete),

	/* descriptors */
	[__NR_read] = READS(0),
	[__NR_readv] = READS(0),
	[__NR_pread64] = ORDERED(0),
	[__NR_preadv] = ORDERED(0),
	[__NR_preadv2] = ORDERED(0),
	[__NR_write] = WRITES(0),
	[__NR_writev] = WRITES(0),
	[__NR_pwrite64] = ORDERED(0),
	[__NR_pwritev] = ORDERED(0),
	[__NR_pwritev2] = ORDERED(0),
	[__NR_recvfrom] = READS(0),
	[__NR_recvmsg] = READS(0),
	[__NR_recvmmsg] = READS(0),
	[__NR_sendto] = WRITES(0),
	[__NR_sendmsg] = WRITES(0),
	[__NR_sendmmsg] = WRITES(0),
	[__NR_sendfile] = WRITES(0),
	[__NR_splice] = READS(0),
	[__NR_accept] = READS(0),
	[__NR_accept4] = READS(0),
	[__NR_connect] = ORDERED(0),
	[__NR_shutdown] = ORDERED(0),
	[__NR_ftruncate] = ORDERED(0),
	[__NR_flock] = CALL(files_flock),
	[__NR_fcntl] = CALL(files_fcntl),
	[__NR_poll] = CALL(files_poll),
	[__NR_ppoll] = CALL(files_ppoll),
	[__NR_select] = CALL(files_select),
	[__NR_pselect6] = CALL(files_pselect),
	[__NR_epoll_wait] = CALL(files_epoll_wait),
	[__NR_epoll_pwait] = CALL(files_epoll_pwait),
	[441 /* epoll_pwait2 */] = CALL(files_epoll_pwait),
	[__NR_pipe] = CALL(files_make_pair),
	[__NR_pipe2] = CALL(files_make_pair),
	[__NR_socketpair] = CALL(files_make_pair),
	[__NR_eventfd] = CALL(files_make_internal),
	[__NR_eventfd2] = CALL(files_make_internal),
	[__NR_socket] = CALL(files_make_outside),
	[__NR_timerfd_create] = CALL(files_make_outside),
	[__NR_signalfd] = CALL(files_make_outside),
	[__NR_signalfd4] = CALL(files_make_outside),
	[__NR_inotify_init] = CALL(files_make_outside),
	[__NR_inotify_init1] = CALL(files_make_outside),
	[__NR_dup] = CALL(files_dup),
	[__NR_dup2] = CALL(files_dup),
	[__NR_dup3] = CALL(files_dup),
	[__NR_close] = CALL(files_close),
	[__NR_mmap] = CALL(files_mmap),

	/* the process */
	[__NR_fork] = FRAME(process_fork),
	[__NR_vfork] = FRAME(process_fork),
	[__NR_execve] = FRAME(process_execve),
	[__NR_execveat] = FRAME(process_execve),
	[__NR_wait4] = CALL(process_wait4),
	[__NR_waitid] = CALL(process_waitid),
	[__NR_exit_group] = FRAME(process_exit_group),
	[__NR_getpid] = CALL(process_getpid),
	[__NR_getppid] = CALL(process_getppid),
	[__NR_getrandom] = CALL(process_getrandom),
	[__NR_io_uring_setup] = CALL(process_io_uring),
	[__NR_prlimit64] = PID,
	[__NR_getpgid] = PID,
	[__NR_getsid] = PID,
	[__NR_setpgid] = PID,
	[__NR_sched_setparam] = PID,
	[__NR_sched_getparam] = PID,
	[__NR_sched_setscheduler] = PID,
	[__NR_sched_getscheduler] = PID,
	[__NR_sched_rr_get_interval] = PID,
	[__NR_sched_setattr] = PID,
	[__NR_sched_getattr] = PID,

	/* Same answer in every run, or nobody's business. */
	[__NR_brk] = QUIET,
	[__NR_munmap] = CALL(access_munmap),
	[__NR_mprotect] = CALL(access_mprotect),
	[329 /* pkey_mprotect */] = CALL(access_mprotect),
	[__NR_mremap] = CALL(access_munmap),
	[__NR_madvise] = QUIET,
	[__NR_arch_prctl] = QUIET,
	[__NR_open] = QUIET,
	[__NR_openat] = QUIET,
	[__NR_creat] = QUIET,
	[__NR_lseek] = QUIET,
	[__NR_stat] = QUIET,
	[__NR_fstat] = QUIET,
	[__NR_lstat] = QUIET,
	[__NR_newfstatat] = QUIET,
	[__NR_statx] = QUIET,
	[__NR_access] = QUIET,
	[__NR_faccessat] = QUIET,
	[439 /* faccessat2 */] = QUIET,
	[__NR_readlink] = QUIET,
	[__NR_readlinkat] = QUIET,
	[__NR_getdents64] = QUIET,
	[__NR_getcwd] = QUIET,
	[__NR_uname] = QUIET,
	[__NR_getuid] = QUIET,
	[__NR_geteuid] = QUIET,
	[__NR_getgid] = QUIET,
	[__NR_getegid] = QUIET,
	[__NR_getrlimit] = QUIET,
	[__NR_unlink] = QUIET,
	[__NR_unlinkat] = QUIET,
	[__NR_mkdir] = QUIET,
	[__NR_rmdir] = QUIET,
	[__NR_rename] = QUIET,
	[__NR_umask] = QUIET,
	[__NR_chmod] = QUIET,
	[__NR_fchmod] = QUIET,
	[__NR_fchown] = QUIET,
	[__NR_utimensat] = QUIET,
	[__NR_fsync] = QUIET,
	[__NR_fdatasync] = QUIET,
	[__NR_fadvise64] = QUIET,
	[__NR_fallocate] = QUIET,
	[__NR_bind] = QUIET,
	[__NR_listen] = QUIET,
	[__NR_getsockname] = QUIET,
	[__NR_setsockopt] = QUIET,
	[__NR_getsockopt] = QUIET,
	[__NR_epoll_create1] = QUIET,
	[__NR_epoll_create] = QUIET,
	[__NR_epoll_ctl] = QUIET,
	[__NR_ioctl] = QUIET,
	[__NR_memfd_create] = QUIET,
};

const struct trap_entry *trap_entry(int64_t nr)
{
	static const struct trap_entry deliver = { signals_deliver_now,
						   TRAP_F_FRAME, 0, 0 };
	static const struct trap_entry unknown = { NULL, TRAP_F_FRAME, 0, 0 };

	if (nr == SYS_NR_DELIVER)
		return &deliver;
	if (nr < 0 || nr >= NR_ROWS)
		return &unknown;
	return &trap_table[nr];
}
