/* SPDX-License-Identifier: MIT */
/*
 * trace_sample.h - a small trace with something in every field, for tests.
 */
#ifndef TESTS_TRACE_SAMPLE_H
#define TESTS_TRACE_SAMPLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/trace.h"

static inline char **sample_list(const char *a, const char *b)
{
	char **list = calloc(3, sizeof(*list));

	list[0] = a ? strdup(a) : NULL;
	list[1] = b ? strdup(b) : NULL;
	return list;
}

static inline void sample_modules(struct trace *t)
{
	t->nr_modules = 2;
	t->module = calloc(2, sizeof(*t->module));
	t->module[0] = (struct trace_module){
		.path = strdup("/home/me/test"), .build_id = strdup("0badcafe"),
		.start = 0x555555554000, .end = 0x555555559000,
		.bias = 0x555555554000, .is_watched = true,
	};
	t->module[1] = (struct trace_module){
		.path = strdup("/lib/libc.so.6"), .build_id = strdup(""),
		.start = 0x7ffff7c00000, .end = 0x7ffff7e00000,
		.bias = 0x7ffff7c00000,
	};
	t->nr_live_sites = 2;
	t->live_site = calloc(2, sizeof(*t->live_site));
	t->live_site[0] = 0x555555555123;
	t->live_site[1] = 0x7ffff7c00000;
	t->nr_sites = 3;
	t->site = calloc(3, sizeof(*t->site));
	t->site[0] = (struct trace_site){ 0x555555555123, 3 };
	t->site[1] = (struct trace_site){ 0x555555555123, 0 };
	t->site[2] = (struct trace_site){ 0x7ffff7c00000, 255 };
}

static inline void sample_events(struct trace *t, uint64_t nr)
{
	t->nr_events = nr;
	t->event = calloc(nr + 1, sizeof(*t->event));
	for (uint64_t i = 0; i < nr; i++) {
		struct sched_event *e = &t->event[i];

		e->task = (uint16_t)(i % 3);
		e->chosen = e->task;
		e->nr = (uint16_t)(1 + i % 3);
		e->kind = i % 2 ? EXPLORE_OP_MUTEX_UNLOCK
				: EXPLORE_OP_MUTEX_LOCK;
		e->object = (uint32_t)(1 + i % 4);
		e->digest = (uint32_t)(i * 2654435761u);
		e->pc = (i % 5 ? 0x555555555000 : 0x7ffff7c01000) + i;
		e->now_ns = 1000000 + i * 50;
		e->flags = i % 3 == 1 ? SCHED_EVENT_SWITCH : 0;
		e->ticks = i % 4 == 2 ? i * 1000003 : 0;
	}
}

/* Extreme values in every field of an event. */
static inline void sample_extremes(struct trace *t)
{
	if (t->nr_events < 4)
		return;
	memset(&t->event[1], 0xff, sizeof(t->event[1]));
	memset(&t->event[2], 0, sizeof(t->event[2]));
	t->event[3].pc = 0x1234;	/* in no module */
	t->event[3].point = EXPLORE_POINT_VALUE;
	t->event[3].chosen = UINT32_MAX;
}

static inline void sample_verdict(struct control_verdict *v)
{
	v->kind = CONTROL_VERDICT_DEADLOCK;
	v->code = -7;
	v->task = 2;
	v->object = UINT32_MAX;
	v->pc = UINT64_MAX;
	v->addr = 0xdeadbeefcafef00d;
	v->step = (1ull << 60) + 1;
	v->nr_cycle = 2;
	v->cycle[0] = 1;
	v->cycle[1] = 2;
	strcpy(v->message, "line 1\nwith \"quotes\", \\ and caf\xc3\xa9 \x01");
}

