#!/bin/sh
insmod /scenario/club.ko
before-crash
echo 1 >/sys/module/club/parameters/trigger
