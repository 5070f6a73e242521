// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The record buffer of 3.5 to 5.9; kernel/printk/printk.c of those versions.
 *
 * Records of varying length lie behind one another in log_buf: a header, the text, the dictionary
 * ("SUBSYSTEM=pci" NUL "DEVICE=+pci:0000:00:01.0"), padding. A header whose length is 0 says that
 * the next record is at the start of the buffer. The oldest is at log_first_idx; log_next_idx is
 * one past the newest. Records carry no sequence number: they are counted from log_first_seq.
 */
#include "kernel/log_decode.h"

#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"

enum {
	HEADER_SIZE_MAX = 64,
	BUFFER_SIZE_MAX = 1 << 30,
	RECORD_SIZE_MIN = 16,
	RECORDS_MAX = 1 << 22, /* more than fit into the largest logs that people set up */
};

void log_add(struct log_records *records, const struct log_record *record, unsigned flags)
{
	if (records->count >= RECORDS_MAX) {
		records->cut = true;
		return;
	}
	if (flags & LOG_FLAG_CONT && records->count)
		records->data[records->count - 1].continued = true;
	vec_push(records, *record);
}

/* One "KEY=value" of a dictionary, or NULL. */
static const char *dict_entry(const char *dict, size_t size, const char *key)
{
	size_t key_length = strlen(key);

	for (size_t at = 0; at < size;) {
		size_t length = strnlen(dict + at, size - at);
		if (length > key_length && memcmp(dict + at, key, key_length) == 0)
			return dict + at;
		at += length + 1;
	}
	return NULL;
}

/* Text and dictionary of the record whose header is at @at; @length is the record's. */
static bool read_record(const struct log_reader *reader, const struct log_buffer_layout *l,
			const struct log_buffer *buffer, const uint8_t *header, uint64_t at,
			uint32_t length, struct log_records *records, struct log_record *record)
{
	size_t text_length = load_u16(header + l->text_len);
	size_t dict_length = load_u16(header + l->dict_len);
	size_t total = text_length + dict_length;

	if (l->header_size + total > length || total > records->text_max - records->text_bytes)
		return false;
	char *text = arena_alloc(records->arena, total + 2);
	if (!reader->read(reader->ctx, buffer->address + at + l->header_size, text, total))
		return false;
	records->text_bytes += total;
	/* Make room for the text's end before the dictionary. */
	memmove(text + text_length + 1, text + text_length, dict_length);
	text[text_length] = '\0';
	text[total + 1] = '\0';
	record->text = text;
	record->length = text_length;
	record->subsystem = dict_entry(text + text_length + 1, dict_length, "SUBSYSTEM=");
	record->device = dict_entry(text + text_length + 1, dict_length, "DEVICE=");
	return true;
}

static bool layout_fits(const struct log_buffer_layout *l)
{
	return l->header_size >= RECORD_SIZE_MIN && l->header_size <= HEADER_SIZE_MAX &&
	       range_fits(l->ts_nsec, 8, l->header_size) && range_fits(l->len, 2, l->header_size) &&
	       range_fits(l->dict_len, 4, l->header_size) &&
	       range_fits(l->text_len, 2, l->header_size);
}

void log_decode_buffer(const struct log_reader *reader, const struct log_buffer_layout *l,
		       const struct log_buffer *buffer, struct log_records *records)
{
	uint64_t at = buffer->first, sequence = buffer->first_seq;
	bool wrapped = false;

	if (!layout_fits(l) || buffer->size > BUFFER_SIZE_MAX) {
		records->cut = true;
		return;
	}
	records->text_max = min_u64(records->text_max, buffer->size);
	while (at != buffer->next && !records->cut) {
		struct log_record record = { .sequence = sequence, .text = "" };
		uint8_t header[HEADER_SIZE_MAX];

		if (!range_fits(at, l->header_size, buffer->size) ||
		    !reader->read(reader->ctx, buffer->address + at, header, l->header_size)) {
			records->cut = true;
			return;
		}
		uint32_t length = load_u16(header + l->len);
		if (!length) {
			/* The newest is less than one lap from the oldest. */
			if (wrapped || !at) {
				records->cut = true;
				return;
			}
			wrapped = true;
			at = 0;
			continue;
		}
		if (length < l->header_size || !range_fits(at, length, buffer->size)) {
			records->cut = true;
			return;
		}
		record.time_ns = load_u64(header + l->ts_nsec);
		/* facility (u8) and flags and level (u8) stand behind dict_len. */
		record.facility = header[l->dict_len + 2];
		record.level = header[l->dict_len + 3] >> LOG_LEVEL_SHIFT;
		if (l->caller_id != LOG_NO_MEMBER && range_fits(l->caller_id, 4, l->header_size)) {
			record.caller = load_u32(header + l->caller_id);
			record.has_caller = true;
		}
		if (read_record(reader, l, buffer, header, at, length, records, &record))
			log_add(records, &record, header[l->dict_len + 3] & LOG_FLAGS_MASK);
		else
			records->lost++;
		sequence++;
		at += length;
	}
}
