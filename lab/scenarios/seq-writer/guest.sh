#!/bin/sh
insmod /scenario/calendar.ko
before-crash
echo 1 >/proc/sys/kernel/softlockup_panic
echo 1 >/proc/sys/kernel/watchdog_thresh
echo 1 >/sys/module/calendar/parameters/trigger
sleep 60
