#!/bin/sh
insmod /scenario/gpf.ko
before-crash
echo 1 >/sys/module/gpf/parameters/trigger
