// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * x86-64 instructions in AT&T syntax, spelt as GNU's tools spell them: these are what kernel
 * developers read, and what crash prints. Zydis has a formatter for AT&T as well, but it differs in
 * names (cdqe for cltq), suffixes, stars and displacements; it is left only for AVX-512.
 *
 * GNU's rules, found by comparing with objdump: operands in reverse order, without blanks between
 * them; a letter for the size behind the name where no register tells it; conditions by their
 * "equal, above, below" names; prefixes without an effect are printed too, in their order.
 */
#include "code/x86.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	PREFIX_LOCK = 0xf0, PREFIX_REPNE = 0xf2, PREFIX_REP = 0xf3, PREFIX_SIZE = 0x66,
	PREFIX_ADDRESS = 0x67, PREFIX_ES = 0x26, PREFIX_CS = 0x2e, PREFIX_SS = 0x36,
	PREFIX_DS = 0x3e, PREFIX_FS = 0x64, PREFIX_GS = 0x65,
};

struct att {
	const ZydisDecodedInstruction *insn;
	const ZydisDecodedOperand *operands;
	const uint8_t *bytes;
	uint64_t pc;
	char *buf;
	size_t size, length;
};

static printf_like(2, 3) void put(struct att *a, const char *fmt, ...)
{
	va_list args;

	if (a->length + 1 >= a->size)
		return;
	va_start(args, fmt);
	int n = vsnprintf(a->buf + a->length, a->size - a->length, fmt, args);
	va_end(args);
	if (n > 0)
		a->length += (size_t)n;
	if (a->length >= a->size)
		a->length = a->size - 1;
}

static void put_signed(struct att *a, int64_t value)
{
	if (value < 0)
		put(a, "-0x%" PRIx64, -(uint64_t)value);
	else
		put(a, "0x%" PRIx64, (uint64_t)value);
}

/* --- Names. --- */

/* Names that differ from Zydis'. */
static const struct {
	ZydisMnemonic mnemonic;
	const char *name;
} names[] = {
	{ ZYDIS_MNEMONIC_CBW, "cbtw" },       { ZYDIS_MNEMONIC_CWDE, "cwtl" },
	{ ZYDIS_MNEMONIC_CDQE, "cltq" },      { ZYDIS_MNEMONIC_CWD, "cwtd" },
	{ ZYDIS_MNEMONIC_CDQ, "cltd" },       { ZYDIS_MNEMONIC_CQO, "cqto" },
	{ ZYDIS_MNEMONIC_JZ, "je" },          { ZYDIS_MNEMONIC_JNZ, "jne" },
	{ ZYDIS_MNEMONIC_JNBE, "ja" },        { ZYDIS_MNEMONIC_JNB, "jae" },
	{ ZYDIS_MNEMONIC_JNL, "jge" },        { ZYDIS_MNEMONIC_JNLE, "jg" },
	{ ZYDIS_MNEMONIC_SETZ, "sete" },      { ZYDIS_MNEMONIC_SETNZ, "setne" },
	{ ZYDIS_MNEMONIC_SETNBE, "seta" },    { ZYDIS_MNEMONIC_SETNB, "setae" },
	{ ZYDIS_MNEMONIC_SETNL, "setge" },    { ZYDIS_MNEMONIC_SETNLE, "setg" },
	{ ZYDIS_MNEMONIC_CMOVZ, "cmove" },    { ZYDIS_MNEMONIC_CMOVNZ, "cmovne" },
	{ ZYDIS_MNEMONIC_CMOVNBE, "cmova" },  { ZYDIS_MNEMONIC_CMOVNB, "cmovae" },
	{ ZYDIS_MNEMONIC_CMOVNL, "cmovge" },  { ZYDIS_MNEMONIC_CMOVNLE, "cmovg" },
	{ ZYDIS_MNEMONIC_PUSHFQ, "pushf" },   { ZYDIS_MNEMONIC_POPFQ, "popf" },
	{ ZYDIS_MNEMONIC_IRETD, "iret" },
};

