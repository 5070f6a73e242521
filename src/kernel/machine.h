/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hardware as the kernel noted it: processors, firmware's memory map, DMI strings. */
#pragma once

#include "kernel/session.h"

/* A range of the firmware's memory map (x86: e820). */
struct memory_range {
	uint64_t start, size;
	uint64_t type;
	const char *type_name; /* "E820_TYPE_RAM"; NULL for one that the kernel has no name for */
};

typedef bool (*memory_range_fn)(void *ctx, const struct memory_range *range);
/* The map as the kernel uses it. False when there is none that can be read. */
bool memory_map_each(struct session *s, memory_range_fn fn, void *ctx);

enum dmi_found {
	DMI_NONE,  /* the firmware gave none */
	DMI_HOLE,  /* whether, or which, is not in the dump */
	DMI_KNOWN,
};
/* A string of dmi_ident[] by its index name ("DMI_SYS_VENDOR"); @buf is empty if it is not known. */
enum dmi_found dmi_string(struct session *s, const char *field, char *buf, size_t size);

/* What of a processor cannot be read. */
#define PROCESSOR_UNKNOWN UINT64_MAX

/* Of one processor, struct cpuinfo_x86. Strings are "" when unknown. */
struct processor {
	uint64_t address;
	char vendor[17], model_name[65];
	uint64_t family, model, stepping, microcode, cache_kb;
	uint64_t package, core, cores, apicid;
	uint64_t loops_per_jiffy, clflush, physical_bits, virtual_bits;
};

/* False where the architecture has none, or it cannot be read. */
bool processor(struct session *s, unsigned cpu, struct processor *processor);
/* Names of the features of the processor at @address, as in /proc/cpuinfo, with blanks between. */
struct strbuf;
bool processor_flags(struct session *s, uint64_t address, struct strbuf *text);
