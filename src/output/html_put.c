// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Strings on a page. Those out of a dump are hostile: every byte that HTML gives a meaning becomes
 * a character reference, in text and in attributes alike; control characters, broken UTF-8 and the
 * characters that turn the direction of writing around (they can make a line read as another) are
 * shown by their numbers.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "output/html.h"
#include "output/utf8.h"

static void put_ascii(FILE *out, unsigned char c)
{
	switch (c) {
	case '<':
		fputs("&lt;", out);
		break;
	case '>':
		fputs("&gt;", out);
		break;
	case '&':
		fputs("&amp;", out);
		break;
	case '"':
		fputs("&quot;", out);
		break;
	case '\'':
		fputs("&#39;", out);
		break;
	default:
		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			putc(c, out);
	}
}

/* U+200E, U+200F, U+202A to U+202E, U+2028 and U+2029, U+2066 to U+2069, U+FEFF. */
static bool turns_text(const unsigned char *s, unsigned n)
{
	if (n != 3)
		return false;
	if (s[0] == 0xe2 && s[1] == 0x80)
		return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
	if (s[0] == 0xe2 && s[1] == 0x81)
		return s[2] >= 0xa6 && s[2] <= 0xa9;
	return s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf;
}

/* Noncharacters make a page malformed: U+FFFE and U+FFFF of each plane, U+FDD0 to U+FDEF. */
static bool is_noncharacter(const unsigned char *s, unsigned n)
{
	if (n == 3 && s[0] == 0xef && s[1] == 0xb7)
		return s[2] >= 0x90 && s[2] <= 0xaf;
	return n >= 3 && s[n - 1] >= 0xbe && s[n - 2] == 0xbf &&
	       (n == 3 ? s[0] == 0xef : (s[1] & 0x0f) == 0x0f);
}

void html_text_n(FILE *out, const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + size;

	while (s < end) {
		unsigned n = utf8_length(s);
		bool c1 = n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
		if (n > (size_t)(end - s))
			n = 0;
		if (n == 1) {
			put_ascii(out, *s);
		} else if (!n || c1 || turns_text(s, n) || is_noncharacter(s, n)) {
			n = n ? n : 1;
			for (unsigned i = 0; i < n; i++)
				fprintf(out, "\\x%02x", s[i]);
		} else {
			fwrite(s, 1, n, out);
		}
		s += n;
	}
}

void html_text(FILE *out, const char *text)
{
	html_text_n(out, text, strlen(text));
}

/* --- Sentences. --- */

static bool all_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return false;
	}
	return n > 0;
}

/* Is the word of @n bytes an address, a number or a name of code rather than English? */
static bool is_code(const char *s, size_t n)
{
	if (n > 2 && s[0] == '0' && s[1] == 'x')
		return all_hex(s + 2, n - 2);
	if (n >= 12 && all_hex(s, n))
		return true;
	if (n > 2 && s[n - 2] == '(' && s[n - 1] == ')')
		return true;
	return memchr(s, '_', n) || memmem(s, n, "->", 2) || memmem(s, n, "+0x", 3) ||
	       (n > 2 && (s[0] == '[' || s[0] == '%') && isalnum((unsigned char)s[1]));
}

static size_t word_end(const char *text)
{
	size_t n = strcspn(text, " \t\n");

	/* "f()" keeps its parenthesis. */
	while (n && strchr(",;:.!?\")", text[n - 1]) && !(n > 1 && text[n - 2] == '('))
		n--;
	return n;
}

/* "`bt -a`": the length with the quotes; 0: none begins here. */
static size_t quoted_length(const char *text)
{
	size_t n = *text == '`' ? strcspn(text + 1, "`\n") : 0;

	return n && text[n + 1] == '`' ? n + 2 : 0;
}

void html_prose(FILE *out, const char *text)
{
	while (*text) {
		size_t quoted = quoted_length(text);
		if (quoted) {
			fputs("<code>", out);
			html_text_n(out, text + 1, quoted - 2);
			fputs("</code>", out);
			text += quoted;
			continue;
		}
		size_t skip = strspn(text, " \t\n\"(");
		html_text_n(out, text, skip);
		text += skip;
		if (quoted_length(text))
			continue;
		size_t n = word_end(text), rest = strcspn(text + n, " \t\n");
		bool code = n && is_code(text, n);
		fputs(code ? "<code>" : "", out);
		html_text_n(out, text, n);
		fputs(code ? "</code>" : "", out);
		html_text_n(out, text + n, rest);
		text += n + rest;
	}
}

