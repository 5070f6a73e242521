// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the hardware said of itself: machine checks, memory controllers (EDAC), PCI Express (AER),
 * firmware (APEI), disks, heat. When such an error is the death, the verdict says which part it
 * was; else it is a finding below all others: bad hardware can make any software fail, but that it
 * did here is not known. Sources: arch/x86/kernel/cpu/mce/, drivers/edac/edac_mc.c,
 * drivers/pci/pcie/aer.c, drivers/acpi/apei/, drivers/firmware/efi/cper.c, mm/memory-failure.c,
 * block/blk-core.c, drivers/{ata,nvme,scsi,iommu}/, drivers/thermal/intel/therm_throt.c.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/hardware.h"
#include "diagnosis/mce.h"
#include "kernel/pages.h"

/* Lines that tell of bad hardware. Of each kind there is one finding. Earlier rows win. */
static const struct sign {
	const char *text;
	const char *kind, *title, *means;
} signs[] = {
	{ " UE ", "memory-error", "Memory errors that could not be corrected",
	  "the memory controller found data in a memory module that it could not repair" },
	{ " CE ", "memory-error", "Memory errors that were corrected",
	  "the memory controller repaired data: the module named may be failing" },
	{ "recovery action for", "memory-error", "Pages given up because of bad memory",
	  "the hardware reported pages as bad, and the kernel stopped using them" },
	{ "due to hardware memory corruption", "memory-error",
	  "Pages given up because of bad memory",
	  "the hardware reported pages as bad, and the kernel stopped using them" },
	{ "PCIe Bus Error: severity=", "pcie-error", "PCI Express errors",
	  "a device or its link reported errors" },
	{ "PCI system error (SERR)", "pcie-error", "PCI errors",
	  "a device signalled a system error" },
	{ "Hardware error from APEI", "firmware-error", "Errors reported by the firmware",
	  "the firmware found a hardware error (ACPI APEI)" },
	{ "BERT: Error records from previous boot", "firmware-error",
	  "A hardware error ended the boot before this one",
	  "the firmware kept the record of an error that stopped the machine before" },
	{ "critical medium error, dev ", "disk-error", "Bad sectors",
	  "a disk could not read or write some of its sectors" },
	{ "Unrecovered read error", "disk-error", "Bad sectors",
	  "a disk could not read some of its sectors" },
	{ "critical target error, dev ", "disk-error", "Errors of a disk",
	  "a disk refused or failed a request" },
	{ "controller is down; will reset", "disk-error", "An NVMe controller failed",
	  "the controller stopped answering and was reset" },
	{ ": failed command: ", "disk-error", "Failed commands of a disk",
	  "commands to an ATA disk failed: the disk, its cable or its power" },
	{ "Event logged [IO_PAGE_FAULT", "iommu-fault", "A device used memory that is not its own",
	  "the IOMMU stopped a device's access: a bug of its driver or firmware, or bad hardware" },
	{ "DMAR: [DMA ", "iommu-fault", "A device used memory that is not its own",
	  "the IOMMU stopped a device's access: a bug of its driver or firmware, or bad hardware" },
	{ "Uhhuh. NMI received for unknown reason", "unknown-nmi", "NMIs that nobody claims",
	  "an operator asked for them, or hardware reported an error that no driver knows" },
	{ "temperature above threshold", "heat", "The CPU was too hot",
	  "the CPU was slowed down because of its temperature" },
	{ "temperature is above threshold", "heat", "The CPU was too hot",
	  "the CPU was slowed down because of its temperature" },
};

/* EDAC's own lines only: "EDAC MC1: 1 CE memory scrubbing error on DIMM ..." */
static bool is_sign(const char *text, const struct sign *sign)
{
	if (!strstr(text, sign->text))
		return false;
	return sign->text[0] != ' ' || starts_with(text, "EDAC MC");
}

