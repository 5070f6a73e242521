// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finds the kernel log and hands it to the decoder of its format. `prb` points to the ring buffer
 * in use (5.10 and later); `log_buf` and its indices are the record buffer before. Layouts come
 * from the types; where the kernel has none, from VMCOREINFO, which carries all of them for this
 * very purpose (log_buf_vmcoreinfo_setup(), kernel/printk/printk.c), and the symbols too.
 */
#include "kernel/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/log_decode.h"
#include "kernel/text.h"

enum { LOG_TEXT_MAX = 256 << 20 };

struct log_state {
	struct log_records records;
	struct arena arena;
	const char *error;
};

/* One member: where the types have it, its name in VMCOREINFO, and what to fill in. */
struct wanted {
	uint32_t *offset;
	const char *struct_name, *path;
	const char *vmcoreinfo; /* "struct.member" */
	bool optional;
};

static bool find_offset(struct session *s, const struct wanted *w)
{
	char key[96];
	uint64_t offset;
	int64_t number;

	*w->offset = LOG_NO_MEMBER;
	if (koffset(s, w->struct_name, w->path, &offset) && offset < LOG_NO_MEMBER) {
		*w->offset = (uint32_t)offset;
		return true;
	}
	snprintf(key, sizeof(key), "OFFSET(%s)", w->vmcoreinfo);
	if (dump_vmcoreinfo_number(s->dump, key, &number) && number >= 0 &&
	    number < LOG_NO_MEMBER) {
		*w->offset = (uint32_t)number;
		return true;
	}
	return w->optional;
}

static bool find_offsets(struct session *s, const struct wanted *wanted, size_t count)
{
	bool all = true;

	for (size_t i = 0; i < count; i++)
		all &= find_offset(s, &wanted[i]);
	return all;
}

static uint32_t struct_size(struct session *s, const char *name)
{
	uint64_t size = types_sizeof(s->types, name);
	char key[64];
	int64_t number;

	snprintf(key, sizeof(key), "SIZE(%s)", name);
	if (!size && dump_vmcoreinfo_number(s->dump, key, &number) && number > 0)
		size = (uint64_t)number;
	return size < LOG_NO_MEMBER ? (uint32_t)size : 0;
}

static uint64_t address_of(struct session *s, const char *name)
{
	uint64_t address = s->symbols ? symbols_address(s->symbols, name) : 0;
	char key[64];

	snprintf(key, sizeof(key), "SYMBOL(%s)", name);
	if (!address && !dump_vmcoreinfo_hex(s->dump, key, &address))
		address = 0;
	return address;
}

static uint32_t array_length(struct session *s, const char *path, const char *key, uint32_t usual)
{
	struct member member;
	int64_t number;

	if (types_member(s->types, "dev_printk_info", path, &member) && member.size < LOG_NO_MEMBER)
		return (uint32_t)member.size;
	if (dump_vmcoreinfo_number(s->dump, key, &number) && number > 0 && number < LOG_NO_MEMBER)
		return (uint32_t)number;
	return usual;
}

static bool ring_layout(struct session *s, struct log_ring_layout *l)
{
	uint32_t device_info = 0, block = 0, subsystem = 0, device = 0;
	const struct wanted wanted[] = {
#define WANT(to, type, member) { &(to), #type, #member, #type "." #member, false }
		WANT(l->desc_ring, printk_ringbuffer, desc_ring),
		WANT(l->text_data_ring, printk_ringbuffer, text_data_ring),
		WANT(l->count_bits, prb_desc_ring, count_bits),
		WANT(l->descs, prb_desc_ring, descs),
		WANT(l->infos, prb_desc_ring, infos),
		WANT(l->head_id, prb_desc_ring, head_id),
		WANT(l->tail_id, prb_desc_ring, tail_id),
		WANT(l->state_var, prb_desc, state_var),
		WANT(block, prb_desc, text_blk_lpos),
		WANT(l->begin, prb_data_blk_lpos, begin),
		WANT(l->next, prb_data_blk_lpos, next),
		WANT(l->seq, printk_info, seq),
		WANT(l->ts_nsec, printk_info, ts_nsec),
		WANT(l->text_len, printk_info, text_len),
		WANT(l->size_bits, prb_data_ring, size_bits),
		WANT(l->data, prb_data_ring, data),
#undef WANT
		{ &l->caller_id, "printk_info", "caller_id", "printk_info.caller_id", true },
		{ &device_info, "printk_info", "dev_info", "printk_info.dev_info", true },
		{ &subsystem, "dev_printk_info", "subsystem", "dev_printk_info.subsystem", true },
		{ &device, "dev_printk_info", "device", "dev_printk_info.device", true },
	};

	if (!find_offsets(s, wanted, array_size(wanted)))
		return false;
	l->begin += block;
	l->next += block;
	l->desc_size = struct_size(s, "prb_desc");
	l->info_size = struct_size(s, "printk_info");
	/* PRINTK_INFO_SUBSYSTEM_LEN and _DEVICE_LEN, include/linux/dev_printk.h. */
	l->subsystem_size = array_length(s, "subsystem", "LENGTH(printk_info_subsystem)", 16);
	l->device_size = array_length(s, "device", "LENGTH(printk_info_device)", 48);
	l->subsystem = l->device = LOG_NO_MEMBER;
	if (device_info != LOG_NO_MEMBER && subsystem != LOG_NO_MEMBER)
		l->subsystem = device_info + subsystem;
	if (device_info != LOG_NO_MEMBER && device != LOG_NO_MEMBER)
		l->device = device_info + device;
	return l->desc_size && l->info_size;
}

