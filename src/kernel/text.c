// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: lines -> log -> reports. The death is the first report of something that the
 * kernel does not survive; its registers, code and trace become what a dump's crash stack is.
 */
#include "kernel/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text_lines.h"

/* Kinds of reports (kernel/oops.h) of which a kernel, or at least the task, dies. */
static const char *const deadly[] = {
	"NULL pointer dereference", "bad memory access", "kernel BUG", "general protection fault",
	"stack overflow", "double fault", "divide error", "invalid opcode", "panic", "oops",
	"stack segment fault", "breakpoint", "alignment check", "control flow violation",
	"machine check", "segment fault", "bounds check", "bad page table",
};

static bool is_deadly(const struct oops_report *report)
{
	for (size_t i = 0; i < array_size(deadly); i++) {
		if (strcmp(report->kind, deadly[i]) == 0)
			return true;
	}
	return false;
}

bool text_has_stack(const struct oops_report *report)
{
	return report->has_pc || report->frame_count;
}

/* With panic_on_warn set the panic only follows from the warning. */
static const struct oops_report *cause_of_panic(const struct text *text, size_t i)
{
	const struct oops_report *panic = &text->reports[i];

	if (strcmp(panic->kind, "panic") != 0 || !strstr(panic->header, "panic_on_warn"))
		return panic;
	while (i-- > 0) {
		if (strcmp(text->reports[i].kind, "kernel warning") == 0 &&
		    text_has_stack(&text->reports[i]))
			return &text->reports[i];
	}
	return panic;
}

static const struct oops_report *find_death(const struct text *text)
{
	const struct oops_report *bare = NULL;

	for (size_t i = 0; i < text->report_count; i++) {
		const struct oops_report *report = &text->reports[i];
		if (!is_deadly(report))
			continue;
		if (text_has_stack(report))
			return cause_of_panic(text, i);
		/* Somebody's sentence, or a report that was cut off. */
		if (!bare)
			bare = report;
	}
	return bare;
}

/* All that has a stack: the death's first, then the log's reports, then what crash showed. */
const struct oops_report *text_report_at(const struct text *text, size_t i)
{
	if (i-- == 0)
		return text->death;
	return i < text->report_count ? &text->reports[i]
				      : &text->crash.stacks[i - text->report_count];
}

size_t text_reports_with_stacks(const struct text *text)
{
	return 1 + text->report_count + text->crash.stack_count;
}

/* --- Modules, the task, the machine. --- */

const struct module *text_module(const struct text *text, const char *name)
{
	for (size_t i = 0; name && i < text->module_count; i++) {
		if (strcmp(text->modules[i].module.name, name) == 0)
			return &text->modules[i].module;
	}
	return NULL;
}

static uint64_t taint_bits(const char *letters)
{
	uint64_t bits = 0;

	for (unsigned bit = 0; taint_flag(bit); bit++) {
		if (strchr(letters, taint_flag(bit)->set))
			bits |= UINT64_C(1) << bit;
	}
	return bits;
}

/* The report that lists modules: the death's, else the last one that does. */
static const struct oops_report *lister(const struct text *text)
{
	if (text->death && text->death->module_count)
		return text->death;
	for (size_t i = text->report_count; i-- > 0;) {
		if (text->reports[i].module_count)
			return &text->reports[i];
	}
	return NULL;
}

static void add_module(struct text *text, const char *name, const char *taints, const char *version)
{
	struct module_info *info = &text->modules[text->module_count];

	if (!name || text_module(text, name))
		return;
	info->module.name = name;
	/* No two are the same; the address is never shown as one. */
	info->module.address = ++text->module_count;
	info->has_taints = taints != NULL;
	info->taints = taint_bits(taints ? taints : "");
	snprintf(info->version, sizeof(info->version), "%s", version ? version : "");
}


/* Those listed, and those that places name. */
static void find_modules(struct session *s)
{
	struct text *text = s->text;
	const struct oops_report *list = lister(text);
	size_t most = list ? list->module_count : 0;

	for (size_t i = 0; i < text_reports_with_stacks(text); i++) {
		const struct oops_report *r = text_report_at(text, i);
		most += r ? r->frame_count + 1 : 0;
	}
	text->modules = arena_zalloc(&s->arena, (most + 1) * sizeof(*text->modules));
	for (size_t i = 0; list && i < list->module_count; i++)
		add_module(text, list->modules[i].name, list->modules[i].taints,
			   list->modules[i].version);
	for (size_t i = 0; i < text_reports_with_stacks(text); i++) {
		const struct oops_report *r = text_report_at(text, i);
		if (!r)
			continue;
		add_module(text, r->pc.module, NULL, NULL);
		for (size_t k = 0; k < r->frame_count; k++)
			add_module(text, r->frames[k].place.module, NULL, NULL);
	}
}

