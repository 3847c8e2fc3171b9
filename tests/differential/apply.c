/* SPDX-License-Identifier: MIT */
/*
 * apply.c - carry out a plan in the own process.
 */
#include "tests/differential/apply.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_MODULES 64
#define STEP (16ULL << 20)
#define REACH (1ULL << 30)
#define CODE_BYTES (128ULL << 20)

void apply_hook(void);

static const struct applied *module[MAX_MODULES];
static size_t nr_modules;

/* ---- traps ---- */

static const struct instrument_site *find_trap(const struct applied *a,
					       uint64_t addr)
{
	uint32_t low = 0, high = a->plan.nr_sites;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (a->plan.site[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == a->plan.nr_sites || a->plan.site[low].addr != addr ||
	    a->plan.site[low].patch != INSTRUMENT_INT3)
		return NULL;
	return &a->plan.site[low];
}

static void on_trap(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t addr = (uint64_t)uc->uc_mcontext.gregs[REG_RIP] - 1;

	(void)info;
	for (size_t i = 0; i < nr_modules; i++) {
		const struct instrument_site *s = find_trap(module[i], addr);

		if (s) {
			uc->uc_mcontext.gregs[REG_RIP] =
				(greg_t)s->trampoline;
			return;
		}
	}
	signal(signo, SIG_DFL);
	raise(signo);
}

static void catch_traps(void)
{
	struct sigaction sa = {
		.sa_sigaction = on_trap,
		.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART,
	};

	sigaction(SIGTRAP, &sa, NULL);
}

/* ---- the place for trampolines ---- */

static uint8_t *map_at(uint64_t addr)
{
	void *p = mmap((void *)addr, CODE_BYTES,
		       PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
		       MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if ((uint64_t)p != addr) {
		munmap(p, CODE_BYTES);
		return NULL;
	}
	return p;
}

static uint8_t *map_near(uint64_t low, uint64_t high)
{
	uint8_t *p = NULL;

	low &= -STEP;
	high = (high + STEP - 1) & -STEP;
	for (uint64_t away = STEP; away < REACH && !p; away += STEP) {
		if (low > away + CODE_BYTES)
			p = map_at(low - away - CODE_BYTES);
		if (!p)
			p = map_at(high + away);
	}
	return p;
}

int apply_plan(struct applied *a, const char *path, uint64_t bias,
	       uint64_t low, uint64_t high, struct errbuf *err)
{
	struct instrument_input in = {
		.path = path,
		.bias = bias,
		.code_bytes = CODE_BYTES,
		.max_sites = 4 << 20,
	};
	uint64_t hook = (uint64_t)apply_hook;
	int e;

	*a = (struct applied){ .bias = bias, .code_bytes = CODE_BYTES };
	a->code = map_near(low, high);
	if (!a->code)
		return -ENOMEM;
	in.code_base = in.entry_slot = (uint64_t)a->code;
	e = instrument_plan(&in, &a->plan, err);
	if (e < 0)
		return e;
	if (a->plan.code_bytes) {
		memcpy(a->code, a->plan.code, a->plan.code_bytes);
		memcpy(a->code, &hook, sizeof(hook));
	}
	return 0;
}

/* ---- patches ---- */

static int set_protection(uint64_t addr, uint64_t bytes, int prot)
{
	uint64_t first = addr & -4096ULL;

	if (mprotect((void *)first, addr + bytes - first, prot) < 0)
		return -errno;
	return 0;
}

static int write_all(const struct applied *a, bool patched)
{
	const struct instrument_plan *p = &a->plan;
	uint64_t first, bytes;
	int e;

	if (!p->nr_sites)
		return 0;
	first = p->site[0].addr - p->site[0].lead;
	bytes = p->site[p->nr_sites - 1].addr + 16 - first;
	e = set_protection(first, bytes, PROT_READ | PROT_WRITE | PROT_EXEC);
	if (e < 0)
		return e;
	for (uint32_t i = 0; i < p->nr_sites; i++) {
		const struct instrument_site *s = &p->site[i];

		memcpy((void *)(s->addr - s->lead),
		       patched ? s->patched : s->original, s->nr_bytes);
	}
	return set_protection(first, bytes, PROT_READ | PROT_EXEC);
}

int apply_patch(const struct applied *a)
{
	bool is_known = false;

	for (size_t i = 0; i < nr_modules; i++)
		is_known |= module[i] == a;
	if (!is_known) {
		if (nr_modules == MAX_MODULES)
			return -ENOSPC;
		module[nr_modules++] = a;
	}
	catch_traps();
	return write_all(a, true);
}

int apply_restore(const struct applied *a)
{
	return write_all(a, false);
}

void apply_release(struct applied *a)
{
	for (size_t i = 0; i < nr_modules; i++)
		if (module[i] == a)
			module[i] = module[--nr_modules];
	if (a->code)
		munmap(a->code, a->code_bytes);
	instrument_plan_release(&a->plan);
	*a = (struct applied){ 0 };
}

/* ---- modules ---- */

struct query {
	uint64_t inside, bias, low, high;
};

static int ask(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct query *q = arg;
	uint64_t low = UINT64_MAX, high = 0;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t at = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type != PT_LOAD)
			continue;
		if (at < low)
			low = at;
		if (at + ph->p_memsz > high)
			high = at + ph->p_memsz;
	}
	if (q->inside < low || q->inside >= high)
		return 0;
	*q = (struct query){ q->inside, info->dlpi_addr, low, high };
	return 1;
}

int apply_find_module(const void *inside, uint64_t *bias, uint64_t *low,
		      uint64_t *high)
{
	struct query q = { .inside = (uint64_t)inside };

	if (!dl_iterate_phdr(ask, &q))
		return -ENOENT;
	*bias = q.bias;
	*low = q.low;
	*high = q.high;
	return 0;
}
