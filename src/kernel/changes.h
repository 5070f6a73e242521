/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the user has changed by hand, as every later read sees it. The dump stays as it is. */
#pragma once

#include "kernel/session.h"

struct change {
	uint64_t address; /* as it was given */
	struct paddr paddr;
	unsigned size;    /* bytes: 1, 2, 4 or 8 */
	uint64_t before, after;
};

/*
 * Writes @size bytes of @value at @paddr, which @address stands for; @change may be NULL. The bytes
 * must not cross a page. Anything but READ_OK: nothing was changed, as the dump lacks the page.
 * What the session had read out of memory is forgotten, see session_forget().
 */
enum read_status memory_change(struct session *s, uint64_t address, struct paddr paddr,
			       unsigned size, uint64_t value, struct change *change) must_check;
/* All changes in the order in which they were made. */
const struct change *changes(struct session *s, size_t *count);
/* Takes all back; returns how many there were. */
size_t changes_drop(struct session *s);
/* Were there changes since this was asked last? So that they are told once. */
bool changes_untold(struct session *s);
