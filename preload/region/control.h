/* SPDX-License-Identifier: MIT */
/*
 * control.h - the control region: memory shared by the tool and the runtime.
 *
 * One memfd per worker, mapped by the tool, by the target's zygote and by
 * every run forked from it. It outlives a crash of the target. The tool writes
 * `config`, `command` and `script` between runs; the runtime writes everything
 * else during one. Exactly one process runs at a time, except that the tool
 * may read anything at any time.
 *
 * Fixed-width fields, no pointers (addresses are the target's, as uint64_t).
 * Append only; bump CONTROL_VERSION when a field changes place or meaning.
 * Runtime and tool are built together; the version catches mixed installs.
 */
#ifndef PRELOAD_CONTROL_H
#define PRELOAD_CONTROL_H

#include <assert.h>
#include <stdint.h>

#include "instrument/instrument.h"
#include "scheduler/scheduler.h"

#define CONTROL_MAGIC 0x4c525443504c5845ull	/* "EXLPCTRL" */
#define CONTROL_VERSION 4u

/*
 * The environment of a target: the user's, in its order, then an LD_PRELOAD and
 * what else is ours, an even number of variables. See clean_environment().
 *
 * The tool passes the region's descriptor number in this variable.
 */
#define CONTROL_ENV "EXPLORE_CONTROL_FD"
/* In place of LD_PRELOAD where the user set it, so it is as long. */
#define CONTROL_ENV_PRELOAD "EX_PRELOAD"
static_assert(sizeof(CONTROL_ENV_PRELOAD) == sizeof("LD_PRELOAD"),
	      "renamed where it is");
/* Makes the number even. */
#define CONTROL_ENV_PAD "EXPLORE_PAD="

/* For the target's start only. */
#define CONTROL_ENV_BIND_NOW "LD_BIND_NOW=explore"

#define CONTROL_MAX_SYSCALLS 512
#define CONTROL_MAX_MODULES 256
#define CONTROL_PATH_BYTES 256
#define CONTROL_MESSAGE_BYTES 1024
#define CONTROL_MAX_SITES 4096
#define CONTROL_STRATEGY_BYTES (1ull << 30)	/* sparse */
#define CONTROL_INPUT_BYTES (1ull << 30)	/* sparse */
#define CONTROL_MAX_STEPS (16u << 20)
#define CONTROL_MAX_ACCESS (1u << 18)	/* instrumented accesses */
/* Calls of C library functions that access memory: behind the instructions. */
#define CONTROL_MAX_CALLS 4096u
#define CONTROL_FIRST_CALL (CONTROL_MAX_ACCESS - 2 * CONTROL_MAX_CALLS)
#define CONTROL_CODE_BYTES (256ull << 20)	/* sparse: their trampolines */
#define CONTROL_MAX_AREAS 64
#define CONTROL_MAX_RACES 512
#define CONTROL_RACE_FRAMES 2
#define CONTROL_MAX_VALUES (1u << 21)	/* sparse */
#define CONTROL_VALUE_BYTES 16u
#define CONTROL_MAX_NOTES 4096u	/* the last ones of a run */
#define CONTROL_NOTE_BYTES 72u

/* ------------------------------------------------------------- verdict */

/* What a run came to. The values are part of the trace format. */
enum control_verdict_kind {
	CONTROL_VERDICT_NONE = 0,	/* still running, or died untold */
	CONTROL_VERDICT_EXIT = 1,	/* exit_group(code) */
	CONTROL_VERDICT_CRASH = 2,	/* signal `code`, not abort */
	CONTROL_VERDICT_ABORT = 3,	/* abort() */
	CONTROL_VERDICT_ASSERT = 4,	/* a failed assert(), text in message */
	CONTROL_VERDICT_DEADLOCK = 5,	/* nobody can ever run */
	CONTROL_VERDICT_PARTIAL_DEADLOCK = 6,	/* a cycle, others could run */
	CONTROL_VERDICT_SELF_DEADLOCK = 7,	/* relock by the owner */
	CONTROL_VERDICT_LIVELOCK = 8,	/* only yields and spins for long */
	CONTROL_VERDICT_STEP_LIMIT = 9,	/* max_steps, with progress */
	CONTROL_VERDICT_MISUSE = 10,	/* API misuse, what in message */
	CONTROL_VERDICT_FAIL = 11,	/* explore_fail() */
	CONTROL_VERDICT_TIMEOUT = 12,	/* the tool's limit on real time */
	CONTROL_VERDICT_RACE = 13,	/* a data race, as failure */
	/* Not findings about the target: */
	CONTROL_VERDICT_DIVERGED = 32,	/* a replay left the recorded path */
	CONTROL_VERDICT_BAD_PICK = 33,	/* the strategy's answer was illegal */
	CONTROL_VERDICT_INTERNAL = 34,	/* a failure of ours, in message */
	CONTROL_VERDICT_EXEC = 35,	/* the target replaced itself: execve */
	CONTROL_VERDICT_WATCH = 36,	/* a replay came to what is watched */
};

