// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control flow of one function, by following it from its entry: what is not reached is not decoded
 * (padding, data). Each byte of the function's ranges has a mark of the instruction that begins
 * there, so that instructions may overlap (a jump into one, behind its prefix).
 *
 * Ranges: the function's own symbol, and those of its ".cold" parts, added when a jump goes there.
 * A jump to anywhere else leaves the function: a tail call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/vec.h"
#include "code/cfg.h"
#include "code/idioms.h"

enum { FIXUPS_MAX = 4096, TABLE_MAX = 1024, INSNS_MAX = 1 << 16 };

static const uint32_t NOTHING = UINT32_MAX;

struct text {
	struct cfg_range range;
	uint8_t *bytes;
	uint32_t *insn;   /* for each byte: the instruction that begins there, or NOTHING */
	uint8_t *leader;  /* for each byte: a block begins there */
	struct code_fixup *fixups;
	size_t fixup_count;
};

struct jump {
	uint32_t insn;
	uint64_t target;
	enum cfg_edge_kind kind;
};

struct builder {
	const struct code_env *env;
	struct cfg *cfg;
	struct text texts[CFG_RANGES_MAX];
	struct {
		vec_fields(struct cfg_insn);
	} insns;
	struct {
		vec_fields(uint64_t);
	} work;
	struct {
		vec_fields(struct jump);
	} jumps; /* all but to the next instruction */
	const char *why;
};

static struct text *text_at(struct builder *b, uint64_t address)
{
	for (unsigned i = 0; i < b->cfg->range_count; i++) {
		if (address >= b->texts[i].range.start && address < b->texts[i].range.end)
			return &b->texts[i];
	}
	return NULL;
}

