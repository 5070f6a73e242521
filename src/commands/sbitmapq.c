// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * sbitmapq: a struct sbitmap_queue, by which block devices hand out tags. A word of the map has
 * 2^shift bits; a bit that is also set in the word's "cleared" is free again, which is only noted
 * there at first (include/linux/sbitmap.h, lib/sbitmap.c).
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/cpus.h"

enum { OPT_VERBOSE, OPT_HEX, OPT_DEC };

static const struct option sbitmapq_option_table[] = {
	[OPT_VERBOSE] = { "v", false }, [OPT_HEX] = { "x", false }, [OPT_DEC] = { "d", false },
};

enum { DEPTH_MAX = 1 << 20, WAIT_QUEUES = 8 /* SBQ_WAIT_QUEUES */ };

struct bitmap {
	uint64_t address, depth, shift, words, map, round_robin;
	uint64_t busy, cleared;
	uint8_t *bits; /* the words' bits in a row; what is cleared is not set */
};

static unsigned bits_set(uint64_t value)
{
	unsigned n = 0;

	for (; value; value &= value - 1)
		n++;
	return n;
}

static struct error *read_bitmap(struct command_args *args, uint64_t at, struct bitmap *b)
{
	struct session *s = args->session;
	uint64_t word_size = types_sizeof(s->types, "struct sbitmap_word");

	*b = (struct bitmap){ .address = at };
	if (!kread(s, at, "sbitmap_queue", "sb.depth", &b->depth) ||
	    !kread(s, at, "sbitmap_queue", "sb.shift", &b->shift) ||
	    !kread(s, at, "sbitmap_queue", "sb.map_nr", &b->words) ||
	    !kread(s, at, "sbitmap_queue", "sb.map", &b->map))
		return error_new(ERROR_MISSING, "the sbitmap_queue at %" PRIx64 " cannot be read", at);
	if (b->shift > 6 || b->depth > DEPTH_MAX || !word_size ||
	    b->words != (b->depth + (UINT64_C(1) << b->shift) - 1) >> b->shift)
		return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is no sbitmap_queue: %" PRIu64
				 " bits do not fill %" PRIu64 " words of %" PRIu64, at, b->depth,
				 b->words, UINT64_C(1) << (b->shift & 63));
	b->bits = arena_zalloc(&args->doc->arena, b->depth / 8 + 8);
	for (uint64_t i = 0; i < b->words; i++) {
		uint64_t word, cleared, first = i << b->shift;
		uint64_t count = min_u64(UINT64_C(1) << b->shift, b->depth - first);
		uint64_t mask = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
		if (!kread(s, b->map + i * word_size, "sbitmap_word", "word", &word) ||
		    !kread(s, b->map + i * word_size, "sbitmap_word", "cleared", &cleared))
			return error_new(ERROR_MISSING, "word %" PRIu64 " of the map at %" PRIx64
					 " is not in the dump", i, b->map);
		b->busy += bits_set(word & mask & ~cleared);
		b->cleared += bits_set(cleared & mask);
		for (uint64_t bit = 0; bit < count; bit++) {
			if ((word & ~cleared) >> bit & 1)
				b->bits[(first + bit) / 8] |= (uint8_t)(1 << ((first + bit) & 7));
		}
	}
	return NULL;
}

static void add_number(struct command_args *args, uint64_t at, const char *path, const char *key,
		       bool hex)
{
	uint64_t value;
	char text[32];

	if (!kread(args->session, at, "sbitmap_queue", path, &value)) {
		doc_field(args->doc, key, key, cell_none());
		return;
	}
	snprintf(text, sizeof(text), hex ? "0x%" PRIx64 : "%" PRIu64, value);
	doc_field(args->doc, key, key, cell_shown(cell_udec(value), text));
}

static void add_hints(struct command_args *args, uint64_t at)
{
	struct session *s = args->session;
	size_t count;
	const struct cpu *all = cpus(s, &count);
	struct cell *cells = arena_alloc(&args->doc->arena, (count + 1) * sizeof(*cells));
	uint64_t hints;

	if (!kread(s, at, "sbitmap_queue", "sb.alloc_hint|alloc_hint", &hints))
		return;
	for (size_t i = 0; i < count; i++) {
		uint32_t hint;
		bool known = memory_u32(s->memory, hints + all[i].percpu_offset, &hint) == READ_OK;
		cells[i] = known ? cell_udec(hint) : cell_none();
	}
	struct cell_list list = { cells, count };
	doc_field(args->doc, "alloc_hint", "alloc_hint", cell_of_list(&list));
}

