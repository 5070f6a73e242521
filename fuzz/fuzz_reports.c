// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the log says of a crash, taken apart further, on any text, each line of it a record ('\1'
 * stands for a newline within one): words of the kernel's checkers, machine checks, the report of
 * the out-of-memory killer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "diagnosis/checks.h"
#include "diagnosis/mce.h"
#include "diagnosis/oom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct records {
	vec_fields(struct log_record);
};

static void split(char *text, struct records *records)
{
	for (char *line = text; line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		for (char *c = line; *c; c++) {
			if (*c == '\1')
				*c = '\n';
		}
		vec_push(records, ((struct log_record){ .text = line, .length = strlen(line) }));
		line = end ? end + 1 : NULL;
	}
}

static size_t length(const char *s)
{
	return s ? strlen(s) : 0;
}

static size_t use_checks(const struct log_record *log, size_t count)
{
	struct check_words words;

	if (!check_decode(log->text, log + 1, count - 1, &words))
		return length(check_slab_title(log->text));
	/* Each is an array: all of it would be read if it had no end. */
	return strlen(words.sentence) + strlen(words.suspect.function) +
	       strlen(words.suspect.module) + length(words.suspect_why) + length(words.next);
}

static size_t use_mce(const struct log_record *log, size_t count)
{
	struct mce_event event;
	char what[256], flags[256];

	if (!mce_parse(log, count, &event))
		return 0;
	if (event.record < log || event.record >= log + count)
		abort();
	mce_what(event.status, what, sizeof(what));
	mce_flags(&event, flags, sizeof(flags));
	return strlen(what) + strlen(flags) + length(event.reason);
}

static size_t use_oom(const struct records *records, struct arena *arena)
{
	struct facts facts = { .log = records->data, .log_count = records->count,
			       .arena = arena };
	struct oom_log report;
	struct memory_use use;
	struct oom_eater eater;
	const char *name = NULL;
	uint64_t bytes;
	size_t sum = 0;

	for (size_t i = 0; i < records->count && !facts.panic_record; i++) {
		if (strstr(records->data[i].text, "Kernel panic"))
			facts.panic_record = &records->data[i];
	}
	oom_log_parse(&facts, &report);
	if (!report.head)
		return 0;
	if (report.head < facts.log || report.end <= report.head ||
	    report.end > facts.log + facts.log_count ||
	    (report.tasks && (report.tasks < report.head || report.tasks >= report.end)))
		abort();
	use_from_log(&facts, &report, &use);
	if (oom_log_eater(&facts, &report, &eater))
		sum += length(eater.comm);
	if (oom_log_slab(&facts, &report, &name, &bytes))
		sum += strlen(name);
	return sum + length(report.comm) + length(report.path) + length(report.constraint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct records records = { 0 };
	size_t sum = 0;
	char *text = xmalloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	split(text, &records);
	for (size_t i = 0; i < records.count; i++) {
		sum += use_checks(&records.data[i], records.count - i);
		sum += use_mce(&records.data[i], records.count - i);
	}
	sum += use_oom(&records, &arena);
	vec_deinit(&records);
	arena_deinit(&arena);
	free(text);
	return sum == SIZE_MAX;
}
