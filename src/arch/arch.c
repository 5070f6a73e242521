// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which architecture a dump is of. Three witnesses, in order of trust: the ELF header (kdump and
 * QEMU ELF), the machine name in a kdump header (QEMU leaves it empty), and whether a CPU note has
 * the size that an architecture's notes have.
 */
#include "arch/arch.h"

#include <elf.h>
#include <string.h>

static const struct arch *const arches[] = {
	&arch_x86_64,
};

static const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_AARCH64:
		return "aarch64";
	case EM_ARM:
		return "arm";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390x";
	case EM_RISCV:
		return "riscv";
	case EM_LOONGARCH:
		return "loongarch";
	default:
		return NULL;
	}
}

static const struct arch *by_notes(const struct dump_info *info)
{
	for (size_t i = 0; i < array_size(arches); i++) {
		for (size_t n = 0; n < info->note_count; n++) {
			struct regs regs = { 0 };
			if (arches[i]->note_regs(&info->notes[n], &regs))
				return arches[i];
		}
	}
	return NULL;
}

struct error *arch_of_dump(const struct dump *dump, const struct arch **arch)
{
	const struct dump_info *info = dump_info(dump);

	for (size_t i = 0; i < array_size(arches); i++) {
		bool named = info->machine[0] && strcmp(arches[i]->name, info->machine) == 0;
		if (info->elf_machine ? info->elf_machine == arches[i]->elf_machine : named) {
			*arch = arches[i];
			return NULL;
		}
	}
	if (info->elf_machine) {
		const char *name = machine_name(info->elf_machine);
		if (name)
			return error_new(ERROR_UNSUPPORTED, "this is a dump of a %s machine; "
					 "only x86_64 is supported", name);
		return error_new(ERROR_UNSUPPORTED, "this is a dump of ELF machine %u; only x86_64 "
				 "is supported", info->elf_machine);
	}
	if (info->machine[0])
		return error_new(ERROR_UNSUPPORTED, "this is a dump of a machine of type '%s'; "
				 "only x86_64 is supported", info->machine);
	*arch = by_notes(info);
	/* Nothing speaks against x86-64, the only one there is; wrong, it finds no symbols. */
	if (!*arch)
		*arch = arches[0];
	return NULL;
}
