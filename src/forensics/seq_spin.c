// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * read_seqbegin() is inlined everywhere (include/linux/seqlock.h): a loop that loads 4 bytes, tests
 * their lowest bit and pauses. No function's name tells of it, so the loop around the instruction
 * that was caught is looked at: it must be small, call nothing, load a word, test it for 1 and
 * pause. The registers that were caught give the word's address, and the word must be odd still.
 */
#include "forensics/seq_spin.h"

#include "base/strbuf.h"
#include "code/cfg.h"
#include "forensics/caught.h"
#include "kernel/code_env.h"

enum { PATH_MAX_BLOCKS = 5, LOOP_INSNS_MAX = 16, WAYS_MAX = 4 };

struct path {
	uint32_t blocks[PATH_MAX_BLOCKS];
	unsigned count;
};

static bool is_pause(struct session *s, const struct cfg_insn *insn)
{
	uint8_t bytes[2];

	return insn->insn.length == sizeof(bytes) &&
	       memory_read(s->memory, insn->at, bytes, sizeof(bytes)) == READ_OK &&
	       bytes[0] == 0xf3 && bytes[1] == 0x90; /* Intel SDM vol. 2, PAUSE */
}

static bool tests_for_one(const struct insn *insn, int *reg)
{
	bool fits = insn->does == INSN_DOES_TEST && insn->operand_count == 2 &&
		    insn->operand[1].kind == OPERAND_IMMEDIATE && insn->operand[1].value == 1;

	*reg = fits && insn->operand[0].kind == OPERAND_REGISTER ? insn->operand[0].reg : -1;
	return fits && insn->operand[0].kind != OPERAND_OTHER;
}

static bool loads_word(const struct insn *insn)
{
	return insn->memory.present && insn->memory.read && !insn->memory.write &&
	       insn->memory.size == sizeof(uint32_t) && !insn->memory.per_cpu;
}

/* What the loop reads and tests; false: it is no such loop. */
static bool find_word(struct session *s, const struct cfg *cfg, const struct path *path,
		      const struct regs *regs, uint64_t *address)
{
	const struct cfg_insn *load = NULL;
	bool pauses = false, tests = false;
	uint64_t written = 0;
	unsigned count = 0;
	int tested = -1;

	for (unsigned b = 0; b < path->count; b++) {
		const struct cfg_block *block = &cfg->blocks[path->blocks[b]];
		for (uint32_t i = block->first; i < block->first + block->count; i++) {
			const struct cfg_insn *insn = &cfg->insns[i];
			int reg;
			if (insn->role == CFG_CALL || insn->insn.memory.write ||
			    ++count > LOOP_INSNS_MAX)
				return false;
			pauses |= is_pause(s, insn);
			written |= insn->insn.writes;
			if (tests_for_one(&insn->insn, &reg)) {
				tests = true;
				tested = reg;
			}
			if (loads_word(&insn->insn))
				load = load ? load : insn;
		}
	}
	if (!pauses || !tests || !load)
		return false;
	const struct insn *insn = &load->insn;
	bool direct = insn->does == INSN_DOES_TEST;
	if (!direct && (insn->does != INSN_DOES_MOVE || insn->operand[0].kind != OPERAND_REGISTER ||
			insn->operand[0].reg != tested))
		return false;
	/* Registers of its address stay as they are in the loop, or what was caught tells nothing. */
	if ((insn->memory.base >= 0 && written >> insn->memory.base & 1) ||
	    (insn->memory.index >= 0 && written >> insn->memory.index & 1))
		return false;
	return code_memory_address(&insn->memory, regs, address);
}

struct search {
	struct session *s;
	const struct cfg *cfg;
	const struct regs *regs;
	uint64_t address;
};

static bool is_odd(struct session *s, uint64_t address)
{
	uint32_t word;

	return s->arch->is_kernel_address(address) &&
	       memory_u32(s->memory, address, &word) == READ_OK && word & 1;
}

/* Any way from the path's last block back to its first that is such a loop. */
static bool find_loop(struct search *x, struct path *path)
{
	const struct cfg_block *last = &x->cfg->blocks[path->blocks[path->count - 1]];

	/* A jump table: tables that lead to each other, as in the BPF interpreter, have no end. */
	if (last->out_count > WAYS_MAX)
		return false;
	for (uint32_t e = 0; e < last->out_count; e++) {
		if (x->cfg->edges[last->first_out + e].to == path->blocks[0] &&
		    find_word(x->s, x->cfg, path, x->regs, &x->address))
			return is_odd(x->s, x->address);
	}
	for (uint32_t e = 0; e < last->out_count && path->count < PATH_MAX_BLOCKS; e++) {
		path->blocks[path->count++] = x->cfg->edges[last->first_out + e].to;
		if (find_loop(x, path))
			return true;
		path->count--;
	}
	return false;
}

bool seq_spin_find(struct session *s, const struct stack *stack, uint64_t *address, size_t *frame)
{
	size_t at = stack_busy_at(s, stack, SIZE_MAX);
	const char *why;
	uint32_t insn;

	if (at >= stack->count || (at && !stack->frames[at].has_regs))
		return false;
	const struct frame *f = &stack->frames[at];
	const struct cfg *cfg = code_cfg(s, f->pc, &why);
	if (!cfg || !cfg_find(cfg, f->pc, &insn))
		return false;
	struct search x = { .s = s, .cfg = cfg, .regs = &f->regs };
	struct path path = { .blocks = { cfg_block_of(cfg, insn) }, .count = 1 };
	if (!find_loop(&x, &path))
		return false;
	*address = x.address;
	*frame = at;
	return true;
}
