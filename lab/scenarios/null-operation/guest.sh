#!/bin/sh
# An operation that is not there is jumped to.
insmod /scenario/offices.ko
before-crash
echo 1 >/sys/module/offices/parameters/trigger
