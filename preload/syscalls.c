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
#define READS(arg) { files_trap, TRAP_F_SEES, 1 + (arg), FILES_WAIT_IN }
#define WRITES(arg) { files_trap, TRAP_F_SHOWS, 1 + (arg), FILES_WAIT_OUT }
#define ORDERED(arg, flags) { files_trap, flags, 1 + (arg), FILES_WAIT_NONE }
#define BOTH (TRAP_F_SEES | TRAP_F_SHOWS)
/* With a handler or without, of the descriptor arg[0]. */
#define FD_CALL(h, flags) { h, TRAP_F_QUIET | (flags), 1, 0 }
#define POLLS(h) { h, TRAP_F_SEES | TRAP_F_MANY, 0, 0 }
#define PATH(flags) { NULL, TRAP_F_QUIET | TRAP_F_FILES | (flags), 0, 0 }
#define OPENS { files_open, TRAP_F_FILES | BOTH, 0, 0 }
/* Further orders of a CALL. */
#define ALSO(h, flags) { h, flags, 0, 0 }

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
	[__NR_alarm] = ALSO(time_alarm, TRAP_F_SHOWS),
	[__NR_setitimer] = ALSO(time_setitimer, TRAP_F_SHOWS),
	[__NR_getitimer] = CALL(time_getitimer),
	[__NR_timer_create] = CALL(time_timer_create),
	[__NR_timer_settime] = ALSO(time_timer_settime, TRAP_F_SHOWS),
	[__NR_timer_gettime] = CALL(time_timer_gettime),
	[__NR_timer_getoverrun] = CALL(time_timer_getoverrun),
	[__NR_timer_delete] = CALL(time_timer_delete),

	/* descriptors */
	[__NR_read] = READS(0),
	[__NR_readv] = READS(0),
	[__NR_pread64] = ORDERED(0, TRAP_F_SEES),
	[__NR_preadv] = ORDERED(0, TRAP_F_SEES),
	[__NR_preadv2] = ORDERED(0, TRAP_F_SEES),
	[__NR_write] = WRITES(0),
	[__NR_writev] = WRITES(0),
	[__NR_pwrite64] = ORDERED(0, TRAP_F_SHOWS),
	[__NR_pwritev] = ORDERED(0, TRAP_F_SHOWS),
	[__NR_pwritev2] = ORDERED(0, TRAP_F_SHOWS),
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
	[__NR_connect] = ORDERED(0, BOTH),
	[__NR_shutdown] = ORDERED(0, TRAP_F_SHOWS),
	[__NR_ftruncate] = ORDERED(0, TRAP_F_SHOWS),
	[__NR_flock] = FD_CALL(files_flock, BOTH),
	[__NR_fcntl] = FD_CALL(files_fcntl, BOTH),
	[__NR_poll] = POLLS(files_poll),
	[__NR_ppoll] = POLLS(files_ppoll),
	[__NR_select] = POLLS(files_select),
	[__NR_pselect6] = POLLS(files_pselect),
	[__NR_epoll_wait] = POLLS(files_epoll_wait),
	[__NR_epoll_pwait] = POLLS(files_epoll_pwait),
	[441 /* epoll_pwait2 */] = POLLS(files_epoll_pwait),
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
	[__NR_dup2] = { files_dup, TRAP_F_SHOWS, 2, 0 },
	[__NR_dup3] = { files_dup, TRAP_F_SHOWS, 2, 0 },
	[__NR_close] = FD_CALL(files_close, TRAP_F_SHOWS),
	[436 /* close_range */] = CALL(files_close_range),
	[__NR_mmap] = CALL(files_mmap),
	[__NR_mremap] = CALL(files_mremap),
	[__NR_brk] = CALL(files_brk),
	[__NR_shmat] = CALL(files_shmat),

	/* the process */
	[__NR_fork] = FRAME(process_fork),
	[__NR_vfork] = FRAME(process_fork),
	[__NR_execve] = FRAME(process_execve),
	[__NR_execveat] = FRAME(process_execve),
	[__NR_wait4] = ALSO(process_wait4, TRAP_F_SEES),
	[__NR_waitid] = ALSO(process_waitid, TRAP_F_SEES),
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
	[__NR_munmap] = CALL(access_munmap),
	[__NR_mprotect] = CALL(access_mprotect),
	[329 /* pkey_mprotect */] = CALL(access_mprotect),
	[__NR_madvise] = QUIET,
	[__NR_arch_prctl] = QUIET,
	[__NR_open] = OPENS,
	[__NR_openat] = OPENS,
	[__NR_creat] = OPENS,
	[__NR_lseek] = FD_CALL(NULL, BOTH),
	[__NR_stat] = PATH(TRAP_F_SEES),
	[__NR_fstat] = FD_CALL(NULL, TRAP_F_SEES),
	[__NR_lstat] = PATH(TRAP_F_SEES),
	[__NR_newfstatat] = PATH(TRAP_F_SEES),
	[__NR_statx] = PATH(TRAP_F_SEES),
	[__NR_access] = PATH(TRAP_F_SEES),
	[__NR_faccessat] = PATH(TRAP_F_SEES),
	[439 /* faccessat2 */] = PATH(TRAP_F_SEES),
	[__NR_readlink] = PATH(TRAP_F_SEES),
	[__NR_readlinkat] = PATH(TRAP_F_SEES),
	[__NR_getdents64] = FD_CALL(NULL, TRAP_F_SEES),
	[__NR_getcwd] = QUIET,
	[__NR_uname] = QUIET,
	[__NR_getuid] = QUIET,
	[__NR_geteuid] = QUIET,
	[__NR_getgid] = QUIET,
	[__NR_getegid] = QUIET,
	[__NR_getrlimit] = QUIET,
	[__NR_unlink] = PATH(BOTH),
	[__NR_unlinkat] = PATH(BOTH),
	[__NR_mkdir] = PATH(BOTH),
	[__NR_rmdir] = PATH(BOTH),
	[__NR_rename] = PATH(BOTH),
	[__NR_umask] = QUIET,
	[__NR_chmod] = PATH(BOTH),
	[__NR_fchmod] = FD_CALL(NULL, BOTH),
	[__NR_fchown] = FD_CALL(NULL, BOTH),
	[__NR_utimensat] = PATH(BOTH),
	[__NR_fsync] = QUIET,
	[__NR_fdatasync] = QUIET,
	[__NR_fadvise64] = QUIET,
	[__NR_fallocate] = FD_CALL(NULL, BOTH),
	[__NR_bind] = FD_CALL(NULL, TRAP_F_SHOWS),
	[__NR_listen] = FD_CALL(NULL, TRAP_F_SHOWS),
	[__NR_getsockname] = QUIET,
	[__NR_setsockopt] = FD_CALL(NULL, TRAP_F_SHOWS),
	[__NR_getsockopt] = FD_CALL(NULL, TRAP_F_SEES),
	[__NR_epoll_create1] = QUIET,
	[__NR_epoll_create] = QUIET,
	[__NR_epoll_ctl] = FD_CALL(NULL, TRAP_F_SHOWS),
	[__NR_ioctl] = FD_CALL(NULL, BOTH),
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
