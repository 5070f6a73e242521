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
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text.h"
#include "kernel/text_lines.h"

enum { FRAMES_MAX = 256 };

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
static bool read_frame(const char *line, struct arena *arena, struct oops_frame *frame)
{
	const char *at = line;
	uint64_t sp;

	*frame = (struct oops_frame){ 0 };
	if (*at++ != '#' || !isdigit((unsigned char)*at))
		return false;
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
	struct oops_report *report;
	struct {
		vec_fields(struct oops_frame);
	} frames;
	bool in_registers, at_fault, done;
};

static void begin(struct reader *r, const char *line)
{
	const char *at;

	r->frames.count = 0;
	r->report->pc = (struct oops_place){ 0 };
	r->report->regs = (struct regs){ 0 };
	r->report->has_pc = false;
	r->report->pid = (int)strtol(line + strlen("PID: "), NULL, 10);
	r->report->cpu = (at = value_of(line, "CPU")) ? (int)strtol(at, NULL, 10) : -1;
	at = value_of(line, "COMMAND");
	if (at && *at == '"')
		r->report->comm = arena_strndup(r->arena, at + 1, strcspn(at + 1, "\""));
}

/* Frames above the exception are of the way down, and no part of the trace that the kernel prints. */
static void take_line(struct reader *r, const char *line)
{
	struct oops_frame frame;
	struct oops_place pc;

	if (starts_with(line, "PID: ") && value_of(line, "COMMAND")) {
		/* The stack of another task: the first with a fault is the one, else the first. */
		if (r->report->has_pc || r->frames.count)
			r->done = true;
		else
			begin(r, line);
		return;
	}
	if (read_exception(line, r->arena, &pc)) {
		r->in_registers = true;
		/* A second one is what the fault interrupted. */
		if (!r->report->has_pc) {
			r->report->pc = pc;
			r->report->has_pc = true;
			r->frames.count = 0;
			r->at_fault = true;
		} else {
			r->at_fault = false;
		}
	}
	if (read_frame(line, r->arena, &frame)) {
		r->in_registers = false;
		/* crash shows the function of the exception again, as the frame below it. */
		bool again = r->at_fault && r->report->pc.function &&
			     strcmp(frame.place.function, r->report->pc.function) == 0;
		if (r->at_fault)
			r->report->pc.module = again ? frame.place.module : NULL;
		r->at_fault = false;
		if (!again && r->frames.count < FRAMES_MAX)
			vec_push(&r->frames, frame);
		return;
	}
	if (r->in_registers && r->at_fault)
		add_registers(line, &r->report->regs);
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

static void complete(struct reader *r)
{
	struct oops_report *report = r->report;
	struct oops_frame *frames = arena_zalloc(r->arena, (r->frames.count + 1) * sizeof(*frames));

	if (r->frames.count)
		memcpy(frames, r->frames.data, r->frames.count * sizeof(*frames));
	report->frames = frames;
	report->frame_count = r->frames.count;
	if (regs_known(&report->regs, X86_RIP))
		report->pc.address = report->regs.value[X86_RIP];
}

const struct oops_report *text_crash_read(const struct text_lines *lines, struct arena *arena,
					  struct text_banner *banner, const char **instruction)
{
	struct oops_report *report = arena_zalloc(arena, sizeof(*report));
	struct reader r = { .arena = arena, .report = report };

	report->cpu = report->pid = report->order = report->victim_pid = -1;
	report->code_pc = SIZE_MAX;
	for (size_t i = 0; i < lines->count; i++) {
		const struct text_line *line = &lines->data[i];
		const char *text = line->text + strspn(line->text, " ");
		if (line->stamped)
			continue;
		read_banner_line(text, arena, banner);
		if (!r.done)
			take_line(&r, text);
	}
	complete(&r);
	vec_deinit(&r.frames);
	*instruction = find_instruction(lines, report, arena);
	if (!report->frame_count && !report->has_pc)
		return NULL;
	report->header = banner->panic ? banner->panic : "";
	report->kind = banner->panic ? oops_kind_of_line(banner->panic) : NULL;
	if (!report->kind)
		report->kind = "oops";
	report->release = banner->release;
	return report;
}
