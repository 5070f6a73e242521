#!/bin/sh
# A file system lies in a file of another one, and that is frozen: who writes to the upper one waits for a disk that is a program of the kernel,
# which waits for the lower one.
mke2fs -F /dev/vda 32768 >/dev/null 2>&1
mkdir -p /tmp/lower /tmp/upper
mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/vda /tmp/lower 2>/dev/null ||
	mount -t ext4 -o noinit_itable /dev/vda /tmp/lower # before 5.11
dd if=/dev/zero of=/tmp/lower/image bs=1M count=12 2>/dev/null
losetup /dev/loop0 /tmp/lower/image
mke2fs -F /dev/loop0 >/dev/null 2>&1
mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/loop0 /tmp/upper 2>/dev/null ||
	mount -t ext4 -o noinit_itable /dev/loop0 /tmp/upper # before 5.11
echo "first entry" >/tmp/upper/book
sync
fsfreeze --freeze /tmp/lower
for i in 1 2 3; do
	dd if=/dev/zero of=/tmp/upper/book-$i bs=100 count=1 conv=fsync 2>/dev/null &
	sleep 0.3
done
sleep 1
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
