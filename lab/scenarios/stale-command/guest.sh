#!/bin/sh
insmod /scenario/raid.ko
before-crash
echo 1 >/sys/module/raid/parameters/trigger
