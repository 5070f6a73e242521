#!/bin/sh
# Who reads waits so that it can be killed, which the watchdog of hung tasks passes over; who writes, and wants it on the disk, does not.
insmod /scenario/stuck_disk.ko
echo 1 >/sys/module/stuck_disk/parameters/trigger
for i in 1 2; do
	dd if=/dev/stuckdisk of=/dev/null bs=4096 skip=8 count=1 &
done
for i in 1 2 3 4; do
	dd if=/dev/zero of=/dev/stuckdisk bs=4096 count=1 conv=fsync &
	sleep 0.3
done
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
