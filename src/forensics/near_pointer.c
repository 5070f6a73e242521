// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each way of spoiling a pointer is undone; the results are candidates, and each is judged by what
 * lies there. A list entry that links back to the cell settles it; the start of an allocated
 * object, such as the words next to the cell point to, nearly so. A candidate counts only when no
 * other is as good: of 64 single-bit neighbours of a good pointer many are mapped, but hardly two
 * are starts of objects.
 */
#include "forensics/near_pointer.h"

#include "base/bytes.h"
#include "forensics/whatis.h"
#include "kernel/cpus.h"
#include "kernel/pages.h"
#include "kernel/slab.h"

enum {
	NEIGHBOURS = 16,         /* words on each side of the cell that are looked at */
	HALVES_MAX = 24,         /* upper halves that are tried */
	SMALL = 0x10000,         /* such numbers are no damaged pointers */
	RAM_START = 0x100000,    /* below 1 MiB there is no memory of objects */
};

struct search {
	struct session *s;
	const struct near_question *question;
	struct near_answer *best;
	unsigned rivals; /* other values as good as the best one */
	uint64_t word[2 * NEIGHBOURS]; /* beside the cell; 0: not readable, or no kernel pointer */
	uint64_t upper[HALVES_MAX];
	unsigned upper_count;
};

static uint64_t word_address(const struct search *search, unsigned i)
{
	uint64_t first = search->question->cell - NEIGHBOURS * 8;

	return first + (i < NEIGHBOURS ? i : i + 1) * 8;
}

static bool could_be(const struct search *search, uint64_t value)
{
	unsigned levels = memory_layout(search->s->memory)->root.levels;
	const struct arch *arch = search->s->arch;

	return arch->is_kernel_address(value) && levels && arch->canonical(value, levels) &&
	       value < -(uint64_t)SMALL;
}

static bool is_mapped(struct session *s, uint64_t value)
{
	struct walk walk;
	uint64_t word;

	memory_walk(s->memory, value, &walk);
	return walk.status == READ_OK && memory_u64(s->memory, value, &word) == READ_OK;
}

/* --- Judging. --- */

/*
 * A list_head or hlist_node links back: the next one's prev (pprev) is the cell, or the one before
 * has our start, eight bytes before the cell, as next.
 */
static bool links_back(const struct search *search, uint64_t value, uint64_t *at)
{
	uint64_t cell = search->question->cell, word;
	struct memory *mem = search->s->memory;

	if (!cell)
		return false;
	*at = value + 8;
	if (memory_u64(mem, *at, &word) == READ_OK && word == cell)
		return true;
	*at = value;
	return memory_u64(mem, *at, &word) == READ_OK && word == cell - 8;
}

/* Does a word beside the cell point as far into an object of the same cache? */
static bool like_neighbours(const struct search *search, const struct slab_object *object,
			    uint64_t *at)
{
	struct slab_object other;

	for (unsigned i = 0; i < array_size(search->word); i++) {
		if (search->word[i] &&
		    slab_object_at(search->s, search->word[i], &other) &&
		    other.slab.cache == object->slab.cache && other.offset == object->offset &&
		    other.state == OBJECT_ALLOCATED && !other.in_metadata && !other.in_redzone) {
			*at = word_address(search, i);
			return true;
		}
	}
	return false;
}

static enum near_strength judge_object(const struct search *search, uint64_t value,
				       struct near_answer *answer)
{
	struct slab_object object;
	struct symbol symbol;

	if (slab_object_at(search->s, value, &object)) {
		if (!object.slab.cache || object.state != OBJECT_ALLOCATED || object.in_metadata ||
		    object.in_redzone)
			return NEAR_WEAK;
		answer->like_neighbours = like_neighbours(search, &object, &answer->neighbour);
		if (answer->like_neighbours)
			return NEAR_STRONG;
		return object.offset ? NEAR_WEAK : NEAR_GOOD;
	}
	if (search->s->symbols && symbols_by_address(search->s->symbols, value, &symbol))
		return symbol.address == value ? NEAR_GOOD : NEAR_WEAK;
	return NEAR_WEAK;
}

/* False: it cannot be that. */
static bool judge(const struct search *search, uint64_t value, struct near_answer *answer)
{
	struct session *s = search->s;
	struct symbol symbol;

	if (!could_be(search, value) || value == search->question->value || !is_mapped(s, value))
		return false;
	if (search->question->code) {
		answer->strength = NEAR_STRONG;
		return s->symbols && symbols_is_text(s->symbols, value) &&
		       symbols_by_address(s->symbols, value, &symbol) && symbol.address == value;
	}
	if (value & 7)
		return false;
	answer->links_back = links_back(search, value, &answer->back);
	answer->strength = answer->links_back ? NEAR_STRONG : judge_object(search, value, answer);
	return true;
}

/* --- Candidates. --- */

static void consider(struct search *search, enum near_way way, int detail, uint64_t value)
{
	struct near_answer answer = { .way = way, .detail = detail, .value = value };
	struct near_answer *best = search->best;

	if (!judge(search, value, &answer))
		return;
	/* So many bytes of a pointer do not stand beside its place by chance. */
	if (way == NEAR_MOVED && answer.strength == NEAR_GOOD)
		answer.strength = NEAR_STRONG;
	/* What links back beats what only looks alike. */
	unsigned rank = answer.strength + answer.links_back;
	unsigned best_rank = best->way ? best->strength + best->links_back : 0;
	if (!best->way || rank > best_rank) {
		*best = answer;
		search->rivals = 0;
	} else if (rank == best_rank && best->value != value) {
		search->rivals++;
	}
}

