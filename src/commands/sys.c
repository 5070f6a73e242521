// SPDX-License-Identifier: LGPL-2.1-or-later
/* sys: what the machine was and what the dump is: crash's banner, and what it leaves out. */
#include "kernel/system.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/source.h"
#include "commands/sys.h"
#include "commands/table.h"
#include "kernel/modules.h"

enum { OPT_TAINT, OPT_CALLS, OPT_DMI, OPT_FILE };

static const struct option sys_option_table[] = {
	[OPT_TAINT] = { "t", false },
	[OPT_CALLS] = { "c", false },
	[OPT_DMI] = { "i", false },
	[OPT_FILE] = { "f", true },
};

/* A string of struct system_info, where "" means unknown. */
static struct cell known_string(const char *s)
{
	return cell_str(*s ? s : NULL);
}

static void format_size(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= 1024 && unit + 1 < array_size(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void format_date(uint64_t realtime, char *buf, size_t size)
{
	time_t when = (time_t)realtime;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(buf, size, "%a %b %e %H:%M:%S UTC %Y", &tm))
		buf[0] = '\0';
}

static void format_uptime(uint64_t ns, char *buf, size_t size)
{
	uint64_t seconds = ns / 1000000000, days = seconds / 86400;
	int n = 0;

	if (days)
		n = snprintf(buf, size, "%" PRIu64 " day%s, ", days, days == 1 ? "" : "s");
	if (n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, "%02u:%02u:%02u",
			 (unsigned)(seconds % 86400 / 3600), (unsigned)(seconds % 3600 / 60),
			 (unsigned)(seconds % 60));
}

void sys_taint_text(uint64_t taint, struct strbuf *letters, struct strbuf *text)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(taint >> bit & 1))
			continue;
		const struct taint_flag *flag = taint_flag(bit);
		char letter = flag && flag->set ? flag->set : '?';
		strbuf_add_char(letters, letter);
		strbuf_addf(text, "%s%c %s", text->len ? ", " : "", letter,
			    flag && flag->meaning ? flag->meaning : "(unknown)");
	}
}

static void dump_format_text(const struct dump_info *info, struct strbuf *format)
{
	char size[32];

	format_size(info->file_size, size, sizeof(size));
	bool compressed = info->compression && info->compression[0] &&
			  strcmp(info->compression, "none") != 0;
	strbuf_addf(format, "%s%s%s, %s%s%s", info->format ? info->format : "unknown",
		    compressed ? ", " : "", compressed ? info->compression : "", size,
		    info->flattened ? ", flattened" : "", info->truncated ? ", cut off" : "");
	if (info->files > 1)
		strbuf_addf(format, ", %u files", info->files);
}

static void add_dump(struct session *s, struct doc *doc)
{
	const struct dump_info *info = dump_info(s->dump);
	auto_strbuf format = { 0 };

	doc_field(doc, "kernel", "KERNEL",
		  cell_str(s->symbols ? symbols_source(s->symbols) : "no symbols were found"));
	doc_field(doc, "types", "TYPES", cell_str(s->types ? types_source(s->types) : NULL));
	auto_strbuf files = { 0 };
	(void)debuginfo_kernel(s->debuginfo);
	source_files_text(s, &files);
	bool some = strcmp(files.data, "none") != 0;
	doc_field(doc, "debuginfo", "DEBUGINFO",
		  cell_shown(cell_str(some ? files.data : NULL), files.data));
	doc_field(doc, "dumpfile", "DUMPFILE", cell_str(s->path));
	dump_format_text(info, &format);
	doc_field(doc, "dump_format", "FORMAT",
		  cell_shown(cell_str(info->format), strbuf_text(&format)));
	doc_field(doc, "dump_compression", NULL, cell_str(info->compression));
	doc_field(doc, "dump_truncated", NULL, cell_bool(info->truncated));
	doc_field(doc, "dump_bytes", NULL, cell_udec(info->file_size));
	doc_field(doc, "dump_pages", NULL, cell_udec(info->present_pages));
	doc_field(doc, "dump_level", NULL,
		  info->has_dump_level ? cell_udec(info->dump_level) : cell_none());
}

static void add_load(struct doc *doc, const struct system_info *info)
{
	const struct cell load[] = { cell_float(info->load[0]), cell_float(info->load[1]),
				     cell_float(info->load[2]) };
	struct cell cell = cell_of_list(&(struct cell_list){ load, array_size(load) });
	char shown[80];

	snprintf(shown, sizeof(shown), "%.2f, %.2f, %.2f", info->load[0], info->load[1],
		 info->load[2]);
	doc_field(doc, "load", "LOAD AVERAGE",
		  info->has_load ? cell_shown(cell, shown) : cell_none());
}

static void add_times(struct doc *doc, const struct system_info *info)
{
	char date[64] = "", uptime[64];
	if (info->realtime)
		format_date(info->realtime, date, sizeof(date));
	format_uptime(info->uptime_ns, uptime, sizeof(uptime));
	doc_field(doc, "date", "DATE", known_string(date));
	doc_field(doc, "realtime", NULL,
		  info->realtime ? cell_udec(info->realtime) : cell_none());
	doc_field(doc, "uptime_ns", "UPTIME",
		  info->uptime_ns ? cell_shown(cell_udec(info->uptime_ns), uptime) : cell_none());
}

