// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log's alarming lines. Reports of several lines are taken apart by kernel/oops.h: each is one
 * anomaly. Other lines alarm alone; their texts are the kernel's own (printk formats in
 * kernel/module/, block/, drivers/{ata,scsi,nvme,edac,pci/pcie,iommu}/, fs/, net/ ...). Lines that
 * differ only in numbers are one anomaly, counted; and a line that nobody knows but that comes
 * again and again is worth a look, too (a page full of it is how one dump was explained).
 */
#include "diagnosis/anomalies.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/phrases.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "kernel/text.h"

static const struct {
	const char *text;
	bool at_start; /* only at the start of the line */
	enum anomaly_weight weight;
	const char *kind;
} patterns[] = {
	{ "Machine check events logged", false, ANOMALY_SERIOUS, "machine check" },
	{ " UE memory read error", false, ANOMALY_SERIOUS, "memory error" },
	{ " UE on ", false, ANOMALY_SERIOUS, "memory error" },
	{ " CE memory ", false, ANOMALY_NOTABLE, "corrected memory error" },
	{ "Memory failure: ", true, ANOMALY_SERIOUS, "memory error" },
	{ "AER: Uncorrected", false, ANOMALY_SERIOUS, "PCIe error" },
	{ "PCIe Bus Error: severity=Uncorrected", false, ANOMALY_SERIOUS, "PCIe error" },
	{ "PCIe Bus Error: ", false, ANOMALY_NOTABLE, "PCIe error" },
	{ "DMAR: [", false, ANOMALY_SERIOUS, "DMA to a forbidden address" },
	{ "IO_PAGE_FAULT", false, ANOMALY_SERIOUS, "DMA to a forbidden address" },
	{ "I/O error, dev ", false, ANOMALY_SERIOUS, "I/O error" },
	{ "Buffer I/O error", false, ANOMALY_SERIOUS, "I/O error" },
	{ "critical medium error", false, ANOMALY_SERIOUS, "I/O error" },
	{ "rejecting I/O to ", false, ANOMALY_SERIOUS, "I/O error" },
	{ "lost async page write", false, ANOMALY_SERIOUS, "I/O error" },
	{ "exception Emask", false, ANOMALY_SERIOUS, "disk link error" },
	{ "hard resetting link", false, ANOMALY_NOTABLE, "disk link error" },
	{ "attempting task abort", false, ANOMALY_SERIOUS, "SCSI command aborted" },
	{ "Host adapter abort request", false, ANOMALY_SERIOUS, "SCSI command aborted" },
	{ "Host adapter reset request", false, ANOMALY_SERIOUS, "SCSI adapter reset" },
	{ "timeout, aborting", false, ANOMALY_SERIOUS, "NVMe timeout" },
	{ "timeout, reset controller", false, ANOMALY_SERIOUS, "NVMe timeout" },
	{ "timeout, disable controller", false, ANOMALY_SERIOUS, "NVMe timeout" },
	{ "EXT4-fs error", false, ANOMALY_SERIOUS, "file system error" },
	{ "Corruption detected", false, ANOMALY_SERIOUS, "file system error" },
	{ "corruption detected at", false, ANOMALY_SERIOUS, "file system error" },
	{ "BTRFS error", true, ANOMALY_SERIOUS, "file system error" },
	{ "BTRFS critical", true, ANOMALY_SERIOUS, "file system error" },
	{ "Remounting filesystem read-only", false, ANOMALY_SERIOUS, "file system error" },
	{ "not responding, still trying", false, ANOMALY_SERIOUS, "NFS server not answering" },
	{ "VFS: Busy inodes after unmount", true, ANOMALY_SERIOUS, "inodes in use after unmount" },
	{ "VFS: Close: file count is", true, ANOMALY_SERIOUS, "file closed too often" },
	{ "unregister_netdevice: waiting for", false, ANOMALY_SERIOUS, "leaked network device" },
	{ "SLUB: Unable to allocate memory", true, ANOMALY_SERIOUS, "slab allocation failure" },
	{ "table full, dropping packet", false, ANOMALY_NOTABLE, "table full" },
	{ "table overflow", false, ANOMALY_NOTABLE, "table full" },
	{ "TCP: out of memory", true, ANOMALY_SERIOUS, "out of memory for sockets" },
	{ "unable to mount root", false, ANOMALY_SERIOUS, "no root file system" },
	{ "temperature above threshold", false, ANOMALY_NOTABLE, "CPU too hot" },
	{ "Marking clocksource ", false, ANOMALY_NOTABLE, "clock unstable" },
	{ "new suspected memory leaks", false, ANOMALY_SERIOUS, "memory leak" },
	{ "nobody cared", false, ANOMALY_SERIOUS, "interrupt that nobody handles" },
	{ "segfault at ", false, ANOMALY_NOTABLE, "user program fault" },
	{ "loading out-of-tree module taints", false, ANOMALY_NOTABLE, "module from outside the kernel" },
	{ "module verification failed", false, ANOMALY_NOTABLE, "module without a valid signature" },
	{ "module license ", false, ANOMALY_NOTABLE, "module with another licence" },
	{ "disagrees about version of symbol", false, ANOMALY_NOTABLE, "module of another kernel" },
	{ "forcefully unloaded", false, ANOMALY_SERIOUS, "module unloaded by force" },
};

