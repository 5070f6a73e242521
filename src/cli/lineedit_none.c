// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lines as the terminal gives them: no editing but its own, no completion. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/lineedit.h"

struct lineedit {
	int wake;
};

struct lineedit *lineedit_create(complete_fn complete unused_arg, void *ctx unused_arg, int wake)
{
	struct lineedit *edit = xcalloc(1, sizeof(*edit));

	edit->wake = wake;
	/* What is read ahead into a buffer could not be polled for. */
	setvbuf(stdin, NULL, _IONBF, 0);
	return edit;
}

void lineedit_vi(struct lineedit *edit unused_arg, bool vi unused_arg)
{
}

void lineedit_destroy(struct lineedit *edit)
{
	free(edit);
}

enum lineedit_result lineedit_read(struct lineedit *edit, const char *prompt, char **line)
{
	size_t size = 0;

	*line = NULL;
	fputs(prompt, stdout);
	fflush(stdout);
	for (;;) {
		struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
					 { .fd = edit->wake, .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (fds[1].revents & POLLIN) {
			puts("^C");
			return LINEEDIT_INTERRUPTED;
		}
		break;
	}
	if (getline(line, &size, stdin) < 0) {
		free(*line);
		*line = NULL;
		return LINEEDIT_END;
	}
	(*line)[strcspn(*line, "\n")] = '\0';
	return LINEEDIT_LINE;
}

void lineedit_remember(struct lineedit *edit unused_arg, const char *line unused_arg)
{
}
