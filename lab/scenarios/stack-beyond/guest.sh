#!/bin/sh
insmod /scenario/stack_beyond.ko
before-crash
echo 1 >/sys/module/stack_beyond/parameters/trigger
