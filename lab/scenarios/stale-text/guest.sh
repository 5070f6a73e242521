#!/bin/sh
insmod /scenario/stale_text.ko
before-crash
echo 1 >/sys/module/stale_text/parameters/trigger
