// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The panic is often only the last consequence. Each earlier anomaly is compared with the crash:
 * was an object of the crash printed in it; do both stacks run through the same function or
 * module, or handle the same kind of thing (timeline_side.h); was it the same task? What that
 * means depends on what the anomaly was:
 *  - damage that a check had caught (KASAN, slab, lists, counts) explains a later crash on the same
 *    object or in the same module;
 *  - a step that failed explains a value that was never set: NULL, -1, an error code;
 *  - a death that the kernel survived leaves locks held and work half done;
 *  - hardware that reported errors can be behind anything.
 * From names alone nothing becomes certain, and a crash by request has no cause in the log.
 */
#include "diagnosis/timeline.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/anomalies.h"
#include "diagnosis/chain.h"
#include "diagnosis/explain.h"
#include "diagnosis/timeline_side.h"
#include "diagnosis/timeline_words.h"
#include "forensics/fault.h"
#include "kernel/slab.h"
#include "kernel/text.h"

enum sort {
	SORT_OTHER,
	SORT_FAILURE,  /* something could not be had */
	SORT_DAMAGE,   /* memory or a count was found damaged */
	SORT_WARNING,  /* a state that should not be */
	SORT_DEATH,    /* an oops, which the kernel survived */
	SORT_HARDWARE,
	SORT_IO,
};

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

static enum sort sort_of(const struct anomaly *a)
{
	if (a->weight == ANOMALY_FATAL)
		return strcmp(a->kind, "panic") == 0 ? SORT_OTHER : SORT_DEATH;
	for (size_t i = 0; i < array_size(sorts); i++) {
		if (strcmp(sorts[i].kind, a->kind) == 0)
			return sorts[i].sort;
	}
	return SORT_OTHER;
}

/* The crash as the timeline sees it. */
struct crash {
	struct facts *facts;
	struct findings *out;
	struct finding *finding;
	size_t begin;                    /* the first record of its own report */
	const struct log_record *record; /* that one; NULL: the log does not have it */
	struct side side;
	struct {
		uint64_t from, to;
		const char *what;
	} address[3]; /* objects at stake */
	size_t address_count;
	const char *unset; /* the bad value, if it looks like one that was never set: "-1"; NULL */
	bool unset_guess;  /* by a register alone */
};

/* How an anomaly is related. */
struct relation {
	const char *sentence; /* NULL: not at all */
	enum confidence confidence;
	bool cause;
	const char *so; /* behind the event, in WHY: "left it unset" */
};

/* --- Where the crash begins in the log. --- */

static bool is_death(const struct oops_report *r)
{
	enum anomaly_weight weight = ANOMALY_NOTABLE;

	anomaly_of_line(r->header, &weight);
	return weight == ANOMALY_FATAL && strcmp(r->kind, "panic") != 0;
}

/* Is this the report of the fault that the crash stack shows? */
static bool is_of_fault(const struct facts *facts, const struct oops_report *r)
{
	struct symbol sym;

	if (facts->task && r->pid >= 0 && r->pid != (int)facts->task->pid)
		return false;
	if (!r->pc.function || facts->fault.trap == TRAP_NONE ||
	    !facts_frame_symbol(facts, facts->fault.frame, &sym))
		return true;
	return strcmp(chain_source_name(facts->arena, r->pc.function),
		      chain_source_name(facts->arena, sym.name)) == 0;
}

static const struct oops_report *report_of_crash(const struct facts *facts)
{
	size_t end = facts_log_until_panic(facts);
	const struct oops_report *last = NULL;

	if (facts->session->text)
		return facts->session->text->death;
	/* panic() by other roads is the crash itself, whatever oopses there were before. */
	if (facts->fault.trap == TRAP_NONE && facts->panic_message &&
	    !starts_with(facts->panic_message, "Fatal exception"))
		return NULL;
	for (size_t i = facts->report_count; i-- > 0;) {
		const struct oops_report *r = &facts->reports[i];
		if (r->first >= end || !is_death(r))
			continue;
		if (is_of_fault(facts, r))
			return r;
		/* Printed differently, or not understood: still nearer than any other. */
		last = last ? last : r;
	}
	return last;
}

static void find_begin(struct crash *c)
{
	const struct facts *facts = c->facts;
	const struct oops_report *report = report_of_crash(facts);

	c->begin = report ? report->first : facts_log_until_panic(facts);
	if (c->begin < facts->log_count)
		c->record = &facts->log[c->begin];
}

/* --- What is at stake. --- */

