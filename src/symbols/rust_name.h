/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that rustc makes for symbols, back into what the source calls them. */
#pragma once

#include <stdbool.h>

struct strbuf;

/*
 * "_RNvNtCs..._6kernel5print11call_printk" -> "kernel::print::call_printk": the v0 scheme (RFC 2603)
 * and the legacy one ("_ZN...17h<hash>E"), without hashes of crates. False, and nothing is added,
 * when @name is neither. Whatever @name is, the time and the text are bounded.
 */
bool rust_name(const char *name, struct strbuf *out);
