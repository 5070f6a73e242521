// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An origin is a tree of steps; here it becomes what a person would say. Steps that only hand a
 * value on (arguments) are named once, the step that brought it in decides: a memory cell, a
 * constant, what a call returned. Where several ways lead to a value, those are taken that fit it;
 * when the value is the running pointer of a loop, the list is walked again as the code walked it,
 * until the element that holds the value.
 *
 * What is read from memory again may have changed since: nothing that rests on it is certain.
 */
#include "diagnosis/cause.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "forensics/origin.h"
#include "forensics/whatis.h"
#include "kernel/meaning.h"
#include "kernel/slab.h"

enum { WALK_MAX = 100000, WAYS_SHOWN = 3, LINK_MAX = 4096, NAME_MAX = 72 };

struct tale {
	const struct facts *facts;
	const struct origin *origin;
	struct cause *cause;
	const char *subject; /* what the reader knows the value as; NULL */
	struct strbuf *out;
	uint64_t value;
};

/* --- Words. --- */

static const char *function_of(const struct tale *t, size_t frame)
{
	struct symbol sym;

	if (frame >= t->facts->stack.count || !facts_frame_symbol(t->facts, frame, &sym))
		return "an unknown function";
	return arena_strndup(t->facts->arena, sym.name, strcspn(sym.name, "."));
}

const char *readable_name(const char *name)
{
	static const char *const formulas[] = { "load", "gs:", "by one of", "either ", "result of a",
						"...", "&&" };
	unsigned casts = 0;

	if (!name || !*name || strlen(name) > NAME_MAX)
		return NULL;
	for (size_t i = 0; i < array_size(formulas); i++) {
		if (strstr(name, formulas[i]))
			return NULL;
	}
	for (const char *at = name; (at = strstr(at, "*(u")); at++)
		casts++;
	return casts > 1 ? NULL : name;
}

static void add_name(struct tale *t, const char *before, const char *name)
{
	if (readable_name(name))
		strbuf_addf(t->out, "%s%s", before, name);
}

/* The meaning of the object of a known type at @address: "/dev/null". */
static const char *object_meaning(const struct facts *facts, const struct what *what)
{
	char text[200];

	if (!what->type || !what->start ||
	    !meaning_of(facts->session, what->type, what->start, text, sizeof(text)))
		return NULL;
	return arena_strdup(facts->arena, text);
}

static const char *plus_words(const struct facts *facts, uint64_t offset)
{
	return offset ? arena_printf(facts->arena, " + 0x%" PRIx64, offset) : "";
}

const char *place_words(const struct facts *facts, uint64_t address)
{
	struct slab_object object;
	struct what what;

	whatis(facts->session, facts->task, address, &what);
	if ((what.kind == WHAT_SLAB || what.kind == WHAT_KFENCE) &&
	    slab_object_at(facts->session, address, &object) && object.slab.cache &&
	    !object.in_redzone) {
		const char *meaning = object_meaning(facts, &what);
		const char *state = object.state == OBJECT_FREE || object.state == OBJECT_FREE_CPU
					    ? ", freed" : "";
		return arena_printf(facts->arena, "%s%s%016" PRIx64 "%s%s%s%s",
				    what.type ? what.type : object.slab.cache->name,
				    what.type ? " " : " object ", object.address,
				    plus_words(facts, object.offset), state, meaning ? ", " : "",
				    meaning ? meaning : "");
	}
	/* What stands behind a semicolon is about what is not known. */
	return what.kind == WHAT_UNKNOWN
		       ? NULL : arena_strndup(facts->arena, what.text, strcspn(what.text, ";"));
}

/* --- The tree. --- */

/* The first child of step @i, SIZE_MAX: none. Children of one step follow each other by depth. */
static size_t child_of(const struct origin *o, size_t i)
{
	return i + 1 < o->count && o->steps[i + 1].depth > o->steps[i].depth ? i + 1 : SIZE_MAX;
}

