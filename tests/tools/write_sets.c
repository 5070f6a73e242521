// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All text of a vmlinux: what our decoder says each instruction writes, against Capstone, which
 * shares no code with it.
 *
 * Output, a line each: "insns N", "undecoded N" (by us, in functions), "unknown N" (to Capstone),
 * then SIGN, MNEMONIC, WHAT, count, address and text of the first, by tabs: "less" where we do not
 * name a register or memory that Capstone says is written, "more" where we name more, "length",
 * "place" and "size" (of memory operands) where these differ. Capstone 4 is known to be wrong on
 * some forms; the test lists them by name (tests/dumps/test_write_sets.py).
 */
/* Both have an enum of this name. */
#define x86_reg capstone_x86_reg
#include <capstone/capstone.h>
#undef x86_reg
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "code/code.h"

enum { KINDS_MAX = 4096, FUNCTION_MAX = 1 << 20 };

struct difference {
	const char *sign; /* "less" or "more" */
	char mnemonic[32];
	char what[48];
	unsigned long count;
	uint64_t example;
	char text[200];
};

static struct difference differences[KINDS_MAX];
static size_t difference_count;
static unsigned long insns, undecoded, unknown;

static int reg_of(uint16_t reg)
{
	/* By 64, 32, 16 and 8 bits, as Capstone names them. */
	static const struct {
		uint16_t names[5];
		uint8_t reg;
	} table[] = {
#define OLD(x, b, h, n) \
	{ { X86_REG_R##x, X86_REG_E##x, X86_REG_##x, X86_REG_##b, X86_REG_##h }, n }
		OLD(AX, AL, AH, X86_RAX), OLD(BX, BL, BH, X86_RBX), OLD(CX, CL, CH, X86_RCX),
		OLD(DX, DL, DH, X86_RDX), OLD(SI, SIL, SIL, X86_RSI), OLD(DI, DIL, DIL, X86_RDI),
		OLD(BP, BPL, BPL, X86_RBP), OLD(SP, SPL, SPL, X86_RSP),
#define NEW(n) \
	{ { X86_REG_R##n, X86_REG_R##n##D, X86_REG_R##n##W, X86_REG_R##n##B, 0 }, X86_R##n }
		NEW(8), NEW(9), NEW(10), NEW(11), NEW(12), NEW(13), NEW(14), NEW(15),
	};
	for (size_t i = 0; i < array_size(table); i++) {
		for (size_t j = 0; j < 5; j++) {
			if (reg && table[i].names[j] == reg)
				return table[i].reg;
		}
	}
	return -1;
}

static void differ(const char *sign, const cs_insn *cs, const char *what)
{
	size_t i;

	for (i = 0; i < difference_count; i++) {
		if (strcmp(differences[i].sign, sign) == 0 &&
		    strcmp(differences[i].mnemonic, cs->mnemonic) == 0 &&
		    strcmp(differences[i].what, what) == 0)
			break;
	}
	if (i == KINDS_MAX)
		return;
	struct difference *d = &differences[i];
	if (i == difference_count) {
		difference_count++;
		d->sign = sign;
		snprintf(d->mnemonic, sizeof(d->mnemonic), "%s", cs->mnemonic);
		snprintf(d->what, sizeof(d->what), "%s", what);
		d->example = cs->address;
		snprintf(d->text, sizeof(d->text), "%s %s", cs->mnemonic, cs->op_str);
	}
	d->count++;
}

/* The place that a memory operand names: registers, scale, displacement, size. */
static bool same_place(const cs_insn *cs, const cs_x86_op *op, const struct insn_memory *m)
{
	int64_t displacement = op->mem.disp;
	bool relative = op->mem.base == X86_REG_RIP;
	int index = reg_of((uint16_t)op->mem.index);

	if (relative)
		displacement += (int64_t)(cs->address + cs->size);
	return m->base == (relative ? -1 : reg_of((uint16_t)op->mem.base)) && m->index == index &&
	       (index < 0 || m->scale == op->mem.scale) && m->displacement == displacement &&
	       m->per_cpu == (op->mem.segment == X86_REG_GS || op->mem.segment == X86_REG_FS);
}

static void compare_places(const cs_insn *cs, const struct insn *ours)
{
	const struct insn_memory *places[] = { &ours->memory, &ours->memory2, &ours->address };

	for (unsigned i = 0; i < cs->detail->x86.op_count; i++) {
		const cs_x86_op *op = &cs->detail->x86.operands[i];
		bool found = op->type != X86_OP_MEM || strstr(cs->mnemonic, "nop");
		bool size = found;
		for (size_t j = 0; j < array_size(places) && !(found && size); j++) {
			bool here = same_place(cs, op, places[j]);
			found |= here;
			size |= here &&
				(places[j] == &ours->address || places[j]->size == op->size);
		}
		if (!found || !size)
			differ(found ? "size" : "place", cs, found ? "size" : "place");
	}
}

static void compare(csh handle, const cs_insn *cs, const struct insn *ours)
{
	cs_regs read, written;
	uint8_t reads = 0, writes = 0;
	uint64_t theirs = 0;
	bool memory = false, ours_memory = ours->memory.write || ours->memory2.write;

	if (cs->size != ours->length) {
		differ("length", cs, "length");
		return;
	}
	if (cs_regs_access(handle, cs, read, &reads, written, &writes) != CS_ERR_OK)
		return;
	for (unsigned i = 0; i < writes; i++) {
		int reg = reg_of(written[i]);
		if (reg >= 0)
			theirs |= UINT64_C(1) << reg;
	}
	for (unsigned i = 0; i < cs->detail->x86.op_count; i++) {
		const cs_x86_op *op = &cs->detail->x86.operands[i];
		memory |= op->type == X86_OP_MEM && op->access & CS_AC_WRITE;
	}
	compare_places(cs, ours);
	/* Capstone does not speak of what goes to the stack. */
	if (ours_memory && !memory && ours->memory.base == X86_RSP && !ours->memory.displacement &&
	    (ours->kind == INSN_CALL || ours->does == INSN_DOES_PUSH))
		ours_memory = false;
	if (ours_memory && !memory && ours->memory2.present && ours->memory2.base == X86_RSP)
		ours_memory = false;
	uint64_t general = theirs & 0xffff, mine = ours->writes & 0xffff;
	for (unsigned reg = 0; reg < 16; reg++) {
		char what[48];
		snprintf(what, sizeof(what), "%s", arch_x86_64.reg_names[reg]);
		if ((general & ~mine) >> reg & 1)
			differ("less", cs, what);
		if ((mine & ~general) >> reg & 1)
			differ("more", cs, what);
	}
	if (memory != ours_memory)
		differ(memory ? "less" : "more", cs, "memory");
}

static void sweep(csh handle, cs_insn *cs, const uint8_t *code, size_t size, uint64_t address)
{
	for (size_t at = 0; at < size;) {
		struct insn insn;
		const uint8_t *p = code + at;
		size_t left = size - at;
		uint64_t pc = address + at;

		if (!code_decode(p, left, pc, &insn)) {
			undecoded++;
			at++;
			continue;
		}
		insns++;
		if (cs_disasm_iter(handle, &p, &left, &pc, cs))
			compare(handle, cs, &insn);
		else
			unknown++;
		at += insn.length;
	}
}

static void sweep_functions(Elf *elf, csh handle, cs_insn *cs)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header, text;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB ||
		    !(data = elf_getdata(section, NULL)))
			continue;
		for (int i = 0; i < (int)(header.sh_size / header.sh_entsize); i++) {
			GElf_Sym symbol;
			Elf_Data *code;
			if (!gelf_getsym(data, i, &symbol) ||
			    GELF_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_size ||
			    symbol.st_size > FUNCTION_MAX || symbol.st_shndx >= SHN_LORESERVE)
				continue;
			Elf_Scn *home = elf_getscn(elf, symbol.st_shndx);
			if (!home || !gelf_getshdr(home, &text) || text.sh_type == SHT_NOBITS ||
			    !(code = elf_getdata(home, NULL)) || symbol.st_value < text.sh_addr ||
			    symbol.st_value - text.sh_addr + symbol.st_size > code->d_size)
				continue;
			sweep(handle, cs,
			      (const uint8_t *)code->d_buf + (symbol.st_value - text.sh_addr),
			      symbol.st_size, symbol.st_value);
		}
	}
}

int main(int argc, char **argv)
{
	csh handle;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE) {
		fprintf(stderr, "usage: write_sets VMLINUX\n");
		return 2;
	}
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return 2;
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	cs_insn *cs = cs_malloc(handle);
	sweep_functions(elf, handle, cs);
	printf("insns %lu\nundecoded %lu\nunknown %lu\n", insns, undecoded, unknown);
	for (size_t i = 0; i < difference_count; i++) {
		const struct difference *d = &differences[i];
		printf("%s\t%s\t%s\t%lu\t%" PRIx64 "\t%s\n", d->sign, d->mnemonic, d->what,
		       d->count, d->example, d->text);
	}
	cs_free(cs, 1);
	cs_close(&handle);
	elf_end(elf);
	close(fd);
	return 0;
}
