// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The audit subsystem (kernel/audit.c) keeps its records as netlink messages in socket buffers:
 * audit_hold_queue those for a daemon that has not come yet, audit_retry_queue those that could not
 * be delivered, audit_queue new ones (until 4.9 audit_skb_queue and audit_skb_hold_queue). A
 * message is a struct nlmsghdr and text without a NUL, up to the buffer's end
 * (nlmsg_len leaves the header out there).
 *
 * printk_safe (kernel/printk/printk_safe.c, 4.10 to 5.14) is a struct printk_safe_seq_buf per CPU
 * for each context: a length, and as many bytes of text.
 */
#include "kernel/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/cpus.h"
#include "kernel/lists.h"

enum {
	RECORDS_MAX = 1 << 20,
	RECORD_BYTES_MAX = 1 << 16,
	NLMSG_HEADER = 16, NLMSG_TYPE = 4, /* struct nlmsghdr, include/uapi/linux/netlink.h */
};

static bool read_record(struct session *s, uint64_t skb, const char *queue, audit_fn fn, void *ctx)
{
	uint64_t data, length;

	if (!kread(s, skb, "sk_buff", "data", &data) || !kread(s, skb, "sk_buff", "len", &length) ||
	    length < NLMSG_HEADER || length > RECORD_BYTES_MAX)
		return false;
	auto_free char *bytes = xmalloc(length + 1);
	if (memory_read(s->memory, data, bytes, length) != READ_OK)
		return false;
	bytes[length] = '\0';
	fn(ctx, &(struct audit_record){
		.skb = skb,
		.queue = queue,
		.type = load_u16((const uint8_t *)bytes + NLMSG_TYPE),
		.text = bytes + NLMSG_HEADER,
	});
	return true;
}

static void walk_queue(struct session *s, uint64_t head, const char *queue, audit_fn fn, void *ctx,
		       struct walk_trouble *trouble)
{
	struct list_walk walk;
	uint64_t skb;

	/* A sk_buff begins with its links, as its queue does: two pointers, like a list_head. */
	list_walk_from_head(&walk, s, LIST_DOUBLE, head);
	while (walk.count < RECORDS_MAX && !session_stopped(s) && list_walk_step(&walk, &skb)) {
		if (!read_record(s, skb, queue, fn, ctx))
			walk_trouble_add(trouble, "the record in the socket buffer at %016" PRIx64
					 " is not in the dump", skb);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
}

bool audit_each(struct session *s, audit_fn fn, void *ctx, struct walk_trouble *trouble)
{
	static const char *const queues[] = {
		"audit_hold_queue", "audit_retry_queue", "audit_queue", "audit_skb_hold_queue",
		"audit_skb_queue",
	};
	bool some = false;

	for (size_t i = 0; s->symbols && i < array_size(queues); i++) {
		uint64_t head = symbols_address(s->symbols, queues[i]);
		if (!head)
			continue;
		some = true;
		walk_queue(s, head, queues[i], fn, ctx, trouble);
	}
	return some;
}

static void read_safe_buffer(struct session *s, uint64_t at, unsigned cpu, const char *name,
			     safe_buffer_fn fn, void *ctx, struct walk_trouble *trouble)
{
	uint64_t length, offset;
	struct member buffer;

	if (!kread(s, at, "printk_safe_seq_buf", "len", &length) ||
	    !types_member(s->types, "printk_safe_seq_buf", "buffer", &buffer)) {
		walk_trouble_add(trouble, "%s of CPU %u cannot be read", name, cpu);
		return;
	}
	length = min_u64(length, buffer.size);
	auto_free char *text = xmalloc(length + 1);
	if (memory_read(s->memory, at + buffer.offset, text, length) != READ_OK) {
		walk_trouble_add(trouble, "%s of CPU %u is not in the dump", name, cpu);
		return;
	}
	text[length] = '\0';
	for (offset = 0; offset < length; offset += strlen(text + offset) + 1) {
		text[offset + strcspn(text + offset, "\n")] = '\0';
		if (text[offset])
			fn(ctx, cpu, name, text + offset);
	}
}

bool printk_safe_each(struct session *s, safe_buffer_fn fn, void *ctx,
		      struct walk_trouble *trouble)
{
	static const char *const buffers[] = { "safe_print_seq", "nmi_print_seq" };
	bool some = false;
	struct symbol symbol;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	for (size_t i = 0; s->symbols && i < array_size(buffers); i++) {
		if (!symbols_by_name(s->symbols, buffers[i], &symbol))
			continue;
		some = true;
		for (size_t k = 0; k < count; k++) {
			uint64_t at = kpercpu(s, buffers[i], cpu[k].id);
			read_safe_buffer(s, at, cpu[k].id, buffers[i], fn, ctx, trouble);
		}
	}
	return some;
}
