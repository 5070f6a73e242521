/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who of those that spin for a lock gets it next: a part of wait_graph.c. */
#pragma once

#include "forensics/wait_graph.h"

/* Fills the places of all nodes that spin. */
void wait_lines_find(struct session *s, struct wait_graph *graph);
/*
 * The nodes that wait for a resource and of which the place is known, the first in line first; how
 * many, @max at the most.
 */
size_t wait_line_of(const struct wait_graph *graph, size_t resource, size_t *nodes, size_t max);
