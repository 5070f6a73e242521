// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * log: the kernel's messages, one line each as dmesg prints them. A message with line breaks goes
 * on under its first line. Alarming levels (error and worse) and warnings stand out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/log.h"
#include "commands/table.h"
#include "kernel/log.h"
#include "kernel/system.h"

enum { OPT_HUMAN, OPT_NO_TIME, OPT_LEVEL, OPT_DICT, OPT_CALLER, OPT_FILTER, OPT_LAST, OPT_AUDIT,
       OPT_SAFE, OPT_RUST };

static const struct option log_option_table[] = {
	[OPT_HUMAN] = { "T", false },  [OPT_NO_TIME] = { "t", false },
	[OPT_LEVEL] = { "m", false },  [OPT_DICT] = { "d", false },
	[OPT_CALLER] = { "c", false }, [OPT_FILTER] = { "l", true },
	[OPT_LAST] = { "n", true },    [OPT_AUDIT] = { "a", false },
	[OPT_SAFE] = { "s", false },   [OPT_RUST] = { "R", false },
};

/* include/linux/kern_levels.h */
static const char *const level_names[8] = {
	"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
};

enum { LEVEL_ERR = 3, LEVEL_WARN = 4 };

static const struct column log_columns[] = {
	{ .key = "time_ns" },
	{ .key = "level" },
	{ .key = "facility" },
	{ .key = "caller" },
	{ .key = "sequence" },
	{ .key = "text", .title = "" },
	{ .key = "subsystem" },
	{ .key = "device" },
};

struct log_run {
	struct command_args *args;
	struct options options;
	bool levels[8];
	uint64_t boot_time; /* seconds since 1970, with -T */
	bool has_boot_time;
};

static bool level_by_name(const char *word, unsigned *level)
{
	uint64_t number;

	if (parse_u64(word, &number) && number < array_size(level_names)) {
		*level = (unsigned)number;
		return true;
	}
	for (unsigned i = 0; i < array_size(level_names); i++) {
		if (strcmp(level_names[i], word) == 0) {
			*level = i;
			return true;
		}
	}
	return false;
}

/* "err", "3", "0-4", "warn,err", "warn-" is not taken: from worst to mildest, or a list. */
static struct error *parse_levels(const char *word, bool levels[8])
{
	const char *s = word;

	while (*s) {
		size_t length = strcspn(s, ",");
		auto_free char *part = xstrndup(s, length);
		char *dash = strchr(part, '-');
		unsigned low, high;
		if (dash)
			*dash = '\0';
		if (!level_by_name(part, &low) || !level_by_name(dash ? dash + 1 : part, &high) ||
		    low > high)
			return error_new(ERROR_USAGE, "%s is not a list of levels (0-7, or emerg "
					 "alert crit err warn notice info debug)", word);
		for (unsigned i = low; i <= high; i++)
			levels[i] = true;
		s += length + (s[length] == ',');
	}
	return NULL;
}

/* When the machine was started, by its clock and its uptime. */
static void find_boot_time(struct log_run *run)
{
	struct system_info *info = arena_zalloc(&run->args->doc->arena, sizeof(*info));

	system_info(run->args->session, info);
	if (info->realtime && info->uptime_ns && info->realtime > info->uptime_ns / 1000000000) {
		run->boot_time = info->realtime - info->uptime_ns / 1000000000;
		run->has_boot_time = true;
	} else {
		doc_remark(run->args->doc, REMARK_HOLE,
			   "when the machine was started is not known: times are since boot");
	}
}

static void add_time(const struct log_run *run, const struct log_record *record,
		     struct strbuf *out)
{
	uint64_t seconds = record->time_ns / 1000000000;
	char date[64];
	struct tm tm;

	if (run->options.set[OPT_NO_TIME])
		return;
	if (run->has_boot_time) {
		time_t when = (time_t)(run->boot_time + seconds);
		if (gmtime_r(&when, &tm) &&
		    strftime(date, sizeof(date), "%a %b %e %H:%M:%S UTC %Y", &tm)) {
			strbuf_addf(out, "[%s] ", date);
			return;
		}
	}
	strbuf_addf(out, "[%5" PRIu64 ".%06" PRIu64 "] ", seconds,
		    record->time_ns % 1000000000 / 1000);
}

/* "T123" for a thread, "C1" for a CPU: the top bit tells (kernel/printk/printk.c). */
static void format_caller(const struct log_record *record, char *buf, size_t size)
{
	snprintf(buf, size, "%c%u", record->caller >> 31 ? 'C' : 'T',
		 record->caller & 0x7fffffff);
}

static void add_prefix(const struct log_run *run, const struct log_record *record,
		       struct strbuf *out)
{
	if (run->options.set[OPT_LEVEL])
		strbuf_addf(out, "<%u>", record->level);
	add_time(run, record, out);
	if (run->options.set[OPT_CALLER] && record->has_caller) {
		char caller[16];
		format_caller(record, caller, sizeof(caller));
		strbuf_addf(out, "[%6s] ", caller);
	}
}

