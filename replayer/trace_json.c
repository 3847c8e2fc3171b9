/* SPDX-License-Identifier: MIT */
/*
 * trace_json.c - the text of trace.json to struct trace.
 *
 * Every member is required and has one form. Unknown members are ignored, so
 * that a later version may add some without a new number.
 */
#include "replayer/internal.h"
#include "replayer/notes.h"
#include "replayer/load.h"
#include "recorder/names.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One JSON object being read. The first member that is missing or has the
 * wrong form is noted in *bad; what was read then is zero or NULL.
 */
struct reader {
	const cJSON *object;
	const char **bad;
	bool *has_memory;
};

static void complain(const struct reader *r, const char *name)
{
	if (!*r->bad)
		*r->bad = name;
}

static const cJSON *get(const struct reader *r, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, name);

	if (!item)
		complain(r, name);
	return item;
}

static struct reader get_object(const struct reader *r, const char *name)
{
	struct reader child = *r;

	child.object = get(r, name);
	if (!cJSON_IsObject(child.object))
		complain(r, name);
	return child;
}

static char *copy(const struct reader *r, const char *s)
{
	char *made = strdup(s);

	if (!made)
		*r->has_memory = false;
	return made;
}

static const char *get_string(const struct reader *r, const char *name)
{
	const char *s = cJSON_GetStringValue(get(r, name));

	if (!s)
		complain(r, name);
	return s ? s : "";
}

static char *get_text(const struct reader *r, const char *name)
{
	return copy(r, get_string(r, name));
}

/* Room includes the NUL; the text must fit. */
static void get_bounded(const struct reader *r, const char *name, char *to,
			size_t room)
{
	const char *s = get_string(r, name);

	if (strlen(s) >= room)
		complain(r, name);
	else
		memcpy(to, s, strlen(s) + 1);
}

/* Digits only: no sign, no space, no leading zero, no overflow. */
static bool parse_u64(const char *s, uint64_t base, uint64_t *v)
{
	uint64_t value = 0;

	if (!*s || (s[0] == '0' && s[1]))
		return false;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s >= 'a' && *s <= 'f')
			digit = (uint64_t)(*s - 'a') + 10;
		if (*s < '0' || digit >= base ||
		    value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	*v = value;
	return true;
}

static uint64_t get_u64(const struct reader *r, const char *name)
{
	uint64_t v = 0;

	if (!parse_u64(get_string(r, name), 10, &v))
		complain(r, name);
	return v;
}

static uint64_t get_hex(const struct reader *r, const char *name)
{
	const char *s = get_string(r, name);
	uint64_t v = 0;

	if (strncmp(s, "0x", 2) || !parse_u64(s + 2, 16, &v))
		complain(r, name);
	return v;
}

static int64_t to_integer(const struct reader *r, const cJSON *item,
			  const char *name, int64_t min, int64_t max)
{
	double v = cJSON_IsNumber(item) ? item->valuedouble : -1e300;

	if (!(v >= (double)min && v <= (double)max) ||
	    v != (double)(int64_t)v) {
		complain(r, name);
		return 0;
	}
	return (int64_t)v;
}

static uint32_t get_u32(const struct reader *r, const char *name)
{
	return (uint32_t)to_integer(r, get(r, name), name, 0, UINT32_MAX);
}

static bool get_bool(const struct reader *r, const char *name)
{
	const cJSON *item = get(r, name);

	if (!cJSON_IsBool(item))
		complain(r, name);
	return cJSON_IsTrue(item);
}

static char **get_list(const struct reader *r, const char *name)
{
	const cJSON *array = get(r, name);
	const cJSON *item;
	char **list;
	size_t nr = 0;

	if (cJSON_IsNull(array))
		return NULL;
	if (!cJSON_IsArray(array)) {
		complain(r, name);
		return NULL;
	}
	list = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*list));
	if (!list) {
		*r->has_memory = false;
		return NULL;
	}
	cJSON_ArrayForEach(item, array) {
		const char *s = cJSON_GetStringValue(item);

		if (!s) {
			complain(r, name);
			break;
		}
		list[nr] = copy(r, s);
		if (!list[nr])
			break;
		nr++;
	}
	return list;
}

