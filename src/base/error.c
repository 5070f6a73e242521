// SPDX-License-Identifier: LGPL-2.1-or-later
/* One allocation an error, made of its code and its one line of text. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { MESSAGE_MAX = 1024 };

/* Messages quote names out of a dump: whatever would break the one line becomes a '?'. */
static struct error *error_make(enum error_code code, const char *message)
{
	size_t len = strlen(message);
	struct error *err = xmalloc(sizeof(*err) + len + 1);

	err->code = code;
	for (size_t i = 0; i < len; i++)
		err->message[i] = (unsigned char)message[i] < ' ' ? '?' : message[i];
	err->message[len] = '\0';
	return err;
}

struct error *error_new(enum error_code code, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return error_make(code, message);
}

struct error *error_prefix(struct error *err, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	if (!err)
		return NULL;
	va_start(args, fmt);
	int n = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof(message))
		snprintf(message + n, sizeof(message) - (size_t)n, ": %s", err->message);
	struct error *prefixed = error_make(err->code, message);
	error_free(err);
	return prefixed;
}

void error_free(struct error *err)
{
	free(err);
}

void error_free_ptr(struct error **err)
{
	error_free(*err);
}