struct control_verdict {
	uint32_t kind;		/* enum control_verdict_kind; written last */
	int32_t code;		/* exit status or signal number */
	uint32_t task;		/* who it happened to */
	uint32_t object;	/* deadlock, misuse: the object; 0 none */
	uint64_t pc;		/* where, in target code; 0 unknown */
	uint64_t addr;		/* crash: faulting address */
	uint64_t step;		/* events logged before it */
	uint32_t nr_cycle;	/* deadlock: tasks in cycle[] */
	uint32_t cycle[16];
	char message[CONTROL_MESSAGE_BYTES];	/* NUL-terminated */
};

/*
 * The message of a RACE: what the access at verdict.pc to verdict.addr is, its
 * bytes, the other access; then the heap block, its bytes and who allocated it,
 * where there is one. Written with the first, read with the second.
 */
#define CONTROL_RACE_PRINT "%s of %lu bytes at 0x%lx, and a %s by T%lu at 0x%lx"
#define CONTROL_RACE_BLOCK ", in block 0x%lx of %lu bytes from 0x%lx"
#define CONTROL_RACE_SCAN "%15s of %lu bytes at 0x%lx, and a %15s by T%lu at " \
			  "0x%lx" CONTROL_RACE_BLOCK

/*
 * Behind the message of a MISUSE of freed memory: where in which block, who
 * allocated it, and who freed it. The places are return addresses.
 */
#define CONTROL_FREED_MARK ", at byte "
#define CONTROL_FREED_PRINT CONTROL_FREED_MARK "%lu of a block of %lu bytes " \
			    "from 0x%lx, allocated at 0x%lx, freed by T%lu " \
			    "at 0x%lx"

/* The message of a CRASH: the target's own seccomp filter killed it. */
#define CONTROL_SECCOMP_PRINT "its seccomp filter kills it at system call %ld"

/* The message of a CRASH by SIGSEGV or SIGBUS: what the access was. */
#define CONTROL_FAULT_READ "read"
#define CONTROL_FAULT_WRITE "write"
#define CONTROL_FAULT_EXECUTE "execute"
#define CONTROL_FAULT_GENERAL "general protection"
#define CONTROL_FAULT_SENT "sent"	/* by a call: nothing was accessed */

/* -------------------------------------------------------------- config */

enum control_flags {
	CONTROL_F_REPLAY = 1 << 0,	/* script holds the run to repeat */
	/* At a final verdict, freeze until the tool has inspected the run. */
	CONTROL_F_INSPECT = 1 << 1,
	CONTROL_F_NO_GUARD = 1 << 2,
	CONTROL_F_TRAP_TSC = 1 << 3,
	CONTROL_F_DEBUG = 1 << 4,	/* chat on stderr of the runtime */
	/* Accesses are watched: live ones are operations, races are noted. */
	CONTROL_F_ACCESS = 1 << 5,
	CONTROL_F_RACE_FAILS = 1 << 6,	/* the first race ends the run */
	CONTROL_F_SLICES = 1 << 7,	/* decisions may have ticks */
	CONTROL_F_VALUES = 1 << 8,	/* note what memory operations did */
	CONTROL_F_QUARANTINE = 1 << 9,	/* freed blocks are kept back */
	CONTROL_F_EXHAUSTIVE = 1 << 10,	/* the strategy tries everything */
	/* Private sites are watched, too, and hot ones for longer. */
	CONTROL_F_WATCH_ALL = 1 << 16,
	/* SHARED sites are operations, like LIVE ones. */
	CONTROL_F_SHARED = 1 << 17,
};

