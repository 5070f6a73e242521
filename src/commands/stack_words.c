// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The words of a stack, from a frame's stack pointer to its caller's:
 *
 *	ffffc90000123d50: ffffffff81234567 ffff888003a41c40		-f
 *	ffffc90000123d50: vfs_read+0x9a    [kmalloc-64]			-F
 *	ffffc90000123d50: ffff888003a41c40  kmalloc-64+0x8		-FF
 *
 * With names, a pointer into the stack itself is told by the frame that it points into.
 */
#include "commands/stack_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "forensics/whatis.h"

/* A stack with KASAN has 64 KiB. */
enum { WORDS_MAX = 8192, NAME_BYTES = 128, WIDTH = 16 };

static const struct column word_columns[] = {
	{ .key = "address" },
	{ .key = "value" },
	{ .key = "label" },
};

struct word {
	uint64_t address, value;
	bool symbol;           /* the label is a name of the kernel's or a module's */
	char label[NAME_BYTES]; /* "": none */
};

/* Where the words of frame @index end: at the next one's, or with its own stack. */
static uint64_t words_end(const struct stack *stack, size_t index)
{
	const struct frame *frame = &stack->frames[index], *next = frame + 1;

	if (index + 1 < stack->count && next->sp > frame->sp && next->stack == frame->stack)
		return next->sp;
	return frame->cfa > frame->sp ? frame->cfa : frame->sp;
}

/* The frame that @value points into; false when it points into none. */
static bool own_frame(const struct stack *stack, uint64_t value, size_t *index)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (value >= stack->frames[i].sp && value < words_end(stack, i)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* A call may end its function: the return address is then in the next one. */
static bool name_return(struct session *s, const struct stack *stack, size_t index,
			struct word *word)
{
	const struct frame *caller = &stack->frames[index + 1];
	struct symbol symbol;

	if (index + 1 >= stack->count || caller->retaddr_at != word->address ||
	    caller->pc != word->value || !s->symbols ||
	    !symbols_by_address(s->symbols, word->value - 1, &symbol))
		return false;
	snprintf(word->label, sizeof(word->label), "%s+0x%" PRIx64 "%s%s%s", symbol.name,
		 word->value - symbol.address, symbol.module ? " [" : "",
		 symbol.module ? symbol.module->name : "", symbol.module ? "]" : "");
	word->symbol = true;
	return true;
}

static void name_word(struct session *s, const struct stack *stack, size_t frame,
		      struct word *word)
{
	struct symbol symbol;
	size_t index;

	if (name_return(s, stack, frame, word))
		return;
	if (own_frame(stack, word->value, &index)) {
		snprintf(word->label, sizeof(word->label), "frame #%zu", index);
		return;
	}
	word->symbol = s->symbols && symbols_by_address(s->symbols, word->value, &symbol);
	whatis_label(s, word->value, word->label, sizeof(word->label));
}

/* As crash shows them: symbols as they are, anything else in brackets. */
static void print_named(const struct word *word, char *buf, size_t size)
{
	if (!*word->label)
		snprintf(buf, size, "%016" PRIx64, word->value);
	else if (word->symbol)
		snprintf(buf, size, "%s", word->label);
	else
		snprintf(buf, size, "[%s]", word->label);
}

static void add_lines(struct doc *doc, const struct word *words, size_t count,
		      enum stack_words how)
{
	char first[NAME_BYTES + 4], second[NAME_BYTES + 4];

	if (how == STACK_WORDS_FULL) {
		for (size_t i = 0; i < count; i++)
			doc_textf(doc, STYLE_PLAIN, "%016" PRIx64 ": %016" PRIx64 "%s%s",
				  words[i].address, words[i].value, *words[i].label ? "  " : "",
				  words[i].label);
		return;
	}
	for (size_t i = 0; i < count; i += 2) {
		print_named(&words[i], first, sizeof(first));
		second[0] = '\0';
		if (i + 1 < count)
			print_named(&words[i + 1], second, sizeof(second));
		if (*second)
			doc_textf(doc, STYLE_PLAIN, "%016" PRIx64 ": %-*s %s", words[i].address,
				  WIDTH, first, second);
		else
			doc_textf(doc, STYLE_PLAIN, "%016" PRIx64 ": %s", words[i].address, first);
	}
}

void stack_words_add(struct session *s, struct doc *doc, const struct stack *stack, size_t index,
		     enum stack_words how)
{
	const struct frame *frame = &stack->frames[index];
	uint64_t all = (words_end(stack, index) - frame->sp) / sizeof(uint64_t);
	auto_free uint64_t *values = xcalloc(WORDS_MAX, sizeof(*values));
	size_t count = memory_read_some(s->memory, frame->sp, values, min_u64(all, WORDS_MAX) *
					sizeof(*values)) / sizeof(*values);
	struct word *words = arena_zalloc(&doc->arena, (count + 1) * sizeof(*words));

	for (size_t i = 0; i < count; i++) {
		words[i].address = frame->sp + i * sizeof(values[0]);
		words[i].value = values[i];
		if (how != STACK_WORDS_RAW)
			name_word(s, stack, index, &words[i]);
	}
	add_lines(doc, words, count, how);
	if (count < all)
		doc_textf(doc, STYLE_FAINT, "%016" PRIx64 ": %s; %" PRIu64 " words are not shown",
			  frame->sp + count * sizeof(*values),
			  count == WORDS_MAX ? "too many" : "not in the dump", all - count);
	doc_table(doc, "words", word_columns, array_size(word_columns));
	doc_hidden(doc);
	for (size_t i = 0; i < count; i++)
		doc_row(doc, cell_address(words[i].address), cell_hex(words[i].value),
			cell_str(*words[i].label ? words[i].label : NULL));
	doc_end(doc);
}
