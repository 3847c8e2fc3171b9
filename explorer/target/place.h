/* SPDX-License-Identifier: MIT */
/*
 * place.h - where a run failed, as one number.
 */
#ifndef EXPLORER_TARGET_PLACE_H
#define EXPLORER_TARGET_PLACE_H

#include <stdint.h>

#include "preload/region/control.h"

/* Verdict and place, hashed: equal for what is likely the same bug. */
uint64_t place_of_failure(const struct control *c);

#endif /* EXPLORER_TARGET_PLACE_H */