/* Kinds of reports that end the machine, or should have; all others are serious. */
static const char *const fatal_kinds[] = {
	"panic", "NULL pointer dereference", "bad memory access", "kernel BUG",
	"general protection fault", "stack overflow", "double fault", "divide error",
	"invalid opcode", "oops", "stack segment fault", "breakpoint", "alignment check",
	"control flow violation", "machine check", "segment fault", "bounds check",
	"bad page table",
};

static enum anomaly_weight weight_of_kind(const char *kind)
{
	for (size_t i = 0; i < array_size(fatal_kinds); i++) {
		if (strcmp(kind, fatal_kinds[i]) == 0)
			return ANOMALY_FATAL;
	}
	return ANOMALY_SERIOUS;
}

const char *anomaly_of_line(const char *text, enum anomaly_weight *weight)
{
	const char *kind = oops_kind_of_line(text);

	if (kind) {
		*weight = weight_of_kind(kind);
		return kind;
	}
	for (size_t i = 0; i < array_size(patterns); i++) {
		if (patterns[i].at_start ? !starts_with(text, patterns[i].text)
					 : !strstr(text, patterns[i].text))
			continue;
		*weight = patterns[i].weight;
		return patterns[i].kind;
	}
	return NULL;
}

/* --- Lines that are the same but for numbers. --- */

/* Decimal digits, and words of hexadecimal ones that have a digit among them. */
static size_t number_length(const char *s, bool word_start)
{
	size_t n = 0;
	bool digit = false;

	if (word_start) {
		size_t x = s[0] == '0' && s[1] == 'x' ? 2 : 0;
		for (n = x; isxdigit((unsigned char)s[n]); n++)
			digit = digit || isdigit((unsigned char)s[n]);
		if ((digit || x) && n > x && !isalnum((unsigned char)s[n]) && s[n] != '_')
			return n;
	}
	for (n = 0; isdigit((unsigned char)s[n]); n++)
		;
	return n;
}

/* A hash of the first line of the text, with '#' for each number (FNV-1a). */
static uint64_t hash_line(const char *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	bool word_start = true;

	while (*s && *s != '\n') {
		size_t n = number_length(s, word_start);
		char c = n ? '#' : *s;
		hash = (hash ^ (unsigned char)c) * UINT64_C(0x100000001b3);
		word_start = !n && !isalnum((unsigned char)*s) && *s != '_';
		s += n ? n : 1;
	}
	return hash;
}

