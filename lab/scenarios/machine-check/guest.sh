#!/bin/sh
insmod /scenario/bad_memory.ko
before-crash
echo 1 >/sys/module/bad_memory/parameters/trigger