static void add_machine(struct session *s, struct doc *doc, const struct system_info *info)
{
	char cpus[64], memory[32];
	size_t task_count;

	snprintf(cpus, sizeof(cpus), "%u%s", info->cpus_online ? info->cpus_online
		 : info->cpus_possible, info->cpus_online ? "" : " (possible)");
	doc_field(doc, "cpus", "CPUS",
		  info->cpus_online || info->cpus_possible
		  ? cell_shown(cell_udec(info->cpus_online ? info->cpus_online
				 : info->cpus_possible), cpus) : cell_none());
	add_times(doc, info);
	add_load(doc, info);
	tasks(s, &task_count);
	/* Without types only the running ones are known. */
	const struct task *crashed = task_crashed(s);
	bool known = task_count && (!crashed || task_is_named(crashed));
	doc_field(doc, "tasks", "TASKS", known ? cell_udec(task_count) : cell_none());
	doc_field(doc, "nodename", "NODENAME", known_string(info->nodename));
	doc_field(doc, "release", "RELEASE", known_string(info->release));
	doc_field(doc, "version", "VERSION", known_string(info->version));
	doc_field(doc, "machine", "MACHINE", known_string(info->machine));
	if (info->hardware[0])
		doc_field(doc, "hardware", "HARDWARE", cell_str(info->hardware));
	format_size(info->memory_bytes, memory, sizeof(memory));
	doc_field(doc, "memory_bytes", "MEMORY", info->memory_bytes
		  ? cell_shown(cell_udec(info->memory_bytes), memory) : cell_none());
}

static void add_task(struct session *s, struct doc *doc)
{
	const struct task *task = task_crashed(s);
	char state[40], comm[sizeof(task->comm) + 1];

	if (!task) {
		static const char *const keys[] = { "pid", "comm", "task", "cpu", "state" };
		for (size_t i = 0; i < array_size(keys); i++)
			doc_field(doc, keys[i], NULL, cell_none());
		return;
	}
	char letter[2] = { task_state_letter(task), '\0' };
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(task->comm), task->comm);
	snprintf(state, sizeof(state), "%s%s", task_state_name(task),
		 task->on_cpu ? " (running when the machine died)" : "");
	bool named = task_is_named(task);
	doc_field(doc, "pid", "PID", named ? cell_dec(task->pid) : cell_none());
	doc_field(doc, "comm", "COMMAND", cell_str(named ? comm : NULL));
	doc_field(doc, "task", "TASK", s->text ? cell_none() : cell_address(task->address));
	doc_field(doc, "cpu", "CPU", task->cpu < 0 ? cell_none() : cell_dec(task->cpu));
	doc_field(doc, "state", "STATE",
		  named ? cell_shown(cell_str(letter), state) : cell_none());
}

static void add_taint(struct doc *doc, const struct system_info *info)
{
	auto_strbuf letters = { 0 }, text = { 0 };

	sys_taint_text(info->taint, &letters, &text);
	doc_field(doc, "taint_bits", NULL, info->has_taint ? cell_hex(info->taint) : cell_none());
	doc_field(doc, "taint", NULL,
		  info->has_taint ? cell_str(strbuf_text(&letters)) : cell_none());
	doc_field(doc, "taint_text", "TAINTED",
		  !info->has_taint ? cell_none() :
		  cell_shown(cell_str(strbuf_text(&text)), text.len ? text.data : "no"));
}

void sys_record(struct session *s, struct doc *doc)
{
	struct system_info *info = arena_zalloc(&doc->arena, sizeof(*info));

	system_info(s, info);
	add_dump(s, doc);
	add_machine(s, doc, info);
	doc_field_styled(doc, "panic", "PANIC", STYLE_BAD, known_string(info->panic_message));
	add_task(s, doc);
	add_taint(doc, info);
	doc_field(doc, "command_line", "COMMAND LINE", known_string(info->command_line));
}

