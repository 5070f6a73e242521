#!/bin/sh
insmod /scenario/hall.ko
before-crash
echo 1 >/sys/module/hall/parameters/trigger
echo c >/proc/sysrq-trigger
