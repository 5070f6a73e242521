/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Character and block devices, disks and what they are working on, PCI, and address resources. */
#pragma once

#include "kernel/session.h"
#include "kernel/walk.h"

struct char_device {
	uint64_t major, minor, minors; /* the range of numbers */
	uint64_t cdev, operations;     /* 0: none, or unknown */
	char name[80];
	bool nameless;   /* its numbers are not in the dump */
	bool incomplete;
};
typedef void (*char_device_fn)(void *ctx, const struct char_device *device);
void char_devices_each(struct session *s, struct walk_trouble *trouble, char_device_fn fn,
		       void *ctx);

/* A number that a driver of block devices has. */
struct block_major {
	uint64_t major;
	char name[32];
	bool incomplete;
};
typedef void (*block_major_fn)(void *ctx, const struct block_major *major);
void block_majors_each(struct session *s, struct walk_trouble *trouble, block_major_fn fn,
		       void *ctx);

struct disk {
	uint64_t gendisk, operations, queue, bdev;
	uint64_t major, first_minor;
	char name[40];
	bool incomplete;
	/* What it was asked for and has not done. */
	bool io_known, by_request; /* by_request: counted one by one; else from its counters */
	uint64_t reads, writes;
};
/* Every whole disk, with what is under way when @io. */
typedef void (*disk_fn)(void *ctx, const struct disk *disk);
void disks_each(struct session *s, bool io, struct walk_trouble *trouble, disk_fn fn, void *ctx);

struct pci_device {
	uint64_t address, bus_address;
	unsigned domain, bus, slot, function;
	uint64_t vendor, device, class, revision;
	char driver[64];   /* "" none */
	bool incomplete;
};
typedef void (*pci_fn)(void *ctx, const struct pci_device *device);
void pci_each(struct session *s, struct walk_trouble *trouble, pci_fn fn, void *ctx);
/* "Host bridge", "Ethernet controller"; of an unknown one what its first byte says, or NULL. */
const char *pci_class_name(uint64_t class);

struct resource {
	uint64_t address, start, end, flags;
	unsigned depth;
	char name[128];
	bool incomplete;
};
/* What is below the resource @root (ioport_resource, iomem_resource), each before its children. */
typedef void (*resource_fn)(void *ctx, const struct resource *resource);
void resources_each(struct session *s, const char *root, struct walk_trouble *trouble,
		    resource_fn fn, void *ctx);
