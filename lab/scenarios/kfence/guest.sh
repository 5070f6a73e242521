#!/bin/sh
echo 1 >/proc/sys/kernel/panic_on_warn
insmod /scenario/kfence_use.ko
before-crash
echo 1 >/sys/module/kfence_use/parameters/trigger
