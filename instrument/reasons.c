/* SPDX-License-Identifier: MIT */
/*
 * reasons.c - why code is not watched, in words for a person.
 */
#include "instrument/instrument.h"

#include <stddef.h>

static const struct instrument_reason reasons[INSTRUMENT_SKIP_NR] = {
	[INSTRUMENT_SKIP_FRAME] = { "in a function's own frame", NULL },
	[INSTRUMENT_SKIP_TLS] = { "thread-local", NULL },
	[INSTRUMENT_SKIP_READ_ONLY] = { "of constants", NULL },
	[INSTRUMENT_SKIP_BRANCH] = { "by calls and jumps through memory", NULL },
	[INSTRUMENT_SKIP_GATHER] = { "by gather or masked instructions", NULL },
	[INSTRUMENT_SKIP_UNDECODED] = {
		"function with bytes that do not decode",
		"functions with bytes that do not decode",
	},
	[INSTRUMENT_SKIP_OVERLAP] = {
		"function that overlaps another",
		"functions that overlap others",
	},
	[INSTRUMENT_SKIP_OTHER] = { "of other kinds", NULL },
};

const struct instrument_reason *instrument_reason(enum instrument_skip skip)
{
	static const struct instrument_reason unnamed = {
		"for a reason without a name", NULL,
	};

	if ((unsigned int)skip >= INSTRUMENT_SKIP_NR || !reasons[skip].one)
		return &unnamed;
	return &reasons[skip];
}
