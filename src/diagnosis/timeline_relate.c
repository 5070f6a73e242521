// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an earlier anomaly has to do with a crash depends on what it was:
 *  - damage that a check had caught (KASAN, slab, lists, counts) explains a later crash on the same
 *    object or in the same module;
 *  - a step that failed explains a value that was never set: NULL, -1, an error code;
 *  - a death that the kernel survived leaves locks held and work half done;
 *  - hardware that reported errors can be behind anything.
 * From names alone nothing becomes certain.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/anomalies.h"
#include "diagnosis/timeline_crash.h"
#include "kernel/slab.h"

static const struct {
	const char *kind;
	enum sort sort;
} sorts[] = {
	{ "page allocation failure", SORT_FAILURE },
	{ "vmalloc failure", SORT_FAILURE },
	{ "slab allocation failure", SORT_FAILURE },
	{ "KASAN report", SORT_DAMAGE },
	{ "KFENCE report", SORT_DAMAGE },
	{ "KMSAN report", SORT_DAMAGE },
	{ "undefined behaviour", SORT_DAMAGE },
	{ "slab corruption", SORT_DAMAGE },
	{ "double free", SORT_DAMAGE },
	{ "list corruption", SORT_DAMAGE },
	{ "reference count error", SORT_DAMAGE },
	{ "buffer overflow", SORT_DAMAGE },
	{ "usercopy overflow", SORT_DAMAGE },
	{ "object in the wrong state", SORT_DAMAGE },
	{ "bad page state", SORT_DAMAGE },
	{ "bad page map", SORT_DAMAGE },
	{ "damaged stack", SORT_DAMAGE },
	{ "data race", SORT_DAMAGE },
	{ "kernel warning", SORT_WARNING },
	{ "possible deadlock", SORT_WARNING },
	{ "lock misuse", SORT_WARNING },
	{ "RCU misuse", SORT_WARNING },
	{ "spinlock misuse", SORT_WARNING },
	{ "scheduling while atomic", SORT_WARNING },
	{ "sleeping in atomic context", SORT_WARNING },
	{ "kernel bug report", SORT_WARNING },
	{ "objects left in a slab cache", SORT_WARNING },
	{ "network transmit timeout", SORT_WARNING },
	{ "hardware error", SORT_HARDWARE },
	{ "machine check", SORT_HARDWARE },
	{ "memory error", SORT_HARDWARE },
	{ "PCIe error", SORT_HARDWARE },
	{ "DMA to a forbidden address", SORT_HARDWARE },
	{ "hardware NMI", SORT_HARDWARE },
	{ "I/O error", SORT_IO },
	{ "disk link error", SORT_IO },
	{ "SCSI command aborted", SORT_IO },
	{ "SCSI adapter reset", SORT_IO },
	{ "NVMe timeout", SORT_IO },
	{ "file system error", SORT_IO },
};

enum sort timeline_sort(const struct anomaly *a)
{
	if (a->weight == ANOMALY_FATAL)
		return strcmp(a->kind, "panic") == 0 ? SORT_OTHER : SORT_DEATH;
	for (size_t i = 0; i < array_size(sorts); i++) {
		if (strcmp(sorts[i].kind, a->kind) == 0)
			return sorts[i].sort;
	}
	return SORT_OTHER;
}

/* --- Relations, by what the anomaly was. --- */

static bool same_task(const struct crash *c, const struct anomaly *a)
{
	const struct task *task = c->facts->task;

	return task && task->pid > 0 && a->report && a->report->pid == (int)task->pid;
}

static const uint64_t soon_ns = UINT64_C(60) * 1000 * 1000 * 1000;

static bool is_soon(const struct crash *c, const struct anomaly *a)
{
	uint64_t then = max_u64(a->record->time_ns, a->repeats ? a->last_ns : 0);

	return c->record && c->record->time_ns >= then && c->record->time_ns - then < soon_ns;
}

