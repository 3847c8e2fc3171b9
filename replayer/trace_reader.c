/* SPDX-License-Identifier: MIT */
/*
 * trace_reader.c - a trace directory to struct trace; trusts nothing it reads.
 */
#include "replayer/internal.h"
#include "replayer/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int no_memory(struct errbuf *err, const char *path)
{
	errbuf_addf(err, "cannot read '%s': %s", path, strerror(ENOMEM));
	return -ENOMEM;
}

/* Load one file of the directory; file->path must be freed by the caller. */
static int load(struct replayer_file *file, const char *dir, const char *name,
		uint64_t max, struct errbuf *err)
{
	int ret;

	if (asprintf(&file->path, "%s/%s", dir, name) < 0) {
		file->path = NULL;
		return no_memory(err, dir);
	}
	ret = replayer__load(file, max, err);
	/* Part of a trace without the rest is no trace. */
	return ret == -ENOENT ? TRACE_E_CORRUPT : ret;
}

static void unload(struct replayer_file *file)
{
	free(file->path);
	free(file->data);
}

/* More objects than there can be, or events of impossible sizes. */
static bool is_plausible(const struct trace *t, size_t bytes)
{
	uint64_t most = t->nr_events * FORMAT_EVENT_MAX_BYTES + 8 +
			(uint64_t)SCHED_MAX_OBJECTS * FORMAT_OBJECT_MAX_BYTES;

	return bytes >= t->nr_events * FORMAT_EVENT_MIN_BYTES && bytes <= most;
}

static int decode(struct trace *t, const struct replayer_file *file,
		  const uint8_t *raw, size_t bytes, struct errbuf *err)
{
	uint64_t version = format_get(file->data + 8, 4);
	const char *path = file->path;
	int ret;

	if (!is_plausible(t, bytes))
		return replayer__corrupt(err, path,
					 "its size does not fit its events");
	t->event = calloc(t->nr_events + 1, sizeof(*t->event));
	if (!t->event)
		return no_memory(err, path);
	ret = replayer__decode_decisions(t, version, raw, bytes);
	if (ret == -ENOMEM)
		return no_memory(err, path);
	return ret ? replayer__corrupt(err, path, "its events make no sense")
		   : 0;
}

static int read_decisions(struct trace *t, const char *dir,
			  const struct format_part *part, struct errbuf *err)
{
	struct replayer_file file = { 0 };
	uint8_t *raw = NULL;
	size_t bytes = 0;
	int ret;

	ret = load(&file, dir, FORMAT_DECISIONS_FILE,
		   2ull * CONTROL_MAX_STEPS * FORMAT_EVENT_MAX_BYTES, err);
	if (!ret)
		ret = replayer__unpack(&file, FORMAT_DECISIONS_MAGIC, part,
				       t->nr_events, &raw, &bytes, err);
	if (!ret)
		ret = decode(t, &file, raw, bytes, err);
	free(raw);
	unload(&file);
	return ret;
}

static int read_inputs(struct trace *t, const char *dir,
		       const struct format_part *part, struct errbuf *err)
{
	struct replayer_file file = { 0 };
	size_t bytes = 0;
	int ret;

	/* The count is the payload's size, which only its header knows. */
	ret = load(&file, dir, FORMAT_INPUTS_FILE, FORMAT_HEADER_BYTES +
		   CONTROL_INPUT_BYTES + CONTROL_INPUT_BYTES / 128, err);
	if (!ret && file.bytes >= FORMAT_HEADER_BYTES)
		t->input_bytes = format_get(file.data + 16, 8);
	if (!ret && t->input_bytes > CONTROL_INPUT_BYTES)
		ret = replayer__corrupt(err, file.path,
					"its header claims too much data");
	if (!ret)
		ret = replayer__unpack(&file, FORMAT_INPUTS_MAGIC, part,
				       t->input_bytes, &t->input, &bytes, err);
	if (!ret && bytes != t->input_bytes)
		ret = replayer__corrupt(err, file.path,
					"its header contradicts itself");
	unload(&file);
	return ret;
}

static int decode_values(struct trace *t, const char *path, uint64_t nr,
			 const uint8_t *raw, size_t bytes, struct errbuf *err)
{
	int ret = replayer__decode_values(t, nr, raw, bytes);

	if (ret == -ENOMEM)
		return no_memory(err, path);
	return ret ? replayer__corrupt(err, path, "its values make no sense")
		   : 0;
}

/* Absent in traces without memory operations, and in old ones. */
static int read_values(struct trace *t, const char *dir,
		       const struct format_part *part, struct errbuf *err)
{
	struct replayer_file file = { 0 };
	uint8_t *raw = NULL;
	size_t bytes = 0;
	uint64_t nr = 0;
	int ret;

	ret = load(&file, dir, FORMAT_VALUES_FILE,
		   2ull * CONTROL_MAX_VALUES * FORMAT_VALUE_MAX_BYTES, err);
	if (!ret && file.bytes >= FORMAT_HEADER_BYTES)
		nr = format_get(file.data + 16, 8);
	if (!ret)
		ret = replayer__unpack(&file, FORMAT_VALUES_MAGIC, part, nr,
				       &raw, &bytes, err);
	if (!ret)
		ret = decode_values(t, file.path, nr, raw, bytes, err);
	free(raw);
	unload(&file);
	return ret;
}

/* Tell a wrong path from a damaged trace. */
static int check_directory(const char *path, struct errbuf *err)
{
	struct stat st;
	int ret = 0;

	if (stat(path, &st))
		ret = -errno;
	else if (!S_ISDIR(st.st_mode))
		ret = -ENOTDIR;
	if (ret)
		errbuf_addf(err, "cannot open trace '%s': %s", path,
			    strerror(-ret));
	return ret;
}

int trace_read(struct trace *t, const char *path, struct errbuf *err)
{
	struct replayer_file json = { 0 };
	struct format_parts parts;
	int ret;

	ret = check_directory(path, err);
	if (ret)
		return ret;
	ret = load(&json, path, FORMAT_JSON_FILE, FORMAT_JSON_MAX_BYTES, err);
	if (!ret)
		ret = replayer__parse_json(t, &json, &parts, err);
	unload(&json);
	if (!ret)
		ret = read_decisions(t, path, &parts.decisions, err);
	if (!ret)
		ret = read_inputs(t, path, &parts.inputs, err);
	if (!ret && parts.values.bytes)
		ret = read_values(t, path, &parts.values, err);
	if (ret)
		trace_release(t);
	return ret;
}
