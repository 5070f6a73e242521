/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Swap devices, and page-table entries of pages that are swapped out. */
#pragma once

#include "kernel/session.h"

enum { SWAP_TYPES_MAX = 32 }; /* MAX_SWAPFILES_SHIFT is 5, include/linux/swap.h */

struct swap_device {
	uint64_t address;  /* of the swap_info_struct */
	unsigned type;     /* its number, as page-table entries have it */
	bool used;         /* swapon was done, swapoff not */
	bool incomplete;   /* some of what follows is not in the dump */
	bool partition;    /* a block device, not a file */
	uint64_t pages, pages_used;
	int64_t priority;
	uint64_t file;     /* struct file */
	char path[512];    /* "" unknown */
};

/*
 * The swap devices in order of their numbers. False when there is no telling how many there are;
 * what of them is missing is noted in them.
 */
typedef bool (*swap_device_fn)(void *ctx, const struct swap_device *device);
bool swap_devices_each(struct session *s, swap_device_fn fn, void *ctx);
/* The device of that number; false when there is none, or it cannot be read. */
bool swap_device(struct session *s, unsigned type, struct swap_device *device);
/*
 * Is the x86-64 page-table entry @entry of the lowest level that of a page which is not mapped but
 * is somewhere? Then gives the device's number and the page's place there. Numbers of no swap
 * device are the kernel's own notes: pages that migrate, are broken, or are a device's.
 */
bool swap_entry(uint64_t entry, unsigned *type, uint64_t *offset);
