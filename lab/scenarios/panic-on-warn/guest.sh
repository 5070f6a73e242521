#!/bin/sh
insmod /scenario/panic_on_warn.ko
echo 1 >/proc/sys/kernel/panic_on_warn
before-crash
echo 1 >/sys/module/panic_on_warn/parameters/trigger
