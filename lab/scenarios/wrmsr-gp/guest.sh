#!/bin/sh
insmod /scenario/tuner.ko
before-crash
echo 1 >/sys/module/tuner/parameters/trigger
