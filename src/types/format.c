// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values as text, in the notation of crash's (that is gdb's) struct command: one member a line,
 * four blanks a level, runs of equal array elements folded, char arrays as strings, enumerators
 * by name, addresses with what they point to. Bytes that the caller does not have are said to be
 * not in the dump, never shown as zero.
 *
 * The text is bounded: a corrupt type may have a million members at the same offset.
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/source.h"

#define FORMAT_TEXT_MAX     (4u << 20)
#define FORMAT_ELEMENTS_MAX 4096 /* groups of equal elements of one array */
#define FOLD_MIN            4    /* this many equal elements are folded */
#define TEXT_SHOWN_MAX      201  /* of the text that a pointer points to; gdb's 200 */

struct printer {
	const struct value_format *format;
	struct strbuf *out;
	const uint8_t *start; /* of the outermost value */
	bool hex;             /* integers, at the moment */
};

static void print_value(struct printer *p, struct type type, const uint8_t *bytes, size_t size,
			unsigned level);

static bool too_long(const struct printer *p)
{
	return p->out->len > FORMAT_TEXT_MAX;
}

/* Is any, or with @whole all, of the @size bytes missing? */
static bool in_hole(const struct printer *p, const uint8_t *bytes, uint64_t size, bool whole)
{
	uint64_t start = (uint64_t)(bytes - p->start), end = start + size;

	for (size_t i = 0; i < p->format->hole_count; i++) {
		const struct value_hole *hole = &p->format->holes[i];
		if (whole ? hole->start <= start && end <= hole->end
			  : hole->start < end && start < hole->end)
			return true;
	}
	return false;
}

static void add_hole(struct printer *p)
{
	strbuf_addf(p->out, "<%s>",
		    p->format->hole_text ? p->format->hole_text : "not in the dump");
}

static void new_line(struct printer *p, unsigned level)
{
	strbuf_addf(p->out, "\n%*s", (int)(4 * (p->format->indent + level)), "");
}

static void print_address(struct printer *p, uint64_t address)
{
	char name[256] = "";

	strbuf_addf(p->out, "0x%llx", (unsigned long long)address);
	if (p->format->name_address && address)
		p->format->name_address(p->format->ctx, address, name, sizeof(name));
	if (name[0])
		strbuf_addf(p->out, " <%s>", name);
}

/* "char" itself: a signed or unsigned one is a small number. */
static bool is_char(const struct type_info *info)
{
	return info->kind == TYPE_INT && info->size == 1 && strcmp(info->name, "char") == 0;
}

static void print_binary(struct strbuf *out, uint64_t value)
{
	bool started = false;

	for (int i = 63; i >= 0; i--) {
		started = started || value >> i & 1 || !i;
		if (started)
			strbuf_add_char(out, value >> i & 1 ? '1' : '0');
	}
}

/* As gdb's p/LETTER shows a number of @size bytes. */
static void print_letter(struct printer *p, uint64_t size, bool is_signed, uint64_t value)
{
	uint64_t mask = size < 8 ? (UINT64_C(1) << size * 8) - 1 : UINT64_MAX;
	uint64_t number = value & mask;
	bool negative = size && number >> (min_u64(size, 8) * 8 - 1) & 1;
	struct strbuf *out = p->out;

	switch (p->format->letter) {
	case 'd':
		strbuf_addf(out, "%lld", (long long)(negative ? number | ~mask : number));
		break;
	case 'u':
		strbuf_addf(out, "%llu", (unsigned long long)number);
		break;
	case 'o':
		strbuf_addf(out, number ? "0%llo" : "0", (unsigned long long)number);
		break;
	case 't':
		print_binary(out, number);
		break;
	case 'z':
		strbuf_addf(out, "0x%0*llx", (int)min_u64(size, 8) * 2,
			    (unsigned long long)number);
		break;
	case 'c':
		strbuf_addf(out, "%d '", is_signed ? (int8_t)number : (uint8_t)number);
		strbuf_add_escaped(out, (uint8_t)number, '\'');
		strbuf_add_char(out, '\'');
		break;
	case 'a':
		print_address(p, number);
		break;
	default:
		strbuf_addf(out, "0x%llx", (unsigned long long)number);
		break;
	}
}

