/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command or the diagnosis has to say, as data: records, tables and remarks, in order.
 * Text, JSON and HTML are renderings of the same document; who fills it never prints.
 *
 *	doc_record(doc, "task", NULL);                 {"task": {...
 *	doc_dec(doc, "pid", "PID", 1);                   "pid": 1,
 *	doc_table(doc, "frames", cols, n);               "frames": [
 *	doc_row(doc, cell_dec(0), cell_str("panic"));      {...}
 *	doc_end(doc);                                    ]
 *	doc_end(doc);                                  }}
 *
 * Strings are copied. Keys and titles are not: use literals.
 */
#pragma once

#include "base/alloc.h"

enum cell_kind {
	CELL_NONE,    /* unknown: JSON null, text "?" */
	CELL_DEC,     /* signed decimal */
	CELL_UDEC,    /* unsigned decimal */
	CELL_HEX,     /* a number best read in hexadecimal; JSON: string "0x..." */
	CELL_ADDRESS, /* 16 hex digits; JSON: string "0x..." */
	CELL_STRING,
	CELL_BOOL,
	CELL_FLOAT,
	CELL_LIST,    /* several cells; JSON: an array, text: with blanks between */
};

struct cell_list;

struct cell {
	enum cell_kind kind;
	union {
		int64_t dec;
		uint64_t udec;
		const char *str;
		bool boolean;
		double real;
		const struct cell_list *list;
	};
	/* Shown instead of the value in text output ("12 KiB"); NULL: the value itself. */
	const char *shown;
};

struct cell_list {
	const struct cell *cells;
	size_t count;
};

static inline struct cell cell_none(void)
{
	return (struct cell){ .kind = CELL_NONE };
}
static inline struct cell cell_dec(int64_t v)
{
	return (struct cell){ .kind = CELL_DEC, .dec = v };
}
static inline struct cell cell_udec(uint64_t v)
{
	return (struct cell){ .kind = CELL_UDEC, .udec = v };
}
static inline struct cell cell_hex(uint64_t v)
{
	return (struct cell){ .kind = CELL_HEX, .udec = v };
}
static inline struct cell cell_address(uint64_t v)
{
	return (struct cell){ .kind = CELL_ADDRESS, .udec = v };
}
/* NULL gives an unknown cell. */
static inline struct cell cell_str(const char *s)
{
	return (struct cell){ .kind = s ? CELL_STRING : CELL_NONE, .str = s };
}
static inline struct cell cell_bool(bool v)
{
	return (struct cell){ .kind = CELL_BOOL, .boolean = v };
}
static inline struct cell cell_float(double v)
{
	return (struct cell){ .kind = CELL_FLOAT, .real = v };
}
/* Copied with its cells when it becomes part of a document. */
static inline struct cell cell_of_list(const struct cell_list *list)
{
	return (struct cell){ .kind = CELL_LIST, .list = list };
}
static inline struct cell cell_shown(struct cell c, const char *shown)
{
	c.shown = shown;
	return c;
}
/*
 * Numbers, addresses and truths as they are typed and as programs read them, nothing for no value.
 * No texts, floating-point numbers or lists: those the caller writes in its own way.
 */
struct strbuf;
void cell_add_plain(const struct cell *cell, struct strbuf *out);

enum cell_style {
	STYLE_PLAIN,
	STYLE_STRONG, /* the word that matters: a name, the answer */
	STYLE_BAD,    /* alarming */
	STYLE_FAINT,  /* detail */
};

struct column {
	const char *key;   /* JSON key; NULL: text only */
	const char *title; /* text heading; NULL: JSON only, not shown in text */
	bool right;        /* align right */
	uint8_t gap;       /* blanks behind it in text; 0: two */
	enum cell_style style;
	bool command;      /* something to type: HTML can copy it */
	bool link;         /* may be a web address: HTML links it */
};

/* Where something is shown. What says nothing about it is shown everywhere. */
enum {
	DOC_IN_TEXT = 1,
	DOC_IN_JSON = 2,
	DOC_IN_HTML = 4,
	DOC_EVERYWHERE = DOC_IN_TEXT | DOC_IN_JSON | DOC_IN_HTML,
};

