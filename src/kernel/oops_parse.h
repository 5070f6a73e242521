/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the report parser (oops*.c) share; private to them. */
#pragma once

#include "base/vec.h"
#include "kernel/oops.h"

/* What else belongs to a report of a kind. */
enum oops_form {
	FORM_DIE,     /* a CPU exception: registers, code, "Oops: 0002 [#1]" */
	FORM_BUG,     /* "kernel BUG at", followed by its invalid opcode */
	FORM_WARN,
	FORM_CHECK,   /* the words of a check, which may be followed by its BUG or WARNING */
	FORM_PANIC,
	FORM_STALL,   /* may be followed by the backtrace of another CPU */
	FORM_NMI,     /* such a backtrace */
	FORM_HUNG,
	FORM_MEMORY,  /* with "Mem-Info:" */
	FORM_SLAB,    /* with bytes of the object, tracks */
	FORM_CHECKER, /* KASAN and its like: with tracks, ends at a line of "=" */
	FORM_LOCKDEP,
	FORM_HARDWARE,
	FORM_OTHER,   /* with a trace and no more */
};

struct oops_kind {
	const char *text;
	bool at_start;
	enum oops_form form;
	const char *kind;
};

extern const struct oops_kind oops_kinds[];
extern const size_t oops_kind_count;
/* The row that says "something: 0000 [#1]", whose words are looked up by the line itself. */
const struct oops_kind *oops_kind_of_die_line(const char *line);
/* As parse_oops() finds it, by trying each row; NULL: none. */
const struct oops_kind *oops_kind_find(const char *line);

/* Where the lines of a report are at. */
enum oops_section {
	SECTION_HEAD,    /* before any trace */
	SECTION_TRACE,   /* below "Call Trace:" */
	SECTION_TRACK,   /* below "Allocated by task 1:" */
	SECTION_MODULES, /* the last line was of "Modules linked in:" */
	SECTION_STACK,   /* words of "Stack:" */
	SECTION_OVER,    /* behind "---[ end trace": the registers are repeated */
};

/* A report in the making. Its arrays grow here and are copied when it is done. */
struct oops_draft {
	bool open;
	uint32_t caller, caller2; /* who prints its lines; see log_record.caller */
	bool has_caller, has_caller2;
	enum oops_form form;
	bool bare;        /* begun by "[ cut here ]" or a check's words: what it is comes next */
	enum oops_section section;
	struct oops_report report;
	size_t last;      /* record of its last line */
	uint64_t last_ns;
	unsigned foreign; /* lines since then that were not of it */
	const char *stack;
	bool headless;    /* frames were taken without "Call Trace:" above them */
	bool user;        /* registers and code that follow are of user mode */
	struct regs *regs; /* that the next line of registers is about */
	bool code_follows; /* the line before was RIP: a "Code:" now is of that */
	bool in_code;      /* the line before was "Code:"; mails break it */
	bool code_taken;   /* and was the report's own */
	bool pc_of_header;
	bool long_line;    /* the line of modules is so long that it may go on in the next */
	bool task_line;    /* the line before was "CPU: 0 PID: 1 Comm: x ..." */
	struct {
		vec_fields(struct oops_frame);
	} frames, track_frames;
	struct {
		vec_fields(struct oops_module);
	} modules;
	struct {
		vec_fields(struct oops_track);
	} tracks;
	struct {
		vec_fields(struct oops_zone);
	} zones;
};

enum {
	OOPS_FRAMES_MAX = 1024,
	OOPS_MODULES_MAX = 2048,
	OOPS_TRACKS_MAX = 64,
	OOPS_ZONES_MAX = 256,
};

/* --- Pieces of lines. Each moves *at behind what it took; false: it was not there. --- */

bool take_text(const char **at, const char *text);
void skip_blanks(const char **at);
/* Hexadecimal digits, with or without "0x"; more than 16 digits are none. */
bool take_hex(const char **at, uint64_t *value);
bool take_number(const char **at, uint64_t *value);
/* "func+0x1/0x2 [mod]" in all its forms, with its address and file; "(null)" and "0x12" too. */
bool take_place(const char **at, struct arena *arena, struct oops_place *place);
/* The number behind @marker in @line. */
bool number_behind(const char *line, const char *marker, uint64_t *value);
bool hex_behind(const char *line, const char *marker, uint64_t *value);
/* A copy of [@from, @end) without blanks around it. */
const char *trimmed(struct arena *arena, const char *from, const char *end);

/* --- Lines; @line has no blanks in front. True: the line is of the report, and taken. --- */

/* A line that announces a report of @form: what it tells beside the kind. */
void oops_header(struct oops_draft *draft, enum oops_form form, struct arena *arena,
		 const char *line);
/* A line further down. */
bool oops_body(struct oops_draft *draft, struct arena *arena, const char *line);
/* A frame of a trace, with marks before it. */
bool oops_frame_line(struct oops_draft *draft, struct arena *arena, const char *line);
/* "RIP: ..." and arm64's "pc : ...". */
bool oops_rip_line(struct oops_draft *draft, struct arena *arena, const char *line);
/* "RAX: ... RBX: ..." and other registers. */
bool oops_regs_line(struct oops_draft *draft, const char *line);
bool oops_code_line(struct oops_draft *draft, const char *line);
/* A line of nothing but bytes behind it. */
bool oops_code_more(struct oops_draft *draft, const char *line);
/* "CPU: 0 PID: 1 Comm: x Not tainted ..." and the older "Pid: 1, comm: x ...". */
bool oops_task_line(struct oops_draft *draft, struct arena *arena, const char *line);
bool oops_modules_line(struct oops_draft *draft, struct arena *arena, const char *line);
/* "Mem-Info:" and what the OOM killer says. */
bool oops_memory_line(struct oops_draft *draft, struct arena *arena, const char *line);
/* What SLUB, KASAN, KFENCE, KCSAN, KMSAN tell about an object. */
bool oops_object_line(struct oops_draft *draft, struct arena *arena, const char *line);
/* Ends the track that is being read, if there is one. */
void oops_end_track(struct oops_draft *draft, struct arena *arena);
/* Letters in "Tainted: G  OE ---- 3.10.0": moves *at to the release. */
const char *oops_taint(const char **at, struct arena *arena);
