#!/bin/sh
insmod /scenario/watch.ko
before-crash
echo 1 >/sys/module/watch/parameters/trigger
