#!/bin/sh
echo 4 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
echo 1 >/proc/sys/kernel/panic_on_rcu_stall
insmod /scenario/rcu_stall.ko
before-crash
echo 1 >/sys/module/rcu_stall/parameters/trigger
sleep 60