static const struct column wait_columns[] = {
	{ .key = "address", .title = "WAIT QUEUE" },
	{ .key = "count", .title = "WAIT_CNT", .right = true },
	{ .key = "active", .title = "WAIT" },
};

static void add_waiters(struct command_args *args, uint64_t at)
{
	struct session *s = args->session;
	uint64_t queues, size = types_sizeof(s->types, "struct sbq_wait_state"), head;
	size_t holes = 0;

	doc_table(args->doc, "wait_queues", wait_columns, array_size(wait_columns));
	if (kread(s, at, "sbitmap_queue", "ws", &queues) && size &&
	    koffset(s, "sbq_wait_state", "wait.head", &head)) {
		for (unsigned i = 0; i < WAIT_QUEUES; i++) {
			uint64_t state = queues + i * size, next, count;
			bool known = memory_u64(s->memory, state + head, &next) == READ_OK;
			bool active = known && next != state + head;
			holes += !known;
			/* The counter went with 6.2. */
			bool counted = kread(s, state, "sbq_wait_state", "wait_cnt", &count);
			doc_row(args->doc, cell_address(state),
				counted ? cell_dec((int32_t)count) : cell_shown(cell_none(), "-"),
				known ? cell_shown(cell_bool(active), active ? "active" : "inactive")
				      : cell_none());
		}
	} else {
		holes = WAIT_QUEUES;
	}
	doc_end(args->doc);
	if (holes)
		doc_remark(args->doc, REMARK_HOLE, "%zu wait queues are not in the dump", holes);
}

static struct error *run_sbitmapq(struct command_args *args)
{
	struct options options;
	struct bitmap b;
	uint64_t at;

	struct error *err = options_parse(args, sbitmapq_option_table,
					  array_size(sbitmapq_option_table), &options);
	if (!err && options.word_count != 1)
		err = error_new(ERROR_USAGE, "give the address of one sbitmap_queue");
	if (!err)
		err = parse_address(args->session, options.words[0], &at);
	if (!err)
		err = read_bitmap(args, at, &b);
	if (err)
		return err;
	bool hex = options.set[OPT_HEX];
	doc_record(args->doc, "sbitmap_queue", NULL);
	doc_field(args->doc, "address", NULL, cell_address(at));
	add_number(args, at, "sb.depth", "depth", hex);
	doc_field(args->doc, "busy", "busy", cell_udec(b.busy));
	doc_field(args->doc, "cleared", "cleared", cell_udec(b.cleared));
	doc_field(args->doc, "bits_per_word", "bits_per_word", cell_udec(UINT64_C(1) << b.shift));
	add_number(args, at, "sb.map_nr", "map_nr", hex);
	add_hints(args, at);
	add_number(args, at, "wake_batch", "wake_batch", hex);
	add_number(args, at, "wake_index.counter|wake_index", "wake_index", hex);
	add_number(args, at, "ws_active.counter|ws_active", "ws_active", hex);
	add_number(args, at, "sb.round_robin|round_robin", "round_robin", hex);
	add_number(args, at, "min_shallow_depth", "min_shallow_depth", hex);
	add_waiters(args, at);
	if (options.set[OPT_VERBOSE]) {
		doc_bytes(args->doc, "bits", 0, b.bits, NULL, (size_t)(b.depth + 7) / 8);
		doc_end(args->doc);
	}
	doc_end(args->doc);
	return NULL;
}

const struct command command_sbitmapq = {
	.name = "sbitmapq",
	.usage = "[-v] [-x | -d] ADDRESS",
	.summary = "a struct sbitmap_queue, by which block devices hand out tags",
	.help = "How many bits there are, are busy, and were freed but are not taken out of the words yet\n"
		"(cleared); where each CPU looks first; whether anybody waits for one.\n"
		"  -v      with the bits that are busy\n"
		"  -x, -d  in this base\n"
		"That of a disk: dev -d gives its request_queue, its hardware context has the tags, and\n"
		"these have bitmap_tags.",
	.run = run_sbitmapq,
};
