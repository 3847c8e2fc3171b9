/* SPDX-License-Identifier: MIT */
/*
 * interpose_alloc.c - allocation, for the race detector only: a block that is
 * handed out has no history, whoever used that memory before.
 *
 * What may be added here: forwarding to the target's own allocator, whichever
 * it is, runtime_forget_memory() and blocks_*().
 *
 * The functions are looked up at the first call, which may come from the
 * dynamic linker itself; the lookup may allocate, and is served from a small
 * arena that is never freed.
 */
#include "preload/libc/interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stddef.h>

#include "preload/memory/calls.h"
#include "preload/memory/freed.h"

#define ARENA_BYTES 16384u
#define ARENA_ALIGN 16u

/* <stdlib.h> has inline functions that use floating-point registers. */
void *aligned_alloc(size_t align, size_t bytes);
int posix_memalign(void **p, size_t align, size_t bytes);

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	size_t (*usable)(void *);	/* NULL: the allocator has none */
} next;

static enum interpose_ready ready;
static char arena[ARENA_BYTES] __attribute__((aligned(ARENA_ALIGN)));
static size_t arena_used;

static bool is_in_arena(const void *p)
{
	return (uintptr_t)p - (uintptr_t)arena < ARENA_BYTES;
}

static void *take_from_arena(size_t bytes)
{
	size_t start = (arena_used + ARENA_ALIGN - 1) &
		       ~(size_t)(ARENA_ALIGN - 1);

	if (bytes > ARENA_BYTES || start > ARENA_BYTES - bytes)
		return NULL;
	arena_used = start + bytes;
	return arena + start;
}

static void find(void **slot, const char *name)
{
	*slot = dlsym(RTLD_NEXT, name);
}

static bool is_ready(void)
{
	if (__builtin_expect(ready == INTERPOSE_READY, 1))
		return true;
	if (ready == INTERPOSE_BUSY)
		return false;
	ready = INTERPOSE_BUSY;
	find((void **)&next.malloc, "malloc");
	find((void **)&next.calloc, "calloc");
	find((void **)&next.realloc, "realloc");
	find((void **)&next.free, "free");
	find((void **)&next.aligned_alloc, "aligned_alloc");
	find((void **)&next.memalign, "memalign");
	find((void **)&next.posix_memalign, "posix_memalign");
	find((void **)&next.usable, "malloc_usable_size");
	ready = INTERPOSE_READY;
	return true;
}

/* What may be used of a block, which can be more than was asked for. */
static size_t room(void *p, size_t bytes)
{
	size_t usable = runtime_mode == RUNTIME_CONTROLLED && next.usable ?
			next.usable(p) : 0;

	if (!bytes)
		bytes = 1;
	return usable > bytes ? usable : bytes;
}

static void *fresh(void *p, size_t bytes, uint64_t pc, const uint64_t *stack)
{
	if (!p)
		return p;
	runtime_forget_memory((uintptr_t)p, room(p, bytes), pc);
	blocks_note((uintptr_t)p, bytes ? bytes : 1, pc, stack);
	return p;
}

/*
 * Memory is short: give the allocator a block that was kept back. Returns
 * whether there was one.
 */
static bool give_up_one(void)
{
	uint64_t old = freed_next(true);

	if (old)
		next.free((void *)(uintptr_t)old);
	return old;
}

/*
 * The block is given back, or is already. Returns whether it is kept back. Of a
 * block that was not handed out by us, nothing is known.
 */
static bool drop(void *p, uint64_t pc, const uint64_t *stack, bool is_gone)
{
	uint64_t addr = (uintptr_t)p, bytes = blocks_bytes(addr);

	if (!bytes)
		return false;
	blocks_drop(addr);
	return freed_take(addr, bytes, blocks_pc(addr),
			  blocks_caller(pc, stack), is_gone);
}

/* What lies above the return address. We are compiled with frame pointers. */
#define CALLER_STACK ((const uint64_t *)__builtin_frame_address(0) + 2)

RUNTIME_EXPORT void *malloc(size_t bytes)
{
	void *p;

	if (!is_ready())
		return take_from_arena(bytes);
	do {
		p = next.malloc(bytes);
	} while (__builtin_expect(!p, 0) && give_up_one());
	return fresh(p, bytes, RUNTIME_CALLER, CALLER_STACK);
}

RUNTIME_EXPORT void *calloc(size_t nr, size_t bytes)
{
	void *p;

	if (!is_ready())	/* the arena is zero and never reused */
		return take_from_arena(nr * bytes);
	do {
		p = next.calloc(nr, bytes);
	} while (__builtin_expect(!p, 0) && give_up_one());
	return fresh(p, nr * bytes, RUNTIME_CALLER, CALLER_STACK);
}

