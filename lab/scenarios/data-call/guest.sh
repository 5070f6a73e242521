#!/bin/sh
insmod /scenario/data_call.ko
before-crash
echo 1 >/sys/module/data_call/parameters/trigger