static size_t sibling_of(const struct origin *o, size_t i)
{
	for (size_t j = i + 1; j < o->count && o->steps[j].depth >= o->steps[i].depth; j++) {
		if (o->steps[j].depth == o->steps[i].depth)
			return j;
	}
	return SIZE_MAX;
}

static bool hands_on(enum origin_kind kind)
{
	return kind == ORIGIN_ARGUMENT || kind == ORIGIN_REGISTER;
}

/* Past the functions that only handed the value on. */
static size_t source_of(const struct origin *o, size_t i)
{
	for (size_t next; hands_on(o->steps[i].kind); i = next) {
		next = child_of(o, i);
		if (next == SIZE_MAX || o->steps[next].kind == ORIGIN_END)
			break;
	}
	return i;
}

static bool is_loop(const struct origin *o, size_t i)
{
	for (size_t j = i + 1; j < o->count && o->steps[j].depth > o->steps[i].depth; j++) {
		if (o->steps[j].kind == ORIGIN_END && strstr(o->steps[j].text, "loop"))
			return true;
	}
	return false;
}

/* --- A running pointer. --- */

/* The value with which the loop began, by any way into it that is known. */
static bool start_value(const struct origin *o, size_t i, uint64_t *value)
{
	size_t at = source_of(o, i);

	if (o->steps[i].known)
		*value = o->steps[i].value;
	else if (o->steps[at].kind == ORIGIN_CELL && o->steps[at].cell_read)
		*value = o->steps[at].cell_now;
	else if (o->steps[at].known)
		*value = o->steps[at].value;
	else
		return false;
	return true;
}

/* How far the next pointer is from the running one; @direct: it is the next one as it is read. */
static bool loop_offset(const struct tale *t, size_t i, uint64_t *offset, bool *direct)
{
	const struct origin *o = t->origin;

	*direct = o->steps[i].kind == ORIGIN_CELL;
	for (size_t j = i; j < o->count && (j == i || o->steps[j].depth > o->steps[i].depth); j++) {
		const struct origin_step *step = &o->steps[j];
		if (step->kind != ORIGIN_CELL)
			continue;
		*offset = step->offset;
		return step->size == 8 && (*offset < LINK_MAX || -*offset < LINK_MAX);
	}
	return false;
}

/* Walks from @at as the loop did; the cell that holds the value, 0: not met. */
static uint64_t walk_list(const struct tale *t, uint64_t at, uint64_t offset, bool direct,
			  unsigned *turns)
{
	struct session *s = t->facts->session;
	uint64_t back = direct ? 0 : offset, next;

	for (*turns = 1; *turns < WALK_MAX; ++*turns) {
		if (memory_u64(s->memory, at + offset, &next) != READ_OK)
			return 0;
		if (next - back == t->value)
			return at + offset;
		if (next - back == at)
			return 0;
		at = next - back;
	}
	return 0;
}

static bool holds(const struct tale *t, uint64_t cell)
{
	uint64_t now;

	return memory_u64(t->facts->session->memory, cell, &now) == READ_OK && now == t->value;
}

/*
 * The list leads elsewhere by now, the element was taken off it. But a register may still point to
 * it: the last thing that the loop worked on.
 */
static bool tell_register(struct tale *t, size_t loop, uint64_t offset)
{
	const struct origin_step *step = &t->origin->steps[loop];
	const struct regs *regs = &t->facts->stack.frames[step->frame].regs;
	uint64_t element = 0;

	for (unsigned i = 0; i < 16 && i < t->facts->session->arch->reg_count; i++) {
		if (!regs_known(regs, i) || regs->value[i] == element ||
		    !holds(t, regs->value[i] + offset))
			continue;
		if (element)
			return false;
		element = regs->value[i];
	}
	if (!element || t->value < LINK_MAX)
		return false;
	const char *place = place_words(t->facts, element + offset);
	strbuf_addf(t->out, "was read by %s from the element before; most likely that at %016" PRIx64
		    "%s%s, to which a register still points and which holds it",
		    function_of(t, step->frame), element, place ? ", " : "", place ? place : "");
	t->cause->verb = "it read it and passed it on";
	t->cause->cell = element + offset;
	t->cause->cell_size = 8;
	t->cause->cell_holds = t->cause->walked = true;
	t->cause->frame = step->frame;
	return true;
}

