#!/bin/sh
insmod /scenario/user_access.ko
before-crash
echo 1 >/sys/module/user_access/parameters/trigger
