// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values on entry of a function: what its caller passed, by the debug file's description of the
 * call (DW_TAG_call_site, DWARF 5, 3.4; before, GNU's), computed from the registers that the
 * caller's frame still has.
 *
 * The description is of a call that the caller made, which is of this function only if nothing lies
 * between: a function that was called and jumped on to this one as its last act ("tail call") has
 * left no frame. So the target of the call must be known: a direct call's from its instruction, one
 * through a pointer from the pointer, read again where the instructions before the call had it from
 * (if that yields the very function that has the frame, it is no accident). Where the target is
 * another function which tail-calls this one in one place only, its description of that call is
 * taken, in terms of its own values on entry. Otherwise the value is not known.
 *
 * System calls are called through a table, or by a function with a jump to each of them
 * (x64_sys_call(), since 6.9 and in stable kernels), by a number that is in the registers of user
 * space: that entry of the table is believed if it is the function that has the frame, or ends in
 * it.
 */
#include <dwarf.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "code/code.h"
#include "unwind/var_frame.h"

enum { NESTING_MAX = 24, INSNS_MAX = 24, LOADS_MAX = 6, FUNCTION_MAX = 1 << 16 };

/* GNU's numbers before DWARF 5: elfutils' dwarf.h, DW_TAG_GNU_call_site ... */
static bool is_call_site(int tag)
{
	return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

static bool no_value(struct expr_trouble *trouble, const char *why)
{
	*trouble = (struct expr_trouble){ .status = EXPR_NO_ENTRY_VALUE, .why = why };
	return false;
}

/* --- Where the call went. --- */

/* The machine instructions before a call, to find where it had its pointer from. */
struct before_call {
	const struct unwind_env *env;
	const struct regs *regs; /* of the caller */
	uint8_t code[INSNS_MAX][CODE_INSN_MAX];
	uint8_t length[INSNS_MAX];
	uint64_t at[INSNS_MAX];
	unsigned count;
	unsigned loads;
};

static bool gather(struct before_call *b, uint64_t function, uint64_t call)
{
	uint64_t at = function;
	struct insn insn;
	uint8_t code[CODE_INSN_MAX];

	if (call < function || call - function > FUNCTION_MAX)
		return false;
	while (at < call) {
		size_t have = (size_t)min_u64(sizeof(code), call - at);
		if (b->env->read(b->env->ctx, at, code, have) != READ_OK ||
		    !code_decode(code, have, at, &insn) || !insn.length)
			return false;
		if (b->count == INSNS_MAX) {
			memmove(b->code[0], b->code[1], sizeof(b->code) - sizeof(b->code[0]));
			memmove(b->length, b->length + 1, sizeof(b->length) - 1);
			memmove(b->at, b->at + 1, sizeof(b->at) - sizeof(b->at[0]));
			b->count--;
		}
		memcpy(b->code[b->count], code, have);
		b->length[b->count] = insn.length;
		b->at[b->count++] = at;
		at += insn.length;
	}
	return at == call;
}

/* Hardware numbers of registers -> DWARF's. */
static const uint8_t dwarf_register[16] = {
	X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
	X86_R8,  X86_R9,  X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
};

static bool register_before(struct before_call *b, unsigned insn, unsigned reg, uint64_t *value);

/*
 * The address of a ModRM memory operand (Intel SDM volume 2, table 2-2) without an index; @modrm
 * points at its first byte, @next is the address behind the instruction.
 */
static bool operand_address(struct before_call *b, unsigned insn, uint8_t rex, const uint8_t *modrm,
			    size_t size, uint64_t next, uint64_t *address)
{
	unsigned mod = modrm[0] >> 6, rm = modrm[0] & 7;
	size_t disp_at = 1;
	uint64_t base = 0;

	if (mod == 3)
		return false;
	if (rm == 4) {
		if (size < 2 || (modrm[1] >> 3 & 7) != 4 || rex & 2)
			return false; /* an index */
		rm = modrm[1] & 7;
		disp_at = 2;
		if (mod == 0 && rm == 5)
			return false;
	} else if (mod == 0 && rm == 5) {
		if (size < 5)
			return false;
		*address = next + (uint64_t)(int64_t)(int32_t)load_u32(modrm + 1);
		return true;
	}
	if (!register_before(b, insn, dwarf_register[rm | (rex & 1u) << 3], &base))
		return false;
	if (mod == 1 && size > disp_at)
		base += (uint64_t)(int64_t)(int8_t)modrm[disp_at];
	else if (mod == 2 && size >= disp_at + 4)
		base += (uint64_t)(int64_t)(int32_t)load_u32(modrm + disp_at);
	else if (mod)
		return false;
	*address = base;
	return true;
}

/*
 * What @reg may have held before instruction @insn: what it has in the caller's frame, if that
 * knows it, else what the nearest mov above put into it. That it was written in between, and by
 * other instructions, is left out, as only a target that fits is believed.
 */
static bool register_before(struct before_call *b, unsigned insn, unsigned reg, uint64_t *value)
{
	if (regs_known(b->regs, reg)) {
		*value = b->regs->value[reg];
		return true;
	}
	for (unsigned i = insn; i-- > 0;) {
		const uint8_t *c = b->code[i];
		uint64_t address;
		/* mov r64, r/m64: REX.W 8b /r; mov r/m64, r64: REX.W 89 /r */
		if (b->length[i] < 3 || (c[0] & 0xf8) != 0x48)
			continue;
		unsigned r = dwarf_register[(c[2] >> 3 & 7) | (c[0] & 4u) << 1];
		unsigned rm = dwarf_register[(c[2] & 7) | (c[0] & 1u) << 3];
		if (c[1] == 0x89 && c[2] >> 6 == 3 && rm == reg)
			return register_before(b, i, r, value);
		if (c[1] != 0x8b || r != reg)
			continue;
		if (c[2] >> 6 == 3)
			return register_before(b, i, rm, value);
		return b->loads++ < LOADS_MAX &&
		       operand_address(b, i, c[0], c + 2, b->length[i] - 2u,
				       b->at[i] + b->length[i], &address) &&
		       env_u64(b->env, address, value) == READ_OK;
	}
	return false;
}

/* The register that a retpoline jumps through: __x86_indirect_thunk_rax, or one of the array. */
static int thunk_register(const struct unwind_env *env, uint64_t target)
{
	/* RETPOLINE_THUNK_SIZE and ITS_THUNK_SIZE, arch/x86/include/asm/nospec-branch.h */
	static const struct {
		const char *prefix;
		unsigned size;
	} kinds[] = { { "__x86_indirect_thunk_", 32 }, { "__x86_indirect_its_thunk_", 64 } };
	struct symbol symbol;

	if (!env->function(env->ctx, target, &symbol))
		return -1;
	for (size_t kind = 0; kind < array_size(kinds); kind++) {
		const char *name = symbol.name + strlen(kinds[kind].prefix);
		uint64_t number = (target - symbol.address) / kinds[kind].size;
		if (!starts_with(symbol.name, kinds[kind].prefix))
			continue;
		for (unsigned i = 0; i < env->arch->reg_count && i < 16; i++) {
			if (strcmp(name, env->arch->reg_names[i]) == 0)
				return (int)i;
		}
		return strcmp(name, "array") == 0 && number < 16 ? dwarf_register[number] : -1;
	}
	return -1;
}

/*
 * The target of the call that returns to @caller, and the register that it went through (-1: none);
 * false: not known.
 */
static bool call_target(const struct var_frame *caller, uint64_t *target, int *through)
{
	const struct unwind_env *env = &caller->query->unwinder->env;
	const struct frame *frame = &caller->query->stack->frames[caller->index];
	uint64_t pc = frame->pc;
	struct before_call b = { .env = env, .regs = &frame->regs };
	struct symbol symbol;
	uint8_t code[8];
	int reg = -1;

	*through = -1;

	if (pc < sizeof(code) || !env->function(env->ctx, pc - 1, &symbol) ||
	    env->read(env->ctx, pc - sizeof(code), code, sizeof(code)) != READ_OK)
		return false;
	if (code[3] == 0xe8) {
		*target = pc + (uint64_t)(int64_t)(int32_t)load_u32(code + 4);
		*through = reg = thunk_register(env, *target);
		if (reg < 0)
			return true;
		if (gather(&b, symbol.address, pc - 5) ||
		    (b.count = b.loads = 0, gather(&b, symbol.address, pc - 6)))
			return register_before(&b, b.count, (unsigned)reg, target);
		return false;
	}
	/* call *r64: [41] ff /2; call *disp8(r64): [41] ff /2 disp8 */
	for (size_t length = 2; length <= 7; length++) {
		const uint8_t *c = code + sizeof(code) - length;
		uint8_t rex = c[-1] == 0x41 ? 0x41 : 0x40;
		uint64_t address;
		if (c[0] != 0xff || (c[1] >> 3 & 7) != 2)
			continue;
		b.count = b.loads = 0;
		if (!gather(&b, symbol.address, pc - length - (rex & 1)))
			continue;
		if (c[1] >> 6 == 3) {
			*through = reg = dwarf_register[(c[1] & 7) | (rex & 1u) << 3];
			return register_before(&b, b.count, (unsigned)reg, target);
		}
		return operand_address(&b, b.count, rex, c + 1, length - 1, pc, &address) &&
		       env_u64(env, address, target) == READ_OK;
	}
	return false;
}

/* --- The description of the call. --- */

static bool address_attr(Dwarf_Die *die, unsigned name, uint64_t *value)
{
	Dwarf_Attribute attr;
	Dwarf_Addr address;

	if (!dwarf_attr(die, name, &attr) || dwarf_formaddr(&attr, &address) != 0)
		return false;
	*value = address;
	return true;
}

/*
 * The call site that returns to @pc. Calls through thunks may have been patched to shorter ones,
 * with nothing behind them (arch/x86/kernel/alternative.c, patch_retpoline()): they return up to
 * four bytes before where the debug file says.
 */
static void find_site(struct var_frame *f, Dwarf_Die *parent, uint64_t pc, unsigned depth,
		      Dwarf_Die *site, uint64_t *distance)
{
	enum { SHORTER_MAX = 4 };
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);
		uint64_t at;
		if (is_call_site(tag)) {
			unsigned name =
				tag == DW_TAG_call_site ? DW_AT_call_return_pc : DW_AT_low_pc;
			if (address_attr(&die, name, &at) && at >= pc && at - pc <= SHORTER_MAX &&
			    at - pc < *distance) {
				*site = die;
				*distance = at - pc;
			}
		} else if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
			   (!var_has_range(&die) || var_covers(f, &die))) {
			find_site(f, &die, pc, depth + 1, site, distance);
		}
	} while (var_next(f->query, &die));
}