/* Instructions whose name gets the letter of the memory operand's size. */
static bool takes_letter(const ZydisDecodedInstruction *insn)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_ADC:
	case ZYDIS_MNEMONIC_SBB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_TEST:
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_DEC:
	case ZYDIS_MNEMONIC_NEG:
	case ZYDIS_MNEMONIC_NOT:
	case ZYDIS_MNEMONIC_MUL:
	case ZYDIS_MNEMONIC_IMUL:
	case ZYDIS_MNEMONIC_DIV:
	case ZYDIS_MNEMONIC_IDIV:
	case ZYDIS_MNEMONIC_ROL:
	case ZYDIS_MNEMONIC_ROR:
	case ZYDIS_MNEMONIC_RCL:
	case ZYDIS_MNEMONIC_RCR:
	case ZYDIS_MNEMONIC_SHL:
	case ZYDIS_MNEMONIC_SHR:
	case ZYDIS_MNEMONIC_SAR:
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_CVTSI2SD:
	case ZYDIS_MNEMONIC_CVTSI2SS:
		return true;
	default:
		return false;
	}
}

static char size_letter(unsigned bits)
{
	return bits == 8 ? 'b' : bits == 16 ? 'w' : bits == 32 ? 'l' : bits == 64 ? 'q' : '\0';
}

static const ZydisDecodedOperand *memory_of(const struct att *a)
{
	for (unsigned i = 0; i < a->insn->operand_count_visible; i++) {
		if (a->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &a->operands[i];
	}
	return NULL;
}

/* A register tells the size; the count in CL and SSE's registers do not. */
static bool register_tells_size(const struct att *a)
{
	for (unsigned i = 0; i < a->insn->operand_count_visible; i++) {
		const ZydisDecodedOperand *op = &a->operands[i];
		if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		bool is_count = op->reg.value == ZYDIS_REGISTER_CL && i == 1 &&
				(a->insn->mnemonic == ZYDIS_MNEMONIC_SHL ||
				 a->insn->mnemonic == ZYDIS_MNEMONIC_SHR ||
				 a->insn->mnemonic == ZYDIS_MNEMONIC_SAR ||
				 a->insn->mnemonic == ZYDIS_MNEMONIC_ROL ||
				 a->insn->mnemonic == ZYDIS_MNEMONIC_ROR ||
				 a->insn->mnemonic == ZYDIS_MNEMONIC_RCL ||
				 a->insn->mnemonic == ZYDIS_MNEMONIC_RCR);
		bool is_vector = ZydisRegisterGetClass(op->reg.value) == ZYDIS_REGCLASS_XMM;
		if (!is_count && !is_vector)
			return true;
	}
	return false;
}

static const char *plain_name(const ZydisDecodedInstruction *insn)
{
	for (size_t i = 0; i < array_size(names); i++) {
		if (names[i].mnemonic == insn->mnemonic)
			return names[i].name;
	}
	const char *name = ZydisMnemonicGetString(insn->mnemonic);
	return name ? name : "(bad)";
}

/* The x87's letters: single, long (double), ten bytes ("t"); of integers short, long, "ll". */
static const char *x87_letter(const ZydisDecodedInstruction *insn, unsigned bits)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_FILD:
	case ZYDIS_MNEMONIC_FIST:
	case ZYDIS_MNEMONIC_FISTP:
	case ZYDIS_MNEMONIC_FISTTP:
	case ZYDIS_MNEMONIC_FIADD:
	case ZYDIS_MNEMONIC_FIMUL:
	case ZYDIS_MNEMONIC_FISUB:
	case ZYDIS_MNEMONIC_FIDIV:
		return bits == 16 ? "s" : bits == 32 ? "l" : "ll";
	case ZYDIS_MNEMONIC_FLD:
	case ZYDIS_MNEMONIC_FST:
	case ZYDIS_MNEMONIC_FSTP:
	case ZYDIS_MNEMONIC_FADD:
	case ZYDIS_MNEMONIC_FMUL:
	case ZYDIS_MNEMONIC_FSUB:
	case ZYDIS_MNEMONIC_FSUBR:
	case ZYDIS_MNEMONIC_FDIV:
	case ZYDIS_MNEMONIC_FDIVR:
	case ZYDIS_MNEMONIC_FCOM:
	case ZYDIS_MNEMONIC_FCOMP:
		return bits == 32 ? "s" : bits == 64 ? "l" : "t";
	default:
		return "";
	}
}

