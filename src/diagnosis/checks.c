// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One decoder for each form of words. Formats are the printk()s of lib/list_debug.c,
 * mm/{slub,usercopy,debug,page_alloc}.c, include/linux/fortify-string.h and
 * lib/string_helpers.c, mm/kasan/report.c, mm/kfence/report.c, lib/ubsan.c, kernel/cfi.c,
 * kernel/sched/core.c, kernel/locking/spinlock_debug.c, of several versions. Addresses that the
 * kernel had hashed (%p) are no addresses: only those of the kernel's half are taken.
 */
#include "diagnosis/checks.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/cause.h"
#include "forensics/poison.h"

/* --- Scanning. --- */

static void printf_like(2, 3) say(struct check_words *words, const char *fmt, ...)
{
	va_list args;
	size_t used = strlen(words->sentence);

	va_start(args, fmt);
	vsnprintf(words->sentence + used, sizeof(words->sentence) - used, fmt, args);
	va_end(args);
}

/* The hexadecimal number behind @marker, at most @gap characters further on. */
static bool hex_behind(const char *text, const char *marker, size_t gap, uint64_t *value)
{
	const char *at = strstr(text, marker);
	char *end;

	if (!at)
		return false;
	at += strlen(marker);
	for (size_t i = 0; i <= gap && *at; i++, at++) {
		bool prefixed = starts_with(at, "0x");
		size_t digits = strspn(at + (prefixed ? 2 : 0), "0123456789abcdefABCDEF");
		if (digits < 8 && !(prefixed && digits))
			continue;
		*value = strtoull(at, &end, 16);
		return true;
	}
	return false;
}

static bool number_behind(const char *text, const char *marker, uint64_t *value)
{
	const char *at = strstr(text, marker);

	if (!at || !isdigit((unsigned char)at[strlen(marker)]))
		return false;
	*value = strtoull(at + strlen(marker), NULL, 10);
	return true;
}

/* The upper half: hashed pointers have 32 bits, those of users are below. */
static bool is_kernel(uint64_t address)
{
	return address >> 47 == UINT64_MAX >> 47 && address < (uint64_t)-4096;
}

/* " (LIST_POISON1)", " (NULL)", " (the text \"abc\")" or "" */
static const char *value_note(uint64_t value, char buf[64])
{
	const struct poison *poison = poison_of(value);
	char text[9], name[48];

	buf[0] = '\0';
	if (!value)
		return " (NULL)";
	if (poison) {
		poison_text(poison, value, name, sizeof(name));
		snprintf(buf, 64, " (%s)", name);
	} else if (number_as_text(value, text)) {
		snprintf(buf, 64, " (the text \"%s\")", text);
	}
	return buf;
}

