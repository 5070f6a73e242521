// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers of devices: hash tables of 255 chains each, chrdevs[] (struct char_device_struct,
 * fs/char_dev.c) and major_names[] (struct blk_major_name, block/genhd.c). What answers a character
 * device's number without a cdev of its own is in cdev_map (drivers/base/map.c).
 *
 * Resources: a tree of struct resource by child and sibling (kernel/resource.c). PCI: the buses of
 * pci_root_buses, each with its devices and the buses behind it (include/linux/pci.h).
 */
#include "kernel/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lists.h"

enum {
	HASH_SIZE = 255, CHAIN_MAX = 4096, DEPTH_MAX = 64, BUS_DEPTH_MAX = 32,
};

/* --- Character devices --- */

/* cdev_map.probes[] has chains in order of how many numbers an entry is for. False: a hole. */
static bool mapped_cdev(struct session *s, uint64_t major, uint64_t minor, uint64_t *cdev)
{
	uint64_t map, probe, dev, range, data, wanted = major << 20 | minor;

	if (!kglobal(s, "cdev_map", 8, &map) || !map ||
	    memory_u64(s->memory, map + major % HASH_SIZE * 8, &probe) != READ_OK)
		return false;
	for (unsigned i = 0; probe && i < CHAIN_MAX; i++) {
		if (!kread(s, probe, "probe", "dev", &dev) ||
		    !kread(s, probe, "probe", "range", &range) ||
		    !kread(s, probe, "probe", "data", &data))
			return false;
		/* The entries that the table starts with are for all numbers and have no data. */
		if (data && wanted >= dev && wanted - dev < range) {
			*cdev = data;
			return true;
		}
		if (!kread(s, probe, "probe", "next", &probe))
			return false;
	}
	return !probe;
}

static void read_char_device(struct session *s, uint64_t at, struct char_device *d)
{
	*d = (struct char_device){ .cdev = 0 };
	d->nameless = !kread(s, at, "char_device_struct", "major", &d->major) ||
		      !kread(s, at, "char_device_struct", "baseminor", &d->minor) ||
		      !kread(s, at, "char_device_struct", "minorct", &d->minors);
	d->incomplete |= d->nameless;
	d->incomplete |= !kread_string(s, at, "char_device_struct", "name", d->name,
				       sizeof(d->name));
	d->incomplete |= !kread(s, at, "char_device_struct", "cdev", &d->cdev);
	if (!d->cdev && !d->incomplete)
		d->incomplete |= !mapped_cdev(s, d->major, d->minor, &d->cdev);
	if (d->cdev)
		d->incomplete |= !kread(s, d->cdev, "cdev", "ops", &d->operations);
}

/* Calls back with each entry of a table of chains. */
static void each_chain(struct session *s, const char *table, const char *type,
		       struct walk_trouble *trouble, void (*fn)(void *ctx, uint64_t entry),
		       void *ctx)
{
	uint64_t base = s->symbols ? symbols_address(s->symbols, table) : 0, next = 0, at;
	struct list_walk walk;

	koffset(s, type, "next", &next);
	if (!base)
		walk_trouble_add(trouble, "there is no symbol %s", table);
	for (uint64_t i = 0; base && i < HASH_SIZE; i++) {
		list_walk_from_head(&walk, s, LIST_SINGLE, base + i * 8);
		walk.only_null_ends = true;
		walk.next_offset = next;
		while (list_walk_step(&walk, &at))
			fn(ctx, at);
		if (walk.trouble.count)
			walk_trouble_add(trouble, "%s[%" PRIu64 "]: %s", table, i,
					 walk.trouble.text);
		list_walk_fini(&walk);
	}
}

struct chain_run {
	struct session *s;
	char_device_fn char_fn;
	block_major_fn block_fn;
	void *ctx;
};

static void see_char(void *ctx, uint64_t entry)
{
	struct chain_run *run = ctx;
	struct char_device device;

	read_char_device(run->s, entry, &device);
	run->char_fn(run->ctx, &device);
}

void char_devices_each(struct session *s, struct walk_trouble *trouble, char_device_fn fn,
		       void *ctx)
{
	struct chain_run run = { .s = s, .char_fn = fn, .ctx = ctx };

	each_chain(s, "chrdevs", "char_device_struct", trouble, see_char, &run);
}

