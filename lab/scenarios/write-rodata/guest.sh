#!/bin/sh
insmod /scenario/write_rodata.ko
before-crash
echo 1 >/sys/module/write_rodata/parameters/trigger