static int compare_fixups(const void *a, const void *b)
{
	const struct code_fixup *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static bool add_range(struct builder *b, uint64_t start, uint64_t size)
{
	struct cfg *cfg = b->cfg;
	struct text *t = &b->texts[cfg->range_count];

	if (cfg->range_count >= CFG_RANGES_MAX || !size || size > CFG_SIZE_MAX ||
	    start + size < start) {
		b->why = size ? "the function is too long" : "the function's end is not known";
		return false;
	}
	uint8_t *bytes = xmalloc((size_t)size);
	if (b->env->read(b->env->ctx, start, bytes, (size_t)size) != READ_OK) {
		free(bytes);
		b->why = "the function's code is not in the dump";
		return false;
	}
	*t = (struct text){ .range = { start, start + size }, .bytes = bytes };
	t->insn = xmalloc((size_t)size * sizeof(*t->insn));
	memset(t->insn, 0xff, (size_t)size * sizeof(*t->insn));
	t->leader = xcalloc((size_t)size, 1);
	if (b->env->fixups) {
		t->fixups = xcalloc(FIXUPS_MAX, sizeof(*t->fixups));
		t->fixup_count = b->env->fixups(b->env->ctx, start, start + size, t->fixups,
						FIXUPS_MAX);
		qsort(t->fixups, t->fixup_count, sizeof(*t->fixups), compare_fixups);
	}
	cfg->ranges[cfg->range_count++] = t->range;
	return true;
}

/* "foo.cold" and "foo.cold.12" are parts of "foo". */
static bool is_part_of(const char *name, const char *function)
{
	size_t length = strlen(function);

	return strncmp(name, function, length) == 0 && strncmp(name + length, ".cold", 5) == 0;
}

/* The part that a jump to @target goes to; NULL: it leaves the function. */
static struct text *text_of_target(struct builder *b, uint64_t target)
{
	struct text *t = text_at(b, target);
	struct symbol symbol;

	if (t || !b->env->function(b->env->ctx, target, &symbol) ||
	    !is_part_of(symbol.name, b->cfg->name) || target - symbol.address >= symbol.size)
		return t;
	return add_range(b, symbol.address, symbol.size) ? text_at(b, target) : NULL;
}

static void lead(struct builder *b, uint64_t target)
{
	struct text *t = text_at(b, target);

	if (!t || t->leader[target - t->range.start])
		return;
	t->leader[target - t->range.start] = 1;
	vec_push(&b->work, target);
}

static void jump_to(struct builder *b, uint32_t insn, uint64_t target, enum cfg_edge_kind kind)
{
	lead(b, target);
	vec_push(&b->jumps, (struct jump){ .insn = insn, .target = target, .kind = kind });
}

static void lose(struct builder *b, struct cfg_insn *i, const char *why)
{
	i->role = CFG_LOST;
	if (!b->cfg->incomplete)
		b->cfg->incomplete = why;
}

/* --- What each instruction does to the flow. --- */

static struct idiom_info idiom_at(struct builder *b, uint64_t target)
{
	struct symbol symbol;

	if (b->env->function(b->env->ctx, target, &symbol) && symbol.address == target)
		return idiom_of(symbol.name);
	return (struct idiom_info){ .idiom = IDIOM_NONE, .reg = -1 };
}

static void classify_call(struct builder *b, struct cfg_insn *i)
{
	const struct insn *insn = &i->insn;

	i->role = CFG_CALL;
	i->through = insn->target_reg;
	if (insn->indirect)
		return;
	i->target = insn->target;
	if (code_calls_tracer(b->env, b->cfg->entry, i->at, insn)) {
		i->role = CFG_CALL_NEUTRAL;
		return;
	}
	struct idiom_info info = idiom_at(b, insn->target);
	switch (info.idiom) {
	case IDIOM_THUNK:
		i->target = 0;
		i->through = info.reg;
		break;
	case IDIOM_NEUTRAL:
		i->role = CFG_CALL_NEUTRAL;
		break;
	case IDIOM_NO_RETURN:
		i->role = CFG_CALL_LAST;
		break;
	default:
		i->destroys = info.destroys;
	}
}

/* jmp *TABLE(,%reg,8), of addresses: the entries that lie in this function. */
static bool read_table(struct builder *b, uint32_t index, const struct insn_memory *m)
{
	bool any = false;

	for (unsigned n = 0; n < TABLE_MAX; n++) {
		uint64_t at = (uint64_t)m->displacement + n * UINT64_C(8), target;
		if (b->env->read(b->env->ctx, at, &target, sizeof(target)) != READ_OK ||
		    !text_of_target(b, target))
			break;
		jump_to(b, index, target, CFG_EDGE_TABLE);
		any = true;
	}
	return any;
}

static void classify_indirect(struct builder *b, struct cfg_insn *i, uint32_t index)
{
	const struct insn_memory *m = &i->insn.memory;

	i->through = i->insn.target_reg;
	i->role = CFG_TAIL_INDIRECT;
	if (i->through >= 0 || !m->present || m->base >= 0 || m->index < 0 || m->scale != 8)
		return;
	if (read_table(b, index, m))
		i->role = CFG_JUMP;
	else
		lose(b, i, "a jump table is not in the dump");
}

static void classify_jump(struct builder *b, struct cfg_insn *i, uint32_t index)
{
	bool conditional = i->insn.condition != COND_ALWAYS;
	struct idiom_info info;

	if (i->insn.indirect) {
		classify_indirect(b, i, index);
		return;
	}
	i->target = i->insn.target;
	if (text_of_target(b, i->target)) {
		i->role = conditional ? CFG_BRANCH : CFG_JUMP;
		jump_to(b, index, i->target, CFG_EDGE_TAKEN);
		return;
	}
	i->role = conditional ? CFG_BRANCH : CFG_TAIL;
	if (conditional)
		return;
	info = idiom_at(b, i->target);
	if (info.idiom == IDIOM_RETURN_THUNK) {
		i->role = CFG_RETURN;
		i->target = 0;
	} else if (info.idiom == IDIOM_THUNK) {
		i->role = CFG_TAIL_INDIRECT;
		i->through = info.reg;
		i->target = 0;
	}
}

/* What comes behind a call that never returns is padding. */
static bool follows_call(const struct builder *b, uint32_t index)
{
	const struct cfg_insn *last = &b->insns.data[index - 1];

	return last->role == CFG_CALL &&
	       last->at + last->insn.length == b->insns.data[index].at;
}

static void classify(struct builder *b, uint32_t index)
{
	struct cfg_insn *i = &b->insns.data[index];

	switch (i->insn.kind) {
	case INSN_CALL:
		classify_call(b, i);
		break;
	case INSN_JUMP:
		classify_jump(b, i, index);
		break;
	case INSN_RETURN:
		i->role = CFG_RETURN;
		break;
	case INSN_TRAP:
		i->traps_on = i->insn.length == 2 && b->env->trap_goes_on &&
			      b->env->trap_goes_on(b->env->ctx, i->at);
		i->role = i->traps_on ? CFG_PLAIN : CFG_STOP;
		/* A breakpoint that something was patched over, unless it is padding. */
		if (i->insn.length == 1 && !(index && follows_call(b, index)))
			lose(b, i, "a breakpoint was patched into the code");
		break;
	default:
		i->role = i->insn.leaves ? CFG_STOP : CFG_PLAIN;
	}
}

static bool goes_on(const struct cfg_insn *i)
{
	return i->role == CFG_PLAIN || i->role == CFG_CALL || i->role == CFG_CALL_NEUTRAL ||
	       i->role == CFG_BRANCH;
}

/* --- Following. --- */

static void note_fixups(struct builder *b, struct text *t, uint32_t index)
{
	uint64_t at = b->insns.data[index].at;
	size_t low = 0, high = t->fixup_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (t->fixups[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == t->fixup_count || t->fixups[low].at != at)
		return;
	uint64_t target = t->fixups[low].target, length = b->insns.data[index].insn.length;
	b->insns.data[index].fixup = true;
	/* Alone in its block, whose start and end both are of interest. */
	t->leader[at - t->range.start] = 1;
	lead(b, at + length);
	if (text_of_target(b, target))
		jump_to(b, index, target, CFG_EDGE_FIXUP);
}

static bool follow(struct builder *b, uint64_t at)
{
	for (;;) {
		struct text *t = text_at(b, at);
		if (!t)
			return true;
		if (t->insn[at - t->range.start] != NOTHING) {
			t->leader[at - t->range.start] = 1;
			return true;
		}
		if (b->insns.count >= INSNS_MAX) {
			b->why = "the function is too long";
			return false;
		}
		uint32_t index = (uint32_t)b->insns.count;
		struct cfg_insn new = { .at = at, .through = -1 };
		size_t offset = (size_t)(at - t->range.start);
		size_t left = (size_t)(t->range.end - at);
		if (!code_decode(t->bytes + offset, left, at, &new.insn)) {
			lose(b, &new, "there is an instruction that is not known");
			new.insn = (struct insn){ .length = 1, .target_reg = -1 };
			vec_push(&b->insns, new);
			t->insn[offset] = index;
			return true;
		}
		vec_push(&b->insns, new);
		t->insn[offset] = index;
		classify(b, index);
		note_fixups(b, t, index);
		const struct cfg_insn *i = &b->insns.data[index];
		if (i->role == CFG_BRANCH)
			lead(b, at + i->insn.length);
		if (!goes_on(i))
			return true;
		at += i->insn.length;
	}
}

/* --- Blocks. --- */

static bool is_leader(const struct text *t, uint64_t at)
{
	return t->leader[at - t->range.start];
}

/* One block from @at on; its instructions are copied behind the others. */
static void make_block(struct builder *b, struct text *t, uint64_t at, uint32_t *block_of)
{
	struct cfg *cfg = b->cfg;
	struct cfg_block *block = &cfg->blocks[cfg->block_count];

	*block = (struct cfg_block){ .first = cfg->insn_count };
	for (;;) {
		uint32_t index = t->insn[at - t->range.start];
		cfg->insns[cfg->insn_count++] = b->insns.data[index];
		block_of[index] = cfg->block_count;
		block->count++;
		const struct cfg_insn *i = &b->insns.data[index];
		at += i->insn.length;
		if (!goes_on(i) || at >= t->range.end ||
		    t->insn[at - t->range.start] == NOTHING || is_leader(t, at))
			break;
	}
	cfg->block_count++;
}

static int compare_edges(const void *a, const void *b)
{
	const struct cfg_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static bool block_at(struct builder *b, uint64_t at, const uint32_t *block_of, uint32_t *block)
{
	struct text *t = text_at(b, at);

	if (!t || t->insn[at - t->range.start] == NOTHING)
		return false;
	*block = block_of[t->insn[at - t->range.start]];
	return true;
}

static void make_edges(struct builder *b, const uint32_t *block_of)
{
	struct cfg *cfg = b->cfg;
	uint32_t to;

	cfg->edges = xcalloc(b->jumps.count + cfg->block_count, sizeof(*cfg->edges));
	for (size_t i = 0; i < b->jumps.count; i++) {
		const struct jump *j = &b->jumps.data[i];
		if (block_at(b, j->target, block_of, &to))
			cfg->edges[cfg->edge_count++] =
				(struct cfg_edge){ block_of[j->insn], to, j->kind };
	}
	for (uint32_t i = 0; i < cfg->block_count; i++) {
		const struct cfg_block *block = &cfg->blocks[i];
		const struct cfg_insn *last = &cfg->insns[block->first + block->count - 1];
		if (goes_on(last) && block_at(b, last->at + last->insn.length, block_of, &to))
			cfg->edges[cfg->edge_count++] =
				(struct cfg_edge){ i, to, CFG_EDGE_NEXT };
	}
	qsort(cfg->edges, cfg->edge_count, sizeof(*cfg->edges), compare_edges);
	cfg->in = xcalloc((size_t)cfg->edge_count + 1, sizeof(*cfg->in));
	for (uint32_t i = 0; i < cfg->edge_count; i++) {
		struct cfg_block *from = &cfg->blocks[cfg->edges[i].from];
		if (!from->out_count++)
			from->first_out = i;
		cfg->blocks[cfg->edges[i].to].in_count++;
	}
	uint32_t at = 0;
	for (uint32_t i = 0; i < cfg->block_count; i++) {
		cfg->blocks[i].first_in = at;
		at += cfg->blocks[i].in_count;
		cfg->blocks[i].in_count = 0;
	}
	for (uint32_t i = 0; i < cfg->edge_count; i++) {
		struct cfg_block *block = &cfg->blocks[cfg->edges[i].to];
		cfg->in[block->first_in + block->in_count++] = i;
	}
}

static int compare_addresses(const void *a, const void *b, void *ctx)
{
	const uint32_t *x = a, *y = b;
	const struct cfg *cfg = ctx;

	return cfg->insns[*x].at < cfg->insns[*y].at ? -1 : cfg->insns[*x].at > cfg->insns[*y].at;
}

static void make_blocks(struct builder *b)
{
	struct cfg *cfg = b->cfg;
	uint32_t *block_of = xcalloc(b->insns.count, sizeof(*block_of));
	size_t leaders = 0;

	for (unsigned i = 0; i < cfg->range_count; i++) {
		struct text *t = &b->texts[i];
		for (uint64_t at = 0; at < t->range.end - t->range.start; at++) {
			/* A leader may lie behind the code that is there, after a last call. */
			t->leader[at] &= t->insn[at] != NOTHING;
			leaders += t->leader[at];
		}
	}
	cfg->insns = xcalloc(b->insns.count, sizeof(*cfg->insns));
	cfg->blocks = xcalloc(leaders, sizeof(*cfg->blocks));
	for (unsigned i = 0; i < cfg->range_count; i++) {
		struct text *t = &b->texts[i];
		for (uint64_t at = t->range.start; at < t->range.end; at++) {
			if (is_leader(t, at))
				make_block(b, t, at, block_of);
		}
	}
	make_edges(b, block_of);
	free(block_of);
	cfg->sorted = xcalloc(cfg->insn_count, sizeof(*cfg->sorted));
	for (uint32_t i = 0; i < cfg->insn_count; i++)
		cfg->sorted[i] = i;
	qsort_r(cfg->sorted, cfg->insn_count, sizeof(*cfg->sorted), compare_addresses, cfg);
}

/* --- The whole. --- */

/*
 * The function that the moved part @part belongs to: the one that it jumps back to, else (it may
 * end in calls that never return) any of its name, which must then be seen to jump here.
 */
static bool whole_of(const struct code_env *env, const struct symbol *part, struct symbol *whole)
{
	char name[CFG_NAME_MAX];
	const char *end = strstr(part->name, ".cold");

	if (!end || (size_t)(end - part->name) >= sizeof(name))
		return false;
	memcpy(name, part->name, (size_t)(end - part->name));
	name[end - part->name] = '\0';
	for (uint64_t at = part->address; part->size && at < part->address + part->size;) {
		uint8_t bytes[CODE_INSN_MAX];
		size_t left = (size_t)min_u64(sizeof(bytes), part->address + part->size - at);
		struct insn insn;
		if (part->size > CFG_SIZE_MAX || env->read(env->ctx, at, bytes, left) != READ_OK ||
		    !code_decode(bytes, left, at, &insn))
			break;
		if (insn.kind == INSN_JUMP && insn.target &&
		    env->function(env->ctx, insn.target, whole) && strcmp(whole->name, name) == 0)
			return true;
		at += insn.length;
	}
	return env->by_name && env->by_name(env->ctx, name, whole);
}

static bool find_function(struct builder *b, uint64_t pc)
{
	struct symbol symbol;

	b->why = "no function is known there";
	if (!b->env->function(b->env->ctx, pc, &symbol))
		return false;
	b->why = "the function that this part belongs to is not known";
	if (strstr(symbol.name, ".cold") && !whole_of(b->env, &symbol, &symbol))
		return false;
	snprintf(b->cfg->name, sizeof(b->cfg->name), "%s", symbol.name);
	b->cfg->entry = symbol.address;
	return add_range(b, symbol.address, symbol.size);
}

static void builder_deinit(struct builder *b)
{
	for (unsigned i = 0; i < b->cfg->range_count; i++) {
		free(b->texts[i].bytes);
		free(b->texts[i].insn);
		free(b->texts[i].leader);
		free(b->texts[i].fixups);
	}
	vec_deinit(&b->insns);
	vec_deinit(&b->work);
	vec_deinit(&b->jumps);
}

bool cfg_create(const struct code_env *env, uint64_t pc, struct cfg **out, const char **why)
{
	struct builder b = { .env = env, .cfg = xcalloc(1, sizeof(*b.cfg)) };
	bool ok = find_function(&b, pc);

	if (ok) {
		lead(&b, b.cfg->entry);
		while (ok && b.work.count)
			ok = follow(&b, b.work.data[--b.work.count]);
	}
	if (ok && b.insns.count)
		make_blocks(&b);
	if (ok && (pc < b.cfg->entry || !text_at(&b, pc))) {
		b.why = "the function that this part belongs to is not known";
		ok = text_at(&b, pc) != NULL;
	}
	builder_deinit(&b);
	if (!ok) {
		*why = b.why;
		cfg_destroy(b.cfg);
		b.cfg = NULL;
	}
	*out = b.cfg;
	return ok;
}

void cfg_destroy(struct cfg *cfg)
{
	if (!cfg)
		return;
	free(cfg->insns);
	free(cfg->blocks);
	free(cfg->edges);
	free(cfg->in);
	free(cfg->sorted);
	free(cfg);
}

bool cfg_find(const struct cfg *cfg, uint64_t at, uint32_t *insn)
{
	uint32_t low = 0, high = cfg->insn_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (cfg->insns[cfg->sorted[middle]].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == cfg->insn_count || cfg->insns[cfg->sorted[low]].at != at)
		return false;
	*insn = cfg->sorted[low];
	return true;
}

bool cfg_find_end(const struct cfg *cfg, uint64_t end, uint32_t *insn)
{
	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		if (cfg->insns[i].at + cfg->insns[i].insn.length == end) {
			*insn = i;
			return true;
		}
	}
	return false;
}

uint32_t cfg_block_of(const struct cfg *cfg, uint32_t insn)
{
	uint32_t low = 0, high = cfg->block_count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;
		if (cfg->blocks[middle].first <= insn)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool cfg_jump_leaves(const struct cfg *cfg, const struct cfg_insn *jump)
{
	if (jump->role != CFG_BRANCH)
		return jump->role == CFG_TAIL;
	/* Of a branch that stays in the function the target is its own. */
	for (unsigned n = 0; n < cfg->range_count; n++) {
		if (jump->target >= cfg->ranges[n].start && jump->target < cfg->ranges[n].end)
			return false;
	}
	return true;
}

bool cfg_has_tail_call(const struct cfg *cfg, uint64_t target)
{
	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		if (cfg->insns[i].target == target &&
		    (cfg->insns[i].role == CFG_TAIL || cfg->insns[i].role == CFG_BRANCH))
			return true;
	}
	return false;
}