/* The text between @from and @to, which is cut to fit; "" when it is not there. */
static const char *between(const char *text, const char *from, const char *to, char *buf,
			   size_t size)
{
	const char *start = strstr(text, from), *end;

	buf[0] = '\0';
	if (!start)
		return buf;
	start += strlen(from);
	end = strstr(start, to);
	snprintf(buf, size, "%.*s", (int)(end ? end - start : (long)strlen(start)), start);
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

bool check_place(const char *text, struct check_place *place)
{
	size_t n = strcspn(text, "+ \t\n(");

	*place = (struct check_place){ 0 };
	if (!n || n >= sizeof(place->function) || text[n] != '+' || !starts_with(text + n, "+0x"))
		return false;
	memcpy(place->function, text, n);
	place->function[strcspn(place->function, ".")] = '\0';
	const char *rest = text + n + strcspn(text + n, " \t\n");
	if (starts_with(rest, " ["))
		between(rest, " [", "]", place->module, sizeof(place->module));
	return *place->function != '\0';
}

/* "f() of module m" */
static void place_name(const struct check_place *place, char *buf, size_t size)
{
	snprintf(buf, size, "%s()%s%s", place->function, *place->module ? " of module " : "",
		 place->module);
}

/* --- Lists. --- */

/* "prev->next should be A, but was B. (prev=C)"; before 5.x without the bracket. */
static bool list_neighbour(const char *text, struct check_words *words)
{
	uint64_t expected, found, owner = 0;
	char member[8], note[64];
	bool previous = strstr(text, "prev->next should be") != NULL;

	if (!previous && !strstr(text, "next->prev should be"))
		return false;
	if (!hex_behind(text, "should be", 8, &expected) ||
	    !hex_behind(text, "but was", 4, &found))
		return false;
	hex_behind(text, previous ? "(prev=" : "(next=", 0, &owner);
	snprintf(member, sizeof(member), "%s", previous ? "next" : "prev");
	say(words, "the %s pointer of the %s entry", member, previous ? "previous" : "next");
	if (is_kernel(owner)) {
		words->object = owner;
		words->cell = owner + (previous ? 0 : 8);
		words->found = found;
		words->has_found = true;
		say(words, ", 0x%" PRIx64 ",", owner);
	}
	say(words, " should be 0x%" PRIx64 ", but was 0x%" PRIx64 "%s: that entry was overwritten, "
	    "freed while on the list, or the list was changed without its lock", expected, found,
	    value_note(found, note));
	return true;
}

static bool decode_list(const char *text, const struct log_record *more unused_arg,
			size_t lines unused_arg, struct check_words *words)
{
	uint64_t entry = 0;

	if (list_neighbour(text, words))
		return true;
	if (strstr(text, "double add") && hex_behind(text, "new=", 0, &entry)) {
		say(words, "the entry 0x%" PRIx64 " was added next to itself: it is on the list "
		    "already", entry);
	} else if (hex_behind(text, "corruption, ", 0, &entry)) {
		const char *member = strstr(text, "->prev") ? "prev" : "next";
		const char *poison = strstr(text, "LIST_POISON");
		say(words, "the %s pointer of the entry 0x%" PRIx64 " is %.*s: ", member, entry,
		    poison ? (int)strcspn(poison, " ") : 4, poison ? poison : "NULL");
		say(words, poison ? "it was deleted from its list before"
				  : "it was on no list: never added, or cleared since");
	} else {
		return false;
	}
	words->object = is_kernel(entry) ? entry : 0;
	return true;
}

/* --- Copies. --- */

/* "memcpy: detected buffer overflow: 16 byte write of buffer size 8" (6.9), or without numbers. */
static bool decode_fortify(const char *text, const struct log_record *more unused_arg,
			   size_t lines unused_arg, struct check_words *words)
{
	uint64_t size, room;
	char name[64], field[128];

	if (number_behind(text, "detected buffer overflow: ", &size) &&
	    number_behind(text, "of buffer size ", &room)) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, ":"), text);
		say(words, "%s was to %s %" PRIu64 " bytes %s a buffer of %" PRIu64, name,
		    strstr(text, "byte read") ? "read" : "write", size,
		    strstr(text, "byte read") ? "from" : "to", room);
		return true;
	}
	if (number_behind(text, "field-spanning write (size ", &size) &&
	    number_behind(text, "(size ", &size)) {
		const char *last = strstr(text, "\" at ");
		between(text, "field \"", "\"", field, sizeof(field));
		if (!last || !number_behind(last, "(size ", &room))
			return false;
		say(words, "%" PRIu64 " bytes were to be written to %s, which has %" PRIu64, size,
		    field, room);
		return true;
	}
	if (strstr(text, "detected buffer overflow in ")) {
		between(text, "overflow in ", " ", name, sizeof(name));
		say(words, "%s was called with a length beyond the object's size, which the "
		    "compiler knew", name);
		return true;
	}
	return false;
}

