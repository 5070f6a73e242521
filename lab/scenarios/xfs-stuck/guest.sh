#!/bin/sh
# XFS behind a volume that is suspended and not resumed: who reads an inode waits for a buffer, who wants a change on the disk for the log.
[ -e /dev/mapper/control ] || sleep 1
# The oracles are written over the start of the disk.
/scenario/volume create archives /dev/vda 131072 262144
[ -e /dev/dm-0 ] || sleep 1
# So small a file system is for tests only: these words let it be made.
TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1 /scenario/mkfs.xfs -q -f /dev/dm-0
mkdir -p /tmp/disk
mount -t xfs /dev/dm-0 /tmp/disk
# More inodes than one buffer has.
for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13; do
	mkdir /tmp/disk/$i
	for k in 0 1 2 3 4 5 6 7; do
		echo paper >/tmp/disk/$i/$k
	done
done
umount /tmp/disk
mount -t xfs /dev/dm-0 /tmp/disk
mkdir /tmp/disk/new
sync
/scenario/volume suspend archives
touch /tmp/disk/new/sheet
dd if=/dev/null of=/tmp/disk/new/sheet conv=fsync 2>/dev/null &
sleep 0.5
sync &
sleep 0.5
stat /tmp/disk/9/1 &
sleep 2
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
