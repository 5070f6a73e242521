#!/bin/sh
insmod /scenario/ring_pages.ko
echo 1 >/proc/sys/vm/panic_on_oom
before-crash
echo 1 >/sys/module/ring_pages/parameters/trigger