static void print_integer(struct printer *p, const struct type_info *info, uint64_t value)
{
	struct strbuf *out = p->out;

	if (p->format->letter) {
		print_letter(p, info->size, info->is_signed || is_char(info), value);
		return;
	}
	if (info->is_bool || (info->kind == TYPE_INT && strcmp(info->name, "_Bool") == 0)) {
		if (value <= 1)
			strbuf_add(out, value ? "true" : "false");
		else
			strbuf_addf(out, "%llu (not a bool)", (unsigned long long)value);
		return;
	}
	if (p->hex) {
		if (info->size < 8)
			value &= (UINT64_C(1) << info->size * 8) - 1;
		strbuf_addf(out, "0x%llx", (unsigned long long)value);
	} else if (info->is_signed) {
		strbuf_addf(out, "%lld", (long long)value);
	} else {
		strbuf_addf(out, "%llu", (unsigned long long)value);
	}
	if (is_char(info)) {
		strbuf_add(out, " '");
		strbuf_add_escaped(out, (uint8_t)value, '\'');
		strbuf_add_char(out, '\'');
	}
}

/* An integer of more than eight bytes, or a float of a size that C does not have here. */
static void print_raw(struct printer *p, const uint8_t *bytes, size_t size)
{
	strbuf_add(p->out, "0x");
	for (size_t i = size; i-- > 0;)
		strbuf_addf(p->out, "%02x", bytes[i]);
}

static void print_float(struct printer *p, const uint8_t *bytes, size_t size)
{
	float f;
	double d;

	if (size == sizeof(f)) {
		memcpy(&f, bytes, sizeof(f));
		strbuf_addf(p->out, "%g", (double)f);
	} else if (size == sizeof(d)) {
		memcpy(&d, bytes, sizeof(d));
		strbuf_addf(p->out, "%g", d);
	} else {
		print_raw(p, bytes, size);
	}
}

static void print_pointer(struct printer *p, struct type type, uint64_t value)
{
	struct type target = type_target(type_strip(type));
	char text[TEXT_SHOWN_MAX];
	struct type_info info;

	print_address(p, value);
	if (!p->format->text_at || !value || !type_describe_stripped(&target, &info) ||
	    !is_char(&info) || !p->format->text_at(p->format->ctx, value, text, sizeof(text)))
		return;
	size_t length = strlen(text);
	strbuf_add(p->out, " \"");
	for (size_t i = 0; i < length; i++)
		strbuf_add_escaped(p->out, (uint8_t)text[i], '"');
	strbuf_add(p->out, length + 1 == sizeof(text) ? "\"..." : "\"");
}

static void print_number(struct printer *p, struct type type, const struct type_info *info,
			 uint64_t value)
{
	bool plain = !p->format->letter;
	const char *name = info->kind == TYPE_ENUM && plain ? type_enum_name(type, (int64_t)value)
							    : NULL;

	if (name)
		strbuf_add(p->out, name);
	else if (info->kind == TYPE_POINTER && plain)
		print_pointer(p, type, value);
	else
		print_integer(p, info, value);
}

static void print_scalar(struct printer *p, struct type type, const struct type_info *info,
			 const uint8_t *bytes, size_t size)
{
	uint64_t value;

	if (info->size == 0 || info->size > 64)
		strbuf_add(p->out, "<incomplete type>");
	else if (size < info->size || in_hole(p, bytes, info->size, false))
		add_hole(p);
	else if (info->kind == TYPE_FLOAT)
		print_float(p, bytes, (size_t)info->size);
	else if (type_load(type, bytes, size, &value))
		print_number(p, type, info, value);
	else
		print_raw(p, bytes, (size_t)info->size);
}

/* --- Arrays --- */

