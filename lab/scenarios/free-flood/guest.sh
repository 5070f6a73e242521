#!/bin/sh
echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress
echo 0 >/proc/sys/kernel/watchdog
insmod /scenario/tickets.ko
before-crash
echo 1 >/sys/module/tickets/parameters/trigger
sleep 13
echo c >/proc/sysrq-trigger