/* "Kernel memory overwrite attempt detected to SLUB object 'kmalloc-64' (offset 0, size 128)!" */
static bool decode_usercopy(const char *text, const struct log_record *more unused_arg,
			    size_t lines unused_arg, struct check_words *words)
{
	uint64_t offset, size;
	char what[96];
	bool exposure = strstr(text, "exposure attempt") != NULL;

	if (!number_behind(text, "(offset ", &offset) || !number_behind(text, "size ", &size))
		return false;
	between(text, exposure ? "detected from " : "detected to ", " (offset", what, sizeof(what));
	say(words, "%" PRIu64 " bytes were to be copied %s %s, from its byte %" PRIu64 " on: that "
	    "is not all within what may be copied", size,
	    exposure ? "to user space out of" : "from user space into",
	    *what ? what : "kernel memory", offset);
	return true;
}

/* --- Slab reports. --- */

/* Whom it speaks against: who freed the object last, or who had it. */
enum suspicion { SUSPECT_NOBODY, SUSPECT_FREED, SUSPECT_ALLOCATED };

static const struct slab_title {
	const char *text, *means;
	enum suspicion suspect;
} slab_titles[] = {
	{ "Poison overwritten", "the object was written to after it was freed", SUSPECT_FREED },
	{ "Left Redzone", "something wrote before the object's start", SUSPECT_NOBODY },
	{ "Right Redzone", "something wrote past the object's end", SUSPECT_ALLOCATED },
	{ "Redzone", "something wrote past the object's end, or before its start",
	  SUSPECT_ALLOCATED },
	{ "padding overwritten", "something wrote far past an object's end", SUSPECT_ALLOCATED },
	{ "Padding overwritten", "something wrote far past an object's end", SUSPECT_NOBODY },
	{ "Freepointer corrupt", "the pointer in the free object was overwritten", SUSPECT_FREED },
	{ "Freechain corrupt", "the pointer in a free object was overwritten", SUSPECT_FREED },
	{ "already free", "the object was freed twice", SUSPECT_FREED },
	{ "nvalid object pointer", "what was freed does not begin where an object begins",
	  SUSPECT_NOBODY },
	{ "Invalid pointer", "what was freed does not begin where an object begins",
	  SUSPECT_NOBODY },
	{ "does not belong to slab", "what was freed is no object of that cache", SUSPECT_NOBODY },
	{ "Objects remaining", "the cache was destroyed while objects of it were in use",
	  SUSPECT_ALLOCATED },
	{ "Wrong object count", "the slab's own counters do not fit", SUSPECT_NOBODY },
	/* Since 6.12 what is corrupt of it stands in a line above: "[Right Redzone overwritten] 0x..." */
	{ "Object corrupt", "an object is not as the allocator had left it", SUSPECT_NOBODY },
};

static const struct slab_title *slab_title(const char *text)
{
	for (size_t i = 0; i < array_size(slab_titles); i++) {
		if (strstr(text, slab_titles[i].text))
			return &slab_titles[i];
	}
	return NULL;
}

const char *check_slab_title(const char *text)
{
	const struct slab_title *title = slab_title(text);

	return title ? title->means : NULL;
}

/* "0xA-0xB @offset=N. First byte 0x6 instead of 0x6b", before 5.x with "INFO: " before it. */
static void slab_bytes(const char *text, struct check_words *words)
{
	uint64_t from, found, expected;

	if (!strstr(text, "First byte") || !hex_behind(text, "First byte ", 0, &found) ||
	    !hex_behind(text, "instead of ", 0, &expected))
		return;
	say(words, "; the first wrong byte is 0x%" PRIx64 " instead of 0x%" PRIx64, found, expected);
	if (hex_behind(text, "", 8, &from) && is_kernel(from))
		words->cell = from;
}

/* "Allocated in f+0x1/0x2 [m] age=12 cpu=0 pid=99" */
static void slab_track_line(const char *text, const char *marker, const char *verb, bool suspect,
			    struct check_words *words)
{
	const char *at = strstr(text, marker);
	struct check_place place;
	char name[176];

