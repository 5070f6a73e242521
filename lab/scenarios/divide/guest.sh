#!/bin/sh
insmod /scenario/divide.ko
before-crash
echo 1 >/sys/module/divide/parameters/trigger
