// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Swap: swap_info[] has a struct swap_info_struct for each number that swapon gave out so far, up
 * to nr_swapfiles; one that was switched off stays for the next (mm/swapfile.c). What of it is free
 * is not kept, only how many pages are in use.
 */
#include "kernel/swap.h"

#include "kernel/mappings.h"

/* include/linux/swap.h; include/uapi/linux/stat.h */
enum { SWP_USED = 1, S_IFMT = 0170000, S_IFBLK = 0060000 };

/* arch/x86/include/asm/pgtable_64.h: type in bits 59 to 63, offset inverted in bits 9 to 58. */
enum { TYPE_BITS = 5, OFFSET_FIRST_BIT = 9 };

bool swap_entry(uint64_t entry, unsigned *type, uint64_t *offset)
{
	enum { PRESENT = 1, PROTNONE = 1 << 8 };

	if (!entry || entry & PRESENT || entry & PROTNONE)
		return false;
	*type = (unsigned)(entry >> (64 - TYPE_BITS));
	*offset = ~entry << TYPE_BITS >> (TYPE_BITS + OFFSET_FIRST_BIT);
	return true;
}

static void read_device(struct session *s, struct swap_device *d)
{
	uint64_t flags, priority, inode, offset, mode = 0;

	d->incomplete |= !kread(s, d->address, "swap_info_struct", "flags", &flags);
	d->used = flags & SWP_USED;
	d->incomplete |= !kread(s, d->address, "swap_info_struct", "pages", &d->pages);
	d->incomplete |= !kread(s, d->address, "swap_info_struct", "inuse_pages", &d->pages_used);
	d->incomplete |= !kread(s, d->address, "swap_info_struct", "prio", &priority);
	d->priority = (int64_t)priority;
	d->incomplete |= !kread(s, d->address, "swap_info_struct", "swap_file", &d->file);
	/* Since 6.13 it is atomic, and a bit says that the device is full or switched off
	 * (SWAP_USAGE_OFFLIST_BIT, 1 << 30, mm/swapfile.c). */
	if (koffset(s, "swap_info_struct", "inuse_pages.counter", &offset))
		d->pages_used &= ~(UINT64_C(1) << 30);
	if (d->file) {
		d->incomplete |= !file_path(s, d->file, d->path, sizeof(d->path));
		d->incomplete |= !kread(s, d->file, "file", "f_inode", &inode) ||
				 !kread(s, inode, "inode", "i_mode", &mode);
		d->partition = (mode & S_IFMT) == S_IFBLK;
	}
}

/* READ_OK with address 0: there is none of that number. */
static bool find_device(struct session *s, unsigned type, struct swap_device *d)
{
	uint64_t table = s->symbols ? symbols_address(s->symbols, "swap_info") : 0;

	*d = (struct swap_device){ .type = type };
	if (!table || memory_u64(s->memory, table + type * UINT64_C(8), &d->address) != READ_OK)
		return false;
	if (d->address && s->arch->is_kernel_address(d->address))
		read_device(s, d);
	else
		d->incomplete = d->address != 0;
	return true;
}

bool swap_devices_each(struct session *s, swap_device_fn fn, void *ctx)
{
	struct swap_device device;
	uint64_t count;

	if (!kglobal(s, "nr_swapfiles", 4, &count))
		return false;
	bool whole = count <= SWAP_TYPES_MAX;
	for (unsigned i = 0; i < count && i < SWAP_TYPES_MAX; i++) {
		if (!find_device(s, i, &device))
			whole = false;
		else if (device.address && (device.used || device.incomplete) && !fn(ctx, &device))
			break;
	}
	return whole;
}

bool swap_device(struct session *s, unsigned type, struct swap_device *device)
{
	uint64_t count;

	return kglobal(s, "nr_swapfiles", 4, &count) && type < count && type < SWAP_TYPES_MAX &&
	       find_device(s, type, device) && device->address;
}
