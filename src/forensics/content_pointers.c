// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the pointers in a range point to, by the names of it: the most frequent ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "forensics/content_memory.h"
#include "forensics/whatis.h"

enum {
	POINTERS_MAX = 512, /* asked about */
	NAMES_SHOWN = 4,
};

struct name {
	char text[80];
	size_t count, first;
};

struct names {
	vec_fields(struct name);
};

/* Most frequent first, then in order of appearance. */
static int compare_names(const void *va, const void *vb)
{
	const struct name *a = va, *b = vb;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static void add_name(struct names *names, const char *label)
{
	struct name name = { .count = 1, .first = names->count };

	/* "vfs_read+0x9a" and "vfs_read+0x10" are one name. */
	size_t length = strcspn(label, "+");
	snprintf(name.text, sizeof(name.text), "%.*s", (int)min_u64(length, 79), label);
	vec_for_each(n, names) {
		if (strcmp(n->text, name.text) == 0) {
			n->count++;
			return;
		}
	}
	vec_push(names, name);
}

bool content_pointees(struct session *s, uint64_t address, uint64_t size, char *buf,
		      size_t buf_size)
{
	struct names names = { 0 };
	struct content_env env;
	uint8_t page[PAGE_SIZE];
	size_t asked = 0, n = 0;
	char label[160];

	content_env_of(s, &env);
	address = (address + 7) & ~UINT64_C(7);
	for (uint64_t done = 0; done + 8 <= size && asked < POINTERS_MAX; done += sizeof(page)) {
		size_t got = memory_read_some(s->memory, address + done, page,
					      min_u64(size - done, sizeof(page)));
		for (size_t i = 0; i + 8 <= got && asked < POINTERS_MAX; i += 8) {
			uint64_t value = load_u64(page + i);
			enum pointer_kind kind = env.pointer(env.ctx, value);
			if (kind == POINTER_NONE || kind == POINTER_USER)
				continue;
			asked++;
			whatis_label(s, value, label, sizeof(label));
			if (label[0])
				add_name(&names, label);
		}
		if (got < sizeof(page))
			break;
	}
	if (names.count)
		qsort(names.data, names.count, sizeof(*names.data), compare_names);
	*buf = '\0';
	for (size_t i = 0; i < names.count && i < NAMES_SHOWN && n < buf_size; i++)
		n += (size_t)snprintf(buf + n, buf_size - n, "%s%zu %s", i ? ", " : "",
				      names.data[i].count, names.data[i].text);
	if (names.count > NAMES_SHOWN && n < buf_size)
		snprintf(buf + n, buf_size - n, ", %zu others", names.count - NAMES_SHOWN);
	bool any = names.count != 0;
	vec_deinit(&names);
	return any;
}