static void get_verdict(const struct reader *parent,
			struct control_verdict *v)
{
	struct reader r = get_object(parent, "verdict");
	const char *kind = get_string(&r, "kind");
	const cJSON *cycle = get(&r, "cycle");
	const cJSON *item;

	while (strcmp(trace_verdict_name(v->kind), kind)) {
		if (++v->kind < 64)
			continue;
		v->kind = CONTROL_VERDICT_NONE;
		complain(&r, "kind");
		break;
	}
	v->code = (int32_t)to_integer(&r, get(&r, "code"), "code",
				      INT32_MIN, INT32_MAX);
	v->task = get_u32(&r, "task");
	v->object = get_u32(&r, "object");
	v->pc = get_hex(&r, "pc");
	v->addr = get_hex(&r, "address");
	v->step = get_u64(&r, "step");
	if (!cJSON_IsArray(cycle) || cJSON_GetArraySize(cycle) > 16) {
		complain(&r, "cycle");
		return;
	}
	cJSON_ArrayForEach(item, cycle)
		v->cycle[v->nr_cycle++] = (uint32_t)
			to_integer(&r, item, "cycle", 0, UINT32_MAX);
	get_bounded(&r, "message", v->message, sizeof(v->message));
}

static uint32_t op_by_name(const char *name)
{
	uint64_t number;

	if (name[0] == '#' && parse_u64(name + 1, 10, &number) &&
	    number < EXPLORE_OP_NR)
		return (uint32_t)number;
	for (uint32_t i = 0; i < EXPLORE_OP_NR; i++)
		if (!strcmp(trace_op_name(i), name))
			return strcmp(name, "unknown") ? i : EXPLORE_OP_NR;
	return EXPLORE_OP_NR;
}

static void get_statistics(const struct reader *parent, struct trace *t)
{
	struct reader r = get_object(parent, "statistics");
	struct reader ops = get_object(&r, "operations");
	const cJSON *item;

	t->nr_tasks = get_u32(&r, "tasks");
	t->nr_events = get_u64(&r, "events");
	t->nr_preemptions = get_u64(&r, "preemptions");
	t->nr_switches = get_u64(&r, "switches");
	cJSON_ArrayForEach(item, ops.object) {
		uint32_t op = item->string ? op_by_name(item->string)
					   : EXPLORE_OP_NR;

		if (op == EXPLORE_OP_NR)
			complain(&r, "operations");
		else
			t->nr_ops[op] = get_u64(&ops, item->string);
	}
	if (t->nr_events > CONTROL_MAX_STEPS)
		complain(&r, "events");
}

static void get_clock(const struct reader *r, struct control_clock *c)
{
	c->kind = get_u32(r, "clock");
	c->margin = get_u32(r, "clock_margin");
	c->skid = get_u32(r, "clock_skid");
	c->event = get_u64(r, "clock_event");
	if (c->kind > CONTROL_CLOCK_BREAK)
		complain(r, "clock");
}

static void get_config(const struct reader *parent, uint32_t version,
		       struct control_config *c)
{
	struct reader r = get_object(parent, "config");

	c->seed = get_u64(&r, "seed");
	c->run = get_u64(&r, "run");
	c->realtime_ns = get_u64(&r, "realtime_ns");
	c->scheduler.max_steps = get_u64(&r, "max_steps");
	c->scheduler.op_cost_ns = get_u64(&r, "op_cost_ns");
	c->scheduler.slack_ns = get_u64(&r, "slack_ns");
	c->scheduler.start_ns = get_u64(&r, "start_ns");
	c->scheduler.wake_any = get_u32(&r, "wake_any");
	c->flags = get_u32(&r, "flags");
	c->virtual_pid = get_u32(&r, "virtual_pid");
	c->nr_script = get_u64(&r, "nr_script");
	c->script_input_bytes = get_u64(&r, "script_input_bytes");
	c->strategy_bytes = get_u64(&r, "strategy_bytes");
	if (version > 1)
		get_clock(&r, &c->clock);
	get_bounded(&r, "strategy", c->strategy, sizeof(c->strategy));
	get_bounded(&r, "plugin", c->plugin, sizeof(c->plugin));
}

