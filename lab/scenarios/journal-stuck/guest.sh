#!/bin/sh
# A journal cannot go on. A volume is suspended and not resumed; who makes a folder there has begun to change the file system and waits for a block
# that it needs for it. The journal's thread waits for that one, before it ends the transaction; all others wait for the journal's thread.
[ -e /dev/mapper/control ] || sleep 1
# The oracles are written over the start of the disk.
/scenario/volume create archives /dev/vda 262144 49152
[ -e /dev/dm-0 ] || sleep 1
/scenario/mke2fs -q -t ext4 -J size=4 /dev/dm-0 2>/dev/null
mount_disk()
{
	mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/dm-0 /tmp/disk 2>/dev/null ||
		mount -t ext4 -o noinit_itable /dev/dm-0 /tmp/disk # before 5.11
}
mkdir -p /tmp/disk
mount_disk
for i in 1 2 3 4; do
	mkdir /tmp/disk/$i
done
# Anew: the folders are in memory, and of where there is room nothing is.
umount /tmp/disk
mount_disk
ls /tmp/disk/1 /tmp/disk/2 /tmp/disk/3 /tmp/disk/4
# Where there is room for files is known now, and where there is room for their blocks is not. The journal is no longer empty.
touch /tmp/disk/1/sheet
sync
/scenario/volume suspend archives
mkdir /tmp/disk/1/shelf &
sleep 1
sync &
sleep 1
for i in 2 3 4; do
	chmod 0700 /tmp/disk/$i &
	sleep 0.2
done
sleep 1
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
