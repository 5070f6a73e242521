// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lower 16 bits of a bank's status register are the architectural error code: simple ones, and
 * compound ones whose bits tell the part (memory, cache, TLB, bus), the request, the level. Intel
 * SDM volume 3B chapter 16.9, AMD APM volume 2 chapter 9.3. What is model-specific is not told.
 * The lines are those of print_mce() in arch/x86/kernel/cpu/mce/core.c, the same since 2.6.32.
 */
#include "diagnosis/mce.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum { FOLLOWING_LINES = 8 };

/* --- Lines. --- */

static bool hex_behind(const char *text, const char *marker, uint64_t *value)
{
	const char *at = strstr(text, marker);
	char *end;

	if (!at)
		return false;
	at += strlen(marker);
	*value = strtoull(at, &end, 16);
	return end != at;
}

static int number_behind(const char *text, const char *marker)
{
	const char *at = strstr(text, marker);
	char *end;

	if (!at)
		return -1;
	at += strlen(marker);
	long value = strtol(at, &end, 10);
	return end == at || value < 0 || value > 1 << 20 ? -1 : (int)value;
}

static void add_line(const char *text, struct mce_event *event)
{
	if (strstr(text, "TSC ")) {
		event->has_address |= hex_behind(text, " ADDR ", &event->address);
		event->has_misc |= hex_behind(text, " MISC ", &event->misc);
	} else if (strstr(text, " ADDR ") && !event->has_address) {
		/* EDAC drivers print a line each. */
		event->has_address = hex_behind(text, " ADDR ", &event->address);
	}
	if (strstr(text, "PROCESSOR ")) {
		int vendor = number_behind(text, "PROCESSOR ");
		event->vendor = vendor < 0 ? MCE_VENDOR_UNKNOWN : (unsigned)vendor;
		event->socket = number_behind(text, " SOCKET ");
	}
	const char *reason = strstr(text, "]: Machine check: ");
	if (reason)
		event->reason = reason + strlen("]: Machine check: ");
}

/* "CPU 1: Machine Check Exception: 6 Bank 4: be00000000000091" */
bool mce_parse(const struct log_record *log, size_t count, struct mce_event *event)
{
	*event = (struct mce_event){ .cpu = -1, .bank = -1, .socket = -1,
				     .vendor = MCE_VENDOR_UNKNOWN };
	const char *text = count ? log[0].text : "";
	const char *at = strstr(text, "Machine Check");

	if (!at || !strstr(at, " Bank "))
		return false;
	event->bank = number_behind(at, " Bank ");
	const char *status = strstr(strstr(at, " Bank "), ": ");
	if (event->bank < 0 || !status || !hex_behind(status, ": ", &event->status))
		return false;
	event->record = &log[0];
	event->cpu = number_behind(text, "CPU ");
	event->exception = strstr(at, "Exception") != NULL;
	for (size_t i = 1; i < count && i <= FOLLOWING_LINES; i++) {
		if (strstr(log[i].text, "Machine Check") && strstr(log[i].text, " Bank "))
			break;
		add_line(log[i].text, event);
	}
	return true;
}

/* --- Codes. --- */

/* LL and TT, RRRR, MMM of the compound codes. */
static const char *const levels[] = { "level 0", "level 1", "level 2", "generic" };
static const char *const transactions[] = { "instruction", "data", "generic", "" };
static const char *const requests[] = {
	"generic error", "generic read", "generic write", "data read", "data write",
	"instruction fetch", "prefetch", "eviction", "snoop",
};
static const char *const memory_requests[] = {
	"undefined request", "read", "write", "address or command", "scrubbing",
};

static const char *named(const char *const *names, size_t count, unsigned index)
{
	return index < count ? names[index] : "unknown request";
}

static const struct {
	unsigned code;
	const char *means;
} simple[] = {
	{ 0x0000, "no error code" },
	{ 0x0001, "unclassified error" },
	{ 0x0002, "parity error in the microcode ROM" },
	{ 0x0003, "an external signal (BINIT#)" },
	{ 0x0004, "functional redundancy check" },
	{ 0x0005, "internal parity error of the CPU" },
	{ 0x0006, "code of system management mode outside of its range" },
	{ 0x0400, "internal timer of the CPU: an instruction did not finish in time" },
	{ 0x0e0b, "generic I/O error" },
};

static const char *mce_simple(unsigned code)
{
	for (size_t i = 0; i < array_size(simple); i++) {
		if (simple[i].code == code)
			return simple[i].means;
	}
	return NULL;
}

void mce_what(uint64_t status, char *buf, size_t size)
{
	unsigned code = status & 0xefff; /* without bit 12, "corrected filtering" */
	unsigned level = code & 3, type = code >> 2 & 3, request = code >> 4 & 0xf;
	unsigned memory = code >> 4 & 7, channel = code & 0xf;
	const char *plain = mce_simple(code);

	if (plain)
		snprintf(buf, size, "%s", plain);
	else if ((code & 0xfffc) == 0x000c)
		snprintf(buf, size, "cache, %s", levels[level]);
	else if ((code & 0xfff0) == 0x0010)
		snprintf(buf, size, "TLB (%s), %s", transactions[type], levels[level]);
	else if ((code & 0xfd80) == 0x0080) {
		int n = snprintf(buf, size, "memory%s, %s", code & 0x0200 ? " used as cache" : "",
				 named(memory_requests, array_size(memory_requests), memory));
		if (channel != 0xf && n > 0 && (size_t)n < size)
			snprintf(buf + n, size - (size_t)n, ", channel %u", channel);
	} else if ((code & 0xff00) == 0x0100)
		snprintf(buf, size, "cache (%s), %s, %s", transactions[type], levels[level],
			 named(requests, array_size(requests), request));
	else if ((code & 0xf800) == 0x0800)
		snprintf(buf, size, "bus or interconnect, %s%s",
			 named(requests, array_size(requests), request),
			 code & 0x0100 ? ", it timed out" : "");
	else if ((code & 0xfc00) == 0x0400)
		snprintf(buf, size, "internal error of the CPU (0x%x)", code);
	else
		snprintf(buf, size, "unknown error code 0x%x", code);
}

static const struct {
	unsigned bit;
	bool set;
	const char *words;
} flag_words[] = {
	{ 61, true, "not corrected" },
	{ 61, false, "corrected" },
	{ 57, true, "the CPU's state is lost" },
	{ 62, true, "further errors were lost" },
};

void mce_flags(const struct mce_event *event, char *buf, size_t size)
{
	size_t used = 0;

	if (size)
		buf[0] = '\0';
	for (size_t i = 0; i < array_size(flag_words) && used < size; i++) {
		if ((event->status >> flag_words[i].bit & 1) == flag_words[i].set)
			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 used ? ", " : "", flag_words[i].words);
	}
	if (event->has_address && event->status >> 58 & 1 && used < size)
		snprintf(buf + used, size - used, ", at physical address 0x%" PRIx64,
			 event->address);
}
