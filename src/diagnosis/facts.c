// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Gathering. The stack of the task that crashed holds, from the top: the crash path (machine_kexec
 * ... panic or oops_end), then, if the CPU itself stopped, the exception's entry code and below it
 * the frame with the registers at the fault. That frame is what most detectors start from; the log
 * adds what registers do not keep (the address in CR2, the message).
 */
#include "diagnosis/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/anomalies.h"
#include "diagnosis/facts_text.h"
#include "forensics/caught.h"
#include "forensics/whatis.h"
#include "kernel/cpus.h"
#include "kernel/text.h"

/* Entry points by name, newest first (arch/x86/entry/entry_64.S, idtentry.h; before 5.8 without
 * asm_exc_). */
static const struct {
	const char *entry;
	enum trap trap;
} entries[] = {
	{ "asm_exc_page_fault", TRAP_PAGE_FAULT },
	{ "page_fault", TRAP_PAGE_FAULT },
	{ "async_page_fault", TRAP_PAGE_FAULT },
	{ "trace_page_fault", TRAP_PAGE_FAULT },
	{ "asm_exc_general_protection", TRAP_GENERAL_PROTECTION },
	{ "general_protection", TRAP_GENERAL_PROTECTION },
	{ "asm_exc_invalid_op", TRAP_INVALID_OPCODE },
	{ "invalid_op", TRAP_INVALID_OPCODE },
	{ "asm_exc_divide_error", TRAP_DIVIDE },
	{ "divide_error", TRAP_DIVIDE },
	{ "asm_exc_double_fault", TRAP_DOUBLE_FAULT },
	{ "double_fault", TRAP_DOUBLE_FAULT },
	{ "asm_exc_stack_segment", TRAP_STACK_SEGMENT },
	{ "stack_segment", TRAP_STACK_SEGMENT },
	{ "asm_exc_int3", TRAP_BREAKPOINT },
	{ "int3", TRAP_BREAKPOINT },
	{ "asm_exc_alignment_check", TRAP_ALIGNMENT },
	{ "asm_exc_machine_check", TRAP_MACHINE_CHECK },
	{ "machine_check", TRAP_MACHINE_CHECK },
	{ "asm_exc_nmi", TRAP_NMI },
	{ "nmi", TRAP_NMI },
	{ "end_repeat_nmi", TRAP_NMI },
};

const char *trap_name(enum trap trap)
{
	static const char *const names[] = {
		[TRAP_NONE] = "none",
		[TRAP_PAGE_FAULT] = "page fault",
		[TRAP_GENERAL_PROTECTION] = "general protection fault",
		[TRAP_INVALID_OPCODE] = "invalid opcode",
		[TRAP_DIVIDE] = "divide error",
		[TRAP_DOUBLE_FAULT] = "double fault",
		[TRAP_STACK_SEGMENT] = "stack segment fault",
		[TRAP_BREAKPOINT] = "breakpoint",
		[TRAP_ALIGNMENT] = "alignment check",
		[TRAP_NMI] = "NMI",
		[TRAP_MACHINE_CHECK] = "machine check",
	};

	return names[trap];
}

bool facts_frame_symbol_of(const struct facts *facts, const struct frame *f, struct symbol *symbol)
{
	return facts->session->symbols &&
	       symbols_by_address(facts->session->symbols, f->is_call ? f->pc - 1 : f->pc, symbol);
}

bool facts_frame_symbol(const struct facts *facts, size_t i, struct symbol *symbol)
{
	return facts_frame_symbol_of(facts, &facts->stack.frames[i], symbol);
}

const char *facts_text_of_frame(const struct facts *facts, const struct frame *f)
{
	struct symbol sym;

	if (!facts_frame_symbol_of(facts, f, &sym))
		return arena_printf(facts->arena, "0x%lx", (unsigned long)f->pc);
	if (sym.inside_only)
		return arena_printf(facts->arena, "%s%s%s%s", sym.name, sym.module ? " [" : "",
				    sym.module ? sym.module->name : "", sym.module ? "]" : "");
	return arena_printf(facts->arena, "%s+0x%lx%s%s%s", sym.name,
			    (unsigned long)(f->pc - sym.address), sym.module ? " [" : "",
			    sym.module ? sym.module->name : "", sym.module ? "]" : "");
}

const char *facts_frame_text(const struct facts *facts, size_t i)
{
	return facts_text_of_frame(facts, &facts->stack.frames[i]);
}

