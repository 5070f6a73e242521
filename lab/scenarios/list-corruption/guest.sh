#!/bin/sh
insmod /scenario/list_corruption.ko
before-crash
echo 1 >/sys/module/list_corruption/parameters/trigger
