#!/bin/sh
# A disk that answers no more, and more to write than its queue has room for: the kernel's own writer waits for a tag, and all who wait for that one.
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ -e /sys/block/sda ] && break
	sleep 0.5
done
echo 600 >/sys/block/sda/device/timeout
cat /sys/block/sda/queue/nr_requests /sys/block/sda/device/queue_depth
echo none >/sys/block/sda/queue/scheduler
/scenario/dirty /dev/sda 1900 &
sleep 1
echo 4 >/sys/bus/pseudo/drivers/scsi_debug/opts
echo 1 >/sys/bus/pseudo/drivers/scsi_debug/every_nth
sync &
sleep 1
sync &
sleep 1
dd if=/dev/sda of=/dev/null bs=4096 skip=1901 count=1 &
dd if=/dev/zero of=/dev/sda bs=4096 seek=1911 count=1 conv=notrunc,fsync &
sleep 1
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