static bool buffer_layout(struct session *s, struct log_buffer_layout *l)
{
	const char *name = "printk_log";
	const char *keys[] = { "printk_log.ts_nsec", "printk_log.len", "printk_log.text_len",
			       "printk_log.dict_len", "printk_log.caller_id" };

	l->header_size = struct_size(s, name);
	if (!l->header_size) {
		/* Its name before 3.11. */
		static const char *const old[] = { "log.ts_nsec", "log.len", "log.text_len",
						   "log.dict_len", "log.caller_id" };
		name = "log";
		memcpy(keys, old, sizeof(keys));
		l->header_size = struct_size(s, name);
	}
	const struct wanted wanted[] = {
		{ &l->ts_nsec, name, "ts_nsec", keys[0], false },
		{ &l->len, name, "len", keys[1], false },
		{ &l->text_len, name, "text_len", keys[2], false },
		{ &l->dict_len, name, "dict_len", keys[3], false },
		{ &l->caller_id, name, "caller_id", keys[4], true },
	};
	return l->header_size && find_offsets(s, wanted, array_size(wanted));
}

/*
 * Without types and VMCOREINFO: struct printk_log had these members at these places from 3.5 to
 * 5.9, packed (kernel/printk/printk.c); CONFIG_PRINTK_CALLER (5.1) added a word at the end. The
 * layout is right that leads from record to record without a break.
 */
static void decode_by_custom(const struct log_reader *reader, const struct log_buffer *buffer,
			     struct log_records *records)
{
	struct log_buffer_layout layout = {
		.header_size = 16,
		.ts_nsec = 0,
		.len = 8,
		.text_len = 10,
		.dict_len = 12,
		.caller_id = LOG_NO_MEMBER,
	};
	struct log_records plain = *records;

	log_decode_buffer(reader, &layout, buffer, &plain);
	if (!plain.cut && !plain.lost) {
		*records = plain;
		return;
	}
	layout.caller_id = layout.header_size;
	layout.header_size += sizeof(uint32_t);
	log_decode_buffer(reader, &layout, buffer, records);
	if (records->cut || records->lost > plain.lost) {
		free(records->data);
		*records = plain;
	} else {
		free(plain.data);
	}
}

static bool read_memory(void *ctx, uint64_t address, void *buf, size_t size)
{
	struct session *s = ctx;

	return memory_read(s->memory, address, buf, size) == READ_OK;
}

/* Some sizes and indices of the record buffer are ints, all are smaller than 2^32. */
static bool read_u32_at(struct session *s, const char *name, uint32_t *value)
{
	uint64_t address = address_of(s, name);

	*value = 0;
	return address && memory_u32(s->memory, address, value) == READ_OK;
}

static const char *read_ring(struct session *s, uint64_t prb, struct log_records *records)
{
	const struct log_reader reader = { read_memory, s };
	struct log_ring_layout layout = { 0 };
	uint64_t ring;

	if (!ring_layout(s, &layout))
		return "the layout of the log's ring buffer is unknown: no types and no VMCOREINFO";
	if (memory_u64(s->memory, prb, &ring) != READ_OK)
		return "the pointer to the log (prb) is not in the dump";
	log_decode_ring(&reader, &layout, ring, records);
	return NULL;
}

static const char *read_buffer(struct session *s, uint64_t log_buf, struct log_records *records)
{
	const struct log_reader reader = { read_memory, s };
	struct log_buffer_layout layout = { 0 };
	struct log_buffer buffer = { 0 };
	uint32_t size;

	if (memory_u64(s->memory, log_buf, &buffer.address) != READ_OK ||
	    !read_u32_at(s, "log_buf_len", &size) ||
	    !read_u32_at(s, "log_first_idx", &buffer.first) ||
	    !read_u32_at(s, "log_next_idx", &buffer.next))
		return "the log's size and indices are not in the dump";
	buffer.size = size;
	kglobal(s, "log_first_seq", 8, &buffer.first_seq);
	if (buffer_layout(s, &layout))
		log_decode_buffer(&reader, &layout, &buffer, records);
	else
		decode_by_custom(&reader, &buffer, records);
	return NULL;
}

static void destroy_state(void *data)
{
	struct log_state *state = data;

	free(state->records.data);
	arena_deinit(&state->arena);
	free(state);
}

static struct log_state *read_log(struct session *s)
{
	struct log_state *state = xcalloc(1, sizeof(*state));
	struct log_records *records = &state->records;
	uint64_t prb = address_of(s, "prb"), log_buf;

	records->arena = &state->arena;
	records->text_max = LOG_TEXT_MAX;
	if (prb)
		state->error = read_ring(s, prb, records);
	else if ((log_buf = address_of(s, "log_buf")))
		state->error = read_buffer(s, log_buf, records);
	else
		state->error = "there is no kernel log: neither symbols nor VMCOREINFO name one";

	if (!state->error && records->cut)
		state->error = arena_printf(&state->arena,
					    "the log breaks off after %zu records: the rest is "
					    "damaged or not in the dump",
					    records->count);
	else if (!state->error && records->lost)
		state->error = arena_printf(&state->arena,
					    "%zu log records are damaged or not in the dump",
					    records->lost);
	return state;
}

const struct log_record *kernel_log(struct session *s, size_t *count, const char **error)
{
	struct log_state *state = s->slot[SLOT_LOG].data;

	if (s->text) {
		*count = s->text->log_count;
		if (error)
			*error = NULL;
		return s->text->log;
	}
	if (!state) {
		state = read_log(s);
		s->slot[SLOT_LOG].data = state;
		s->slot[SLOT_LOG].destroy = destroy_state;
	}
	*count = state->records.count;
	if (error)
		*error = state->error;
	return state->records.data;
}