static bool tell_walk(struct tale *t, size_t loop, uint64_t start)
{
	struct strbuf *out = t->out;
	uint64_t offset;
	unsigned turns;
	bool direct;

	if (!loop_offset(t, loop, &offset, &direct))
		return false;
	uint64_t cell = walk_list(t, start, offset, direct, &turns);
	if (!cell)
		return tell_register(t, loop, offset);
	const char *place = place_words(t->facts, cell);
	strbuf_addf(out, "was read by %s from the next pointer of element %u of the list that it "
		    "walked, at %016" PRIx64 "%s%s, which still holds it",
		    function_of(t, t->origin->steps[loop].frame), turns, cell, place ? ", " : "",
		    place ? place : "");
	t->cause->verb = "it read it and passed it on";
	t->cause->cell = cell;
	t->cause->cell_size = 8;
	t->cause->cell_holds = t->cause->walked = true;
	t->cause->frame = t->origin->steps[loop].frame;
	t->cause->confidence = CONFIDENCE_LIKELY;
	return true;
}

/* --- Sentences. --- */

static void tell(struct tale *t, size_t i);

/* ", PLACE", or what is more in it than the name that has been said: " (data of module m)". */
static void add_place(struct tale *t, const char *name, uint64_t cell)
{
	const char *place = cell ? place_words(t->facts, cell) : NULL;
	size_t length = name ? strlen(name) : 0;

	if (!place)
		return;
	if (length && strncmp(place, name, length) == 0 && starts_with(place + length, " ("))
		strbuf_add(t->out, place + length);
	else
		strbuf_addf(t->out, ", %s", place);
}

/* What led to the cell: "session came from file->private_data (file ... /dev/x)". */
static void tell_base(struct tale *t, size_t cell)
{
	const struct origin *o = t->origin;
	size_t base = child_of(o, cell);
	const char *name;

	if (base == SIZE_MAX || !o->steps[base].name || o->steps[base].kind == ORIGIN_WAYS)
		return;
	name = readable_name(o->steps[base].name);
	if (!name)
		return;
	size_t source = source_of(o, base);
	const struct origin_step *step = &o->steps[source];
	if (o->steps[base].kind == ORIGIN_COMPUTED) {
		/* The argument that it was computed from says whose it is. */
		unsigned depth = o->steps[base].depth;
		source = base + 1;
		while (source < o->count && o->steps[source].depth > depth &&
		       !(o->steps[source].kind == ORIGIN_ARGUMENT && o->steps[source].known))
			source++;
		if (source >= o->count || o->steps[source].depth <= depth)
			return;
		const char *place = place_words(t->facts, o->steps[source].value);
		if (place)
			strbuf_addf(t->out, "; %s is %s", o->steps[source].name, place);
	} else if (source == base && step->kind != ORIGIN_RESULT) {
		return;
	} else if (step->kind == ORIGIN_CELL && readable_name(step->name)) {
		strbuf_addf(t->out, "; %s came from %s", name, step->name);
		add_place(t, step->name, step->cell);
	} else if (step->kind == ORIGIN_RESULT) {
		strbuf_addf(t->out, "; %s is what %s returned to %s", name, step->name,
			    function_of(t, step->frame));
	}
}

