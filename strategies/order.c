/* SPDX-License-Identifier: MIT */
/*
 * order.c - the order in which a point's answers are tried, and its hash.
 */
#include "strategies/internal.h"

/* Index of the first candidate behind `task`, nr when there is none. */
static uint32_t first_behind(const struct explore_point *point, uint32_t task)
{
	uint32_t low = 0, high = point->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (point->candidate[middle].task > task)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint32_t strategy__ranked(const struct explore_point *point, uint32_t rank)
{
	uint64_t index = rank;

	if (point->kind != EXPLORE_POINT_TASK)
		return rank;
	if (strategy__is_preemptible(point))
		index += (uint32_t)point->previous;
	else
		index += first_behind(point, point->previous_task);
	return (uint32_t)(index % point->nr);
}

uint32_t strategy__fingerprint(const struct explore_point *point)
{
	uint64_t hash = strategy__mix((uint64_t)point->kind << 32 | point->nr);

	if (point->candidate)
		for (uint32_t i = 0; i < point->nr; i++) {
			const struct explore_op *op = &point->candidate[i];

			hash = strategy__mix(hash ^ ((uint64_t)op->task << 32 |
						     op->kind));
			hash += op->object;
		}
	return (uint32_t)strategy__mix(hash + point->previous_task);
}
