// SPDX-License-Identifier: LGPL-2.1-or-later
/* dev: character and block devices, disks' I/O, PCI devices, I/O ports and memory. */
#include "kernel/devices.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/vec.h"
#include "commands/show.h"
#include "commands/table.h"

enum { OPT_PORTS, OPT_PCI, OPT_DISKS, OPT_BUSY };

static const struct option dev_option_table[] = {
	[OPT_PORTS] = { "i", false }, [OPT_PCI] = { "p", false },
	[OPT_DISKS] = { "d", false }, [OPT_BUSY] = { "D", false },
};

struct dev_run {
	struct command_args *args;
	size_t count, incomplete, busy;
	bool only_busy;
};

static struct cell text_or_none(const char *text)
{
	return text[0] ? cell_str(text) : cell_none();
}

static struct cell known_address(uint64_t address)
{
	return address ? cell_address(address) : cell_none();
}

static struct cell name_of(struct dev_run *run, uint64_t address)
{
	char name[256] = "";

	if (address)
		address_name(run->args->session, address, name, sizeof(name));
	return name[0] ? cell_str(arena_strdup(&run->args->doc->arena, name))
		       : cell_shown(cell_none(), address ? "?" : "(none)");
}

/* Of the rows that were shown so many are not whole. */
static void say_incomplete(const struct dev_run *run, const char *what)
{
	if (run->incomplete)
		doc_remark(run->args->doc, REMARK_HOLE, "%zu of %zu %s are only partly in the dump",
			   run->incomplete, run->count, what);
}

/* --- Character and block devices --- */

static const struct column char_columns[] = {
	{ .key = "major", .title = "CHRDEV", .right = true },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "cdev", .title = "CDEV" },
	{ .key = "operations", .title = "OPERATIONS" },
	{ .key = "minor" },
	{ .key = "minors" },
};
static const struct column block_columns[] = {
	{ .key = "major", .title = "BLKDEV", .right = true },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "gendisk", .title = "GENDISK" },
	{ .key = "disk", .title = "DISK" },
	{ .key = "operations", .title = "OPERATIONS" },
};

static void add_char(void *ctx, const struct char_device *d)
{
	struct dev_run *run = ctx;

	run->count++;
	run->incomplete += d->incomplete;
	struct cell none = d->incomplete ? cell_none() : cell_shown(cell_none(), "(none)");
	doc_row(run->args->doc, d->nameless ? cell_none() : cell_udec(d->major),
		text_or_none(d->name), d->cdev ? cell_address(d->cdev) : none,
		d->operations ? name_of(run, d->operations) : none,
		d->nameless ? cell_none() : cell_udec(d->minor),
		d->nameless ? cell_none() : cell_udec(d->minors));
}

struct disk_list {
	vec_fields(struct disk);
	bool *shown; /* in the document's arena */
};

static void keep_disk(void *ctx, const struct disk *d)
{
	struct disk_list *list = ctx;

	vec_push(list, *d);
}

struct major_run {
	struct dev_run *run;
	const struct disk_list *disks;
};

static void add_disk_row(struct dev_run *run, const struct disk *d, const char *driver)
{
	run->count++;
	run->incomplete += d->incomplete;
	doc_row(run->args->doc, d->incomplete ? cell_none() : cell_udec(d->major),
		cell_str(driver), cell_address(d->gendisk), text_or_none(d->name),
		name_of(run, d->operations));
}

static void add_major(void *ctx, const struct block_major *m)
{
	const struct major_run *majors = ctx;
	struct dev_run *run = majors->run;
	size_t before = run->count;

	run->incomplete += m->incomplete;
	for (size_t i = 0; i < majors->disks->count && !m->incomplete; i++) {
		if (majors->disks->data[i].major != m->major)
			continue;
		add_disk_row(run, &majors->disks->data[i], m->name);
		majors->disks->shown[i] = true;
	}
	if (run->count > before)
		return;
	run->count++;
	struct cell none = m->incomplete ? cell_none() : cell_shown(cell_none(), "(none)");
	doc_row(run->args->doc, m->incomplete ? cell_none() : cell_udec(m->major),
		text_or_none(m->name), none, none, none);
}

