// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who waits for a condition puts an entry on its own stack into the queue, with its task's address
 * in it (include/linux/wait.h, wait_event() and prepare_to_wait(); swait.h). So the innermost
 * frames are searched for that address; the list's neighbours must agree that an entry is there,
 * and the list is followed to the one node that is no entry: the queue's head. Entries have a
 * function of the kernel's behind the task, what lies before a head is something else.
 */
#include "forensics/wait_entry.h"

enum {
	FRAMES_SEARCHED = 12, BYTES_MAX = 8192, ENTRIES_MAX = 4096, WORDS = BYTES_MAX / 8,
	WAIT_TABLE_BITS = 8, /* kernel/sched/wait_bit.c, mm/filemap.c */
};

struct layout {
	const char *entry, *task, *link, *head, *head_list;
	bool simple;
};

static const struct layout layouts[] = {
	{ "wait_queue_entry", "private", "entry", "wait_queue_head", "head", false },
	/* Until 4.12. */
	{ "__wait_queue", "private", "task_list", "__wait_queue_head", "task_list", false },
	{ "swait_queue", "task", "task_list", "swait_queue_head", "task_list", true },
};

struct places {
	uint64_t task, link, func, head_list;
};

static bool find_places(struct session *s, const struct layout *l, struct places *p)
{
	*p = (struct places){ 0 };
	return koffset(s, l->entry, l->task, &p->task) && koffset(s, l->entry, l->link, &p->link) &&
	       koffset(s, l->head, l->head_list, &p->head_list) &&
	       (l->simple || koffset(s, l->entry, "func", &p->func));
}

static bool word_at(struct session *s, uint64_t address, uint64_t *value)
{
	return memory_u64(s->memory, address, value) == READ_OK;
}

/* Both neighbours lead back to it. */
static bool is_linked(struct session *s, uint64_t link)
{
	uint64_t next, before, back;

	return word_at(s, link, &next) && word_at(s, link + 8, &before) && next != link &&
	       s->arch->is_kernel_address(next) && s->arch->is_kernel_address(before) &&
	       word_at(s, next + 8, &back) && back == link && word_at(s, before, &back) &&
	       back == link;
}

static bool is_entry(struct session *s, const struct layout *l, const struct places *p,
		     uint64_t entry)
{
	uint64_t value;

	/* A simple entry has no function, but always a task. */
	if (l->simple)
		return word_at(s, entry + p->task, &value) && task_by_address(s, value);
	return word_at(s, entry + p->func, &value) && symbols_is_text(s->symbols, value);
}

/* The node of the list that is no entry; 0: there is not just one. */
static uint64_t find_head(struct session *s, const struct layout *l, const struct places *p,
			  uint64_t link)
{
	uint64_t head = 0, at = link;

	for (unsigned i = 0; i < ENTRIES_MAX; i++) {
		if (!is_entry(s, l, p, at - p->link)) {
			if (head)
				return 0;
			head = at;
		}
		if (!word_at(s, at, &at))
			return 0;
		if (at == link)
			return head;
	}
	return 0;
}

static bool is_in_table(struct session *s, uint64_t queue, const char *name)
{
	uint64_t table = symbols_address(s->symbols, name);
	uint64_t size = types_sizeof(s->types, "wait_queue_head") << WAIT_TABLE_BITS;

	return table && queue >= table && queue - table < size;
}

/*
 * The queues that all bits share, and all "variables": an entry of those is within a struct that
 * names the word (kernel/sched/wait_bit.c; since 4.13).
 */
static uint64_t awaited_word(struct session *s, uint64_t queue, uint64_t entry)
{
	static const char type[] = "wait_bit_queue_entry";
	uint64_t offset, word;

	if (!is_in_table(s, queue, "bit_wait_table") || !koffset(s, type, "wq_entry", &offset) ||
	    !kread(s, entry - offset, type, "key.flags", &word) ||
	    !s->arch->is_kernel_address(word))
		return 0;
	return word;
}

/* The same of the queues that all pages share: mm/filemap.c, folio_wait_bit_common(). */
static uint64_t awaited_page(struct session *s, uint64_t queue, uint64_t entry)
{
	static const char type[] = "wait_page_queue";
	uint64_t offset, page;

	if ((!is_in_table(s, queue, "folio_wait_table") &&
	     !is_in_table(s, queue, "page_wait_table")) || !koffset(s, type, "wait", &offset) ||
	    !kread(s, entry - offset, type, "folio|page", &page) ||
	    !s->arch->is_kernel_address(page))
		return 0;
	return page;
}

bool wait_entry_find(struct session *s, const struct task *task, const struct stack *stack,
		     struct wait_entry *found)
{
	uint64_t words[WORDS], low, high;

	if (!s->symbols || !s->types || !stack->count)
		return false;
	size_t last = stack->count - 1 < FRAMES_SEARCHED ? stack->count - 1 : FRAMES_SEARCHED;
	low = stack->frames[0].sp & ~UINT64_C(7);
	high = stack->frames[last].sp;
	if (high <= low)
		return false;
	size_t n = (high - low < BYTES_MAX ? high - low : BYTES_MAX) / sizeof(words[0]);
	if (memory_read(s->memory, low, words, n * sizeof(words[0])) != READ_OK)
		return false;
	for (size_t k = 0; k < array_size(layouts); k++) {
		const struct layout *l = &layouts[k];
		struct places p;
		if (!find_places(s, l, &p))
			continue;
		for (size_t i = 0; i < n; i++) {
			uint64_t entry = low + i * sizeof(words[0]) - p.task, head;
			if (words[i] != task->address || !is_entry(s, l, &p, entry) ||
			    !is_linked(s, entry + p.link))
				continue;
			head = find_head(s, l, &p, entry + p.link);
			if (!head)
				continue;
			*found = (struct wait_entry){ .queue = head - p.head_list, .entry = entry,
						      .simple = l->simple };
			found->word = awaited_word(s, found->queue, entry);
			found->page = awaited_page(s, found->queue, entry);
			return true;
		}
	}
	return false;
}
