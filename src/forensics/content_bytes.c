// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fills and poison, text of one and two bytes a character, starts of files.
 *
 * A filled stretch need not begin at a word: the end of a text or of a structure in front of it is
 * part of somebody else. What 0xcc and 0x90 mean in short is the padding between functions.
 */
#include <elf.h>
#include <stdio.h>

#include "forensics/content_part.h"
#include "forensics/poison.h"

enum {
	ZERO_MIN = 64,  /* shorter stretches of zeroes are members of structures */
	FILL_MIN = 16,
	PAD_MIN = 64,   /* int3 and nop: less is padding between functions */
	TEXT_MIN = 16,
	UTF16_MIN = 12, /* characters */
	STRING_MIN = 4, /* behind a NUL within text: the next string */
	NULS_MAX = 16,  /* between two strings: they are aligned */
	OBJECT_END = 0xa5, /* POISON_END, include/linux/poison.h */
};

/* Fills that are no poison, or poison that is often something else. */
static const struct {
	uint8_t byte;
	enum content_kind kind;
	size_t min;
	const char *text; /* NULL: as its poison says */
} fills[] = {
	{ 0x00, CONTENT_ZERO, ZERO_MIN, "zeroes" },
	{ 0xff, CONTENT_FILL, FILL_MIN, "all bits set" },
	{ 0x90, CONTENT_FILL, PAD_MIN, "nop instructions" },
	{ 0xcc, CONTENT_POISON, PAD_MIN, NULL },
};

static size_t run_of_byte(const struct content_view *v, size_t at)
{
	size_t end = at;

	while (end < v->size && v->bytes[end] == v->bytes[at])
		end++;
	return end - at;
}

/* The same word over and over, not all its bytes the same. */
static size_t run_of_word(const struct content_view *v, size_t at, struct content_run *run)
{
	enum { WORDS_MIN = 8 };
	size_t end = at;

	if ((v->address + at) % 8 || v->size - at < 8 * WORDS_MIN)
		return 0;
	uint64_t word = load_u64(v->bytes + at);
	if (load_u64(v->bytes + at + 8) != word || load_u64(v->bytes + at + 16) != word)
		return 0;
	/* Pointers are told as pointers. */
	if (v->env->pointer && v->env->pointer(v->env->ctx, word) != POINTER_NONE)
		return 0;
	while (v->size - end >= 8 && load_u64(v->bytes + end) == word)
		end += 8;
	if (end - at < 8 * WORDS_MIN || content_is_text((uint8_t)word))
		return 0;
	run->kind = CONTENT_FILL;
	run->count = (end - at) / 8;
	snprintf(run->text, sizeof(run->text), "the word 0x%llx, %zu times",
		 (unsigned long long)word, (end - at) / 8);
	return end - at;
}

size_t content_fill(const struct content_view *v, size_t at, struct content_run *run)
{
	const uint8_t *p = v->bytes + at;

	if (v->size - at < 8)
		return 0;
	if (p[0] != p[1] || p[0] != p[7])
		return run_of_word(v, at, run);
	size_t size = run_of_byte(v, at), min = FILL_MIN;
	const struct poison *poison = poison_of_fill(p, 8);
	const char *text = NULL;
	run->kind = poison ? CONTENT_POISON : CONTENT_FILL;
	for (size_t i = 0; i < array_size(fills); i++) {
		if (fills[i].byte != *p)
			continue;
		run->kind = fills[i].kind;
		min = fills[i].min;
		text = fills[i].text;
	}
	if (!text && !poison)
		min = 4 * FILL_MIN;
	if (size < min || (!text && !poison && content_is_text(*p)))
		return 0;
	if (text)
		snprintf(run->text, sizeof(run->text), "%s", text);
	else if (poison)
		snprintf(run->text, sizeof(run->text), "0x%02x, %s: %s", *p, poison->name,
			 poison->meaning);
	else
		snprintf(run->text, sizeof(run->text), "the byte 0x%02x, over and over", *p);
	/* The last byte of a slab object's poison is another one. */
	if (poison && *p != OBJECT_END && size < v->size - at && p[size] == OBJECT_END)
		size++;
	return size;
}

/* --- Text. --- */

bool content_is_text(uint8_t byte)
{
	return (byte >= ' ' && byte < 0x7f) || byte == '\n' || byte == '\t' || byte == '\r' ||
	       byte == 0x1b;
}

/* The bytes of one character of text at @at: ASCII, or UTF-8 of several; 0: none. */
static size_t character(const struct content_view *v, size_t at)
{
	uint8_t first = v->bytes[at];
	size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	if (first < 0x80)
		return content_is_text(first) ? 1 : 0;
	if (first < 0xc2 || first > 0xf4 || size > v->size - at)
		return 0;
	for (size_t i = 1; i < size; i++)
		if (v->bytes[at + i] >> 6 != 2)
			return 0;
	return size;
}

struct text_count {
	size_t size, characters, ascii, letters, lines, strings;
};

/* Text from @at on, NULs between strings in it. */
static void measure_text(const struct content_view *v, size_t at, struct text_count *t)
{
	size_t pos = at, n;

	*t = (struct text_count){ .lines = 1, .strings = 1 };
	while (pos < v->size) {
		n = character(v, pos);
		if (n) {
			uint8_t c = v->bytes[pos];
			t->characters++;
			t->ascii += n == 1;
			t->letters += c == ' ' || (c >= '0' && c <= '9') ||
				      ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || n > 1;
			pos += n;
			t->lines += c == '\n' && pos < v->size && character(v, pos);
			continue;
		}
		if (v->bytes[pos] || pos == at)
			break;
		size_t next = pos + 1, length = 0;
		while (next < v->size && next - pos < NULS_MAX && !v->bytes[next])
			next++;
		size_t nuls = next - pos;
		while (next < v->size && length < STRING_MIN && (n = character(v, next))) {
			next += n;
			length++;
		}
		if (length < STRING_MIN)
			break;
		t->strings++;
		pos += nuls;
	}
	t->size = pos - at;
}