enum control_clock_kind {
	CONTROL_CLOCK_SOFT = 0,	/* counts accesses, when they are watched */
	CONTROL_CLOCK_HPC = 1,	/* event: of the processor, raw */
	CONTROL_CLOCK_BREAK = 2, /* event: address of an instruction */
};

/* What a tick is. */
struct control_clock {
	uint32_t kind;		/* enum control_clock_kind */
	/* Ticks that the counter is stopped early, at first and in replays. */
	uint32_t margin, skid;
	uint32_t reserved;
	uint64_t event;
};

/* Written by the tool before a run, read by the runtime. */
struct control_config {
	uint64_t seed;		/* for getrandom, AT_RANDOM */
	uint64_t run;
	uint64_t realtime_ns;	/* virtual CLOCK_REALTIME at start */
	struct scheduler_config scheduler;
	uint32_t flags;		/* enum control_flags */
	uint32_t virtual_pid;
	uint64_t nr_script;	/* events in script[] */
	uint64_t script_input_bytes;	/* recorded inputs in script_input[] */
	uint64_t strategy_bytes;
	struct control_clock clock;
	char strategy[64];	/* name of the strategy whose pick() to call */
	char plugin[CONTROL_PATH_BYTES];	/* its shared object, or "" */
};

/* ------------------------------------------------------------ hand-over */

/*
 * `command` is a futex word the zygote sleeps on; `state` one the tool sleeps
 * on. The tool: fill config, set state = WAITING, set command, wake, wait for
 * state to leave WAITING/RUNNING. The zygote answers with READY (at main,
 * once), DONE after each run.
 */
enum control_command {
	CONTROL_COMMAND_NONE = 0,
	CONTROL_COMMAND_RUN = 1,	/* fork one run */
	CONTROL_COMMAND_QUIT = 2,
	/* Map area[] and patch access[], then READY again. */
	CONTROL_COMMAND_INSTRUMENT = 3,
};

enum control_state {
	CONTROL_STATE_STARTING = 0,	/* ld.so and constructors run */
	CONTROL_STATE_READY = 1,	/* main is held */
	CONTROL_STATE_WAITING = 2,	/* set by the tool with a command */
	CONTROL_STATE_RUNNING = 3,
	/* Inspect: verdict is in, run stands still */
	CONTROL_STATE_FROZEN = 4,
	CONTROL_STATE_DONE = 5,		/* verdict and wait_status are in */
	/* No control; verdict.message says why */
	CONTROL_STATE_FAILED = 6,
};

/* A file the target has mapped as code. */
struct control_module {
	uint64_t start, end;	/* addresses [start, end) */
	uint64_t bias;		/* add to a file's virtual address */
	/* As ld.so names it; "" is the program */
	char path[CONTROL_PATH_BYTES];
};

/* What the runtime keeps per task beside the scheduler's part. */
struct control_task {
	/*
	 * Where it stands while another runs: registers for an unwinder.
	 * reg_ip is in the frame that called into the runtime.
	 */
	uint64_t reg_ip, reg_sp, reg_bp, reg_bx;
	uint64_t reg_12, reg_13, reg_14, reg_15;
	uint64_t fs_base;
	uint64_t handle;	/* pthread_t; 0 until known */
	uint64_t start_pc;	/* thread's start routine; 0 unknown */
	uint64_t clear_tid;	/* CLONE_CHILD_CLEARTID, set_tid_address */
	uint64_t robust_list;
	uint64_t robust_bytes;
	uint64_t sigmask;
	uint64_t sigpending;
	uint64_t altstack_sp, altstack_bytes;
	uint64_t saved_sp;	/* context to resume, runtime's own form */
	uint32_t tid;
	uint32_t altstack_flags;
	uint32_t uses_trap_frame;	/* 1: stopped in a syscall of its own */
	uint32_t syscall_nr;	/* the one it is in, when 1 */
	char name[16];		/* PR_SET_NAME */
	/* Result of a call that traps once more to have a frame; traps.c. */
	int64_t result;
	uint32_t has_result;
	uint32_t has_saved_mask;	/* sigsuspend: saved_mask comes back */
	uint64_t saved_mask;
	uint64_t wait_set;	/* sigtimedwait: signals awaited; else 0 */
	/* Vector registers are live where it stops: core_schedule() saves. */
	uint32_t has_vectors;
	uint32_t reserved;
	uint64_t cpu_ns;	/* virtual processor time */
};