	if (!at || !check_place(at + strlen(marker), &place))
		return;
	place_name(&place, name, sizeof(name));
	say(words, "; it was %s by %s", verb, name);
	if (!suspect)
		return;
	words->suspect = place;
	words->suspect_why = "it had the object last; who wrote there was not seen";
}

static bool decode_slab(const char *text, const struct log_record *more, size_t lines,
			struct check_words *words)
{
	char cache[64];

	/* "BUG kmalloc-64 (Not tainted): Poison overwritten" */
	const char *colon = strstr(text, "): ");
	if (!starts_with(text, "BUG ") || !colon)
		return false;
	const struct slab_title *title = slab_title(colon);
	if (!title)
		return false;
	between(text, "BUG ", " (", cache, sizeof(cache));
	say(words, "slab cache %s: %s", cache, title->means);
	for (size_t n = 0; n < lines; n++) {
		if (starts_with(more[n].text, "BUG "))
			break;
		slab_bytes(more[n].text, words);
		slab_track_line(more[n].text, "Allocated in ", "allocated",
				title->suspect == SUSPECT_ALLOCATED, words);
		slab_track_line(more[n].text, "Freed in ", "freed",
				title->suspect == SUSPECT_FREED, words);
		if (!words->object && hex_behind(more[n].text, "Object 0x", 0, &words->object) &&
		    !is_kernel(words->object))
			words->object = 0;
	}
	return true;
}

/* --- KASAN, KFENCE, UBSAN. --- */

/* The first function of the trace behind @head that is no allocator or checker. */
static bool first_of_trace(const struct log_record *head, size_t lines, struct check_place *place)
{
	for (size_t i = 1; i < lines; i++) {
		const char *at = head[i].text + strspn(head[i].text, " \t");
		if (!check_place(at, place))
			return false;
		if (*place->module || !blame_is_helper(place->function))
			return true;
	}
	return false;
}

static void say_tracks(const struct log_record *more, size_t lines, struct check_words *words)
{
	static const struct {
		const char *marker, *verb;
	} tracks[] = {
		{ "llocated by task", "allocated" },
		{ "reed by task", "freed" },
	};
	struct check_place place;
	char name[176];

	for (size_t i = 0; i < lines; i++) {
		for (size_t t = 0; t < array_size(tracks); t++) {
			if (!strstr(more[i].text, tracks[t].marker) ||
			    !first_of_trace(more + i, lines - i, &place))
				continue;
			place_name(&place, name, sizeof(name));
			say(words, "; it was %s by %s", tracks[t].verb, name);
		}
	}
}

/* "located 8 bytes inside of" and, on the next line, " freed 64-byte region [a, b)" */
static void say_region(const char *text, uint64_t distance, const char *next,
		       struct check_words *words)
{
	char where[64], region[64] = "";
	const char *rest = strchr(text, '\n');

	between(text, "bytes ", "\n", where, sizeof(where));
	snprintf(region, sizeof(region), "%s", rest ? rest + 1 : next);
	where[strcspn(where, "[")] = '\0';
	say(words, ", %" PRIu64 " bytes %s", distance, where);
	/* In older kernels all is on one line. */
	if (!strstr(where, "region") && strstr(region, "region"))
		say(words, " %.*s", (int)(strstr(region, "region") + strlen("region") - region -
					  (ptrdiff_t)strspn(region, " ")),
		    region + strspn(region, " "));
	size_t length = strlen(words->sentence);
	if (length && words->sentence[length - 1] == ' ')
		words->sentence[length - 1] = '\0';
}

/* "Write of size 8 at addr ffff888006e4a708 by task x/99", "... located 8 bytes inside of freed
 * 64-byte region", "... belongs to the cache kmalloc-64 of size 64" */
static bool decode_kasan(const char *text unused_arg, const struct log_record *more, size_t lines,
			 struct check_words *words)
{
	uint64_t size, distance;
	char cache[64];

