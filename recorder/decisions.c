/* SPDX-License-Identifier: MIT */
/*
 * decisions.c - events to the payload of `decisions`.
 *
 * Column after column, because values of one field resemble each other more
 * than those of one event, which zstd rewards: on the schedules of small tests
 * the digests, which nothing can compress, are most of what remains.
 */
#include "recorder/internal.h"

#include <errno.h>

/* Index + 1 of the module that pc lies in; 0: none, the address is stored. */
static uint32_t module_of(const struct trace *t, uint64_t pc, uint32_t guess)
{
	if (guess && pc >= t->module[guess - 1].start &&
	    pc < t->module[guess - 1].end)
		return guess;
	for (uint32_t i = 0; i < t->nr_modules; i++)
		if (pc >= t->module[i].start && pc < t->module[i].end)
			return i + 1;
	return 0;
}

static void encode_bytes(const struct trace *t, struct recorder_bytes *out)
{
	const struct sched_event *e = t->event;

	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append(out, &e[i].point, 1);
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append(out, &e[i].kind, 1);
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append(out, &e[i].flags, 1);
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append(out, &e[i].reserved, 1);
}

static void encode_places(const struct trace *t, struct recorder_bytes *out)
{
	const struct sched_event *e = t->event;
	uint32_t module = 0;

	for (uint64_t i = 0; i < t->nr_events; i++) {
		module = module_of(t, e[i].pc, module);
		recorder__append_varint(out, module);
	}
	for (uint64_t i = 0; i < t->nr_events; i++) {
		module = module_of(t, e[i].pc, module);
		recorder__append_varint(out, e[i].pc -
					(module ? t->module[module - 1].bias
						: 0));
	}
}

int recorder__encode_decisions(const struct trace *t,
			       struct recorder_bytes *out)
{
	const struct sched_event *e = t->event;
	uint64_t before = 0;
	uint8_t word[4];

	encode_bytes(t, out);
	for (uint64_t i = 0; i < t->nr_events; i++) {
		recorder__append_varint(out, format_zigzag(e[i].task - before));
		before = e[i].task;
	}
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append_varint(out, e[i].nr);
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append_varint(out, format_zigzag((uint64_t)
						e[i].chosen - e[i].task));
	encode_places(t, out);
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append_varint(out, e[i].object);
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append_varint(out, e[i].object2);
	before = 0;
	for (uint64_t i = 0; i < t->nr_events; i++) {
		recorder__append_varint(out,
					format_zigzag(e[i].now_ns - before));
		before = e[i].now_ns;
	}
	for (uint64_t i = 0; i < t->nr_events; i++) {
		format_put(word, e[i].digest, sizeof(word));
		recorder__append(out, word, sizeof(word));
	}
	return out->has_failed ? -ENOMEM : 0;
}
