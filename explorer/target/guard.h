/* SPDX-License-Identifier: MIT */
/*
 * guard.h - the seccomp filter that every target gets.
 */
#ifndef EXPLORER_TARGET_GUARD_H
#define EXPLORER_TARGET_GUARD_H

#include "base/errbuf.h"
#include "explorer/target/ward.h"

/* A filter that refuses what could harm the system, with EPERM. */
struct guard;

int guard_new(struct guard **out, enum ward_kind kind, struct errbuf *err);
/*
 * For this process, for ever. Async-signal-safe. Returns -errno, or 0; or, for
 * a plain ward, a descriptor for ward_send_listener().
 */
int guard_load(const struct guard *g);
void guard_free(struct guard *g);

#endif /* EXPLORER_TARGET_GUARD_H */