static void add_address(struct crash *c, uint64_t from, uint64_t size, const char *what)
{
	const struct arch *arch = c->facts->session->arch;

	if (c->address_count == array_size(c->address) || !arch ||
	    !arch->is_kernel_address(from) || from > UINT64_MAX - 0x10000)
		return;
	c->address[c->address_count].from = from;
	c->address[c->address_count].to = from + size;
	c->address[c->address_count++].what = what;
}

static void find_addresses(struct crash *c)
{
	const struct fault_site *fault = &c->facts->fault;
	struct slab_object object;
	uint64_t size = 1;

	if (c->finding->object) {
		if (!c->facts->session->text &&
		    slab_object_at(c->facts->session, c->finding->object, &object) &&
		    object.slab.cache)
			size = object.slab.cache->size;
		add_address(c, c->finding->object, size, "the object at stake");
	}
	if (fault->has_address && !fault->pc_is_wild)
		add_address(c, fault->address, 1, "the address that could not be accessed");
	if (fault->base_reg >= 0 && fault->base_reg != X86_RSP && fault->base_reg != X86_RBP)
		add_address(c, fault->base_value, 1, "the pointer that the crash came from");
}

/* Values that a variable has before anybody sets it, or after setting it failed. */
static const char *unset_value(struct crash *c, uint64_t value, unsigned size)
{
	unsigned unused = size && size < 8 ? 64 - size * 8 : 0;
	int64_t number = (int64_t)(value << unused) >> unused;

	if (number == 0)
		return "NULL";
	if (number == -1 || value == UINT32_MAX)
		return "-1";
	if (number < 0 && number >= -4095)
		return finding_text(c->out, "the error code %" PRId64, number);
	return NULL;
}

static void find_unset(struct crash *c)
{
	static const unsigned arguments[] = { X86_RDI, X86_RSI, X86_RDX };
	const struct facts *facts = c->facts;
	const struct fault_site *fault = &facts->fault;

	if (facts->view && facts->view->condition_count &&
	    facts->view->condition[0].left.known && fault->trap == TRAP_INVALID_OPCODE) {
		const struct fault_condition *cond = &facts->view->condition[0];
		c->unset = unset_value(c, cond->left.value, cond->size);
		if (c->unset && strcmp(c->unset, "NULL") == 0)
			c->unset = "0";
		return;
	}
	if (starts_with(c->finding->kind, "null")) {
		c->unset = "NULL";
		return;
	}
	if (fault->trap == TRAP_PAGE_FAULT || fault->trap == TRAP_GENERAL_PROTECTION) {
		if (fault->base_reg >= 0)
			c->unset = unset_value(c, fault->base_value, 8);
		return;
	}
	for (size_t i = 0; fault->trap == TRAP_INVALID_OPCODE && i < array_size(arguments); i++) {
		if (!regs_known(fault->regs, arguments[i]) || !fault->regs->value[arguments[i]])
			continue;
		const char *text = unset_value(c, fault->regs->value[arguments[i]], 8);
		if (text && !c->unset) {
			c->unset = text;
			c->unset_guess = true;
		}
	}
}

/* --- The same address. --- */

static bool hex_word(const char **at, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";

	for (const char *p = *at; *p;) {
		size_t n = strspn(p, digits);
		if (n == 16) {
			char word[17];
			memcpy(word, p, n);
			word[n] = '\0';
			*at = p + n;
			return parse_hex(word, value);
		}
		p += n ? n : strcspn(p, digits);
	}
	return false;
}

