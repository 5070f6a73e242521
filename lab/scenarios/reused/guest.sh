#!/bin/sh
insmod /scenario/lease.ko
before-crash
echo 1 >/sys/module/lease/parameters/trigger
