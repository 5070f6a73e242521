#!/bin/sh
insmod /scenario/silent_cpu.ko
before-crash
echo 1 >/proc/sys/kernel/softlockup_panic
echo 2 >/proc/sys/kernel/watchdog_thresh
# A process whose memory the deaf CPU has seen would wait for that, too, as soon as it forks.
taskset 1 sh -c "echo 1 >/sys/module/silent_cpu/parameters/trigger; sleep 60"
