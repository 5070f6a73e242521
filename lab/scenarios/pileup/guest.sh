#!/bin/sh
# A machine that somebody crashes because much of it is stuck.
insmod /scenario/pileup.ko
/scenario/futexes &
echo 1 >/sys/module/pileup/parameters/trigger
sleep 12
before-crash
echo c >/proc/sysrq-trigger
