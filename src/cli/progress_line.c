// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A thread for each command that runs at a terminal: it sleeps for half a second, and is woken when
 * the command is done by then. The line is written straight to the terminal, so that it mixes with
 * nobody's buffers, and ends with the code that erases what a longer one left behind.
 */
#include "cli/progress_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/strbuf.h"

enum { FIRST_MS = 500, NEXT_MS = 100, WIDTH_USUAL = 80 };

#define ERASE_LINE "\r\033[K" /* ECMA-48: erase to the end of the line */

/* 1234567 as "1,234,567". */
static void add_number(struct strbuf *out, uint64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			strbuf_add_char(out, ',');
		strbuf_add_char(out, digits[i]);
	}
}

static double seconds_since(const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began->tv_sec) +
	       (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

static void draw(struct progress_line *line)
{
	const char *what = line->progress ? atomic_load(&line->progress->what) : NULL;
	size_t width = WIDTH_USUAL;
	auto_strbuf text = { 0 };
	struct winsize size;

	strbuf_addf(&text, "%s: ", line->name);
	if (what) {
		uint64_t done = atomic_load(&line->progress->done);
		uint64_t total = atomic_load(&line->progress->total);
		add_number(&text, done);
		if (total) {
			strbuf_add(&text, " of ");
			add_number(&text, total);
		}
		strbuf_addf(&text, " %s", what);
		if (total)
			strbuf_addf(&text, " (%.0f %%)",
				    100.0 * (double)(done < total ? done : total) / (double)total);
		strbuf_add(&text, ", ");
	}
	strbuf_addf(&text, "%.1f s", seconds_since(&line->began));
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col;
	/* The last column stays free: a terminal would go to the next line. */
	line->drawn = true;
	dprintf(STDERR_FILENO, "%.*s", (int)(width - 1), text.data);
}

/* Waits until the command is over, at most @ms. */
static bool is_over(struct progress_line *line, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!line->over) {
		if (pthread_cond_timedwait(&line->wake, &line->lock, &until) == ETIMEDOUT)
			break;
	}
	return line->over;
}

static void *watch(void *data)
{
	struct progress_line *line = data;

	pthread_mutex_lock(&line->lock);
	for (unsigned ms = FIRST_MS; !is_over(line, ms); ms = NEXT_MS) {
		if (write(STDERR_FILENO, ERASE_LINE, strlen(ERASE_LINE)) < 0)
			break;
		draw(line);
	}
	pthread_mutex_unlock(&line->lock);
	return NULL;
}

static bool can_erase(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void progress_line_erase(void)
{
	if (can_erase() && write(STDERR_FILENO, ERASE_LINE, strlen(ERASE_LINE)) < 0)
		return;
}

void progress_line_start(struct progress_line *line, const struct progress *progress,
			 const char *typed)
{
	pthread_condattr_t attributes;

	*line = (struct progress_line){ .progress = progress };
	if (!can_erase())
		return;
	typed += strspn(typed, " \t");
	snprintf(line->name, sizeof(line->name), "%.*s", (int)strcspn(typed, " \t"), typed);
	clock_gettime(CLOCK_MONOTONIC, &line->began);
	pthread_mutex_init(&line->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&line->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	line->watching = pthread_create(&line->watcher, NULL, watch, line) == 0;
}

void progress_line_stop(struct progress_line *line)
{
	if (!line->watching)
		return;
	pthread_mutex_lock(&line->lock);
	line->over = true;
	pthread_cond_signal(&line->wake);
	pthread_mutex_unlock(&line->lock);
	pthread_join(line->watcher, NULL);
	pthread_cond_destroy(&line->wake);
	pthread_mutex_destroy(&line->lock);
	if (line->drawn)
		progress_line_erase();
}
