#!/bin/sh
# A grace period in a hurry waits for a CPU that reads; somebody crashes the machine before the kernel complains.
insmod /scenario/hurry.ko
before-crash
taskset -p 1 $$ >/dev/null
echo 1 >/sys/module/hurry/parameters/trigger
sleep 3
echo c >/proc/sysrq-trigger