static void tell_cell(struct tale *t, size_t i)
{
	const struct origin_step *step = &t->origin->steps[i];
	bool same = step->cell_read && step->cell_now == t->value;

	strbuf_addf(t->out, "was read by %s", function_of(t, step->frame));
	if (!t->subject || strcmp(t->subject, step->name) != 0)
		add_name(t, " from ", step->name);
	if (step->cell) {
		strbuf_addf(t->out, " at %016" PRIx64, step->cell);
		add_place(t, step->name, step->cell);
	} else if (!readable_name(step->name)) {
		strbuf_add(t->out, " from memory");
	}
	if (step->cell && !step->cell_read)
		strbuf_add(t->out, ", which is not in the dump");
	else if (step->cell && !same)
		strbuf_addf(t->out, ", which holds 0x%" PRIx64 " now", step->cell_now);
	else if (step->cell)
		strbuf_add(t->out, ", which still holds it");
	t->cause->verb = "it read it and passed it on";
	t->cause->cell = step->cell;
	if (step->member)
		t->cause->member = arena_strdup(t->facts->arena, step->member);
	t->cause->cell_size = step->size;
	t->cause->cell_holds = same;
	t->cause->cell_named = readable_name(step->name) && strstr(step->name, "->") &&
			       !starts_with(step->name, "*(");
	if (step->memory || !step->known)
		t->cause->confidence = CONFIDENCE_LIKELY;
	tell_base(t, i);
}

/* Can this way have led to the value? */
static bool way_fits(const struct tale *t, size_t i)
{
	uint64_t value;

	return !start_value(t->origin, i, &value) || value == t->value;
}

static const char *way_words(const struct tale *t, size_t i)
{
	const struct origin_step *step = &t->origin->steps[source_of(t->origin, i)];
	struct arena *arena = t->facts->arena;

	switch (step->kind) {
	case ORIGIN_CONSTANT:
		return "a constant in the code";
	case ORIGIN_RESULT:
		return arena_printf(arena, "what %s returned", step->name);
	case ORIGIN_CELL:
		return readable_name(step->name) ? arena_printf(arena, "read from %s", step->name)
					    : NULL;
	case ORIGIN_ARGUMENT:
		return arena_printf(arena, "its argument %s", step->name);
	default:
		return NULL;
	}
}

/* A running pointer is read from the element that it points to, or moves on by a step. */
static const char *loop_words(const struct origin *o, size_t i)
{
	for (size_t j = i; j < o->count && (j == i || o->steps[j].depth > o->steps[i].depth); j++) {
		if (o->steps[j].kind == ORIGIN_CELL)
			return "read from the element before";
	}
	return "moved on by a loop";
}

