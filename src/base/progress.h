/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a long loop is, for a line on the terminal that cli/progress_line.h draws. Whatever may
 * take over half a second says so:
 *
 *	struct progress *p = progress_start(&session->progress, "pages", count);
 *	for (...; !session_stopped(session); progress_add(p, 1))
 *		...
 *	progress_stop(p);
 *
 * Only the outermost loop counts: those inside it get NULL, which the others take and ignore. Any
 * thread may add. Ask session_stopped() in the same loop, so that Ctrl-C works, too.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	_Atomic(const char *) what; /* NULL: nothing is counted */
	atomic_uint_fast64_t done, total;
};

/*
 * @what: what is counted, in the plural ("pages"); a literal. @total 0: how many is not known.
 * Returns @progress, or NULL when a loop around this one is counting already.
 */
static inline struct progress *progress_start(struct progress *progress, const char *what,
					      uint64_t total)
{
	const char *none = NULL;

	if (!progress || atomic_load(&progress->what))
		return NULL;
	atomic_store(&progress->done, 0);
	atomic_store(&progress->total, total);
	return atomic_compare_exchange_strong(&progress->what, &none, what) ? progress : NULL;
}

static inline void progress_add(struct progress *progress, uint64_t n)
{
	if (progress)
		atomic_fetch_add_explicit(&progress->done, n, memory_order_relaxed);
}

static inline void progress_stop(struct progress *progress)
{
	if (progress)
		atomic_store(&progress->what, NULL);
}