static bool is_moffs(const ZydisDecodedInstruction *insn)
{
	return insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->opcode >= 0xa0 &&
	       insn->opcode <= 0xa3;
}

/* movabs: a whole 64-bit constant or address in the instruction. */
static bool is_movabs(const ZydisDecodedInstruction *insn)
{
	return insn->mnemonic == ZYDIS_MNEMONIC_MOV &&
	       (is_moffs(insn) || insn->raw.imm[0].size == 64);
}

static void put_extension(struct att *a, const char *name)
{
	put(a, "%s%c%c", name, size_letter(a->operands[1].size), size_letter(a->operands[0].size));
}

static void put_name(struct att *a)
{
	const ZydisDecodedInstruction *insn = a->insn;
	const ZydisDecodedOperand *memory = memory_of(a);

	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_MOVZX:
		put_extension(a, "movz");
		return;
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
		put_extension(a, "movs");
		return;
	case ZYDIS_MNEMONIC_CRC32:
		put(a, "crc32%c", size_letter(a->operands[1].size));
		return;
	case ZYDIS_MNEMONIC_SYSRET:
	case ZYDIS_MNEMONIC_SYSEXIT:
		put(a, "%s%c", plain_name(insn), insn->raw.rex.W ? 'q' : 'l');
		return;
	case ZYDIS_MNEMONIC_CALL:
	case ZYDIS_MNEMONIC_JMP:
	case ZYDIS_MNEMONIC_RET:
		put(a, "%s%s", insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? "l" : "",
		    plain_name(insn));
		if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR && insn->raw.rex.W)
			put(a, "q");
		return;
	case ZYDIS_MNEMONIC_PCLMULQDQ:
		if (!(insn->raw.imm[0].value.u & ~UINT64_C(0x11))) {
			put(a, "pclmul%sq%sqdq", insn->raw.imm[0].value.u & 1 ? "h" : "l",
			    insn->raw.imm[0].value.u & 0x10 ? "h" : "l");
			return;
		}
		break;
	default:
		break;
	}
	put(a, "%s", is_movabs(insn) ? "movabs" : plain_name(insn));
	if (memory && takes_letter(insn) && !register_tells_size(a)) {
		char letter = size_letter(memory->size);
		if (letter)
			put(a, "%c", letter);
	} else if (memory) {
		put(a, "%s", x87_letter(insn, memory->size));
	}
}

/* --- Prefixes. --- */

static const char *repeat_name(const ZydisDecodedInstruction *insn, uint8_t value)
{
	if (value == PREFIX_REPNE)
		return insn->attributes & ZYDIS_ATTRIB_HAS_BND	     ? "bnd"
		       : insn->attributes & ZYDIS_ATTRIB_HAS_XACQUIRE ? "xacquire"
								      : "repnz";
	if (insn->attributes & ZYDIS_ATTRIB_HAS_REP)
		return "rep";
	return insn->attributes & ZYDIS_ATTRIB_HAS_XRELEASE ? "xrelease" : "repz";
}

