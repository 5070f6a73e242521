// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The question goes to each identifier of a table in turn, from values that are no address at all
 * and exact answers (a stack's slot, a variable) to vague ones (an area of the address map). The
 * first that knows answers. What the page tables say is asked before, since some need it.
 *
 * What identifiers share is kept on the session and made when first needed; whatis_prepare() makes
 * all of it, after which questions may come from several threads.
 */
#include "forensics/whatis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forensics/what.h"
#include "kernel/pages.h"
#include "kernel/slab.h"
#include "kernel/vmalloc.h"
#include "kernel/zones.h"

static const struct identifier {
	bool (*answer)(const struct what_ask *ask);
	bool label; /* says something that is worth a label beside a word of memory */
} identifiers[] = {
	{ what_null, false },
	{ what_err_ptr, true },
	{ what_poison, true },
	{ what_non_canonical, false },
	{ what_user, true },
	{ what_stack, true },
	{ what_percpu, true },
	{ what_symbol, true },
	{ what_module, true },
	{ what_node, true },
	{ what_page_struct, true },
	{ what_slab, true },
	{ what_generated, true },
	{ what_stack_beside, false },
	{ what_vmalloc, true },
	{ what_page, true },
	{ what_area, false },
};

enum {
	PTE_WRITABLE_BIT = 1, /* of x86 page-table entries of any level */
	PTE_NX_BIT = 63,
	DEPTH_MAX = 4,
};

const char *what_kind_name(enum what_kind kind)
{
	static const char *const names[WHAT_COUNT] = {
		[WHAT_UNKNOWN] = "unknown",         [WHAT_NULL] = "null",
		[WHAT_ERR_PTR] = "error-pointer",   [WHAT_POISON] = "poison",
		[WHAT_NON_CANONICAL] = "non-canonical", [WHAT_USER] = "user",
		[WHAT_TEXT] = "text",               [WHAT_DATA] = "data",
		[WHAT_RODATA] = "rodata",           [WHAT_MODULE] = "module",
		[WHAT_PERCPU] = "per-cpu",          [WHAT_STACK] = "stack",
		[WHAT_STACK_BESIDE] = "beside-stack", [WHAT_SLAB] = "slab",
		[WHAT_KFENCE] = "kfence",           [WHAT_PAGE_STRUCT] = "page-struct",
		[WHAT_PAGE] = "page",               [WHAT_VMALLOC] = "vmalloc",
		[WHAT_BPF] = "bpf",                 [WHAT_FIXED] = "fixed",
		[WHAT_AREA] = "area",
	};

	return kind < WHAT_COUNT ? names[kind] : "unknown";
}

/* --- For identifiers --- */

void what_set(const struct what_ask *ask, enum what_kind kind, uint64_t start, uint64_t size)
{
	ask->what->kind = kind;
	ask->what->start = start;
	ask->what->size = size;
}

void what_textf(const struct what_ask *ask, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ask->what->text, sizeof(ask->what->text), fmt, args);
	va_end(args);
}

void what_detailf(const struct what_ask *ask, const char *fmt, ...)
{
	size_t used = strlen(ask->what->detail);
	va_list args;

	if (used && used + 3 < sizeof(ask->what->detail)) {
		memcpy(ask->what->detail + used, "; ", 3);
		used += 2;
	}
	va_start(args, fmt);
	vsnprintf(ask->what->detail + used, sizeof(ask->what->detail) - used, fmt, args);
	va_end(args);
}

void what_plus(char *buf, size_t size, const char *name, uint64_t offset)
{
	if (offset)
		snprintf(buf, size, "%s+0x%lx", name, (unsigned long)offset);
	else
		snprintf(buf, size, "%s", name);
}

void what_task_name(const struct task *task, char *buf, size_t size)
{
	if (task_is_named(task))
		snprintf(buf, size, "%.*s (pid %d)", (int)sizeof(task->comm), task->comm,
			 task->pid);
	else
		snprintf(buf, size, "a task");
}

/* --- State --- */

