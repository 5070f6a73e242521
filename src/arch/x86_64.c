// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * x86-64. Sources: register numbers, System V psABI; struct elf_prstatus and user_regs_struct,
 * Linux arch/x86/include/asm/user_64.h; struct pt_regs, arch/x86/include/asm/ptrace.h; QEMU's note,
 * target/i386/arch_dump.c (QEMUCPUState); paging, Intel SDM volume 3, chapter 4, and Linux
 * arch/x86/include/asm/pgtable_types.h.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"

static const char *const reg_names[X86_REG_COUNT] = {
	"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8",     "r9", "r10",
	"r11", "r12", "r13", "r14", "r15", "rip", "rflags", "cs", "ss", "orig_rax",
};

static const uint8_t arg_regs[] = { X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9 };

/* The order in which the kernel pushes registers: pt_regs and user_regs_struct share it. */
static const uint8_t pt_regs_order[] = {
	X86_R15, X86_R14, X86_R13, X86_R12, X86_RBP, X86_RBX,      X86_R11,
	X86_R10, X86_R9,  X86_R8,  X86_RAX, X86_RCX, X86_RDX,      X86_RSI,
	X86_RDI, X86_ORIG_RAX, X86_RIP, X86_CS, X86_RFLAGS, X86_RSP, X86_SS,
};

enum {
	PT_REGS_SIZE = sizeof(pt_regs_order) * 8,
	PRSTATUS_REGS = 112,  /* offsetof(struct elf_prstatus, pr_reg) */
	PRSTATUS_SIZE = 336,
};

static void regs_from_pt_regs(const uint8_t *bytes, struct regs *regs)
{
	*regs = (struct regs){ 0 };
	for (size_t i = 0; i < array_size(pt_regs_order); i++)
		regs_set(regs, pt_regs_order[i], load_u64(bytes + i * 8));
	/* With FRED the upper bits of the selectors carry event data (struct fred_cs, 6.9). */
	regs->value[X86_CS] &= 0xffff;
	regs->value[X86_SS] &= 0xffff;
}

/* struct QEMUCPUState: u32 version, size; then these, then segments, then control registers. */
static const uint8_t qemu_order[] = {
	X86_RAX, X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RSP, X86_RBP, X86_R8,
	X86_R9,  X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15, X86_RIP, X86_RFLAGS,
};

enum {
	QEMU_REGS = 8,
	QEMU_SEGMENTS = QEMU_REGS + sizeof(qemu_order) * 8,
	QEMU_SEGMENT_SIZE = 24, /* u32 selector, limit, flags, pad; u64 base */
	QEMU_CR = QEMU_SEGMENTS + 10 * QEMU_SEGMENT_SIZE,
	QEMU_KERNEL_GS = QEMU_CR + 5 * 8,
	QEMU_SIZE_MIN = QEMU_KERNEL_GS,
};

enum qemu_segment { QEMU_CS, QEMU_DS, QEMU_ES, QEMU_FS, QEMU_GS, QEMU_SS, QEMU_LDT, QEMU_TR,
		    QEMU_GDT, QEMU_IDT };

static const uint8_t *qemu_segment(const struct dump_cpu_note *note, enum qemu_segment which)
{
	return note->data + QEMU_SEGMENTS + which * QEMU_SEGMENT_SIZE;
}

static uint64_t qemu_base(const struct dump_cpu_note *note, enum qemu_segment which)
{
	return load_u64(qemu_segment(note, which) + 16);
}

static bool note_regs(const struct dump_cpu_note *note, struct regs *regs)
{
	if (note->kind == NOTE_PRSTATUS && note->size >= PRSTATUS_REGS + PT_REGS_SIZE &&
	    note->size <= PRSTATUS_SIZE) {
		regs_from_pt_regs(note->data + PRSTATUS_REGS, regs);
		return true;
	}
	if (note->kind == NOTE_QEMU && note->size >= QEMU_SIZE_MIN) {
		*regs = (struct regs){ 0 };
		for (size_t i = 0; i < array_size(qemu_order); i++)
			regs_set(regs, qemu_order[i], load_u64(note->data + QEMU_REGS + i * 8));
		regs_set(regs, X86_CS, load_u32(qemu_segment(note, QEMU_CS)));
		regs_set(regs, X86_SS, load_u32(qemu_segment(note, QEMU_SS)));
		return true;
	}
	return false;
}

