// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reports about one object in memory: SLUB's own checks (mm/slub.c), KASAN, KFENCE, KMSAN, KCSAN.
 * Beside their own stack they show others, of who allocated and freed the object or raced for it.
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

static const struct {
	const char *start;
	bool allocated, freed;
} headings[] = {
	{ "Allocated by task", true, false },
	{ "Allocated by:", true, false },
	{ "allocated by task", true, false },
	{ "Allocated in ", true, false },
	{ "INFO: Allocated in ", true, false },
	{ "Freed by task", false, true },
	{ "Freed by:", false, true },
	{ "freed by task", false, true },
	{ "rcu_freeing by task", false, true },
	{ "Freed in ", false, true },
	{ "INFO: Freed in ", false, true },
	{ "Last potentially related work creation:", false, false },
	{ "Second to last potentially related work creation:", false, false },
	{ "Uninit was created at:", true, false },
	{ "Uninit was stored to memory at:", false, false },
	{ "Local variable ", false, false },
	{ "page last allocated via ", true, false },
	{ "page last free ", false, true },
	{ "page allocated via ", true, false },
	{ "page_owner tracks the page as freed", false, true },
	{ "read to 0x", false, false },
	{ "write to 0x", false, false },
	{ "read-write to 0x", false, false },
	{ "read (marked) to 0x", false, false },
	{ "write (marked) to 0x", false, false },
	{ "read-write (marked) to 0x", false, false },
	{ "race at unknown origin", false, false },
	{ "-> #", false, false }, /* lockdep: who took the lock */
};

void oops_end_track(struct oops_draft *draft, struct arena *arena)
{
	if (draft->section != SECTION_TRACK)
		return;
	struct oops_track *track = &draft->tracks.data[draft->tracks.count - 1];
	size_t size = draft->track_frames.count * sizeof(struct oops_frame);
	if (size) {
		struct oops_frame *frames = arena_alloc(arena, size);
		memcpy(frames, draft->track_frames.data, size);
		track->frames = frames;
		track->frame_count = draft->track_frames.count;
	}
	draft->track_frames.count = 0;
	draft->section = SECTION_HEAD;
}

static bool take_heading(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_track track = { .what = line, .cpu = -1, .pid = -1 };
	uint64_t n;
	size_t i = 0;

	while (i < array_size(headings) && !starts_with(line, headings[i].start))
		i++;
	if (i == array_size(headings) || draft->tracks.count == OOPS_TRACKS_MAX)
		return false;
	oops_end_track(draft, arena);
	track.allocated = headings[i].allocated;
	track.freed = headings[i].freed;
	if ((number_behind(line, "by task ", &n) || number_behind(line, "pid=", &n) ||
	     number_behind(line, "pid ", &n)) &&
	    n < INT32_MAX)
		track.pid = (int)n;
	if ((number_behind(line, "cpu ", &n) || number_behind(line, "cpu=", &n)) && n < INT32_MAX)
		track.cpu = (int)n;
	vec_push(&draft->tracks, track);
	draft->section = SECTION_TRACK;
	return true;
}

static bool is_kernel_half(uint64_t address)
{
	return address >> 47 == 0x1ffff;
}

static void take_object(struct oops_draft *draft, const char *line)
{
	static const char *const markers[] = { "belongs to the object at ", "INFO: Object 0x",
					       "Object 0x", "belongs to the variable " };
	uint64_t address;

	for (size_t i = 0; i < array_size(markers) && !draft->report.object; i++) {
		/* "0x" is part of the marker: without it there are lines of bytes as well. */
		if (hex_behind(line, markers[i], &address) && is_kernel_half(address))
			draft->report.object = address;
	}
}

static void take_cache(struct oops_draft *draft, struct arena *arena, const char *line)
{
	static const char *const markers[] = { "belongs to the cache ", ", cache=" };

	for (size_t i = 0; i < array_size(markers) && !draft->report.cache; i++) {
		const char *at = strstr(line, markers[i]);
		if (!at)
			continue;
		at += strlen(markers[i]);
		draft->report.cache = arena_strndup(arena, at, strcspn(at, " \t,"));
	}
}

/* "Write of size 8 at addr ffff888012345678 by task x/12". */
static void take_access(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *by = strstr(line, " by task ");
	uint64_t n;

	if (!r->has_address && hex_behind(line, " at addr ", &n)) {
		r->has_address = true;
		r->address = n;
	}
	if (!by || r->comm)
		return;
	by += strlen(" by task ");
	const char *slash = strrchr(by, '/');
	if (!slash)
		return;
	r->comm = trimmed(arena, by, slash);
	slash++;
	if (take_number(&slash, &n) && n < INT32_MAX)
		r->pid = (int)n;
}

bool oops_object_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	static const char *const starts[] = {
		"INFO: ", "Slab 0x", "Object ", "Redzone ", "Padding ", "Bytes b4", "FIX ", "Memory state",
		"The buggy address", "which belongs to", "page:", "page dumped", "page last", "flags: ",
		"raw: ", "head: ", "Read of size", "Write of size", "Read at ", "Free of addr", "kfence-#",
		"Reported by Kernel Concurrency", "value changed:", "shadow bytes", ">ffff", "ffff",
		"page_type", "anon flags", "Address 0x", "0xffff", "Right Redzone", "Left Redzone",
		"Bytes ", "index ", "shift exponent ", "signed integer", "left shift ",
		"division by zero", "load of ", "member access", "unsigned integer", "allocated by",
		"in kfence", "Use-after-free", "Out-of-bounds", "Invalid ", "Corrupted memory", "^",
		"KASAN: ", "The buggy ", "-----", "comm \"", "hex dump (first ", "[<",
	};

	if (take_heading(draft, arena, line))
		return true;
	for (size_t i = 0; i < array_size(starts); i++) {
		if (!starts_with(line, starts[i]))
			continue;
		take_object(draft, line);
		take_cache(draft, arena, line);
		take_access(draft, arena, line);
		/* KFENCE's own stack follows without "Call Trace:". */
		if (strstr(line, "kfence-#") && line[strlen(line) - 1] == ':' && !draft->frames.count)
			draft->section = SECTION_TRACE;
		return true;
	}
	return false;
}
