// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The parser of the kernel's reports on any text. Each line is a record; '\1' at its start makes it
 * of another caller, '\2' says that the next one continues it, '\3' joins it with the next by a
 * newline within one record.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kernel/oops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct records {
	vec_fields(struct log_record);
};

static void split(char *text, struct records *records)
{
	uint64_t time_ns = 0;

	for (char *line = text; line;) {
		char *end = strchr(line, '\n');
		while (end && line[0] == '\3' && end[1]) /* the newline stays in the record */
			end = strchr(end + 1, '\n'), *line = ' ';
		if (end)
			*end = '\0';
		struct log_record r = { .time_ns = time_ns += 1000, .text = line };
		if (*line == '\1' || *line == '\2') {
			r.has_caller = *line == '\1';
			r.caller = r.has_caller ? (unsigned char)line[1] : 0;
			r.continued = *line == '\2';
			r.text++;
		}
		r.length = strlen(r.text);
		vec_push(records, r);
		line = end ? end + 1 : NULL;
	}
}

static size_t length(const char *s)
{
	return s ? strlen(s) : 0;
}

static size_t use_frames(const struct oops_frame *frames, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		const struct oops_frame *f = &frames[i];
		sum += length(f->place.function) + length(f->place.module) + length(f->place.file) +
		       length(f->stack) + (f->regs ? f->regs->known & 1 : 0);
	}
	return sum;
}

/* Touches all that was handed out. */
static size_t use(const struct oops_report *r, size_t log_count)
{
	size_t sum = strlen(r->kind) + strlen(r->header) + length(r->message) + length(r->file) +
		     length(r->comm) + length(r->taint) + length(r->release) + length(r->hardware) +
		     length(r->workqueue) + length(r->gfp) + length(r->victim) + length(r->cache) +
		     length(r->last_unloaded) + use_frames(r->frames, r->frame_count);

	if (!r->count || r->first + r->count > log_count || r->code_count > OOPS_CODE_MAX ||
	    (r->code_pc != SIZE_MAX && r->code_pc >= OOPS_CODE_MAX))
		abort();
	for (size_t i = 0; i < r->module_count; i++)
		sum += strlen(r->modules[i].name) + strlen(r->modules[i].taints);
	for (size_t i = 0; i < r->track_count; i++)
		sum += strlen(r->tracks[i].what) +
		       use_frames(r->tracks[i].frames, r->tracks[i].frame_count);
	for (size_t i = 0; i < r->zone_count; i++) {
		if (r->zones[i].orders > OOPS_ORDERS_MAX)
			abort();
		sum += strlen(r->zones[i].name);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct records records = { 0 };
	const struct oops_report *reports;
	size_t count, sum = 0;
	char *text = xmalloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	split(text, &records);
	oops_parse(records.data, records.count, &arena, &reports, &count);
	for (size_t i = 0; i < count; i++) {
		sum += use(&reports[i], records.count);
		if (i && reports[i].first < reports[i - 1].first)
			abort();
	}
	vec_deinit(&records);
	arena_deinit(&arena);
	free(text);
	return sum == SIZE_MAX;
}
