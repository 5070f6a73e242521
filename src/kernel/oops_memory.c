// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A failed page allocation and the OOM killer: what was asked for, free blocks by order of each
 * zone, who was killed (mm/page_alloc.c, mm/show_mem.c, mm/oom_kill.c).
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

/* "Node 0 Normal: 8454*4kB (UEM) 6702*8kB (UEM) ... = 473928kB"; without "Node 0" before 2.6.3x. */
static bool take_zone(struct oops_draft *draft, struct arena *arena, const char *line)
{
	const char *at = line, *colon;
	struct oops_zone zone = { .node = -1 };
	uint64_t n, size;

	if (take_text(&at, "Node ") && take_number(&at, &n) && n < INT32_MAX)
		zone.node = (int)n;
	skip_blanks(&at);
	colon = strchr(at, ':');
	if (!colon || colon - at > 16 || !strstr(colon, "*4kB"))
		return false;
	zone.name = trimmed(arena, at, colon);
	at = colon + 1;
	for (uint64_t want = 4; zone.orders < OOPS_ORDERS_MAX; want *= 2) {
		skip_blanks(&at);
		if (!take_number(&at, &n) || !take_text(&at, "*") || !take_number(&at, &size) ||
		    size != want)
			break;
		zone.free_blocks[zone.orders++] = n;
		take_text(&at, "kB");
		skip_blanks(&at);
		if (*at == '(')
			at += strcspn(at, ")") + (strchr(at, ')') != NULL);
	}
	if (zone.orders && draft->zones.count < OOPS_ZONES_MAX)
		vec_push(&draft->zones, zone);
	return zone.orders > 0;
}

/* "Killed process 4125 (java) total-vm:..."; "Kill process 4125 (java) score 901 or sacrifice child". */
static void take_victim(struct oops_report *r, struct arena *arena, const char *line)
{
	const char *at = strstr(line, "Killed process ");
	uint64_t pid;

	at = at ? at : strstr(line, "Kill process ");
	if (!at)
		return;
	at = strstr(at, "process ") + strlen("process ");
	if (!take_number(&at, &pid) || pid > INT32_MAX)
		return;
	/* 2.6.32 has the user between: "Killed process 9682, UID 27, (mysqld)". */
	at += strspn(at, ", UID0123456789");
	if (*at != '(' || r->victim)
		return;
	r->victim_pid = (int)pid;
	r->victim = arena_strndup(arena, at + 1, strcspn(at + 1, ")"));
}

bool oops_memory_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	static const char *const starts[] = {
		"Mem-Info:", "Node ", "active_anon:", "active_file:", "unevictable:", "slab_reclaimable:",
		"mapped:", "sec_pagetables:", "kernel_misc_reclaimable:", "free:", "lowmem_reserve",
		"Swap cache stats:", "Free swap", "Total swap", "Tasks state (memory", "[ pid ]",
		"[  pid  ]", "oom-kill:", "oom_reaper:", "Out of memory", "Memory cgroup", "Killed process",
		"memory: usage", "memory+swap: usage", "swap: usage", "kmem: usage", "Per-node",
		"Unreclaimable slab", "SLUB: Unable to allocate", "cache: ", "node ", "DMA per-cpu",
		"DMA32 per-cpu", "Normal per-cpu", "CPU ", "cpu ", "anon ", "file ", "warn_alloc",
		"inactive_file:", "Task in ", "pagetables:",
	};
	static const char *const inside[] = {
		" pages RAM", "pages HighMem", " pages reserved", "total pagecache pages",
		"pages in swap cache", "pages hwpoisoned", "pages cma reserved", "pages in pagetable",
		"*4kB", " mems_allowed=", " pages shared", " pages non-shared", "pages slab",
	};

	if (take_zone(draft, arena, line))
		return true;
	for (size_t i = 0; i < array_size(starts); i++) {
		if (starts_with(line, starts[i])) {
			take_victim(&draft->report, arena, line);
			if (starts_with(line, "Mem-Info:"))
				draft->section = SECTION_HEAD;
			return true;
		}
	}
	for (size_t i = 0; i < array_size(inside); i++) {
		if (strstr(line, inside[i]))
			return true;
	}
	/* A row of the table of tasks: "[    101]     0   101    62770 ...". */
	if (line[0] == '[' && strspn(line + 1, " 0123456789") > 2 &&
	    line[1 + strspn(line + 1, " 0123456789")] == ']')
		return true;
	take_victim(&draft->report, arena, line);
	return strstr(line, "Kill process ") || strstr(line, "Killed process ");
}