/* What a node is, for renderings that can do more for it than for any record or table. */
enum doc_look {
	LOOK_PLAIN,
	LOOK_ANSWER,    /* record: what the reader came for; HTML keeps it in sight */
	LOOK_STEPS,     /* table: numbered sentences, the second column a command at the right edge */
	LOOK_STACK,     /* table: frames; HTML opens each to its details */
	LOOK_CODE,      /* table: instructions or source */
	LOOK_REGISTERS, /* record: names and values in a grid */
	LOOK_TIMELINE,  /* table: the first column is a time in ns; HTML draws the axis */
	LOOK_WAITS,     /* table: who waits, for what, who has it; HTML draws the arrows */
};

enum doc_kind { DOC_RECORD, DOC_TABLE, DOC_LINES, DOC_ARRAY, DOC_BYTES };

struct doc_field {
	const char *key, *title; /* title NULL: JSON only; key NULL in a record: text only */
	enum cell_style style;
	bool link;                /* may hold web addresses: HTML links them */
	uint8_t media;            /* where it is shown */
	struct cell value;        /* when child is NULL */
	struct doc_node *child;   /* a nested record, table, ... */
	struct doc_field *next;
};

struct doc_row {
	const struct cell *cells; /* NULL: a line that is in the text only, see text */
	const char *text;
	uint8_t media;            /* where it is shown */
	enum cell_style style;    /* of text; of all cells when not STYLE_PLAIN */
	struct doc_node *detail; /* shown under the row; JSON: merged as keys of the row. May be NULL */
	struct doc_row *next;
};

/* A part of the bytes of a DOC_BYTES node: a member, or what is wrong with it. */
struct doc_mark {
	uint64_t offset, size;
	enum cell_style style;  /* STYLE_BAD: damaged */
	const char *label;
	struct doc_mark *next;
};

struct doc_bytes {
	uint64_t address, size;
	const uint8_t *bytes;
	const uint8_t *known;   /* 1 for each byte that the dump has; NULL: it has all */
	struct doc_mark *marks, **marks_end;
};

struct doc_node {
	enum doc_kind kind;
	enum doc_look look;
	uint8_t media;            /* where it is shown */
	/* A line above it in text; NULL: none. A section has a label before and a command behind it. */
	const char *heading, *label, *command;
	uint8_t label_width;      /* record: its labels take at least as many columns */
	bool closed;              /* HTML: shown only when it is opened */
	bool bare;                /* table: no column headings in text */
	bool plain;               /* record: labels to the left, without a colon */
	bool prose;               /* record, lines: folded like text on a page */
	struct doc_node *parent;
	/* DOC_RECORD: fields; DOC_ARRAY: fields without keys, each a child. */
	struct doc_field *fields, **fields_end;
	/* DOC_TABLE */
	const struct column *columns;
	size_t column_count;
	struct doc_row *rows, **rows_end;
	size_t row_count;
	/* DOC_LINES: preformatted text; each line one JSON string. */
	struct doc_bytes *bytes;  /* DOC_BYTES */
};

enum remark_kind {
	REMARK_NOTE,    /* good to know */
	REMARK_HOLE,    /* something that the dump lacks: exit status 1 */
	REMARK_ERROR,   /* something could not be shown: exit status 1 */
};

struct doc_remark {
	enum remark_kind kind;
	const char *text;
	struct doc_remark *next;
};

struct doc {
	struct arena arena;
	struct doc_node *root;    /* a record */
	struct doc_node *current;
	struct doc_remark *remarks, **remarks_end;
	bool incomplete;          /* something could not be shown, and the document says so */
	const char *title;        /* what it is about, for a page's head; NULL */
	const char *badge;        /* a word beside the title: how sure it is; NULL */
	uint8_t media;            /* how it will be rendered: what no one sees need not be found out */
};

void doc_init(struct doc *doc);
void doc_deinit(struct doc *doc);

/* What the document says, in a line; of several, the last counts. @badge may be NULL. */
void doc_title(struct doc *doc, const char *badge, const char *fmt, ...) printf_like(3, 4);

/*
 * Open a node in the current one; @key NULL inside an array, and in a record for what only the
 * text shows. Closed by doc_end().
 */