static bool is_of_cpu(const struct oops_report *report)
{
	static const char *const kinds[] = { "soft lockup", "hard lockup", "RCU stall",
					     "CPU backtrace" };

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(report->kind, kinds[i]) == 0)
			return report->cpu >= 0;
	}
	return false;
}

static void fill_task(struct text *text, struct text_thread *thread, const struct oops_report *r)
{
	struct task *task = &thread->task;

	thread->report = r;
	*task = (struct task){
		.address = (uint64_t)(thread - text->threads) + 1,
		.pid = r->pid < 0 ? 0 : r->pid, .tgid = r->pid < 0 ? 0 : r->pid,
		.cpu = r->cpu,
		.on_cpu = r == text->death || is_of_cpu(r),
		.has_state = r == text->death || is_of_cpu(r), /* they run */
		.road = ROAD_CURRENT,
		/* Without these, pid 0 means nothing. */
		.incomplete = r->pid < 0 || !r->comm,
	};
	snprintf(task->comm, sizeof(task->comm), "%s", r->comm ? r->comm : "");
}

/* The last stack printed for each task; that of the death comes first. */
static void find_threads(struct session *s)
{
	struct text *text = s->text;

	text->threads = arena_zalloc(&s->arena,
				     text_reports_with_stacks(text) * sizeof(*text->threads));
	if (text->death)
		fill_task(text, &text->threads[text->thread_count++], text->death);
	for (size_t i = 1; i < text_reports_with_stacks(text); i++) {
		const struct oops_report *r = text_report_at(text, i);
		size_t k = text->death != NULL;
		if (r == text->death || !text_has_stack(r) || (r->pid < 0 && !is_of_cpu(r)))
			continue;
		while (k < text->thread_count && (text->threads[k].task.pid != r->pid ||
						  text->threads[k].task.cpu != r->cpu))
			k++;
		fill_task(text, &text->threads[k], r);
		text->thread_count = max_u64(text->thread_count, k + 1);
	}
}

