/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the machine was, as fields of a document; the report opens with the same. */
#pragma once

#include "base/doc.h"
#include "base/strbuf.h"
#include "kernel/session.h"
#include "kernel/system.h"

/* Adds crash's banner to the open record. */
void sys_record(struct session *session, struct doc *doc);
/* The taint flags as letters ("PO") and in words ("P proprietary module, O out-of-tree"). */
void sys_taint_text(uint64_t taint, struct strbuf *letters, struct strbuf *text);

/*
 * The dump file, and the machine, in at most @room columns each: what does not fit is left out.
 * Appended to @text.
 */
void sys_dump_text(struct session *session, size_t room, struct strbuf *text);
void sys_machine_text(const struct system_info *info, size_t room, struct strbuf *text);

struct command_args;
struct options;

/* sys -c: the table of system calls, all or those of the words (names and numbers). */
struct error *sys_calls(struct command_args *args, const struct options *options) must_check;
/* sys -i: the DMI strings that the kernel kept. */
struct error *sys_dmi(struct command_args *args) must_check;
/*
 * sys config: how the kernel was built, as it says itself, or from a file: @file, or when NULL from
 * the usual places. Words behind the first are patterns of names.
 */
struct error *sys_config(struct command_args *args, const struct options *options,
			 const char *file) must_check;
