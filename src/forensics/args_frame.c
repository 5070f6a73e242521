// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One frame's function, followed up to the call that the frame is in or the instruction that it is
 * at, and all that is certain of it there:
 *
 * - its registers: all of them where an exception saved them, else those that calls preserve;
 * - its stack slots, as it has not returned and nobody else may write them (code/flow.h);
 * - what user space came in with: the kernel reads it, but for the result does not write it;
 * - the pointer to the current task, which is the stack's task; constants in read-only memory.
 */
#include "forensics/args_frame.h"

#include <string.h>

#include "kernel/cpu_state.h"

/* struct pt_regs: rax gets the result of a system call; arch/x86/entry/calling.h */
enum { PT_REGS_RAX = 80 };

void args_find_stable(struct args_run *run)
{
	struct session *s = run->session;
	const struct task *task = run->task;
	uint64_t size = cpu_thread_size(s), offset;

	if (task && task->stack && run->stack->end == STACK_END_USER) {
		uint64_t at = task->stack + size - s->arch->pt_regs_size;
		uint8_t bytes[512];
		struct regs regs = { 0 };
		/* It must be what the walk found at the stack's end. */
		if (s->arch->pt_regs_size <= sizeof(bytes) &&
		    memory_read(s->memory, at, bytes, s->arch->pt_regs_size) == READ_OK) {
			s->arch->pt_regs(bytes, &regs);
			if (regs.value[s->arch->pc] == run->stack->user_regs.value[s->arch->pc] &&
			    regs.value[s->arch->sp] == run->stack->user_regs.value[s->arch->sp])
				run->user_regs = at;
		}
	}
	run->current = symbols_address(s->symbols, "current_task");
	if (!run->current && koffset(s, "pcpu_hot", "current_task", &offset)) {
		run->current = symbols_address(s->symbols, "pcpu_hot");
		if (run->current)
			run->current += offset;
	}
}

bool args_stable(void *ctx, uint64_t address, unsigned size)
{
	const struct args_run *run = ctx;
	uint64_t in_regs = address - run->user_regs;
	struct symbol symbol;

	if (run->user_regs && in_regs + size <= run->session->arch->pt_regs_size)
		return in_regs + size <= PT_REGS_RAX || in_regs >= PT_REGS_RAX + 8;
	return symbols_by_address(run->session->symbols, address, &symbol) &&
	       (symbol.type == 'r' || symbol.type == 'R') && symbol.size &&
	       address - symbol.address < symbol.size;
}

/* The pointer to the current task, wherever the code reads it. */
static void know_current(struct args_run *run, struct flow *flow, struct flow_facts *facts)
{
	struct flow_value v = { .value = run->task ? run->task->address : 0,
				.bits = 64,
				.source = FLOW_FROM_OUTSIDE,
				.reg = -1 };

	if (!run->current || !v.value)
		return;
	for (flow_id id = 1; id < flow_node_count(flow); id++) {
		const struct flow_node *n = flow_node(flow, id);
		if (n->kind == FLOW_PER_CPU && n->size == 8 &&
		    flow_node(flow, n->a)->kind == FLOW_CONSTANT &&
		    flow_node(flow, n->a)->value == run->current)
			flow_know(facts, id, &v);
	}
}

static struct flow_facts *facts_of(struct args_run *run, const struct frame_flow *f,
				   struct flow *flow, const struct regs *regs, bool *ok)
{
	struct flow_facts *facts = flow_facts_create(code_env(run->session), flow);

	flow_facts_set_stable(facts, args_stable, run);
	flow_know_frame(facts, regs, f->entry_sp);
	know_current(run, flow, facts);
	*ok = flow_solve(facts);
	return facts;
}

/* Registers as they were at the address, as far as they are certain. */
static struct regs regs_at(const struct args_run *run, const struct frame *frame)
{
	const struct arch *arch = run->session->arch;
	struct regs regs = frame->regs;

	if (!frame->is_call)
		return regs;
	regs.known &= arch->preserved;
	/* Inline assembly may have switched to another stack, which the code cannot count. */
	regs_forget(&regs, arch->sp);
	return regs;
}

static bool find_place(struct args_run *run, struct frame_flow *f, size_t index)
{
	const struct frame *frame = &run->stack->frames[index];
	uint64_t pc = frame->pc - frame->is_call;

	f->why = "the frame is a guess";
	if (frame->how == FRAME_SCAN)
		return false;
	f->cfg = code_cfg(run->session, pc, &f->why);
	if (!f->cfg)
		return false;
	f->is_call = frame->is_call;
	f->why = "no instruction begins there";
	if (!f->is_call)
		return f->at = frame->pc, cfg_find(f->cfg, frame->pc, &f->insn);
	if (!cfg_find_end(f->cfg, frame->pc, &f->insn) ||
	    f->cfg->insns[f->insn].insn.kind != INSN_CALL)
		return false;
	f->at = f->cfg->insns[f->insn].at;
	return true;
}

void frame_flow_open(struct args_run *run, size_t index)
{
	const struct stack *stack = run->stack;
	struct frame_flow *f = &run->frames[index];
	struct regs regs = regs_at(run, &stack->frames[index]);
	struct flow *sharper;
	const char *why;
	bool ok;

	if (!find_place(run, f, index))
		return;
	if (index + 1 < stack->count && stack->frames[index + 1].is_call &&
	    !stack->frames[index + 1].has_regs && stack->frames[index + 1].how != FRAME_SCAN)
		f->entry_sp = stack->frames[index + 1].retaddr_at;
	else if (f->is_call)
		regs_set(&regs, run->session->arch->sp, stack->frames[index].sp);
	if (!flow_create(code_env(run->session), f->cfg, f->at, NULL, &f->flow, &f->why))
		return;
	f->facts = facts_of(run, f, f->flow, &regs, &f->usable);
	f->why = f->usable ? NULL : "what is known of it contradicts itself";
	/* Once more, without the branches that this rules out. */
	if (!f->usable ||
	    !flow_create(code_env(run->session), f->cfg, f->at, f->facts, &sharper, &why))
		return;
	struct flow_facts *facts = facts_of(run, f, sharper, &regs, &ok);
	if (!ok) {
		flow_facts_destroy(facts);
		flow_destroy(sharper);
		return;
	}
	flow_facts_destroy(f->facts);
	flow_destroy(f->flow);
	f->flow = sharper;
	f->facts = facts;
}

void frame_flow_close(struct frame_flow *f)
{
	flow_facts_destroy(f->facts);
	flow_destroy(f->flow);
	*f = (struct frame_flow){ 0 };
}

void frame_flow_give_back(struct args_run *run, size_t index)
{
	struct frame_flow *f = &run->frames[index];
	struct frame *caller = &run->stack->frames[index + 1];
	const struct arch *arch = run->session->arch;
	struct flow_value v;

	if (!f->usable)
		return;
	for (unsigned reg = 0; reg < arch->reg_count; reg++) {
		if (!(arch->preserved >> reg & 1) || reg == arch->sp ||
		    regs_known(&caller->regs, reg))
			continue;
		if (flow_eval(f->facts, flow_entry(f->flow, reg), false, &v) && v.bits == 64)
			regs_set(&caller->regs, reg, v.value);
	}
}
