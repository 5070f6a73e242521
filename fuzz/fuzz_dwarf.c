// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DWARF's types. The input is four 16-bit lengths, the sections .debug_abbrev, .debug_str,
 * .debug_line_str and .debug_str_offsets of these lengths, and the rest is .debug_info; it serves
 * as its own alternate file. Every question is asked about what each offset might be, and about the
 * names in .debug_str.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "types/dwarf.h"

#include "ask_types.h"

#define OFFSETS     512
#define OFFSET_STEP 7
#define NAMES       64
#define INPUT_MAX   8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy, so that a read past the end is seen. */
static struct span take(struct bytes *b, size_t size)
{
	struct span span = { .size = size < bytes_left(b) ? size : bytes_left(b) };
	uint8_t *copy = xmalloc(span.size);

	if (span.size)
		memcpy(copy, bytes_take(b, span.size), span.size);
	span.data = copy;
	return span;
}

static void ask_name(struct dwarf *dwarf, const char *name, const uint8_t *data, size_t size)
{
	const struct type_source *source = &dwarf->source;
	struct type type;
	int64_t value;

	for (int as = NAME_ANY; as <= NAME_VARIABLE; as++) {
		if (source->ops->find(source, (enum name_class)as, name, &type))
			ask_type(type, data, size);
	}
	(void)source->ops->find_enumerator(source, name, &value);
	(void)dwarf_find_variable(dwarf, name, 0x1000, &type);
}

static void ask(const struct dwarf_sections sections[DWARF_FILES], const uint64_t *hubs,
		size_t hub_count, const uint8_t *data, size_t size)
{
	struct index_identity identity = { 0 };
	struct dwarf *dwarf = dwarf_create(sections, &identity, hubs, hub_count);
	const struct span *str = &dwarf->sections[DWARF_MAIN].str;
	unsigned names = 0;

	size = size < 256 ? size : 256;
	for (size_t at = 0; at < str->size && names < NAMES; names++) {
		const char *name = (const char *)str->data + at;
		ask_name(dwarf, name, data, size);
		at += strlen(name) + 1;
	}
	ask_name(dwarf, "int", data, size);
	uint32_t at = (uint32_t)(size % OFFSET_STEP);
	for (; at < sections[0].info.size && at < OFFSETS; at += OFFSET_STEP) {
		ask_type((struct type){ &dwarf->source, at }, data, size);
		ask_type(dwarf_type(dwarf, (struct dwarf_place){ at, DWARF_ALT }, at & 3), data,
			 size);
	}
	dwarf_destroy(&dwarf->source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dwarf_sections sections[DWARF_FILES] = { 0 };
	struct bytes b = bytes_of(data, size);
	uint16_t length[4];
	uint64_t hub = 0;

	if (size < sizeof(length) || size > INPUT_MAX)
		return 0;
	memcpy(length, bytes_take(&b, sizeof(length)), sizeof(length));
	struct dwarf_sections *s = &sections[DWARF_MAIN];
	s->abbrev = take(&b, length[0]);
	s->str = take(&b, length[1]);
	s->line_str = take(&b, length[2]);
	s->str_offsets = take(&b, length[3]);
	s->info = take(&b, bytes_left(&b));
	sections[DWARF_ALT] = *s;

	ask(sections, &hub, size & 1, data, size);
	struct span spans[] = { s->abbrev, s->str, s->line_str, s->str_offsets, s->info };
	for (size_t i = 0; i < array_size(spans); i++)
		free((void *)(uintptr_t)spans[i].data);
	return 0;
}