static bool note_control(const struct dump_cpu_note *note, struct arch_control *control)
{
	if (note->kind != NOTE_QEMU || note->size < QEMU_SIZE_MIN)
		return false;
	const uint8_t *cr = note->data + QEMU_CR;
	*control = (struct arch_control){
		.cr0 = load_u64(cr),
		.cr2 = load_u64(cr + 2 * 8),
		.cr3 = load_u64(cr + 3 * 8),
		.cr4 = load_u64(cr + 4 * 8),
		.idt_base = qemu_base(note, QEMU_IDT),
		.idt_limit = load_u32(qemu_segment(note, QEMU_IDT) + 4),
		.gdt_base = qemu_base(note, QEMU_GDT),
		.tr_base = qemu_base(note, QEMU_TR),
		.gs_base = qemu_base(note, QEMU_GS),
	};
	if (note->size >= QEMU_KERNEL_GS + 8)
		control->kernel_gs_base = load_u64(note->data + QEMU_KERNEL_GS);
	return true;
}

enum {
	SELECTOR_KERNEL_CS = 0x10,
	SELECTOR_KERNEL_DS = 0x18,
	SELECTOR_USER_DS = 0x2b,
	SELECTOR_USER_CS = 0x33,
	SELECTOR_USER32_CS = 0x23,
	RFLAGS_ALWAYS_ONE = 1 << 1,
	/* Bits 3, 5 and 15 read as zero; above 21 all are reserved. */
	RFLAGS_ALWAYS_ZERO = 1 << 3 | 1 << 5 | 1 << 15,
};

static bool from_user(const struct regs *regs)
{
	return (regs->value[X86_CS] & 3) == 3;
}

static bool pt_regs_sane(const struct regs *regs)
{
	uint64_t cs = regs->value[X86_CS], ss = regs->value[X86_SS];
	uint64_t flags = regs->value[X86_RFLAGS];

	if (!(flags & RFLAGS_ALWAYS_ONE) || flags & RFLAGS_ALWAYS_ZERO || flags >> 22)
		return false;
	if (cs == SELECTOR_KERNEL_CS)
		return ss == SELECTOR_KERNEL_DS || ss == 0;
	return (cs == SELECTOR_USER_CS || cs == SELECTOR_USER32_CS) && ss == SELECTOR_USER_DS;
}

static bool canonical(uint64_t vaddr, unsigned levels)
{
	unsigned bits = levels == 5 ? 57 : 48;
	int64_t top = (int64_t)vaddr >> (bits - 1);

	return top == 0 || top == -1;
}

static bool is_kernel_address(uint64_t vaddr)
{
	return vaddr >> 63;
}

#define PTE_PRESENT  (UINT64_C(1) << 0)
#define PTE_HUGE     (UINT64_C(1) << 7)
#define PTE_PROTNONE (UINT64_C(1) << 8) /* _PAGE_GLOBAL in an entry that is not present */
#define PTE_PAT_HUGE (UINT64_C(1) << 12)
#define PTE_ADDRESS  UINT64_C(0x000ffffffffff000)

/*
 * The address bits of an entry. Linux keeps the frame number in PROT_NONE entries, but inverted, so
 * that a CPU with the L1TF fault cannot speculate on it (arch/x86/include/asm/pgtable-invert.h).
 */
static uint64_t entry_address(const struct page_root *root, uint64_t entry)
{
	uint64_t mask = root->phys_mask ? root->phys_mask : PTE_ADDRESS;

	return (entry & PTE_PRESENT ? entry : ~entry) & mask & PTE_ADDRESS;
}

static void walk_tables(const struct page_root *root, uint64_t vaddr, read_phys_fn read, void *ctx,
			struct walk *walk)
{
	static const char *const names[] = { "PTE", "PMD", "PUD", "P4D", "PGD" };
	struct paddr table = root->table;

