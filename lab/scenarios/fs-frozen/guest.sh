#!/bin/sh
# A file system in a file is frozen, as for a snapshot, and nobody thaws it.
dd if=/dev/zero of=/tmp/image bs=1M count=16 2>/dev/null
mke2fs -F /tmp/image >/dev/null 2>&1
losetup /dev/loop0 /tmp/image
mkdir /tmp/archive
mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/loop0 /tmp/archive 2>/dev/null ||
	mount -t ext4 -o noinit_itable /dev/loop0 /tmp/archive # before 5.11
echo "first entry" >/tmp/archive/book
sync
before-crash
fsfreeze --freeze /tmp/archive
dd if=/dev/zero of=/tmp/archive/book bs=100 count=1 2>/dev/null &
dd if=/dev/zero of=/tmp/archive/another bs=100 count=1 2>/dev/null &
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
