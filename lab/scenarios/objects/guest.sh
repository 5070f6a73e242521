#!/bin/sh
insmod /scenario/objects.ko
echo 1 >/sys/module/objects/parameters/prepare
cat /sys/kernel/debug/lab_objects
before-crash
echo 1 >/sys/module/objects/parameters/trigger