static inline void sample_config(struct control_config *c)
{
	c->seed = UINT64_MAX;
	c->run = (1ull << 53) + 1;	/* a double would lose it */
	c->realtime_ns = 946684800000000000;
	c->scheduler.max_steps = 20000;
	c->scheduler.op_cost_ns = 50;
	c->scheduler.slack_ns = 1000;
	c->scheduler.start_ns = 1000000000;
	c->scheduler.wake_any = 1;
	c->flags = CONTROL_F_TRAP_TSC;
	c->virtual_pid = 4000000000u;
	c->nr_script = 3;
	c->script_input_bytes = 4;
	c->strategy_bytes = 5;
	c->clock.kind = CONTROL_CLOCK_BREAK;
	c->clock.margin = 6;
	c->clock.skid = 7;
	c->clock.event = 0x555555555123;
	strcpy(c->strategy, "pct");
	strcpy(c->plugin, "/home/me/my strategy.so");
}

static inline void sample_objects(struct trace *t)
{
	struct sched_object object[3] = {
		{ .addr = 0x555555558040, .first_pc = 0x555555555100,
		  .class = SCHED_CLASS_MUTEX },
		{ .addr = 2, .first_pc = UINT64_MAX,
		  .class = SCHED_CLASS_THREAD },
		{ .addr = 0x7ffff0000b20, .class = 255 },
	};

	if (trace_set_objects(t, object, 3))
		abort();
}

/* A value of an event each, with every combination of what is known. */
static inline void sample_values(struct trace *t)
{
	t->nr_values = t->nr_events < 8 ? t->nr_events : 8;
	t->value = calloc(t->nr_values + 1, sizeof(*t->value));
	for (uint64_t i = 0; i < t->nr_values; i++) {
		struct control_value *v = &t->value[i];
		uint32_t nr;

		v->step = i ? i + t->nr_events - t->nr_values : 0;
		v->addr = i % 3 ? 0x555555558040 + i : 0x7ffff0000b20;
		v->size = i == 7 ? UINT32_MAX : (uint32_t)i * 3;
		v->has = (uint8_t)(i % 4);
		if (i % 2) {
			v->block = v->addr - i;
			v->block_bytes = UINT64_MAX - i;
			v->block_pc = i % 4 == 1 ? 0x555555555100 : UINT64_MAX;
		}
		nr = v->size < CONTROL_VALUE_BYTES ? v->size :
						     CONTROL_VALUE_BYTES;
		if (v->has & CONTROL_VALUE_BEFORE)
			memset(v->before, (int)(i + 1), nr);
		if (v->has & CONTROL_VALUE_AFTER)
			memset(v->after, 0xff, nr);
	}
}

static inline void sample_trace(struct trace *t, uint64_t nr_events,
				uint64_t input_bytes)
{
	trace_init(t);
	t->tool_version = strdup("0.1.0");
	t->program = strdup("/home/me/test");
	t->argv = sample_list("./test", "--x=\"1\"\t");
	t->env = sample_list("LANG=C", "BYTES=\xff\xfe");
	t->cwd = strdup("/home/me");
	t->stdin_path = strdup("/home/me/in.txt");
	t->strategy = strdup("pct:depth=3");
	t->seed = (1ull << 63) + 1;
	t->run = 41;
	t->digest = 0x0123456789abcdef;
	t->nr_tasks = 3;
	t->nr_preemptions = 2;
	t->nr_switches = 5;
	t->nr_ops[EXPLORE_OP_MUTEX_LOCK] = 7;
	t->nr_ops[EXPLORE_OP_NR - 1] = UINT64_MAX;
	t->has_reproduced = true;
	t->ok_exit = sample_list("3", NULL);
	sample_config(&t->config);
	sample_verdict(&t->verdict);
	sample_modules(t);
	sample_events(t, nr_events);
	sample_extremes(t);
	sample_objects(t);
	sample_values(t);
	t->input_bytes = input_bytes;
	t->input = calloc(1, input_bytes + 1);
	for (uint64_t i = 0; i < input_bytes; i++)
		t->input[i] = (uint8_t)(i * i >> 3);
}

/* ------------------------------------------------------------ directories */

static inline void sample_remove(const char *path)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", path);
}

static inline uint8_t *sample_slurp(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long size;

	*bytes = 0;
	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	data = malloc((size_t)size + 1);
	*bytes = fread(data, 1, (size_t)size, f);
	fclose(f);
	return data;
}

static inline void sample_spill(const char *path, const void *data,
				size_t bytes)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f))
		abort();
}

#endif /* TESTS_TRACE_SAMPLE_H */