/* What a prefix is called where nothing else of the text shows it; NULL: it is shown elsewhere. */
static const char *prefix_name(const ZydisDecodedInstruction *insn, size_t i)
{
	uint8_t value = insn->raw.prefixes[i].value;
	bool ignored = insn->raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_IGNORED;

	bool repeats = insn->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					   ZYDIS_ATTRIB_HAS_REPNE);
	if (insn->raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_MANDATORY && !repeats)
		return NULL;
	switch (value) {
	case PREFIX_LOCK:
		return "lock";
	case PREFIX_REP:
	case PREFIX_REPNE:
		return repeat_name(insn, value);
	case PREFIX_SIZE:
		return ignored ? "data16" : NULL;
	case PREFIX_ADDRESS:
		return ignored ? "addr32" : NULL;
	case PREFIX_CS:
		return "cs";
	case PREFIX_DS:
		return insn->attributes & ZYDIS_ATTRIB_HAS_NOTRACK ? "notrack" : "ds";
	case PREFIX_ES:
		return "es";
	case PREFIX_SS:
		return "ss";
	case PREFIX_FS:
		return ignored ? "fs" : NULL;
	case PREFIX_GS:
		return ignored ? "gs" : NULL;
	default:
		return NULL;
	}
}

static void put_prefixes(struct att *a)
{
	const ZydisDecodedInstruction *insn = a->insn;
	const char *hint = insn->attributes & ZYDIS_ATTRIB_HAS_BRANCH_TAKEN	   ? ",pt"
			   : insn->attributes & ZYDIS_ATTRIB_HAS_BRANCH_NOT_TAKEN ? ",pn"
										   : NULL;

	for (size_t i = 0; i < insn->raw.prefix_count; i++) {
		const char *name = hint ? NULL : prefix_name(insn, i);
		if (name)
			put(a, "%s ", name);
	}
	if (insn->attributes & ZYDIS_ATTRIB_HAS_REX && insn->raw.rex.W &&
	    (insn->mnemonic == ZYDIS_MNEMONIC_CALL || insn->mnemonic == ZYDIS_MNEMONIC_JMP) &&
	    insn->meta.branch_type != ZYDIS_BRANCH_TYPE_FAR)
		put(a, "rex.W ");
}

/* --- Operands. --- */

static void put_register(struct att *a, ZydisRegister reg)
{
	const char *name = ZydisRegisterGetString(reg);

	if (reg >= ZYDIS_REGISTER_ST0 && reg <= ZYDIS_REGISTER_ST7) {
		if (reg == ZYDIS_REGISTER_ST0)
			put(a, "%%st");
		else
			put(a, "%%st(%u)", (unsigned)(reg - ZYDIS_REGISTER_ST0));
	} else if (reg >= ZYDIS_REGISTER_DR0 && reg <= ZYDIS_REGISTER_DR15) {
		put(a, "%%db%u", (unsigned)(reg - ZYDIS_REGISTER_DR0));
	} else {
		put(a, "%%%s", name ? name : "?");
	}
}

static void put_segment(struct att *a, const ZydisDecodedOperand *op)
{
	if (op->mem.segment == ZYDIS_REGISTER_GS || op->mem.segment == ZYDIS_REGISTER_FS) {
		put_register(a, op->mem.segment);
		put(a, ":");
	}
}

static void put_memory(struct att *a, const ZydisDecodedOperand *op)
{
	const ZydisDecodedInstruction *insn = a->insn;
	bool has_base = op->mem.base != ZYDIS_REGISTER_NONE;
	bool has_index = op->mem.index != ZYDIS_REGISTER_NONE;
	/* A SIB byte that says "no index" where none was needed: GNU calls that one %riz. */
	bool no_index = !has_index && has_base && insn->attributes & ZYDIS_ATTRIB_HAS_SIB &&
			(insn->raw.sib.base & 7) != 4;

	put_segment(a, op);
	if (!has_base && !has_index) {
		uint64_t mask = insn->address_width == 32 ? UINT32_MAX : UINT64_MAX;
		put(a, "0x%" PRIx64, (uint64_t)op->mem.disp.value & mask);
		return;
	}
	if (insn->raw.disp.size)
		put_signed(a, op->mem.disp.value);
	put(a, "(");
	if (has_base)
		put_register(a, op->mem.base);
	if (has_index) {
		put(a, ",");
		put_register(a, op->mem.index);
		put(a, ",%u", op->mem.scale ? op->mem.scale : 1);
	} else if (no_index) {
		put(a, ",%%%s,%u", insn->address_width == 32 ? "eiz" : "riz",
		    1U << insn->raw.sib.scale);
	}
	put(a, ")");
}