struct wanted {
	const uint8_t *expr; /* the place in terms of the callee */
	size_t size;
	Dwarf_Die *parameter; /* or, the parameter itself */
};

static bool is_wanted(struct var_frame *caller, Dwarf_Die *die, const struct wanted *wanted)
{
	Dwarf_Attribute attr;
	Dwarf_Die parameter;
	const uint8_t *expr;
	size_t size;

	if (wanted->parameter)
		return (dwarf_attr(die, DW_AT_call_parameter, &attr) ||
			dwarf_attr(die, DW_AT_abstract_origin, &attr)) &&
		       dwarf_formref_die(&attr, &parameter) &&
		       parameter.addr == wanted->parameter->addr;
	return dwarf_attr(die, DW_AT_location, &attr) &&
	       var_frame_expr(caller, &attr, &expr, &size) && size == wanted->size &&
	       memcmp(expr, wanted->expr, size) == 0;
}

/* The value that @site passes, in the frame that made the call. */
static bool site_value(struct var_frame *caller, Dwarf_Die *site, const struct wanted *wanted,
		       uint64_t *value, struct expr_trouble *trouble)
{
	Dwarf_Die die;

	if (dwarf_child(site, &die) != 0)
		return no_value(trouble, "the debug file does not say what the caller passed");
	do {
		int tag = dwarf_tag(&die);
		Dwarf_Attribute attr;
		const uint8_t *expr;
		size_t size;
		if ((tag != DW_TAG_call_site_parameter && tag != DW_TAG_GNU_call_site_parameter) ||
		    !is_wanted(caller, &die, wanted))
			continue;
		if ((!dwarf_attr(&die, DW_AT_call_value, &attr) &&
		     !dwarf_attr(&die, DW_AT_GNU_call_site_value, &attr)) ||
		    !var_frame_expr(caller, &attr, &expr, &size))
			break;
		return expr_value(&caller->env, expr, size, NULL, value, trouble);
	} while (var_next(caller->query, &die));
	return no_value(trouble, "the debug file does not say what the caller passed");
}