static void destroy_state(void *data)
{
	struct whatis_state *state = data;

	for (unsigned i = 0; i < state->unwound_count; i++)
		stack_deinit(&state->unwound[i].stack);
	vec_deinit(&state->stacks);
	vec_deinit(&state->percpu.chunks);
	vec_deinit(&state->percpu.modules);
	vec_deinit(&state->percpu);
	vec_deinit(&state->areas);
	vec_deinit(&state->generated);
	vec_deinit(&state->listed);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

static struct whatis_state *get_state(struct session *s)
{
	struct whatis_state *state = s->slot[SLOT_WHATIS].data;

	if (state)
		return state;
	state = xcalloc(1, sizeof(*state));
	pthread_mutex_init(&state->lock, NULL);
	s->slot[SLOT_WHATIS].data = state;
	s->slot[SLOT_WHATIS].destroy = destroy_state;
	return state;
}

void whatis_prepare(struct session *s)
{
	struct whatis_state *state = get_state(s);
	struct symbol symbol;
	uint64_t address;
	size_t count;

	what_stack_prepare(s, state);
	what_percpu_prepare(s, state);
	what_area_prepare(s, state);
	what_generated_prepare(s, state);
	what_listed_prepare(s, state);
	(void)page_array(s);
	(void)zones(s, &count);
	slab_prepare(s);
	(void)vmalloc_areas(s, &count);
	(void)vmalloc_unpurged(s, &count);
	(void)vmalloc_area_of_pfn(s, 0, &address);
	/* Loads the list of modules. */
	if (s->symbols)
		(void)symbols_by_address(s->symbols, UINT64_MAX - PAGE_SIZE, &symbol);
}

/* --- The question --- */

static void add_permissions(const struct what_ask *ask)
{
	struct what *what = ask->what;
	struct page_root root = memory_layout(ask->s->memory)->root;
	struct walk walk = { .status = READ_EXCLUDED };
	uint64_t pgd;

	if (ask->s->arch->is_kernel_address(ask->address)) {
		memory_walk(ask->s->memory, ask->address, &walk);
	} else {
		if (!ask->task || !ask->task->mm ||
		    !kread(ask->s, ask->task->mm, "mm_struct", "pgd", &pgd) ||
		    memory_vtop(ask->s->memory, pgd, &root.table) != READ_OK)
			return;
		memory_walk_user(ask->s->memory, &root, ask->address, &walk);
	}
	what->mapped = walk.status == READ_OK;
	what->unmapped = walk.status == READ_UNMAPPED;
	what->permissions_known = what->mapped && walk.levels;
	what->writable = what->executable = what->permissions_known;
	for (unsigned i = 0; i < walk.levels; i++) {
		what->writable &= walk.step[i].entry >> PTE_WRITABLE_BIT & 1;
		what->executable &= !(walk.step[i].entry >> PTE_NX_BIT & 1);
	}
	what->in_dump = what->mapped && dump_has_page(ask->s->dump, walk.paddr.v >> PAGE_SHIFT) ==
						READ_OK;
}

static void clear(struct what *what, uint64_t address)
{
	*what = (struct what){ .address = address, .pid = -1, .cpu = -1, .frame = -1 };
}

void what_ask_again(const struct what_ask *outer, uint64_t address, struct what *what)
{
	struct what_ask ask = *outer;

	clear(what, address);
	ask.address = address;
	ask.what = what;
	if (++ask.depth > DEPTH_MAX)
		return;
	unsigned levels = memory_layout(ask.s->memory)->root.levels;
	what->user_half = !ask.s->arch->is_kernel_address(address) &&
			  (!levels || ask.s->arch->canonical(address, levels));
	if (!ask.brief)
		add_permissions(&ask);
	for (size_t i = 0; i < array_size(identifiers); i++) {
		if (ask.brief && !identifiers[i].label)
			continue;
		if (identifiers[i].answer(&ask))
			return;
	}
}

void what_label_of(const struct what_ask *outer, uint64_t address, char *buf, size_t size)
{
	struct what_ask ask = *outer;
	struct what what;

	ask.brief = true;
	what_ask_again(&ask, address, &what);
	if (*what.text)
		snprintf(buf, size, "%s", what.text);
	else
		snprintf(buf, size, "0x%lx", (unsigned long)address);
}

void whatis(struct session *s, const struct task *task, uint64_t address, struct what *what)
{
	struct what_ask ask = { .s = s, .state = get_state(s), .task = task };

	what_ask_again(&ask, address, what);
}

/* In order of address, neighbours follow each other and find what they need at hand. */
static int compare_addresses(const void *a, const void *b, void *ctx)
{
	const uint64_t *addresses = ctx;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;

	if (addresses[i] != addresses[j])
		return addresses[i] < addresses[j] ? -1 : 1;
	return i < j ? -1 : i > j;
}

void whatis_many(struct session *s, const struct task *task, const uint64_t *addresses,
		 size_t count, struct what *whats)
{
	auto_free size_t *order = xcalloc(count, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_addresses, (void *)(uintptr_t)addresses);
	for (size_t i = 0; i < count; i++) {
		size_t now = order[i];
		if (i && addresses[order[i - 1]] == addresses[now])
			whats[now] = whats[order[i - 1]];
		else
			whatis(s, task, addresses[now], &whats[now]);
	}
}

void whatis_label(struct session *s, uint64_t value, char *buf, size_t size)
{
	struct what_ask ask = { .s = s, .state = get_state(s), .brief = true };
	struct what what;

	what_ask_again(&ask, value, &what);
	snprintf(buf, size, "%s", what.text);
}
