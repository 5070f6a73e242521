// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Objects of a type in a document: text in C's notation, and for JSON a row for each member. The
 * bytes are read once; pages that are missing become holes, which the value printer respects.
 */
#include "commands/suggest.h"
#include "commands/typed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "commands/args.h"

enum {
	OBJECT_MAX = 1 << 20, /* bytes; the largest struct of a kernel has about 300 KB */
	ROWS_MAX = 20000,
	VISITED_MAX = 100000, /* members; a corrupt type may nest empty structs without end */
	NESTING_MAX = 8,
	SYMBOL_REACH = 1 << 16,
};

static void name_address(void *ctx, uint64_t address, char *buf, size_t size)
{
	struct session *s = ((struct object *)ctx)->session;
	struct symbol symbol;

	*buf = '\0';
	/*
	 * Most of what lies in read-only data has no name, such as string constants: there and far
	 * from any symbol, the one before says nothing.
	 */
	if (!s->symbols || !symbols_by_address(s->symbols, address, &symbol) ||
	    (address != symbol.address && strchr("rR", symbol.type)) ||
	    address - symbol.address > SYMBOL_REACH)
		return;
	address_name(s, address, buf, size);
}

static enum read_status read_status_at(struct object *o, uint64_t address, void *buf, size_t size)
{
	struct memory *mem = o->session->memory;

	if (o->user && !o->session->arch->is_kernel_address(address))
		return memory_read_user(mem, o->user, address, buf, size, NULL);
	return memory_read(mem, address, buf, size);
}

static size_t read_some(struct object *o, uint64_t address, uint8_t *buf, size_t size)
{
	size_t done = 0;

	if (!o->user)
		return memory_read_some(o->session->memory, address, buf, size);
	while (done < size) {
		size_t part = (size_t)(PAGE_SIZE - (address + done) % PAGE_SIZE);
		if (part > size - done)
			part = size - done;
		if (read_status_at(o, address + done, buf + done, part) != READ_OK)
			break;
		done += part;
	}
	return done;
}

/* What a char pointer points to: nothing when it cannot be read to its end. */
static bool text_at(void *ctx, uint64_t address, char *buf, size_t size)
{
	struct object *o = ctx;

	if (!o->user && !o->session->arch->is_kernel_address(address))
		return false;
	if (!o->user)
		return memory_string(o->session->memory, address, buf, size) == READ_OK;
	for (size_t i = 0; i < size - 1; i++) {
		if (read_status_at(o, address + i, buf + i, 1) != READ_OK)
			return false;
		if (!buf[i])
			return true;
	}
	buf[size - 1] = '\0';
	return true;
}

static void set_format(struct object *o)
{
	o->format.holes = o->holes.data;
	o->format.hole_count = o->holes.count;
	o->format.name_address = name_address;
	o->format.text_at = text_at;
	o->format.ctx = o;
}

void object_from_bytes(struct object *o, const void *bytes, size_t size)
{
	o->size = size;
	o->bytes = xcalloc(1, size ? size : 1);
	memcpy(o->bytes, bytes, size);
	set_format(o);
}

struct error *object_read(struct object *o)
{
	uint64_t size = max_u64(type_size(o->type), o->extent);

	if (size > OBJECT_MAX)
		return error_new(ERROR_USAGE, "%" PRIu64 " bytes are more than can be shown", size);
	o->size = (size_t)size;
	o->bytes = xcalloc(1, o->size);
	for (size_t at = 0; at < o->size;) {
		at += read_some(o, o->address + at, o->bytes + at, o->size - at);
		if (at >= o->size)
			break;
		size_t end = at + (size_t)(PAGE_SIZE - (o->address + at) % PAGE_SIZE);
		if (end > o->size)
			end = o->size;
		if (!o->holes.count)
			o->why = read_status_at(o, o->address + at, o->bytes + at, 1);
		memset(o->bytes + at, 0, end - at);
		if (o->holes.count && o->holes.data[o->holes.count - 1].end == at)
			o->holes.data[o->holes.count - 1].end = end;
		else
			vec_push(&o->holes, (struct value_hole){ at, end });
		at = end;
	}
	set_format(o);
	return NULL;
}

/* Says, once for an object, that some of the @size bytes at @offset, which are shown, are missing.
 */
static void remark_missing(struct object *o, uint64_t offset, uint64_t size)
{
	uint64_t missing = 0, first = 0;

	vec_for_each (hole, &o->holes) {
		uint64_t start = max_u64(hole->start, offset);
		uint64_t end = min_u64(hole->end, offset + size);
		if (start >= end)
			continue;
		if (!missing)
			first = start;
		missing += end - start;
	}
	if (!missing || o->remarked)
		return;
	o->remarked = true;
	doc_remark(o->doc, REMARK_HOLE, "%" PRIu64 " of %" PRIu64 " bytes at %" PRIx64 ": %s",
		   missing, size, o->address + first, read_status_text(o->why));
}

