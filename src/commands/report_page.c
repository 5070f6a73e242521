// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a report has that text has no room for: the memory at stake byte by byte, with the members
 * of its type where that is known; the code around the fault; the end of the log. Pages show all of
 * it, JSON the memory.
 *
 * The type is the one that a function on the stack takes a pointer to the object for, else what the
 * slab cache is for, else what the contents fit best.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/embed.h"
#include "commands/frame_args.h"
#include "commands/report.h"
#include "forensics/args.h"
#include "forensics/cache_types.h"
#include "forensics/content.h"
#include "forensics/identify.h"
#include "forensics/whatis.h"

enum {
	WINDOW = 1024,      /* bytes shown at most */
	AROUND = 64,        /* before and behind a cell that is in no object */
	CHUNK = 8,          /* read at once: what is missing is marked by as many */
	IDENTIFY_MIN = 48,
	MEMBERS_MAX = 400,
	ANONYMOUS_DEPTH = 4,
	CODE_BEFORE = 14, CODE_BEHIND = 8,
	LOG_TAIL = 60,
};

struct memory_part {
	struct session *s;
	struct doc *doc;
	uint64_t start, size; /* shown */
	uint64_t base, whole; /* of the object, where @type begins; and its size */
	uint8_t bytes[WINDOW], known[WINDOW];
	struct type type;     /* {0}: not known */
	const char *type_by;  /* how it is known */
	unsigned members;
};

/* --- Of which type? --- */

/* What a function on the stack takes the object for. */
static bool type_by_argument(const struct facts *facts, struct memory_part *part)
{
	struct stack stack = { 0 };
	struct stack_args args;
	bool found = false;

	if (!facts->task)
		return false;
	/* A stack of its own: registers are added to it. */
	task_stack(facts->session, facts->task, &stack);
	stack_args_find(facts->session, facts->task, &stack, &args);
	for (size_t i = 0; i < args.count && !found; i++) {
		for (unsigned j = 0; j < args.frames[i].count && !found; j++) {
			const struct arg *a = &args.frames[i].args[j];
			struct type target = type_strip(type_target(type_strip(a->type)));
			found = a->origin != ARG_UNKNOWN && a->value == part->base &&
				type_kind(type_strip(a->type)) == TYPE_POINTER &&
				type_kind(target) == TYPE_STRUCT && type_is_complete(target);
			if (!found)
				continue;
			part->type = target;
			part->type_by = arena_printf(&part->doc->arena, "argument %s of %s", a->name,
						     args.frames[i].function);
		}
	}
	stack_args_deinit(&args);
	stack_deinit(&stack);
	return found;
}

static bool type_by_name(struct memory_part *part, const char *name, const char *by)
{
	if (!name || !types_find(part->s->types, name, &part->type))
		return false;
	part->type_by = by;
	return type_is_complete(part->type);
}

static bool type_by_contents(struct memory_part *part)
{
	struct identify_request request = { .address = part->base };
	struct identify_result result;

	if (part->size < IDENTIFY_MIN)
		return false;
	struct error *error = identify(part->s, &request, &part->doc->arena, &result);
	if (error) {
		error_free(error);
		return false;
	}
	return result.part_count && result.parts[0].base == part->base &&
	       result.parts[0].confidence >= IDENTIFY_LIKELY &&
	       type_by_name(part, result.parts[0].type,
			    arena_printf(&part->doc->arena, "its contents, %s",
					 identify_confidence_name(result.parts[0].confidence)));
}

static void find_type(const struct facts *facts, struct memory_part *part,
		      const struct slab_object *object)
{
	const char *cache = cache_type(part->s, object->slab.cache->address);

	if (type_by_argument(facts, part) || type_by_name(part, cache, "its slab cache") ||
	    type_by_contents(part))
		return;
	part->type = (struct type){ 0 };
}

/* --- The bytes and what they are. --- */

static void read_bytes(struct memory_part *part)
{
	for (uint64_t i = 0; i < part->size; i += CHUNK) {
		uint64_t n = min_u64(CHUNK, part->size - i);
		enum read_status status = memory_read(part->s->memory, part->start + i,
						      part->bytes + i, n);
		memset(part->known + i, status == READ_OK, n);
	}
}

