/* SPDX-License-Identifier: MIT */
/*
 * fuzz_trace.c - bytes to a trace directory, and what must hold for any bytes.
 */
#include "fuzz_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/internal.h"
#include "recorder/bytes.h"

#define MAX_JSON 65536u

struct part {
	uint8_t *data;		/* malloc'd */
	size_t bytes;
};

static char dir[64];
static char trace_path[96];

static void check(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_trace: %s\n", what);
	abort();
}

static void remove_all(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", dir);
}

static void make_dir(void)
{
	char command[160];

	if (dir[0])
		return;
	strcpy(dir, "/dev/shm/explore-fuzz-XXXXXX");
	if (!mkdtemp(dir)) {
		strcpy(dir, "/tmp/explore-fuzz-XXXXXX");
		check(mkdtemp(dir) != NULL, "no temporary directory");
	}
	snprintf(trace_path, sizeof(trace_path), "%s/trace", dir);
	snprintf(command, sizeof(command), "mkdir '%s'", trace_path);
	check(!system(command), "mkdir");
	atexit(remove_all);
}

static void spill(const char *name, const struct part *p)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", trace_path, name);
	f = fopen(path, "wb");
	check(f && fwrite(p->data, 1, p->bytes, f) == p->bytes && !fclose(f),
	      "cannot write a part");
}

static struct part take(const uint8_t **data, size_t *bytes)
{
	struct part p;
	size_t n = 0;

	if (*bytes >= 2) {
		n = (size_t)format_get(*data, 2);
		*data += 2;
		*bytes -= 2;
	}
	if (n > *bytes)
		n = *bytes;
	p.bytes = n;
	p.data = malloc(n + FORMAT_HEADER_BYTES + 1);
	check(p.data != NULL, "no memory");
	memcpy(p.data, *data, n);
	*data += n;
	*bytes -= n;
	return p;
}

/* Make header and payload agree, so that the reader looks further. */
static void repair_part(struct part *p, const char *magic)
{
	uint64_t sum;

	if (p->bytes < FORMAT_HEADER_BYTES)
		return;
	memcpy(p->data, magic, 8);
	format_put(p->data + 32, p->bytes - FORMAT_HEADER_BYTES, 8);
	sum = format_checksum(FORMAT_CHECKSUM_INIT, p->data, 48);
	sum = format_checksum(sum, p->data + FORMAT_HEADER_BYTES,
			      p->bytes - FORMAT_HEADER_BYTES);
	format_put(p->data + 48, sum, 8);
}

static void pack_part(struct part *p, const char *magic)
{
	struct recorder_bytes packed = { 0 };
	size_t prefix = p->bytes >= 2 ? 2 : 0;

	check(!recorder__pack(&packed, magic,
			      format_get(p->data, (unsigned int)prefix),
			      p->data + prefix, p->bytes - prefix),
	      "no memory");
	free(p->data);
	p->data = packed.data;
	p->bytes = packed.nr;
}

/* Put value into the text behind `name`, whatever stands there. */
static void replace_value(char *text, const char *after, const char *name,
			  const char *value)
{
	char rest[MAX_JSON];
	char *at = strstr(text, after);

	at = at ? strstr(at, name) : NULL;
	if (!at)
		return;
	at += strlen(name);
	snprintf(rest, sizeof(rest), "%s", at + strcspn(at, "\"\n"));
	snprintf(at, MAX_JSON - (size_t)(at - text), "%s%s", value, rest);
}

static void name_part(char *text, const char *file, const struct part *p)
{
	char after[32], value[32];

	snprintf(after, sizeof(after), "\"%s\"", file);
	snprintf(value, sizeof(value), "%zu", p->bytes);
	replace_value(text, after, "\"bytes\":\t\"", value);
	snprintf(value, sizeof(value), "0x%" PRIx64,
		 format_checksum(FORMAT_CHECKSUM_INIT, p->data, p->bytes));
	replace_value(text, after, "\"checksum\":\t\"", value);
}