const struct log_record *facts_log_find(const struct facts *facts, const char *text, size_t from)
{
	for (size_t i = from; i < facts->log_count; i++) {
		if (strstr(facts->log[i].text, text))
			return &facts->log[i];
	}
	return NULL;
}

const struct log_record *facts_log_find_last(const struct facts *facts, const char *text)
{
	for (size_t i = facts->log_count; i-- > 0;) {
		if (strstr(facts->log[i].text, text))
			return &facts->log[i];
	}
	return NULL;
}

size_t facts_log_until_panic(const struct facts *facts)
{
	return facts->panic_record ? (size_t)(facts->panic_record - facts->log) : facts->log_count;
}

const char *facts_where(const struct facts *facts)
{
	const char *cpu = facts->cpu >= 0 ? arena_printf(facts->arena, " on CPU %d", facts->cpu)
					  : "";

	if (!facts->task)
		return *cpu ? cpu + 1 : "on an unknown CPU";
	if (!task_is_named(facts->task))
		return *cpu ? cpu + 1 : "in an unknown task";
	if (facts->task->pid == 0)
		return arena_printf(facts->arena, "in the idle task%s", cpu);
	return arena_printf(facts->arena, "in %s (pid %d)%s", facts->task->comm, facts->task->pid,
			    cpu);
}

static enum trap trap_of_entry(const char *name)
{
	for (size_t i = 0; i < array_size(entries); i++) {
		if (strcmp(entries[i].entry, name) == 0)
			return entries[i].trap;
	}
	return TRAP_NONE;
}

void facts_set_fault(struct facts *facts, enum trap trap, size_t frame)
{
	struct fault_site *fault = &facts->fault;

	fault->trap = trap;
	fault->frame = frame;
	fault->regs = &facts->stack.frames[frame].regs;
	fault->pc = facts->stack.frames[frame].pc;
}

/*
 * An oops hands the registers of the fault to crash_kexec(), which saves them as the CPU's own: the
 * stack then begins at the fault, and nothing above it says so. But the exception's frame still
 * lies below the stack pointer (the CPU aligns it to 16 bytes first), and under that the return
 * address into the entry code that called the handler.
 */
static enum trap trap_below(const struct facts *facts, const struct frame *f)
{
	const struct arch *arch = facts->session->arch;
	uint64_t at = (f->sp & ~UINT64_C(15)) - arch->pt_regs_size;
	uint8_t bytes[256];
	struct regs regs;
	uint64_t entry;
	struct symbol sym;

	if (arch->pt_regs_size > sizeof(bytes) || !facts->session->symbols ||
	    memory_read(facts->session->memory, at, bytes, arch->pt_regs_size) != READ_OK ||
	    memory_u64(facts->session->memory, at - sizeof(entry), &entry) != READ_OK)
		return TRAP_NONE;
	arch->pt_regs(bytes, &regs);
	if (regs.value[arch->pc] != f->pc || regs.value[arch->sp] != f->sp ||
	    !symbols_by_address(facts->session->symbols, entry - 1, &sym))
		return TRAP_NONE;
	return trap_of_entry(sym.name);
}

/*
 * The fault that killed: of several exceptions on the stack the topmost that is a CPU fault. An
 * NMI only shows where a CPU was when it was told to stop.
 */
static void find_fault(struct facts *facts)
{
	enum trap trap = facts->stack.count ? trap_below(facts, &facts->stack.frames[0])
					    : TRAP_NONE;

	if (trap != TRAP_NONE && trap != TRAP_NMI) {
		facts_set_fault(facts, trap, 0);
		return;
	}
	for (size_t i = 1; i < facts->stack.count; i++) {
		struct symbol sym;
		if (!facts->stack.frames[i].has_regs || !facts_frame_symbol(facts, i - 1, &sym))
			continue;
		trap = trap_of_entry(sym.name);
		if (trap != TRAP_NONE && trap != TRAP_NMI) {
			facts_set_fault(facts, trap, i);
			return;
		}
	}
}

size_t facts_interrupted(const struct facts *facts)
{
	size_t at = stack_caught_at(facts->session, &facts->stack);

	return at ? at : SIZE_MAX;
}

static void name_address(void *ctx, uint64_t address, char *buf, size_t size)
{
	struct session *s = ctx;
	struct symbols *symbols = s->symbols;
	struct symbol sym;

	buf[0] = '\0';
	if (symbols && text_may_name(s, address) && symbols_by_address(symbols, address, &sym))
		symbols_format(symbols, address, buf, size);
}

