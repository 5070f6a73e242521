#!/bin/sh
insmod /scenario/blobs.ko
echo 1 >/sys/module/blobs/parameters/trigger
before-crash
cat /proc/blob
