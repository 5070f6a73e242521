// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How users name types, members and offsets in crash's commands, and the objects that list and tree
 * show for each of their entries.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands/args.h"
#include "commands/suggest.h"
#include "commands/typed.h"
#include "kernel/context.h"

static bool find_tagged(struct types *types, const char *tag, const char *name, struct type *type)
{
	auto_free char *tagged = xasprintf("%s%s", tag, name);

	return types_find(types, tagged, type) && type_is_complete(*type);
}

struct error *typed_find(struct session *session, struct arena *arena, const char *word,
			 bool unions_first, struct typed_name *named)
{
	const char *first = unions_first ? "union " : "struct ";
	const char *second = unions_first ? "struct " : "union ";
	struct types *types = session->types;
	size_t length = strcspn(word, ".");

	auto_free char *name = xstrndup(word, length);
	if (!find_tagged(types, first, name, &named->type) &&
	    !find_tagged(types, second, name, &named->type) &&
	    !types_find(types, name, &named->type))
		return typed_not_found(session, name);
	type_spell(named->type, named->spelled, sizeof(named->spelled));
	named->paths = word[length] ? arena_strdup(arena, word + length + 1) : NULL;
	return NULL;
}

const char *typed_next_path(struct arena *arena, const char **paths)
{
	const char *s = *paths;

	if (!s || !*s)
		return NULL;
	size_t length = strcspn(s, ",");
	*paths = s + length + (s[length] == ',');
	return arena_strndup(arena, s, length);
}

uint64_t typed_extent(struct arena *arena, const struct typed_name *named)
{
	uint64_t extent = type_size(named->type);
	const char *rest = named->paths;
	struct member member;

	for (const char *path; (path = typed_next_path(arena, &rest));) {
		uint64_t end;
		if (type_find_member(named->type, path, &member) &&
		    !__builtin_add_overflow(member.offset, member.size, &end))
			extent = max_u64(extent, end);
	}
	return extent;
}

struct error *typed_offset(struct session *session, const char *word, uint64_t *offset,
			   struct member *member)
{
	const char *dot = strchr(word, '.');
	struct member found = { 0 };
	struct typed_name named;

	if (member)
		*member = found;
	if (parse_u64(word, offset))
		return NULL;
	if (!dot)
		return error_new(ERROR_USAGE, "%s is no offset: neither a number nor STRUCT.MEMBER",
				 word);
	auto_free char *name = xstrndup(word, (size_t)(dot - word));
	struct arena arena = { 0 };
	struct error *err = typed_find(session, &arena, name, false, &named);
	arena_deinit(&arena);
	if (!err && !type_find_member(named.type, dot + 1, &found))
		err = suggest_no_member(named.spelled, named.type, dot + 1);
	if (err)
		return err;
	*offset = found.offset;
	if (member)
		*member = found;
	return NULL;
}

/* --- What is shown of entries. --- */

static struct error *add_shown(struct command_args *args, const char *word,
			       struct typed_shown *shown)
{
	struct arena *arena = &args->doc->arena;
	struct member member;

	if (shown->count == TYPED_SHOWN_MAX)
		return error_new(ERROR_USAGE, "at most %d structs can be shown of each entry",
				 TYPED_SHOWN_MAX);
	struct typed_name *named = &shown->named[shown->count];
	struct error *err = typed_find(args->session, arena, word, false, named);
	if (err)
		return err;
	const char *rest = named->paths;
	for (const char *path; (path = typed_next_path(arena, &rest));) {
		if (!type_find_member(named->type, path, &member))
			return suggest_no_member(named->spelled, named->type, path);
	}
	shown->count++;
	return NULL;
}

struct error *typed_shown_parse(struct command_args *args, const struct options *options,
				struct typed_shown *shown)
{
	struct error *err = NULL;

	if (options->set[TYPED_SHOW] && options->set[TYPED_READ])
		return error_new(ERROR_USAGE, "-s and -S exclude each other");
	if (options->set[TYPED_HEX] && options->set[TYPED_DEC])
		return error_new(ERROR_USAGE, "-x and -d exclude each other");
	shown->hex = options->set[TYPED_HEX];
	shown->decimal = options->set[TYPED_DEC];
	for (int i = 0; !err && i < options->many_count; i++)
		err = add_shown(args, options->many[i].value, shown);
	return err;
}

/* The lines without the four blanks that members of an object begin with. */
static void add_lines(const struct strbuf *text, bool indented, struct strbuf *out)
{
	const char *s = strbuf_text(text);

	while (*s) {
		size_t length = strcspn(s, "\n"), skip = indented ? strspn(s, " ") : 0;
		if (skip > 4)
			skip = 4;
		strbuf_add_n(out, s + skip, length - skip);
		strbuf_add_char(out, '\n');
		s += length + (s[length] == '\n');
	}
}

static struct error *show_one(struct command_args *args, const struct typed_shown *shown,
			      const struct typed_name *named, uint64_t address,
			      struct strbuf *out)
{
	struct doc *doc = args->doc;
	struct object object = { .doc = doc, .session = args->session, .type = named->type,
				 .address = address };
	struct member member;

	object.extent = typed_extent(&doc->arena, named);
	context_format(args->session, shown->hex, shown->decimal, &object.format);
	struct error *err = object_read(&object);
	if (err)
		return err;
	doc_record(doc, NULL, NULL);
	doc_field(doc, "type", NULL, cell_str(named->spelled));
	doc_field(doc, "address", NULL, cell_address(address));
	doc_field(doc, "size", NULL, cell_udec(type_size(named->type)));
	object_table(doc);
	const char *rest = named->paths;
	if (!rest)
		object_add_all(&object);
	for (const char *path; (path = typed_next_path(&doc->arena, &rest));) {
		if (type_find_member(named->type, path, &member))
			object_add_member(&object, path, &member);
	}
	doc_end(doc);
	doc_end(doc);
	add_lines(&object.text, named->paths != NULL, out);
	object_deinit(&object);
	return NULL;
}

struct error *typed_show_entry(struct command_args *args, const struct typed_shown *shown,
			       uint64_t address)
{
	struct error *err = NULL;
	auto_strbuf text = { 0 };

	if (!shown->count)
		return NULL;
	doc_detail(args->doc);
	doc_array(args->doc, "structs", NULL);
	doc_hidden(args->doc);
	for (unsigned i = 0; !err && i < shown->count; i++)
		err = show_one(args, shown, &shown->named[i], address, &text);
	doc_end(args->doc);
	typed_lines(args->doc, &text);
	doc_end(args->doc);
	return err;
}

void typed_remark_trouble(struct doc *doc, const struct walk_trouble *trouble)
{
	enum remark_kind kind = trouble->hole ? REMARK_HOLE : REMARK_ERROR;

	if (trouble->count > 1)
		doc_remark(doc, kind, "%s (and %zu more)", trouble->text, trouble->count - 1);
	else if (trouble->count)
		doc_remark(doc, kind, "%s", trouble->text);
}
