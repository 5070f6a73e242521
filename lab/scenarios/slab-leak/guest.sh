#!/bin/sh
insmod /scenario/backlog.ko
echo 1 >/proc/sys/vm/panic_on_oom
before-crash
echo 1 >/sys/module/backlog/parameters/trigger