#define CONTROL_EXEC_PATH 4096
#define CONTROL_EXEC_BYTES (1u << 20)	/* sparse */

/*
 * What a run would have replaced itself with, before it made a thread. Strings
 * one behind the other: the file's path, the directory, arguments, environment.
 */
struct control_exec {
	/* There is nothing more to know; else nothing */
	uint32_t is_whole;
	uint32_t bytes, nr_args, nr_env;
	char text[CONTROL_EXEC_BYTES];
};

#define CONTROL_MAX_REFUSALS 8

/* The first call of its number in a run that the guard refused. */
struct control_refusal {
	uint32_t number;	/* of the system call */
	uint32_t task;
	/* Of the code that called; CONTROL_MAX_MODULES: */
	uint32_t module;
	uint32_t reserved;	/* ... unknown */
	uint64_t offset;	/* return address, from the module's start */
};

/* What constructors made and a run finds as the one before left it. */
enum control_carried {
	CONTROL_CARRIED_OTHERS = 1 << 0,	/* sockets, inotify ... */
	CONTROL_CARRIED_MEMORY = 1 << 1,	/* too large, or not writable */
	CONTROL_CARRIED_SEALS = 1 << 2,		/* a run sealed a memfd */
	/* Ends of pipes that processes of theirs may have. */
	CONTROL_CARRIED_CHILDREN = 1 << 3,
	CONTROL_CARRIED_SHM = 1 << 4,	/* /dev/shm, not made private */
};

/* What escaped control, or was refused; for the honest summary. */
struct control_counters {
	uint64_t traps;		/* SIGSYS taken */
	uint64_t fast_calls;	/* syscalls through patched sites */
	uint64_t forks;		/* native children started */
	uint64_t execs;
	uint64_t denied;	/* refused by the guard */
	uint64_t raw_threads;	/* kernel threads that escaped */
	uint64_t signals;	/* delivered to handlers */
	uint64_t spins;		/* spin loops interrupted */
	uint64_t shared_maps;	/* MAP_SHARED memory, writable */
	uint64_t io_uring;
	uint64_t real_waits;	/* idle waits for the world outside */
	uint64_t inputs_lost;	/* input log overflowed */
	uint64_t turns;		/* given to starved tasks */
	/* Runs in which something was more than a detector can follow. */
	uint64_t races_lost;	/* unordered accesses, pairs of places */
	uint64_t freed_lost;	/* pages with freed memory */
	uint64_t listeners;	/* of seccomp, not given */
	uint64_t nr_refusals;	/* in refusal[] */
	uint64_t carried;	/* enum control_carried */
	uint64_t reserved[14];
	/* Passed to the kernel and not recorded, by number. */
	uint32_t passed[CONTROL_MAX_SYSCALLS];
	uint32_t refused[CONTROL_MAX_SYSCALLS];	/* by the guard, by number */
	struct control_refusal refusal[CONTROL_MAX_REFUSALS];
};

/* ------------------------------------------------------------- accesses */

/* Trampolines of one module: `bytes` of code[] at `offset` go to `base`. */
struct control_area {
	uint64_t base, bytes, offset;
};

/*
 * By site. A run begins with what the tool says in access_start[], and adds to
 * it in access_state[].
 */
enum control_access_state {
	CONTROL_ACCESS_LIVE = 1 << 0,	/* an operation; by the tool */
	/* Races, or touches bytes used for synchronisation: worth LIVE. */
	CONTROL_ACCESS_LEARNED = 1 << 1,
	/* Hot in many runs, and private: unpatched. By the tool. */
	CONTROL_ACCESS_PRIVATE = 1 << 2,
	CONTROL_ACCESS_SEEN = 1 << 3,
	/*
	 * Known to be an atomic load or store, though it is a plain move. Set
	 * by the tool between runs, from debug information, and by the runtime.
	 */
	CONTROL_ACCESS_ATOMIC = 1 << 4,
	CONTROL_ACCESS_HOT = 1 << 5,	/* executed often in this run */
	/* Conflicts in an order that atomics made, and nothing else. */
	CONTROL_ACCESS_SHARED = 1 << 6,
};

