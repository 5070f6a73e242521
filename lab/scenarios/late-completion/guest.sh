#!/bin/sh
insmod /scenario/arrays.ko
before-crash
echo 1 >/sys/module/arrays/parameters/trigger
