#!/bin/sh
insmod /scenario/table.ko
before-crash
echo 1 >/sys/module/table/parameters/trigger