/* Of a web address only what RFC 3986 allows in one, and no quotes. */
static size_t link_length(const char *s)
{
	static const char allowed[] = "-._~:/?#[]@!$&()*+,;=%";
	size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;
	size_t n = scheme;

	while (scheme && (isalnum((unsigned char)s[n]) || (s[n] && strchr(allowed, s[n]))))
		n++;
	while (n > scheme && strchr(".,;:)", s[n - 1]))
		n--;
	return n > scheme ? n : 0;
}

void html_links(FILE *out, const char *text)
{
	while (*text) {
		size_t n = link_length(text);
		if (n) {
			fputs("<a rel=\"noreferrer noopener\" href=\"", out);
			html_text_n(out, text, n);
			fputs("\">", out);
			html_text_n(out, text, n);
			fputs("</a>", out);
		} else {
			n = strcspn(text, " ");
			n += strspn(text + n, " ");
			html_text_n(out, text, n);
		}
		text += n;
	}
}

void html_command(FILE *out, const char *command)
{
	fputs("<span class=\"cmd\"><code>", out);
	html_text(out, command);
	fputs("</code><button type=\"button\" class=\"copy\" title=\"copy the command\">copy</button>"
	      "</span>", out);
}

/* --- Cells. --- */

bool html_cell_empty(const struct cell *cell)
{
	if (cell->shown)
		return !*cell->shown;
	return cell->kind == CELL_STRING && !*cell->str;
}

void html_cell(FILE *out, const struct cell *cell)
{
	if (cell->shown) {
		html_text(out, cell->shown);
		return;
	}
	switch (cell->kind) {
	case CELL_NONE:
		fputs("?", out);
		break;
	case CELL_DEC:
		fprintf(out, "%" PRId64, cell->dec);
		break;
	case CELL_UDEC:
		fprintf(out, "%" PRIu64, cell->udec);
		break;
	case CELL_HEX:
		fprintf(out, "0x%" PRIx64, cell->udec);
		break;
	case CELL_ADDRESS:
		fprintf(out, "%016" PRIx64, cell->udec);
		break;
	case CELL_STRING:
		html_text(out, cell->str);
		break;
	case CELL_BOOL:
		fputs(cell->boolean ? "yes" : "no", out);
		break;
	case CELL_FLOAT:
		fprintf(out, "%.2f", cell->real);
		break;
	case CELL_LIST:
		for (size_t i = 0; i < cell->list->count; i++) {
			if (i)
				putc(' ', out);
			html_cell(out, &cell->list->cells[i]);
		}
		break;
	}
}

const char *html_style(enum cell_style style)
{
	static const char *const classes[] = {
		[STYLE_PLAIN] = "plain", [STYLE_STRONG] = "strong", [STYLE_BAD] = "bad",
		[STYLE_FAINT] = "faint",
	};

	return classes[style];
}

/* --- What there is to see. --- */

bool html_field_visible(const struct doc_field *field)
{
	if (!(field->media & DOC_IN_HTML))
		return false;
	return field->child ? html_visible(field->child) : field->title || !field->key;
}

bool html_row_visible(const struct doc_row *row)
{
	return row->media & DOC_IN_HTML;
}

static bool table_visible(const struct doc_node *node)
{
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (html_row_visible(row))
			return true;
	}
	return node->column_count && !node->bare && node->kind == DOC_TABLE;
}

bool html_visible(const struct doc_node *node)
{
	if (!(node->media & DOC_IN_HTML))
		return false;
	if (node->heading || node->kind == DOC_BYTES)
		return true;
	if (node->kind == DOC_TABLE || node->kind == DOC_LINES)
		return table_visible(node);
	if (node->look == LOOK_REGISTERS)
		return node->fields;
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (html_field_visible(f))
			return true;
	}
	return false;
}