	for (size_t i = 0; i < lines; i++) {
		const char *t = more[i].text;
		if (number_behind(t, " of size ", &size) && strstr(t, " at addr ") &&
		    !*words->sentence) {
			say(words, "%" PRIu64 " byte%s %s", size, size == 1 ? "" : "s",
			    starts_with(t, "Write") ? "were written" : "were read");
			hex_behind(t, "at addr ", 0, &words->object);
		} else if (strstr(t, "belongs to the cache ")) {
			between(t, "belongs to the cache ", " of size", cache, sizeof(cache));
			say(words, "%san object of slab cache %s", *words->sentence ? " in " : "",
			    cache);
		} else if (number_behind(t, "is located ", &distance)) {
			say_region(t, distance, i + 1 < lines ? more[i + 1].text : "", words);
		}
	}
	if (!is_kernel(words->object))
		words->object = 0;
	say_tracks(more, lines, words);
	return *words->sentence != '\0';
}

static bool decode_kfence(const char *text unused_arg, const struct log_record *more, size_t lines,
			  struct check_words *words)
{
	uint64_t size;
	char cache[64];

	for (size_t i = 0; i < lines; i++) {
		const char *t = more[i].text;
		if (!starts_with(t, "kfence-#") || !number_behind(t, "size=", &size))
			continue;
		between(t, "cache=", "\n", cache, sizeof(cache));
		say(words, "the object has %" PRIu64 " bytes, of slab cache %s", size, cache);
		break;
	}
	say_tracks(more, lines, words);
	return *words->sentence != '\0';
}

/* The line behind "UBSAN: KIND in FILE:LINE:COLUMN" has the values. */
static bool decode_ubsan(const char *text unused_arg, const struct log_record *more, size_t lines,
			 struct check_words *words)
{
	static const char *const values[] = {
		"index ", "shift exponent ", "left shift of ", "division ", "load of ",
		"signed integer overflow", "negation of ", "member access within ", "store to ",
		"calling __builtin", "assumption of ",
	};

	for (size_t i = 0; i < lines && i < 4; i++) {
		for (size_t v = 0; v < array_size(values); v++) {
			if (!starts_with(more[i].text, values[v]) &&
			    !(v == 5 && strstr(more[i].text, "cannot be represented")))
				continue;
			say(words, "%.200s", more[i].text);
			words->sentence[strcspn(words->sentence, "\n")] = '\0';
			return true;
		}
	}
	return false;
}

/* --- Control flow. --- */

/* "CFI failure at f+0x1/0x2 [m] (target: g+0x0/0x10; expected type: 0x12345678)" */
static bool decode_cfi(const char *text, const struct log_record *more unused_arg,
		       size_t lines unused_arg, struct check_words *words)
{
	struct check_place from, to;
	const char *target = strstr(text, "target: ");
	char name[176];

	if (!check_place(strstr(text, "CFI failure at ") + strlen("CFI failure at "), &from))
		return false;
	place_name(&from, name, sizeof(name));
	say(words, "%s called through a pointer ", name);
	if (!target)
		say(words, "that leads to no function");
	else if (check_place(target + strlen("target: "), &to))
		say(words, "to %s(), whose type is another than the caller's pointer says: a wrong "
		    "cast, or the pointer was overwritten", to.function);
	else
		say(words, "to no function: the pointer was overwritten");
	return true;
}

static bool decode_endbr(const char *text, const struct log_record *more unused_arg,
			 size_t lines unused_arg, struct check_words *words)
{
	say(words, "an indirect call or jump led to %.120s, where none may lead (no ENDBR "
	    "instruction): the pointer was overwritten, or that code was built without IBT",
	    strstr(text, "Missing ENDBR: ") + strlen("Missing ENDBR: "));
	words->sentence[strcspn(words->sentence, "\n")] = '\0';
	return true;
}

/* --- Pages, atomic context, locks. --- */

