// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reports often hold a session of crash instead of the log: its banner (PANIC:, RELEASE: ...), and
 * the stack of the task that panicked:
 *
 *	PID: 9377   TASK: ffff881c65ee5e20  CPU: 29  COMMAND: "nginx"
 *	 #9 [ffff881f66bbfc18] do_async_page_fault at ffffffff8169274b
 *	    [exception RIP: __free_pages+5]
 *	    RIP: ffffffff8118a075  RSP: ffff881f66bbfce0  RFLAGS: 00010246
 *	    RAX: ...
 *	#11 [ffff881f66bbfce0] ceph_aio_read at ffffffffa02deb11 [ceph]
 *
 * The offset behind "exception RIP" is decimal. Return addresses are printed without offsets: where
 * these functions begin is not known, unless a disassembly in the text says so.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text.h"
#include "kernel/text_lines.h"

enum { FRAMES_MAX = 256, STACKS_MAX = 4096 };

static const struct {
	const char *name;
	unsigned reg;
} registers[] = {
	{ "RIP", X86_RIP }, { "RSP", X86_RSP }, { "RFLAGS", X86_RFLAGS }, { "RAX", X86_RAX },
	{ "RBX", X86_RBX }, { "RCX", X86_RCX }, { "RDX", X86_RDX },       { "RSI", X86_RSI },
	{ "RDI", X86_RDI }, { "RBP", X86_RBP }, { "R8", X86_R8 },         { "R9", X86_R9 },
	{ "R10", X86_R10 }, { "R11", X86_R11 }, { "R12", X86_R12 },       { "R13", X86_R13 },
	{ "R14", X86_R14 }, { "R15", X86_R15 }, { "CS", X86_CS },         { "SS", X86_SS },
	{ "ORIG_RAX", X86_ORIG_RAX },
};

/* What follows @key in the line, as a word of its own; NULL. */
static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	for (const char *at = line; (at = strstr(at, key)); at += n) {
		if ((at == line || at[-1] == ' ' || at[-1] == '[') && at[n] == ':')
			return at + n + 1 + strspn(at + n + 1, " ");
	}
	return NULL;
}

static bool hex_at(const char *s, uint64_t *value)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	if (!n || n > 16)
		return false;
	*value = strtoull(s, NULL, 16);
	return true;
}

static bool add_registers(const char *line, struct regs *regs)
{
	bool any = false;
	uint64_t value;

	for (size_t i = 0; i < array_size(registers); i++) {
		const char *at = value_of(line, registers[i].name);
		if (!at || !hex_at(at, &value))
			continue;
		regs_set(regs, registers[i].reg, value);
		any = true;
	}
	return any;
}

static const char *trimmed(struct arena *arena, const char *s, size_t n)
{
	while (n && s[n - 1] == ' ')
		n--;
	return arena_strndup(arena, s, n);
}

static void read_banner_line(const char *line, struct arena *arena, struct text_banner *b)
{
	const struct {
		const char *key;
		const char **to;
	} keys[] = {
		{ "PANIC: ", &b->panic },     { "RELEASE: ", &b->release }, { "VERSION: ", &b->version },
		{ "MACHINE: ", &b->machine }, { "NODENAME: ", &b->nodename }, { "UPTIME: ", &b->uptime },
		{ "LOAD AVERAGE: ", &b->load }, { "CPUS: ", &b->cpus }, { "MEMORY: ", &b->memory },
		{ "DATE: ", &b->date },
	};
	const char *slash;

	for (size_t i = 0; i < array_size(keys); i++) {
		if (!starts_with(line, keys[i].key) || *keys[i].to)
			continue;
		const char *at = line + strlen(keys[i].key);
		at += strspn(at, " \"");
		*keys[i].to = trimmed(arena, at, strcspn(at, "\""));
	}
	/* The path of its debug file names the release, where nothing else does. */
	if (starts_with(line, "KERNEL: ") && !b->release &&
	    (slash = strstr(line, "/lib/modules/"))) {
		slash += strlen("/lib/modules/");
		b->release = arena_strndup(arena, slash, strcspn(slash, "/ "));
	}
}

/* "#11 [ffff881f66bbfce0] ceph_aio_read at ffffffffa02deb11 [ceph]" */
static bool read_frame(const char *line, struct arena *arena, struct oops_frame *frame,
		       long *number)
{
	const char *at = line;
	uint64_t sp;

	*frame = (struct oops_frame){ 0 };
	if (*at++ != '#' || !isdigit((unsigned char)*at))
		return false;
	*number = strtol(at, NULL, 10);
	at += strspn(at, "0123456789");
	if (!starts_with(at, " [") || !hex_at(at + 2, &sp) || !(at = strchr(at, ']')) ||
	    at[1] != ' ')
		return false;
	at += 2;
	size_t n = strcspn(at, " ");
	const char *name = at;
	at += n;
	if (!n || !starts_with(at, " at ") || !hex_at(at + 4, &frame->place.address))
		return false;
	frame->place.function = arena_strndup(arena, name, n);
	at += 4 + strspn(at + 4, "0123456789abcdefABCDEF");
	if (starts_with(at, " ["))
		frame->place.module = arena_strndup(arena, at + 2, strcspn(at + 2, "]"));
	return true;
}

