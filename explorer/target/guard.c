/* SPDX-License-Identifier: MIT */
/*
 * guard.c - the seccomp filter that keeps a target gone wild from harming the
 * system it runs on.
 *
 * A search runs a program thousands of times in states that its author never
 * saw. Whatever such a run does to itself is its own affair; these calls
 * reach beyond it, and a test has no business with them. They fail with EPERM,
 * in the target and in all its children. It is a guard rail, not a sandbox:
 * files, network and children of its own are left to the target.
 */
#include "explorer/target/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explorer/target/referee.h"
#include "base/util.h"
#include "preload/kernel/guarded.h"

#define NUMBER(name) SCMP_SYS(name),
static const int refused[] = { GUARDED_ALWAYS(NUMBER) };

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct guard {
	struct sock_fprog program;
	bool has_referee;	/* some calls wait for the ward's word */
};

/* A call with that number, compared as the 32 bits that the kernel takes. */
static int refuse_number(scmp_filter_ctx ctx, int call, unsigned int arg,
			 int pid)
{
	const struct scmp_arg_cmp is_it = SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ,
						     0xffffffffu,
						     (uint32_t)pid);
	int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), call, 1,
					&is_it);

	/* A call that one architecture does not have is no error. */
	return rc == -EDOM || rc == -EINVAL ? 0 : rc;
}

static int refuse_all(scmp_filter_ctx ctx, const int *call, size_t nr)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < nr; i++) {
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call[i], 0);
		if (rc == -EDOM || rc == -EINVAL)
			rc = 0;
	}
	return rc;
}

/* What may be done to any process in the namespace but to zygote and ward. */
static int protect_zygote(scmp_filter_ctx ctx)
{
	int rc = refuse_number(ctx, SCMP_SYS(kill), 0, -WARD_ZYGOTE_NUMBER);

	if (!rc)	/* that means everybody, too */
		rc = refuse_number(ctx, SCMP_SYS(kill), 0, -WARD_NUMBER);
	for (size_t i = 0; !rc && i < referee_nr_rules; i++) {
		const struct referee_rule *r = &referee_rules[i];

		if (r->how == REFEREE_OWNER)
			continue;
		rc = refuse_number(ctx, r->call, r->arg, WARD_ZYGOTE_NUMBER);
		if (!rc)
			rc = refuse_number(ctx, r->call, r->arg, WARD_NUMBER);
	}
	return rc;
}

/* The caller's own number is 0, so everything else is asked about. */
static int ask_referee(scmp_filter_ctx ctx, const struct referee_rule *r)
{
	struct scmp_arg_cmp c[2] = { SCMP_CMP64(r->arg, SCMP_CMP_NE, 0) };
	unsigned int nr = 1;
	int rc;

	if (r->call == SCMP_SYS(prlimit64))	/* asking harms nobody */
		c[nr++] = SCMP_CMP64(2, SCMP_CMP_NE, 0);
	if (r->how == REFEREE_OWNER)
		c[nr++] = SCMP_CMP64(1, SCMP_CMP_EQ, F_SETOWN);
	rc = seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, r->call, nr, c);
	if (!rc && r->how == REFEREE_OWNER) {
		c[1] = SCMP_CMP64(1, SCMP_CMP_EQ, F_SETOWN_EX);
		rc = seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, r->call, nr,
					    c);
	}
	/* Of a whole user, be it the caller's. */
	if (!rc && (r->how == REFEREE_WHICH || r->how == REFEREE_IO_WHICH)) {
		c[0] = SCMP_CMP64(0, SCMP_CMP_EQ, PRIO_USER +
				  (r->how == REFEREE_IO_WHICH));
		rc = seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, r->call, 1,
					    c);
	}
	return rc == -EDOM || rc == -EINVAL ? 0 : rc;
}

static int protect_strangers(scmp_filter_ctx ctx)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < referee_nr_rules; i++)
		rc = ask_referee(ctx, &referee_rules[i]);
	return rc;
}

static int add_rules(scmp_filter_ctx ctx, enum ward_kind kind)
{
	int rc;

	/* 32-bit code of children has numbers of its own for the same. */
	rc = seccomp_arch_add(ctx, SCMP_ARCH_X86);
	if (!rc || rc == -EEXIST)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
				      SCMP_ACT_ERRNO(ENOSYS));
	if (!rc)
		rc = refuse_all(ctx, refused, ARRAY_SIZE(refused));
	if (!rc)
		rc = kind == WARD_PLAIN ? protect_strangers(ctx)
					: protect_zygote(ctx);
	return rc;
}

/* libseccomp 2.5 exports to a descriptor only. */
static int export_program(scmp_filter_ctx ctx, struct guard *g)
{
	int fd = memfd_create("guard", MFD_CLOEXEC), rc;
	struct stat st;

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(ctx, fd);
	if (rc)
		goto out;
	rc = fstat(fd, &st) ? -errno : 0;
	if (rc)
		goto out;
	g->program.filter = xcalloc(1, (size_t)st.st_size);
	g->program.len = (unsigned short)((size_t)st.st_size /
					  sizeof(struct sock_filter));
	if (pread(fd, g->program.filter, (size_t)st.st_size, 0) != st.st_size)
		rc = -EIO;
out:
	close(fd);
	return rc;
}

int guard_new(struct guard **out, enum ward_kind kind, struct errbuf *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	struct guard *g = xcalloc(1, sizeof(*g));
	int rc = ctx ? 0 : -ENOMEM;

	if (!rc)
		rc = add_rules(ctx, kind);
	if (!rc)
		rc = export_program(ctx, g);
	seccomp_release(ctx);
	g->has_referee = kind == WARD_PLAIN;
	if (rc) {
		errbuf_addf(err, "cannot build the guard filter: %s "
			    "(--no-guard does without)", strerror(-rc));
		guard_free(g);
		return rc;
	}
	*out = g;
	return 0;
}

int guard_load(const struct guard *g)
{
	unsigned int flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	long fd;

	/* Without it, only root may load a filter. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (g->has_referee)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	/* SPEC_ALLOW: older kernels slow the process down otherwise. */
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &g->program);
	return fd < 0 ? -errno : (int)fd;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	free(g->program.filter);
	free(g);
}