/* "in the same function, f()" / "in the same module, m"; the function only if it is the guilty one. */
static const char *same_place(const struct crash *c, const struct common *common)
{
	const struct blame *blame = &c->finding->blame;

	if (common->function && blame->known && blame->function &&
	    strcmp(common->function, blame->function) == 0)
		return finding_text(c->out, "in the same function, %s()", common->function);
	if (common->module)
		return finding_text(c->out, "in the same module, %s", common->module);
	return NULL;
}

static const char *same_thing(const struct crash *c, const struct common *common)
{
	if (!common->word)
		return NULL;
	return finding_text(c->out, "%s() there and %s() here are about the same kind of thing (%s)",
			    common->first, common->second, common->word);
}

/* Reports of memory that was written by who had no right to. */
static bool wrote_beyond(const struct anomaly *a)
{
	static const char *const kinds[] = { "KASAN report", "slab corruption", "double free" };

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(kinds[i], a->kind) == 0)
			return true;
	}
	return false;
}

static struct relation of_damage(const struct crash *c, const struct anomaly *a,
				 const struct common *common)
{
	const char *place = same_place(c, common), *thing = same_thing(c, common), *what;
	bool fault = c->facts->fault.trap != TRAP_NONE;
	uint64_t address;
	struct slab_object object;

	what = crash_same_address(c, a, &address);
	if (what)
		return (struct relation){
			.sentence = finding_text(c->out, "it was about %s already (0x%" PRIx64 ")",
						 what, address),
			.confidence = CONFIDENCE_LIKELY, .cause = true,
			.so = finding_text(c->out, "was about %s already", what) };
	if (place)
		return (struct relation){
			.sentence = finding_text(c->out, "memory was found damaged before, %s", place),
			.confidence = fault ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
			.cause = fault,
			.so = finding_text(c->out, "had shown damage %s", place) };
	if (a->report && a->report->cache && c->finding->object && !c->facts->session->text &&
	    slab_object_at(c->facts->session, c->finding->object, &object) && object.slab.cache &&
	    strcmp(object.slab.cache->name, a->report->cache) == 0)
		return (struct relation){
			.sentence = finding_text(c->out, "it was in the same slab cache, %s",
						 a->report->cache) };
	/* Somebody wrote where he should not, right before, and it was about the same. */
	if (thing && fault && is_soon(c, a) && wrote_beyond(a))
		return (struct relation){
			.sentence = thing, .confidence = CONFIDENCE_LIKELY, .cause = true,
			.so = finding_text(c->out, "was about the same kind of thing, %s", common->word) };
	return (struct relation){ .sentence = thing };
}

/* Two CPUs may die at once, and print into each other: the kernel did not go on between. */
static bool survived(const struct crash *c, const struct anomaly *a)
{
	static const uint64_t at_once_ns = 1000 * 1000 * 1000;
	unsigned last = c->report ? c->report->number : 0;

	if (a->report->number && last)
		return a->report->number < last;
	return !c->record || c->record->time_ns < a->record->time_ns ||
	       c->record->time_ns - a->record->time_ns > at_once_ns;
}

static struct relation of_death(const struct crash *c, const struct anomaly *a,
				const struct common *common)
{
	const char *place = same_place(c, common);

	if (!survived(c, a))
		return (struct relation){ 0 };
	if (!place && same_task(c, a))
		place = "in the same task";
	if (place)
		return (struct relation){
			.sentence = finding_text(c->out, "the kernel had died here before, %s, and "
						 "gone on", place),
			.confidence = CONFIDENCE_LIKELY, .cause = true,
			.so = finding_text(c->out, "was %s, and the kernel went on", place) };
	return (struct relation){
		.sentence = "the kernel had died here once and gone on: what it held and had half "
			    "done was left as it was" };
}

