#!/bin/sh
insmod /scenario/lost_wakeup.ko
echo 1 >/sys/module/lost_wakeup/parameters/trigger
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
