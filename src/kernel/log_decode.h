/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two formats of the kernel log, decoded without knowing where the bytes come from: layouts
 * and a read function go in, records come out. Private to this folder and to its tests.
 */
#pragma once

#include "kernel/log.h"

/* Reads @size bytes at @address, all or nothing. */
typedef bool (*log_read_fn)(void *ctx, uint64_t address, void *buf, size_t size);

struct log_reader {
	log_read_fn read;
	void *ctx;
};

/* A list of records and where their text is kept. */
struct log_records {
	struct arena *arena;
	struct log_record *data;
	size_t count, capacity;
	uint64_t text_bytes;
	uint64_t text_max; /* no more text than this is taken: the size of the log buffer */
	size_t lost;       /* records whose text or header is not in the dump, or is damaged */
	bool cut;          /* stopped at a limit or at nonsense: there was more */
};

/* Offsets in bytes; LOG_NO_MEMBER where the kernel has no such member. */
enum { LOG_NO_MEMBER = 0xffff };

/* struct printk_ringbuffer and what it consists of (5.10 and later). */
struct log_ring_layout {
	uint32_t desc_ring, text_data_ring;                    /* printk_ringbuffer */
	uint32_t count_bits, descs, infos, head_id, tail_id;   /* prb_desc_ring */
	uint32_t desc_size, state_var, begin, next;            /* prb_desc */
	uint32_t info_size, seq, ts_nsec, text_len, caller_id; /* printk_info */
	uint32_t subsystem, subsystem_size, device, device_size;
	uint32_t size_bits, data; /* prb_data_ring */
};

void log_decode_ring(const struct log_reader *reader, const struct log_ring_layout *layout,
		     uint64_t ring, struct log_records *records);

/* struct printk_log, or struct log before 3.11 (3.5 to 5.9). */
struct log_buffer_layout {
	uint32_t header_size, ts_nsec, len, text_len, dict_len, caller_id;
};

struct log_buffer {
	uint64_t address;     /* log_buf */
	uint64_t size;        /* log_buf_len */
	uint32_t first, next; /* log_first_idx, log_next_idx */
	uint64_t first_seq;   /* log_first_seq */
};

void log_decode_buffer(const struct log_reader *reader, const struct log_buffer_layout *layout,
		       const struct log_buffer *buffer, struct log_records *records);

/* Appends a record; its strings must be in the arena. */
void log_add(struct log_records *records, const struct log_record *record, unsigned flags);
/* The flags byte's lower bits: enum printk_info_flags (5.10), enum log_flags before. */
enum { LOG_FLAG_NEWLINE = 2, LOG_FLAG_CONT = 8, LOG_FLAGS_MASK = 0x1f, LOG_LEVEL_SHIFT = 5 };