static int compare_cpus(const void *a, const void *b)
{
	const struct cpu *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void find_cpus(struct session *s)
{
	struct text *text = s->text;

	text->cpus = arena_zalloc(&s->arena, (text->thread_count + 1) * sizeof(*text->cpus));
	for (size_t i = 0; i < text->thread_count; i++) {
		const struct task *task = &text->threads[i].task;
		bool known = task->cpu < 0 || !task->on_cpu;
		for (size_t k = 0; k < text->cpu_count && !known; k++)
			known = text->cpus[k].id == (unsigned)task->cpu;
		if (known)
			continue;
		text->cpus[text->cpu_count++] = (struct cpu){
			.id = (unsigned)task->cpu, .online = true, .current_task = task->address,
		};
	}
	if (text->cpu_count)
		qsort(text->cpus, text->cpu_count, sizeof(*text->cpus), compare_cpus);
}

const struct task *text_task(const struct session *s, uint64_t address)
{
	return address && address <= s->text->thread_count ? &s->text->threads[address - 1].task
							   : NULL;
}

const struct task *text_task_by_pid(const struct session *s, int32_t pid)
{
	for (size_t i = 0; i < s->text->thread_count; i++) {
		const struct task *task = &s->text->threads[i].task;
		if (task->pid == pid && !task->incomplete)
			return task;
	}
	return NULL;
}

static void copy(char *to, size_t size, const char *from)
{
	if (from && !to[0])
		snprintf(to, size, "%.*s", (int)(size - 1), from);
}

/* "Linux version 6.1.0 (builder) (gcc ...) #1 SMP Debian ...", of the last boot. */
static void system_from_banner(const struct text *text, struct system_info *info)
{
	static const char marker[] = "Linux version ", line[] = "Command line: ";

	for (size_t i = 0; i < text->log_count; i++) {
		const char *t = text->log[i].text, *at;
		if (starts_with(t, marker)) {
			t += strlen(marker);
			snprintf(info->release, sizeof(info->release), "%.*s",
				 (int)min_u64(strcspn(t, " "), sizeof(info->release) - 1), t);
			at = strstr(t, ") #");
			if (at)
				snprintf(info->version, sizeof(info->version), "%.*s",
					 (int)sizeof(info->version) - 1, at + 2);
		} else if (starts_with(t, line)) {
			snprintf(info->command_line, sizeof(info->command_line), "%s",
				 t + strlen(line));
		}
	}
}

static const struct oops_report *teller(const struct text *text)
{
	if (text->death)
		return text->death;
	return text->report_count ? &text->reports[text->report_count - 1] : NULL;
}

void text_system(struct session *s, struct system_info *info)
{
	const struct text *text = s->text;
	const struct oops_report *r = teller(text);

	system_from_banner(text, info);
	copy(info->sysname, sizeof(info->sysname), "Linux");
	if (r && r->release && *r->release)
		snprintf(info->release, sizeof(info->release), "%s", r->release);
	copy(info->release, sizeof(info->release), text->crash.banner.release);
	copy(info->version, sizeof(info->version), text->crash.banner.version);
	copy(info->nodename, sizeof(info->nodename), text->crash.banner.nodename);
	copy(info->machine, sizeof(info->machine), r && r->arm64 ? "aarch64" : s->arch->name);
	if (r && r->taint) {
		info->has_taint = true;
		info->taint = taint_bits(r->taint);
	}
	if (r && r->hardware)
		snprintf(info->hardware, sizeof(info->hardware), "%s", r->hardware);
	if (text->crash.banner.cpus)
		info->cpus_online = (unsigned)strtoul(text->crash.banner.cpus, NULL, 10);
}

/* --- Opening. --- */

/* What crash says of the panic is all there is of the log in such a text. */
static void add_panic_line(struct session *s, struct log_record **records, size_t *count)
{
	struct text *text = s->text;
	const char *panic = text->crash.banner.panic;

	for (size_t i = 0; panic && i < *count; i++) {
		if (strcmp((*records)[i].text, panic) == 0)
			return;
	}
	if (!panic)
		return;
	*records = xreallocarray(*records, *count + 1, sizeof(**records));
	(*records)[*count] = (struct log_record){
		.sequence = *count, .text = panic, .length = strlen(panic),
		.time_ns = *count ? (*records)[*count - 1].time_ns : 0,
	};
	(*count)++;
}

static bool same_death(const struct oops_report *a, const struct oops_report *b)
{
	return a->pc.function && b->pc.function && strcmp(a->pc.function, b->pc.function) == 0 &&
	       a->pc.offset == b->pc.offset;
}

/* The log's report says more, but for addresses. */
static void choose_death(struct session *s, const struct oops_report *crash)
{
	struct text *text = s->text;

	text->death = find_death(text);
	if (text->death && text->death->arm64 && !text->death->pc.function) {
		/* Without its name nothing is known of where it stopped. */
		struct oops_report *plain = arena_zalloc(&s->arena, sizeof(*plain));
		*plain = *text->death;
		plain->has_pc = false;
		text->death = plain;
	}
	if (!crash)
		return;
	if (!text->death || !text_has_stack(text->death)) {
		text->death = crash;
		text->from_crash = true;
	} else if (same_death(text->death, crash) && !text->death->pc.address) {
		struct oops_report *both = arena_zalloc(&s->arena, sizeof(*both));
		*both = *text->death;
		both->pc.address = crash->pc.address;
		text->death = both;
	}
}

static void say_problems(struct session *s)
{
	const struct text *text = s->text;

	if (!text->death)
		session_problem(s, "the text has no report of a kernel's death");
	else if (text->death->arm64)
		session_problem(s, "the report is of an arm64 kernel: its registers and code are "
				"not taken apart, only x86-64's are");
	else if (text->death->has_pc && !text->death->code_count && !text->pc_is_wild)
		session_problem(s, "the report has no bytes of code (\"Code:\")");
	session_problem(s, "a text has no memory: what it does not say is unknown");
}

void text_open(struct session *s)
{
	size_t size;
	const char *bytes = dump_text(s->dump, &size);
	struct text *text = arena_zalloc(&s->arena, sizeof(*text));
	struct text_lines lines = { 0 };
	struct log_record *records = NULL;

	s->text = text;
	text_lines_read(bytes, size, &s->arena, &lines);
	text_lines_log(&lines, &s->arena, &records, &text->log_count);
	const struct oops_report *crash = text_crash_read(&lines, &s->arena, &text->crash);
	/* Where a session of crash is all there is, the rest is prose. */
	if (crash && !text_lines_stamped(&lines))
		text->log_count = 0;
	add_panic_line(s, &records, &text->log_count);
	text->log = records;
	vec_deinit(&lines);
	oops_parse(text->log, text->log_count, &s->arena, &text->reports, &text->report_count);
	choose_death(s, crash);
	find_modules(s);
	find_threads(s);
	find_cpus(s);
	say_problems(s);
}

void text_close(struct session *s)
{
	if (!s->text)
		return;
	free((void *)(uintptr_t)s->text->log);
	free(s->text->places);
}