	*walk = (struct walk){ .status = READ_UNMAPPED };
	if (root->levels < 4 || root->levels > 5 || !canonical(vaddr, root->levels))
		return;
	for (unsigned level = root->levels; level-- > 0;) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		struct paddr at = { table.v + (vaddr >> shift & 511) * 8 };
		uint64_t size = UINT64_C(1) << shift;
		uint64_t entry = 0;

		walk->page_size = size;
		walk->step[walk->levels].name =
			level == root->levels - 1 ? "PGD" : names[level];
		walk->step[walk->levels].entry_addr = at;
		walk->status = read(ctx, at, &entry, sizeof(entry));
		if (walk->status != READ_OK)
			return;
		walk->step[walk->levels++].entry = entry;
		walk->flags = entry & ~PTE_ADDRESS;
		bool leaf = level == 0 || (level <= 2 && entry & PTE_HUGE);
		if (!(entry & PTE_PRESENT) && !(leaf && entry & PTE_PROTNONE)) {
			walk->status = READ_UNMAPPED;
			return;
		}
		if (leaf) {
			uint64_t frame = entry_address(root, entry) & ~(size - 1);
			walk->paddr = (struct paddr){ frame | (vaddr & (size - 1)) };
			return;
		}
		table = (struct paddr){ entry_address(root, entry) };
	}
}

static void pte_flags(uint64_t entry, char *buf, size_t size)
{
	static const struct {
		unsigned bit;
		const char *name;
	} flags[] = {
		{ 0, "PRESENT" }, { 1, "RW" },     { 2, "USER" },  { 3, "PWT" },
		{ 4, "PCD" },     { 5, "ACCESSED" }, { 6, "DIRTY" }, { 7, "PSE" },
		{ 8, "GLOBAL" },  { 63, "NX" },
	};
	bool present = entry & PTE_PRESENT;
	size_t used = 0;

	buf[0] = '\0';
	/* Of an entry that maps nothing, these bits mean something else. */
	if (!present && !(entry & PTE_PROTNONE))
		return;
	for (size_t i = 0; i < array_size(flags); i++) {
		bool none = !present && (UINT64_C(1) << flags[i].bit) == PTE_PROTNONE;
		if (!(entry >> flags[i].bit & 1))
			continue;
		int n = snprintf(buf + used, size - used, "%s%s", used ? "|" : "",
				 none ? "PROTNONE" : flags[i].name);
		if (n < 0 || (size_t)n >= size - used)
			return;
		used += (size_t)n;
	}
}

static bool pte_address(uint64_t entry, struct paddr *paddr)
{
	static const struct page_root any = { 0 };

	if (!(entry & (PTE_PRESENT | PTE_PROTNONE)))
		return false;
	*paddr = (struct paddr){ entry_address(&any, entry) };
	return true;
}

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.reg_count = X86_REG_COUNT,
	.reg_names = reg_names,
	.pc = X86_RIP,
	.sp = X86_RSP,
	.fp = X86_RBP,
	/* __START_KERNEL_map and twice KERNEL_IMAGE_SIZE without KASLR, page_64_types.h */
	.image_base = UINT64_C(0xffffffff80000000),
	.image_size_max = UINT64_C(1) << 30,
	.arg_regs = arg_regs,
	.arg_reg_count = array_size(arg_regs),
	/* System V psABI, figure 3.4 */
	.preserved = 1 << X86_RBX | 1 << X86_RBP | 1 << X86_RSP | 1 << X86_R12 | 1 << X86_R13 |
		     1 << X86_R14 | 1 << X86_R15,
	.note_regs = note_regs,
	.note_control = note_control,
	.pt_regs_size = PT_REGS_SIZE,
	.pt_regs = regs_from_pt_regs,
	.pt_regs_sane = pt_regs_sane,
	.from_user = from_user,
	.canonical = canonical,
	.is_kernel_address = is_kernel_address,
	.walk = walk_tables,
	.pte_flags = pte_flags,
	.pte_address = pte_address,
};