/* "[exception RIP: __free_pages+5]" */
static bool read_exception(const char *line, struct arena *arena, struct oops_place *pc)
{
	static const char marker[] = "[exception RIP: ";
	const char *at = strstr(line, marker);

	if (!at)
		return false;
	at += strlen(marker);
	size_t n = strcspn(at, "+]");
	*pc = (struct oops_place){ 0 };
	if (at[n] != '+') /* "unknown or invalid address" */
		return true;
	pc->function = arena_strndup(arena, at, n);
	pc->offset = strtoull(at + n + 1, NULL, 10);
	return true;
}

struct reader {
	struct arena *arena;
	struct {
		vec_fields(struct oops_report);
	} stacks;
	struct oops_report *report; /* the last of them; NULL: none has begun */
	struct {
		vec_fields(struct oops_frame);
	} frames;                   /* of that */
	bool in_registers, at_fault;
	char entry[64];             /* the frame above the exception */
	long number;                /* of the last frame; a smaller one is of another stack */
	bool over;                  /* so is all that follows, up to the next header */
};

/* Entry code of exceptions (arch/x86/entry/entry_64.S), and how the kernel's log calls them. */
static const struct {
	const char *entry, *kind;
} entries[] = {
	{ "page_fault", "bad memory access" },          { "async_page_fault", "bad memory access" },
	{ "asm_exc_page_fault", "bad memory access" },  { "trace_page_fault", "bad memory access" },
	{ "invalid_op", "invalid opcode" },             { "asm_exc_invalid_op", "invalid opcode" },
	{ "general_protection", "general protection fault" },
	{ "asm_exc_general_protection", "general protection fault" },
	{ "divide_error", "divide error" },             { "asm_exc_divide_error", "divide error" },
	{ "double_fault", "double fault" },             { "asm_exc_double_fault", "double fault" },
	{ "stack_segment", "stack segment fault" },     { "int3", "breakpoint" },
};

/* What interrupted the task was no trouble of its own: an NMI, an interrupt. */
static const char *kind_of_entry(const char *entry)
{
	for (size_t i = 0; i < array_size(entries); i++) {
		if (strcmp(entries[i].entry, entry) == 0)
			return entries[i].kind;
	}
	return NULL;
}

static void complete(struct reader *r)
{
	struct oops_report *report = r->report;

	if (!report)
		return;
	struct oops_frame *frames = arena_zalloc(r->arena, (r->frames.count + 1) * sizeof(*frames));
	if (r->frames.count)
		memcpy(frames, r->frames.data, r->frames.count * sizeof(*frames));
	report->frames = frames;
	report->frame_count = r->frames.count;
	if (regs_known(&report->regs, X86_RIP))
		report->pc.address = report->regs.value[X86_RIP];
}

/* "PID: 9377   TASK: ffff881c65ee5e20  CPU: 29  COMMAND: "nginx"", in this order; "": without one. */
static void begin(struct reader *r, const char *line)
{
	const char *at = value_of(line, "PID");

	complete(r);
	if (r->stacks.count >= STACKS_MAX)
		return;
	struct oops_report report = { .cpu = -1, .pid = -1, .order = -1, .victim_pid = -1,
				      .code_pc = SIZE_MAX, .header = "" };
	vec_push(&r->stacks, report);
	r->report = &r->stacks.data[r->stacks.count - 1];
	r->frames.count = 0;
	r->at_fault = r->in_registers = false;
	r->entry[0] = '\0';
	r->number = -1;
	r->over = false;
	if (at)
		r->report->pid = (int)strtol(at, NULL, 10);
	if ((at = value_of(line, "CPU")))
		r->report->cpu = (int)strtol(at, NULL, 10);
	at = value_of(line, "COMMAND");
	if (at && *at == '"')
		r->report->comm = arena_strndup(r->arena, at + 1, strcspn(at + 1, "\""));
}

/* The banner has the command before the task. */
static bool is_header(const char *line)
{
	const char *task = value_of(line, "TASK"), *command = value_of(line, "COMMAND");

	return starts_with(line, "PID: ") && task && command && task < command;
}

static void take_exception(struct reader *r, const struct oops_place *pc)
{
	const char *kind = kind_of_entry(r->entry);

	/* What an interrupt or NMI came upon is a frame like others, but for the registers. */
	r->in_registers = true;
	r->at_fault = kind && !r->report->has_pc;
	if (!r->at_fault) {
		struct oops_frame frame = { .place = *pc };
		if (pc->function && r->frames.count < FRAMES_MAX)
			vec_push(&r->frames, frame);
		return;
	}
	/* Frames above are of the way down, and no part of the trace that the kernel prints. */
	r->report->kind = kind;
	r->report->pc = *pc;
	r->report->has_pc = true;
	r->frames.count = 0;
}

