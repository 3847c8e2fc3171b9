/* SPDX-License-Identifier: MIT */
/*
 * bpf.h - classic BPF programs as seccomp takes them: check, and run.
 *
 * Pure: it makes no call and keeps no state but a scratch table, so the unit
 * tests compare it with the kernel's own answers.
 */
#ifndef PRELOAD_BPF_H
#define PRELOAD_BPF_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define BPF_HIDDEN __attribute__((visibility("hidden")))

/* Whether the kernel would take that program as a seccomp filter. */
BPF_HIDDEN bool bpf_is_valid(const struct sock_filter *f, uint32_t nr);

/* What a valid program returns for a call: action and data. */
BPF_HIDDEN uint32_t bpf_run(const struct sock_filter *f,
			    const struct seccomp_data *data);

#endif /* PRELOAD_BPF_H */
