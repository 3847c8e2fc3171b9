/* SPDX-License-Identifier: MIT */
/*
 * faults.c - handlers of SIGSEGV, SIGFPE, SIGTRAP and SIGSYS that look closely
 *
 * They compare the pc, the registers and the bytes of the code with what the
 * program was built as, and go on at the instruction, behind it, or elsewhere.
 * The code is in assembler, so that instructions are so short and so close to
 * each other that a patch must take several of them.
 */
#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/guests/guest.h"

#define PAGE ((uintptr_t)4096)

/*
 * *a = 77; *b = 77; *b += 77 / divisor; (*call)(): instructions of two bytes
 * each, a division in between, and the call right behind.
 */
void sites(volatile char *a, volatile char *b, long divisor,
	   void (*call)(void));
/* A store at the end of a block, behind an instruction that moves along. */
void store_last(volatile char *a);
/* An int3 of the program's own between accesses. */
int trap_between(volatile int *a);
extern const char site_a[], site_b[], site_div[], site_load[], site_behind[],
	site_call[], site_last[], site_last_end[], site_trap[];

__asm__(".text\n"
	".globl sites, store_last, trap_between\n"
	"sites:	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	mov %rdx, %r8\n"
	"	mov %rcx, %rbx\n"
	"	mov $77, %eax\n"
	"	xor %edx, %edx\n"
	"site_a:	mov %al, (%rdi)\n"
	"site_b:	mov %al, (%rsi)\n"
	"site_div:	idiv %r8\n"
	"site_load:	add (%rsi), %al\n"
	"	mov %al, (%rsi)\n"
	"site_behind:	mov (%rdi), %cl\n"
	"site_call:	call *%rbx\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"store_last:	.cfi_startproc\n"
	"	mov %rdi, %rax\n"
	"site_last:	movb $1, (%rax)\n"
	"site_last_end:\n"
	"	test %rax, %rax\n"
	"	jz site_last_end\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"trap_between:	.cfi_startproc\n"
	"	mov (%rdi), %eax\n"
	"	test %rdi, %rdi\n"
	"	jz 1f\n"
	"site_trap:	int3\n"
	"1:	add (%rdi), %eax\n"
	"	ret\n"
	"	.cfi_endproc\n");

/* What they are made of. */
static const struct expected {
	const char *at;
	uint8_t code[4];
	uint8_t length;
} expected[] = {
	{ site_a, { 0x88, 0x07 }, 2 },
	{ site_b, { 0x88, 0x06 }, 2 },
	{ site_div, { 0x49, 0xf7, 0xf8 }, 3 },
	{ site_load, { 0x02, 0x06 }, 2 },
	{ site_behind, { 0x8a, 0x0f }, 2 },
	{ site_call, { 0xff, 0xd3 }, 2 },
	{ site_last, { 0xc6, 0x00, 0x01 }, 3 },
	{ site_trap, { 0xcc }, 1 },
};

enum what { RETRY, SKIP };

static volatile enum what what;
static volatile int nr_faults;
static const char *volatile wanted;
static uint8_t *page;
static uint64_t wanted_addr;

static const struct expected *find(uint64_t pc)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if ((uintptr_t)expected[i].at == pc)
			return &expected[i];
	return NULL;
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint64_t pc = (uint64_t)r[REG_RIP] - (signo == SIGTRAP);
	const struct expected *e = find(pc);

	assert(e && e->at == wanted);
	assert(!memcmp((void *)pc, e->code, e->length));
	nr_faults++;
	if (signo == SIGFPE) {
		assert(r[REG_R8] == 0 && info->si_addr == (void *)pc);
		r[REG_R8] = 7;
	} else if (signo == SIGSEGV) {
		assert((uintptr_t)info->si_addr == wanted_addr);
		if (what == RETRY)
			assert(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	}
	if (what == SKIP && signo != SIGTRAP)
		r[REG_RIP] += e->length;
	if (signo == SIGTRAP)
		assert(r[REG_RIP] == (greg_t)(uintptr_t)site_trap + 1);
}

static volatile int nr_called;

static void called(void)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);

	/* As the call would have pushed it. */
	assert(caller == (uintptr_t)site_call + 2);
	nr_called++;
}

static void expect(const char *site, enum what then, uint64_t addr)
{
	wanted = site;
	what = then;
	wanted_addr = addr;
	nr_faults = 0;
}

static void close_page(void)
{
	assert(!mprotect(page, PAGE, PROT_NONE));
}

static void check_stores(void)
{
	volatile char *in = (volatile char *)page, own = 5;

	close_page();
	expect(site_a, RETRY, (uintptr_t)page);
	sites(in, &own, 7, called);
	assert(nr_faults == 1 && in[0] == 77 && own == 88);
	close_page();
	expect(site_b, RETRY, (uintptr_t)page);
	sites(&own, in, 7, called);
	assert(nr_faults == 1 && in[0] == 88);
	assert(!mprotect(page, PAGE, PROT_READ));
	expect(site_last, SKIP, (uintptr_t)page);
	store_last(in);
	assert(nr_faults == 1 && in[0] == 88);
	expect(site_last, RETRY, (uintptr_t)page);
	store_last(in);
	assert(nr_faults == 1 && in[0] == 1 && own == 77);
}

static void check_division(void)
{
	volatile char a = 1, b = 2;

	expect(site_div, RETRY, 0);
	sites(&a, &b, 0, called);
	assert(nr_faults == 1 && a == 77 && b == 77 / 7 + 77);
}

static void check_trap(void)
{
	volatile int value = 21;

	expect(site_trap, RETRY, 0);
	assert(trap_between(&value) == 42);
	assert(nr_faults == 1);
}

static void on_call(int signo)
{
	assert(signo == SIGSYS || signo == SIGUSR1);
	nr_faults++;
}

static void *use(void *arg)
{
	static volatile char shared[2];

	for (int i = 0; i < 3; i++)
		sites(&shared[0], &shared[1], 7, called);
	store_last(&shared[0]);
	return arg;
}

static void install(int signo, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = handler,
				.sa_flags = SA_SIGINFO };
	struct sigaction old;

	assert(!sigaction(signo, &sa, NULL));
	assert(!sigaction(signo, NULL, &old) && old.sa_sigaction == handler);
}

int main(void)
{
	sigset_t all;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(page != MAP_FAILED);
	install(SIGSEGV, on_fault);
	install(SIGFPE, on_fault);
	install(SIGTRAP, on_fault);
	signal(SIGSYS, on_call);
	/* Blocking the trap is of no consequence to who uses traps himself. */
	sigemptyset(&all);
	sigaddset(&all, SIGTRAP);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	guest_run(2, use);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	for (int i = 0; i < 2; i++) {
		check_stores();
		check_division();
		check_trap();
	}
	nr_faults = 0;
	raise(SIGSYS);
	assert(nr_faults == 1);
	assert(nr_called >= 6);
	return guest_ok();
}
