// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kmem --check: what is damaged in the slab allocator's own data (forensics/slab_check.h), each
 * damage with the objects before and behind it, since who wrote too far is most often one of these.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "commands/kmem.h"
#include "commands/kmem_slab.h"
#include "forensics/poison.h"
#include "forensics/slab_check.h"

enum { FRAMES_SHOWN = 4, TEXT_MIN = 3, NAME_SIZE = 160, LIKE_SIZE = 160, SHOWN_BYTES = 16 };

static void text_of(const uint8_t *bytes, size_t count, char *buf, size_t size)
{
	char *out = buf;

	for (size_t i = 0; i < count && out + 3 < buf + size; i++) {
		if (!isprint(bytes[i]))
			*out++ = '\\';
		*out++ = isprint(bytes[i]) ? (char)bytes[i] : bytes[i] == '\n' ? 'n' : 't';
	}
	*out = '\0';
}

/* What bytes look like: a filling, text, an address that has a name; "" when like nothing. */
static void likeness(struct session *s, const uint8_t *bytes, size_t count, char *buf, size_t size)
{
	const struct poison *poison = count >= 4 ? poison_of_fill(bytes, count) : NULL;
	size_t text = 0, same = 1;
	struct symbol symbol;

	buf[0] = '\0';
	while (text < count && (isprint(bytes[text]) || bytes[text] == '\n' || bytes[text] == '\t'))
		text++;
	while (same < count && bytes[same] == bytes[0])
		same++;
	if (poison)
		snprintf(buf, size, "%s", poison->name);
	else if (count >= 2 && same == count)
		snprintf(buf, size, "each byte 0x%02x", bytes[0]);
	else if (text >= TEXT_MIN && (text == count || !bytes[text]))
		text_of(bytes, text, buf, size);
	else if (count >= 8 && s->symbols &&
		 symbols_by_address(s->symbols, load_u64(bytes), &symbol))
		snprintf(buf, size, "the address of %s", symbol.name);
}

static const char *function_name(struct session *s, uint64_t address, bool is_return, char *buf,
				 size_t size)
{
	struct symbol symbol;

	if (s->symbols && symbols_by_address(s->symbols, address - is_return, &symbol))
		snprintf(buf, size, "%s", symbol.name);
	else
		snprintf(buf, size, "%016lx", (unsigned long)address);
	return buf;
}

static void add_track(struct session *s, struct doc *doc, const struct slab_object *object,
		      bool freed, const char *indent)
{
	const char *key = freed ? "freed" : "allocated";
	struct slab_track track;
	char name[NAME_SIZE];
	auto_strbuf line = { 0 };

	if (!slab_track(s, object, freed, &track) || !track.caller) {
		doc_field(doc, key, NULL, cell_none());
		return;
	}
	/* The innermost frames are the allocator's own: from the caller on is of interest. */
	unsigned first = 0;
	while (first < track.frame_count && track.frames[first] != track.caller)
		first++;
	first = first == track.frame_count ? 0 : first;
	doc_record(doc, key, NULL);
	doc_hidden(doc);
	doc_field(doc, "function", NULL,
		  cell_str(function_name(s, track.caller, true, name, sizeof(name))));
	strbuf_add(&line, name);
	doc_field(doc, "caller", NULL, cell_address(track.caller));
	doc_field(doc, "pid", NULL, cell_dec(track.pid));
	doc_field(doc, "cpu", NULL, cell_dec(track.cpu));
	doc_field(doc, "jiffies", NULL, cell_udec(track.when));
	doc_lines(doc, "frames", NULL);
	for (unsigned i = first; i < track.frame_count && i < SLAB_TRACK_FRAMES; i++) {
		doc_line(doc, function_name(s, track.frames[i], true, name, sizeof(name)));
		if (i > first && i - first < FRAMES_SHOWN)
			strbuf_addf(&line, " < %s", name);
	}
	doc_end(doc);
	doc_end(doc);
	doc_textf(doc, STYLE_FAINT, "%s%s by %s, pid %d on CPU %d", indent, key, strbuf_text(&line),
		  track.pid, track.cpu);
}

/* The object that is @steps strides away in the same slab. */
static bool neighbour_of(struct session *s, const struct slab_damage *damage, int steps,
			 struct slab_object *object)
{
	const struct slab_cache *cache = damage->cache;
	uint64_t step = (uint64_t)(int64_t)steps * cache->size;

	return damage->slab.page && damage->object &&
	       slab_object_at(s, damage->object + step, object) && !object->kfence &&
	       object->state != OBJECT_PADDING && object->slab.page == damage->slab.page &&
	       object->address == damage->object + step;
}