/* --- Tail calls. --- */

static Dwarf_Die origin_of(Dwarf_Die *die)
{
	Dwarf_Die at = *die, next;
	Dwarf_Attribute attr;

	for (unsigned i = 0; i < 4 &&
			     (dwarf_attr(&at, DW_AT_abstract_origin, &attr) ||
			      dwarf_attr(&at, DW_AT_specification, &attr)) &&
			     dwarf_formref_die(&attr, &next);
	     i++)
		at = next;
	return at;
}

/* Does the call site @site call the function @callee, by what the debug file says? */
static bool calls(Dwarf_Die *site, Dwarf_Die *callee)
{
	Dwarf_Attribute attr;
	Dwarf_Die named, root = origin_of(callee);

	if ((!dwarf_attr(site, DW_AT_call_origin, &attr) &&
	     !dwarf_attr(site, DW_AT_abstract_origin, &attr)) ||
	    !dwarf_formref_die(&attr, &named))
		return false;
	Dwarf_Die named_root = origin_of(&named);
	const char *a = dwarf_diename(&named_root), *b = dwarf_diename(&root);
	return named_root.addr == root.addr ||
	       (a && b && strcmp(a, b) == 0 && dwarf_hasattr(&named_root, DW_AT_external) &&
		dwarf_hasattr(&root, DW_AT_external));
}

