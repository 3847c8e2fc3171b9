/* SPDX-License-Identifier: MIT */
/*
 * decisions.c - events and objects to the payload of `decisions`.
 *
 * Events column after column, because values of one field resemble each other
 * more than those of one event, which zstd rewards: on the schedules of small
 * tests the digests, which nothing can compress, are most of what remains.
 */
#include "recorder/internal.h"
#include "recorder/bytes.h"

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

/* An address as its module and the address in that file. */
static void encode_module(const struct trace *t, uint64_t addr,
			  uint32_t *module, struct recorder_bytes *out)
{
	*module = module_of(t, addr, *module);
	recorder__append_varint(out, *module);
}

static void encode_offset(const struct trace *t, uint64_t addr,
			  uint32_t *module, struct recorder_bytes *out)
{
	*module = module_of(t, addr, *module);
	recorder__append_varint(out, addr - (*module ?
				t->module[*module - 1].bias : 0));
}

static void encode_places(const struct trace *t, struct recorder_bytes *out)
{
	uint32_t module = 0;

	for (uint64_t i = 0; i < t->nr_events; i++)
		encode_module(t, t->event[i].pc, &module, out);
	for (uint64_t i = 0; i < t->nr_events; i++)
		encode_offset(t, t->event[i].pc, &module, out);
}

void recorder__append_address(const struct trace *t, uint64_t addr,
			      uint32_t *module, struct recorder_bytes *out)
{
	encode_module(t, addr, module, out);
	encode_offset(t, addr, module, out);
}

static void encode_objects(const struct trace *t, struct recorder_bytes *out)
{
	const struct trace_object *o = t->object;
	uint32_t nr = o ? t->nr_objects : 0;
	uint32_t module = 0;

	recorder__append_varint(out, nr);
	for (uint32_t i = 0; i < nr; i++) {
		recorder__append(out, &o[i].class, 1);
		recorder__append_address(t, o[i].addr, &module, out);
		recorder__append_address(t, o[i].first_pc, &module, out);
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
	for (uint64_t i = 0; i < t->nr_events; i++)
		recorder__append_varint(out, e[i].ticks);
	for (uint64_t i = 0; i < t->nr_events; i++) {
		format_put(word, e[i].digest, sizeof(word));
		recorder__append(out, word, sizeof(word));
	}
	encode_objects(t, out);
	return out->has_failed ? -ENOMEM : 0;
}
