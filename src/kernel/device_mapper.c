// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A disk of the device-mapper is told by its table of functions; its private data is the
 * mapped_device, which points back to the disk. While a volume is suspended, each bio that comes
 * is put on its list `deferred`, and who waits for that waits until somebody resumes the volume.
 *
 * Sources, in linux/: drivers/md/dm-core.h (struct mapped_device, DMF_BLOCK_IO_FOR_SUSPEND,
 * DMF_SUSPENDED), drivers/md/dm.c (dm_blk_dops, dm_rq_blk_dops, dm_submit_bio, queue_io),
 * drivers/md/dm-ioctl.c (struct hash_cell, which interface_ptr points to).
 */
#include "kernel/device_mapper.h"

#include <string.h>

enum {
	DMF_BLOCK_IO = 1 << 0, DMF_SUSPENDED = 1 << 1,
	BIOS_MAX = 4096,
};

static bool has_volumes_functions(struct session *s, uint64_t disk)
{
	static const char *const names[] = { "dm_blk_dops", "dm_rq_blk_dops" };
	uint64_t functions;
	struct symbol symbol;

	if (!kread(s, disk, "gendisk", "fops", &functions) || !functions ||
	    !symbols_by_address(s->symbols, functions, &symbol) || symbol.address != functions)
		return false;
	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(symbol.name, names[i]) == 0)
			return true;
	}
	return false;
}

static void count_deferred(struct session *s, struct dm_volume *volume)
{
	uint64_t bio = volume->deferred;

	while (bio && volume->deferred_count < BIOS_MAX) {
		volume->deferred_count++;
		if (!kread(s, bio, "bio", "bi_next", &bio))
			return;
	}
}

bool dm_volume_of_disk(struct session *s, uint64_t disk, struct dm_volume *volume)
{
	uint64_t flags, back, cell, of;

	*volume = (struct dm_volume){ 0 };
	if (!s->symbols || !has_volumes_functions(s, disk))
		return false;
	types_load_modules(s->types);
	if (!kread(s, disk, "gendisk", "private_data", &volume->address) || !volume->address ||
	    !kread(s, volume->address, "mapped_device", "disk", &back) || back != disk ||
	    !kread(s, volume->address, "mapped_device", "flags", &flags))
		return false;
	volume->holds_back = flags & DMF_BLOCK_IO;
	volume->suspended = flags & DMF_SUSPENDED;
	if (kread(s, volume->address, "mapped_device", "interface_ptr", &cell) && cell &&
	    kread(s, cell, "hash_cell", "md", &of) && of == volume->address)
		kread_string(s, cell, "hash_cell", "name", volume->name, sizeof(volume->name));
	if (kread(s, volume->address, "mapped_device", "deferred.head", &volume->deferred))
		count_deferred(s, volume);
	return true;
}