static void show_devices(struct dev_run *run)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble[3] = { { .count = 0 }, { .count = 0 }, { .count = 0 } };
	struct disk_list disks = { 0 };
	struct major_run majors = { run, &disks };

	doc_table(doc, "char_devices", char_columns, array_size(char_columns));
	char_devices_each(s, &trouble[0], add_char, run);
	doc_end(doc);
	disks_each(s, false, &trouble[1], keep_disk, &disks);
	disks.shown = arena_zalloc(&doc->arena, (disks.count + 1) * sizeof(*disks.shown));
	doc_table(doc, "block_devices", block_columns, array_size(block_columns));
	block_majors_each(s, &trouble[2], add_major, &majors);
	/* Of those whose driver's entry is lost. */
	for (size_t i = 0; i < disks.count; i++) {
		if (!disks.shown[i])
			add_disk_row(run, &disks.data[i], NULL);
	}
	vec_deinit(&disks);
	doc_end(doc);
	show_trouble(doc, &trouble[0], "character devices");
	show_trouble(doc, &trouble[1], "disks");
	show_trouble(doc, &trouble[2], "block devices");
	say_incomplete(run, "devices");
}

/* --- -d --- */

static const struct column disk_columns[] = {
	{ .key = "major", .title = "MAJOR", .right = true },
	{ .key = "gendisk", .title = "GENDISK" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "queue", .title = "REQUEST_QUEUE" },
	{ .key = "total", .title = "TOTAL", .right = true },
	{ .key = "reads", .title = "READ", .right = true },
	{ .key = "writes", .title = "WRITE", .right = true },
	{ .key = "by_request" },
};

static void add_disk(void *ctx, const struct disk *d)
{
	struct dev_run *run = ctx;

	if (run->only_busy && d->io_known && !(d->reads + d->writes))
		return;
	run->count++;
	run->incomplete += d->incomplete || !d->io_known;
	doc_row(run->args->doc, d->incomplete ? cell_none() : cell_udec(d->major),
		cell_address(d->gendisk), text_or_none(d->name), known_address(d->queue),
		d->io_known ? cell_udec(d->reads + d->writes) : cell_none(),
		d->io_known ? cell_udec(d->reads) : cell_none(),
		d->io_known ? cell_udec(d->writes) : cell_none(),
		d->io_known || d->by_request ? cell_bool(d->by_request) : cell_none());
}

static void show_disks(struct dev_run *run)
{
	struct walk_trouble trouble = { .count = 0 };
	struct doc *doc = run->args->doc;

	doc_table(doc, "disks", disk_columns, array_size(disk_columns));
	disks_each(run->args->session, true, &trouble, add_disk, run);
	doc_end(doc);
	if (!run->count && !trouble.count)
		doc_remark(doc, REMARK_NOTE, run->only_busy ? "no disk had anything to do"
							    : "there was no disk");
	show_trouble(doc, &trouble, "disks");
	say_incomplete(run, "disks");
}

/* --- -p --- */

static const struct column pci_columns[] = {
	{ .key = "address", .title = "PCI_DEV" },
	{ .key = "place", .title = "DO:BN:SL.FN" },
	{ .key = "class", .title = "CLASS", .right = true },
	{ .key = "id", .title = "PCI_ID" },
	{ .key = "driver", .title = "DRIVER", .style = STYLE_STRONG },
	{ .key = "kind", .title = "TYPE" },
	{ .key = "revision" },
	{ .key = "bus" },
};