RUNTIME_EXPORT void *realloc(void *old, size_t bytes)
{
	const char *from = old;
	size_t had, has;
	char *to;

	if (!is_ready() || is_in_arena(old)) {
		to = is_ready() ? next.malloc(bytes) : take_from_arena(bytes);
		for (size_t i = 0; to && old && i < bytes &&
		     is_in_arena(from + i); i++)
			to[i] = from[i];
		return to;
	}
	if (old)
		calls_free(CALLER_STACK - 2, old, "realloc");
	had = old ? room(old, 0) : 0;
	to = next.realloc(old, bytes);
	/*
	 * Grown in place, its first part keeps its history, the rest has none.
	 */
	if (to && to == old) {
		blocks_resize((uintptr_t)to, bytes);
		has = room(to, bytes);
		if (has > had)
			runtime_forget_memory((uintptr_t)to + had, has - had,
					      RUNTIME_CALLER);
		return to;
	}
	if (to || !bytes)
		drop(old, RUNTIME_CALLER, CALLER_STACK, true);
	return fresh(to, bytes, RUNTIME_CALLER, CALLER_STACK);
}

RUNTIME_EXPORT void free(void *p)
{
	if (!p || is_in_arena(p) || !is_ready())
		return;
	calls_free(CALLER_STACK - 2, p, "free");
	if (!drop(p, RUNTIME_CALLER, CALLER_STACK, false))
		next.free(p);
	for (uint64_t old; (old = freed_next(false));)
		next.free((void *)(uintptr_t)old);
}

RUNTIME_EXPORT void *aligned_alloc(size_t align, size_t bytes)
{
	if (!is_ready())
		return NULL;
	return fresh(next.aligned_alloc(align, bytes), bytes, RUNTIME_CALLER,
		     CALLER_STACK);
}

RUNTIME_EXPORT void *memalign(size_t align, size_t bytes)
{
	if (!is_ready())
		return NULL;
	return fresh(next.memalign(align, bytes), bytes, RUNTIME_CALLER,
		     CALLER_STACK);
}

RUNTIME_EXPORT int posix_memalign(void **p, size_t align, size_t bytes)
{
	int r = is_ready() ? next.posix_memalign(p, align, bytes) : ENOMEM;

	if (!r)
		fresh(*p, bytes, RUNTIME_CALLER,
		     CALLER_STACK);
	return r;
}

/* Obsolete, by pages. */
RUNTIME_EXPORT void *valloc(size_t bytes)
{
	if (!is_ready())
		return NULL;
	return fresh(next.memalign(4096, bytes), bytes, RUNTIME_CALLER,
		     CALLER_STACK);
}

RUNTIME_EXPORT void *pvalloc(size_t bytes)
{
	bytes = (bytes + 4095) & ~(size_t)4095;
	if (!is_ready())
		return NULL;
	return fresh(next.memalign(4096, bytes), bytes, RUNTIME_CALLER,
		     CALLER_STACK);
}

/* gcc wants an alias to have the attributes of what it names. */
#if defined(__has_attribute) && __has_attribute(copy)
#define ALIAS(name) __attribute__((alias(#name), copy(name)))
#else
#define ALIAS(name) __attribute__((alias(#name)))
#endif

/* By the names for those who put themselves in front of the C library. */
#define OTHER_NAME(name)                                                       \
	RUNTIME_EXPORT extern __typeof__(name) __libc_##name ALIAS(name)

OTHER_NAME(malloc);
OTHER_NAME(calloc);
OTHER_NAME(realloc);
OTHER_NAME(free);
OTHER_NAME(memalign);
OTHER_NAME(valloc);
OTHER_NAME(pvalloc);

/* -------------------------------------------------- whose allocator it is */

static bool is_beside(const void *a, const void *b)
{
	Dl_info x, y;

	return a && b && dladdr(a, &x) && dladdr(b, &y) &&
	       x.dli_fbase == y.dli_fbase;
}

/* Nobody else has defined it before us, and behind us is the C library. */
static bool is_ours(const char *name)
{
	return is_beside(dlsym(RTLD_DEFAULT, name), &ready) &&
	       is_beside(dlsym(RTLD_NEXT, name),
			 dlsym(RTLD_NEXT, "gnu_get_libc_version"));
}

void interpose_alloc_start(void)
{
	static const char *const name[] = {
		"malloc", "calloc", "realloc", "free", "aligned_alloc",
		"memalign", "posix_memalign", "valloc", "pvalloc",
	};
	bool is_sound = true;

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		is_sound = is_sound && is_ours(name[i]);
	freed_init(is_sound);
}