static const struct {
	const char *reason, *means;
} page_reasons[] = {
	{ "nonzero mapcount", "it is still mapped in some process" },
	{ "non-NULL mapping", "it still belongs to a file or to anonymous memory" },
	{ "nonzero _refcount", "somebody still holds a reference to it" },
	{ "PAGE_FLAGS_CHECK_AT_FREE flag(s) set", "it is still locked, on a list, or in use" },
	{ "PAGE_FLAGS_CHECK_AT_PREP flag set", "a free page is marked as in use" },
	{ "page still charged to cgroup", "it is still charged to a cgroup" },
	{ "corrupted mapping in tail page", "its struct page was overwritten" },
	{ "hwpoison", "it was given up because of a hardware error" },
};

static bool decode_page(const char *text, const struct log_record *more, size_t lines,
			struct check_words *words)
{
	char pfn[24], reason[80] = "";

	between(text, "pfn:", " ", pfn, sizeof(pfn));
	for (size_t i = 0; i < lines && !*reason; i++)
		between(more[i].text, "page dumped because: ", "\n", reason, sizeof(reason));
	if (!*reason)
		return false;
	say(words, "page frame 0x%s was freed or handed out although %s", pfn, reason);
	for (size_t i = 0; i < array_size(page_reasons); i++) {
		if (starts_with(reason, page_reasons[i].reason))
			say(words, ": %s", page_reasons[i].means);
	}
	words->next = "whoever had that page last gave it back too early, or twice: boot with "
		      "page_owner=on debug_pagealloc=on";
	return true;
}

/* include/linux/preempt.h */
enum { PREEMPT_MASK = 0xff, SOFTIRQ_MASK = 0xff00, HARDIRQ_MASK = 0xf0000, NMI_MASK = 0xf00000 };

static void say_preempt(uint64_t count, struct check_words *words)
{
	if (count & NMI_MASK)
		say(words, "in an NMI");
	else if (count & HARDIRQ_MASK)
		say(words, "in an interrupt");
	else if (count & SOFTIRQ_MASK)
		say(words, "in a softirq, or with bottom halves disabled");
	else if (count & PREEMPT_MASK)
		say(words, "with preemption disabled %" PRIu64 " times (by spinlocks, most often)",
		    count & PREEMPT_MASK);
	else
		say(words, "with interrupts disabled, or in an RCU read-side section");
}

/* "BUG: scheduling while atomic: comm/pid/0x00000002" */
static bool decode_atomic(const char *text, const struct log_record *more unused_arg,
			  size_t lines unused_arg, struct check_words *words)
{
	const char *at = strrchr(text, '/');

	if (!at || !starts_with(at, "/0x"))
		return false;
	say(words, "it went to sleep ");
	say_preempt(strtoull(at + 1, NULL, 16), words);
	return true;
}

static bool decode_sleeping(const char *text, const struct log_record *more, size_t lines,
			    struct check_words *words)
{
	char place[128];
	uint64_t irqs = 0;

	between(text, "invalid context at ", "\n", place, sizeof(place));
	say(words, "what may sleep (%s) was called ", place);
	for (size_t i = 0; i < lines && i < 6; i++) {
		const char *count = strstr(more[i].text, "preempt_count: ");
		number_behind(more[i].text, "irqs_disabled(): ", &irqs);
		if (count) {
			uint64_t value = strtoull(count + strlen("preempt_count: "), NULL, 16);
			if (value || !irqs) {
				say_preempt(value, words);
				return true;
			}
		}
	}
	say(words, irqs ? "with interrupts disabled" : "in atomic context");
	return true;
}