static void mark_member(struct memory_part *part, const struct member *m, uint64_t offset)
{
	char value[80] = "";
	struct type plain = type_strip(m->type);
	enum type_kind kind = type_kind(plain);
	uint64_t at = part->base + offset, number = 0;

	if (at < part->start || at >= part->start + part->size ||
	    ++part->members > MEMBERS_MAX)
		return;
	at -= part->start;
	uint64_t size = min_u64(m->size, part->size - at);
	bool scalar = kind == TYPE_INT || kind == TYPE_ENUM || kind == TYPE_POINTER;
	if (scalar && size == m->size && part->known[at] && size <= sizeof(number) &&
	    member_load(m, part->bytes + at, size, &number))
		frame_args_value(m->type, number, m->size, value, sizeof(value));
	doc_mark(part->doc, at, size, STYLE_PLAIN, "%s%s%s", m->name, *value ? " = " : "", value);
}

/* Of members without a name their own; of a union its first. */
static void mark_members(struct memory_part *part, struct type type, uint64_t offset,
			 unsigned depth)
{
	struct member m;

	for (unsigned i = 0; type_member_at(type, i, &m); i++) {
		if (*m.name)
			mark_member(part, &m, offset + m.offset);
		else if (depth)
			mark_members(part, type_strip(m.type), offset + m.offset, depth - 1);
		if (type_kind(type) == TYPE_UNION)
			return;
	}
}

static bool is_text_at(const struct memory_part *part, uint64_t i)
{
	return part->known[i] && content_is_text(part->bytes[i]);
}

/* Where the bad value was. Text is marked as far as it reaches: it was all written at once. */
static void mark_cell(struct memory_part *part, const struct finding *f)
{
	uint64_t at = f->cell - part->start, size = f->cell_size ? f->cell_size : 8, end;
	char path[128] = "";

	if (!f->cell || f->cell < part->start || at >= part->size)
		return;
	end = min_u64(at + size, part->size);
	bool text = true;
	for (uint64_t i = at; i < end; i++)
		text &= is_text_at(part, i);
	while (text && at > 0 && is_text_at(part, at - 1))
		at--;
	while (text && end < part->size && is_text_at(part, end))
		end++;
	if (part->type.source)
		type_path_at(part->type, f->cell - part->base, path, sizeof(path));
	doc_mark(part->doc, at, end - at, STYLE_BAD, "%s%s%s", path, *path ? ": " : "",
		 text ? "text lies here" : "the bad value");
}

/* --- The section. --- */

static const char *state_words(enum object_state state)
{
	static const char *const words[] = {
		[OBJECT_UNKNOWN] = "free or not is not known", [OBJECT_ALLOCATED] = "allocated",
		[OBJECT_FREE] = "free", [OBJECT_FREE_CPU] = "free (on a CPU's list)",
		[OBJECT_PADDING] = "padding",
	};

	return words[state];
}

/* The objects before and behind it: who may have run over. */
static void neighbour(struct memory_part *part, const struct slab_object *object, const char *key,
		      const char *title, int64_t step)
{
	struct slab_object other;
	struct what what;
	uint64_t address = object->address + (uint64_t)(step * (int64_t)object->slab.cache->size);

	if (object->kfence || !slab_object_at(part->s, address, &other) ||
	    other.slab.start != object->slab.start || other.state == OBJECT_PADDING) {
		doc_field(part->doc, key, NULL, cell_none());
		return;
	}
	whatis(part->s, NULL, address, &what);
	doc_fieldf(part->doc, key, title, "%016" PRIx64 ", %s", address, what.text);
}

static void type_field(struct memory_part *part)
{
	char name[160] = "";

	if (part->type.source)
		type_spell(part->type, name, sizeof(name));
	doc_field(part->doc, "type", *name ? "type" : NULL, cell_str(*name ? name : NULL));
	doc_field(part->doc, "type_by", *name ? "known by" : NULL,
		  cell_str(*name ? part->type_by : NULL));
}

static void fill(struct memory_part *part, const struct finding *f,
		 const struct slab_object *object)
{
	struct doc *doc = part->doc;
	const char *command = arena_printf(&doc->arena, "whatis 0x%" PRIx64, object ? object->address
									   : f->cell);
	struct what what;

	whatis(part->s, NULL, object ? object->address : f->cell, &what);
	doc_record(doc, "memory", NULL);
	doc_only_in(doc, DOC_IN_JSON | DOC_IN_HTML);
	if (object)
		doc_section(doc, "OBJECT", command, "%s %016" PRIx64 ", %" PRIu64 " bytes, %s",
			    object->slab.cache->name, object->address, part->whole,
			    state_words(object->state));
	else
		doc_section(doc, "MEMORY", command, "%016" PRIx64 ", %s", f->cell, what.text);
	doc_field(doc, "what", NULL, cell_str(what.text));
	doc_field(doc, "state", NULL, cell_str(object ? state_words(object->state) : NULL));
	type_field(part);
	if (object) {
		neighbour(part, object, "before", "before it", -1);
		neighbour(part, object, "behind", "behind it", 1);
	}
	doc_bytes(doc, "bytes", part->start, part->bytes, part->known, part->size);
	if (part->type.source)
		mark_members(part, part->type, 0, ANONYMOUS_DEPTH);
	mark_cell(part, f);
	doc_end(doc);
	doc_end(doc);
}

