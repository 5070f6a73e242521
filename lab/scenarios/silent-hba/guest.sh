#!/bin/sh
# A SCSI disk whose host adapter takes commands and answers none: its driver is the kernel's own scsi_debug, told to be so. One writes to the disk
# itself, others to a volume that lies on it, as most machines have it.
[ -e /dev/mapper/control ] || sleep 1
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ -e /sys/block/sda ] && break
	sleep 0.5
done
/scenario/volume create papers /dev/sda 0 8192
[ -e /dev/dm-0 ] || sleep 1
mke2fs /dev/dm-0 >/dev/null 2>&1
mkdir -p /tmp/disk
mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/dm-0 /tmp/disk 2>/dev/null ||
	mount -t ext4 -o noinit_itable /dev/dm-0 /tmp/disk # before 5.11
echo words >/tmp/disk/ledger
sync
cat /sys/block/sda/device/model
ls -d /sys/block/sda/device/scsi_device/*
echo 600 >/sys/block/sda/device/timeout
echo 4 >/sys/bus/pseudo/drivers/scsi_debug/opts
echo 1 >/sys/bus/pseudo/drivers/scsi_debug/every_nth
dd if=/dev/zero of=/dev/sda bs=4096 seek=1500 count=1 conv=fsync,notrunc 2>/dev/null &
sleep 0.3
for i in 1 2 3; do
	dd if=/dev/zero of=/tmp/disk/ledger-$i bs=4096 count=1 conv=fsync 2>/dev/null &
	sleep 0.3
done
before-crash
sleep 1
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