static void add_pci(void *ctx, const struct pci_device *d)
{
	struct dev_run *run = ctx;
	char place[32], id[16], class[16];
	const char *kind = pci_class_name(d->class);

	run->count++;
	run->incomplete += d->incomplete;
	snprintf(place, sizeof(place), "%04x:%02x:%02x.%x", d->domain, d->bus, d->slot, d->function);
	snprintf(id, sizeof(id), "%04" PRIx64 ":%04" PRIx64, d->vendor, d->device);
	snprintf(class, sizeof(class), "%06" PRIx64, d->class);
	bool known = !d->incomplete;
	doc_row(run->args->doc, cell_address(d->address), known ? cell_str(place) : cell_none(),
		known ? cell_shown(cell_hex(d->class), class) : cell_none(),
		known ? cell_str(id) : cell_none(),
		d->driver[0] ? cell_str(d->driver) : cell_shown(cell_none(), known ? "-" : "?"),
		known && kind ? cell_str(kind) : cell_none(),
		known ? cell_hex(d->revision) : cell_none(), cell_address(d->bus_address));
}

static void show_pci(struct dev_run *run)
{
	struct walk_trouble trouble = { .count = 0 };

	doc_table(run->args->doc, "pci_devices", pci_columns, array_size(pci_columns));
	pci_each(run->args->session, &trouble, add_pci, run);
	doc_end(run->args->doc);
	show_trouble(run->args->doc, &trouble, "PCI");
	say_incomplete(run, "PCI devices");
}

/* --- -i --- */

static const struct column resource_columns[] = {
	{ .key = "address", .title = "RESOURCE" },
	{ .key = "start", .title = "RANGE" },
	{ .key = "end" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "depth" },
	{ .key = "flags" },
};

static void add_resource(void *ctx, const struct resource *r)
{
	struct dev_run *run = ctx;
	char range[240];
	bool known = r->start || r->end || !r->incomplete;

	run->count++;
	run->incomplete += r->incomplete;
	snprintf(range, sizeof(range), "%*s%04" PRIx64 "-%04" PRIx64, (int)(2 * r->depth), "",
		 r->start, r->end);
	doc_row(run->args->doc, cell_address(r->address),
		known ? cell_shown(cell_hex(r->start), range) : cell_none(),
		known ? cell_hex(r->end) : cell_none(),
		r->incomplete && !r->name[0] ? cell_none() : cell_str(r->name), cell_udec(r->depth),
		known ? cell_hex(r->flags) : cell_none());
}

static void show_ports(struct dev_run *run)
{
	struct walk_trouble trouble = { .count = 0 };

	doc_table(run->args->doc, "io_ports", resource_columns, array_size(resource_columns));
	resources_each(run->args->session, "ioport_resource", &trouble, add_resource, run);
	doc_end(run->args->doc);
	show_trouble(run->args->doc, &trouble, "I/O ports");
	say_incomplete(run, "ranges");
}

static struct error *run_dev(struct command_args *args)
{
	struct dev_run run = { .args = args };
	struct options options;

	struct error *err = options_parse(args, dev_option_table, array_size(dev_option_table),
					  &options);
	if (!err && options.word_count)
		err = error_new(ERROR_USAGE, "dev takes options only");
	if (err)
		return err;
	run.only_busy = options.set[OPT_BUSY];
	if (options.set[OPT_PORTS])
		show_ports(&run);
	else if (options.set[OPT_PCI])
		show_pci(&run);
	else if (options.set[OPT_DISKS] || run.only_busy)
		show_disks(&run);
	else
		show_devices(&run);
	return NULL;
}

const struct command command_dev = {
	.name = "dev",
	.usage = "[-d | -D | -p | -i]",
	.summary = "character and block devices, disks' I/O, PCI devices, I/O ports",
	.help = "The numbers that character and block devices have, with what answers them.\n"
		"  -d  disks, and how many reads and writes their drivers have not done yet\n"
		"  -D  only disks with such\n"
		"  -p  PCI devices: where they are, what they are, and their driver\n"
		"  -i  I/O ports, and who has them\n"
		"Examples: dev | dev -d | dev -p | dev -i",
	.run = run_dev,
};
