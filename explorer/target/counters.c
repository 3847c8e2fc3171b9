/* SPDX-License-Identifier: MIT */
/*
 * counters.c - the processor's counter of conditional branches: its code, and
 * whether it can be used here.
 *
 * Retired conditional branches are the one event that counts alike each time
 * the same code runs: O'Callahan et al., "Engineering record and replay for
 * deployability", USENIX ATC 2017. The codes stand in Intel's Software
 * Developer's Manual, volume 3B (BR_INST_RETIRED.CONDITIONAL, COND), and in
 * AMD's Processor Programming References (PMCx0D1).
 */
#include "explorer/target/counters.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INTEL_COND 0x01c4u	/* Nehalem to Comet Lake */
#define INTEL_COND_NOW 0x11c4u	/* Ice Lake and later */
#define ZEN_COND 0x00d1u
#define ZEN_LOCK_MSR 0xc0011020	/* bit 54 set: no SpecLockMap */
#define MARGIN 128u		/* ticks; a longer skid only moves the slice */
#define INTEL_SKID 256u
#define ZEN_SKID 10000u
#define PROOF_LOOPS 10000u

struct processor {
	char vendor[13];
	unsigned int family, model;
	bool is_virtual, is_hybrid;
};

static struct processor identify(void)
{
	struct processor p = { .vendor = "" };
	unsigned int a, b, c, d;

	if (!__get_cpuid(0, &a, &b, &c, &d))
		return p;
	memcpy(p.vendor, &b, 4);
	memcpy(p.vendor + 4, &d, 4);
	memcpy(p.vendor + 8, &c, 4);
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return p;
	p.is_virtual = c >> 31;
	p.family = a >> 8 & 15;
	p.model = a >> 4 & 15;
	if (p.family == 6 || p.family == 15)
		p.model |= a >> 12 & 0xf0;
	if (p.family == 15)
		p.family += a >> 20 & 255;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		p.is_hybrid = d >> 15 & 1;
	return p;
}

/* Models of family 6 with the older code. Atoms are in neither list. */
static bool is_older_core(unsigned int model)
{
	static const unsigned char models[] = {
		0x1a, 0x1e, 0x1f, 0x2e, 0x25, 0x2c, 0x2f, 0x2a, 0x2d, 0x3a,
		0x3e, 0x3c, 0x3f, 0x45, 0x46, 0x3d, 0x47, 0x4f, 0x56, 0x4e,
		0x5e, 0x55, 0x8e, 0x9e, 0xa5, 0xa6, 0x66,
	};

	return memchr(models, (int)model, sizeof(models)) != NULL;
}

static bool is_newer_core(unsigned int model)
{
	static const unsigned char models[] = {
		0x7d, 0x7e, 0x6a, 0x6c, 0x8c, 0x8d, 0xa7, 0x8f, 0xcf, 0xad,
		0xae,
	};

	return memchr(models, (int)model, sizeof(models)) != NULL;
}

bool counters_event(const char *vendor, unsigned int family,
		    unsigned int model, struct control_clock *clock)
{
	*clock = (struct control_clock){
		.kind = CONTROL_CLOCK_HPC,
		.margin = MARGIN,
		.skid = INTEL_SKID,
	};
	if (!strcmp(vendor, "GenuineIntel") && family == 6) {
		if (is_older_core(model))
			clock->event = INTEL_COND;
		else if (is_newer_core(model))
			clock->event = INTEL_COND_NOW;
	} else if (!strcmp(vendor, "AuthenticAMD") && family >= 0x17) {
		clock->event = ZEN_COND;
		clock->skid = ZEN_SKID;
	}
	return clock->event != 0;
}

/* ------------------------------------------------------- does it work? */

