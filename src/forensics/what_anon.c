// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whose an anonymous page is. Its anon_vma holds a tree of anon_vma_chain, one for each mapping
 * that may have the page (mm/rmap.c, mm/interval_tree.c); the page is at index - vm_pgoff in it. A
 * mapping may have got a copy of its own since: so its page tables are asked.
 */
#include <stdio.h>

#include "forensics/what.h"
#include "kernel/pages.h"

enum { NODES_MAX = 256, DEPTH_MAX = 64 };

struct search {
	const struct what_ask *ask;
	const struct page_info *info;
	unsigned visited;
	uint64_t mm, address; /* found */
};

/* Is the page mapped where the mapping @vma would have it? */
static bool is_in(struct search *search, uint64_t vma)
{
	struct session *s = search->ask->s;
	struct page_root root = memory_layout(s->memory)->root;
	uint64_t start, end, offset, mm, pgd;
	struct walk walk;

	if (!kread(s, vma, "vm_area_struct", "vm_start", &start) ||
	    !kread(s, vma, "vm_area_struct", "vm_end", &end) ||
	    !kread(s, vma, "vm_area_struct", "vm_pgoff", &offset) ||
	    !kread(s, vma, "vm_area_struct", "vm_mm", &mm) ||
	    !kread(s, mm, "mm_struct", "pgd", &pgd))
		return false;
	uint64_t address = start + (search->info->index - offset) * PAGE_SIZE;
	if (address < start || address >= end ||
	    memory_vtop(s->memory, pgd, &root.table) != READ_OK)
		return false;
	memory_walk_user(s->memory, &root, address, &walk);
	if (walk.status != READ_OK || walk.paddr.v >> PAGE_SHIFT != search->info->pfn)
		return false;
	search->mm = mm;
	search->address = address;
	return true;
}

static bool visit(struct search *search, uint64_t node, unsigned depth)
{
	struct session *s = search->ask->s;
	uint64_t vma, left, right;

	if (!node || depth > DEPTH_MAX || ++search->visited > NODES_MAX)
		return false;
	uint64_t chain = kcontainer(s, node, "anon_vma_chain", "rb");
	if (!chain)
		return false;
	if (kread(s, chain, "anon_vma_chain", "vma", &vma) && is_in(search, vma))
		return true;
	return (kread(s, node, "rb_node", "rb_left", &left) && visit(search, left, depth + 1)) ||
	       (kread(s, node, "rb_node", "rb_right", &right) && visit(search, right, depth + 1));
}

bool what_anonymous(const struct what_ask *ask, const struct page_info *info)
{
	struct search search = { .ask = ask, .info = info };
	uint64_t root;
	size_t count;
	const struct task *all = tasks(ask->s, &count);

	if (!kread(ask->s, info->owner, "anon_vma", "rb_root.rb_root.rb_node|rb_root.rb_node",
		   &root) ||
	    !visit(&search, root, 0))
		return false;
	for (size_t i = 0; i < count; i++) {
		char name[48];
		if (all[i].mm != search.mm)
			continue;
		what_task_name(&all[i], name, sizeof(name));
		ask->what->pid = all[i].pid;
		what_textf(ask, "an anonymous page of %s, there 0x%lx", name,
			   (unsigned long)(search.address + (ask->address & (PAGE_SIZE - 1))));
		return true;
	}
	return false;
}