struct tail_calls {
	struct var_query *query;
	Dwarf_Die *callee;
	Dwarf_Die site;
	unsigned count; /* of the callee */
	bool others;    /* through pointers, or of what is not named */
};

static void find_tail_calls(Dwarf_Die *parent, unsigned depth, struct tail_calls *found)
{
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);
		if (is_call_site(tag) && (dwarf_hasattr(&die, DW_AT_call_tail_call) ||
					  dwarf_hasattr(&die, DW_AT_GNU_tail_call))) {
			if (calls(&die, found->callee)) {
				found->site = die;
				found->count++;
			} else if (!dwarf_hasattr(&die, DW_AT_call_origin) &&
				   !dwarf_hasattr(&die, DW_AT_abstract_origin)) {
				found->others = true;
			}
		} else if (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) {
			find_tail_calls(&die, depth + 1, found);
		}
	} while (var_next(found->query, &die));
}

static uint64_t entry_address(struct var_frame *f)
{
	Dwarf_Addr base, start, end;

	if (dwarf_entrypc(&f->function, &start) == 0)
		return start + f->bias;
	/* Split functions have ranges only; the first is the one that is entered. */
	if (dwarf_ranges(&f->function, 0, &base, &start, &end) > 0)
		return start + f->bias;
	return 0;
}

/* Offsets in x86-64's pt_regs: arch/x86/entry/calling.h */
enum { PT_REGS_ORIG_RAX = 120, PT_REGS_CS = 136, SYSTEM_CALLS_MAX = 1024 };

/* The system call that user space asked for, when @site in @caller passes on its registers. */
static bool system_call(struct var_frame *caller, Dwarf_Die *site, uint64_t *target)
{
	const struct unwind_env *env = &caller->query->unwinder->env;
	static const uint8_t place = DW_OP_reg5; /* rdi */
	struct wanted wanted = { .expr = &place, .size = 1 };
	uint64_t table = env->symbol(env->ctx, "sys_call_table"), regs, number, cs;
	struct expr_trouble trouble;

	return table && site_value(caller, site, &wanted, &regs, &trouble) &&
	       env_u64(env, regs + PT_REGS_CS, &cs) == READ_OK && (cs & 3) == 3 &&
	       env_u64(env, regs + PT_REGS_ORIG_RAX, &number) == READ_OK &&
	       number < SYSTEM_CALLS_MAX && env_u64(env, table + number * 8, target) == READ_OK &&
	       env->is_text(env->ctx, *target);
}

