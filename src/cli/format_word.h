/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "ps --csv -u": how one command's output is to look, said on its own line. */
#pragma once

#include "cli/options.h"

/*
 * The line without such words (--text, --json, --jsonl, --csv, --html, outside quotes), which the
 * caller frees; @format becomes what the last of them says, else stays.
 */
char *format_word_take(const char *line, enum cli_format *format);