static void take_frame(struct reader *r, const struct oops_frame *frame)
{
	/* crash shows the function of the exception again, as the frame below it. */
	bool again = r->in_registers && r->at_fault && r->report->pc.function &&
		     strcmp(frame->place.function, r->report->pc.function) == 0;

	if (again)
		r->report->pc.module = frame->place.module;
	r->at_fault = r->in_registers = false;
	snprintf(r->entry, sizeof(r->entry), "%s", frame->place.function);
	if (!again && r->frames.count < FRAMES_MAX)
		vec_push(&r->frames, *frame);
}

static void take_line(struct reader *r, const char *line)
{
	struct oops_frame frame;
	struct oops_place pc;
	bool is_frame;
	long number;

	if (is_header(line)) {
		begin(r, line);
		return;
	}
	is_frame = read_frame(line, r->arena, &frame, &number);
	if (is_frame && !r->report)
		begin(r, "");
	r->over = r->over || (is_frame && number <= r->number);
	if (!r->report || r->over)
		return;
	if (is_frame)
		r->number = number;
	if (read_exception(line, r->arena, &pc))
		take_exception(r, &pc);
	if (is_frame)
		take_frame(r, &frame);
	else if (r->in_registers && r->at_fault)
		add_registers(line, &r->report->regs);
}

/* The banner's line of the task that panicked: "PID: 5487"; NULL. */
static const char *banner_task(const struct text_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		const char *text = lines->data[i].text + strspn(lines->data[i].text, " ");
		if (starts_with(text, "PID: ") && !is_header(text) &&
		    isdigit((unsigned char)text[5]))
			return text;
	}
	return NULL;
}

/*
 * Lines of `dis`: "0xffffffff8118a075 <__free_pages+5>: lock decl 0x1c(%rdi)". The one of the
 * exception tells its instruction; "<f+5>" also where f begins.
 */
static const char *find_instruction(const struct text_lines *lines,
				    const struct oops_report *report, struct arena *arena)
{
	char *place = report->pc.function
			      ? arena_printf(arena, "<%s+%lu>:", report->pc.function,
					     (unsigned long)report->pc.offset)
			      : NULL;

	for (size_t i = 0; place && i < lines->count; i++) {
		const char *text = lines->data[i].text, *at = strstr(text, place);
		if (!at || !starts_with(text, "0x"))
			continue;
		at += strlen(place);
		at += strspn(at, " ");
		/* Without the remarks of whoever wrote the report. */
		size_t n = strcspn(at, "<");
		if (*at && n)
			return trimmed(arena, at, n);
	}
	return NULL;
}

/* That of the task that panicked; where nobody says which, the first with a fault, else the first. */
static struct oops_report *choose_stack(struct oops_report *stacks, size_t count, int pid)
{
	for (size_t i = 0; i < count && pid >= 0; i++) {
		if (stacks[i].pid == pid)
			return &stacks[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (stacks[i].kind)
			return &stacks[i];
	}
	return count && pid < 0 ? &stacks[0] : NULL;
}

static void name_kinds(struct oops_report *stacks, size_t count, struct oops_report *death,
		       const struct text_banner *banner)
{
	const char *kind = banner->panic ? oops_kind_of_line(banner->panic) : NULL;

	for (size_t i = 0; i < count; i++) {
		stacks[i].release = banner->release;
		if (&stacks[i] != death)
			stacks[i].kind = "CPU backtrace";
	}
	if (!death)
		return;
	death->header = banner->panic ? banner->panic : "";
	if (kind && (!death->kind || strcmp(kind, "panic") != 0))
		death->kind = kind;
	if (!death->kind)
		death->kind = "panic";
}

const struct oops_report *text_crash_read(const struct text_lines *lines, struct arena *arena,
					  struct text_crash *crash)
{
	struct reader r = { .arena = arena };

	for (size_t i = 0; i < lines->count; i++) {
		const struct text_line *line = &lines->data[i];
		const char *text = line->text + strspn(line->text, " ");
		if (line->stamped)
			continue;
		read_banner_line(text, arena, &crash->banner);
		take_line(&r, text);
	}
	complete(&r);
	vec_deinit(&r.frames);
	struct oops_report *stacks = arena_zalloc(arena, (r.stacks.count + 2) * sizeof(*stacks));
	if (r.stacks.count)
		memcpy(stacks, r.stacks.data, r.stacks.count * sizeof(*stacks));
	crash->stack_count = r.stacks.count;
	vec_deinit(&r.stacks);
	r.report = NULL;
	crash->stacks = stacks;
	const char *task = banner_task(lines);
	struct oops_report *death = choose_stack(stacks, crash->stack_count,
						 task ? (int)strtol(task + 5, NULL, 10) : -1);
	if (!death && task && crash->stack_count < STACKS_MAX) {
		/* Nothing but what the banner says is known of it. */
		begin(&r, task);
		stacks[crash->stack_count] = *r.report;
		death = &stacks[crash->stack_count++];
		vec_deinit(&r.stacks);
	}
	name_kinds(stacks, crash->stack_count, death, &crash->banner);
	if (death)
		crash->instruction = find_instruction(lines, death, arena);
	return death;
}
