#!/bin/sh
echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress
echo 0 >/proc/sys/kernel/watchdog
insmod /scenario/weather.ko
before-crash
echo 1 >/sys/module/weather/parameters/trigger
sleep 14
echo c >/proc/sysrq-trigger
