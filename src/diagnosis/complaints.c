// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A report in the log is "------------[ cut here ]------------", for WARN() its message, then
 * "WARNING: ..." or "kernel BUG at ...". Checks that end in BUG() print their line before the
 * scissors. Texts are those of lib/{list_debug,refcount}.c, mm/{usercopy,slub,slab.h,debug}.c,
 * include/linux/fortify-string.h, net/core/skbuff.c, kernel/locking/.
 */
#include "diagnosis/complaints.h"

#include <string.h>

#include "base/strbuf.h"

static const struct {
	const char *text;
	struct complaint means;
} complaints[] = {
	{ "list_del corruption",
	  { .kind = "list-corruption",
	    .title = "List corruption",
	    .why = "an entry of a linked list was deleted twice, used after it was freed, or "
		   "overwritten" } },
	{ "list_add corruption",
	  { .kind = "list-corruption",
	    .title = "List corruption",
	    .why = "an entry was added to a linked list twice, or the list was overwritten" } },
	{ "list_add double add",
	  { .kind = "list-corruption",
	    .title = "List corruption",
	    .why = "an entry was added to a linked list twice" } },
	{ "usercopy: Kernel memory",
	  { .kind = "usercopy",
	    .title = "Copy between kernel and user beyond an object",
	    .why = "a length was wrong, or checked wrongly" } },
	{ "detected buffer overflow in",
	  { .kind = "buffer-overflow",
	    .title = "Buffer overflow caught",
	    .why = "a copy was longer than the object that it went to, or came from" } },
	{ "detected buffer overflow: ", /* since 6.9 */
	  { .kind = "buffer-overflow",
	    .title = "Buffer overflow caught",
	    .why = "a copy was longer than the object that it went to, or came from" } },
	{ "detected field-spanning write",
	  { .kind = "buffer-overflow",
	    .title = "Copy beyond a structure's member",
	    .why = "the copy was longer than the member that it went to: an overflow into the next "
	    "members, or a member declared too small" } },
	{ "Object already free",
	  { .kind = "double-free",
	    .title = "Double free",
	    .why = "an object was freed twice" } },
	{ "Wrong slab cache",
	  { .kind = "wrong-cache",
	    .title = "Object freed into the wrong slab cache",
	    .why = "an object was freed to another cache than it was allocated from: a mixed-up "
	    "pointer "
	    "or cache, or a pointer to something else altogether" } },
	{ "Object is not a Slab page",
	  { .kind = "invalid-free",
	    .title = "Free of what is no object",
	    .why = "what was given to the slab allocator to free is not in one of its pages: a wrong "
		   "pointer, or memory that came from another allocator" } },
	{ "refcount_t: addition on 0",
	  { .kind = "refcount",
	    .title = "Reference taken of a dead object",
	    .why = "a reference was taken of an object that had none left: its last user had given it "
	    "back, and it was freed or is about to be (use after free)" } },
	{ "refcount_t: increment on 0",
	  { .kind = "refcount",
	    .title = "Reference taken of a dead object",
	    .why = "a reference was taken of an object that had none left: its last user had given it "
	    "back, and it was freed or is about to be (use after free)" } },
	{ "refcount_t: underflow",
	  { .kind = "refcount",
	    .title = "Reference count below zero",
	    .why = "a reference was given back that nobody had: given back twice, or used after it was "
	    "freed" } },
	{ "refcount_t: saturated",
	  { .kind = "refcount",
	    .title = "Reference count out of range",
	    .why = "the count overflowed (references taken and never given back), fell below zero "
	    "before, or was overwritten" } },
	{ "refcount_t: decrement hit 0",
	  { .kind = "refcount",
	    .title = "Last reference lost",
	    .why = "the last reference was given back by a path that cannot free the object" } },
	{ "skb_over_panic",
	  { .kind = "buffer-overflow",
	    .title = "Data beyond a network buffer's end",
	    .why = "more was put into a network buffer than it had room for" } },
	{ "skb_under_panic",
	  { .kind = "buffer-overflow",
	    .title = "Data before a network buffer's start",
	    .why = "a header was put before a network buffer that had no room there" } },
	{ "Bad page state",
	  { .kind = "page-state",
	    .title = "Bad page state",
	    .why = "a page was freed or allocated while something still used it" } },
	{ "page dumped because: VM_BUG_ON",
	  { .kind = "page-state",
	    .title = "Bad page state",
	    .why = "the state of a page contradicts what the code needs: freed too early, or its struct "
	    "page was overwritten" } },
	{ "DEBUG_LOCKS_WARN_ON",
	  { .kind = "lock-misuse",
	    .title = "Lock misused",
	    .why = "a lock was used before it was set up, by another than its owner, or after it was "
	    "freed" } },
	{ "ODEBUG: ",
	  { .kind = "object-state",
	    .title = "Object in the wrong state",
	    .why = "a timer, work or other object was freed while active, or used before it was set up" } },
	{ "sysfs: cannot create duplicate filename",
	  { .kind = "duplicate-name",
	    .title = "Name registered twice",
	    .why = "two objects of the same name in one folder" } },
	{ "percpu ref",
	  { .kind = "refcount",
	    .title = "Reference count out of range",
	    .why = "a reference was given back too often" } },
};