/* Not only on its way: the warning was in the very function or module that is to blame. */
static bool warned_there(const struct crash *c, const struct anomaly *a)
{
	const struct blame *blame = &c->finding->blame;
	struct side side = side_of_report(c->facts, a->report);

	if (!side.count || !blame->known)
		return false;
	const struct side_name *top = &side.names[0];
	return (blame->module && top->module && strcmp(blame->module, top->module) == 0) ||
	       (blame->function && strcmp(blame->function, top->function) == 0);
}

static struct relation of_warning(const struct crash *c, const struct anomaly *a,
				  const struct common *common)
{
	const char *place = same_place(c, common), *what;
	bool fault = c->facts->fault.trap != TRAP_NONE;
	uint64_t address;

	what = crash_same_address(c, a, &address);
	if (what && fault && a->report->message)
		return (struct relation){
			.sentence = finding_text(c->out, "%s was printed in it (0x%" PRIx64 ")", what,
						 address),
			.confidence = CONFIDENCE_LIKELY, .cause = true,
			.so = "was about the same object" };
	if (place && fault && warned_there(c, a) && (same_task(c, a) || is_soon(c, a)))
		return (struct relation){
			.sentence = finding_text(c->out, "a state that must not be was found before, "
						 "%s", place),
			.confidence = CONFIDENCE_LIKELY, .cause = true,
			.so = finding_text(c->out, "had found a bad state %s", place) };
	if (!place && same_task(c, a))
		place = "in the same task";
	if (place)
		return (struct relation){ .sentence = finding_text(c->out, "it was %s", place) };
	return (struct relation){ .sentence = common->pair ? same_thing(c, common) : NULL };
}

/* A step that failed: does its failure lead to the bad value? */
static struct relation of_failure(const struct crash *c, const struct anomaly *a,
				  const struct common *common)
{
	const char *place = same_place(c, common), *thing = same_thing(c, common);
	bool same = same_task(c, a) && is_soon(c, a);
	bool strong = common->pair || common->module || (place && common->function) ||
		      (thing && same);

	if (!place && same)
		place = "in the same task";
	if (!place && !thing)
		return (struct relation){ 0 };
	if (!c->unset)
		return (struct relation){
			.sentence = place ? finding_text(c->out, "memory could not be had %s", place)
					  : common->pair ? thing : NULL };
	const char *left = finding_text(c->out, "%s looks like a value that was never set", c->unset);
	const char *of = thing && (common->pair || !place) ? thing : place;
	bool near = strong &&
		    (!c->unset_guess || common->pair || (common->module && is_soon(c, a)));
	return (struct relation){
		.sentence = finding_text(c->out, "%s, and this failed before it could be: %s%s", left,
					 of == place ? "it was " : "", of),
		.confidence = near && a->report ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
		.cause = near && a->report,
		.so = finding_text(c->out, "left it unset (%s)", c->unset) };
}

static bool names_module(const struct crash *c, const struct anomaly *a)
{
	const char *module = c->finding->blame.module;
	const char *at = module ? strstr(a->record->text, module) : NULL;

	return at && (at == a->record->text || at[-1] == ' ' || at[-1] == '[');
}

/* Bits of MCi_STATUS: the register is valid, the error was not corrected (Intel SDM 3B, 15.3.2.2). */
static const uint64_t mci_valid = UINT64_C(1) << 63, mci_uncorrected = UINT64_C(1) << 61;

/* "CPU 3: Machine Check: 0 Bank 7: 8c00004000010090" */
static bool status_says_corrected(const char *line)
{
	const char *bank = strstr(line, " Bank ");
	const char *at = bank ? strstr(bank, ": ") : NULL;
	uint64_t status;

	if (!at)
		return false;
	at += 2;
	return crash_hex_word(&at, &status) && status & mci_valid && !(status & mci_uncorrected);
}

