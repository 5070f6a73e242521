#!/bin/sh
insmod /scenario/softirq_spin.ko
before-crash
echo 1 >/proc/sys/kernel/softlockup_panic
echo 2 >/proc/sys/kernel/watchdog_thresh
echo 1 >/sys/module/softirq_spin/parameters/trigger
sleep 60