static void see_major(void *ctx, uint64_t entry)
{
	struct chain_run *run = ctx;
	struct block_major major = { .major = 0 };

	major.incomplete |= !kread(run->s, entry, "blk_major_name", "major", &major.major);
	major.incomplete |= !kread_string(run->s, entry, "blk_major_name", "name", major.name,
					  sizeof(major.name));
	run->block_fn(run->ctx, &major);
}

void block_majors_each(struct session *s, struct walk_trouble *trouble, block_major_fn fn,
		       void *ctx)
{
	struct chain_run run = { .s = s, .block_fn = fn, .ctx = ctx };

	each_chain(s, "major_names", "blk_major_name", trouble, see_major, &run);
}

/* --- Resources --- */

static bool read_resource(struct session *s, uint64_t at, struct resource *r)
{
	*r = (struct resource){ .address = at };
	uint64_t name;
	bool ok = kread(s, at, "resource", "start", &r->start) &&
		  kread(s, at, "resource", "end", &r->end) &&
		  kread(s, at, "resource", "flags", &r->flags) &&
		  kread(s, at, "resource", "name", &name);
	/* Some have no name; that is no hole. */
	r->incomplete = !ok || (name && memory_string(s->memory, name, r->name,
						      sizeof(r->name)) != READ_OK);
	return ok;
}

void resources_each(struct session *s, const char *root, struct walk_trouble *trouble,
		    resource_fn fn, void *ctx)
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, root) : 0;
	uint64_t waiting[DEPTH_MAX]; /* of each level the next sibling */
	struct map seen = { 0 };
	struct resource resource;
	unsigned depth = 0;

	if (!at || !kread(s, at, "resource", "child", &at)) {
		walk_trouble_add(trouble, "%s is not in the dump", root);
		return;
	}
	while (!session_stopped(s)) {
		uint64_t child, sibling;
		while (!at && depth)
			at = waiting[--depth];
		if (!at)
			break;
		if (!map_set(&seen, at, 0)) {
			walk_trouble_add(trouble, "the resource at %" PRIx64 " is in the tree twice", at);
			at = 0;
			continue;
		}
		bool whole = read_resource(s, at, &resource);
		whole &= kread(s, at, "resource", "child", &child);
		whole &= kread(s, at, "resource", "sibling", &sibling);
		if (!whole)
			walk_trouble_add(trouble, "the resource at %" PRIx64 " is not in the dump", at);
		resource.depth = depth;
		fn(ctx, &resource);
		if (child && depth + 1 < DEPTH_MAX) {
			waiting[depth++] = sibling;
			at = child;
		} else {
			if (child)
				walk_trouble_add(trouble, "what is below the resource at %" PRIx64
						 " is too deep", at);
			at = sibling;
		}
	}
	map_deinit(&seen);
}

/* --- PCI --- */

struct pci_run {
	struct session *s;
	struct walk_trouble *trouble;
	struct map seen; /* buses */
	pci_fn fn;
	void *ctx;
};

static void read_pci(struct session *s, uint64_t at, uint64_t bus, struct pci_device *d)
{
	uint64_t devfn = 0, number = 0, sysdata, domain = 0, driver = 0;

	*d = (struct pci_device){ .address = at, .bus_address = bus };
	d->incomplete |= !kread(s, at, "pci_dev", "devfn", &devfn) ||
			 !kread(s, at, "pci_dev", "vendor", &d->vendor) ||
			 !kread(s, at, "pci_dev", "device", &d->device) ||
			 !kread(s, at, "pci_dev", "class", &d->class) ||
			 !kread(s, at, "pci_dev", "revision", &d->revision) ||
			 !kread(s, at, "pci_dev", "driver", &driver) ||
			 !kread(s, bus, "pci_bus", "number", &number);
	/* x86 keeps the domain in the bus's struct pci_sysdata (arch/x86/include/asm/pci.h). */
	d->incomplete |= !kread(s, bus, "pci_bus", "sysdata", &sysdata) ||
			 (sysdata && kread_status(s, sysdata, "pci_sysdata", "domain", &domain) ==
					     KREAD_HOLE);
	if (driver)
		d->incomplete |= !kread_string(s, driver, "pci_driver", "name", d->driver,
					       sizeof(d->driver));
	d->domain = (unsigned)domain;
	d->bus = (unsigned)number;
	d->slot = devfn >> 3 & 31;
	d->function = devfn & 7;
}

