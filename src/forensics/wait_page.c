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

enum { FRAMES = 24, STACK_WORDS = 1024 };

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

/* The pages that are waited for, by the address of their struct page or folio. */
static void find_locked(struct wait_search *x, struct map *pages)
{
	for (size_t i = 0; i < x->graph->resource_count; i++) {
		const struct resource *r = &x->graph->resources[i];
		if (r->kind == WAIT_PAGE && block_page_is_locked(x->s, r->object))
			map_set(pages, r->object, i);
	}
}

/* One look at each stack serves all pages. */
static void look_at_stack(struct wait_search *x, const struct wait_node *n,
			  const struct stack *stack, const struct map *pages)
{
	uint64_t words[STACK_WORDS], index;
	struct symbol symbol;
	const struct frame *f = stack->count ? page_worker(x->s, stack, &symbol) : NULL;

	if (!f || f->cfa <= stack->frames[0].sp)
		return;
	uint64_t bytes = f->cfa - stack->frames[0].sp;
	size_t count = memory_read_some(x->s->memory, stack->frames[0].sp, words,
					bytes < sizeof(words) ? (size_t)bytes : sizeof(words)) /
		       sizeof(words[0]);
	for (size_t i = 0; i < count; i++) {
		if (!map_get(pages, words[i], &index) || n->resource == index)
			continue;
		wait_add_owner(x, &x->graph->resources[index], n->task->address, OWNER_CODE, false,
			       arena_printf(&x->graph->arena, "%.*s works on it, by its stack",
					    (int)strcspn(symbol.name, "."), symbol.name));
	}
}

void wait_owners_of_pages(struct wait_search *x)
{
	struct map pages = { 0 };

	find_locked(x, &pages);
	for (size_t i = 0; i < x->graph->node_count && pages.count; i++) {
		const struct wait_node *n = &x->graph->nodes[i];
		struct stack stack = { 0 };
		if (session_stopped(x->s) ||
		    (!n->task->on_cpu && task_state_letter(n->task) != 'D'))
			continue;
		task_stack(x->s, n->task, &stack);
		look_at_stack(x, n, &stack, &pages);
		stack_deinit(&stack);
	}
	map_deinit(&pages);
}