/*
 * No code of the kernel or a module that is known. Modules may be unknown (no types), and there is
 * code without symbols (BPF): what the page tables let the kernel execute is no wild address.
 */
static bool is_wild(const struct facts *facts, uint64_t pc)
{
	struct what place;

	if (facts->session->text)
		return facts->session->text->pc_is_wild;
	if (!facts->session->symbols || symbols_is_text(facts->session->symbols, pc))
		return false;
	whatis(facts->session, facts->task, pc, &place);
	return place.user_half || !place.permissions_known || !place.executable;
}

static void decode_fault(struct facts *facts)
{
	struct fault_site *fault = &facts->fault;
	uint8_t bytes[CODE_INSN_MAX];
	size_t n = memory_read_some(facts->session->memory, fault->pc, bytes, sizeof(bytes));

	fault->has_insn = n && code_decode(bytes, n, fault->pc, &fault->insn);
	if (!fault->has_insn && facts->session->text)
		facts_text_instruction(facts);
	else if (fault->has_insn)
		code_format(bytes, n, fault->pc, name_address, facts->session,
			    fault->insn_text, sizeof(fault->insn_text));
	if (fault->has_insn && facts->session->text)
		text_hide_made_up(facts->session, fault->insn_text);
	fault->pc_is_wild = is_wild(facts, fault->pc);
}

/* The number behind @marker in the line; hexadecimal with or without 0x. */
static bool hex_after(const char *line, const char *marker, uint64_t *value)
{
	const char *at = strstr(line, marker);
	char digits[24];
	size_t n = 0;

	if (!at)
		return false;
	at += strlen(marker);
	while (*at == ' ')
		at++;
	if (starts_with(at, "0x"))
		at += 2;
	while (n + 1 < sizeof(digits) && strchr("0123456789abcdefABCDEF", at[n]) && at[n])
		n++;
	memcpy(digits, at, n);
	digits[n] = '\0';
	return parse_hex(digits, value);
}

/* Markers before the address in the lines that announce a bad access (arch/x86/mm/fault.c). */
static const char *const address_markers[] = {
	"NULL pointer dereference, address: ",
	"page fault for address: ",
	"NULL pointer dereference at ",
	"paging request at ",
	"non-canonical address ",
};

static bool address_from_log(const struct facts *facts, uint64_t *address)
{
	if (facts->session->text)
		return facts_text_address(facts, address);
	for (size_t i = facts->log_count; i-- > 0;) {
		for (size_t m = 0; m < array_size(address_markers); m++) {
			if (hex_after(facts->log[i].text, address_markers[m], address))
				return true;
		}
	}
	return false;
}

/* The fault address by the instruction's own operand, with what the log says to check it. */
static void find_address(struct facts *facts)
{
	struct fault_site *fault = &facts->fault;
	const struct insn_memory *operands[] = { &fault->insn.memory, &fault->insn.memory2 };
	uint64_t logged = 0;
	bool in_log = address_from_log(facts, &logged);
	uint64_t computed;

	if (fault->pc_is_wild) {
		fault->has_address = true;
		fault->address = fault->pc;
		fault->execute = fault->access_known = true;
		fault->address_source = in_log && logged == fault->pc ? "log and registers"
								      : "registers";
		return;
	}
	for (size_t i = 0; fault->has_insn && i < array_size(operands); i++) {
		const struct insn_memory *m = operands[i];
		if (!code_memory_address(m, fault->regs, &computed))
			continue;
		/* An operand may straddle two pages: the CPU names the first byte that failed. */
		bool agrees = in_log && logged - computed < (m->size ? m->size : 8);
		if (in_log && !agrees)
			continue;
		fault->has_address = true;
		fault->address = in_log ? logged : computed;
		fault->address_source = in_log ? "log and registers" : "registers";
		fault->access_known = true;
		fault->write = m->write;
		fault->access_size = m->size;
		fault->base_reg = m->base;
		if (m->base >= 0)
			fault->base_value = fault->regs->value[m->base];
		return;
	}
	if (in_log) {
		fault->has_address = true;
		fault->address = logged;
		fault->address_source = "log";
	}
}

/*
 * A call, jump or return to what is no address faults at the instruction itself, before it is
 * executed (Intel; AMD and QEMU fault at the target). The address that is bad is then the target,
 * not the one that the target was read from.
 */