void object_deinit(struct object *o)
{
	free(o->bytes);
	vec_deinit(&o->holes);
	strbuf_deinit(&o->text);
}

static const struct column value_columns[] = {
	{ .key = "name" }, { .key = "offset" }, { .key = "size" },
	{ .key = "bits" }, { .key = "type" },   { .key = "value" },
};

void object_table(struct doc *doc)
{
	doc_table(doc, "members", value_columns, array_size(value_columns));
	doc_hidden(doc);
}

static bool is_missing(const struct object *o, uint64_t start, uint64_t size)
{
	for (size_t i = 0; i < o->holes.count; i++) {
		if (o->holes.data[i].start < start + size && start < o->holes.data[i].end)
			return true;
	}
	return start + size > o->size;
}

/* The member's holes, counted from its own first byte. */
static void format_member(struct object *o, const struct member *m, unsigned indent,
			  struct strbuf *out)
{
	struct value_format format = o->format;
	struct {
		vec_fields(struct value_hole);
	} holes = { 0 };

	vec_for_each (hole, &o->holes) {
		if (hole->end > m->offset)
			vec_push(&holes, (struct value_hole){ hole->start > m->offset
								      ? hole->start - m->offset
								      : 0,
							      hole->end - m->offset });
	}
	format.holes = holes.data;
	format.hole_count = holes.count;
	format.indent = indent;
	size_t offset = m->offset < o->size ? (size_t)m->offset : o->size;
	type_format_member(m, o->bytes + offset, o->size - offset, &format, out);
	vec_deinit(&holes);
}

static struct cell member_cell(struct object *o, const struct member *m)
{
	struct type type = type_strip(m->type);
	enum type_kind kind = type_kind(type);
	uint64_t value;
	size_t offset = m->offset < o->size ? (size_t)m->offset : o->size;

	if (is_missing(o, m->offset, m->size))
		return cell_none();
	if ((kind == TYPE_INT || kind == TYPE_POINTER || kind == TYPE_ENUM) &&
	    member_load(m, o->bytes + offset, o->size - offset, &value)) {
		const char *name = type_enum_name(type, (int64_t)value);
		if (name)
			return cell_str(name);
		if (kind == TYPE_POINTER)
			return cell_address(value);
		if (strcmp(type_name(type), "_Bool") == 0 && value <= 1)
			return cell_bool(value);
		return type_is_signed(type) ? cell_dec((int64_t)value) : cell_udec(value);
	}
	auto_strbuf text = { 0 };
	format_member(o, m, 0, &text);
	/* A string in JSON needs no quotes of C's. */
	if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
		return cell_str(arena_strndup(&o->doc->arena, text.data + 1, text.len - 2));
	return cell_str(arena_strdup(&o->doc->arena, strbuf_text(&text)));
}

static void add_row(struct object *o, const char *path, const struct member *m)
{
	char type[256];

	if (o->rows++ >= ROWS_MAX)
		return;
	type_spell(m->type, type, sizeof(type));
	doc_row(o->doc, cell_str(path), cell_udec(m->offset), cell_udec(m->size),
		m->bit_size ? cell_udec(m->bit_size) : cell_none(), cell_str(type),
		member_cell(o, m));
}

/* A row for each member that is no struct itself, under @prefix. */
static void add_rows(struct object *o, struct type type, const char *prefix, uint64_t offset,
		     unsigned depth)
{
	struct member m;

	for (unsigned i = 0;
	     o->rows < ROWS_MAX && o->visited < VISITED_MAX && type_member_at(type, i, &m); i++) {
		auto_free char *path = xasprintf("%s%s", prefix, m.name);
		enum type_kind kind = type_kind(type_strip(m.type));
		m.offset += offset;
		o->visited++;
		if (m.bit_size && !*m.name)
			continue;
		if ((kind == TYPE_STRUCT || kind == TYPE_UNION) && depth < NESTING_MAX) {
			auto_free char *inner = xasprintf("%s%s", path, *m.name ? "." : "");
			add_rows(o, m.type, inner, m.offset, depth + 1);
		} else {
			add_row(o, path, &m);
		}
	}
}

