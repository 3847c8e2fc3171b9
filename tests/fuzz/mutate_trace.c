/* SPDX-License-Identifier: MIT */
/*
 * mutate_trace.c - a few thousand mutated traces, the same ones every time.
 *
 * For every build, unlike libFuzzer. Fails as fuzz_trace_one() does, or when
 * the mutations are so wild that nothing gets through the outer checks: then
 * it would test nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_trace.h"
#include "recorder/internal.h"
#include "recorder/bytes.h"
#include "tests/unit/trace_sample.h"

#define MAX_INPUT 20000u
#define NR_ROUNDS 3000

static uint64_t state = 0x9e3779b97f4a7c15ull;

/* xorshift64*, Vigna 2016. */
static uint64_t random_number(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 33) % below;
}

static size_t append(uint8_t *to, size_t at, const void *data, size_t bytes)
{
	format_put(to + at, bytes, 2);
	memcpy(to + at + 2, data, bytes);
	return at + 2 + bytes;
}

static size_t append_raw(uint8_t *to, size_t at, uint64_t count,
			 const void *data, size_t bytes)
{
	format_put(to + at, bytes + 2, 2);
	format_put(to + at + 2, count, 2);
	memcpy(to + at + 4, data, bytes);
	return at + 4 + bytes;
}

static struct format_part describe(const struct recorder_bytes *b)
{
	return (struct format_part){
		b->nr,
		format_checksum(FORMAT_CHECKSUM_INIT, b->data, b->nr),
	};
}

/* The files of a sound trace as one input; or, for FUZZ_RAW, its payloads. */
static size_t make_seed(uint8_t *to, int mode)
{
	struct recorder_bytes json = { 0 }, decisions = { 0 }, raw = { 0 };
	struct recorder_bytes inputs = { 0 }, values = { 0 }, raw_values = { 0 };
	struct format_parts parts;
	struct trace t;
	size_t at = 1;

	sample_trace(&t, 20, 30);
	if (recorder__encode_decisions(&t, &raw) ||
	    recorder__pack(&decisions, FORMAT_DECISIONS_MAGIC, t.nr_events,
			   raw.data, raw.nr) ||
	    recorder__pack(&inputs, FORMAT_INPUTS_MAGIC, t.input_bytes,
			   t.input, t.input_bytes) ||
	    recorder__encode_values(&t, &raw_values) ||
	    recorder__pack(&values, FORMAT_VALUES_MAGIC, t.nr_values,
			   raw_values.data, raw_values.nr))
		abort();
	parts.decisions = describe(&decisions);
	parts.inputs = describe(&inputs);
	parts.values = describe(&values);
	if (recorder__print_json(&t, &parts, &json))
		abort();
	to[0] = (uint8_t)mode;
	at = append(to, at, json.data, json.nr);
	if (mode == FUZZ_RAW) {
		at = append_raw(to, at, t.nr_events, raw.data, raw.nr);
		at = append_raw(to, at, t.input_bytes, t.input,
				t.input_bytes);
		at = append_raw(to, at, t.nr_values, raw_values.data,
				raw_values.nr);
	} else {
		at = append(to, at, decisions.data, decisions.nr);
		at = append(to, at, inputs.data, inputs.nr);
		at = append(to, at, values.data, values.nr);
	}
	trace_release(&t);
	free(json.data);
	free(decisions.data);
	free(raw.data);
	free(inputs.data);
	free(values.data);
	free(raw_values.data);
	return at;
}

/* Digits and quotes often, to keep JSON JSON. */
static uint8_t random_byte(void)
{
	static const char often[] = "0123456789\"\\-,:{}[]ex";

	if (random_number(2))
		return (uint8_t)often[random_number(sizeof(often) - 1)];
	return (uint8_t)random_number(256);
}

static void mutate(uint8_t *data, size_t bytes)
{
	uint64_t nr = random_number(4);

	for (uint64_t i = 0; i < nr; i++) {
		/* Half of the hits in the binary parts, at the end. */
		uint64_t span = random_number(2) ? bytes - 3 : bytes / 8;
		size_t at = bytes - 1 - random_number(span);

		if (random_number(4))
			data[at] = random_byte();
		else
			data[at] ^= (uint8_t)(1u << random_number(8));
	}
}

int main(void)
{
	static uint8_t seed[FUZZ_NR_MODES][MAX_INPUT], input[MAX_INPUT];
	size_t bytes[FUZZ_NR_MODES];
	unsigned int nr_read = 0, nr_refused = 0;

	for (int mode = 0; mode < FUZZ_NR_MODES; mode++)
		bytes[mode] = make_seed(seed[mode], mode);
	for (int i = 0; i < NR_ROUNDS; i++) {
		int mode = i % 8 ? 1 + i % 2 : FUZZ_VERBATIM;

		memcpy(input, seed[mode], bytes[mode]);
		mutate(input, bytes[mode]);
		if (fuzz_trace_one(input, bytes[mode]))
			nr_refused++;
		else
			nr_read++;
	}
	printf("%u mutated traces read, %u refused\n", nr_read, nr_refused);
	return nr_read > NR_ROUNDS / 20 && nr_refused > NR_ROUNDS / 20 ? 0 : 1;
}