/* "lock: x+0x0/0x40, .magic: 00000000, .owner: <none>/-1, .owner_cpu: 0" */
static bool decode_spinlock(const char *text unused_arg, const struct log_record *more,
			    size_t lines, struct check_words *words)
{
	enum { SPINLOCK_MAGIC = 0xdead4ead, POISON = 0x6b6b6b6b };
	uint64_t magic;

	for (size_t i = 0; i < lines && i < 3; i++) {
		const char *at = strstr(more[i].text, ".magic: ");
		if (!at)
			continue;
		magic = strtoull(at + strlen(".magic: "), NULL, 16);
		hex_behind(more[i].text, "lock: ", 0, &words->object);
		if (!is_kernel(words->object))
			words->object = 0;
		say(words, "the lock's magic number is 0x%" PRIx64 "%s", magic,
		    magic == SPINLOCK_MAGIC ? ": the lock itself looks sound"
		    : !magic		    ? ": it was never set up, or was cleared"
		    : magic == POISON	    ? ": it is in freed memory"
					    : ": it was overwritten, or is no lock");
		return true;
	}
	return false;
}

/* --- All of them. --- */

static const struct {
	const char *marker;
	bool (*decode)(const char *text, const struct log_record *more, size_t lines,
		       struct check_words *words);
} decoders[] = {
	{ "list_del corruption", decode_list },
	{ "list_add corruption", decode_list },
	{ "list_add double add", decode_list },
	{ "detected buffer overflow", decode_fortify },
	{ "detected field-spanning write", decode_fortify },
	{ "usercopy: Kernel memory", decode_usercopy },
	{ "BUG: KASAN: ", decode_kasan },
	{ "BUG: KFENCE: ", decode_kfence },
	{ "UBSAN: ", decode_ubsan },
	{ "CFI failure at ", decode_cfi },
	{ "Missing ENDBR: ", decode_endbr },
	{ "BUG: Bad page state in process", decode_page },
	{ "BUG: scheduling while atomic", decode_atomic },
	{ "BUG: sleeping function called", decode_sleeping },
	{ "BUG: spinlock ", decode_spinlock },
	{ "BUG ", decode_slab },
};

bool check_decode(const char *text, const struct log_record *more, size_t lines,
		  struct check_words *words)
{
	*words = (struct check_words){ 0 };
	for (size_t i = 0; i < array_size(decoders); i++) {
		if (strstr(text, decoders[i].marker) &&
		    decoders[i].decode(text, more, lines, words))
			return true;
	}
	return false;
}

/* How many lines behind it may belong to a report. */
enum { REPORT_LINES = 100 };

/* What the dump has at the places that the words name. */
static void look_in_memory(const struct facts *facts, const struct check_words *words,
			   struct findings *out, struct finding *f)
{
	uint64_t now;

	if (facts->session->text || !facts->session->memory)
		return;
	if (words->cell && words->has_found &&
	    memory_u64(facts->session->memory, words->cell, &now) == READ_OK && now == words->found)
		finding_evidence_shows(out, f, finding_text(out, "rd 0x%" PRIx64, words->cell),
				       finding_text(out, "%016" PRIx64, now),
				       "the cell still holds it");
	const char *place = words->object ? place_words(facts, words->object) : NULL;
	if (!place || !*place)
		return;
	finding_evidence(out, f, finding_text(out, "whatis 0x%" PRIx64, words->object),
			 "what the words name: %s", place);
}

void check_explain(const struct facts *facts, const struct log_record *record,
		   struct findings *out, struct finding *f)
{
	struct check_words words;
	size_t left = record ? (size_t)(facts->log + facts->log_count - record) - 1 : 0;

	/* What KFENCE knew is in memory, and told by explain_object(). */
	if (record && starts_with(record->text, "BUG: KFENCE: ") && !facts->session->text)
		return;
	if (!record || !check_decode(record->text, record + 1,
				     left < REPORT_LINES ? left : REPORT_LINES, &words))
		return;
	f->why = f->why ? finding_text(out, "%s. By its words, %s", f->why, words.sentence)
			: finding_text(out, "%s", words.sentence);
	if (words.next)
		f->next = words.next;
	if (*words.suspect.function) {
		f->blame = facts_blame_name(facts, words.suspect.function, words.suspect.module);
		f->blame.unsure = words.suspect_why;
	}
	look_in_memory(facts, &words, out, f);
}
