#!/bin/sh
insmod /scenario/guestmap.ko
before-crash
echo 1 >/sys/module/guestmap/parameters/trigger