/* The text names the other parts and ends in its own checksum. */
static void repair_json(struct part *json, const struct part *decisions,
			const struct part *inputs, const struct part *values)
{
	static char text[MAX_JSON];
	char count[32];
	char *tail;
	size_t n;

	n = json->bytes < MAX_JSON / 2 ? json->bytes : MAX_JSON / 2;
	memcpy(text, json->data, n);
	text[n] = '\0';
	tail = strstr(text, ",\n\t\"checksum\"");
	if (tail)
		*tail = '\0';
	if (decisions->bytes >= FORMAT_HEADER_BYTES) {
		snprintf(count, sizeof(count), "%" PRIu64,
			 format_get(decisions->data + 16, 8));
		replace_value(text, "\"statistics\"", "\"events\":\t\"",
			      count);
	}
	name_part(text, FORMAT_DECISIONS_FILE, decisions);
	name_part(text, FORMAT_INPUTS_FILE, inputs);
	name_part(text, FORMAT_VALUES_FILE, values);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, FORMAT_JSON_TAIL,
		 format_checksum(FORMAT_CHECKSUM_INIT, text, n));
	free(json->data);
	json->bytes = strlen(text);
	json->data = malloc(json->bytes + 1);
	check(json->data != NULL, "no memory");
	memcpy(json->data, text, json->bytes);
}

/* What was read can be written, and read again. */
static void check_again(const struct trace *t)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace again;
	char command[256];
	char *path = NULL;

	check(!trace_write(t, dir, "again", &path, &err), err.text);
	trace_init(&again);
	check(!trace_read(&again, path, &err), err.text);
	check(again.nr_events == t->nr_events &&
	      again.input_bytes == t->input_bytes &&
	      !memcmp(again.event, t->event,
		      t->nr_events * sizeof(*t->event)) &&
	      again.nr_values == t->nr_values &&
	      (!t->nr_values ||
	       !memcmp(again.value, t->value,
		       t->nr_values * sizeof(*t->value))),
	      "the second reading differs");
	trace_release(&again);
	snprintf(command, sizeof(command), "%s/trace.json", path);
	unlink(command);
	snprintf(command, sizeof(command), "%s/decisions", path);
	unlink(command);
	snprintf(command, sizeof(command), "%s/inputs", path);
	unlink(command);
	snprintf(command, sizeof(command), "%s/values", path);
	unlink(command);
	rmdir(path);
	free(path);
}

static int read_back(void)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t, empty;
	int ret;

	trace_init(&t);
	trace_init(&empty);
	ret = trace_read(&t, trace_path, &err);
	if (ret) {
		check(ret < 0 && err.text[0], "failed without a word");
		check(!memcmp(&t, &empty, sizeof(t)), "left something behind");
	} else {
		check(!err.text[0], "succeeded with a complaint");
		check_again(&t);
	}
	trace_release(&t);
	return ret;
}

int fuzz_trace_one(const uint8_t *data, size_t bytes)
{
	struct part json, decisions, inputs, values;
	int mode = bytes ? *data % FUZZ_NR_MODES : FUZZ_VERBATIM;
	int ret;

	make_dir();
	if (bytes) {
		data++;
		bytes--;
	}
	json = take(&data, &bytes);
	decisions = take(&data, &bytes);
	inputs = take(&data, &bytes);
	values = take(&data, &bytes);
	if (mode == FUZZ_REPAIRED) {
		repair_part(&decisions, FORMAT_DECISIONS_MAGIC);
		repair_part(&inputs, FORMAT_INPUTS_MAGIC);
		repair_part(&values, FORMAT_VALUES_MAGIC);
	}
	if (mode == FUZZ_RAW) {
		pack_part(&decisions, FORMAT_DECISIONS_MAGIC);
		pack_part(&inputs, FORMAT_INPUTS_MAGIC);
		pack_part(&values, FORMAT_VALUES_MAGIC);
	}
	if (mode != FUZZ_VERBATIM)
		repair_json(&json, &decisions, &inputs, &values);
	spill(FORMAT_JSON_FILE, &json);
	spill(FORMAT_DECISIONS_FILE, &decisions);
	spill(FORMAT_INPUTS_FILE, &inputs);
	spill(FORMAT_VALUES_FILE, &values);
	free(json.data);
	free(decisions.data);
	free(inputs.data);
	free(values.data);
	ret = read_back();
	return ret;
}

#ifdef EXPLORE_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_trace_one(data, bytes);
	return 0;
}
#endif