/* Adds ", TEXT" where there is room for it. */
static printf_like(3, 4) void add_part(struct strbuf *text, size_t room, const char *fmt, ...)
{
	char part[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(part, sizeof(part), fmt, args);
	va_end(args);
	if (!*part || (text->len && text->len + 2 + strlen(part) > room))
		return;
	strbuf_addf(text, "%s%s", text->len ? ", " : "", part);
}

void sys_dump_text(struct session *s, size_t room, struct strbuf *text)
{
	const struct dump_info *info = dump_info(s->dump);
	const char *slash = strrchr(s->path, '/'), *format = info->format ? info->format : "unknown";
	const char *packed = info->compression ? info->compression : "";
	char size[32], kept[32];
	bool filtered = info->has_dump_level && info->dump_level;

	format_size(info->file_size, size, sizeof(size));
	format_size(info->present_pages * PAGE_SIZE, kept, sizeof(kept));
	add_part(text, room, "%s", slash ? slash + 1 : s->path);
	/* Of a dump without the version and the program that wrote it. */
	add_part(text, room, "%.*s", (int)(s->text ? strlen(format) : strcspn(format, " ")), format);
	if (strcmp(packed, "none") != 0)
		add_part(text, room, "%.*s", (int)strcspn(packed, "+"), packed);
	add_part(text, room, "%s", size);
	if (info->files > 1)
		add_part(text, room, "%u files", info->files);
	if (info->truncated)
		add_part(text, room, "CUT OFF");
	if (!s->text)
		add_part(text, room, "holds %s of memory", kept);
	if (filtered)
		add_part(text, room, "filtered (level %u)", info->dump_level);
}

/* "amd64" and "x86_64" are in most releases already. */
static bool names_machine(const struct system_info *info)
{
	return strstr(info->release, info->machine) ||
	       (strcmp(info->machine, "x86_64") == 0 && strstr(info->release, "amd64"));
}

void sys_machine_text(const struct system_info *info, size_t room, struct strbuf *text)
{
	char uptime[64], memory[32], date[64];
	time_t when = (time_t)info->realtime;
	struct tm tm;

	/* The kernel's own word for a machine that nobody has named. */
	if (*info->nodename && strcmp(info->nodename, "(none)") != 0)
		add_part(text, room, "%s", info->nodename);
	add_part(text, room, "%s %s%s%s", *info->sysname ? info->sysname : "Linux",
		 *info->release ? info->release : "(unknown release)",
		 names_machine(info) ? "" : " ", names_machine(info) ? "" : info->machine);
	if (info->uptime_ns) {
		format_uptime(info->uptime_ns, uptime, sizeof(uptime));
		add_part(text, room, "up %s", uptime);
	}
	if (info->realtime && gmtime_r(&when, &tm) &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm))
		add_part(text, room, "died %s", date);
	if (info->cpus_online)
		add_part(text, room, "%u CPU%s", info->cpus_online,
			 info->cpus_online == 1 ? "" : "s");
	if (info->memory_bytes) {
		format_size(info->memory_bytes, memory, sizeof(memory));
		add_part(text, room, "%s", memory);
	}
}

/* sys -t: every taint flag, and which modules set taints. */
static void show_taints(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = "letter", .title = "" }, { .key = "bit", .title = "", .right = true },
		{ .key = "meaning", .title = "" },
	};
	struct system_info *info = arena_zalloc(&args->doc->arena, sizeof(*info));

	system_info(args->session, info);
	doc_table(args->doc, "taints", columns, array_size(columns));
	doc_bare(args->doc);
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct taint_flag *flag = taint_flag(bit);
		char letter[2] = { flag && flag->set ? flag->set : '?', '\0' };
		if (info->taint >> bit & 1)
			doc_row(args->doc, cell_str(letter), cell_udec(bit),
				cell_str(flag && flag->meaning ? flag->meaning : "unknown"));
	}
	doc_end(args->doc);
	if (!info->has_taint)
		doc_remark(args->doc, REMARK_HOLE, "the kernel's taint flags cannot be read");
	else if (!info->taint)
		doc_remark(args->doc, REMARK_NOTE, "the kernel is not tainted");
}

static struct error *run_sys(struct command_args *args)
{
	struct options options;

	struct error *err = options_parse(args, sys_option_table, array_size(sys_option_table),
					  &options);
	if (err)
		return err;
	if (options.set[OPT_CALLS])
		return sys_calls(args, &options);
	if (options.word_count && strcmp(options.words[0], "config") == 0)
		return sys_config(args, &options, options.value[OPT_FILE]);
	if (options.word_count || options.set[OPT_FILE])
		return error_new(ERROR_USAGE, "unexpected word: %s", options.word_count
				 ? options.words[0] : "-f goes with config only");
	if (options.set[OPT_TAINT])
		show_taints(args);
	else if (options.set[OPT_DMI])
		return sys_dmi(args);
	else
		sys_record(args->session, args->doc);
	return NULL;
}

const struct command command_sys = {
	.name = "sys",
	.usage = "[-t | -i | -c [NAME|NUMBER ...] | config [-f FILE] [OPTION ...]]",
	.summary = "what the machine and the dump are, and the panic message",
	.help = "  -t        the taint flags that are set, in words\n"
		"  -i        the DMI strings: vendor, product, serial numbers, BIOS\n"
		"  -c        the table of system calls, or those whose name contains NAME or that have\n"
		"            this NUMBER; one that does not lead into the kernel's own code stands out\n"
		"  config    how the kernel was built, where it carries that itself (CONFIG_IKCONFIG),\n"
		"            else from -f FILE, or /boot/config-RELEASE or /lib/modules/RELEASE; OPTION\n"
		"            is a name, with or without CONFIG_, and may hold * and ?\n"
		"Examples: sys | sys -t | sys -c read | sys -c 0 | sys -i",
	.run = run_sys,
};