/* The same where the call went through a pointer that is lost. */
static bool lost_system_call(struct var_frame *caller, Dwarf_Die *site, uint64_t *target)
{
	const char *name = dwarf_diename(&caller->function);

	return name && strcmp(name, "do_syscall_64") == 0 && system_call(caller, site, target);
}

/* What the code of @gone, entered at @entry, had in a register when it jumped on to @f's function.
 */
static bool jump_value(struct var_frame *f, struct var_frame *gone, uint64_t entry,
		       const struct wanted *wanted, uint64_t *value)
{
	const struct unwind_env *env = &f->query->unwinder->env;
	struct expr_trouble trouble;
	struct var_load load;
	uint8_t place;

	if (!wanted->expr || wanted->size != 1 || wanted->expr[0] < DW_OP_reg0 ||
	    wanted->expr[0] > DW_OP_reg15 ||
	    !var_at_jump(gone, entry, entry_address(f), wanted->expr[0] - DW_OP_reg0, &load))
		return false;
	place = (uint8_t)(DW_OP_reg0 + load.base);
	if (!var_entry_value(gone, &place, 1, value, &trouble))
		return false;
	if (!load.size)
		return true;
	uint64_t address = *value + (uint64_t)load.displacement;
	f->query->reads_elsewhere = true;
	*value = 0;
	return env->read(env->ctx, address, value, load.size) == READ_OK;
}

/* The call that a frame's caller made. */
struct call {
	struct var_frame *caller;
	Dwarf_Die *site;
	uint64_t target;
};

/* The function at @call's target was called, and went on to @f's by its last act. */
static bool tail_value(struct var_frame *f, const struct call *call, const struct wanted *wanted,
		       uint64_t *value, struct expr_trouble *trouble)
{
	struct tail_calls found = { .query = f->query, .callee = &f->function };
	uint64_t entry = call->target, next;
	struct var_frame gone;

	if (!var_frame_open_gone(f, call->target, &gone) || entry_address(&gone) != call->target)
		return no_value(trouble, "the function that the caller called is not known");
	find_tail_calls(&gone.function, 0, &found);
	if ((found.count != 1 || found.others) && system_call(call->caller, call->site, &next) &&
	    next != call->target && var_hands_over(&gone, call->target, next)) {
		/* It chose among the system calls. */
		if (!var_frame_open_gone(f, next, &gone) || entry_address(&gone) != next)
			return no_value(trouble, "the system call's function is not known");
		entry = next;
		found = (struct tail_calls){ .query = f->query, .callee = &f->function };
		find_tail_calls(&gone.function, 0, &found);
	}
	if (found.count != 1 || found.others)
		return no_value(trouble, "a tail call lies between, and which one is not certain");
	return site_value(&gone, &found.site, wanted, value, trouble) ||
	       jump_value(f, &gone, entry, wanted, value);
}

/* --- Values on entry. --- */

/* Where the call that returns to @pc begins; 0 when no call ends there. */
static uint64_t call_start(const struct unwind_env *env, uint64_t pc)
{
	uint8_t code[7];

	if (pc < sizeof(code) ||
	    env->read(env->ctx, pc - sizeof(code), code, sizeof(code)) != READ_OK)
		return 0;
	if (code[2] == 0xe8)
		return pc - 5;
	if (code[5] == 0xff && code[6] >> 3 == (0xd0 >> 3))
		return pc - 2;
	return 0;
}

/* The register still had at the frame's call what the frame's function was entered with. */
static bool passed_on(struct var_frame *f, unsigned reg, uint64_t *value,
		      struct expr_trouble *trouble)
{
	const struct unwind_env *env = &f->query->unwinder->env;
	uint64_t pc = f->query->stack->frames[f->index].pc, start = call_start(env, pc);
	uint8_t place = (uint8_t)(DW_OP_reg0 + reg);