/*
 * Two accesses, unordered by happens-before, one of them a write. A run appends
 * to the nr_start_races that the tool knows already.
 */
struct control_race {
	uint64_t addr;
	uint64_t pc, other_pc;	/* of the instructions */
	uint64_t block, block_bytes;	/* heap block it is in; 0 none */
	uint64_t block_pc;	/* who allocated it; 0 unknown */
	uint32_t site, other_site;
	uint32_t task, other_task;
	uint32_t size;
	uint32_t run;		/* first seen in */
	uint64_t step;
	uint8_t is_write, other_is_write;
	uint8_t benign;		/* enum control_race_benign; by the tool */
	uint8_t reserved[5];
};

/* Why a race does not end the run when races are failures. */
enum control_race_benign {
	CONTROL_RACE_FAILS = 0,		/* it does */
	CONTROL_RACE_SUPPRESSED = 1,
	/* Reported already; its runs are counted as failing ones. */
	CONTROL_RACE_KNOWN = 2,
};

/*
 * In a replay: end it, with CONTROL_VERDICT_WATCH, where a race of the recorded
 * run happens, or at the stop_at-th of the accesses that may be the earlier of
 * its two. So their stacks can be looked at.
 */
struct control_watch {
	uint32_t mode;		/* enum control_watch_mode */
	/* Of the later and the earlier access */
	uint32_t task, other_task;
	uint32_t site, other_site;
	uint32_t size;
	/* Of the earlier access; the runtime's in RACE */
	uint64_t addr;
	uint64_t stop_at;	/* from 1; 0: only count */
	uint64_t nr_seen;	/* by the runtime: earlier accesses so far */
};

enum control_watch_mode {
	CONTROL_WATCH_OFF = 0,
	CONTROL_WATCH_RACE = 1,
	CONTROL_WATCH_ACCESS = 2,
};

/* What of a struct control_value is known. */
enum control_value_has {
	CONTROL_VALUE_BEFORE = 1 << 0,
	CONTROL_VALUE_AFTER = 1 << 1,
};

/*
 * What one memory operation found and left behind. `after` is what was there
 * when the task next entered the runtime. Not part of the digest.
 */
struct control_value {
	uint64_t step;		/* the event's index */
	uint64_t addr;
	uint64_t block, block_bytes;	/* heap block it is in; 0 none */
	uint64_t block_pc;	/* who allocated it; 0 unknown */
	uint32_t size;		/* bytes accessed; the first 16 are kept */
	uint8_t has;		/* enum control_value_has */
	uint8_t reserved[3];
	uint8_t before[CONTROL_VALUE_BYTES];
	uint8_t after[CONTROL_VALUE_BYTES];
};
static_assert(sizeof(struct control_value) == 80, "shared layout");

/* What happened in a run and is no operation, or is more than its kind says. */
enum control_note_kind {
	CONTROL_NOTE_NONE = 0,
	/*
	 * System call `number` on, or with the result of, descriptor `fd`,
	 * which is what `text` says. addr: the instruction.
	 */
	CONTROL_NOTE_CALL = 1,
	CONTROL_NOTE_FREE = 2,	/* of the block at addr */
	/* The task is about to act on a cancellation. */
	CONTROL_NOTE_CANCELLED = 3,
	CONTROL_NOTE_JOINED_CANCELLED = 4,	/* what a join found */
	/* A process was made: its number. */
	CONTROL_NOTE_FORK = 5,
	/* The task forked while `other` held `object`. */
	CONTROL_NOTE_HELD = 6,
	/*
	 * By the tool: child `number` is in what `text` says at the end; addr:
	 * the futex that it waits for, or 0.
	 */
	CONTROL_NOTE_CHILD = 7,
	CONTROL_NOTE_NR
};

/*
 * With CONTROL_F_VALUES, for reports. `is_of_op`: it is about the operation
 * `step`; else it happened when that many operations had been logged.
 */