static bool is_among(const char *word, const char *const *words, unsigned count)
{
	for (unsigned i = 0; word && i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static bool tell_list_of_ways(struct tale *t, size_t ways)
{
	const struct origin *o = t->origin;
	const char *words[WAYS_SHOWN];
	unsigned count = 0;

	for (size_t i = child_of(o, ways); i != SIZE_MAX; i = sibling_of(o, i)) {
		const char *word = is_loop(o, i) ? loop_words(o, i)
						 : way_fits(t, i) ? way_words(t, i) : "";
		if ((word && !*word) || is_among(word, words, count))
			continue;
		if (!word || count == WAYS_SHOWN)
			return false;
		words[count++] = word;
	}
	if (!count)
		return false;
	strbuf_addf(t->out, "comes from %s, where it was ", function_of(t, o->steps[ways].frame));
	for (unsigned i = 0; i < count; i++)
		strbuf_addf(t->out, "%s%s", i ? ", or " : count > 1 ? "either " : "", words[i]);
	return true;
}

static void tell_ways(struct tale *t, size_t ways)
{
	const struct origin *o = t->origin;
	size_t only = SIZE_MAX, loop = SIZE_MAX, into = SIZE_MAX;
	unsigned fitting = 0;
	uint64_t start;

	t->cause->verb = "it passed it on";
	t->cause->confidence = CONFIDENCE_LIKELY;
	for (size_t i = child_of(o, ways); i != SIZE_MAX; i = sibling_of(o, i)) {
		if (is_loop(o, i)) {
			loop = i;
			continue;
		}
		into = i;
		if (way_fits(t, i)) {
			fitting++;
			only = i;
		}
	}
	/* The first turn of a loop, when the value is the one that it began with. */
	if (fitting == 1 && start_value(o, only, &start)) {
		tell(t, source_of(o, only));
		return;
	}
	if (!fitting && loop != SIZE_MAX && into != SIZE_MAX && start_value(o, into, &start) &&
	    tell_walk(t, loop, start))
		return;
	if (fitting == 1 && loop == SIZE_MAX) {
		tell(t, source_of(o, only));
		return;
	}
	if (!tell_list_of_ways(t, ways))
		strbuf_addf(t->out, "reached %s by one of several ways",
			    function_of(t, o->steps[ways].frame));
}

/* The step that brought the value in. */
static void tell(struct tale *t, size_t i)
{
	const struct origin_step *step = &t->origin->steps[i];
	const char *function = function_of(t, step->frame);
	struct cause *cause = t->cause;

	cause->known = true;
	cause->frame = step->frame;
	switch (step->kind) {
	case ORIGIN_CELL:
		tell_cell(t, i);
		break;
	case ORIGIN_PER_CPU:
		strbuf_addf(t->out, "was read by %s from %s", function, step->name);
		cause->verb = "it read it and passed it on";
		break;
	case ORIGIN_CONSTANT:
		strbuf_addf(t->out, "is a constant in the code of %s", function);
		cause->verb = "it passed that constant";
		break;
	case ORIGIN_RESULT:
		strbuf_addf(t->out, "is what %s returned to %s", step->name, function);
		cause->verb = "it got it from a call and passed it on";
		break;
	case ORIGIN_COMPUTED:
		strbuf_addf(t->out, "was computed by %s", function);
		add_name(t, " as ", step->name);
		cause->verb = "it computed it and passed it on";
		break;
	case ORIGIN_WAYS:
		tell_ways(t, i);
		break;
	case ORIGIN_LOST:
		strbuf_addf(t->out, "was %s", step->text);
		cause->verb = "it made it and passed it on";
		break;
	default: {
		size_t end = child_of(t->origin, i);
		strbuf_addf(t->out, "was an argument of %s", function);
		if (end != SIZE_MAX && t->origin->steps[end].kind == ORIGIN_END)
			strbuf_addf(t->out, "; further back it is not known (%s)",
				    t->origin->steps[end].text);
		cause->verb = NULL;
	}
	}
}

/* "channel (argument 1 of channel_store)" */
static void name_head(struct tale *t)
{
	const struct origin_step *head = &t->origin->steps[0];

	if (head->kind == ORIGIN_ARGUMENT && head->text)
		t->cause->name = arena_strdup(t->facts->arena, head->text);
}

void cause_find(struct facts *facts, size_t frame, unsigned reg, uint64_t value,
		const char *subject, struct cause *cause)
{
	auto_strbuf out = { 0 };
	struct origin origin;
	struct stack *stack = &facts->stack;

	*cause = (struct cause){ .frame = frame, .from = frame, .confidence = CONFIDENCE_CERTAIN };
	if (!facts->session->symbols || frame >= stack->count)
		return;
	origin_find(facts->session, facts->task, stack, frame, reg, &origin);
	/* An origin of another value is none of this one. */
	bool other = origin.count && origin.steps[0].known && origin.steps[0].value != value;
	if (!origin.why && origin.count && !other) {
		cause->value_told = origin.steps[0].known;
		struct tale t = { .facts = facts, .origin = &origin, .cause = cause, .out = &out,
				  .value = value, .subject = subject };
		name_head(&t);
		tell(&t, source_of(&origin, 0));
		cause->sentence = arena_strdup(facts->arena, strbuf_text(&out));
	}
	origin_deinit(&origin);
}
