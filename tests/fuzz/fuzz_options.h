/* SPDX-License-Identifier: MIT */
/*
 * fuzz_options.h - one attempt to upset the option parsers; shared by the
 * libFuzzer target and the driver that runs everywhere.
 */
#ifndef TESTS_FUZZ_OPTIONS_H
#define TESTS_FUZZ_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Input: arguments separated by newlines. Parse them as a command line, and
 * each of them as a budget and as a strategy. Aborts when a parser breaks a
 * promise. Returns 1 when the command line was accepted, else 0.
 */
int fuzz_options_one(const uint8_t *data, size_t bytes);

#endif /* TESTS_FUZZ_OPTIONS_H */