/* How many bits of an immediate GNU shows: those of the operation, as it is extended to them. */
static uint64_t immediate_mask(const struct att *a, const ZydisDecodedOperand *op)
{
	unsigned bits = a->insn->operand_width;

	if (!op->imm.is_signed && op->size < bits)
		bits = op->size;
	return bits >= 64 || !bits ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* What is moved into a segment register is called by its 32-bit name. */
static ZydisRegister whole_register(const struct att *a, ZydisRegister reg)
{
	bool to_segment = a->insn->mnemonic == ZYDIS_MNEMONIC_MOV &&
			  a->insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
			  a->insn->opcode == 0x8e;

	if (!to_segment || ZydisRegisterGetClass(reg) != ZYDIS_REGCLASS_GPR16)
		return reg;
	return ZydisRegisterEncode(ZYDIS_REGCLASS_GPR32, (ZyanU8)ZydisRegisterGetId(reg));
}

static void put_operand(struct att *a, const ZydisDecodedOperand *op)
{
	bool star = a->insn->mnemonic == ZYDIS_MNEMONIC_CALL ||
		    a->insn->mnemonic == ZYDIS_MNEMONIC_JMP;
	bool port = op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    op->reg.value == ZYDIS_REGISTER_DX &&
		    (a->insn->mnemonic == ZYDIS_MNEMONIC_IN ||
		     a->insn->mnemonic == ZYDIS_MNEMONIC_OUT);

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		put(a, "%s", star ? "*" : port ? "(" : "");
		put_register(a, whole_register(a, op->reg.value));
		put(a, "%s", port ? ")" : "");
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		put(a, "%s", star ? "*" : "");
		put_memory(a, op);
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		if (op->imm.is_relative)
			put(a, "0x%" PRIx64, a->pc + a->insn->length + op->imm.value.u);
		else
			put(a, "$0x%" PRIx64, op->imm.value.u & immediate_mask(a, op));
		break;
	case ZYDIS_OPERAND_TYPE_POINTER:
		put(a, "$0x%x,$0x%x", op->ptr.segment, op->ptr.offset);
		break;
	default:
		break;
	}
}

/* --- String instructions: GNU spells out what they go through. --- */

static bool put_string(struct att *a)
{
	static const struct {
		const char *name, *before, *behind;
		bool has_register; /* which tells the size, between @before and @behind */
	} forms[] = {
		{ "movs", "%ds:(%rsi),%es:(%rdi)", "", false },
		{ "cmps", "%es:(%rdi),%ds:(%rsi)", "", false },
		{ "stos", "", ",%es:(%rdi)", true },
		{ "lods", "%ds:(%rsi),", "", true },
		{ "scas", "%es:(%rdi),", "", true },
		{ "ins", "(%dx),%es:(%rdi)", "", false },
		{ "outs", "%ds:(%rsi),(%dx)", "", false },
	};
	const char *zydis_name = ZydisMnemonicGetString(a->insn->mnemonic);
	size_t length = zydis_name ? strlen(zydis_name) : 0;

	if (length < 4 || a->insn->address_width != 64)
		return false;
	for (size_t i = 0; i < array_size(forms); i++) {
		if (strlen(forms[i].name) + 1 != length ||
		    strncmp(zydis_name, forms[i].name, length - 1) != 0)
			continue;
		char size = zydis_name[length - 1];
		const char *reg = size == 'b' ? "%al" : size == 'w' ? "%ax" :
				  size == 'd' ? "%eax" : "%rax";
		if (forms[i].has_register)
			put(a, "%s %s%s%s", forms[i].name, forms[i].before, reg, forms[i].behind);
		else
			put(a, "%s%c %s", forms[i].name, size == 'd' ? 'l' : size, forms[i].before);
		return true;
	}
	return false;
}

