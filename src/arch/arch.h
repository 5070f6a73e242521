/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 2: what only a CPU architecture knows: registers and their names, notes, page tables,
 * canonical addresses, exception frames.
 *
 * In: raw bytes and a way to read physical memory. Out: registers, translations. Nothing here
 * keeps state; `struct arch` is a constant table.
 *
 * A new architecture is one file with a `struct arch` and one line in arches[] (arch.c).
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "dump/dump.h"

enum { ARCH_REGS_MAX = 40 };

/* x86-64 register numbers are DWARF's (System V psABI, figure 3.36), so that CFI can use them. */
enum x86_reg {
	X86_RAX, X86_RDX, X86_RCX, X86_RBX, X86_RSI, X86_RDI, X86_RBP, X86_RSP,
	X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
	X86_RIP, X86_RFLAGS, X86_CS, X86_SS, X86_ORIG_RAX,
	X86_REG_COUNT,
};

/* Register values, and which of them are known. */
struct regs {
	uint64_t value[ARCH_REGS_MAX];
	uint64_t known; /* bit n: value[n] means something */
};

static inline bool regs_known(const struct regs *regs, unsigned reg)
{
	return regs->known >> reg & 1;
}

static inline void regs_set(struct regs *regs, unsigned reg, uint64_t value)
{
	regs->value[reg] = value;
	regs->known |= UINT64_C(1) << reg;
}

static inline void regs_forget(struct regs *regs, unsigned reg)
{
	regs->known &= ~(UINT64_C(1) << reg);
}

/* How an architecture's page-table walk gets at page tables. */
typedef enum read_status (*read_phys_fn)(void *ctx, struct paddr addr, void *buf, size_t size);

enum { WALK_LEVELS_MAX = 5 };

/* The result of a page-table walk, with every step for `vtop`. */
struct walk {
	enum read_status status; /* READ_OK, READ_UNMAPPED, or why a table could not be read */
	struct paddr paddr;      /* of the address asked for */
	uint64_t page_size;      /* 4 KiB, 2 MiB, 1 GiB; with READ_UNMAPPED the size of the hole */
	uint64_t flags;          /* the last entry's attribute bits */
	unsigned levels;         /* steps taken */
	struct {
		const char *name;    /* "PGD", "P4D", "PUD", "PMD", "PTE" */
		struct paddr entry_addr;
		uint64_t entry;
	} step[WALK_LEVELS_MAX];
};

/* A page-table root and the shape of the tables below it. */
struct page_root {
	struct paddr table;
	unsigned levels;   /* 4 or 5 on x86-64 */
	uint64_t phys_mask; /* address bits of an entry; takes out SME's encryption bit */
};

/* What a hypervisor's note says beyond the general registers. */
struct arch_control {
	uint64_t cr0, cr2, cr3, cr4;
	uint64_t idt_base, idt_limit;
	uint64_t gdt_base, tr_base;
	uint64_t gs_base, kernel_gs_base;
};

struct arch {
	const char *name; /* as uname -m says */
	uint16_t elf_machine;
	unsigned reg_count;
	const char *const *reg_names;
	unsigned pc, sp, fp;
	/* Link-time start and greatest size of the kernel image's linear mapping. */
	uint64_t image_base, image_size_max;
	/* Arguments of a function in order of the calling convention. */
	const uint8_t *arg_regs;
	unsigned arg_reg_count;
	/* Bit n: a function call preserves register n. */
	uint64_t preserved;
	/* Registers out of a CPU's note. @false when the note is too short or of a foreign kind. */
	bool (*note_regs)(const struct dump_cpu_note *note, struct regs *regs);
	/* Control registers and descriptor tables of a QEMU note; 0 for what the note lacks. */
	bool (*note_control)(const struct dump_cpu_note *note, struct arch_control *control);
	/* A struct pt_regs as the kernel lays it out on a stack. */
	size_t pt_regs_size;
	void (*pt_regs)(const uint8_t *bytes, struct regs *regs);
	/* Do these look like registers saved by an exception or interrupt? (Selectors, flags.) */
	bool (*pt_regs_sane)(const struct regs *regs);
	bool (*from_user)(const struct regs *regs);
	bool (*canonical)(uint64_t vaddr, unsigned levels);
	bool (*is_kernel_address)(uint64_t vaddr);
	void (*walk)(const struct page_root *root, uint64_t vaddr, read_phys_fn read, void *ctx,
		     struct walk *walk);
	/* "PRESENT|RW|..." for the bits of a page-table entry. */
	void (*pte_flags)(uint64_t entry, char *buf, size_t size);
	/* The page that a present entry of the last level maps; false when it maps none. */
	bool (*pte_address)(uint64_t entry, struct paddr *paddr);
};

extern const struct arch arch_x86_64;

/* The architecture of a dump, from ELF machine, utsname or notes; an error names what it is. */
struct error *arch_of_dump(const struct dump *dump, const struct arch **arch) must_check;