static size_t string_length(const uint8_t *bytes, size_t size)
{
	while (size && !bytes[size - 1])
		size--;
	return size;
}

/* The text up to the last byte that is not zero: what is behind a first NUL is shown too. */
static void print_string(struct printer *p, const uint8_t *bytes, size_t size)
{
	size_t length = p->format->null_stop ? strnlen((const char *)bytes, size)
					     : string_length(bytes, size);

	strbuf_add_char(p->out, '"');
	for (size_t i = 0; i < length && !too_long(p); i++)
		strbuf_add_escaped(p->out, bytes[i], '"');
	strbuf_add_char(p->out, '"');
}

/* Arrays of unsigned char are numbers, except where they hold nothing but text. */
static bool looks_like_text(const uint8_t *bytes, size_t size)
{
	size_t length = string_length(bytes, size);

	if (length < 3 || length == size)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < ' ' || bytes[i] >= 0x7f)
			return false;
	}
	return true;
}

/* How many elements, from the @i-th on, are equal. */
static uint64_t run_length(const struct printer *p, const uint8_t *bytes, size_t element,
			   uint64_t i, uint64_t count)
{
	const uint8_t *first = bytes + i * element;
	bool missing = in_hole(p, first, element, false);
	uint64_t n;

	for (n = 1; i + n < count; n++) {
		const uint8_t *next = first + n * element;
		if (memcmp(first, next, element) != 0 ||
		    in_hole(p, next, element, false) != missing)
			break;
	}
	return n;
}

static void print_elements(struct printer *p, struct type element, size_t element_size,
			   const uint8_t *bytes, uint64_t count, unsigned level)
{
	uint64_t most = p->format->elements_max ? p->format->elements_max : FORMAT_ELEMENTS_MAX;
	uint64_t groups = 0;

	for (uint64_t i = 0; i < count;) {
		if (++groups > most || too_long(p)) {
			strbuf_addf(p->out, "... %llu more", (unsigned long long)(count - i));
			return;
		}
		if (p->format->element_lines)
			new_line(p, level + 1);
		uint64_t n = run_length(p, bytes, element_size, i, count);
		print_value(p, element, bytes + i * element_size, element_size, level);
		if (n >= FOLD_MIN)
			strbuf_addf(p->out, " <repeats %llu times>", (unsigned long long)n);
		else
			n = 1;
		i += n;
		if (i < count)
			strbuf_add(p->out, p->format->element_lines ? "," : ", ");
	}
}

static void print_array(struct printer *p, const struct type_info *info, const uint8_t *bytes,
			size_t size, unsigned level)
{
	uint64_t element_size = type_size(info->target);
	struct type element = info->target;
	struct type_info of;

	if (!type_describe_stripped(&element, &of) || !element_size || !info->length) {
		strbuf_add(p->out, "{}");
		return;
	}
	uint64_t there = size / element_size;
	uint64_t count = info->length < there ? info->length : there;
	if (!count || in_hole(p, bytes, count * element_size, true)) {
		add_hole(p);
		return;
	}
	bool is_byte = of.kind == TYPE_INT && of.size == 1 && !of.is_bool && !p->format->letter &&
		       !in_hole(p, bytes, count, false);
	if ((is_byte && is_char(&of)) || (is_byte && looks_like_text(bytes, (size_t)count))) {
		print_string(p, bytes, (size_t)count);
	} else {
		strbuf_add_char(p->out, '{');
		print_elements(p, info->target, (size_t)element_size, bytes, count, level);
		if (p->format->element_lines)
			new_line(p, level);
		strbuf_add_char(p->out, '}');
	}
	if (count < info->length) {
		strbuf_add_char(p->out, ' ');
		add_hole(p);
	}
}

/* --- Structs --- */

static void print_bit_field(struct printer *p, const struct member *member, const uint8_t *bytes,
			    size_t size)
{
	struct type type = member->type;
	struct type_info info;
	uint64_t value;

	if (in_hole(p, bytes, member->size, false) || !member_load(member, bytes, size, &value))
		add_hole(p);
	else if (type_describe_stripped(&type, &info))
		print_number(p, type, &info, value);
}

