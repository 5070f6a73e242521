// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: VMCOREINFO is text that the kernel prepares at boot for the tools that read
 * its dumps: lines of KEY=VALUE, about 3 KB (kernel/vmcore_info.c, before 6.8 kernel/crash_core.c).
 * It is scanned at each question; that takes a microsecond.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "dump/format.h"

void dump_set_vmcoreinfo(struct dump *dump, const uint8_t *text, size_t size)
{
	while (size && text[size - 1] == '\0')
		size--;
	if (!size || dump->info.vmcoreinfo)
		return;
	dump->info.vmcoreinfo = (const char *)text;
	dump->info.vmcoreinfo_size = size;
}

bool dump_vmcoreinfo(const struct dump *dump, const char *key, char *value, size_t size)
{
	const char *line = dump->info.vmcoreinfo;
	size_t key_len = strlen(key);

	if (!line)
		return false;
	const char *end = line + dump->info.vmcoreinfo_size;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		size_t len = (size_t)(stop - line);
		if (len > key_len && line[key_len] == '=' && memcmp(line, key, key_len) == 0) {
			size_t n = len - key_len - 1;
			if (!size)
				return true;
			n = n < size ? n : size - 1;
			memcpy(value, line + key_len + 1, n);
			value[n] = '\0';
			return true;
		}
		line = stop + 1;
	}
	return false;
}

static bool only_space(const char *s)
{
	return s[strspn(s, " \t\r")] == '\0';
}

bool dump_vmcoreinfo_hex(const struct dump *dump, const char *key, uint64_t *value)
{
	char text[40], *end;

	if (!dump_vmcoreinfo(dump, key, text, sizeof(text)) || text[0] == '-')
		return false;
	uint64_t v = strtoull(text, &end, 16);
	if (end == text || !only_space(end))
		return false;
	*value = v;
	return true;
}

bool dump_vmcoreinfo_number(const struct dump *dump, const char *key, int64_t *value)
{
	char text[40], *end;

	if (!dump_vmcoreinfo(dump, key, text, sizeof(text)))
		return false;
	/* A few numbers are masks with the highest bit set, printed as unsigned or as 0x... */
	int64_t v = text[0] == '-'
			    ? strtoll(text, &end, 10)
			    : (int64_t)strtoull(text, &end, starts_with(text, "0x") ? 16 : 10);
	if (end == text || !only_space(end))
		return false;
	*value = v;
	return true;
}