static void each_device(struct pci_run *run, uint64_t bus)
{
	uint64_t head, offset, link;
	struct list_walk walk;
	struct pci_device device;

	if (!koffset(run->s, "pci_bus", "devices", &head) ||
	    !koffset(run->s, "pci_dev", "bus_list", &offset))
		return;
	list_walk_from_head(&walk, run->s, LIST_DOUBLE, bus + head);
	while (list_walk_step(&walk, &link)) {
		read_pci(run->s, link - offset, bus, &device);
		run->fn(run->ctx, &device);
	}
	if (walk.trouble.count)
		walk_trouble_add(run->trouble, "devices of a bus: %s", walk.trouble.text);
	list_walk_fini(&walk);
}

static void each_bus(struct pci_run *run, uint64_t list, unsigned depth)
{
	uint64_t offset, children, link;
	struct list_walk walk;

	if (!koffset(run->s, "pci_bus", "node", &offset) ||
	    !koffset(run->s, "pci_bus", "children", &children)) {
		walk_trouble_add(run->trouble, "this kernel has no struct pci_bus");
		return;
	}
	list_walk_from_head(&walk, run->s, LIST_DOUBLE, list);
	while (!session_stopped(run->s) && list_walk_step(&walk, &link)) {
		if (!map_set(&run->seen, link, 0)) {
			walk_trouble_add(run->trouble, "the pci_bus at %" PRIx64 " is in the tree "
					 "twice", link - offset);
			break;
		}
		each_device(run, link - offset);
		if (depth < BUS_DEPTH_MAX)
			each_bus(run, link - offset + children, depth + 1);
	}
	if (walk.trouble.count)
		walk_trouble_add(run->trouble, "buses: %s", walk.trouble.text);
	list_walk_fini(&walk);
}

void pci_each(struct session *s, struct walk_trouble *trouble, pci_fn fn, void *ctx)
{
	struct pci_run run = { .s = s, .trouble = trouble, .fn = fn, .ctx = ctx };
	uint64_t list = s->symbols ? symbols_address(s->symbols, "pci_root_buses") : 0;

	if (list)
		each_bus(&run, list, 0);
	else
		walk_trouble_add(trouble, "there is no symbol pci_root_buses: a kernel without PCI");
	map_deinit(&run.seen);
}

/* include/linux/pci_ids.h: base class and subclass. */
const char *pci_class_name(uint64_t class)
{
	static const struct {
		uint16_t number;
		const char *name;
	} names[] = {
		{ 0x0100, "SCSI controller" },      { 0x0101, "IDE controller" },
		{ 0x0104, "RAID controller" },      { 0x0105, "ATA controller" },
		{ 0x0106, "SATA controller" },      { 0x0107, "SAS controller" },
		{ 0x0108, "NVMe controller" },      { 0x0180, "mass storage controller" },
		{ 0x0200, "Ethernet controller" },  { 0x0207, "InfiniBand controller" },
		{ 0x0280, "network controller" },   { 0x0300, "VGA controller" },
		{ 0x0302, "3D controller" },        { 0x0380, "display controller" },
		{ 0x0401, "audio controller" },     { 0x0403, "audio device" },
		{ 0x0500, "RAM memory" },           { 0x0600, "host bridge" },
		{ 0x0601, "ISA bridge" },           { 0x0604, "PCI bridge" },
		{ 0x0680, "bridge" },               { 0x0700, "serial controller" },
		{ 0x0780, "communication controller" }, { 0x0800, "interrupt controller" },
		{ 0x0880, "system peripheral" },    { 0x0c03, "USB controller" },
		{ 0x0c05, "SMBus" },                { 0x1180, "signal processing controller" },
	};
	static const char *const bases[] = {
		NULL, "mass storage", "network", "display", "multimedia", "memory", "bridge",
		"communication", "system peripheral", "input", "docking station", "processor",
		"serial bus", "wireless", "intelligent I/O", "satellite", "encryption",
		"signal processing", "accelerator",
	};
	uint64_t base = class >> 16 & 0xff;

	for (size_t i = 0; i < array_size(names); i++) {
		if (names[i].number == (class >> 8 & 0xffff))
			return names[i].name;
	}
	return base < array_size(bases) ? bases[base] : NULL;
}
