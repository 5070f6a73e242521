// SPDX-License-Identifier: LGPL-2.1-or-later
/* log -a, -s and -R: records of the audit subsystem, printk's side buffers, names of Rust. */
#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/log.h"
#include "kernel/audit.h"
#include "symbols/rust_name.h"

static void add_audit(void *ctx, const struct audit_record *record)
{
	struct doc *doc = ctx;
	/* Records may hold control characters; they end where text ends. */
	const char *text = arena_printf(&doc->arena, "type=%u %s", record->type, record->text);

	doc_row(doc, cell_shown(cell_str(record->text), text), cell_udec(record->type),
		cell_str(record->queue), cell_address(record->skb));
}

struct error *log_audit(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = "text", .title = "" },
		{ .key = "type" },
		{ .key = "queue" },
		{ .key = "sk_buff" },
	};
	struct walk_trouble trouble = { 0 };

	doc_table(args->doc, "audit", columns, array_size(columns));
	doc_bare(args->doc);
	bool known = audit_each(args->session, add_audit, args->doc, &trouble);
	bool empty = !args->doc->current->row_count;
	doc_end(args->doc);
	if (!known && args->session->text)
		return error_new(ERROR_MISSING, "a text has no memory to look into");
	if (!known)
		return error_new(ERROR_MISSING, "this kernel has no queues of audit records");
	if (trouble.count)
		doc_remark(args->doc, REMARK_HOLE, "%s; %zu such", trouble.text, trouble.count);
	else if (empty)
		doc_remark(args->doc, REMARK_NOTE, "no audit record waits to be fetched");
	return NULL;
}

static void add_safe(void *ctx, unsigned cpu, const char *buffer, const char *text)
{
	struct doc *doc = ctx;
	const char *line = arena_printf(&doc->arena, "CPU %u %s: %s", cpu, buffer, text);

	doc_row(doc, cell_shown(cell_str(text), line), cell_udec(cpu), cell_str(buffer));
}

struct error *log_safe(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = "text", .title = "" },
		{ .key = "cpu" },
		{ .key = "buffer" },
	};
	struct walk_trouble trouble = { 0 };

	doc_table(args->doc, "safe_buffers", columns, array_size(columns));
	doc_bare(args->doc);
	bool known = printk_safe_each(args->session, add_safe, args->doc, &trouble);
	bool empty = !args->doc->current->row_count;
	doc_end(args->doc);
	if (!known && args->session->text)
		return error_new(ERROR_MISSING, "a text has no memory to look into");
	if (!known)
		return error_new(ERROR_MISSING, "this kernel has no printk_safe buffers: since 5.15 "
				 "every message goes to the log at once (log)");
	if (trouble.count)
		doc_remark(args->doc, REMARK_HOLE, "%s; %zu such", trouble.text, trouble.count);
	else if (empty)
		doc_remark(args->doc, REMARK_NOTE, "the printk_safe buffers are empty");
	return NULL;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

void log_rust_names(const char *text, struct strbuf *out)
{
	while (*text) {
		size_t length = 0;
		while (is_name(text[length]))
			length++;
		if (!length) {
			strbuf_add_char(out, *text++);
			continue;
		}
		auto_free char *word = xstrndup(text, length);
		/* A sentence's full stop is none of the name's. */
		bool rust = starts_with(word, "_R") || starts_with(word, "_ZN");
		if (!rust || !rust_name(word, out))
			strbuf_add(out, word);
		text += length;
	}
}
