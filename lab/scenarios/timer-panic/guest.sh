#!/bin/sh
insmod /scenario/timer_panic.ko
before-crash
echo 1 >/sys/module/timer_panic/parameters/trigger
