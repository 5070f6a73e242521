// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Call traces. Marks in angle brackets change the stack; before 4.10 they stand before a frame, on
 * its line. Registers in a trace are those that an exception saved: the frame of their RIP follows
 * from them and is not printed again.
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

/* "<IRQ>", "</NMI>", "<<EOE>>", "<EOI>", "<#DF>". */
static bool take_mark(struct oops_draft *draft, struct arena *arena, const char **at)
{
	const char *p = *at, *name;
	size_t n;

	if (*p != '<')
		return false;
	p += strspn(p, "<");
	bool end = *p == '/';
	name = p += end;
	if (*p == '#')
		p++;
	while ((*p >= 'A' && *p <= 'Z') || *p == '_' || (*p >= '0' && *p <= '9'))
		p++;
	n = (size_t)(p - name);
	if (!n || n > 24 || *p != '>')
		return false;
	p += strspn(p, ">");
	*at = p + strspn(p, " \t");
	if (end || strncmp(name, "EO", 2) == 0 || (n == 4 && strncmp(name, "TASK", n) == 0))
		draft->stack = NULL;
	else
		draft->stack = arena_strndup(arena, name, n);
	return true;
}

static void add_frame(struct oops_draft *draft, const struct oops_frame *frame)
{
	if (draft->section == SECTION_TRACK) {
		if (draft->track_frames.count < OOPS_FRAMES_MAX)
			vec_push(&draft->track_frames, *frame);
	} else if (draft->frames.count < OOPS_FRAMES_MAX) {
		vec_push(&draft->frames, *frame);
	}
}

/* Behind a frame nothing else may stand but what tools add. */
static bool is_rest(const char *at)
{
	skip_blanks(&at);
	return !*at || *at == '(' || *at == '[' || *at == '{' || starts_with(at, "//") ||
	       *at == '/' || (unsigned char)*at >= 0x80;
}

bool oops_frame_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	const char *at = line;
	bool in_trace = draft->section == SECTION_TRACE || draft->section == SECTION_TRACK;
	bool mark = false;
	struct oops_frame frame = { 0 };

	if (!in_trace && !starts_with(line, "[<"))
		return false;
	while (in_trace && draft->section == SECTION_TRACE && take_mark(draft, arena, &at))
		mark = true;
	if (!*at)
		return mark;
	frame.guess = at[0] == '?' || strstr(at, ">] ? ") != NULL;
	if (!take_place(&at, arena, &frame.place))
		return mark;
	skip_blanks(&at);
	frame.inlined = take_text(&at, "[inline]");
	if (!is_rest(at))
		return mark;
	if (!in_trace) { /* "Call Trace:" was lost, or it is no trace: "Preemption disabled at:" */
		draft->section = SECTION_TRACE;
		draft->user = false;
		draft->headless = !draft->frames.count;
	}
	frame.stack = draft->section == SECTION_TRACE ? draft->stack : NULL;
	add_frame(draft, &frame);
	return true;
}

/* --- RIP. --- */

/* In a trace: the frame that the exception interrupted. */
static void interrupted(struct oops_draft *draft, struct arena *arena,
			const struct oops_place *place)
{
	struct regs *regs = arena_zalloc(arena, sizeof(*regs));
	struct oops_frame frame = { .place = *place, .stack = draft->stack, .regs = regs };

	if (place->address)
		regs_set(regs, X86_RIP, place->address);
	add_frame(draft, &frame);
	draft->regs = regs;
}

static void set_pc(struct oops_draft *draft, const struct oops_place *place)
{
	struct oops_report *r = &draft->report;

	r->pc = *place;
	r->has_pc = true;
	draft->pc_of_header = false;
	if (place->address || !place->function)
		regs_set(&r->regs, X86_RIP, place->address);
	draft->regs = &r->regs;
}

/* User code segments of x86-64: __USER_CS and __USER32_CS. */
static bool is_user_segment(uint64_t selector)
{
	return selector == 0x33 || selector == 0x23;
}

/* The summary at the end of an oops: "RIP  [<ffffffff81324031>] f+0x41/0x50", " RSP <ffff...>". */
static bool take_summary(struct oops_draft *draft, struct arena *arena, const char *at)
{
	struct oops_report *r = &draft->report;
	struct oops_place place;

	if (!take_place(&at, arena, &place))
		return false;
	if (!r->has_pc || draft->pc_of_header)
		set_pc(draft, &place);
	draft->regs = NULL;
	return true;
}

bool oops_rip_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	struct oops_place place;
	uint64_t selector;
	const char *at = line;

	if (take_text(&at, "pc : ") || take_text(&at, "PC is at ")) { /* arm64, and before 4.14 */
		r->arm64 = true;
		if (take_place(&at, arena, &place) && !r->has_pc)
			set_pc(draft, &place);
		draft->regs = NULL;
		return true;
	}
	if (!take_text(&at, "RIP"))
		return false;
	take_text(&at, ":");
	skip_blanks(&at);
	const char *selector_at = at;
	if (!take_hex(&at, &selector) || *at != ':')
		return take_summary(draft, arena, selector_at);
	at++;
	draft->code_follows = true;
	draft->user = is_user_segment(selector);
	draft->regs = NULL;
	skip_blanks(&at);
	if (draft->user || !take_place(&at, arena, &place))
		return true;
	if (draft->section == SECTION_OVER)
		return true;
	if (draft->section == SECTION_TRACE && (draft->frames.count || r->has_pc))
		interrupted(draft, arena, &place);
	else
		set_pc(draft, &place);
	return true;
}

