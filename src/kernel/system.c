// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the machine was. Each item has several sources, the kernel's own variables before what the
 * dump's headers say, and stays unknown when none can be read.
 */
#include "kernel/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/cpus.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "kernel/timekeeper.h"

enum {
	UTS_FIELD = 65,     /* __NEW_UTS_LEN + 1, include/uapi/linux/utsname.h */
	LOAD_FRACTION = 11, /* FSHIFT, include/linux/sched/loadavg.h */
};

static void copy(char *to, size_t size, const char *from)
{
	if (!to[0])
		snprintf(to, size, "%.*s", (int)(size - 1), from);
}

/* Characters that cannot be in a name or command line show that the memory is not what we think. */
static bool printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' && *text != '\t' && *text != '\n')
			return false;
	}
	return true;
}

static bool starts_with_linux(struct session *s, uint64_t at)
{
	char text[sizeof("Linux")] = "";

	return memory_read(s->memory, at, text, sizeof(text)) == READ_OK &&
	       strcmp(text, "Linux") == 0;
}

static void names_from_memory(struct session *s, struct system_info *info)
{
	/* struct new_utsname: fields of one size, in this order; the domain name follows. */
	char *const fields[] = { info->sysname, info->nodename, info->release, info->version,
				 info->machine };
	char uts[array_size(fields)][UTS_FIELD];
	uint64_t at = s->symbols ? symbols_address(s->symbols, "init_uts_ns") : 0, offset;
	int64_t number;

	if (!at && !dump_vmcoreinfo_hex(s->dump, "SYMBOL(init_uts_ns)", &at))
		return;
	if (!koffset(s, "uts_namespace", "name", &offset)) {
		if (dump_vmcoreinfo_number(s->dump, "OFFSET(uts_namespace.name)", &number))
			offset = (uint64_t)number;
		else /* a reference count stood before it until 5.9 */
			offset = starts_with_linux(s, at) ? 0 : sizeof(uint32_t);
	}
	if (memory_read(s->memory, at + offset, uts, sizeof(uts)) != READ_OK ||
	    strncmp(uts[0], "Linux", sizeof(uts[0])) != 0)
		return;
	for (size_t i = 0; i < array_size(fields); i++) {
		uts[i][UTS_FIELD - 1] = '\0';
		if (printable(uts[i]))
			memcpy(fields[i], uts[i], UTS_FIELD);
	}
}

static void find_names(struct session *s, struct system_info *info)
{
	const struct dump_info *dump = dump_info(s->dump);
	char release[UTS_FIELD];

	names_from_memory(s, info);
	copy(info->sysname, sizeof(info->sysname), dump->sysname);
	copy(info->nodename, sizeof(info->nodename), dump->nodename);
	copy(info->release, sizeof(info->release), dump->release);
	copy(info->version, sizeof(info->version), dump->version);
	copy(info->machine, sizeof(info->machine), dump->machine);
	if (dump_vmcoreinfo(s->dump, "OSRELEASE", release, sizeof(release)))
		copy(info->release, sizeof(info->release), release);
	copy(info->machine, sizeof(info->machine), s->arch->name);
}

static void find_command_line(struct session *s, struct system_info *info)
{
	uint64_t at;

	if (!kglobal(s, "saved_command_line", 8, &at) || !at)
		return;
	(void)memory_string(s->memory, at, info->command_line, sizeof(info->command_line));
	if (!printable(info->command_line))
		info->command_line[0] = '\0';
	/* The boot loader's may end in blanks. */
	size_t length = strlen(info->command_line);
	while (length && info->command_line[length - 1] == ' ')
		info->command_line[--length] = '\0';
}

static void find_time(struct session *s, struct system_info *info, const struct log_record *log,
		      size_t log_count)
{
	struct kernel_time time;
	char text[32];

	kernel_time(s, &time);
	info->realtime = time.realtime;
	info->uptime_ns = time.uptime_ns;
	/* CRASHTIME is written by the crash itself; the clock's is of the last tick before. */
	if (dump_vmcoreinfo(s->dump, "CRASHTIME", text, sizeof(text)))
		info->realtime = strtoull(text, NULL, 10);
	if (!info->realtime)
		info->realtime = dump_info(s->dump)->timestamp;
	/* The log's clock does not count time asleep, but is better than nothing. */
	if (!info->uptime_ns && log_count)
		info->uptime_ns = log[log_count - 1].time_ns;
}

static void find_load(struct session *s, struct system_info *info)
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, "avenrun") : 0;
	uint64_t load[3];

	if (!at || memory_read(s->memory, at, load, sizeof(load)) != READ_OK)
		return;
	info->has_load = true;
	for (size_t i = 0; i < array_size(load); i++)
		info->load[i] = (double)load[i] / (1 << LOAD_FRACTION);
}

