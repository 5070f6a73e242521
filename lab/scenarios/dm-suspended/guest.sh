#!/bin/sh
# A volume is suspended and not resumed. Who writes a few bytes of a block needs the rest of it from the disk, with the inode locked; whoever
# else writes to that file waits for the lock.
[ -e /dev/mapper/control ] || sleep 1
# The oracles are written over the start of the disk.
/scenario/volume create ledgers /dev/vda 262144 49152
[ -e /dev/dm-0 ] || sleep 1
mke2fs /dev/dm-0 >/dev/null 2>&1
mkdir -p /tmp/disk /oracle/dm
# Without ext4lazyinit, a thread that ends when it likes.
mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/dm-0 /tmp/disk 2>/dev/null ||
	mount -t ext4 -o noinit_itable /dev/dm-0 /tmp/disk # before 5.11
dd if=/dev/zero of=/tmp/disk/ledger bs=4096 count=4 2>/dev/null
sync
echo 1 >/proc/sys/vm/drop_caches
/scenario/volume suspend ledgers
/scenario/volume write /tmp/disk/ledger bookkeeper &
sleep 0.5
for i in 1 2 3 4 5; do
	/scenario/volume write /tmp/disk/ledger "clerk-$i" &
	sleep 0.1
done
for file in name suspended; do
	cat "/sys/block/dm-0/dm/$file" >"/oracle/dm/$file"
done
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
