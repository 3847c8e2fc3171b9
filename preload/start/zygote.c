/* SPDX-License-Identifier: MIT */
/*
 * zygote.c - from the runtime's constructor to the start of each run.
 *
 * The constructor takes the preload out of the environment. The target's main
 * is replaced by one that becomes the zygote: it waits for the tool's word,
 * forks, and the child returns into the real main under control. When there are
 * threads before main, it is the first thread's creation that is held.
 *
 * Context: ordinary code in a single-threaded process, libc is up. This is the
 * only file of the runtime that may call it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "preload/libc/interpose.h"
#include "preload/memory/access.h"
#include "preload/core/core.h"
#include "preload/kernel/rlimits.h"
#include "preload/kernel/ids.h"
#include "preload/start/inherited.h"
#include "preload/start/shared.h"
#include "preload/start/shm.h"

uint32_t sys_has_fsgsbase;
RUNTIME_HIDDEN const struct explore_strategy *core_plugin;

typedef int main_fn(int, char **, char **);

static main_fn *target_main;
static int64_t constructed_in;	/* process id */

static void set_state(struct control *c, uint32_t state)
{
	__atomic_store_n(&c->state, state, __ATOMIC_SEQ_CST);
	sys_call3(__NR_futex, &c->state, FUTEX_WAKE, INT32_MAX);
}

static _Noreturn void fail(struct control *c, const char *message)
{
	runtime_format(c->verdict.message, sizeof(c->verdict.message), "%s",
		       message);
	set_state(c, CONTROL_STATE_FAILED);
	_exit(99);
}

/* -------------------------------------------------------- constructor */

static bool has_name(const char *entry, const char *name)
{
	size_t n = core_strlen(name);

	return core_has_prefix(entry, name) && entry[n] == '=';
}

static const char *value_of(char **envp, const char *name)
{
	for (; *envp; envp++)
		if (has_name(*envp, name))
			return *envp + core_strlen(name) + 1;
	return NULL;
}

/*
 * The environment is the user's again: nothing of ours leaks into children. The
 * kernel lays the auxiliary vector behind envp's NULL, and there are programs
 * that look for it there (Go's runtime). Ours were the last, so envp ends
 * earlier now; what is between its new end and the vector, which stays where
 * the C library knows it, becomes entries of the vector that say nothing.
 */
static void clean_environment(char **envp)
{
	char **in = envp, **end;
	Elf64_auxv_t *skip;

	for (; *in && !has_name(*in, "LD_PRELOAD"); in++)
		if (has_name(*in, CONTROL_ENV_PRELOAD))
			memcpy(*in, "LD_PRELOAD", strlen("LD_PRELOAD"));
	skip = (Elf64_auxv_t *)(in + 1);
	for (end = in; *end; end++)
		memset(*end, 0, core_strlen(*end));	/* in /proc, too */
	*in = NULL;
	for (; (char **)(skip + 1) <= end + 1; skip++)
		*skip = (Elf64_auxv_t){ .a_type = AT_IGNORE };
}

static struct control *map_control(const char *number)
{
	int fd = 0;
	int64_t p;

	for (; *number >= '0' && *number <= '9'; number++)
		fd = fd * 10 + (*number - '0');
	p = sys_call6(__NR_mmap, 0, sizeof(struct control),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		      (uint64_t)fd, 0);
	sys_call1(__NR_close, fd);
	return p < 0 && p > -4096 ? NULL : (void *)p;
}

__attribute__((constructor)) static void construct(int argc, char **argv,
						   char **envp)
{
	const char *fd = value_of(envp, CONTROL_ENV);
	struct control *c;

	(void)argc;
	(void)argv;
	if (!fd) {		/* preloaded by hand: stay out of the way */
		interpose_init();
		return;
	}
	c = map_control(fd);
	clean_environment(envp);
	if (!c || c->magic != CONTROL_MAGIC) {
		interpose_init();
		return;
	}
	if (c->version != CONTROL_VERSION)
		fail(c, "the runtime and the tool are of different versions");
	runtime_control = c;
	constructed_in = sys_call0(__NR_getpid);
	shm_start();
	inherited_note_outside();
	/* The lookups allocate, and the allocator asks for random bytes. */
	startup_begin();
	interpose_init();
}

/* -------------------------------------------------------------- zygote */

static int count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	if (!d)
		return 1;
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void load_plugin(struct control *c)
{
	void *handle;

	if (!c->config.plugin[0])
		return;
	handle = dlopen(c->config.plugin, RTLD_NOW | RTLD_LOCAL);
	if (handle)
		core_plugin = dlsym(handle, EXPLORE_STRATEGY_SYMBOL);
	if (!core_plugin)
		fail(c, "the strategy cannot be loaded into the target");
}

