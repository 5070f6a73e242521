/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "search: 12,000 of 131,072 pages (9 %), 1.2 s" on the terminal, for commands that take longer than
 * half a second; gone when they are done. What is counted comes from base/progress.h.
 */
#pragma once

#include <pthread.h>
#include <time.h>

#include "base/compiler.h"
#include "base/progress.h"

struct progress_line {
	const struct progress *progress;
	char name[24]; /* of the command */
	struct timespec began;
	bool watching, over, drawn;
	pthread_t watcher;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

/*
 * Watches from here on, when standard error is a terminal that can erase a line. @line: what was
 * typed. @progress NULL: only the time is shown.
 */
void progress_line_start(struct progress_line *line, const struct progress *progress,
			 const char *typed);
/* Erases it. */
void progress_line_stop(struct progress_line *line);
/* Makes the line that the cursor is on empty (of the "^C" that a terminal echoes), where it can. */
void progress_line_erase(void);