static void get_modules(const struct reader *r, struct trace *t)
{
	const cJSON *array = get(r, "modules");
	int nr = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
	const cJSON *item;

	if (nr < 0 || (uint32_t)nr > FORMAT_MAX_MODULES) {
		complain(r, "modules");
		return;
	}
	t->module = calloc((size_t)nr + 1, sizeof(*t->module));
	if (!t->module) {
		*r->has_memory = false;
		return;
	}
	cJSON_ArrayForEach(item, array) {
		struct reader one = { item, r->bad, r->has_memory };
		struct trace_module *m = &t->module[t->nr_modules++];

		m->path = get_text(&one, "path");
		m->build_id = get_text(&one, "build_id");
		m->start = get_hex(&one, "start");
		m->end = get_hex(&one, "end");
		m->bias = get_hex(&one, "bias");
		m->is_watched = get_bool(&one, "is_watched");
		m->order_only = get_u32(&one, "order_only");
	}
}

/* "0+0x1234": module and address in its file. */
static bool parse_site(const struct trace *t, const char *text,
		       uint64_t *addr)
{
	const char *plus = text ? strchr(text, '+') : NULL;
	char number[24];
	uint64_t m, offset;

	if (!plus || (size_t)(plus - text) >= sizeof(number))
		return false;
	memcpy(number, text, (size_t)(plus - text));
	number[plus - text] = '\0';
	if (!parse_u64(number, 10, &m) || m >= t->nr_modules ||
	    strncmp(plus, "+0x", 3) || !parse_u64(plus + 3, 16, &offset))
		return false;
	*addr = offset + t->module[m].bias;
	return true;
}

static void get_live_sites(const struct reader *r, struct trace *t)
{
	const cJSON *array = get(r, "live_sites");
	int nr = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
	const cJSON *item;

	if (nr < 0 || (uint32_t)nr > CONTROL_MAX_ACCESS) {
		complain(r, "live_sites");
		return;
	}
	t->live_site = calloc((size_t)nr + 1, sizeof(*t->live_site));
	if (!t->live_site) {
		*r->has_memory = false;
		return;
	}
	cJSON_ArrayForEach(item, array) {
		if (!parse_site(t, cJSON_GetStringValue(item),
				&t->live_site[t->nr_live_sites])) {
			complain(r, "live_sites");
			return;
		}
		t->nr_live_sites++;
	}
}

/* "0+0x1234=3": the same, and its state. */
static bool parse_state(const struct trace *t, const char *text,
			struct trace_site *site)
{
	const char *equals = text ? strchr(text, '=') : NULL;
	char place[64];
	uint64_t state;

	if (!equals || (size_t)(equals - text) >= sizeof(place) ||
	    !parse_u64(equals + 1, 10, &state) || state > UINT8_MAX)
		return false;
	memcpy(place, text, (size_t)(equals - text));
	place[equals - text] = '\0';
	site->state = (uint32_t)state;
	return parse_site(t, place, &site->addr);
}

static void get_site_states(const struct reader *r, struct trace *t)
{
	const cJSON *array = get(r, "site_states");
	int nr = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
	const cJSON *item;

	if (cJSON_IsNull(array))
		return;
	if (nr < 0 || (uint32_t)nr > CONTROL_MAX_ACCESS) {
		complain(r, "site_states");
		return;
	}
	t->site = calloc((size_t)nr + 1, sizeof(*t->site));
	if (!t->site) {
		*r->has_memory = false;
		return;
	}
	cJSON_ArrayForEach(item, array) {
		if (!parse_state(t, cJSON_GetStringValue(item),
				 &t->site[t->nr_sites])) {
			complain(r, "site_states");
			return;
		}
		t->nr_sites++;
	}
}

static void get_part(const struct reader *parent, const char *name,
		     struct format_part *part)
{
	struct reader r = get_object(parent, name);

