// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who has a page locked. The page does not say: its lock is one bit. But who locks one does so to
 * work on it, in functions that are known, and has its address in a register or on its stack until
 * it is through. That is a trace, no proof: a word of the stack may be left from before.
 *
 * Source, in linux/: mm/page-writeback.c, mm/truncate.c, fs/buffer.c, fs/mpage.c, fs/iomap/.
 */
#include "forensics/wait_search.h"

#include <string.h>

#include "base/strbuf.h"
#include "kernel/block_io.h"

enum { FRAMES = 24, STACK_WORDS = 1024, TASKS_LOOKED_AT = 4096 };

static const char *const works_on_pages[] = {
	"*write_full_folio*", "*write_full_page*", "*writepage*", "write_cache_pages*",
	"*writeback_folio*", "writeback_iter*", "*read_folio*", "*readpage*", "*mpage_*",
	"truncate_inode_*", "invalidate_*", "iomap_*",
};

/*
 * The outermost function of the stack that works on pages; @symbol is the innermost. NULL: none
 * does.
 */
static const struct frame *page_worker(struct session *s, const struct stack *stack,
				       struct symbol *symbol)
{
	const struct frame *found = NULL;
	struct symbol here;

	*symbol = (struct symbol){ 0 };
	for (size_t i = 0; i < stack->count && i < FRAMES; i++) {
		const struct frame *f = &stack->frames[i];
		if (f->how == FRAME_SCAN || !f->cfa ||
		    !symbols_by_address(s->symbols, f->is_call ? f->pc - 1 : f->pc, &here))
			continue;
		for (size_t g = 0; g < array_size(works_on_pages); g++) {
			if (!glob_match(works_on_pages[g], here.name))
				continue;
			if (!found)
				*symbol = here;
			found = f;
			break;
		}
	}
	return found;
}

static bool has_on_stack(struct session *s, uint64_t from, uint64_t to, uint64_t value)
{
	uint64_t words[STACK_WORDS];
	size_t bytes = to > from && to - from < sizeof(words) ? (size_t)(to - from) : sizeof(words);
	size_t n = memory_read_some(s->memory, from, words, bytes) / sizeof(words[0]);

	for (size_t i = 0; i < n; i++) {
		if (words[i] == value)
			return true;
	}
	return false;
}

void wait_owners_of_page(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	struct session *s = x->s;

	if (!block_page_is_locked(s, r->object))
		return;
	for (size_t i = 0; i < x->graph->node_count && i < TASKS_LOOKED_AT; i++) {
		const struct wait_node *n = &x->graph->nodes[i];
		struct stack stack = { 0 };
		struct symbol symbol;
		if (n->resource == index || session_stopped(s) ||
		    (!n->task->on_cpu && task_state_letter(n->task) != 'D'))
			continue;
		task_stack(s, n->task, &stack);
		const struct frame *f = stack.count ? page_worker(s, &stack, &symbol) : NULL;
		if (f && has_on_stack(s, stack.frames[0].sp, f->cfa, r->object))
			wait_add_owner(x, r, n->task->address, OWNER_CODE, false,
				       arena_printf(&x->graph->arena,
						    "%.*s works on it, by its stack",
						    (int)strcspn(symbol.name, "."), symbol.name));
		stack_deinit(&stack);
	}
}
