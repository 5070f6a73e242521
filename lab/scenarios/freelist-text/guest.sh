#!/bin/sh
insmod /scenario/freelist_text.ko
before-crash
echo 1 >/sys/module/freelist_text/parameters/trigger
