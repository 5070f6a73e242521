// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The tree of an origin as one sentence: the way down as long as there is one, each step a clause.
 * What a value only passes through (registers kept by several functions, an argument passed on
 * under its own name) is one clause. Where paths meet, the sentence goes on along the one whose
 * value is known to be the one at hand, else names all and ends.
 */
#include "forensics/origin_say.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"

enum { COMMON_MAX = 0x100, WAYS_SAID = 3, SENTENCE_MAX = 1500 };

struct teller {
	const struct args_run *run;
	const struct origin *o;
	struct strbuf text;
};

static const char *function_of(const struct teller *t, const struct origin_step *step)
{
	const struct cfg *cfg = t->run->frames[step->frame].cfg;

	return cfg ? cfg->name : "the code";
}

static bool passes_on(const struct origin_step *step)
{
	return step->kind == ORIGIN_ARGUMENT || step->kind == ORIGIN_REGISTER;
}

/* The step below, when there is one only; the count of steps: none. */
static size_t below(const struct origin *o, size_t i)
{
	return i + 1 < o->count && o->steps[i + 1].depth == o->steps[i].depth + 1 ? i + 1
										    : o->count;
}

/* Does the callee's argument or register come from one that is called the same? */
static bool same_as(const struct origin_step *a, const struct origin_step *b)
{
	return a->kind == b->kind && passes_on(a) && a->name && b->name &&
	       strcmp(a->name, b->name) == 0;
}

/* A run of steps through functions that only keep the value: the last one. */
static size_t end_of_run(const struct origin *o, size_t i)
{
	for (size_t next = below(o, i); next < o->count && same_as(&o->steps[i], &o->steps[next]);
	     next = below(o, i))
		i = next;
	return i;
}

static const char *left_by(const struct origin_step *step)
{
	static const char verb[] = "destroyed by ";
	size_t length = sizeof(verb) - 1;

	return step->kind == ORIGIN_LOST && strncmp(step->text, verb, length) == 0
		       ? step->text + length
		       : NULL;
}

static void say_source(struct teller *t, const struct origin_step *step)
{
	if (left_by(step))
		strbuf_addf(&t->text, "what was left by %s", left_by(step));
	else
		strbuf_addf(&t->text, "%s%s", step->kind == ORIGIN_RESULT ? "the " : "",
			    step->text);
	if (step->what && step->kind == ORIGIN_CELL)
		strbuf_addf(&t->text, " (%s)", step->what);
}

/* The argument that all below step @at was made of; NULL: none, or several. */
static const struct origin_step *only_argument(const struct origin *o, size_t at)
{
	const struct origin_step *from = &o->steps[at], *found = NULL;

	for (size_t i = at + 1; i < o->count && o->steps[i].depth > from->depth; i++) {
		const struct origin_step *step = &o->steps[i];
		if (step->kind != ORIGIN_ARGUMENT || step->frame != from->frame)
			continue;
		if (found && found->node != step->node)
			return NULL;
		found = step;
	}
	return found;
}

static void say_computed(struct teller *t, size_t i, const char *subject)
{
	const struct origin_step *step = &t->o->steps[i];
	const struct origin_step *argument = only_argument(t->o, i);

	if (strncmp(step->text, "computed", 8) != 0)
		strbuf_addf(&t->text, "%s is an address in the stack frame of %s", subject,
			    function_of(t, step));
	else
		strbuf_addf(&t->text, "%s was %s", subject, step->text);
	if (argument && argument->known)
		strbuf_addf(&t->text, "; from %s, 0x%" PRIx64, argument->text, argument->value);
}

/* Does one of the ways come from an earlier round of a loop? */
static bool any_round(const struct origin *o, size_t ways)
{
	for (size_t i = ways + 1; i < o->count && o->steps[i].depth > o->steps[ways].depth; i++) {
		if (o->steps[i].depth == o->steps[ways].depth + 1 && o->steps[i].earlier)
			return true;
	}
	return false;
}

/* Of several ways, the one step that has the value at hand; the count of steps: none, or more. */
static size_t way_that_agrees(const struct origin *o, size_t ways)
{
	/* Small numbers are alike by chance where other rounds have their own. */
	uint64_t least = any_round(o, ways) ? COMMON_MAX : 0;
	size_t found = o->count;
	unsigned children = 0;

	for (size_t i = ways + 1; i < o->count && o->steps[i].depth > o->steps[ways].depth; i++) {
		const struct origin_step *step = &o->steps[i];
		if (step->depth != o->steps[ways].depth + 1)
			continue;
		children++;
		if (!o->steps[ways].known || o->steps[ways].memory || step->earlier ||
		    !step->known || step->value < least || step->value != o->steps[ways].value)
			continue;
		if (found < o->count)
			return o->count;
		found = i;
	}
	return children == 1 ? ways + 1 : found;
}

