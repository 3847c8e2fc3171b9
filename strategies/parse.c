/* SPDX-License-Identifier: MIT */
/*
 * parse.c - from "pct:depth=3,steps=100" to a name and numbers.
 */
#include <errno.h>

#include "strategies/strategies.h"
#include "strategies/internal.h"

/* A part of the text that is read; not NUL-terminated. */
struct span {
	const char *at;
	size_t nr;
};

static const char *find_char(struct span s, char c)
{
	for (size_t i = 0; i < s.nr; i++)
		if (s.at[i] == c)
			return s.at + i;
	return NULL;
}

static bool is_span(struct span s, const char *string)
{
	size_t i;

	for (i = 0; i < s.nr; i++)
		if (!string[i] || string[i] != s.at[i])
			return false;
	return !string[i];
}

static struct span between(const char *from, const char *to)
{
	return (struct span){ .at = from, .nr = (size_t)(to - from) };
}

/*
 * The ':' that ends the name, or NULL. In a path, colons are allowed, so only
 * one that is clearly followed by parameters counts.
 */
static const char *find_colon(struct span spec)
{
	const char *end = spec.at + spec.nr;
	const char *last = NULL;

	if (!find_char(spec, '/'))
		return find_char(spec, ':');
	for (const char *p = spec.at; p < end; p++)
		if (*p == ':')
			last = p;
	if (!last || !find_char(between(last, end), '=') ||
	    find_char(between(last, end), '/'))
		return NULL;
	return last;
}

