#!/bin/sh
insmod /scenario/abba.ko
echo 1 >/sys/module/abba/parameters/trigger
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
