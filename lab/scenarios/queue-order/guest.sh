#!/bin/sh
insmod /scenario/turnstile.ko
before-crash
echo 1 >/proc/sys/kernel/softlockup_panic
echo 1 >/proc/sys/kernel/watchdog_thresh
echo 1 >/sys/module/turnstile/parameters/trigger
sleep 60