struct control_note {
	uint64_t step;
	uint64_t pc;		/* where, behind a call; 0: unknown */
	uint64_t addr;
	uint64_t block_pc;	/* FREE: who allocated it; 0 unknown */
	uint32_t task, other;
	uint32_t object;
	int32_t number;
	int32_t fd;
	uint8_t kind;		/* enum control_note_kind */
	uint8_t is_of_op;
	uint8_t reserved[2];
	char text[CONTROL_NOTE_BYTES];	/* NUL-terminated */
};
static_assert(sizeof(struct control_note) == 128, "shared layout");

/* Limits that count what the runtime maps. */
enum control_limit_kind {
	CONTROL_LIMIT_AS = 0,
	CONTROL_LIMIT_DATA = 1,
	CONTROL_LIMIT_NR = 2,
};

struct control_limit {
	uint64_t soft, hard;
};

struct control {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes_low;	/* sizeof(struct control), low half */
	uint32_t command;	/* futex; enum control_command */
	uint32_t state;		/* futex; enum control_state */
	uint32_t release;	/* futex; tool sets 1 to end FROZEN */
	int32_t unused[2];
	int32_t wait_status;	/* as of wait4() on the run */
	/*
	 * Set by the tool's watchdog before it sends the probe signal to the
	 * run because `step` has not moved; see preload/clock/spin.c.
	 */
	uint32_t probe;		/* enum control_probe */
	uint32_t nr_modules;
	uint64_t digest;	/* of the finished run */
	uint64_t input_bytes;	/* used in input[] */
	uint32_t nr_sites;	/* syscall sites worth patching */
	uint32_t nr_patched;	/* of them, done by the zygote */
	struct control_config config;
	struct control_verdict verdict;
	struct control_counters counters;
	uint64_t site[CONTROL_MAX_SITES];	/* addresses after `syscall` */
	/* Accesses: plan by the tool, see instrument/instrument.h. */
	uint64_t access_entry;	/* hook's address, set by the runtime */
	uint32_t nr_areas;
	uint32_t nr_access;
	uint32_t nr_private;	/* sites that are PRIVATE; by the tool */
	uint32_t nr_races;	/* distinct pairs of sites in race[] */
	uint32_t nr_learned;	/* sites that have LEARNED */
	uint32_t access_failed;	/* sites that could not be patched */
	uint64_t nr_accesses;	/* hook calls in the last run */
	uint32_t nr_seen;	/* sites that have SEEN */
	uint32_t access_given_back;	/* patches of code made writable: run */
	struct control_area area[CONTROL_MAX_AREAS];
	struct control_race race[CONTROL_MAX_RACES];
	struct control_module module[CONTROL_MAX_MODULES];
	struct control_task task[SCHED_MAX_TASKS];
	struct scheduler scheduler;
	/* Sparse arrays: only what a run touches takes memory. */
	/* Scheduler.step used */
	struct sched_event event[CONTROL_MAX_STEPS];
	struct sched_event script[CONTROL_MAX_STEPS];
	uint8_t input[CONTROL_INPUT_BYTES];
	uint8_t script_input[CONTROL_INPUT_BYTES];
	_Alignas(4096) uint8_t strategy[CONTROL_STRATEGY_BYTES];
	uint8_t access_state[CONTROL_MAX_ACCESS];
	/*
	 * What every run begins with: access_state[], nr_calls, nr_races. By
	 * the tool. The version changes when a PRIVATE of access_start[] does.
	 */
	uint8_t access_start[CONTROL_MAX_ACCESS];
	uint32_t nr_start_calls;
	uint32_t nr_start_races;
	uint32_t private_version;
	struct instrument_site access[CONTROL_MAX_ACCESS];
	uint8_t code[CONTROL_CODE_BYTES];
	/*
	 * In a replay, races end the run only at its recorded end, and there
	 * only by the access at this address; 0: none does.
	 */
	uint64_t replay_race_pc;
	struct control_watch watch;	/* by the tool, before a replay */
	/* Pairs of sites taken for races until their bytes proved atomic. */
	uint32_t nr_atomic_pairs;
	uint32_t nr_known_races;	/* KNOWN ones that the run met */
	/* With CONTROL_F_VALUES: by step, ascending, one an operation. */
	uint64_t nr_values;
	struct control_value value[CONTROL_MAX_VALUES];
	/* Children that were waited for in vain, see preload/kernel/files.c. */
	uint32_t nr_slow_children;
	uint32_t nr_calls;	/* met so far; see control_call_site() */
	/*
	 * By enum control_limit_kind: the user's limits, without our reserve.
	 * By the tool.
	 */
	struct control_limit limit[CONTROL_LIMIT_NR];
	/*
	 * By the tool, before the start; the zygote keeps copies. In a PID
	 * namespace of its own each run has the same number; 0: any.
	 */
	uint32_t run_number;
	uint32_t is_ambient;	/* the run drops all its capabilities */
	struct control_exec exec;	/* of a run whose verdict is EXEC */
	uint32_t had_no_new_privs;	/* without the guard; by the tool */
	/*
	 * The root directory of a /dev/shm of its own, in the zygote; 0: it is
	 * as outside; -1: it should have one, and has not. By the tool.
	 */
	int32_t shm_fd;
	/*
	 * The first 64 that the tool may use: native children's. By the tool.
	 */
	uint64_t processors;
	/* Note number i is note[i % CONTROL_MAX_NOTES]. */
	uint64_t nr_notes;
	struct control_note note[CONTROL_MAX_NOTES];
};

