#!/bin/sh
echo 1 >/proc/sys/kernel/softlockup_panic
echo 1 >/proc/sys/kernel/watchdog_thresh
insmod /scenario/softlockup.ko
before-crash
echo 1 >/sys/module/softlockup/parameters/trigger
sleep 60
