/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed objects in documents: shared by struct, union, whatis and whoever shows an object. */
#pragma once

#include "base/strbuf.h"
#include "commands/command.h"
#include "kernel/walk.h"

struct object {
	/* Filled by the caller. */
	struct doc *doc;
	struct session *session;
	struct type type;
	uint64_t address;
	struct value_format format; /* hex, depth */
	const struct page_root *user; /* the address is of this user space; NULL: the kernel's */
	uint64_t extent; /* so many bytes at least: of an element behind the end, as of a flexible array */
	/* By object_read(). */
	uint8_t *bytes;
	size_t size;
	struct {
		struct value_hole *data;
		size_t count, capacity;
	} holes;
	enum read_status why; /* of the first */
	bool remarked;
	unsigned rows, visited;
	/* The text so far. */
	struct strbuf text;
};

/* Reads what the dump has of it; what it has not is remarked on when it would be shown. */
struct error *object_read(struct object *object) must_check;
/* In place of object_read(), for what lies in no memory: takes a copy. */
void object_from_bytes(struct object *object, const void *bytes, size_t size);
void object_deinit(struct object *object);
/* Opens the table that the rows of the next two go to (in JSON only). */
void object_table(struct doc *doc);
/* One member, or all: a line of text or several, and rows. */
void object_add_member(struct object *object, const char *path, const struct member *member);
void object_add_all(struct object *object);
/* A value as a debugger prints it: "label = value", pointers with their type. Opens the table. */
void object_add_value(struct object *object, const char *label, const struct member *member);

/* The same for definitions: the table, one row, all rows. */
void typed_definition_table(struct doc *doc);
void typed_definition_row(struct doc *doc, const char *name, const struct member *member);
void typed_definition_rows(struct doc *doc, struct type type);
/* @text as a C string literal. */
void text_quote(const char *text, struct strbuf *out);
/* @text as lines that only text output shows. */
void typed_lines(struct doc *doc, const struct strbuf *text);
/* Why there is no type @name. */
struct error *typed_not_found(struct session *session, const char *name) must_check;

/* What a user names by "task_struct.mm,se.vruntime": a type, and which of its members. */
struct typed_name {
	struct type type;
	char spelled[256];
	const char *paths; /* "mm,se.vruntime"; NULL: the whole */
};
/* Structs come before unions of the same name, or the other way round; typedefs last. */
struct error *typed_find(struct session *session, struct arena *arena, const char *word,
			 bool unions_first, struct typed_name *named) must_check;
/* The bytes of an object that the paths reach into: its size, or more. */
uint64_t typed_extent(struct arena *arena, const struct typed_name *named);
/* Takes one path off "mm,se.vruntime"; NULL at the end. */
const char *typed_next_path(struct arena *arena, const char **paths);
/*
 * An offset as crash's commands take it: "task_struct.tasks", or a number of bytes. @member (may be
 * NULL) is then what was named; its type is {0} of a number.
 */
struct error *typed_offset(struct session *session, const char *word, uint64_t *offset,
			   struct member *member) must_check;

/*
 * What list and tree show of each entry, by -s and -S, and how, by -x and -d. Their option tables
 * have these at the same places; the command's own come behind.
 */
struct options;
enum { TYPED_SHOW, TYPED_READ, TYPED_HEX, TYPED_DEC, TYPED_OPTIONS };
enum { TYPED_SHOWN_MAX = 16 };
struct typed_shown {
	struct typed_name named[TYPED_SHOWN_MAX];
	unsigned count;
	bool hex, decimal;
};
struct error *typed_shown_parse(struct command_args *args, const struct options *options,
				struct typed_shown *shown) must_check;
/* Objects at @address, under the row of a table that was just added. */
struct error *typed_show_entry(struct command_args *args, const struct typed_shown *shown,
			       uint64_t address) must_check;
/* What a walk found to be missing or wrong, as a remark: the exit status is 1 then. */
void typed_remark_trouble(struct doc *doc, const struct walk_trouble *trouble);
