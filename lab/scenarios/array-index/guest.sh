#!/bin/sh
insmod /scenario/menu.ko
before-crash
echo 1 >/sys/module/menu/parameters/trigger
