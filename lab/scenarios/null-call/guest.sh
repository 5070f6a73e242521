#!/bin/sh
insmod /scenario/null_call.ko
before-crash
echo 1 >/sys/module/null_call/parameters/trigger
