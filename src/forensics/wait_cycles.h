/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rings of tasks and who is held up by whom: a part of wait_graph.c that needs no session. */
#pragma once

#include "forensics/wait_graph.h"

/* Fills the graph's cycles, and the cycle of each node, by the resources' owners. */
void wait_cycles_find(struct wait_graph *g);
/* Fills the victims of each node that owns something (node.owned). */
void wait_victims_count(struct wait_graph *g);