static int open_counter(uint64_t event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_RAW,
		.size = sizeof(attr),
		.config = event,
		.sample_period = 1ull << 40,
		.disabled = 1,
		.pinned = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.remove_on_exec = 1,
		.sigtrap = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

/* What it counts while a loop of that many branches runs. 0: nothing. */
static uint64_t count_loop(int fd, uint64_t loops)
{
	uint64_t count = 0;

	ioctl(fd, PERF_EVENT_IOC_RESET, 0);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(loops) : : "cc");
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

/* Twice as many loops must be so many more branches, and each time the same. */
static bool is_exact(int fd)
{
	uint64_t once = count_loop(fd, PROOF_LOOPS);

	return once >= PROOF_LOOPS && count_loop(fd, PROOF_LOOPS) == once &&
	       count_loop(fd, 2 * PROOF_LOOPS) == once + PROOF_LOOPS;
}

static void explain_refusal(int error, const struct processor *p,
			    struct errbuf *err)
{
	if (error == EACCES || error == EPERM)
		errbuf_addf(
			err,
			"the kernel refuses (%s); set "
			"kernel.perf_event_paranoid to 2 or less, and allow "
			"perf_event_open in the container's seccomp profile",
			strerror(error));
	else if (error == EINVAL)
		errbuf_addf(err, "the kernel is too old: it needs Linux 5.13");
	else if (p->is_virtual)
		errbuf_addf(err, "this virtual machine has no performance "
			    "counters (%s); turn its virtual PMU on (KVM: -cpu "
			    "host,pmu=on), or use a bare machine",
			    strerror(error));
	else
		errbuf_addf(err, "%s; look into the firmware's settings for "
			    "performance counters", strerror(error));
}

int counters_find(struct control_clock *clock, struct errbuf *err)
{
	struct processor p = identify();
	int fd, error;

	if (!counters_event(p.vendor, p.family, p.model, clock))
		/* Ask the kernel all the same: its answer tells more. */
		clock->event = INTEL_COND;
	fd = open_counter(clock->event);
	error = errno;
	if (fd < 0) {
		explain_refusal(error, &p, err);
		return -error;
	}
	if (!counters_event(p.vendor, p.family, p.model, clock) ||
	    p.is_hybrid) {
		errbuf_addf(err, p.is_hybrid ?
			    "the cores of this processor differ, and so would "
			    "their counts" :
			    "its code is not known for this processor (%s, "
			    "family %u, model 0x%x)",
			    p.vendor, p.family, p.model);
		close(fd);
		return -ENOTSUP;
	}
	if (!is_exact(fd)) {
		errbuf_addf(err, "it does not count exactly here; another "
			    "program may hold the counter, or a hypervisor is "
			    "in the way");
		close(fd);
		return -ENOTSUP;
	}
	close(fd);
	return 0;
}

bool counters_may_overcount(void)
{
	struct processor p = identify();
	uint64_t value = 0;
	bool is_fixed;
	int fd;

	if (strcmp(p.vendor, "AuthenticAMD") || p.family < 0x17)
		return false;
	fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	is_fixed = fd >= 0 &&
		   pread(fd, &value, sizeof(value), ZEN_LOCK_MSR) ==
			   sizeof(value) && value >> 54 & 1;
	if (fd >= 0)
		close(fd);
	return !is_fixed;
}

/* ----------------------------------------------------- a place as a clock */

struct control_clock counters_break(void)
{
	return (struct control_clock){
		.kind = CONTROL_CLOCK_BREAK,
		.margin = 3,
		.skid = 5,
	};
}

/* Look `name` up in a symbol table section. */
static bool find_in(Elf *elf, Elf_Scn *scn, const char *name, size_t length,
		    uint64_t *value)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Shdr shdr;
	GElf_Sym sym;

	if (!data || !gelf_getshdr(scn, &shdr) ||
	    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_DYNSYM))
		return false;
	for (int i = 0; gelf_getsym(data, i, &sym); i++) {
		const char *s = elf_strptr(elf, shdr.sh_link, sym.st_name);

		if (s && sym.st_shndx != SHN_UNDEF && strlen(s) == length &&
		    !memcmp(s, name, length)) {
			*value = sym.st_value;
			return true;
		}
	}
	return false;
}

static bool find_symbol(const char *path, const char *name, size_t length,
			uint64_t *value)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_found = false;
	Elf_Scn *scn = NULL;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !is_found && (scn = elf_nextscn(elf, scn)))
		is_found = find_in(elf, scn, name, length, value);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return is_found;
}

int counters_resolve(const char *symbol, const char *program,
		     const struct control *c, uint64_t *addr,
		     struct errbuf *err)
{
	size_t length = strcspn(symbol, "+");
	uint64_t value = 0, offset = 0;
	char *end = (char *)symbol + length;

	if (*end == '+')
		offset = strtoull(end + 1, &end, 0);
	if (!strncmp(symbol, "0x", 2))
		value = strtoull(symbol, NULL, 16);
	if (*end || (!value && !find_symbol(program, symbol, length, &value))) {
		errbuf_addf(err, "--clock break: '%s' has no symbol '%s'",
			    program, symbol);
		return -ENOENT;
	}
	for (uint32_t i = 0; i < c->nr_modules; i++)
		if (!c->module[i].path[0])
			*addr = c->module[i].bias + value + offset;
	return 0;
}