size_t content_text(const struct content_view *v, size_t at, struct content_run *run)
{
	struct text_count t;
	char quoted[160];

	if (v->size - at < TEXT_MIN || !character(v, at))
		return 0;
	/* Most of what is no text shows it soon. */
	for (size_t i = 0; i < TEXT_MIN;) {
		size_t n = at + i < v->size ? character(v, at + i) : 0;
		if (!n && (v->bytes[at + i] || i < STRING_MIN))
			return 0;
		i += n ? n : 1;
	}
	measure_text(v, at, &t);
	/* Numbers can be bytes of text; text has mostly letters, digits and blanks. */
	if (t.characters < TEXT_MIN || t.ascii * 2 < t.characters ||
	    t.letters * 3 < t.characters * 2)
		return 0;
	run->kind = CONTENT_TEXT;
	run->count = t.lines;
	const uint8_t *end = memchr(v->bytes + at, '\n', t.size);
	size_t first = end ? (size_t)(end - (v->bytes + at)) : t.size;
	end = memchr(v->bytes + at, '\0', first);
	content_quote(v->bytes + at, end ? (size_t)(end - (v->bytes + at)) : first, quoted,
		      sizeof(quoted) - 40);
	if (t.strings > 1)
		snprintf(run->text, sizeof(run->text), "%zu strings: %s", t.strings, quoted);
	else
		snprintf(run->text, sizeof(run->text), "%zu line%s: %s", t.lines,
			 t.lines == 1 ? "" : "s", quoted);
	return t.size;
}

size_t content_utf16(const struct content_view *v, size_t at, struct content_run *run)
{
	const uint8_t *p = v->bytes + at;
	char text[120];
	size_t n = 0;

	if ((v->address + at) % 2)
		return 0;
	for (size_t i = 0; i + 1 < v->size - at; i += 2) {
		if (p[i + 1] || !content_is_text(p[i]))
			break;
		if (n < sizeof(text))
			text[n] = (char)p[i];
		n++;
	}
	if (n < UTF16_MIN)
		return 0;
	run->kind = CONTENT_UTF16;
	run->count = n;
	content_quote((const uint8_t *)text, min_u64(n, sizeof(text)), run->text,
		      sizeof(run->text));
	return 2 * n;
}

/* --- Files. --- */

static size_t elf_header(const struct content_view *v, size_t at, struct content_run *run)
{
	static const struct {
		uint16_t type;
		const char *name;
	} types[] = { { ET_REL, "object" }, { ET_EXEC, "program" },
		      { ET_DYN, "shared object or program" }, { ET_CORE, "core" } };
	Elf64_Ehdr h;

	if (v->size - at < sizeof(h))
		return 0;
	memcpy(&h, v->bytes + at, sizeof(h));
	if (h.e_ident[EI_CLASS] < ELFCLASS32 || h.e_ident[EI_CLASS] > ELFCLASS64 ||
	    h.e_ident[EI_VERSION] != EV_CURRENT)
		return 0;
	bool wide = h.e_ident[EI_CLASS] == ELFCLASS64;
	const char *name = "file";
	for (size_t i = 0; i < array_size(types); i++)
		if (types[i].type == h.e_type)
			name = types[i].name;
	run->kind = CONTENT_ELF;
	snprintf(run->text, sizeof(run->text), "header of an ELF %s, %s-bit, machine %u", name,
		 wide ? "64" : "32", h.e_machine);
	size_t size = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	/* The program headers, where they follow at once as usual. */
	if (wide && h.e_phoff == sizeof(h) && h.e_phentsize == sizeof(Elf64_Phdr)) {
		size += (size_t)h.e_phnum * sizeof(Elf64_Phdr);
		snprintf(run->text + strlen(run->text), 40, ", %u program headers", h.e_phnum);
	}
	return size;
}

size_t content_file(const struct content_view *v, size_t at, struct content_run *run)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *name;
	} magics[] = {
		{ "\x1f\x8b\x08\0", 4, "gzip" },
		{ "\xfd"
		  "7zXZ\0",
		  6, "xz" },
		{ "\x28\xb5\x2f\xfd", 4, "Zstandard" },
		{ "\x89PNG\r\n\x1a\n", 8, "PNG" },
		{ "\x04\x22\x4d\x18", 4, "LZ4" },
		{ "SQLite format 3", 16, "SQLite" },
		{ "BZh9", 4, "bzip2" },
	};

	/* Files begin where buffers do. */
	if ((v->address + at) % 16 || v->size - at < 16)
		return 0;
	if (memcmp(v->bytes + at, ELFMAG, SELFMAG) == 0)
		return elf_header(v, at, run);
	for (size_t i = 0; i < array_size(magics); i++) {
		if (memcmp(v->bytes + at, magics[i].bytes, magics[i].size) != 0)
			continue;
		run->kind = CONTENT_FILE;
		snprintf(run->text, sizeof(run->text), "what %s files begin with", magics[i].name);
		return magics[i].size;
	}
	return 0;
}
