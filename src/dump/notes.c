// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: notes are {name size, description size, type, name, description}, the last
 * two padded to 4 bytes (elf(5)). A kernel dump has one CORE/NT_PRSTATUS for each CPU that saved
 * its registers, VMCOREINFO, and with QEMU one "QEMU" note for each CPU (target/i386/
 * arch_dump.c). The same area is in ELF dumps (PT_NOTE) and in kdump-compressed ones (sub-header).
 *
 * Zeroes between notes are skipped: a CPU that was off leaves a hole in some kernels.
 */
#include <elf.h>
#include <string.h>

#include "base/bytes.h"
#include "dump/format.h"

enum { NOTES_MAX = 1 << 16, PRSTATUS_MIN = 112 + 8 };

/* sizeof(struct elf_prstatus) tells architectures apart where no header does. */
static const struct {
	size_t prstatus_size;
	uint16_t machine;
} machines[] = {
	{ 336, EM_X86_64 },
	{ 392, EM_AARCH64 },
	{ 376, EM_RISCV },
	{ 504, EM_PPC64 },
	{ 480, 258 /* EM_LOONGARCH */ },
	{ 144, EM_386 },
	{ 148, EM_ARM },
};

static bool name_is(const char *name, size_t size, const char *wanted)
{
	size_t len = strlen(wanted);

	/* The size counts the NUL; there are writers that leave it out. */
	return (size == len || size == len + 1) && memcmp(name, wanted, len) == 0;
}

static void add_note(struct dump *dump, unsigned kind, const uint8_t *data, size_t size)
{
	unsigned cpu = 0;

	if (dump->notes.count >= NOTES_MAX)
		return;
	/* Notes of one kind follow each other or alternate with the other kind. */
	for (size_t i = dump->notes.count; i--;) {
		if (dump->notes.data[i].kind == kind) {
			cpu = dump->notes.data[i].cpu + 1;
			break;
		}
	}
	struct dump_cpu_note note = { .cpu = cpu, .data = data, .size = size };
	note.kind = kind;
	vec_push(&dump->notes, note);
}

static void take_note(struct dump *dump, const char *name, size_t name_size, uint32_t type,
		      const uint8_t *desc, size_t size)
{
	if (name_is(name, name_size, "VMCOREINFO")) {
		dump_set_vmcoreinfo(dump, desc, size);
	} else if (name_is(name, name_size, "VMCOREINFO_XEN")) {
		dump_problem(dump, "taken under a Xen hypervisor: page frame numbers are the "
				   "machine's, not Linux's, which cannot be translated yet");
	} else if (name_is(name, name_size, "QEMU") && type == 0 && size) {
		add_note(dump, NOTE_QEMU, desc, size);
	} else if (name_is(name, name_size, "CORE") && type == NT_AUXV) {
		dump->is_process = true;
	} else if (name_is(name, name_size, "CORE") && type == NT_PRSTATUS &&
		   size >= PRSTATUS_MIN) {
		add_note(dump, NOTE_PRSTATUS, desc, size);
		for (size_t i = 0; !dump->info.elf_machine && i < array_size(machines); i++)
			if (machines[i].prstatus_size == size)
				dump->info.elf_machine = machines[i].machine;
	}
}

static bool align_4(struct bytes *b)
{
	size_t pad = -b->pos & 3;

	/* The padding of the last note may be missing. */
	bytes_seek(b, b->pos + (pad < bytes_left(b) ? pad : bytes_left(b)));
	return !b->bad;
}

void dump_parse_notes(struct dump *dump, const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);

	while (bytes_left(&b) >= sizeof(Elf64_Nhdr)) {
		uint32_t name_size = bytes_u32(&b);
		uint32_t desc_size = bytes_u32(&b);
		uint32_t type = bytes_u32(&b);
		if (!name_size) {
			bytes_seek(&b, b.pos - 8);
			continue;
		}
		const char *name = bytes_take(&b, name_size);
		bool ok = align_4(&b);
		const uint8_t *desc = bytes_take(&b, desc_size);
		if (!ok || !name || !desc) {
			dump_problem(dump, "its notes are damaged at byte %zu of %zu", b.pos, size);
			return;
		}
		take_note(dump, name, name_size, type, desc, desc_size);
		if (!align_4(&b))
			return;
	}
}

bool dump_has_qemu_notes(const struct dump *dump)
{
	for (size_t i = 0; i < dump->notes.count; i++)
		if (dump->notes.data[i].kind == NOTE_QEMU)
			return true;
	return false;
}
