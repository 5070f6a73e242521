// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The report of the out-of-memory killer in the log: who asked, a cgroup's limit or the machine's,
 * what memory was used for ("Mem-Info:", in pages), and the table of tasks. Sources: mm/oom_kill.c,
 * mm/show_mem.c (mm/page_alloc.c before), mm/memcontrol.c, from 2.6.32 on. A record may hold
 * several lines; in a text each is a record of its own.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "diagnosis/oom.h"

enum { REPORT_LINES = 4096, WORD_MAX = 256, COLUMNS_MAX = 16, COMM_MAX = 15 };

static const struct log_record *report_end(const struct facts *facts,
					   const struct log_record *head)
{
	const struct log_record *end = facts->log + facts->log_count;

	if (facts->panic_record && facts->panic_record > head)
		end = facts->panic_record;
	return end - head > REPORT_LINES ? head + REPORT_LINES : end;
}

/* The text behind @marker in the report; NULL: it is not there. */
static const char *behind(const struct oom_log *report, const char *marker)
{
	for (const struct log_record *r = report->head; r && r < report->end; r++) {
		const char *at = strstr(r->text, marker);
		if (at)
			return at + strlen(marker);
	}
	return NULL;
}

/* The word at @at, up to a blank or one of @stops. */
static const char *word_at(const struct facts *facts, const char *at, const char *stops)
{
	char all[32];

	if (!at)
		return NULL;
	snprintf(all, sizeof(all), " \n\t%s", stops);
	size_t n = strcspn(at, all);
	return n && n < WORD_MAX ? arena_strndup(facts->arena, at, n) : NULL;
}

static uint64_t number_at(const char *at)
{
	return at ? strtoull(at, NULL, 10) : 0;
}

static void parse_cgroup(const struct facts *facts, struct oom_log *report)
{
	/* "memory: usage 49152kB, limit 49152kB, failcnt 30" */
	const char *usage = behind(report, "memory: usage ");
	const char *limit = usage ? strstr(usage, "limit ") : NULL;
	const char *path = behind(report, "oom_memcg=");

	report->cgroup = usage != NULL;
	report->usage = number_at(usage) << 10;
	report->limit = limit ? number_at(limit + strlen("limit ")) << 10 : 0;
	if (!path)
		path = behind(report, "Memory cgroup stats for ");
	if (!path)
		path = behind(report, "as a result of limit of ");
	report->path = path && *path == '/' ? word_at(facts, path, ":,") : NULL;
}

void oom_log_parse(const struct facts *facts, struct oom_log *report)
{
	static const char marker[] = " invoked oom-killer: ";
	const char *order;

	*report = (struct oom_log){ .order = -1 };
	/* The last one before the panic. */
	for (size_t i = facts_log_until_panic(facts); i-- > 0 && !report->head;) {
		if (strstr(facts->log[i].text, marker))
			report->head = &facts->log[i];
	}
	if (!report->head)
		return;
	report->end = report_end(facts, report->head);
	report->comm = arena_strndup(facts->arena, report->head->text,
				     (size_t)(strstr(report->head->text, marker) -
					      report->head->text));
	order = strstr(report->head->text, "order=");
	if (order)
		report->order = (int)strtol(order + strlen("order="), NULL, 10);
	report->constraint = word_at(facts, behind(report, "oom-kill:constraint="), ",");
	parse_cgroup(facts, report);
	for (const struct log_record *r = report->head; r < report->end; r++) {
		const char *at = r->text + strspn(r->text, " ");
		if (*at == '[' && strstr(at, "pid") && strstr(at, "total_vm"))
			report->tasks = r;
	}
}

/* --- What memory was used for. --- */

/* The number behind "@key:" (or "@key ") that stands at the start of a word; false: none. */
static bool keyed(const char *text, const char *key, char sep, uint64_t *value)
{
	size_t length = strlen(key);

	for (const char *at = text; (at = strstr(at, key)) != NULL; at += length) {
		if ((at == text || isspace((unsigned char)at[-1])) && at[length] == sep &&
		    isdigit((unsigned char)at[length + 1])) {
			*value = strtoull(at + length + 1, NULL, 10);
			return true;
		}
	}
	return false;
}

