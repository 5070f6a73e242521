#!/bin/sh
insmod /scenario/values.ko
before-crash
echo 1 >/sys/module/values/parameters/trigger