/* What the line is about: a DIMM's label, a device, a disk; as much as can be told. */
static void subject_of(const char *text, const char *kind, char buf[96])
{
	static const struct {
		const char *kind, *before, *behind;
	} cuts[] = {
		{ "memory-error", " on ", " (" },
		{ "disk-error", "dev ", "," },
	};
	const char *at = NULL, *end = NULL;

	buf[0] = '\0';
	for (size_t i = 0; i < array_size(cuts) && !at; i++) {
		if (strcmp(cuts[i].kind, kind) == 0 && strstr(text, cuts[i].before)) {
			at = strstr(text, cuts[i].before) + strlen(cuts[i].before);
			end = strstr(at, cuts[i].behind);
		}
	}
	/* "pcieport 0000:00:1c.5: PCIe Bus Error", "nvme nvme0: controller", "ata1.00: failed" */
	if (!at && (strcmp(kind, "pcie-error") == 0 || strcmp(kind, "disk-error") == 0)) {
		at = text;
		end = strstr(text, ": ");
	}
	if (at && end && end > at && end - at < 96)
		snprintf(buf, 96, "%.*s", (int)(end - at), at);
}

/* "EDAC MC1: 3 CE ...": one line may stand for several errors. */
static uint64_t count_of(const char *text)
{
	const char *at = starts_with(text, "EDAC MC") ? strstr(text, ": ") : NULL;
	uint64_t count = at && isdigit((unsigned char)at[2]) ? strtoull(at + 2, NULL, 10) : 1;

	return count ? count : 1;
}

static void add_sign(const struct facts *facts, size_t i, struct findings *out)
{
	const struct log_record *last = NULL;
	uint64_t count = 0, lines = 0;
	char subject[96];

	for (size_t n = 0; n < facts->log_count; n++) {
		if (!is_sign(facts->log[n].text, &signs[i]))
			continue;
		last = &facts->log[n];
		count += count_of(last->text);
		lines++;
	}
	if (!last)
		return;
	subject_of(last->text, signs[i].kind, subject);
	struct finding *f = finding_add(
		out, signs[i].kind, signs[i].title, RANK_FALLBACK - 1, CONFIDENCE_POSSIBLE,
		"%" PRIu64 " in %" PRIu64 " lines of the log%s%s", count, lines,
		*subject ? ", the last one about " : "", subject);
	f->why = signs[i].means;
	f->apart = true;
	f->against = "that this has to do with the crash is not known";
	finding_evidence(out, f, "log", "%.*s", (int)strcspn(last->text, "\n"), last->text);
}

/* --- Machine checks. --- */

struct mce_count {
	unsigned corrected, uncorrected;
	struct mce_event last, worst; /* record NULL: none */
};

static void count_mces(const struct facts *facts, struct mce_count *count)
{
	struct mce_event event;

	*count = (struct mce_count){ 0 };
	for (size_t i = 0; i < facts->log_count; i++) {
		if (!mce_parse(&facts->log[i], facts->log_count - i, &event))
			continue;
		count->last = event;
		if (mce_uncorrected(&event)) {
			count->uncorrected++;
			/* The kernel prints the one that it dies of last. */
			count->worst = event;
		} else {
			count->corrected++;
		}
	}
}

/* "CPU 1, bank 4, socket 0" */
static const char *mce_where(struct findings *out, const struct mce_event *event)
{
	auto_strbuf text = { 0 };

	if (event->cpu >= 0)
		strbuf_addf(&text, "CPU %d, ", event->cpu);
	if (event->socket >= 0)
		strbuf_addf(&text, "socket %d, ", event->socket);
	strbuf_addf(&text, "bank %d", event->bank);
	return finding_text(out, "%s", text.data);
}

static void add_mce_evidence(const struct mce_event *event, struct findings *out,
			     struct finding *f)
{
	char what[96], flags[160];