/* Checks without words: where they are tells what they check. Globs over function names. */
static const struct {
	const char *file, *function; /* the end of the path; a glob */
	struct complaint means;
	bool only_bug; /* the WARN()s of the same function are others */
} places[] = {
	{ .file = "mm/slub.c", .function = "*free*", .only_bug = true,
	  .means = { .kind = "double-free",
	    .title = "Double free",
	    .why = "the slab allocator was given an object that is already the first of its free list: it "
	    "was freed twice",
	    .unsure = "a free list that was overwritten can look the same" } },
	{ .file = "lib/list_debug.c", .function = "__list_*",
	  .means = { .kind = "list-corruption",
	    .title = "List corruption",
	    .why = "an entry of a linked list was added or deleted twice, used after it was freed, or "
	    "overwritten" } },
	{ .file = "mm/usercopy.c", .function = "usercopy_abort",
	  .means = { .kind = "usercopy",
	    .title = "Copy between kernel and user beyond an object",
	    .why = "a length was wrong, or checked wrongly" } },
	{ .file = "lib/string_helpers.c", .function = "*fortify_panic",
	  .means = { .kind = "buffer-overflow",
	    .title = "Buffer overflow caught",
	    .why = "a copy was longer than the object that it went to, or came from" } },
	{ .file = "lib/string.c", .function = "fortify_panic",
	  .means = { .kind = "buffer-overflow",
	    .title = "Buffer overflow caught",
	    .why = "a copy was longer than the object that it went to, or came from" } },
	{ .file = "net/core/skbuff.c", .function = "skb_panic",
	  .means = { .kind = "buffer-overflow",
	    .title = "Data outside a network buffer",
	    .why = "more was put into a network buffer than it had room for" } },
	{ .file = "lib/refcount.c", .function = "refcount_warn_saturate",
	  .means = { .kind = "refcount",
	    .title = "Reference count out of range",
	    .why = "references were taken or given back too often, or the count was overwritten" } },
};

/* A slow console may hold up each line. */
enum { COMPLAINT_LINES = 5, COMPLAINT_NS = 1000 * 1000 * 1000 };

static const struct complaint *meaning(const char *text)
{
	for (size_t i = 0; i < array_size(complaints); i++) {
		if (strstr(text, complaints[i].text))
			return &complaints[i].means;
	}
	return NULL;
}

/* The last report; what is printed after the panic is about accidents on the way down. */
static const struct log_record *last_report(const struct facts *facts, const char *marker)
{
	for (size_t i = facts_log_until_panic(facts); i-- > 0;) {
		if (strstr(facts->log[i].text, marker))
			return &facts->log[i];
	}
	return NULL;
}

const struct log_record *complaint_before(const struct facts *facts, const char *marker,
					  const struct complaint **complaint)
{
	const struct log_record *r = last_report(facts, marker), *message = NULL;
	bool scissors = false;

	*complaint = NULL;
	for (size_t n = 0; r && n < COMPLAINT_LINES && r > facts->log; n++) {
		const struct log_record *before = r - 1;
		if (r->time_ns - before->time_ns > COMPLAINT_NS)
			break;
		if (strstr(before->text, "---[ end ")) /* of another report */
			break;
		r = before;
		if (strstr(r->text, "[ cut here ]")) {
			/* Of what WARN() prints all stands behind the scissors. */
			if (scissors || message)
				break;
			scissors = true;
			continue;
		}
		*complaint = meaning(r->text);
		if (*complaint)
			return r;
		if (!scissors && !message)
			message = r;
	}
	/* Without the scissors above it the line is of somebody else. */
	return message && r && strstr(r->text, "[ cut here ]") ? message : NULL;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

const struct complaint *complaint_of_place(const char *file, const char *function, bool warning)
{
	for (size_t i = 0; i < array_size(places); i++) {
		if (ends_with(file, places[i].file) && glob_match(places[i].function, function) &&
		    !(warning && places[i].only_bug))
			return &places[i].means;
	}
	return NULL;
}