/* Hardware mends many of its errors; they are told all the same. */
static bool is_corrected(const struct crash *c, const struct anomaly *a)
{
	static const char *const words[] = { "Corrected error", "severity: corrected", "|CE|", " CE " };
	size_t first = a->report ? a->report->first : anomaly_position(c->facts, a);
	size_t count = a->report ? a->report->count : 1;

	for (size_t i = first; i < first + count; i++) {
		const char *line = c->facts->log[i].text;
		if (status_says_corrected(line))
			return true;
		for (size_t w = 0; w < array_size(words); w++) {
			if (strstr(line, words[w]))
				return true;
		}
	}
	return false;
}

/* Of a disk or a file system: who printed the line, and where is the crash? */
static struct relation of_device(const struct crash *c, const struct anomaly *a)
{
	struct side line = side_of_line(c->facts, a->record->text);
	struct side_name blamed = { c->finding->blame.function, NULL };
	struct side guilty = { &blamed, c->finding->blame.known && blamed.function };
	struct common whole = side_common(c->facts, &line, &c->side);
	struct common near = side_common(c->facts, &line, &guilty);

	if (near.word && strcmp(a->kind, "file system error") == 0)
		return (struct relation){
			.sentence = finding_text(c->out, "what is on the disk was found damaged, and "
						 "the crash is in the same file system's code (%s)",
						 near.word),
			.confidence = CONFIDENCE_LIKELY, .cause = is_soon(c, a),
			.so = "had found what is on the disk damaged" };
	if (names_module(c, a))
		return (struct relation){ .sentence = "it is of the module to blame" };
	if (whole.word)
		return (struct relation){
			.sentence = finding_text(c->out, "it is about the same kind of thing (%s)",
						 whole.word) };
	return (struct relation){ 0 };
}

static struct relation of_others(const struct crash *c, const struct anomaly *a, enum sort sort)
{
	if (sort == SORT_HARDWARE && a->weight != ANOMALY_NOTABLE && !is_corrected(c, a))
		return (struct relation){
			.sentence = "hardware that fails can be behind any crash",
			.confidence = strcmp(c->finding->kind, "machine-check") == 0
					      ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE };
	if (sort == SORT_IO)
		return of_device(c, a);
	if (strcmp(a->kind, "out of memory") == 0 && a->report && a->report->victim &&
	    c->facts->task && a->report->victim_pid == (int)c->facts->task->pid &&
	    a->report->victim_pid > 0)
		return (struct relation){
			.sentence = "the task that crashed was being killed for its memory" };
	return (struct relation){ 0 };
}

/* Text of a repeated line that lies in memory where it should not: explain.c quotes what it found. */
static struct relation of_repeated(const struct crash *c, const struct anomaly *a)
{
	enum { SAME = 12 };
	const char *found = c->finding->why ? strstr(c->finding->why, "is text, ") : NULL;
	char start[SAME + 1] = "";

	if (!found || strlen(a->record->text) < SAME)
		return (struct relation){ 0 };
	memcpy(start, a->record->text, SAME);
	if (!strstr(found, start))
		return (struct relation){ 0 };
	return (struct relation){
		.sentence = "the memory that the crash tripped over is full of this text",
		.confidence = CONFIDENCE_LIKELY };
}

struct relation timeline_relation(const struct crash *c, const struct anomaly *a)
{
	enum sort sort = timeline_sort(a);
	struct common common = { 0 };

	if (strcmp(a->kind, "repeated message") == 0)
		return of_repeated(c, a);
	if (!a->report)
		return of_others(c, a, sort);
	struct side side = side_of_report(c->facts, a->report);
	common = side_common(c->facts, &side, &c->side);
	switch (sort) {
	case SORT_DAMAGE:
		return of_damage(c, a, &common);
	case SORT_DEATH:
		return of_death(c, a, &common);
	case SORT_WARNING:
		return of_warning(c, a, &common);
	case SORT_FAILURE:
		return of_failure(c, a, &common);
	default:
		return of_others(c, a, sort);
	}
}