static void add_record(const struct log_run *run, const struct log_record *record)
{
	struct doc *doc = run->args->doc;
	auto_strbuf line = { 0 };
	char caller[16];

	add_prefix(run, record, &line);
	size_t prefix = line.len;
	auto_strbuf rust = { 0 };
	const char *text = record->text;
	if (run->options.set[OPT_RUST]) {
		log_rust_names(text, &rust);
		text = strbuf_text(&rust);
	}
	const char *rest = strchr(text, '\n');
	strbuf_add_n(&line, text, rest ? (size_t)(rest - text) : strlen(text));
	format_caller(record, caller, sizeof(caller));
	doc_row(doc, cell_udec(record->time_ns), cell_udec(record->level),
		cell_udec(record->facility), cell_str(record->has_caller ? caller : NULL),
		cell_udec(record->sequence), cell_shown(cell_str(text), line.data),
		cell_str(record->subsystem), cell_str(record->device));
	enum cell_style style = record->level <= LEVEL_ERR ? STYLE_BAD :
				record->level == LEVEL_WARN ? STYLE_STRONG : STYLE_PLAIN;
	doc_row_style(doc, style);
	while (rest) {
		const char *start = rest + 1;
		rest = strchr(start, '\n');
		size_t length = rest ? (size_t)(rest - start) : strlen(start);
		if (rest || length)
			doc_textf(doc, style, "%*s%.*s", (int)prefix, "", (int)length, start);
	}
	if (run->options.set[OPT_DICT] && record->subsystem)
		doc_textf(doc, STYLE_FAINT, "%*s%s", (int)prefix, "", record->subsystem);
	if (run->options.set[OPT_DICT] && record->device)
		doc_textf(doc, STYLE_FAINT, "%*s%s", (int)prefix, "", record->device);
}

static struct error *parse_log(struct log_run *run, uint64_t *last)
{
	struct error *err = options_parse(run->args, log_option_table,
					  array_size(log_option_table), &run->options);

	*last = UINT64_MAX;
	if (!err && run->options.set[OPT_LAST])
		err = parse_count(run->options.value[OPT_LAST], last);
	for (unsigned i = 0; i < array_size(run->levels); i++)
		run->levels[i] = !run->options.set[OPT_FILTER];
	if (!err && run->options.set[OPT_FILTER])
		err = parse_levels(run->options.value[OPT_FILTER], run->levels);
	if (!err && run->options.word_count)
		err = error_new(ERROR_USAGE, "unexpected word: %s", run->options.words[0]);
	return err;
}

static struct error *run_log(struct command_args *args)
{
	struct log_run run = { .args = args };
	const char *problem = NULL;
	uint64_t last, matching = 0, skip;
	size_t count;

	struct error *err = parse_log(&run, &last);
	if (err)
		return err;
	if (run.options.set[OPT_AUDIT])
		return log_audit(args);
	if (run.options.set[OPT_SAFE])
		return log_safe(args);
	const struct log_record *records = kernel_log(args->session, &count, &problem);
	if (!count)
		return error_new(ERROR_MISSING, "%s",
				 problem ? problem : "there is no log in the dump");
	if (run.options.set[OPT_HUMAN])
		find_boot_time(&run);
	for (size_t i = 0; i < count; i++)
		matching += run.levels[records[i].level & 7];
	skip = matching > last ? matching - last : 0;
	doc_table(args->doc, "records", log_columns, array_size(log_columns));
	doc_bare(args->doc);
	for (size_t i = 0; i < count; i++) {
		if (!run.levels[records[i].level & 7])
			continue;
		if (skip)
			skip--;
		else
			add_record(&run, &records[i]);
	}
	doc_end(args->doc);
	if (problem)
		doc_remark(args->doc, REMARK_HOLE, "%s", problem);
	return NULL;
}

const struct command command_log = {
	.name = "log",
	.usage = "[-T | -t] [-m] [-d] [-c] [-R] [-l LEVELS] [-n COUNT] | -a | -s",
	.summary = "the kernel's messages (dmesg)",
	.help = "  -T         dates in place of seconds since boot (UTC; the clocks of a machine drift,\n"
		"             so they are near, not exact)\n"
		"  -t         no times\n"
		"  -m         the level before each message: <3>\n"
		"  -d         subsystem and device of messages that have them\n"
		"  -c         who printed: T and a PID, or C and a CPU\n"
		"  -R         symbols of Rust in the messages as the source has them\n"
		"  -l LEVELS  only these levels: err, 0-4, warn,err\n"
		"  -n COUNT   only the last COUNT messages\n"
		"In place of the log:\n"
		"  -a         audit records that no daemon has fetched\n"
		"  -s         what is left in the printk_safe buffers (kernels before 5.15)\n"
		"Examples: log | log -l 0-4 | log -T -n 50 | log -a",
	.run = run_log,
};