static void say_all_ways(struct teller *t, size_t ways)
{
	const struct origin *o = t->o;
	unsigned said = 0;

	for (size_t i = ways + 1; i < o->count && o->steps[i].depth > o->steps[ways].depth; i++) {
		const struct origin_step *step = &o->steps[i];
		if (step->depth != o->steps[ways].depth + 1)
			continue;
		if (said++ == WAYS_SAID) {
			strbuf_add(&t->text, "; or others");
			return;
		}
		strbuf_addf(&t->text, "%s%s", said == 1 ? ": " : "; or ",
			    step->earlier ? "in an earlier round of the loop " : "");
		say_source(t, step);
		if (step->doubtful)
			strbuf_add(&t->text, ": not this one, unless it has changed since");
	}
}

/* Where paths meet. The step to go on with; the count of steps: none. */
static size_t say_ways(struct teller *t, size_t ways, const char *subject)
{
	static const char *const numbers[] = { "no", "one", "two", "three", "four", "five",
					       "six", "seven", "eight" };
	const struct origin_step *step = &t->o->steps[ways];
	size_t agrees = way_that_agrees(t->o, ways);

	if (step->ways == 1) {
		strbuf_addf(&t->text, "%s %s", subject, step->text);
		return agrees;
	}
	strbuf_addf(&t->text, "%s came to %s by one of %s paths", subject, step->place,
		    step->ways < array_size(numbers) ? numbers[step->ways] : "many");
	if (agrees < t->o->count)
		strbuf_add(&t->text, ", most likely the one that brings this value");
	else
		say_all_ways(t, ways);
	return agrees;
}

/* "which F read from x->y ..." of one step; the next one. */
static size_t say_step(struct teller *t, size_t i, const char *subject)
{
	const struct origin_step *step = &t->o->steps[i];
	size_t last = end_of_run(t->o, i);
	const struct origin_step *origin = &t->o->steps[last];

	switch (step->kind) {
	case ORIGIN_WAYS:
		return say_ways(t, i, subject);
	case ORIGIN_ARGUMENT:
		strbuf_addf(&t->text, "%s is %s", subject, step->text);
		for (size_t k = i + 1; k <= last; k++)
			strbuf_addf(&t->text, "%s%s", k == last ? " and of " : ", ",
				    function_of(t, &t->o->steps[k]));
		break;
	case ORIGIN_REGISTER:
		if (strstr(step->text, "stack"))
			strbuf_addf(&t->text, "%s is an address in the stack frame of %s",
				    subject, function_of(t, step));
		else
			strbuf_addf(&t->text, "%s was already in %.*s when %s was called", subject,
				    (int)strcspn(step->text, " "), step->text,
				    function_of(t, origin));
		break;
	case ORIGIN_CELL:
	case ORIGIN_PER_CPU:
		strbuf_addf(&t->text, "%s was ", subject);
		say_source(t, step);
		break;
	case ORIGIN_COMPUTED:
		say_computed(t, i, subject);
		return t->o->count;
	case ORIGIN_LOST:
		strbuf_addf(&t->text, "%s %s ", subject, left_by(step) ? "is" : "was");
		say_source(t, step);
		break;
	case ORIGIN_RESULT:
		strbuf_addf(&t->text, "%s is the %s", subject, step->text);
		break;
	case ORIGIN_CONSTANT:
		strbuf_addf(&t->text, "%s is %s of %s", subject, step->text,
			    function_of(t, step));
		break;
	case ORIGIN_END:
		strbuf_addf(&t->text, "%sfurther back it is not known (%s)", subject, step->text);
		break;
	}
	return below(t->o, last);
}

/* What a clause that follows the step above @i is about; NULL: there is no more to say. */
static const char *subject_of(const struct origin *o, size_t i)
{
	const struct origin_step *step = &o->steps[i];
	size_t before = i - 1;

	/* The way taken may not be the step right below. */
	while (before && o->steps[before].depth >= step->depth)
		before--;
	if (step->kind == ORIGIN_END)
		return strstr(step->text, "loop") ? NULL : "";
	if (step->earlier)
		return "in an earlier round of the loop it";
	if (o->steps[before].kind != ORIGIN_CELL)
		return o->steps[before].kind == ORIGIN_ARGUMENT ? "which" : "it";
	/* Its name says it. */
	if (step->kind == ORIGIN_PER_CPU)
		return NULL;
	return step->kind == ORIGIN_COMPUTED || step->kind == ORIGIN_ARGUMENT || !step->name
		       ? "the pointer"
		       : step->name;
}

void origin_say(const struct args_run *run, size_t frame, const char *subject,
		struct origin *origin)
{
	struct teller t = { .run = run, .o = origin };
	auto_strbuf head = { 0 };
	size_t i = 0;

	strbuf_add(&head, subject);
	if (origin->count && origin->steps[0].known)
		strbuf_addf(&head, " = 0x%" PRIx64 "%s", origin->steps[0].value,
			    origin->steps[0].memory ? " (by memory read again)" : "");
	strbuf_addf(&head, " in %s", run->frames[frame].cfg->name);
	while (i < origin->count && t.text.len < SENTENCE_MAX) {
		const char *about = i ? subject_of(origin, i) : strbuf_text(&head);
		if (!about)
			break;
		if (i)
			strbuf_add(&t.text, strcmp(about, "which") == 0 ? ", " : "; ");
		i = say_step(&t, i, about);
	}
	origin->sentence = arena_strdup(&origin->arena, strbuf_text(&t.text));
	strbuf_deinit(&t.text);
}
