/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volumes of the device-mapper (LVM, dm-crypt, multipath, ...): which volume a disk is, whether it
 * is suspended, and what it holds back because of that.
 *
 * In: a struct gendisk. Out: the volume's state. The types are those of module dm_mod: its BTF.
 */
#pragma once

#include "kernel/session.h"

struct dm_volume {
	uint64_t address;     /* of its struct mapped_device */
	char name[128];       /* as dmsetup has it: "vg0-root"; "" not known */
	bool holds_back;      /* new I/O is put aside until it is resumed */
	bool suspended;       /* suspending has come to its end */
	uint64_t deferred;    /* first struct bio that was put aside; 0: none */
	uint64_t deferred_count; /* how many there are; counting ends at a few thousand */
};

/*
 * The volume that @disk (struct gendisk) is. False: it is none, or the dump does not have what is
 * needed to tell.
 */
bool dm_volume_of_disk(struct session *s, uint64_t disk, struct dm_volume *volume);
