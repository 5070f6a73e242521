// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: a dump's files are mapped and looked at through views, which hide whether
 * they are flattened. The first format whose probe takes the first file reads the headers of all,
 * once; from then on nothing changes, and reads of pages go straight to the format.
 */
#include "dump/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/format.h"

static const struct dump_format *const formats[] = {
	&kdump_format,
	&elf_format,
	&text_format, /* the last: it looks for words all over the file */
};

enum { PROBLEMS_MAX = 64, FILES_MAX = 4096 };

const char *read_status_text(enum read_status status)
{
	switch (status) {
	case READ_OK:
		return "ok";
	case READ_EXCLUDED:
		return "excluded from the dump";
	case READ_UNMAPPED:
		return "not mapped";
	case READ_TRUNCATED:
		return "missing: the dump is cut off";
	case READ_CORRUPT:
		return "damaged in the dump";
	}
	return "?";
}

void dump_problem(struct dump *dump, const char *fmt, ...)
{
	char text[512];
	va_list args;

	/* A file with thousands of things wrong is not described better by all of them. */
	if (dump->problems.count >= PROBLEMS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vec_push(&dump->problems, arena_strdup(&dump->arena, text));
}

static struct dump *dump_new(size_t count)
{
	struct dump *dump = xcalloc(1, sizeof(*dump));

	dump->files = xcalloc(count, sizeof(*dump->files));
	dump->file_count = count;
	dump->codecs = xcalloc(1, sizeof(*dump->codecs));
	dump->info.format = dump->info.compression = "";
	return dump;
}

void dump_close(struct dump *dump)
{
	if (!dump)
		return;
	if (dump->format)
		dump->format->close(dump);
	overlay_destroy(dump->overlay);
	for (size_t i = 0; i < dump->file_count; i++) {
		view_deinit(&dump->files[i].view);
		filemap_close(dump->files[i].map);
	}
	free(dump->files);
	codec_pool_deinit(dump->codecs);
	free(dump->codecs);
	vec_deinit(&dump->problems);
	vec_deinit(&dump->notes);
	arena_deinit(&dump->arena);
	free(dump);
}

static struct error *open_format(struct dump *dump)
{
	struct dump_info *info = &dump->info;

	for (size_t i = 0; i < array_size(formats) && !dump->format; i++)
		if ((dump->as_text && formats[i] == &text_format) ||
		    (!dump->as_text && formats[i]->probe(&dump->files[0].view)))
			dump->format = formats[i];
	if (!dump->format)
		return dump_unknown_format(&dump->files[0].view);
	info->files = (unsigned)dump->file_count;
	for (size_t i = 0; i < dump->file_count; i++) {
		info->file_size += dump->files[i].view.data_size;
		info->flattened |= dump->files[i].view.flattened;
	}
	struct error *err = dump->format->open(dump);
	if (err)
		return err;
	info->problems = dump->problems.data;
	info->problem_count = dump->problems.count;
	info->notes = dump->notes.data;
	info->note_count = dump->notes.count;
	return NULL;
}

static struct error *open_file(struct dump *dump, struct dump_file *file, const char *path)
{
	const char *slash = strrchr(path, '/');

	struct error *err = filemap_open(path, &file->map);
	if (err)
		return err;
	file->name = arena_strdup(&dump->arena, strcmp(path, "-") == 0 ? "standard input"
						: slash && slash[1]    ? slash + 1
								       : path);
	return error_prefix(view_init(&file->view, file->map->data, file->map->size), "%s", path);
}

static struct error *open_as(const char *const *paths, size_t count, bool as_text,
			     struct dump **dump)
{
	struct error *err = NULL;

	if (!count || count > FILES_MAX)
		return error_new(ERROR_USAGE, "%s files given as one dump",
				 count ? "too many" : "no");
	struct dump *d = dump_new(count);
	d->as_text = as_text;
	for (size_t i = 0; i < count && !err; i++)
		err = open_file(d, &d->files[i], paths[i]);
	if (!err)
		err = error_prefix(open_format(d), "%s", paths[0]);
	if (err) {
		dump_close(d);
		return err;
	}
	*dump = d;
	return NULL;
}

struct error *dump_open(const char *const *paths, size_t count, struct dump **dump)
{
	return open_as(paths, count, false, dump);
}

struct error *dump_open_text(const char *const *paths, size_t count, struct dump **dump)
{
	return open_as(paths, count, true, dump);
}

struct error *dump_open_memory(const void *const *data, const size_t *sizes, size_t count,
			       struct dump **dump)
{
	struct error *err = NULL;

	struct dump *d = dump_new(count);
	for (size_t i = 0; i < count && !err; i++) {
		d->files[i].name = "memory";
		err = view_init(&d->files[i].view, data[i], sizes[i]);
	}
	if (!err)
		err = open_format(d);
	if (err) {
		dump_close(d);
		return err;
	}
	*dump = d;
	return NULL;
}

const struct dump_info *dump_info(const struct dump *dump)
{
	return &dump->info;
}

enum read_status dump_read_page(const struct dump *dump, uint64_t pfn, uint8_t *buffer,
				struct dump_page *page)
{
	const uint8_t *changed = dump->overlay ? overlay_page(dump->overlay, pfn) : NULL;

	if (!changed)
		return dump->format->read_page(dump, pfn, buffer, page);
	page->data = changed;
	overlay_span(dump->overlay, pfn, &page->from, &page->to);
	return READ_OK;
}

enum read_status dump_has_page(const struct dump *dump, uint64_t pfn)
{
	return dump->format->has_page(dump, pfn);
}

bool dump_next_page(const struct dump *dump, uint64_t *pfn)
{
	return dump->format->next_page(dump, pfn);
}

void dump_will_need(const struct dump *dump, uint64_t pfn, uint64_t count)
{
	dump->format->will_need(dump, pfn, count);
}

size_t dump_read_file(const struct dump *dump, uint64_t offset, void *buf, size_t size)
{
	const struct filemap *map = dump->file_count ? dump->files[0].map : NULL;

	if (!map || offset >= map->size)
		return 0;
	size = min_u64(size, map->size - offset);
	memcpy(buf, (const uint8_t *)map->data + offset, size);
	return size;
}