/* Of the runtime's stack for each task; sparse. */
#define CONTROL_TASK_STACK_BYTES (64ull << 10)
/* The runtime itself, its stacks, its trampolines as a rule. */
#define CONTROL_OWN_BYTES \
	((32ull << 20) + SCHED_MAX_TASKS * CONTROL_TASK_STACK_BYTES)

/* What the runtime takes of it, beside the program's. */
static inline uint64_t control_reserve(uint32_t limit, uint64_t races_bytes)
{
	return races_bytes + CONTROL_OWN_BYTES +
	       (limit == CONTROL_LIMIT_AS ? sizeof(struct control) : 0);
}

/* The first planned site at or behind `addr`; nr_access: there is none. */
static inline uint32_t control_find_site(const struct control *c, uint64_t addr)
{
	uint32_t low = 0, high = c->nr_access;

	while (low < high) {	/* sites ascend: the tool sorts modules */
		uint32_t middle = low + (high - low) / 2;

		if (c->access[middle].addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The site of what call number k reads or writes. In access[] it has no patch,
 * and an address of its own inside the instruction: of the last byte but one
 * what it writes, of the last what it reads.
 */
static inline uint32_t control_call_site(uint32_t k, bool is_write)
{
	return CONTROL_FIRST_CALL + 2 * k + is_write;
}

static inline bool control_is_site(const struct control *c, uint32_t site)
{
	return site < c->nr_access ||
	       (site >= CONTROL_FIRST_CALL &&
		site < CONTROL_FIRST_CALL + 2 * c->nr_calls);
}

/* The site behind that one, in a walk over all of them; control_end_site(). */
static inline uint32_t control_next_site(const struct control *c, uint32_t site)
{
	return ++site == c->nr_access ? CONTROL_FIRST_CALL : site;
}

static inline uint32_t control_first_site(const struct control *c)
{
	return c->nr_access ? 0 : CONTROL_FIRST_CALL;
}

static inline uint32_t control_end_site(const struct control *c)
{
	return CONTROL_FIRST_CALL + 2 * c->nr_calls;
}

/*
 * The call whose last byte is at addr. There is room for it
 * (CONTROL_MAX_CALLS), and it is not there yet.
 */
static inline void control_add_call(struct control *c, uint64_t addr)
{
	uint32_t site = control_call_site(c->nr_calls, false);

	c->access[site].addr = addr;
	c->access[site + 1].addr = addr - 1;
	c->access[site].flags = INSTRUMENT_READS;
	c->access[site + 1].flags = INSTRUMENT_WRITES;
	c->nr_calls++;
}
static_assert(sizeof(struct control_task) == 232, "shared layout");

enum control_probe {
	CONTROL_PROBE_NONE = 0,
	CONTROL_PROBE_LOOK = 1,		/* preempt only a provable spin */
	CONTROL_PROBE_FORCE = 2,	/* preempt, whatever it does */
};

#endif /* PRELOAD_CONTROL_H */
