#!/bin/sh
# A CPU spins at a lock whose memory a text has run over.
insmod /scenario/parcels.ko
before-crash
echo 1 >/proc/sys/kernel/softlockup_panic
echo 2 >/proc/sys/kernel/watchdog_thresh
echo 1 >/sys/module/parcels/parameters/trigger
sleep 60
