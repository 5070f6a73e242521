// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The registers that CPUs had when the machine died. Three sources, the best first:
 *
 * 1. `crash_notes`, a per-CPU buffer in the kernel's own memory. Each CPU writes an ELF note
 *    NT_PRSTATUS to its own when it crashes or is stopped (crash_save_cpu(), kernel/crash_core.c).
 *    It is all zeros on a CPU that did not get there.
 * 2. QEMU's notes in the dump file: what the virtual CPUs held when the dump was made. Their GS
 *    base is the address of the CPU's per-CPU area, which says which CPU it is.
 * 3. NT_PRSTATUS notes in the dump file. Of a kdump they are the crash_notes of the CPUs in
 *    order, but those of CPUs that wrote none are left out; the pid in a note tells the task that
 *    ran there, and by it we find which are missing.
 */
#include "kernel/cpu_state.h"

#include "base/bytes.h"

enum {
	NT_PRSTATUS_TYPE = 1,      /* include/uapi/linux/elf.h */
	NOTE_HEADER_SIZE = 12 + 8, /* Elf64_Nhdr and "CORE" padded to four bytes */
	NOTE_MAX = 1024,
	PRSTATUS_PID = 32, /* offsetof(struct elf_prstatus, pr_pid) on 64-bit machines */
};

static void regs_from_memory(struct session *s, struct cpu_state *state)
{
	uint64_t notes;

	if (!kglobal(s, "crash_notes", 8, &notes) || !notes)
		return;
	for (size_t i = 0; i < state->count; i++) {
		struct cpu *cpu = &state->cpus[i];
		uint8_t buf[NOTE_MAX];
		size_t got =
			memory_read_some(s->memory, notes + cpu->percpu_offset, buf, sizeof(buf));
		if (got < NOTE_HEADER_SIZE || load_u32(buf) != 5 ||
		    load_u32(buf + 8) != NT_PRSTATUS_TYPE || memcmp(buf + 12, "CORE", 5) != 0)
			continue;
		struct dump_cpu_note note = {
			.kind = NOTE_PRSTATUS,
			.cpu = cpu->id,
			.data = buf + NOTE_HEADER_SIZE,
			.size = load_u32(buf + 4),
		};
		if (note.size <= got - NOTE_HEADER_SIZE && s->arch->note_regs(&note, &cpu->regs)) {
			cpu->has_regs = true;
			cpu->regs_source = "crash note";
		}
	}
}

static void set_from_note(struct session *s, struct cpu *cpu, const struct dump_cpu_note *note,
			  const char *source)
{
	struct regs regs = { 0 };

	if (!cpu->has_regs && s->arch->note_regs(note, &regs)) {
		cpu->regs = regs;
		cpu->has_regs = true;
		cpu->regs_source = source;
	}
}

static struct cpu *cpu_of_qemu_note(struct session *s, struct cpu_state *state,
				    const struct dump_cpu_note *note)
{
	struct arch_control control = { 0 };

	if (s->arch->note_control && s->arch->note_control(note, &control)) {
		for (size_t i = 0; i < state->count; i++) {
			uint64_t area = state->cpus[i].percpu_offset;
			if (area && (control.gs_base == area || control.kernel_gs_base == area))
				return &state->cpus[i];
		}
	}
	for (size_t i = 0; i < state->count; i++) {
		if (state->cpus[i].id == note->cpu)
			return &state->cpus[i];
	}
	return NULL;
}

/* The pid of the task that @cpu ran, as its note would have it. */
static bool current_pid(struct session *s, const struct cpu *cpu, uint64_t *pid)
{
	return cpu->current_task && kread(s, cpu->current_task, "task_struct", "pid", pid);
}

static void regs_from_prstatus(struct session *s, struct cpu_state *state)
{
	const struct dump_info *info = dump_info(s->dump);
	size_t at = 0, left = 0;

	for (size_t i = 0; i < info->note_count; i++)
		left += info->notes[i].kind == NOTE_PRSTATUS;
	for (size_t i = 0; i < info->note_count && at < state->count; i++) {
		const struct dump_cpu_note *note = &info->notes[i];
		if (note->kind != NOTE_PRSTATUS || note->size < PRSTATUS_PID + 4)
			continue;
		uint32_t note_pid = load_u32(note->data + PRSTATUS_PID);
		/* Pass over CPUs that ran another task, while there are more CPUs than notes. */
		for (uint64_t pid; state->count - at > left &&
				   current_pid(s, &state->cpus[at], &pid) &&
				   (uint32_t)pid != note_pid;)
			at++;
		set_from_note(s, &state->cpus[at++], note, "note in the dump file");
		left--;
	}
}

void cpu_find_regs(struct session *s, struct cpu_state *state)
{
	const struct dump_info *info = dump_info(s->dump);
	bool qemu = false;

	regs_from_memory(s, state);
	for (size_t i = 0; i < info->note_count; i++) {
		const struct dump_cpu_note *note = &info->notes[i];
		if (note->kind != NOTE_QEMU)
			continue;
		struct cpu *cpu = cpu_of_qemu_note(s, state, note);
		qemu = true;
		if (cpu)
			set_from_note(s, cpu, note, "QEMU note");
	}
	if (!qemu)
		regs_from_prstatus(s, state);
}