void doc_record(struct doc *doc, const char *key, const char *heading);
void doc_array(struct doc *doc, const char *key, const char *heading);
void doc_table(struct doc *doc, const char *key, const struct column *columns, size_t count);
void doc_lines(struct doc *doc, const char *key, const char *heading);
/* Memory at @address, byte by byte; @known as in struct doc_bytes. Both are copied. */
void doc_bytes(struct doc *doc, const char *key, uint64_t address, const uint8_t *bytes,
	       const uint8_t *known, size_t size);
void doc_end(struct doc *doc);
/*
 * For renderings: how many lines of @line bytes from @at on hold nothing but what the line before
 * @at holds, and no mark begins or reaches into them. Few are not worth leaving out: 0 then.
 */
uint64_t doc_bytes_same(const struct doc_bytes *bytes, uint64_t at, uint64_t line);
/* Marks a part of the bytes node just opened. */
void doc_mark(struct doc *doc, uint64_t offset, uint64_t size, enum cell_style style,
	      const char *fmt, ...) printf_like(5, 6);
/* The table just opened has no headings in text. */
void doc_bare(struct doc *doc);
/* The record just opened has its labels to the left and without colons in text. */
void doc_plain(struct doc *doc);
/* The labels of the record just opened take at least @width columns: several look like one. */
void doc_labels(struct doc *doc, unsigned width);
/* The values of the record just opened are sentences: folded, however wide the terminal is. */
void doc_prose(struct doc *doc);
/* The node just opened is in JSON only. */
void doc_hidden(struct doc *doc);
/* The node just opened is shown there only. */
void doc_only_in(struct doc *doc, unsigned media);
void doc_look(struct doc *doc, enum doc_look look);
/* A heading line above the node just opened. */
void doc_heading(struct doc *doc, const char *fmt, ...) printf_like(2, 3);
/*
 * The node just opened is a part of its own: "STACK   caller, pid 101 ...            bt -A". @command:
 * what shows more of it; NULL.
 */
void doc_section(struct doc *doc, const char *label, const char *command, const char *fmt, ...)
	printf_like(4, 5);
/* HTML shows the section just opened by its heading until it is opened. */
void doc_closed(struct doc *doc);

/* A field of the current record. @title NULL: not shown in text. */
void doc_field(struct doc *doc, const char *key, const char *title, struct cell value);
void doc_field_styled(struct doc *doc, const char *key, const char *title, enum cell_style style,
		      struct cell value);
void doc_fieldf(struct doc *doc, const char *key, const char *title, const char *fmt, ...)
	printf_like(4, 5);
/* The field just added is shown in this style. */
void doc_last_style(struct doc *doc, enum cell_style style);
/* The field just added may hold web addresses. */
void doc_last_link(struct doc *doc);
/* The field just added is shown there only. */
void doc_last_in(struct doc *doc, unsigned media);
/* A row of the current table: as many cells as it has columns. */
void doc_row_array(struct doc *doc, const struct cell *cells);
#define doc_row(doc, ...) doc_row_array((doc), (const struct cell[]){ __VA_ARGS__ })
/* The last row is shown in this style, in place of its columns'. */
void doc_row_style(struct doc *doc, enum cell_style style);
/* The last row is in JSON only. */
void doc_row_hide(struct doc *doc);
/* The last row, or the line that doc_textf() put between rows, is shown there only. */
void doc_row_in(struct doc *doc, unsigned media);
/* A line for people, not in JSON, between rows of a table or fields of a record. */
void doc_textf(struct doc *doc, enum cell_style style, const char *fmt, ...) printf_like(3, 4);
/* Opens a record that belongs to the last row: its fields are JSON keys of the row, and in text
 * stand indented under it. Closed by doc_end(). */
void doc_detail(struct doc *doc);
/* A line of the current DOC_LINES node. */
void doc_linef(struct doc *doc, const char *fmt, ...) printf_like(2, 3);
void doc_line(struct doc *doc, const char *text);

void doc_remark(struct doc *doc, enum remark_kind kind, const char *fmt, ...) printf_like(3, 4);
/* 1 when a hole or an error was remarked or the document is incomplete, else 0. */
int doc_status(const struct doc *doc);
