#!/bin/sh
insmod /scenario/double_free.ko
before-crash
echo 1 >/sys/module/double_free/parameters/trigger
