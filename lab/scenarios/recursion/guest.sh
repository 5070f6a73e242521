#!/bin/sh
insmod /scenario/recursion.ko
before-crash
echo 1 >/sys/module/recursion/parameters/trigger
