#!/bin/sh
# A machine that somebody crashes because much of it is stuck.
insmod /scenario/hall.ko
echo 1 >/sys/module/hall/parameters/trigger
before-crash
echo 1 >/sys/module/hall/parameters/trigger
echo c >/proc/sysrq-trigger