/* Decimal digits only. Returns 0, or -EINVAL, or -ERANGE beyond 64 bits. */
static int read_u64(struct span s, uint64_t *value)
{
	uint64_t v = 0;
	bool is_too_big = false;

	if (!s.nr)
		return -EINVAL;
	for (size_t i = 0; i < s.nr; i++) {
		uint32_t digit;

		if (s.at[i] < '0' || s.at[i] > '9')
			return -EINVAL;
		digit = (uint32_t)(s.at[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			is_too_big = true;
		else
			v = v * 10 + digit;
	}
	if (is_too_big)
		return -ERANGE;
	*value = v;
	return 0;
}

static void add_quoted(struct strategy__text *t, struct span s)
{
	strategy__add(t, "'");
	strategy__add_bytes(t, s.at, s.nr);
	strategy__add(t, "'");
}

static void add_of_strategy(struct strategy__text *t,
			    const struct explore_strategy *strategy)
{
	strategy__add(t, " of strategy '");
	strategy__add(t, strategy->name);
	strategy__add(t, "'");
}

static int fail_unknown(struct strategy__text *t, struct span key,
			const struct explore_strategy *strategy)
{
	const struct explore_param *p = strategy->param;

	strategy__add(t, "unknown parameter ");
	add_quoted(t, key);
	add_of_strategy(t, strategy);
	if (!p || !p->name) {
		strategy__add(t, " (it has none)");
		return -EINVAL;
	}
	strategy__add(t, " (it has: ");
	for (const struct explore_param *i = p; i->name; i++) {
		if (i != p)
			strategy__add(t, ", ");
		strategy__add(t, i->name);
	}
	strategy__add(t, ")");
	return -EINVAL;
}

static int fail_range(struct strategy__text *t, struct span value,
		      const struct explore_param *p,
		      const struct explore_strategy *strategy)
{
	strategy__add(t, "value ");
	strategy__add_bytes(t, value.at, value.nr);
	strategy__add(t, " of parameter '");
	strategy__add(t, p->name);
	strategy__add(t, "'");
	add_of_strategy(t, strategy);
	strategy__add(t, " is out of range (");
	strategy__add_u64(t, p->min);
	strategy__add(t, " to ");
	strategy__add_u64(t, p->max);
	strategy__add(t, ")");
	return -EINVAL;
}

static int fail_number(struct strategy__text *t, struct span value,
		       const struct explore_param *p,
		       const struct explore_strategy *strategy)
{
	strategy__add(t, "a number expected for parameter '");
	strategy__add(t, p->name);
	strategy__add(t, "'");
	add_of_strategy(t, strategy);
	strategy__add(t, ", not ");
	add_quoted(t, value);
	return -EINVAL;
}

/* One "key=value". `seen` has a bit for each parameter given so far. */
static int read_one(struct span item, struct explore_setup *setup,
		    const struct explore_strategy *strategy, uint32_t *seen,
		    struct strategy__text *t)
{
	const char *equals = find_char(item, '=');
	const struct explore_param *p = strategy->param;
	struct span key = equals ? between(item.at, equals) : item;
	struct span value;
	uint32_t i = 0;
	int ret;

	if (!key.nr) {
		strategy__add(t, "a parameter expected, not ");
		add_quoted(t, item);
		return -EINVAL;
	}
	while (p && p[i].name && !is_span(key, p[i].name))
		i++;
	if (!p || !p[i].name)
		return fail_unknown(t, key, strategy);
	if (*seen & 1u << i) {
		strategy__add(t, "parameter ");
		add_quoted(t, key);
		add_of_strategy(t, strategy);
		strategy__add(t, " is given twice");
		return -EINVAL;
	}
	*seen |= 1u << i;
	value = equals ? between(equals + 1, item.at + item.nr) :
			 between(item.at + item.nr, item.at + item.nr);
	ret = read_u64(value, &setup->value[i]);
	if (ret == -EINVAL)
		return fail_number(t, value, &p[i], strategy);
	if (ret || setup->value[i] < p[i].min || setup->value[i] > p[i].max)
		return fail_range(t, value, &p[i], strategy);
	return 0;
}

static void fill_presets(struct explore_setup *setup,
			 const struct explore_strategy *strategy)
{
	setup->nr_values = 0;
	for (uint32_t i = 0; i < EXPLORE_MAX_PARAMS; i++)
		setup->value[i] = 0;
	if (!strategy->param)
		return;
	while (setup->nr_values < EXPLORE_MAX_PARAMS &&
	       strategy->param[setup->nr_values].name) {
		setup->value[setup->nr_values] =
			strategy->param[setup->nr_values].preset;
		setup->nr_values++;
	}
}

static int read_params(struct span rest, struct explore_setup *setup,
		       const struct explore_strategy *strategy,
		       struct strategy__text *t)
{
	const char *end = rest.at + rest.nr;
	uint32_t seen = 0;

	for (;;) {
		const char *comma = find_char(rest, ',');
		const char *stop = comma ? comma : end;
		int ret = read_one(between(rest.at, stop), setup, strategy,
				   &seen, t);

		if (ret)
			return ret;
		if (!comma)
			return 0;
		rest = between(comma + 1, end);
	}
}

int strategies_parse(const char *spec, char *name, size_t name_bytes,
		     struct explore_setup *setup,
		     const struct explore_strategy *strategy, char *err,
		     size_t err_bytes)
{
	struct span all = { .at = spec, .nr = strategy__length(spec) };
	const char *end = spec + all.nr;
	const char *colon = find_colon(all);
	struct span head = between(spec, colon ? colon : end);
	struct strategy__text t = strategy__text(err, err_bytes);
	struct strategy__text n = strategy__text(name, name_bytes);

	if (!head.nr) {
		strategy__add(&t, "a strategy's name expected, not ");
		add_quoted(&t, all);
		return -EINVAL;
	}
	if (head.nr >= name_bytes) {
		strategy__add(&t, "strategy name too long: ");
		add_quoted(&t, head);
		return -EINVAL;
	}
	strategy__add_bytes(&n, head.at, head.nr);
	if (!strategy)
		return 0;
	fill_presets(setup, strategy);
	return colon ? read_params(between(colon + 1, end), setup, strategy,
				   &t) : 0;
}
