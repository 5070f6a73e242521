#!/bin/sh
insmod /scenario/planted.ko
echo 1 >/sys/module/planted/parameters/prepare
cat /sys/kernel/debug/lab_damages
before-crash
echo 1 >/sys/module/planted/parameters/trigger