static void add_neighbour(struct session *s, struct doc *doc, const struct slab_damage *damage,
			  int steps)
{
	const char *key = steps < 0 ? "before" : "behind";
	struct slab_object object;
	uint8_t bytes[32];
	char like[LIKE_SIZE];

	if (!neighbour_of(s, damage, steps, &object)) {
		doc_field(doc, key, NULL, cell_none());
		return;
	}
	size_t wanted = min_u64(sizeof(bytes), damage->cache->object_size);
	size_t count = memory_read_some(s->memory, object.address, bytes, wanted);
	likeness(s, bytes, count, like, sizeof(like));
	doc_textf(doc, STYLE_PLAIN, "  %s it: object %016lx, %s%s%s", key,
		  (unsigned long)object.address, slab_state_name(object.state),
		  like[0] ? ", begins with " : "", like);
	doc_record(doc, key, NULL);
	doc_field(doc, "object", NULL, cell_address(object.address));
	doc_field(doc, "state", NULL, cell_str(slab_state_name(object.state)));
	doc_field(doc, "begins_with", NULL, cell_str(like[0] ? like : NULL));
	add_track(s, doc, &object, false, "    ");
	add_track(s, doc, &object, true, "    ");
	doc_end(doc);
}

static void add_bytes(struct session *s, struct doc *doc, const struct slab_damage *d)
{
	char hex[3 * DAMAGE_BYTES + 1] = "", like[LIKE_SIZE], expected[8];
	int shown = 0;

	for (unsigned i = 0; i < d->found_count; i++) {
		snprintf(hex + 3 * (size_t)i, 4, "%02x ", d->found[i]);
		shown += i < SHOWN_BYTES ? 3 : 0;
	}
	if (d->found_count)
		hex[3 * d->found_count - 1] = '\0';
	likeness(s, d->found, d->found_count, like, sizeof(like));
	doc_field(doc, "found", NULL, cell_str(d->found_count ? hex : NULL));
	doc_field(doc, "looks_like", NULL, cell_str(like[0] ? like : NULL));
	snprintf(expected, sizeof(expected), "%02x", d->expected);
	doc_field(doc, "expected", NULL, cell_str(d->is_fill ? expected : NULL));
	if (!d->found_count)
		return;
	doc_textf(doc, STYLE_BAD, "  found %.*s%s%s%s%s%s", shown - 1, hex,
		  d->found_count > SHOWN_BYTES ? " ..." : "", like[0] ? "  " : "", like,
		  d->is_fill ? ", should be " : "", d->is_fill ? expected : "");
}

static void place_text(const struct slab_damage *d, char *buf, size_t size)
{
	int64_t offset = (int64_t)(d->address - d->object);

	if (!d->object)
		snprintf(buf, size, "at %016lx%s", (unsigned long)d->address,
			 d->slab.page && d->address - d->slab.page < 256 ? " in struct slab" : "");
	else
		snprintf(buf, size, "at %016lx = object %016lx %c 0x%lx", (unsigned long)d->address,
			 (unsigned long)d->object, offset < 0 ? '-' : '+',
			 (unsigned long)(offset < 0 ? -offset : offset));
}

static const char *state_of(const struct slab_damage *d)
{
	return !d->object ? NULL : !d->by_list ? "unknown" : d->freed ? "free" : "allocated";
}

