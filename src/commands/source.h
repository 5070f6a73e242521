/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source lines in what commands show. */
#pragma once

#include "base/strbuf.h"
#include "commands/command.h"

/*
 * "net/core/skbuff.c:666, inlined kfree_skb_list, skb_release_data": the line of @address (for a
 * return address minus 1), and the inlined functions that it is in, innermost first. Adds nothing
 * where there is no debug info.
 */
void source_place(struct session *session, uint64_t address, struct strbuf *text);
/* "vmlinux-6.1.0-56-amd64 (build-id matches), ext4.ko (...)": debug files used so far, or "none". */
void source_files_text(struct session *session, struct strbuf *text);
/* The text of a line of source, without the blanks before it; false without --source or file. */
bool source_line_text(struct session *session, const struct source_line *at, char *buf,
		      size_t size);
/*
 * The source around @address: its file and line, the text from a little before to the last line of
 * the code before @end, the end of its function; or @count lines behind, when that is no
 * UINT64_MAX. An error where there is no debug info.
 */
struct error *source_listing(struct command_args *args, uint64_t address, uint64_t end,
			     uint64_t count) must_check;
