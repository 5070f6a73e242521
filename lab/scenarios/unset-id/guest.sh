#!/bin/sh
insmod /scenario/groups.ko
before-crash
echo 1 >/sys/module/groups/parameters/trigger
