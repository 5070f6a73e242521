// SPDX-License-Identifier: LGPL-2.1-or-later
/* bt -R, -M: does a stack hold a symbol, an address, a module? */
#include <string.h>

#include "base/strbuf.h"
#include "commands/bt_views.h"

enum { WORDS_MAX = 64 << 10 >> 3 };

struct error *bt_ref_parse(struct session *s, const char *word, const char *module,
			   struct bt_ref *ref)
{
	struct symbol symbol;
	uint64_t address;

	*ref = (struct bt_ref){ .module = module, .any = !word && !module };
	if (!word)
		return NULL;
	if (s->symbols && symbols_by_name(s->symbols, word, &symbol)) {
		ref->symbol = word;
		/* Of code, frames tell; words may be stale return addresses. */
		ref->has_range = !symbols_is_text(s->symbols, symbol.address);
		ref->low = symbol.address;
		ref->high = symbol.address + (symbol.size ? symbol.size : 1);
		return NULL;
	}
	struct error *err = parse_address(s, word, &address);
	if (!err) {
		ref->has_range = true;
		ref->low = address;
		ref->high = address + 1;
		return NULL;
	}
	/* Static functions of debug files only, and patterns. */
	if (err->code == ERROR_NOT_FOUND || strpbrk(word, "*?")) {
		error_free(err);
		ref->symbol = word;
		return NULL;
	}
	return err;
}

static bool name_fits(const char *pattern, const char *name)
{
	const char *dot = strchr(name, '.');

	if (glob_match(pattern, name))
		return true;
	if (!dot) /* compilers add to names: ".isra.0" */
		return false;
	auto_free char *plain = xstrndup(name, (size_t)(dot - name));
	return glob_match(pattern, plain);
}

static bool frame_fits(struct session *s, const struct bt_ref *ref, const struct frame *frame)
{
	uint64_t lookup = frame->pc - (frame->is_call && frame->pc);
	struct source_frame source[SOURCE_FRAMES_MAX];
	struct symbol symbol;
	bool known = s->symbols && symbols_by_address(s->symbols, lookup, &symbol);

	if (ref->module && !(known && glob_match(ref->module, symbol.module ? symbol.module->name
									    : "vmlinux")))
		return false;
	if (ref->has_range && frame->pc >= ref->low && frame->pc < ref->high)
		return true;
	if (!ref->symbol)
		return !ref->has_range;
	if (known && name_fits(ref->symbol, symbol.name))
		return true;
	size_t count = debuginfo_frames(s->debuginfo, lookup, source);
	for (size_t i = 0; i < count; i++) {
		if (source[i].function && name_fits(ref->symbol, source[i].function))
			return true;
	}
	return false;
}

/* The words in use, from the innermost frame on this stack to the last. */
static bool words_hold(struct session *s, const struct bt_ref *ref, const struct stack *stack,
		       size_t first, size_t last)
{
	uint64_t low = stack->frames[first].sp;
	uint64_t high = stack->frames[last].cfa > stack->frames[last].sp ? stack->frames[last].cfa
									 : stack->frames[last].sp;
	uint64_t words[PAGE_SIZE / 8];

	high = min_u64(high, low + WORDS_MAX * 8);
	for (uint64_t at = low; at < high; at += sizeof(words)) {
		size_t size = (size_t)min_u64(high - at, sizeof(words)) & ~(size_t)7;
		size_t count = memory_read_some(s->memory, at, words, size) / 8;
		for (size_t i = 0; i < count; i++) {
			if (words[i] >= ref->low && words[i] < ref->high)
				return true;
		}
	}
	return false;
}

bool bt_ref_holds(struct session *s, const struct bt_ref *ref, const struct task *task,
		  const struct stack *stack)
{
	if (ref->any)
		return true;
	for (size_t i = 0; i < stack->count; i++) {
		if (frame_fits(s, ref, &stack->frames[i]))
			return true;
	}
	if (!ref->has_range || ref->module)
		return false;
	if (ref->low == task->address)
		return true;
	for (size_t i = 0, first = 0; i < stack->count; i++) {
		if (i + 1 < stack->count && stack->frames[i + 1].stack == stack->frames[i].stack &&
		    stack->frames[i + 1].sp >= stack->frames[i].sp)
			continue;
		if (words_hold(s, ref, stack, first, i))
			return true;
		first = i + 1;
	}
	return false;
}
