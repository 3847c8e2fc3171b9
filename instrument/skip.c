/* SPDX-License-Identifier: MIT */
/*
 * skip.c - why code was left unpatched, in words.
 */
#include "instrument/instrument.h"

static const char *const text[INSTRUMENT_SKIP_NR] = {
	[INSTRUMENT_SKIP_FRAME] = "accesses to stack frames that are private",
	[INSTRUMENT_SKIP_TLS] = "accesses to thread-local data",
	[INSTRUMENT_SKIP_READ_ONLY] = "accesses to constant data",
	[INSTRUMENT_SKIP_BRANCH] = "calls and jumps through memory",
	[INSTRUMENT_SKIP_GATHER] = "gathers, scatters and masked accesses",
	[INSTRUMENT_SKIP_ADDRESS] = "accesses by 32-bit addresses",
	[INSTRUMENT_SKIP_UNREACHED] =
		"accesses that nothing seems to reach (perhaps data)",
	[INSTRUMENT_SKIP_ROOM] = "accesses without room for a trampoline",
	[INSTRUMENT_SKIP_OTHER] = "accesses of an unusual kind",
	[INSTRUMENT_SKIP_UNDECODED] =
		"functions with bytes that are no instructions",
	[INSTRUMENT_SKIP_MISREAD] =
		"functions with jumps into the middle of an instruction",
	[INSTRUMENT_SKIP_OVERLAP] = "functions that overlap",
	[INSTRUMENT_SKIP_WRITABLE] = "functions in writable memory",
	[INSTRUMENT_SKIP_UNLISTED] =
		"stretches of code without unwind tables",
};

const char *instrument_skip_text(enum instrument_skip why)
{
	return (unsigned int)why < INSTRUMENT_SKIP_NR ? text[why] : "";
}
