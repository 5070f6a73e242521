#!/bin/sh
# No oracles: reading /proc of 2,000 threads takes longer than all the rest.
echo 20000 >/proc/sys/kernel/threads-max
insmod /scenario/crowd_lock.ko
echo 1 >/sys/module/crowd_lock/parameters/trigger
sleep 1
echo c >/proc/sysrq-trigger
