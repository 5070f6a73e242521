#!/bin/sh
insmod /scenario/photo.ko
before-crash
echo 1 >/sys/module/photo/parameters/trigger
