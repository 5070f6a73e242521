// SPDX-License-Identifier: LGPL-2.1-or-later
/* Waiting is poll() on the descriptor that Ctrl-C wakes; @fn looks at the flag itself. */
#include "cli/repeat_line.h"

#include <poll.h>

struct error *repeat_line(const char *line, int wake, repeat_fn fn, void *ctx)
{
	struct repeat repeat;

	struct error *err = repeat_parse(line, &repeat);
	if (err)
		return err;
	if (!repeat.count && wake < 0)
		return error_new(ERROR_USAGE, "repeat: without a terminal nobody can stop it: "
				 "give a number of runs with -n");
	for (uint64_t i = 1; fn(ctx, repeat.command) && i != repeat.count; i++) {
		struct pollfd fd = { .fd = wake, .events = POLLIN };
		double ms = repeat.seconds * 1000;
		/* poll() counts in int; pieces of an hour are as good as a whole. */
		for (; ms > 0 && !(fd.revents & POLLIN); ms -= 3600e3)
			poll(&fd, 1, (int)(ms < 3600e3 ? ms : 3600e3));
		if (fd.revents & POLLIN)
			break;
	}
	return NULL;
}
