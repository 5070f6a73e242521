#!/bin/sh
insmod /scenario/list_poison.ko
before-crash
echo 1 >/sys/module/list_poison/parameters/trigger