void object_add_member(struct object *o, const char *path, const struct member *m)
{
	enum type_kind kind = type_kind(type_strip(m->type));

	remark_missing(o, m->offset, m->size);
	strbuf_addf(&o->text, "    %s = ", path);
	format_member(o, m, 1, &o->text);
	strbuf_add_char(&o->text, '\n');
	if (kind == TYPE_STRUCT || kind == TYPE_UNION) {
		auto_free char *prefix = xasprintf("%s.", path);
		add_rows(o, m->type, prefix, m->offset, 0);
	} else {
		add_row(o, path, m);
	}
}

void object_add_all(struct object *o)
{
	remark_missing(o, 0, o->size);
	type_format_value(o->type, o->bytes, o->size, &o->format, &o->text);
	strbuf_add_char(&o->text, '\n');
	add_rows(o, o->type, "", 0, 0);
}

void text_quote(const char *text, struct strbuf *out)
{
	strbuf_add_char(out, '"');
	for (; *text; text++)
		strbuf_add_escaped(out, (uint8_t)*text, '"');
	strbuf_add_char(out, '"');
}

void object_add_value(struct object *o, const char *label, const struct member *m)
{
	struct type type = type_strip(m->type);
	enum type_kind kind = type_kind(type);
	bool is_struct = kind == TYPE_STRUCT || kind == TYPE_UNION;
	char spelled[256];

	type_spell(m->type, spelled, sizeof(spelled));
	remark_missing(o, m->offset, m->size);
	strbuf_addf(&o->text, "%s = ", label);
	if (o->size && o->holes.count && o->holes.data[0].end - o->holes.data[0].start == o->size) {
		strbuf_addf(&o->text, "<%" PRIx64 ": %s>\n", o->address,
			    read_status_text(o->why));
		doc_field(o->doc, "value", NULL, cell_none());
		return;
	}
	if (kind == TYPE_POINTER && !o->format.letter)
		strbuf_addf(&o->text, "(%s) ", spelled);
	else if (is_struct && !strchr(spelled, '{'))
		strbuf_addf(&o->text, "%s ", spelled);
	format_member(o, m, o->format.indent, &o->text);
	strbuf_add_char(&o->text, '\n');
	doc_field(o->doc, "value", NULL, is_struct ? cell_none() : member_cell(o, m));
	object_table(o->doc);
	if (is_struct)
		add_rows(o, m->type, "", m->offset, 0);
	doc_end(o->doc);
}

/* --- Definitions --- */

static const struct column definition_columns[] = {
	{ .key = "name" },       { .key = "offset" }, { .key = "size" },
	{ .key = "bit_offset" }, { .key = "bits" },   { .key = "type" },
};

void typed_definition_table(struct doc *doc)
{
	doc_table(doc, "members", definition_columns, array_size(definition_columns));
	doc_hidden(doc);
}

void typed_definition_row(struct doc *doc, const char *name, const struct member *m)
{
	char type[256];

	type_spell(m->type, type, sizeof(type));
	doc_row(doc, cell_str(name), cell_udec(m->offset), cell_udec(m->size),
		m->bit_size ? cell_udec(m->bit_offset) : cell_none(),
		m->bit_size ? cell_udec(m->bit_size) : cell_none(), cell_str(type));
}

/* Members of anonymous structs are the outer one's own, as in C. */
static void definition_rows(struct doc *doc, struct type type, uint64_t offset, unsigned depth,
			    unsigned *visited)
{
	struct member m;

	for (unsigned i = 0; *visited < ROWS_MAX && type_member_at(type, i, &m); i++) {
		++*visited;
		m.offset += offset;
		if (!*m.name && !m.bit_size && depth < NESTING_MAX) {
			definition_rows(doc, m.type, m.offset, depth + 1, visited);
			continue;
		}
		typed_definition_row(doc, m.name, &m);
	}
}

void typed_definition_rows(struct doc *doc, struct type type)
{
	unsigned visited = 0;

	definition_rows(doc, type, 0, 0, &visited);
}

void typed_lines(struct doc *doc, const struct strbuf *text)
{
	const char *s = strbuf_text(text);

	doc_lines(doc, NULL, NULL);
	while (*s) {
		size_t length = strcspn(s, "\n");
		doc_line(doc, arena_strndup(&doc->arena, s, length));
		s += length + (s[length] == '\n');
	}
	doc_end(doc);
}

struct error *typed_not_found(struct session *session, const char *name)
{
	if (strcmp(types_source(session->types), "none") == 0)
		return error_new(ERROR_MISSING, "this dump has no type information (no BTF)");
	struct arena arena = { 0 };
	struct error *err = error_new(ERROR_NOT_FOUND, "no struct, union or typedef is called %s%s", name,
				      suggest_type(session, &arena, name));
	arena_deinit(&arena);
	return err;
}