static void try_bits(struct search *search)
{
	for (int bit = 0; bit < 64; bit++)
		consider(search, NEAR_BIT, bit,
			 search->question->value ^ UINT64_C(1) << bit);
}

static void add_upper(struct search *search, uint64_t half)
{
	for (unsigned i = 0; i < search->upper_count; i++) {
		if (search->upper[i] == half)
			return;
	}
	if (search->upper_count < HALVES_MAX)
		search->upper[search->upper_count++] = half;
}

/* The upper halves that pointers have here: those beside the cell, and those of all memory. */
static void find_uppers(struct search *search)
{
	const struct kernel_layout *layout = memory_layout(search->s->memory);
	uint64_t end = dump_info(search->s->dump)->max_pfn << PAGE_SHIFT;

	for (unsigned i = 0; i < array_size(search->word); i++) {
		if (search->word[i])
			add_upper(search, search->word[i] >> 32);
	}
	if (search->question->cell)
		add_upper(search, search->question->cell >> 32);
	if (!layout->has_page_offset)
		return;
	for (uint64_t at = 0; at < end && search->upper_count < HALVES_MAX; at += UINT64_C(1) << 32)
		add_upper(search, (layout->page_offset + at) >> 32);
	if (end)
		add_upper(search, (layout->page_offset + end - 1) >> 32);
}

static void try_uppers(struct search *search)
{
	uint64_t value = search->question->value, half = value >> 32;
	enum near_way way = !half		   ? NEAR_UPPER_ZERO
			    : half == UINT32_MAX && value >> 31 & 1 ? NEAR_UPPER_SIGN
						   : NEAR_UPPER_OTHER;

	if ((uint32_t)value < SMALL)
		return;
	find_uppers(search);
	for (unsigned i = 0; i < search->upper_count; i++)
		consider(search, way, 32, search->upper[i] << 32 | (uint32_t)value);
	if (way == NEAR_UPPER_OTHER)
		consider(search, way, 16, value | UINT64_C(0xffff) << 48);
}

static void try_orders(struct search *search)
{
	uint64_t value = search->question->value;

	consider(search, NEAR_SWAPPED, 0, value << 32 | value >> 32);
	consider(search, NEAR_REVERSED, 0, __builtin_bswap64(value));
}

static void try_moved(struct search *search)
{
	uint64_t cell = search->question->cell, moved;

	for (int by = -7; cell && by <= 7; by++) {
		if (by && memory_u64(search->s->memory, cell + (uint64_t)(int64_t)by, &moved) ==
				  READ_OK)
			consider(search, NEAR_MOVED, by, moved);
	}
}

/*
 * An offset into a CPU's area: exact kinds only, and the same for every CPU, so CPU 0 stands for
 * all.
 */
static void try_per_cpu(struct search *search)
{
	size_t count;
	const struct cpu *list = cpus(search->s, &count);
	uint64_t value = search->question->value;
	struct what what;

	if (!count || !list[0].percpu_offset || value < SMALL || could_be(search, value))
		return;
	uint64_t there = value + list[0].percpu_offset;
	if (!could_be(search, there) || there & 7 || !is_mapped(search->s, there))
		return;
	whatis(search->s, NULL, there, &what);
	if (what.kind != WHAT_PERCPU || search->best->strength == NEAR_STRONG)
		return;
	/* Small numbers are often one by chance: the first chunk is full of small variables. */
	*search->best = (struct near_answer){ .way = NEAR_PER_CPU, .detail = (int)list[0].id,
					      .value = there,
					      .strength = value >> 32 ? NEAR_STRONG : NEAR_GOOD };
	search->rivals = 0;
}

static void try_physical(struct search *search)
{
	uint64_t value = search->question->value;
	struct page_info info;

	if (value >= RAM_START && !(value >> 52) &&
	    page_info(search->s, value >> PAGE_SHIFT, &info))
		consider(search, NEAR_PHYSICAL, 0,
			 direct_map_of(search->s, (struct paddr){ value }));
}

static void read_neighbours(struct search *search)
{
	for (unsigned i = 0; search->question->cell && i < array_size(search->word); i++) {
		uint64_t word;
		if (memory_u64(search->s->memory, word_address(search, i), &word) == READ_OK &&
		    could_be(search, word))
			search->word[i] = word;
	}
}

bool near_pointer(struct session *s, const struct near_question *question,
		  struct near_answer *answer)
{
	struct search search = { .s = s, .question = question, .best = answer };

	*answer = (struct near_answer){ 0 };
	if (question->value < SMALL || question->value >= -(uint64_t)SMALL)
		return false;
	read_neighbours(&search);
	try_bits(&search);
	try_uppers(&search);
	try_orders(&search);
	try_moved(&search);
	try_physical(&search);
	try_per_cpu(&search);
	return answer->way != NEAR_NONE && answer->strength >= NEAR_GOOD && !search.rivals;
}