static void find_counts(struct session *s, struct system_info *info)
{
	uint64_t pages;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	info->cpus_possible = (unsigned)count;
	for (size_t i = 0; i < count; i++)
		info->cpus_online += cpu[i].online;
	/* The first name since 5.0. */
	if (kglobal(s, "_totalram_pages", 8, &pages) || kglobal(s, "totalram_pages", 8, &pages))
		info->memory_bytes = pages < UINT64_MAX / PAGE_SIZE ? pages * PAGE_SIZE : 0;
	info->has_taint = kglobal(s, "tainted_mask", 8, &info->taint);
}

/* What follows @prefix in the last record that begins with it; NULL when none does. */
static const char *last_with(const struct log_record *log, size_t count, const char *prefix)
{
	for (size_t i = count; i-- > 0;) {
		if (starts_with(log[i].text, prefix))
			return log[i].text + strlen(prefix);
	}
	return NULL;
}

/* One line of at most @size bytes. */
static void copy_line(char *to, size_t size, const char *from)
{
	size_t length = strcspn(from, "\n");

	snprintf(to, size, "%.*s", (int)min_u64(length, size - 1), from);
}

/* Does this record begin the report of something that is not (yet) a panic? */
static bool is_alarm(const char *text)
{
	static const char *const alarms[] = {
		"BUG: ",           "kernel BUG at ",    "general protection fault",
		"Oops: ",          "Oops - ",           "PANIC: ",
		"double fault: ",  "divide error: ",    "invalid opcode: ",
		"stack segment: ", "Unable to handle ", "watchdog: BUG: ",
	};

	for (size_t i = 0; i < array_size(alarms); i++) {
		if (starts_with(text, alarms[i]))
			return true;
	}
	return false;
}

static void find_panic_message(struct system_info *info, const struct log_record *log, size_t count)
{
	enum { REPORT_HEAD = 10 }; /* a report has several such lines among its first */
	const char *found = last_with(log, count, "Kernel panic - not syncing: ");
	size_t last = count;

	for (size_t i = count; !found && i-- > 0;) {
		if (last != count && last - i > REPORT_HEAD)
			break;
		if (is_alarm(log[i].text))
			last = i;
	}
	if (!found && last != count)
		found = log[last].text;
	if (found)
		copy_line(info->panic_message, sizeof(info->panic_message), found);
}

/* The DMI strings that the kernel kept: dmi_ident[], indexed by enum dmi_field. */
static void hardware_from_dmi(struct session *s, struct system_info *info)
{
	static const struct {
		const char *field, *before;
	} parts[] = {
		{ "DMI_SYS_VENDOR", "" },
		{ "DMI_PRODUCT_NAME", " " },
		{ "DMI_BIOS_VERSION", ", BIOS " },
		{ "DMI_BIOS_DATE", " " },
	};
	uint64_t table = s->symbols ? symbols_address(s->symbols, "dmi_ident") : 0, at;
	char text[128];
	int64_t index;
	size_t used = 0;

	for (size_t i = 0; table && i < array_size(parts); i++) {
		if (!types_enumerator(s->types, parts[i].field, &index) || index < 0 ||
		    index > 255 ||
		    memory_u64(s->memory, table + (uint64_t)index * 8, &at) != READ_OK || !at ||
		    memory_string(s->memory, at, text, sizeof(text)) != READ_OK || !printable(text))
			continue;
		int n = snprintf(info->hardware + used, sizeof(info->hardware) - used, "%s%s",
				 used ? parts[i].before : "", text);
		used += (size_t)n;
		if (used >= sizeof(info->hardware))
			return;
	}
}

static void find_hardware(struct session *s, struct system_info *info, const struct log_record *log,
			  size_t count)
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, "dump_stack_arch_desc_str") : 0;
	const char *found;

	/* The text of the "Hardware name:" line, made once at boot (lib/dump_stack.c). */
	if (at && memory_string(s->memory, at, info->hardware, sizeof(info->hardware)) == READ_OK &&
	    info->hardware[0] && printable(info->hardware))
		return;
	info->hardware[0] = '\0';
	found = last_with(log, count, "Hardware name: ");
	if (found)
		copy_line(info->hardware, sizeof(info->hardware), found);
	else
		hardware_from_dmi(s, info);
}

void system_info(struct session *s, struct system_info *info)
{
	size_t count;
	const struct log_record *log = kernel_log(s, &count, NULL);

	memset(info, 0, sizeof(*info));
	if (s->text) {
		text_system(s, info);
		info->uptime_ns = count ? log[count - 1].time_ns : 0;
		find_panic_message(info, log, count);
		return;
	}
	find_names(s, info);
	find_command_line(s, info);
	find_time(s, info, log, count);
	find_load(s, info);
	find_counts(s, info);
	find_panic_message(info, log, count);
	find_hardware(s, info, log, count);
}
