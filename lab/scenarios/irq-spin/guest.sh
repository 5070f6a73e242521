#!/bin/sh
insmod /scenario/meter.ko
before-crash
echo 0 >/proc/sys/kernel/watchdog
echo 4 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
echo 1 >/proc/sys/kernel/panic_on_rcu_stall
echo 1 >/sys/module/meter/parameters/trigger
sleep 60
