#!/bin/sh
insmod /scenario/stuck_disk.ko
echo 1 >/sys/module/stuck_disk/parameters/trigger
for i in 1 2 3 4 5 6; do
	dd if=/dev/stuckdisk of=/dev/null bs=4096 count=1 &
done
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