/* AT_RANDOM's bytes feed hash seeds; make them the search's. */
static void set_at_random(void)
{
	uint64_t *bytes = (uint64_t *)(uintptr_t)getauxval(AT_RANDOM);

	if (!bytes)
		return;
	bytes[0] = process_random_state(PROCESS_RANDOM_AT_RANDOM);
	bytes[1] = process_random_state(PROCESS_RANDOM_AT_RANDOM + 1);
}

/* What the memory of the target is not to be taken for. */
static void reserve(struct control *c)
{
	limits_init();
	limits_reserve(c, sizeof(*c));
	if (!order_races)
		fail(c,
		     "no room for what it keeps of the accesses of memory: "
		     "a limit on private memory (ulimit -d), or no overcommit");
	limits_reserve(order_races, races_bytes());
}

static void prepare(struct control *c)
{
	startup_end();
	sys_has_fsgsbase = getauxval(AT_HWCAP2) >> 1 & 1;
	core_keeps_gs = sys_has_fsgsbase;
	if (count_threads() > 1)
		fail(c, "a constructor started a thread where explore could "
			"not hold it");
	load_plugin(c);
	set_at_random();
	ids_init();
	modules_init();
	core_init();
	threads_init();
	order_init();
	order_nr_threads = dlvsym(RTLD_DEFAULT, "__nptl_nthreads",
				  "GLIBC_PRIVATE");
	reserve(c);
	c->access_entry = (uintptr_t)access_entry;
	signals_init();
	interpose_alloc_start();
	exec_init();
}

static void wait_for_command(struct control *c)
{
	while (!__atomic_load_n(&c->command, __ATOMIC_SEQ_CST))
		sys_call4(__NR_futex, &c->command, FUTEX_WAIT, 0, 0);
}

static void in_the_run(void)
{
	ids_start_run();
	shm_start_run();
	shared_copy();
	inherited_renew();
	sys_call2(__NR_prctl, PR_SET_PDEATHSIG, 9);
	process_trap_cpu();
	core_start_run();
	runtime_control->counters.carried = inherited_carried() |
		shm_carried() |
		(shared_is_too_large() ? CONTROL_CARRIED_MEMORY : 0);
	runtime_set_own_handle((uint64_t)pthread_self());
	runtime_mode = RUNTIME_CONTROLLED;
	if (trap_arm() < 0)
		runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, 0,
			    "this kernel has no Syscall User Dispatch (needs "
			    "5.11)");
}

/* Returns in the child that is to run main; the zygote itself never does. */
static void serve(struct control *c)
{
	for (;;) {
		int64_t pid;
		int32_t status = 0;
		uint32_t command;

		wait_for_command(c);
		command = c->command;
		__atomic_store_n(&c->command, CONTROL_COMMAND_NONE,
				 __ATOMIC_SEQ_CST);
		if (command == CONTROL_COMMAND_QUIT)
			_exit(0);
		if (command == CONTROL_COMMAND_INSTRUMENT) {
			access_instrument();
			set_state(c, CONTROL_STATE_READY);
			continue;
		}
		patch_apply();
		access_apply();
		c->verdict.kind = CONTROL_VERDICT_NONE;
		inherited_restore();
		shared_restore();
		shm_restore();
		pid = ids_fork_run();
		if (pid == 0) {
			in_the_run();
			return;
		}
		if (pid < 0)
			fail(c,
			     "cannot fork a run: out of processes or memory");
		/*
		 * The run may have frozen already. The tool is not woken: it
		 * has nothing to do before the end.
		 */
		__sync_bool_compare_and_swap(&c->state, CONTROL_STATE_WAITING,
					     CONTROL_STATE_RUNNING);
		while (sys_call4(__NR_wait4, pid, &status, 0, 0) == -4)
			;	/* EINTR */
		ids_end_leftovers();
		/* Both may have been written by a run gone wild. */
		c->wait_status = status;
		__atomic_store_n(&c->command, CONTROL_COMMAND_NONE,
				 __ATOMIC_SEQ_CST);
		set_state(c, CONTROL_STATE_DONE);
	}
}

void zygote_hold(void)
{
	static bool is_held;
	struct control *c = runtime_control;

	/* Children that a constructor forked are nobody's business. */
	if (is_held || !c || sys_call0(__NR_getpid) != constructed_in)
		return;
	is_held = true;
	prepare(c);
	inherited_find();
	shared_find();
	shm_find();
	set_state(c, CONTROL_STATE_READY);
	serve(c);
}

static int held_main(int argc, char **argv, char **envp)
{
	zygote_hold();
	return target_main(argc, argv, envp);
}

/* glibc's entry; _start calls it with the address of main. */
RUNTIME_EXPORT int __libc_start_main(main_fn *main, int argc, char **argv,
				     void (*init)(void), void (*fini)(void),
				     void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(main_fn *main, int argc, char **argv,
		      void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	int (*next)(main_fn *, int, char **, void (*)(void), void (*)(void),
		    void (*)(void), void *);

	*(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
	target_main = main;
	return next(runtime_control ? held_main : main, argc, argv, init, fini,
		    rtld_fini, stack_end);
}
