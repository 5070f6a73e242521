#!/bin/sh
echo 0 >/proc/sys/kernel/watchdog
insmod /scenario/ledger.ko
before-crash
echo 1 >/sys/module/ledger/parameters/trigger
sleep 60
