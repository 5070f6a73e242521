/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The crash stack as names: what rules and signatures compare. */
#pragma once

#include "diagnosis/diagnosis.h"

struct chain_link {
	const char *function; /* as in the source: without ".isra.0" and the like */
	const char *module;   /* NULL: the kernel itself */
	size_t frame;         /* in the stack */
	bool interrupted;     /* by an exception: what is above it belongs to that */
};

struct chain {
	const struct chain_link *links;
	size_t count;
};

/*
 * Of the crash stack, from the top: without guessed frames, without the way from the trouble down
 * to the dump (panic(), oops_end(), machine_kexec() ...) and without the code that an exception
 * enters the kernel by.
 */
struct chain chain_of_crash(const struct facts *facts);
/*
 * Of the last report of that kind in the log (struct anomaly), with the place where the CPU was: a
 * watchdog complains about one CPU or task, and another may be the one that panics, or none. Its
 * links have no frames.
 */
struct chain chain_of_report(const struct facts *facts, const char *kind);
/* That kind, of a watchdog's finding ("softlockup": "soft lockup"); NULL: it is none. */
const char *chain_watchdog(const char *finding_kind);
/* The name in the source: the compiler's suffixes (".isra.0", ".cold", ".llvm.1") are cut off. */
const char *chain_source_name(struct arena *arena, const char *symbol);
/* Is this how the kernel goes down, or an exception's entry: no part of what went wrong? */
bool chain_is_crash_path(const char *function);