static void find_target(struct facts *facts)
{
	struct fault_site *fault = &facts->fault;
	const struct insn *insn = &fault->insn;
	unsigned levels = memory_layout(facts->session->memory)->root.levels;
	uint64_t at, target;

	if (fault->trap != TRAP_GENERAL_PROTECTION || !fault->has_insn || fault->pc_is_wild ||
	    !levels)
		return;
	if (insn->kind == INSN_RETURN) {
		at = fault->regs->value[facts->session->arch->sp];
		if (memory_u64(facts->session->memory, at, &target) != READ_OK)
			return;
	} else if ((insn->kind != INSN_CALL && insn->kind != INSN_JUMP) || !insn->indirect) {
		return;
	} else if (insn->target_reg >= 0 && regs_known(fault->regs, (unsigned)insn->target_reg)) {
		target = fault->regs->value[insn->target_reg];
	} else if (!insn->memory.present ||
		   !code_memory_address(&insn->memory, fault->regs, &at) ||
		   memory_u64(facts->session->memory, at, &target) != READ_OK) {
		return;
	}
	fault->has_target = !facts->session->arch->canonical(target, levels);
	fault->target = target;
}

static void find_panic(struct facts *facts)
{
	static const char marker[] = "Kernel panic - not syncing: ";
	struct symbol sym;

	/* The first panic is the cause; later ones are accidents on the way down. */
	facts->panic_record = facts_log_find(facts, marker, 0);
	if (facts->panic_record)
		facts->panic_message = strstr(facts->panic_record->text, marker) + strlen(marker);
	facts->panic_caller = SIZE_MAX;
	for (size_t i = 0; i + 1 < facts->stack.count; i++) {
		if (facts_frame_symbol(facts, i, &sym) &&
		    (strcmp(sym.name, "panic") == 0 || strcmp(sym.name, "vpanic") == 0 ||
		     strcmp(sym.name, "nmi_panic") == 0))
			facts->panic_caller = i + 1;
	}
	/* In a text frames may be printed that were only found on the stack. */
	while (facts->panic_caller < facts->stack.count &&
	       facts->stack.frames[facts->panic_caller].how == FRAME_SCAN)
		facts->panic_caller++;
	if (facts->panic_caller >= facts->stack.count)
		facts->panic_caller = SIZE_MAX;
}

/*
 * KASAN's inlined checks look at the shadow of an address first: for a bad pointer it is there that
 * the CPU stops (CONFIG_KASAN_SHADOW_OFFSET of arch/x86/Kconfig; 8 bytes have one of shadow).
 */
static void find_shadow(struct facts *facts)
{
	enum { SCALE_SHIFT = 3 };
	const uint64_t start = UINT64_C(0xdffffc0000000000);
	struct fault_site *fault = &facts->fault;

	if (!fault->has_address || fault->pc_is_wild ||
	    fault->address - start >= UINT64_C(1) << (64 - SCALE_SHIFT) ||
	    (!facts_log_find(facts, "KASAN", 0) && !facts_log_find(facts, "kasan: ", 0)))
		return;
	fault->shadow_of = (fault->address - start) << SCALE_SHIFT;
	/* The kernel's own half has its shadow, which is mapped. */
	fault->is_shadow = !facts->session->arch->is_kernel_address(fault->shadow_of);
}

void facts_gather(struct facts *facts, struct session *session, struct arena *arena)
{
	const char *log_error = NULL;

	*facts = (struct facts){ .session = session, .arena = arena, .panic_caller = SIZE_MAX };
	facts->fault.base_reg = -1;
	system_info(session, &facts->system);
	facts->log = kernel_log(session, &facts->log_count, &log_error);
	facts->log_readable = facts->log_count && !log_error;
	facts->cpu = cpu_crashed(session);
	facts->task = task_crashed(session);
	if (facts->task)
		task_stack(session, facts->task, &facts->stack);
	if (session->text)
		facts_from_text(facts);
	anomalies_scan(facts);
	find_panic(facts);
	if (facts->fault.trap == TRAP_NONE)
		find_fault(facts);
	if (session->text)
		facts_text_doubt(facts);
	if (facts->fault.trap != TRAP_NONE) {
		decode_fault(facts);
		if (facts->fault.trap == TRAP_PAGE_FAULT ||
		    facts->fault.trap == TRAP_GENERAL_PROTECTION)
			find_address(facts);
		find_shadow(facts);
		find_target(facts);
		if (session->text)
			facts_text_access(facts);
	}
}

void facts_deinit(struct facts *facts)
{
	stack_deinit(&facts->stack);
	free(facts->anomalies);
}
