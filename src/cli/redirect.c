// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pipes, files and shell commands. Children get back what the shell has changed for itself: SIGINT
 * unblocked, SIGPIPE deadly.
 */
#include "cli/redirect.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

extern char **environ;

/*
 * In a pipeline a ">" compares, unless what follows can be no operand: a path that begins with a
 * slash or a dot, or a quoted one.
 */
static bool goes_to_file(const char *s)
{
	s += s[1] == '>' ? 2 : 1;
	while (isspace((unsigned char)*s))
		s++;
	return *s == '/' || *s == '.' || *s == '"' || *s == '\'';
}

/*
 * The first operator outside quotes and parentheses; NULL when there is none. "|>" is none of them:
 * it hands objects on (pipeline/pipeline.h).
 */
static const char *find_operator(const char *line)
{
	bool pipeline = false;
	unsigned depth = 0;
	char quote = '\0';

	for (const char *s = line; *s; s++) {
		if (quote) {
			if (*s == quote)
				quote = '\0';
		} else if (*s == '\'' || *s == '"') {
			quote = *s;
		} else if (*s == '(') {
			depth++;
		} else if (*s == ')') {
			depth -= depth > 0;
		} else if (!depth && *s == '|') {
			if (s[1] != '|' && s[1] != '>')
				return s;
			pipeline |= s[1] == '>';
			s++;
		} else if (pipeline && *s == '>') {
			if (!depth && goes_to_file(s))
				return s;
			s += s[1] == '>';
		} else if (!depth && *s == '>' && (s == line || s[-1] != '-') && s[1] != '=') {
			return s;
		}
	}
	return NULL;
}

static char *trimmed(const char *start, const char *end)
{
	while (start < end && isspace((unsigned char)*start))
		start++;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	return xstrndup(start, (size_t)(end - start));
}

/* Takes the quotes off a file's name. */
static void unquote(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		if (*from != '\'' && *from != '"')
			*to++ = *from;
	}
	*to = '\0';
}

/* "COMMAND < FILE", where there is such a file: in an expression it is "less than". */
static void takes_lines(struct redirect *r)
{
	char *at = strrchr(r->command, '<');

	if (!at || at == r->command || !isspace((unsigned char)at[-1]) || strstr(r->command, "|>"))
		return;
	char *name = trimmed(at + 1, at + strlen(at));
	unquote(name);
	if (!*name || access(name, R_OK) != 0) {
		free(name);
		return;
	}
	r->target = name;
	while (at > r->command && isspace((unsigned char)at[-1]))
		at--;
	*at = '\0';
	r->kind = REDIRECT_LINES;
}

struct error *redirect_parse(const char *line, struct redirect *r)
{
	*r = (struct redirect){ 0 };
	while (isspace((unsigned char)*line))
		line++;
	if (*line == '!') {
		r->kind = REDIRECT_SHELL;
		r->command = xstrdup("");
		r->target = trimmed(line + 1, line + strlen(line));
		if (!*r->target)
			return error_new(ERROR_USAGE, "which shell command?");
		return NULL;
	}
	const char *at = find_operator(line);
	r->command = trimmed(line, at ? at : line + strlen(line));
	if (!at) {
		takes_lines(r);
		return NULL;
	}
	r->kind = *at == '|' ? REDIRECT_PIPE : at[1] == '>' ? REDIRECT_APPEND : REDIRECT_FILE;
	at += r->kind == REDIRECT_APPEND ? 2 : 1;
	r->target = trimmed(at, at + strlen(at));
	if (!*r->command)
		return error_new(ERROR_USAGE, "there is no command before the \"%c\"",
				 r->kind == REDIRECT_PIPE ? '|' : '>');
	if (r->kind != REDIRECT_PIPE)
		unquote(r->target);
	if (!*r->target)
		return error_new(ERROR_USAGE, r->kind == REDIRECT_PIPE ? "into which shell command?"
								      : "into which file?");
	return NULL;
}

void redirect_deinit(struct redirect *r)
{
	free(r->command);
	free(r->target);
	*r = (struct redirect){ 0 };
}

static struct error *spawn(const char *command, int input, pid_t *pid)
{
	const char *const words[] = { "sh", "-c", command, NULL };
	char *argv[array_size(words)];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;

	/* argv's type lacks a const that it means. */
	memcpy(argv, words, sizeof(argv));
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGINT);
	posix_spawn_file_actions_init(&actions);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	int failed = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (failed)
		return error_new(ERROR_SYSTEM, "cannot run %s: %s", command, strerror(failed));
	return NULL;
}

struct error *sink_spawn(const char *command, struct sink *sink)
{
	int ends[2];

	if (!sink) {
		pid_t pid;
		struct error *err = spawn(command, -1, &pid);
		struct sink own = { .pid = pid };
		if (!err)
			sink_close(&own);
		return err;
	}
	*sink = (struct sink){ 0 };
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_new(ERROR_SYSTEM, "cannot make a pipe: %s", strerror(errno));
	struct error *err = spawn(command, ends[0], &sink->pid);
	close(ends[0]);
	if (!err)
		sink->out = fdopen(ends[1], "w");
	if (!sink->out)
		close(ends[1]);
	if (!err && !sink->out)
		return error_new(ERROR_SYSTEM, "cannot write to %s", command);
	return err;
}

struct error *sink_open(const struct redirect *r, struct sink *sink)
{
	if (r->kind == REDIRECT_PIPE)
		return sink_spawn(r->target, sink);
	*sink = (struct sink){ .out = fopen(r->target, r->kind == REDIRECT_APPEND ? "ae" : "we") };
	if (!sink->out)
		return error_new(ERROR_SYSTEM, "cannot write %s: %s", r->target, strerror(errno));
	return NULL;
}

int sink_close(struct sink *sink)
{
	int status = 0;
	bool written = !sink->out || fclose(sink->out) == 0;

	sink->out = NULL;
	if (!sink->pid)
		return written ? 0 : -1;
	while (waitpid(sink->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	/* That the reader has left before the end is its own affair. */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