static void add_damage(struct session *s, struct doc *doc, const struct slab_damage *d)
{
	struct slab_object object;
	char place[160], bytes[32] = "";

	place_text(d, place, sizeof(place));
	if (d->is_fill)
		snprintf(bytes, sizeof(bytes), "%lu byte%s, ", (unsigned long)d->length,
			 d->length == 1 ? "" : "s");
	doc_record(doc, NULL, NULL);
	doc_textf(doc, d->busy_cpu < 0 ? STYLE_STRONG : STYLE_PLAIN, "%s: %s: %s",
		  d->cache->name, slab_damage_name(d->kind), d->text);
	if (d->busy_cpu >= 0)
		doc_textf(doc, STYLE_PLAIN, "  no damage: in use by CPU %d at the crash", d->busy_cpu);
	doc_textf(doc, STYLE_PLAIN, "  %s%s%s%s", bytes, place, state_of(d) ? ", " : "",
		  state_of(d) ? state_of(d) : "");
	doc_field(doc, "kind", NULL, cell_str(slab_damage_name(d->kind)));
	doc_field(doc, "cache", NULL, cell_str(d->cache->name));
	doc_field(doc, "cache_address", NULL, cell_address(d->cache->address));
	doc_field(doc, "what", NULL, cell_str(d->text));
	doc_field(doc, "slab", NULL, d->slab.page ? cell_address(d->slab.page) : cell_none());
	doc_field(doc, "slab_start", NULL, d->slab.start ? cell_address(d->slab.start) : cell_none());
	doc_field(doc, "object", NULL, d->object ? cell_address(d->object) : cell_none());
	doc_field(doc, "offset", NULL,
		  d->object ? cell_dec((int64_t)(d->address - d->object)) : cell_none());
	doc_field(doc, "address", NULL, d->address ? cell_address(d->address) : cell_none());
	doc_field(doc, "length", NULL, cell_udec(d->length));
	doc_field(doc, "state", NULL, cell_str(state_of(d)));
	doc_field(doc, "in_use_by_cpu", NULL, d->busy_cpu >= 0 ? cell_dec(d->busy_cpu) : cell_none());
	add_bytes(s, doc, d);
	if (d->object && slab_object_at(s, d->object, &object)) {
		add_track(s, doc, &object, false, "  ");
		add_track(s, doc, &object, true, "  ");
	} else {
		doc_field(doc, "allocated", NULL, cell_none());
		doc_field(doc, "freed", NULL, cell_none());
	}
	add_neighbour(s, doc, d, -1);
	add_neighbour(s, doc, d, 1);
	doc_end(doc);
}

static void add_summary(struct doc *doc, const struct slab_check *check)
{
	size_t busy = 0;

	for (size_t i = 0; i < check->count; i++)
		busy += check->damages[i].busy_cpu >= 0;
	size_t damages = check->count - busy;
	doc_record(doc, "check", NULL);
	doc_hidden(doc);
	doc_field(doc, "damages", NULL, cell_udec(damages + check->left_out));
	doc_field(doc, "left_out", NULL, cell_udec(check->left_out));
	doc_field(doc, "in_use", NULL, cell_udec(busy));
	doc_field(doc, "caches", NULL, cell_udec(check->caches));
	doc_field(doc, "debug_caches", NULL, cell_udec(check->debug_caches));
	doc_field(doc, "slabs", NULL, cell_udec(check->slabs));
	doc_field(doc, "objects", NULL, cell_udec(check->objects));
	doc_field(doc, "bytes_compared", NULL, cell_udec(check->bytes));
	doc_field(doc, "missing_slabs", NULL, cell_udec(check->holes));
	doc_end(doc);
	doc_textf(doc, damages ? STYLE_BAD : STYLE_PLAIN,
		  "%lu slabs of %lu caches checked: %zu damage%s", (unsigned long)check->slabs,
		  (unsigned long)check->caches, damages, damages == 1 ? "" : "s");
	if (check->debug_caches)
		doc_textf(doc, STYLE_FAINT, "red zones, poison, padding and tracks: %lu caches",
			  (unsigned long)check->debug_caches);
	else
		doc_textf(doc, STYLE_FAINT,
			  "no red zones and no poison to check: no cache has them (slub_debug)");
	if (check->left_out)
		doc_remark(doc, REMARK_ERROR, "%zu further damages are not shown", check->left_out);
	if (check->holes)
		doc_remark(doc, REMARK_HOLE, "%lu slabs or lists are not in the dump",
			   (unsigned long)check->holes);
	if (check->not_checked)
		doc_remark(doc, REMARK_NOTE, "not checked: %s (nearly all objects differ from what "
			   "is known of this kernel's layout)", check->not_checked);
}

struct error *kmem_check(struct command_args *args, const struct options *options)
{
	struct session *s = args->session;
	struct slab_check check;
	bool *wanted;
	size_t count, chosen = 0;

	struct error *err = slab_select_caches(args, options->words, options->word_count, &wanted);
	if (err)
		return err;
	const struct slab_cache *all = slab_caches(s, &count);
	const struct slab_cache **caches = arena_zalloc(&args->doc->arena,
							(count + 1) * sizeof(*caches));
	for (size_t i = 0; i < count; i++) {
		if (wanted[i])
			caches[chosen++] = &all[i];
	}
	if (!slab_check(s, caches, chosen == count ? 0 : chosen, &check))
		return error_new(ERROR_UNSUPPORTED, "only caches of SLUB can be checked, and this "
				 "dump has none that can be read");
	add_summary(args->doc, &check);
	doc_array(args->doc, "damages", NULL);
	for (size_t i = 0; i < check.count; i++)
		add_damage(s, args->doc, &check.damages[i]);
	doc_end(args->doc);
	slab_check_deinit(&check);
	return NULL;
}
