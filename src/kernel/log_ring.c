// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lockless ring buffer of 5.10 and later; kernel/printk/printk_ringbuffer.{c,h}.
 *
 * A ring of 2^count_bits descriptors, and beside it as many infos. A record has an id; its
 * descriptor and info are at (id modulo the ring's size), its sequence number is in the info. The
 * descriptor's state_var holds the id that it is used for, with the state in the two upper bits:
 * being written, written, final, free. Records from tail_id to head_id are there.
 *
 * The text lies in a data ring of 2^size_bits bytes. Positions in it ("lpos") count on without
 * end: their lower bits are the place, the upper ones the lap. A block begins with its record's
 * id, then the text. A block that would not fit before the end of the ring has its id and text at
 * the ring's start instead, and only the unused rest where `begin` points. Positions with the
 * lowest bit set are no positions: the record has no text (3), or there was no room for it (1).
 */
#include "kernel/log_decode.h"

#include <string.h>

#include "base/bytes.h"

enum {
	STATE_SHIFT = 62, /* DESC_FLAGS_SHIFT on 64-bit machines */
	STATE_COMMITTED = 1,
	STATE_FINALIZED = 2,
	LPOS_FAILED = 1,
	BLOCK_ID_SIZE = 8,
	COUNT_BITS_MAX = 27, /* LOG_BUF_LEN_MAX is 2^31, and a record takes 2^5 bytes of it */
	SIZE_BITS_MAX = 31,
	INFO_SIZE_MAX = 256,
	/* So many descriptors in a row without a record: this is not a log. */
	EMPTY_RUN_MAX = 1 << 16,
};

#define ID_MASK ((UINT64_C(1) << STATE_SHIFT) - 1)

struct ring {
	const struct log_reader *reader;
	const struct log_ring_layout *layout;
	uint64_t descs, infos, data;
	uint64_t count, data_size;
};

static bool read_u64(const struct log_reader *reader, uint64_t address, uint64_t *value)
{
	uint8_t bytes[8];

	if (!reader->read(reader->ctx, address, bytes, sizeof(bytes)))
		return false;
	*value = load_u64(bytes);
	return true;
}

/* Where the text of [begin, next) lies and how long its block is; false: an impossible block. */
static bool text_block(const struct ring *ring, uint64_t begin, uint64_t next, uint64_t *at,
		       uint64_t *size)
{
	uint64_t mask = ring->data_size - 1;
	uint64_t lap = begin & ~mask, next_lap = next & ~mask;

	if (lap == next_lap || (next_lap == lap + ring->data_size && !(next & mask))) {
		*at = begin & mask;
		*size = next - begin;
	} else if (next_lap == lap + ring->data_size) {
		*at = 0;
		*size = next & mask;
	} else {
		return false;
	}
	return *size >= BLOCK_ID_SIZE && range_fits(*at, *size, ring->data_size);
}

/* The text of a record; false when it is damaged or not in the dump. */
static bool read_text(const struct ring *ring, uint64_t id, uint64_t begin, uint64_t next,
		      size_t length, struct log_records *records, struct log_record *record)
{
	uint64_t at, size, block_id;

	record->text = "";
	record->length = 0;
	if (begin & 1 && next & 1)
		return true;
	if (!text_block(ring, begin, next, &at, &size) ||
	    !read_u64(ring->reader, ring->data + at, &block_id) || block_id != id)
		return false;
	length = min_u64(length, size - BLOCK_ID_SIZE);
	if (length > records->text_max - records->text_bytes) {
		records->cut = true;
		return false;
	}
	char *text = arena_alloc(records->arena, length + 1);
	if (!ring->reader->read(ring->reader->ctx, ring->data + at + BLOCK_ID_SIZE, text, length))
		return false;
	text[length] = '\0';
	records->text_bytes += length;
	record->text = text;
	record->length = length;
	return true;
}

/* A char array member of dev_printk_info; NULL when empty or absent. */
static const char *device_text(const uint8_t *info, uint32_t offset, uint32_t size,
			       uint32_t info_size, const char *key, struct arena *arena)
{
	if (offset == LOG_NO_MEMBER || !range_fits(offset, size, info_size) || !size ||
	    !info[offset])
		return NULL;
	const char *text = (const char *)info + offset;
	return arena_printf(arena, "%s=%.*s", key, (int)strnlen(text, size), text);
}

static bool info_u64(const uint8_t *info, uint32_t info_size, uint32_t offset, uint64_t *value)
{
	if (!range_fits(offset, sizeof(*value), info_size))
		return false;
	*value = load_u64(info + offset);
	return true;
}

/* The record @id, whose descriptor says that it is written. */
static void add_record(const struct ring *ring, uint64_t id, const uint8_t *desc,
		       struct log_records *records)
{
	const struct log_ring_layout *l = ring->layout;
	struct log_record record = { .sequence = 0 };
	uint8_t info[INFO_SIZE_MAX];
	uint64_t begin = load_u64(desc + l->begin), next = load_u64(desc + l->next);
	uint64_t at = ring->infos + (id & (ring->count - 1)) * l->info_size;

	if (begin == LPOS_FAILED && next == LPOS_FAILED) {
		records->lost++;
		return;
	}
	/* text_len (u16), facility (u8) and flags and level (u8) have always stood together. */
	if (!ring->reader->read(ring->reader->ctx, at, info, l->info_size) ||
	    !info_u64(info, l->info_size, l->seq, &record.sequence) ||
	    !info_u64(info, l->info_size, l->ts_nsec, &record.time_ns) ||
	    !range_fits(l->text_len, 4, l->info_size)) {
		records->lost++;
		return;
	}
	record.facility = info[l->text_len + 2];
	record.level = info[l->text_len + 3] >> LOG_LEVEL_SHIFT;
	if (l->caller_id != LOG_NO_MEMBER && range_fits(l->caller_id, 4, l->info_size)) {
		record.caller = load_u32(info + l->caller_id);
		record.has_caller = true;
	}
	record.subsystem = device_text(info, l->subsystem, l->subsystem_size, l->info_size,
				       "SUBSYSTEM", records->arena);
	record.device = device_text(info, l->device, l->device_size, l->info_size, "DEVICE",
				    records->arena);
	if (read_text(ring, id, begin, next, load_u16(info + l->text_len), records, &record))
		log_add(records, &record, info[l->text_len + 3] & LOG_FLAGS_MASK);
	else
		records->lost++;
}

static void decode(const struct ring *ring, uint64_t tail, uint64_t head,
		   struct log_records *records)
{
	const struct log_ring_layout *l = ring->layout;
	uint8_t desc[64];
	uint64_t id = tail & ID_MASK, empty = 0;

	head &= ID_MASK;
	for (uint64_t n = 0; n < ring->count && !records->cut; n++) {
		uint64_t at = ring->descs + (id & (ring->count - 1)) * l->desc_size;
		size_t before = records->count + records->lost;

		if (!ring->reader->read(ring->reader->ctx, at, desc, l->desc_size)) {
			records->lost++;
			before++;
		} else {
			uint64_t state = load_u64(desc + l->state_var);
			unsigned kind = (unsigned)(state >> STATE_SHIFT);
			if ((state & ID_MASK) == id &&
			    (kind == STATE_COMMITTED || kind == STATE_FINALIZED))
				add_record(ring, id, desc, records);
		}
		empty = records->count + records->lost == before ? empty + 1 : 0;
		if (empty > EMPTY_RUN_MAX)
			records->cut = true;
		if (id == head)
			return;
		id = (id + 1) & ID_MASK;
	}
}

void log_decode_ring(const struct log_reader *reader, const struct log_ring_layout *l,
		     uint64_t ring_address, struct log_records *records)
{
	struct ring ring = { .reader = reader, .layout = l };
	uint64_t descs_at = ring_address + l->desc_ring, data_at = ring_address + l->text_data_ring;
	uint64_t count_bits, size_bits, head, tail;

	if (!read_u64(reader, descs_at + l->count_bits, &count_bits) ||
	    !read_u64(reader, descs_at + l->descs, &ring.descs) ||
	    !read_u64(reader, descs_at + l->infos, &ring.infos) ||
	    !read_u64(reader, descs_at + l->head_id, &head) ||
	    !read_u64(reader, descs_at + l->tail_id, &tail) ||
	    !read_u64(reader, data_at + l->size_bits, &size_bits) ||
	    !read_u64(reader, data_at + l->data, &ring.data)) {
		records->cut = true;
		return;
	}
	/* The two counts are ints with padding behind them. */
	count_bits &= UINT32_MAX;
	size_bits &= UINT32_MAX;
	if (count_bits > COUNT_BITS_MAX || size_bits > SIZE_BITS_MAX ||
	    l->info_size > INFO_SIZE_MAX || l->desc_size > 64 ||
	    !range_fits(l->state_var, 8, l->desc_size) || !range_fits(l->begin, 8, l->desc_size) ||
	    !range_fits(l->next, 8, l->desc_size)) {
		records->cut = true;
		return;
	}
	ring.count = UINT64_C(1) << count_bits;
	ring.data_size = UINT64_C(1) << size_bits;
	records->text_max = min_u64(records->text_max, ring.data_size);
	decode(&ring, tail, head, records);
}
