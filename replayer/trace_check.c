/* SPDX-License-Identifier: MIT */
/*
 * trace_check.c - whether a trace still fits the files it was recorded with.
 */
#include "recorder/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "[vdso]", and what had no id when it was recorded, cannot be compared. */
static bool is_comparable(const struct trace_module *m)
{
	return m->path && m->path[0] == '/' && m->build_id && m->build_id[0];
}

static int check(const struct trace_module *m, struct errbuf *err)
{
	char *now = NULL;
	int ret = trace_build_id(m->path, &now);

	if (ret == -ENOMEM) {
		errbuf_addf(err, "cannot read '%s': %s", m->path,
			    strerror(ENOMEM));
		return ret;
	}
	if (!ret && !strcmp(now, m->build_id)) {
		free(now);
		return 0;
	}
	if (ret)
		errbuf_addf(err, "'%s' was used by the recorded run and cannot "
			    "be read now: %s", m->path, strerror(-ret));
	else
		errbuf_addf(err, "'%s' has changed since the trace was "
			    "recorded (build id %s, now %s)", m->path,
			    m->build_id, now);
	free(now);
	return -ESTALE;
}

int trace_check_modules(const struct trace *t, struct errbuf *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < t->nr_modules && !ret; i++)
		if (is_comparable(&t->module[i]))
			ret = check(&t->module[i], err);
	return ret;
}
