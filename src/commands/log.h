/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to log.c and log_other.c: what the command shows that is not the log itself. */
#pragma once

#include "commands/command.h"

struct strbuf;

/* -a: audit records that nobody has fetched. */
struct error *log_audit(struct command_args *args) must_check;
/* -s: what is left in the printk_safe buffers of kernels before 5.15. */
struct error *log_safe(struct command_args *args) must_check;
/* @text with symbols of Rust in it as the source has them. */
void log_rust_names(const char *text, struct strbuf *out);