	return !f->gone && start && reg < 16 &&
	       var_untouched(f, entry_address(f), start, pc, reg) &&
	       var_entry_value(f, &place, 1, value, trouble);
}

static bool passed(struct var_frame *f, const struct wanted *wanted, uint64_t *value,
		   struct expr_trouble *trouble)
{
	const struct stack *stack = f->query->stack;
	uint64_t target = 0, distance = UINT64_MAX;
	struct var_frame caller;
	Dwarf_Die site;
	int through;

	if (f->depth >= VAR_DEPTH_MAX || !f->query->budget)
		return no_value(trouble, "it leads too far up the stack");
	f->query->budget--;
	if (f->index + 1 >= stack->count)
		return no_value(trouble, "the stack ends here");
	const struct frame *frame = &stack->frames[f->index + 1];
	if (!frame->is_call || !frame->retaddr_at || frame->has_regs || frame->how == FRAME_SCAN)
		return no_value(trouble, "the caller is not certain");
	if (!var_frame_open(f->query, f->index + 1, f->depth + 1, &caller))
		return no_value(trouble, "the caller has no debug information");
	find_site(&caller, &caller.function, frame->pc - caller.bias, 0, &site, &distance);
	if (distance == UINT64_MAX)
		return no_value(trouble, "the debug file does not describe the call");
	if (!f->gone && !call_target(&caller, &target, &through) &&
	    !lost_system_call(&caller, &site, &target))
		return no_value(trouble, "the call went through a pointer that is lost");
	struct call call = { .caller = &caller, .site = &site, .target = target };
	if (!f->gone && target != entry_address(f))
		return tail_value(f, &call, wanted, value, trouble);
	if (site_value(&caller, &site, wanted, value, trouble))
		return true;
	struct expr_trouble why = *trouble;
	if (wanted->expr && wanted->size == 1 && wanted->expr[0] >= DW_OP_reg0 &&
	    wanted->expr[0] <= DW_OP_reg31 &&
	    passed_on(&caller, wanted->expr[0] - DW_OP_reg0, value, trouble))
		return true;
	*trouble = why;
	return false;
}

bool var_register_at_call(struct var_frame *f, unsigned reg, uint64_t *value)
{
	uint8_t place = (uint8_t)(DW_OP_reg0 + reg);
	struct wanted wanted = { .expr = &place, .size = 1 };
	uint64_t distance = UINT64_MAX, target;
	struct expr_trouble trouble;
	struct var_frame callee;
	bool found = false;
	Dwarf_Die site;
	int through;

	if (f->gone || reg >= 16 || f->depth >= VAR_DEPTH_MAX || !f->query->budget)
		return false;
	f->query->budget--;
	/* What is known of the call itself must not be asked for by its own registers. */
	f->at_call = false;
	f->depth++;
	find_site(f, &f->function, f->query->stack->frames[f->index].pc - f->bias, 0, &site,
		  &distance);
	if (distance != UINT64_MAX)
		found = site_value(f, &site, &wanted, value, &trouble);
	if (!found)
		found = passed_on(f, reg, value, &trouble);
	/* The pointer that was called, if it was the very function that was entered. */
	if (!found && f->index && call_target(f, &target, &through) && through == (int)reg &&
	    var_frame_open(f->query, f->index - 1, f->depth, &callee) &&
	    entry_address(&callee) == target) {
		*value = target;
		found = true;
	}
	f->depth--;
	f->at_call = true;
	return found;
}

bool var_entry_value(struct var_frame *f, const uint8_t *expr, size_t size, uint64_t *value,
		     struct expr_trouble *trouble)
{
	struct wanted wanted = { .expr = expr, .size = size };

	return passed(f, &wanted, value, trouble);
}

bool var_parameter_value(struct var_frame *f, Dwarf_Die *parameter, uint64_t *value,
			 struct expr_trouble *trouble)
{
	struct wanted wanted = { .parameter = parameter };

	return passed(f, &wanted, value, trouble);
}
