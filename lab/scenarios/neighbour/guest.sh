#!/bin/sh
insmod /scenario/meter.ko
before-crash
echo 1 >/sys/module/meter/parameters/trigger
