// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finds the row of a type, and what several rows need. A type is known by its name alone: the same
 * struct may be described twice, in the kernel's types and in a module's.
 */
#include "kernel/meaning_rows.h"

#include "base/strbuf.h"

enum {
	MAX_ERRNO = 4095,    /* include/linux/err.h */
	NULL_LIMIT = 0x1000,
	STRING_MAX = 96,     /* characters shown */
	FIRST_MEMBER_MAX = 4,
};

static const struct meaning_row *const tables[] = {
	meaning_core_rows, meaning_sync_rows, meaning_files_rows,
	meaning_net_rows, meaning_block_rows, meaning_device_rows,
};

static const struct meaning_row *find_row(const char *name)
{
	for (size_t i = 0; i < array_size(tables); i++) {
		for (const struct meaning_row *row = tables[i]; row->type; row++) {
			if (strcmp(row->type, name) == 0)
				return row;
		}
	}
	return NULL;
}

bool meaning_known(const char *struct_name)
{
	return find_row(struct_name) != NULL;
}

bool meaning_of(struct session *s, const char *struct_name, uint64_t address, char *buf,
		size_t size)
{
	const struct meaning_row *row = find_row(struct_name);

	buf[0] = '\0';
	if (row && s->arch->is_kernel_address(address) && row->tell(s, address, buf, size) && *buf)
		return true;
	buf[0] = '\0';
	return false;
}

/* --- Pieces. --- */

bool meaning_function(struct session *s, uint64_t address, char *buf, size_t size)
{
	struct symbol symbol;

	if (!s->symbols || !symbols_is_text(s->symbols, address) ||
	    !symbols_by_address(s->symbols, address, &symbol))
		return false;
	symbols_format(s->symbols, address, buf, size);
	/* "name+0x0/0x30 [mod]": the place in it says nothing when it is the start. */
	char *plus = strstr(buf, "+0x0/");
	if (plus && symbol.address == address) {
		const char *rest = plus + strcspn(plus, " ");
		memmove(plus, rest, strlen(rest) + 1);
	}
	return true;
}

bool meaning_function_member(struct session *s, uint64_t address, const char *type,
			     const char *path, char *buf, size_t size)
{
	uint64_t function;

	return kread(s, address, type, path, &function) &&
	       meaning_function(s, function, buf, size);
}

static bool printable(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
			return false;
	}
	return true;
}

bool meaning_quote(struct session *s, uint64_t address, char *buf, size_t size)
{
	char text[STRING_MAX + 1];
	auto_strbuf out = { 0 };

	if (memory_string(s->memory, address, text, sizeof(text)) != READ_OK || !printable(text))
		return false;
	strbuf_add(&out, "\"");
	for (const char *p = text; *p; p++) {
		if (*p == '\n' || *p == '\t')
			strbuf_add(&out, *p == '\n' ? "\\n" : "\\t");
		else
			strbuf_addf(&out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
	}
	strbuf_add(&out, strlen(text) == STRING_MAX ? "\"..." : "\"");
	snprintf(buf, size, "%s", strbuf_text(&out));
	return true;
}

bool meaning_name(struct session *s, uint64_t address, const char *type, const char *path,
		  char *buf, size_t size)
{
	return kread_string(s, address, type, path, buf, size) && *buf && printable(buf);
}

bool meaning_task(struct session *s, uint64_t task, char *buf, size_t size)
{
	char comm[32];
	uint64_t pid, stack;

	if (!meaning_name(s, task, "task_struct", "comm", comm, sizeof(comm)) ||
	    /* NULL once it is dead. */
	    !kread(s, task, "task_struct", "stack", &stack) ||
	    (stack && !s->arch->is_kernel_address(stack)) ||
	    !kread(s, task, "task_struct", "pid", &pid) || pid > 1u << 22)
		return false;
	snprintf(buf, size, "%s (pid %" PRIu64 ")", comm, pid);
	return true;
}

/* --- Values of C types. --- */

static bool error_words(uint64_t value, char *buf, size_t size)
{
	int number = (int)-(int64_t)value;
	const char *name = strerrorname_np(number);

	snprintf(buf, size, "error -%d%s%s%s", number, name ? " (" : "", name ? name : "",
		 name ? ")" : "");
	return true;
}

/* A struct that begins with one that has a row: "struct tcp_sock" is a "struct sock". */
static bool tell_struct(struct session *s, struct type type, uint64_t address, char *buf,
			size_t size)
{
	struct member first;

	for (unsigned i = 0; i < FIRST_MEMBER_MAX; i++) {
		if (!type_member_at(type, 0, &first) || first.bit_size)
			return false;
		type = type_strip(first.type);
		if (type_kind(type) != TYPE_STRUCT)
			return false;
		const struct meaning_row *row = find_row(type_name(type));
		if (row)
			return !row->part &&
			       meaning_of(s, type_name(type), address, buf, size);
	}
	return false;
}

static bool tell_pointer(struct session *s, struct type pointer, uint64_t value, char *buf,
			 size_t size)
{
	struct type target = type_target(pointer), bare = type_strip(target);
	enum type_kind kind = type_kind(bare);

	if (!value) {
		snprintf(buf, size, "NULL");
		return true;
	}
	if (-value <= MAX_ERRNO)
		return error_words(value, buf, size);
	if (value < NULL_LIMIT) {
		snprintf(buf, size, "NULL + 0x%" PRIx64, value);
		return true;
	}
	if (!s->arch->is_kernel_address(value))
		return false;
	if (kind == TYPE_FUNCTION)
		return meaning_function(s, value, buf, size);
	if (kind == TYPE_INT && type_size(bare) == 1)
		return meaning_quote(s, value, buf, size);
	/* A typedef may have a row of its own (spinlock_t). */
	if (meaning_of(s, type_name(target), value, buf, size))
		return true;
	if (meaning_of(s, type_name(bare), value, buf, size))
		return true;
	return (kind == TYPE_STRUCT || kind == TYPE_UNION) && !find_row(type_name(bare)) &&
	       tell_struct(s, bare, value, buf, size);
}

bool meaning_of_value(struct session *s, struct type type, uint64_t value, char *buf, size_t size)
{
	struct type bare = type_strip(type);
	const char *name;

	buf[0] = '\0';
	switch (type_kind(bare)) {
	case TYPE_POINTER:
		if (tell_pointer(s, bare, value, buf, size))
			return true;
		buf[0] = '\0';
		return false;
	case TYPE_ENUM:
		name = type_enum_name(bare, (int32_t)value);
		snprintf(buf, size, "%s", name ? name : "");
		return name != NULL;
	default:
		return false;
	}
}