/* --- What follows no rule. --- */

static bool put_odd(struct att *a)
{
	static const struct {
		uint32_t bytes, mask; /* of the first four, the first one lowest */
		const char *text;
	} odd[] = {
		{ 0x9066, 0xffff, "xchg %ax,%ax" },
		{ 0xd9010ff3, 0xffffffff, "vmgexit" },
		{ 0xd9010ff2, 0xffffffff, "vmgexit" },
		{ 0xfe010ff3, 0xffffffff, "rmpadjust" },
		{ 0xff010ff2, 0xffffffff, "pvalidate" },
		{ 0xc8010f, 0xffffff, "monitor %rax,%ecx,%edx" },
		{ 0xc9010f, 0xffffff, "mwait %eax,%ecx" },
		{ 0xfa010f, 0xffffff, "monitorx %rax,%ecx,%edx" },
		{ 0xfb010f, 0xffffff, "mwaitx %eax,%ecx,%ebx" },
	};
	uint32_t first = 0;

	for (unsigned i = 0; i < 4 && i < a->insn->length; i++)
		first |= (uint32_t)a->bytes[i] << i * 8;
	for (size_t i = 0; i < array_size(odd); i++) {
		if ((first & odd[i].mask) == odd[i].bytes) {
			put(a, "%s", odd[i].text);
			return true;
		}
	}
	return false;
}

/* nopl and nopw show what they do not touch; the second operand of their encoding is no operand. */
static bool put_long_nop(struct att *a)
{
	const ZydisDecodedInstruction *insn = a->insn;

	if (insn->mnemonic != ZYDIS_MNEMONIC_NOP || !insn->raw.modrm.offset)
		return false;
	put(a, "nop%c ", size_letter(insn->operand_width));
	put_operand(a, &a->operands[0]);
	return true;
}

/* Is this operand the 1 of "shift by one", which has an opcode of its own? */
static bool is_implied_one(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	       insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
	       (insn->opcode == 0xd0 || insn->opcode == 0xd1);
}

static void close_up(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from != ' ' || to == text || to[-1] != ',')
			*to++ = *from;
	}
	*to = '\0';
}

/* AVX-512 has masks, roundings and broadcasts: Zydis' own formatter knows them. */
static void by_zydis(struct att *a)
{
	ZydisFormatter formatter;

	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL,
				  ZYAN_TRUE);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING,
				  ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING,
				  ZYDIS_PADDING_DISABLED);
	if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, a->insn, a->operands,
							  a->insn->operand_count_visible, a->buf,
							  a->size, a->pc, NULL)))
		snprintf(a->buf, a->size, "%s", plain_name(a->insn));
	close_up(a->buf);
}

void x86_format_att(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
		    const uint8_t *bytes, uint64_t pc, char *buf, size_t size)
{
	struct att a = {
		.insn = insn, .operands = operands, .bytes = bytes, .pc = pc, .buf = buf,
		.size = size,
	};
	unsigned count = insn->operand_count_visible;
	bool first = true;

	if (!size)
		return;
	*buf = '\0';
	if (insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX ||
	    insn->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX) {
		by_zydis(&a);
		return;
	}
	if (put_odd(&a))
		return;
	put_prefixes(&a);
	if ((insn->meta.category == ZYDIS_CATEGORY_STRINGOP ||
	     insn->meta.category == ZYDIS_CATEGORY_IOSTRINGOP) && put_string(&a))
		return;
	if (put_long_nop(&a))
		return;
	put_name(&a);
	for (unsigned i = count; i-- > 0;) {
		if (is_implied_one(insn, &operands[i]))
			continue;
		put(&a, "%s", first ? " " : ",");
		put_operand(&a, &operands[i]);
		first = false;
	}
}