/* The first address of the crash that the lines of the anomaly show; NULL: none. */
static const char *same_address(const struct crash *c, const struct anomaly *a, uint64_t *address)
{
	size_t first = a->report ? a->report->first : anomaly_position(c->facts, a);
	size_t count = a->report ? a->report->count : 1;

	for (size_t i = first; i < first + count && c->address_count; i++) {
		const char *at = c->facts->log[i].text;
		while (hex_word(&at, address)) {
			for (size_t k = 0; k < c->address_count; k++) {
				if (*address >= c->address[k].from && *address < c->address[k].to)
					return c->address[k].what;
			}
		}
	}
	return NULL;
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

static struct relation of_damage(const struct crash *c, const struct anomaly *a,
				 const struct common *common)
{
	const char *place = same_place(c, common), *thing = same_thing(c, common), *what;
	bool fault = c->facts->fault.trap != TRAP_NONE;
	uint64_t address;
	struct slab_object object;

	what = same_address(c, a, &address);
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
	return (struct relation){ .sentence = thing };
}

static struct relation of_death(const struct crash *c, const struct anomaly *a,
				const struct common *common)
{
	const char *place = same_place(c, common);

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

	what = same_address(c, a, &address);
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
	bool strong = common->pair || common->module || (place && common->function);

	if (!place && !thing)
		return (struct relation){ 0 };
	if (!c->unset)
		return (struct relation){
			.sentence = place ? finding_text(c->out, "memory could not be had %s", place)
					  : common->pair ? thing : NULL };
	const char *left = finding_text(c->out, "%s looks like a value that was never set", c->unset);
	const char *of = thing && (common->pair || !place) ? thing : place;
	bool near = strong && (!c->unset_guess || common->pair);
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
	return hex_word(&at, &status) && status & mci_valid && !(status & mci_uncorrected);
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

static struct relation of_others(const struct crash *c, const struct anomaly *a, enum sort sort)
{
	if (sort == SORT_HARDWARE && a->weight != ANOMALY_NOTABLE && !is_corrected(c, a))
		return (struct relation){
			.sentence = "hardware that fails can be behind any crash",
			.confidence = strcmp(c->finding->kind, "machine-check") == 0
					      ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE };
	if (sort == SORT_IO && names_module(c, a))
		return (struct relation){ .sentence = "it is of the module to blame" };
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
	const char *places[] = { c->finding->why, c->finding->what };
	enum { SAME = 12 };
	char start[SAME + 1] = "";

	if (strlen(a->record->text) < SAME)
		return (struct relation){ 0 };
	memcpy(start, a->record->text, SAME);
	for (size_t i = 0; i < array_size(places); i++) {
		const char *quote = places[i] ? strchr(places[i], '"') : NULL;
		if (quote && strstr(quote, start))
			return (struct relation){
				.sentence = "the memory that the crash tripped over is full of this "
					    "text",
				.confidence = CONFIDENCE_LIKELY };
	}
	return (struct relation){ 0 };
}

static struct relation relate(const struct crash *c, const struct anomaly *a)
{
	enum sort sort = sort_of(a);
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

/* --- Policies: the panic was ordered to follow. --- */

static const struct {
	const char *message; /* in the panic's */
	const char *kind;    /* glob */
} policies[] = {
	{ "hung_task: blocked tasks", "hung task" },
	{ "softlockup: hung tasks", "soft lockup" },
	{ "RCU Stall", "RCU stall" },
	{ "ard LOCKUP", "hard lockup" },
	{ "ut of memory", "out of memory" },
	{ "achine check", "hardware error" }, /* "Fatal machine check", "Fatal local machine check" */
	{ "kasan.fault=panic", "KASAN report" },
	{ "KASAN: panic_on_warn", "KASAN report" },
	{ "KFENCE: panic_on_warn", "KFENCE report" },
	{ "KMSAN: panic_on_warn", "KMSAN report" },
	{ "UBSAN: panic_on_warn", "undefined behaviour" },
	{ "KCSAN: panic_on_warn", "data race" },
	{ "panic_on_warn set", "*" },
};

/* The last one before the panic is what it followed. */
static bool by_policy(const struct crash *c)
{
	const struct facts *facts = c->facts;
	size_t end = facts_log_until_panic(facts), row = 0;

	while (facts->panic_message && row < array_size(policies) &&
	       !strstr(facts->panic_message, policies[row].message))
		row++;
	if (!facts->panic_message || row == array_size(policies))
		return false;
	for (size_t i = facts->anomaly_count; i-- > 0;) {
		struct anomaly *a = &facts->anomalies[i];
		if (anomaly_position(facts, a) >= end || !a->report ||
		    !glob_match(policies[row].kind, a->kind) || a->weight == ANOMALY_FATAL)
			continue;
		a->related = "the panic was set to follow it";
		a->relation = CONFIDENCE_CERTAIN;
		a->cause = true;
		return true;
	}
	return false;
}

/* --- Telling. --- */

enum { SHOWN = 60 };

static const char *start_of_line(struct findings *out, const struct log_record *r)
{
	return finding_text(out, "%.*s", (int)min_u64(strcspn(r->text, "\n"), SHOWN), r->text);
}

static void add_evidence(const struct crash *c, const struct anomaly *a)
{
	const struct oops_zone *zone = NULL;
	const char *why = a->report ? timeline_fragmentation(c->out, a->report, &zone) : NULL;

	finding_evidence_shows(c->out, c->finding, "log", start_of_line(c->out, a->record),
			       "earlier in the log: %s%s",
			       start_of_line(c->out, a->record),
			       strcspn(a->record->text, "\n") > SHOWN ? " ..." : "");
	if (why)
		finding_evidence_shows(c->out, c->finding, "log",
				       finding_text(c->out, "%s: %" PRIu64 "*4kB", zone->name,
						    zone->free_blocks[0]),
				       "%s", why);
}

/* What a checker saw is nearer to the cause than who tripped over it, within one module. */
static void blame_caught(const struct crash *c, const struct anomaly *a)
{
	struct blame *blame = &c->finding->blame;
	const struct oops_report *r = a->report;

	if (sort_of(a) != SORT_DAMAGE || !r || !r->pc.function || !r->pc.module || !blame->known ||
	    !blame->module || strcmp(blame->module, r->pc.module) != 0)
		return;
	blame->function = chain_source_name(c->facts->arena, r->pc.function);
	blame->because = finding_text(c->out, "%s named it before", a->kind);
}

/* Behind the first sentence of WHY, before what value flow has to say: it explains more. */
static void tell_second(const struct crash *c, const char *sentence)
{
	struct finding *f = c->finding;
	const char *rest = f->why ? strstr(f->why, ". ") : NULL;

	if (!rest) {
		explain_why(c->out, f, "%s", sentence);
		return;
	}
	f->why = finding_text(c->out, "%.*s. %s%s", (int)(rest - f->why), f->why, sentence, rest);
}

/* A detector may have told of it already. */
static bool is_told(const struct crash *c, const struct anomaly *a)
{
	const char *line = start_of_line(c->out, a->record);

	for (unsigned i = 0; i < c->finding->evidence_count; i++) {
		const struct evidence *e = &c->finding->evidence[i];
		if ((e->text && strstr(e->text, line)) || (e->shows && strstr(e->shows, line)))
			return true;
	}
	return false;
}

static void tell_cause(const struct crash *c, const struct anomaly *a, const struct relation *r)
{
	static const char doubt[] = "that the earlier trouble led to this is told by names and times; "
				    "it was not seen";
	struct finding *f = c->finding;

	tell_second(c, finding_text(c->out, "Most likely %s %s", timeline_event(c->out, a, c->record),
				    r->so));
	add_evidence(c, a);
	blame_caught(c, a);
	f->against = f->against ? finding_text(c->out, "%s; %s", f->against, doubt) : doubt;
	if (!f->origin_confidence)
		f->origin_confidence = confidence_name(r->confidence);
}

/* An earlier death is named even where nothing relates it. */
static void tell_death(const struct crash *c, const struct anomaly *a)
{
	add_evidence(c, a);
	explain_why(c->out, c->finding, "The kernel had died before (%s) and gone on; this may be a "
		    "consequence", timeline_event(c->out, a, c->record) + strlen("the "));
}

/* --- All. --- */

/* Nobody reads more, and comparing stacks takes time. */
enum { COMPARED_MAX = 256 };

static bool is_explained(const struct finding *f)
{
	return strcmp(f->kind, "sysrq") == 0 || strcmp(f->kind, "alive") == 0 ||
	       f->rank <= RANK_FALLBACK;
}

void timeline_relate(struct facts *facts, struct findings *out, struct finding *finding)
{
	struct crash c = { .facts = facts, .out = out, .finding = finding };
	const struct anomaly *best = NULL, *death = NULL;
	struct relation of_best = { 0 };
	size_t compared = 0;
	bool ordered;

	if (is_explained(finding))
		return;
	ordered = by_policy(&c);
	find_begin(&c);
	find_addresses(&c);
	find_unset(&c);
	c.side = side_of_crash(facts);
	/* From the last: of several equally strong ones the first in time stays. */
	for (size_t i = facts->anomaly_count; i-- > 0 && compared < COMPARED_MAX;) {
		struct anomaly *a = &facts->anomalies[i];
		if (anomaly_position(facts, a) >= c.begin || a->related)
			continue;
		compared++;
		struct relation r = relate(&c, a);
		if (!r.sentence)
			continue;
		a->related = r.sentence;
		a->relation = r.confidence;
		if (sort_of(a) == SORT_DEATH)
			death = a;
		if (r.cause && (!best || r.confidence >= of_best.confidence)) {
			best = a;
			of_best = r;
		}
	}
	if (best && !ordered)
		facts->anomalies[best - facts->anomalies].cause = true;
	if (ordered || (best && is_told(&c, best)))
		return;
	if (best)
		tell_cause(&c, best, &of_best);
	else if (death && !is_told(&c, death))
		tell_death(&c, death);
}
