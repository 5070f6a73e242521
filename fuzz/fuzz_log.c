// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log decoders on hostile memory. Input: a byte that chooses the format, then the image of a
 * small memory that starts at address 0: for the ring buffer its struct printk_ringbuffer first,
 * in the layout of 6.12; for the record buffer four numbers, then the buffer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/log_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct log_ring_layout ring_layout = {
	.desc_ring = 0, .text_data_ring = 48,
	.count_bits = 0, .descs = 8, .infos = 16, .head_id = 24, .tail_id = 32,
	.desc_size = 24, .state_var = 0, .begin = 8, .next = 16,
	.info_size = 88, .seq = 0, .ts_nsec = 8, .text_len = 16, .caller_id = 20,
	.subsystem = 24, .subsystem_size = 16, .device = 40, .device_size = 48,
	.size_bits = 0, .data = 8,
};

static const struct log_buffer_layout buffer_layout = {
	.header_size = 16, .ts_nsec = 0, .len = 8, .text_len = 10, .dict_len = 12,
	.caller_id = LOG_NO_MEMBER,
};

static bool read_image(void *ctx, uint64_t address, void *buf, size_t size)
{
	const struct bytes *image = ctx;

	if (!range_fits(address, size, image->size))
		return false;
	memcpy(buf, image->data + address, size);
	return true;
}

/* Touches every byte that was handed out. */
static size_t use(const struct log_records *records)
{
	size_t sum = 0;

	for (size_t i = 0; i < records->count; i++) {
		const struct log_record *r = &records->data[i];
		if (strlen(r->text) > r->length)
			abort();
		sum += r->length ? (unsigned char)r->text[r->length - 1] : 0;
		sum += r->subsystem ? strlen(r->subsystem) : 0;
		sum += r->device ? strlen(r->device) : 0;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct log_records records = { .arena = &arena, .text_max = 16 << 20 };
	struct bytes image = bytes_of(data + 1, size - 1);
	const struct log_reader reader = { read_image, &image };
	volatile size_t sum;

	if (size < 33)
		return 0;
	if (data[0] & 1) {
		struct log_buffer buffer = {
			.address = load_u64(data + 1),
			.size = load_u64(data + 9),
			.first = load_u32(data + 17),
			.next = load_u32(data + 21),
			.first_seq = load_u64(data + 25),
		};
		log_decode_buffer(&reader, &buffer_layout, &buffer, &records);
	} else {
		log_decode_ring(&reader, &ring_layout, 0, &records);
	}
	sum = use(&records);
	(void)sum;
	free(records.data);
	arena_deinit(&arena);
	return 0;
}