/* Nobody reads flags in decimal. */
static bool holds_flags(const struct printer *p, const struct member *member)
{
	size_t length = strlen(member->name);

	return !p->format->decimal && length >= 5 &&
	       strcmp(member->name + length - 5, "flags") == 0 && !type_is_signed(member->type) &&
	       type_kind(type_strip(member->type)) == TYPE_INT;
}

static void print_members(struct printer *p, struct type type, const struct type_info *info,
			  const uint8_t *bytes, size_t size, unsigned level)
{
	struct member member;

	for (unsigned i = 0; i < info->count && type_member_at(type, i, &member); i++) {
		/* Unnamed bit-fields are padding. */
		if (member.bit_size && !*member.name)
			continue;
		if (i)
			strbuf_add_char(p->out, ',');
		new_line(p, level + 1);
		if (too_long(p)) {
			strbuf_add(p->out, "...");
			break;
		}
		if (*member.name)
			strbuf_addf(p->out, "%s = ", member.name);
		size_t offset = member.offset < size ? (size_t)member.offset : size;
		p->hex = p->format->hex || holds_flags(p, &member);
		if (member.bit_size)
			print_bit_field(p, &member, bytes + offset, size - offset);
		else
			print_value(p, member.type, bytes + offset, size - offset, level + 1);
		p->hex = p->format->hex;
	}
}

static void print_struct(struct printer *p, struct type type, const struct type_info *info,
			 const uint8_t *bytes, size_t size, unsigned level)
{
	if (info->incomplete) {
		strbuf_add(p->out, "<incomplete type>");
	} else if (level > TYPE_NESTING_MAX || (p->format->depth && level >= p->format->depth)) {
		strbuf_add(p->out, "{...}");
	} else if (info->size && (!size || in_hole(p, bytes, info->size, true))) {
		add_hole(p);
	} else if (!info->count) {
		strbuf_add(p->out, "{}");
	} else {
		strbuf_add_char(p->out, '{');
		if (size > info->size)
			size = (size_t)info->size;
		print_members(p, type, info, bytes, size, level);
		new_line(p, level);
		strbuf_add_char(p->out, '}');
	}
}

static void print_value(struct printer *p, struct type type, const uint8_t *bytes, size_t size,
			unsigned level)
{
	struct type_info info;

	if (level > TYPE_NESTING_MAX + 8 || !type_describe_stripped(&type, &info)) {
		strbuf_add(p->out, "?");
		return;
	}
	switch (info.kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		print_struct(p, type, &info, bytes, size, level);
		break;
	case TYPE_ARRAY:
		print_array(p, &info, bytes, size, level);
		break;
	case TYPE_VOID:
	case TYPE_FUNCTION:
		strbuf_add(p->out, "{...}");
		break;
	default:
		print_scalar(p, type, &info, bytes, size);
		break;
	}
}

void type_format_value(struct type type, const uint8_t *bytes, size_t size,
		       const struct value_format *format, struct strbuf *out)
{
	struct printer p = { .format = format, .out = out, .start = bytes, .hex = format->hex };
	enum type_kind kind = type_kind(type_strip(type));

	if (kind == TYPE_STRUCT || kind == TYPE_UNION) {
		char name[256];
		type_spell(type, name, sizeof(name));
		/* "struct {...} {" would say the same twice. */
		if (!strchr(name, '{'))
			strbuf_addf(out, "%s ", name);
	}
	print_value(&p, type, bytes, size, 0);
}

void type_format_member(const struct member *member, const uint8_t *bytes, size_t size,
			const struct value_format *format, struct strbuf *out)
{
	struct printer p = { .format = format, .out = out, .start = bytes, .hex = format->hex };

	p.hex |= holds_flags(&p, member);
	if (member->bit_size)
		print_bit_field(&p, member, bytes, size);
	else
		print_value(&p, member->type, bytes, size, 0);
}