	mce_what(event->status, what, sizeof(what));
	mce_flags(event, flags, sizeof(flags));
	finding_evidence_shows(out, f, "log",
			       finding_text(out, "%016" PRIx64, event->status),
			       "%s: status 0x%" PRIx64 ": %s; %s", mce_where(out, event),
			       event->status, what, flags);
}

/* Which module of memory it is, where EDAC told: its last line. */
static void add_dimm(const struct facts *facts, struct findings *out, struct finding *f)
{
	for (size_t i = facts->log_count; i-- > 0;) {
		const char *text = facts->log[i].text;
		if (!starts_with(text, "EDAC MC") || (!strstr(text, " UE ") && !strstr(text, " CE ")))
			continue;
		finding_evidence(out, f, "log", "%.*s", (int)strcspn(text, "\n"), text);
		return;
	}
}

/* What the bad memory was used for. Bit 58: the address is valid. */
static void add_page(const struct facts *facts, const struct mce_event *event,
		     struct findings *out, struct finding *f)
{
	struct session *s = facts->session;
	uint64_t pfn = event->address >> PAGE_SHIFT;
	struct page_info page;

	if (!event->has_address || !(event->status >> 58 & 1) || s->text || !s->memory ||
	    !s->types || !page_info(s, pfn, &page))
		return;
	finding_evidence_shows(out, f, finding_text(out, "kmem pfn:0x%" PRIx64, pfn),
			       page_kind_name(page.kind), "the page at that address: %s",
			       page_kind_name(page.kind));
}

void hardware_explain(const struct facts *facts, struct findings *out, struct finding *f)
{
	struct mce_count count;
	char what[96], flags[160];

	count_mces(facts, &count);
	const struct mce_event *event = count.worst.record ? &count.worst : &count.last;
	if (!event->record) {
		f->against = "the log does not say which part of the hardware it was";
		return;
	}
	mce_what(event->status, what, sizeof(what));
	mce_flags(event, flags, sizeof(flags));
	f->what = finding_text(out, "%s reported an error: %s; %s", mce_where(out, event), what,
			       flags);
	if (event->reason)
		f->why = finding_text(out, "%s (%.*s)", f->why ? f->why : "bad hardware",
				      (int)strcspn(event->reason, "\n"), event->reason);
	f->next = "have the hardware looked at: the machine's management log (BMC, IPMI sel) names "
		  "the part; whatever code ran then is not to blame";
	add_mce_evidence(event, out, f);
	add_page(facts, event, out, f);
	add_dimm(facts, out, f);
	f->blame = (struct blame){ 0 };
	f->who = finding_text(out, "the hardware: %s", mce_where(out, event));
}

/* Those that the machine lived through. */
static void add_mces(const struct facts *facts, struct findings *out)
{
	struct mce_count count;
	bool fatal = facts->fault.trap == TRAP_MACHINE_CHECK ||
		     (facts->panic_message && strstr(facts->panic_message, "achine check"));

	count_mces(facts, &count);
	if (fatal || !count.last.record)
		return;
	struct finding *f = finding_add(
		out, "machine-check-events", "Machine checks before the end", RANK_FALLBACK - 1,
		CONFIDENCE_POSSIBLE, "%u corrected and %u uncorrected errors of the hardware are in "
		"the log, the last one of %s", count.corrected, count.uncorrected,
		mce_where(out, &count.last));
	f->why = "the CPU reported errors of itself, of memory or of a bus";
	f->apart = true;
	f->against = "that this has to do with the crash is not known";
	add_mce_evidence(count.worst.record ? &count.worst : &count.last, out, f);
	add_dimm(facts, out, f);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	add_mces(facts, out);
	for (size_t i = 0; i < array_size(signs); i++)
		add_sign(facts, i, out);
	return NULL;
}

const struct detector detector_hardware = {
	.name = "hardware",
	.looks_for = "machine checks, memory errors (EDAC), errors of PCI Express, firmware and "
		     "disks, heat",
	.run = run,
};
