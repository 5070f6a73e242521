#!/bin/sh
# A volume is suspended; who reads from it past the page cache waits for that one bio.
[ -e /dev/mapper/control ] || sleep 1
# The oracles are written over the start of the disk.
/scenario/volume create ledgers /dev/vda 262144 49152
[ -e /dev/dm-0 ] || sleep 1
before-crash
/scenario/volume suspend ledgers
dd if=/dev/dm-0 of=/dev/null bs=4096 count=1 skip=100 iflag=direct 2>/dev/null &
# It sleeps for half of the time-out that it finds at a time, so as not to be told as hung.
sleep 1
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