/* The first such number in the report. */
static uint64_t number_of(const struct oom_log *report, const char *key, char sep)
{
	uint64_t value;

	for (const struct log_record *r = report->head; r < report->end; r++) {
		if (keyed(r->text, key, sep, &value))
			return value;
	}
	return 0;
}

/* "130936 pages RAM" */
static uint64_t pages_before(const struct oom_log *report, const char *words)
{
	for (const struct log_record *r = report->head; r < report->end; r++) {
		const char *at = strstr(r->text, words);
		const char *number = at;
		if (!at)
			continue;
		while (number > r->text && isdigit((unsigned char)number[-1]))
			number--;
		if (number < at)
			return strtoull(number, NULL, 10);
	}
	return 0;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* All sizes of huge pages: "Node 0 hugepages_total=512 ... hugepages_size=2048kB". */
static uint64_t huge_bytes(const struct oom_log *report)
{
	uint64_t sum = 0, count, size;

	for (const struct log_record *r = report->head; r < report->end; r++) {
		if (keyed(r->text, "hugepages_total", '=', &count) &&
		    keyed(r->text, "hugepages_size", '=', &size))
			sum += count * (size << 10);
	}
	return sum;
}

static void from_machine(const struct oom_log *report, struct memory_use *use)
{
	static const struct {
		enum use_kind kind;
		const char *key;
	} plain[] = {
		{ USE_FREE, "free" },
		{ USE_FREE, "free_pcp" },
		{ USE_ANON, "active_anon" },
		{ USE_ANON, "inactive_anon" },
		{ USE_ANON, "isolated_anon" },
		{ USE_ANON, "unevictable" },
		{ USE_FILE, "active_file" },
		{ USE_FILE, "inactive_file" },
		{ USE_SHMEM, "shmem" },
		{ USE_SLAB_FIXED, "slab_unreclaimable" },
		{ USE_SLAB_CACHE, "slab_reclaimable" },
		{ USE_TABLES, "pagetables" },
	};
	uint64_t counted = 0;

	use->total = less(pages_before(report, " pages RAM"),
			  pages_before(report, " pages reserved")) << PAGE_SHIFT;
	if (!use->total || !number_of(report, "free", ':'))
		return;
	for (size_t i = 0; i < array_size(plain); i++)
		use->bytes[plain[i].kind] += number_of(report, plain[i].key, ':') << PAGE_SHIFT;
	/* Shared memory is on the lists of anonymous pages. */
	use->bytes[USE_ANON] = less(use->bytes[USE_ANON], use->bytes[USE_SHMEM]);
	use->bytes[USE_STACKS] = number_of(report, "kernel_stack", ':') << 10;
	use->bytes[USE_HUGE] = huge_bytes(report);
	for (enum use_kind kind = 0; kind < USE_UNCOUNTED; kind++)
		counted += use->bytes[kind];
	use->bytes[USE_UNCOUNTED] = less(use->total, counted);
	use->from_report = true;
	use->known = true;
}

/* Statistics of a cgroup: "anon 49283072" (v2), "rss:48140KB" (v1). */
static void from_cgroup(const struct oom_log *report, struct memory_use *use)
{
	static const struct {
		enum use_kind kind;
		const char *key;
		char sep;
		unsigned shift;
	} plain[] = {
		{ USE_ANON, "anon", ' ', 0 },
		{ USE_FILE, "file", ' ', 0 },
		{ USE_SHMEM, "shmem", ' ', 0 },
		{ USE_SLAB_FIXED, "slab_unreclaimable", ' ', 0 },
		{ USE_SLAB_CACHE, "slab_reclaimable", ' ', 0 },
		{ USE_STACKS, "kernel_stack", ' ', 0 },
		{ USE_TABLES, "pagetables", ' ', 0 },
		{ USE_PERCPU, "percpu", ' ', 0 },
		{ USE_VMALLOC, "vmalloc", ' ', 0 },
		{ USE_ANON, "rss", ':', 10 },
		{ USE_FILE, "cache", ':', 10 },
		{ USE_SHMEM, "shmem", ':', 10 },
	};

	use->total = report->limit;
	for (size_t i = 0; i < array_size(plain); i++)
		use->bytes[plain[i].kind] +=
			number_of(report, plain[i].key, plain[i].sep) << plain[i].shift;
	use->bytes[USE_FILE] = less(use->bytes[USE_FILE], use->bytes[USE_SHMEM]);
	use->known = use->total && (use->bytes[USE_ANON] || use->bytes[USE_FILE] ||
				    use->bytes[USE_SHMEM]);
}

void use_from_log(const struct facts *facts unused_arg, const struct oom_log *report,
		  struct memory_use *use)
{
	*use = (struct memory_use){ .command = "log" };
	if (!report->head)
		return;
	if (report->cgroup)
		from_cgroup(report, use);
	else
		from_machine(report, use);
}

/* "kmalloc-1k             194720KB     194720KB": name, used, total. */
bool oom_log_slab(const struct facts *facts, const struct oom_log *report, const char **name,
		  uint64_t *bytes)
{
	const struct log_record *r = report->head;
	unsigned long long used, total;
	char cache[64];

	*bytes = 0;
	while (r && r < report->end && !strstr(r->text, "Unreclaimable slab info:"))
		r++;
	for (; r && r < report->end; r++) {
		if (sscanf(r->text, "%63s %lluKB %lluKB", cache, &used, &total) != 3 ||
		    total > UINT64_MAX >> 10 || total << 10 <= *bytes)
			continue;
		*name = arena_strdup(facts->arena, cache);
		*bytes = total << 10;
	}
	return *bytes != 0;
}

/* --- The table of tasks. --- */

/* Which column of the numbers behind "[ pid ]" is @name; -1: none. */
static int column_of(const char *head, const char *name)
{
	const char *at = strchr(head, ']');
	size_t length = strlen(name);

	for (int i = 0; at && i < COLUMNS_MAX; i++) {
		at++;
		at += strspn(at, " ");
		size_t n = strcspn(at, " ");
		if (!n)
			return -1;
		if (n == length && strncmp(at, name, n) == 0)
			return i;
		at += n - 1;
	}
	return -1;
}

/* "[   99]     0    99      565        1    28672        0             0 guest.sh" */
static bool parse_row(const struct facts *facts, const char *text, int rss, int name,
		      struct oom_eater *row)
{
	const char *at = text + strspn(text, " ");
	char *end;

	if (*at != '[')
		return false;
	row->pid = (int)strtol(at + 1, &end, 10);
	end += strspn(end, " ");
	if (*end != ']' || row->pid <= 0)
		return false;
	at = end + 1;
	for (int i = 0; i < name; i++) {
		long long value = strtoll(at, &end, 10);
		if (end == at)
			return false;
		if (i == rss)
			row->bytes = value > 0 ? (uint64_t)value << PAGE_SHIFT : 0;
		at = end;
	}
	at += strspn(at, " ");
	/* A name may have blanks. */
	size_t n = strcspn(at, "\n");
	row->comm = arena_strndup(facts->arena, at, n < COMM_MAX ? n : COMM_MAX);
	return n != 0;
}

struct rows {
	vec_fields(struct oom_eater);
};

/* Adds @row to those of its name. */
static void add_row(struct rows *rows, const struct oom_eater *row)
{
	vec_for_each(r, rows) {
		if (strcmp(r->comm, row->comm) != 0)
			continue;
		r->count++;
		r->bytes += row->bytes;
		if (row->bytes > r->biggest) {
			r->biggest = row->bytes;
			r->pid = row->pid;
		}
		return;
	}
	struct oom_eater first = *row;
	first.count = 1;
	first.biggest = row->bytes;
	vec_push(rows, first);
}

bool oom_log_eater(const struct facts *facts, const struct oom_log *report, struct oom_eater *eater)
{
	struct rows rows = { 0 };
	struct oom_eater row;

	*eater = (struct oom_eater){ 0 };
	if (!report->tasks)
		return false;
	int rss = column_of(report->tasks->text, "rss"), name = column_of(report->tasks->text, "name");
	if (rss < 0 || name < rss)
		return false;
	for (const struct log_record *r = report->tasks + 1; r < report->end; r++) {
		row = (struct oom_eater){ 0 };
		if (!parse_row(facts, r->text, rss, name, &row))
			break;
		add_row(&rows, &row);
	}
	vec_for_each(r, &rows) {
		if (!eater->comm || r->bytes > eater->bytes)
			*eater = *r;
	}
	vec_deinit(&rows);
	return eater->comm != NULL;
}