	part->bytes = get_u64(&r, "bytes");
	part->checksum = get_hex(&r, "checksum");
}

static void get_all(const struct reader *r, uint32_t version, struct trace *t,
		    struct format_parts *parts)
{
	struct reader files;

	t->tool_version = get_text(r, "tool_version");
	t->program = get_text(r, "program");
	t->argv = get_list(r, "argv");
	t->env = get_list(r, "env");
	t->cwd = get_text(r, "cwd");
	if (!cJSON_IsNull(get(r, "stdin")))
		t->stdin_path = get_text(r, "stdin");
	t->strategy = get_text(r, "strategy");
	t->seed = get_u64(r, "seed");
	t->run = get_u64(r, "run");
	get_verdict(r, &t->verdict);
	t->has_reproduced = get_bool(r, "has_reproduced");
	t->digest = get_hex(r, "digest");
	get_statistics(r, t);
	t->ok_exit = get_list(r, "ok_exit");
	get_config(r, version, &t->config);
	get_modules(r, t);
	get_live_sites(r, t);
	if (version >= 3)
		get_site_states(r, t);
	if (cJSON_GetObjectItemCaseSensitive(r->object, FORMAT_NOTES) &&
	    replayer__parse_notes(r->object, t))
		complain(r, FORMAT_NOTES);
	files = get_object(r, "files");
	get_part(&files, FORMAT_DECISIONS_FILE, &parts->decisions);
	get_part(&files, FORMAT_INPUTS_FILE, &parts->inputs);
	memset(&parts->values, 0, sizeof(parts->values));
	if (cJSON_GetObjectItemCaseSensitive(files.object,
					     FORMAT_VALUES_FILE)) {
		get_part(&files, FORMAT_VALUES_FILE, &parts->values);
		if (!parts->values.bytes)
			complain(r, FORMAT_VALUES_FILE);
	}
}

/* Whether the text ends in the checksum of all that stands before. */
static bool has_valid_tail(const struct replayer_file *file)
{
	char tail[64];
	size_t bytes;

	bytes = (size_t)snprintf(tail, sizeof(tail), FORMAT_JSON_TAIL,
				 (uint64_t)0);
	if (file->bytes < bytes)
		return false;
	snprintf(tail, sizeof(tail), FORMAT_JSON_TAIL,
		 format_checksum(FORMAT_CHECKSUM_INIT, file->data,
				 file->bytes - bytes));
	return !memcmp(file->data + file->bytes - bytes, tail, bytes);
}

static int parse(struct trace *t, const struct replayer_file *file,
		 const cJSON *json, struct format_parts *parts,
		 struct errbuf *err)
{
	const char *bad = NULL;
	bool has_memory = true;
	struct reader r = { json, &bad, &has_memory };
	uint32_t version;

	if (strcmp(get_string(&r, "format"), FORMAT_NAME))
		return replayer__corrupt(err, file->path,
					 "it does not describe a trace");
	version = get_u32(&r, "version");
	if (version > TRACE_FORMAT_VERSION)
		return replayer__newer(err, file->path, version);
	if (!bad && version == 0)
		bad = "version";
	get_all(&r, version, t, parts);
	if (!has_memory) {
		errbuf_addf(err, "cannot read '%s': %s", file->path,
			    strerror(ENOMEM));
		return -ENOMEM;
	}
	if (bad) {
		errbuf_addf(err, "'%s' is damaged: '%s' is missing or invalid",
			    file->path, bad);
		return TRACE_E_CORRUPT;
	}
	return 0;
}

int replayer__parse_json(struct trace *t, const struct replayer_file *file,
			 struct format_parts *parts, struct errbuf *err)
{
	cJSON *json;
	int ret;

	if (!has_valid_tail(file))
		return replayer__corrupt(err, file->path,
					 "its checksum does not match");
	json = cJSON_ParseWithLength((const char *)file->data, file->bytes);
	if (!json)
		return replayer__corrupt(err, file->path, "it is not JSON");
	ret = parse(t, file, json, parts, err);
	cJSON_Delete(json);
	return ret;
}
