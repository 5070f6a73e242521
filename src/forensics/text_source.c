// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers, names and addresses in the text were filled in; what lies between them stood in a
 * format. So the text is cut at digits and at what is not printable, and the longest pieces are
 * looked for, in data that is not code.
 */
#include "forensics/text_source.h"

#include <ctype.h>
#include <string.h>

#include "kernel/modules.h"

enum {
	PIECE_MIN = 8,
	PIECE_MAX = 40,
	PIECES = 4,
	CHUNK = 1 << 20,
	AREA_MAX = 64 << 20,
};

struct piece {
	const uint8_t *text;
	size_t size;
};

struct found {
	unsigned owners;
	const struct module *module;
	uint64_t address;
};

static bool belongs(uint8_t byte)
{
	return byte >= ' ' && byte <= '~' && !isdigit(byte);
}

/* The longest first; returns how many. */
static unsigned cut(const uint8_t *text, size_t size, struct piece pieces[PIECES])
{
	unsigned count = 0;

	for (size_t at = 0; at < size;) {
		size_t end = at;
		while (end < size && belongs(text[end]))
			end++;
		struct piece p = { text + at, end - at < PIECE_MAX ? end - at : PIECE_MAX };
		at = end + 1;
		if (p.size < PIECE_MIN)
			continue;
		for (unsigned i = 0; i < count; i++) {
			if (p.size > pieces[i].size) {
				struct piece other = pieces[i];
				pieces[i] = p;
				p = other;
			}
		}
		if (count < PIECES)
			pieces[count++] = p;
	}
	return count;
}

/* How long what the piece says over and over is; 0: it does not. */
static size_t period(const struct piece *p)
{
	for (size_t n = PIECE_MIN; n <= PIECE_MAX / 2 && 2 * n <= p->size; n++) {
		if (memcmp(p->text + p->size - n, p->text + p->size - 2 * n, n) == 0)
			return n;
	}
	return 0;
}

static uint64_t find_in(struct session *s, uint64_t start, uint64_t size, const struct piece *piece,
			uint8_t *bytes)
{
	for (uint64_t at = 0; at < size && at < AREA_MAX; at += CHUNK) {
		size_t n = (size_t)min_u64(CHUNK + PIECE_MAX, size - at);
		n = memory_read_some(s->memory, start + at, bytes, n);
		const uint8_t *hit = n ? memmem(bytes, n, piece->text, piece->size) : NULL;
		if (hit)
			return start + at + (uint64_t)(hit - bytes);
	}
	return 0;
}

static void note(struct found *found, const struct module *module, uint64_t address)
{
	found->owners++;
	found->module = module;
	found->address = address;
}

static void look_everywhere(struct session *s, const struct piece *piece, uint8_t *bytes,
			    struct found *found)
{
	static const char *const names[] = { "__start_rodata", "__end_rodata" };
	uint64_t limits[2] = { 0 };
	size_t count;
	const struct module_info *all = modules(s, &count);

	for (size_t i = 0; i < count && found->owners < 2; i++) {
		const struct module *m = &all[i].module;
		uint64_t at = 0;
		for (unsigned k = 0; k < m->area_count && k < array_size(m->area) && !at; k++) {
			if (!m->area[k].text)
				at = find_in(s, m->area[k].start, m->area[k].size, piece, bytes);
		}
		if (at)
			note(found, m, at);
	}
	symbols_addresses(s->symbols, names, array_size(names), limits);
	uint64_t at = found->owners < 2 && limits[0] && limits[1] > limits[0]
			      ? find_in(s, limits[0], limits[1] - limits[0], piece, bytes) : 0;
	if (at)
		note(found, NULL, at);
}

static bool look_for(struct session *s, const struct piece *piece, uint8_t *bytes,
		     struct text_source *source)
{
	struct found found = { 0 };

	look_everywhere(s, piece, bytes, &found);
	if (found.owners != 1)
		return false;
	source->module = found.module;
	source->address = found.address;
	memcpy(source->words, piece->text, piece->size);
	source->words[piece->size] = '\0';
	return true;
}

bool text_source_find(struct session *s, const uint8_t *text, size_t size,
		      struct text_source *source)
{
	struct piece pieces[PIECES];
	unsigned count = cut(text, size, pieces);

	if (!s->symbols || !count)
		return false;
	auto_free uint8_t *bytes = xmalloc(CHUNK + PIECE_MAX);
	for (unsigned i = 0; i < count; i++) {
		size_t n = period(&pieces[i]);
		/* Where in it the constant begins is not known. */
		for (size_t turn = 0; turn < (n ? n : 1); turn++) {
			struct piece p = pieces[i];
			if (n)
				p = (struct piece){ p.text + p.size - 2 * n + turn, n };
			if (look_for(s, &p, bytes, source))
				return true;
		}
	}
	return false;
}