void report_memory(const struct diagnosis *d, struct doc *doc)
{
	const struct finding *f = &d->findings[0];
	struct memory_part part = { .s = d->facts.session, .doc = doc };
	struct slab_object object;
	bool known = f->object && slab_object_at(part.s, f->object, &object) && object.slab.cache;

	if (!(doc->media & (DOC_IN_JSON | DOC_IN_HTML)) || (!known && !f->cell))
		return;
	part.base = known ? object.address : f->cell;
	part.start = known ? object.address : (f->cell & ~UINT64_C(15)) - AROUND;
	part.size = known ? object.slab.cache->object_size : 2 * AROUND + 16;
	if (known && object.kfence && object.kfence_size)
		part.size = object.kfence_size;
	part.whole = part.size;
	if (known)
		find_type(&d->facts, &part, &object);
	if (part.size > WINDOW) {
		uint64_t at = f->cell >= part.start && f->cell - part.start < part.size
				      ? (f->cell - part.start) & ~UINT64_C(15) : 0;
		at = at > WINDOW / 2 ? at - WINDOW / 2 : 0;
		part.start += min_u64(at, part.size - WINDOW);
		part.size = WINDOW;
	}
	read_bytes(&part);
	fill(&part, f, known ? &object : NULL);
}

/* --- Code and log. --- */

void report_code(const struct facts *facts, struct doc *doc)
{
	const struct fault_site *fault = &facts->fault;
	const char *source = facts->session->source ? "s" : "";
	struct symbol symbol;
	char line[64];

	if (!(doc->media & DOC_IN_HTML) || fault->pc_is_wild || !fault->has_insn ||
	    !facts->session->symbols)
		return;
	snprintf(line, sizeof(line), "dis -l%sr 0x%" PRIx64 " %d", source, fault->pc, CODE_BEFORE);
	embed_command(facts->session, doc, NULL, line);
	uint64_t behind = fault->pc + fault->insn.length;
	/* Behind the function's end is padding. */
	if (!symbols_by_address(facts->session->symbols, behind, &symbol) ||
	    behind - symbol.address >= symbol.size)
		return;
	snprintf(line, sizeof(line), "dis -l%sf 0x%" PRIx64 " %d", source, behind, CODE_BEHIND);
	embed_command(facts->session, doc, NULL, line);
}

void report_log_tail(const struct facts *facts, struct doc *doc)
{
	size_t first = facts->log_count > LOG_TAIL ? facts->log_count - LOG_TAIL : 0;

	if (!(doc->media & DOC_IN_HTML) || !facts->log_count)
		return;
	doc_lines(doc, NULL, NULL);
	doc_only_in(doc, DOC_IN_HTML);
	doc_section(doc, "LOG", "log", "the last %zu of %zu records", facts->log_count - first,
		    facts->log_count);
	doc_closed(doc);
	for (size_t i = first; i < facts->log_count; i++) {
		const struct log_record *r = &facts->log[i];
		doc_linef(doc, "[%5" PRIu64 ".%06" PRIu64 "] %s", r->time_ns / 1000000000,
			  r->time_ns % 1000000000 / 1000, r->text);
	}
	doc_end(doc);
}

/* Evidence opens to what its command prints, where that is neither long nor elsewhere on the page. */
void report_evidence_output(struct session *s, const char *command, struct doc *doc)
{
	static const char *const wanted[] = { "dis ", "origin ", "rd ", "whatis ", "fault", "args ",
					      "identify ", "p ", "vtop ", "struct " };

	for (size_t i = 0; command && i < array_size(wanted); i++) {
		if (!starts_with(command, wanted[i]))
			continue;
		doc_detail(doc);
		embed_command(s, doc, NULL, command);
		doc_end(doc);
		return;
	}
}