static uint64_t hash_more(uint64_t hash, const char *s)
{
	for (; s && *s; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return hash;
}

enum { FRAMES_COMPARED = 6 };

/* Reports are the same when they came the same way, too. */
static uint64_t hash_report(const struct oops_report *r)
{
	uint64_t hash = hash_more(hash_line(r->header), r->pc.function);
	size_t n = 0;

	/* The number is all that tells one hardware error from another. */
	if (strcmp(r->kind, "hardware error") == 0)
		hash = hash_more(hash, r->header);
	for (size_t i = 0; i < r->frame_count && n < FRAMES_COMPARED; i++) {
		if (r->frames[i].guess)
			continue;
		hash = hash_more(hash, r->frames[i].place.function);
		n++;
	}
	return hash;
}

/* --- The scan. --- */

struct scan {
	struct facts *facts;
	struct phrases phrases;
	bool *covered; /* this record is of a report, or the first of one */
	struct map seen; /* hash -> index in found */
	struct {
		vec_fields(struct anomaly);
	} found;
};

/* People quote the log again in their texts, below the crash: time goes back there. */
static bool is_quotation(const struct facts *facts, const struct log_record *record)
{
	const struct oops_report *death = facts->session->text ? facts->session->text->death : NULL;

	return death && record > &facts->log[death->first] && record->time_ns &&
	       record->time_ns < facts->log[death->first].time_ns;
}

static void add(struct scan *scan, const struct anomaly *a, uint64_t hash)
{
	uint64_t i;

	if (is_quotation(scan->facts, a->record))
		return;
	if (a->weight != ANOMALY_FATAL && map_get(&scan->seen, hash, &i)) {
		struct anomaly *first = &scan->found.data[i];
		first->repeats++;
		first->last_ns = a->record->time_ns;
		return;
	}
	map_set(&scan->seen, hash, scan->found.count);
	vec_push(&scan->found, *a);
}

static void add_report(struct scan *scan, const struct oops_report *r)
{
	struct anomaly a = {
		.record = &scan->facts->log[r->at],
		.kind = r->kind,
		.weight = weight_of_kind(r->kind),
		.report = r,
	};

	/* It belongs to the report that made the kernel ask for it. */
	if (strcmp(r->kind, "CPU backtrace") == 0)
		return;
	/* The words of a check say more than that there was a WARN(). */
	if (strcmp(r->kind, "kernel warning") == 0 && r->message && oops_kind_of_line(r->message))
		a.kind = oops_kind_of_line(r->message);
	add(scan, &a, hash_report(r));
}

static void cover(struct scan *scan, const struct oops_report *r)
{
	const struct log_record *log = scan->facts->log, *head = &log[r->at];

	for (size_t i = r->first; i < r->first + r->count; i++) {
		if (log[i].has_caller != head->has_caller || log[i].caller == head->caller)
			scan->covered[i] = true;
	}
}

static void add_line(struct scan *scan, size_t i)
{
	int row = phrases_find(&scan->phrases, scan->facts->log[i].text);

	if (row < 0)
		return;
	struct anomaly a = {
		.record = &scan->facts->log[i],
		.kind = patterns[row].kind,
		.weight = patterns[row].weight,
	};
	scan->covered[i] = true;
	add(scan, &a, hash_line(a.record->text));
}

/* --- Lines that nobody knows. --- */

enum { MANY = 20, GROUPS_SHOWN = 3 };

struct group {
	size_t first, count;
	uint64_t last_ns;
};

struct groups {
	vec_fields(struct group);
};

/* While it boots the kernel lists each CPU, device and block of memory in lines that are alike. */
static size_t end_of_boot(const struct facts *facts)
{
	static const char *const marks[] = { "Run /", "Freeing unused kernel" };
	size_t end = 0;

	for (size_t i = 0; i < facts->log_count; i++) {
		for (size_t m = 0; m < array_size(marks); m++) {
			if (starts_with(facts->log[i].text, marks[m]))
				end = i + 1;
		}
	}
	return end;
}

static void count_lines(const struct scan *scan, struct groups *groups)
{
	struct map by_hash = { 0 };

	for (size_t i = end_of_boot(scan->facts); i < scan->facts->log_count; i++) {
		const struct log_record *r = &scan->facts->log[i];
		uint64_t hash, n;
		if (scan->covered[i] || !r->text[0])
			continue;
		hash = hash_line(r->text);
		if (!map_get(&by_hash, hash, &n)) {
			n = groups->count;
			map_set(&by_hash, hash, n);
			vec_push(groups, (struct group){ .first = i });
		}
		groups->data[n].count++;
		groups->data[n].last_ns = r->time_ns;
	}
	map_deinit(&by_hash);
}

static int most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->count > y->count ? -1 : x->count < y->count;
}

/* The few that come most often. */
static void add_repeated(struct scan *scan)
{
	struct groups groups = { 0 };

	count_lines(scan, &groups);
	if (groups.count)
		qsort(groups.data, groups.count, sizeof(*groups.data), most_first);
	for (size_t i = 0; i < groups.count && i < GROUPS_SHOWN; i++) {
		const struct group *g = &groups.data[i];
		if (g->count < MANY)
			break;
		struct anomaly a = {
			.record = &scan->facts->log[g->first],
			.kind = "repeated message",
			.weight = ANOMALY_NOTABLE,
			.repeats = g->count - 1,
			.last_ns = g->last_ns,
		};
		vec_push(&scan->found, a);
	}
	vec_deinit(&groups);
}

/* --- All. --- */

static int by_position(const void *a, const void *b)
{
	const struct anomaly *x = a, *y = b;

	return x->record < y->record ? -1 : x->record > y->record;
}

static void read_reports(struct facts *facts)
{
	const struct text *text = facts->session->text;
	size_t n = 0;

	if (text) {
		facts->reports = text->reports;
		/* What is behind the death's end was cut off (facts_text.c). */
		while (n < text->report_count &&
		       text->reports[n].first + text->reports[n].count <= facts->log_count)
			n++;
		facts->report_count = n;
		return;
	}
	oops_parse(facts->log, facts->log_count, facts->arena, &facts->reports,
		   &facts->report_count);
}

void anomalies_scan(struct facts *facts)
{
	struct scan scan = { .facts = facts };

	read_reports(facts);
	scan.covered = xcalloc(facts->log_count + 1, sizeof(*scan.covered));
	for (size_t i = 0; i < array_size(patterns); i++)
		phrases_add(&scan.phrases, patterns[i].text, patterns[i].at_start);
	for (size_t i = 0; i < facts->report_count; i++) {
		cover(&scan, &facts->reports[i]);
		add_report(&scan, &facts->reports[i]);
	}
	for (size_t i = 0; i < facts->log_count; i++) {
		if (!scan.covered[i])
			add_line(&scan, i);
	}
	add_repeated(&scan);
	if (scan.found.count)
		qsort(scan.found.data, scan.found.count, sizeof(*scan.found.data), by_position);
	facts->anomalies = scan.found.data;
	facts->anomaly_count = scan.found.count;
	phrases_deinit(&scan.phrases);
	map_deinit(&scan.seen);
	free(scan.covered);
}
