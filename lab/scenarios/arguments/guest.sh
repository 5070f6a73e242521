#!/bin/sh
# Threads and programs asleep at the bottom of chains of calls whose arguments are written down; another CPU spins in an interrupt; then a
# fault at the bottom of another chain.
insmod /scenario/arguments.ko
echo 1 >/sys/module/arguments/parameters/trigger
echo 1 >/sys/module/arguments/parameters/trigger
/scenario/sleepers
sleep 1
before-crash
echo 7 >/proc/sys/kernel/printk
echo 1 >/sys/module/arguments/parameters/trigger