/* --- Registers. --- */

static const struct {
	const char *name;
	int reg;
} names[] = {
	{ "RAX: ", X86_RAX }, { "RBX: ", X86_RBX }, { "RCX: ", X86_RCX }, { "RDX: ", X86_RDX },
	{ "RSI: ", X86_RSI }, { "RDI: ", X86_RDI }, { "RBP: ", X86_RBP }, { "R08: ", X86_R8 },
	{ "R09: ", X86_R9 },  { "R10: ", X86_R10 }, { "R11: ", X86_R11 }, { "R12: ", X86_R12 },
	{ "R13: ", X86_R13 }, { "R14: ", X86_R14 }, { "R15: ", X86_R15 },
	{ "EFLAGS: ", X86_RFLAGS }, { "ORIG_RAX: ", X86_ORIG_RAX },
};

/* "RSP: 0018:ffff88015ae33da0 EFLAGS: 00010286"; "RSP: ffffabb086977cb8" at a summary's end. */
static void take_rsp(struct regs *regs, const char *line)
{
	const char *at = strstr(line, "RSP: ");
	uint64_t value, rest;

	if (!at)
		return;
	at += strlen("RSP: ");
	skip_blanks(&at);
	if (!take_hex(&at, &value))
		return;
	if (*at != ':') {
		regs_set(regs, X86_RSP, value);
		return;
	}
	at++;
	if (take_hex(&at, &rest)) {
		regs_set(regs, X86_SS, value);
		regs_set(regs, X86_RSP, rest);
	}
}

static bool starts_like_registers(const char *line)
{
	static const char *const starts[] = { "RAX: ", "RDX: ", "RBP: ", "R10: ", "R13: ", "RSP: ",
					      "RSP <", "FS: ",  "CS: ",  "CR2: ", "DR0: ", "DR3: ",
					      "PKRU: ", "EFLAGS: ", "DR6: ", "DR2: " };

	for (size_t i = 0; i < array_size(starts); i++) {
		if (starts_with(line, starts[i]))
			return true;
	}
	return false;
}

/* Control registers are the CPU's, whatever frame they are printed with. */
static void take_control(struct oops_draft *draft, const char *line)
{
	struct oops_report *r = &draft->report;
	uint64_t value;

	/*
	 * At the end of a report of a bad access, alone in its line, is what CR2 was; among the
	 * control registers what it is by then: printing the code may have faulted since.
	 */
	bool last = starts_with(line, "CR2: ") && !strstr(line, "CR3: ");
	if ((last || (!r->has_cr2 && !draft->frames.count)) && hex_behind(line, "CR2: ", &value)) {
		r->has_cr2 = true;
		r->cr2 = value;
	}
	if (draft->regs == &r->regs && starts_with(line, "CS: ") && hex_behind(line, "CS: ", &value))
		regs_set(&r->regs, X86_CS, value);
}

bool oops_regs_line(struct oops_draft *draft, const char *line)
{
	uint64_t value;

	if (!starts_like_registers(line))
		return false;
	if (draft->section == SECTION_OVER || draft->user)
		return true;
	/* Before any RIP: the report's own, of an oops whose RIP line was lost. */
	struct regs *regs = draft->regs;
	if (!regs && !draft->report.has_pc && draft->section == SECTION_HEAD)
		regs = &draft->report.regs;
	if (regs) {
		for (size_t i = 0; i < array_size(names); i++) {
			if (hex_behind(line, names[i].name, &value))
				regs_set(regs, (unsigned)names[i].reg, value);
		}
		take_rsp(regs, line);
	}
	take_control(draft, line);
	return true;
}

/* "45 fa <48> 8b"; true: the line holds nothing else. */
static bool take_bytes(struct oops_report *r, const char *at, bool keep)
{
	size_t n = 0;

	for (;; n++) {
		uint64_t byte;
		skip_blanks(&at);
		bool here = *at == '<' || *at == '(';
		const char *digits = at + here;
		const char *end = digits;
		if (!take_hex(&end, &byte) || end - digits != 2)
			return n && !*at;
		at = end;
		if (here)
			at += *at == '>' || *at == ')';
		if (!keep || r->code_count == OOPS_CODE_MAX)
			continue;
		if (here)
			r->code_pc = r->code_count;
		r->code[r->code_count++] = (uint8_t)byte;
	}
}

/* "Bad RIP value." and "Unable to access opcode bytes" give no bytes. */
bool oops_code_line(struct oops_draft *draft, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *at = line;
	bool of_rip = draft->code_follows;

	if (!take_text(&at, "Code: "))
		return false;
	draft->in_code = true;
	/* Right behind a RIP it is of that one; else, up to 4.17, of the report. */
	draft->code_taken = draft->section != SECTION_OVER && !r->code_count &&
			    !(of_rip && (draft->user || draft->regs != &r->regs));
	take_bytes(r, at, draft->code_taken);
	return true;
}

bool oops_code_more(struct oops_draft *draft, const char *line)
{
	struct oops_report none = { 0 };

	if (!draft->in_code || !take_bytes(&none, line, false))
		return false;
	take_bytes(&draft->report, line, draft->code_taken);
	return true;
}
