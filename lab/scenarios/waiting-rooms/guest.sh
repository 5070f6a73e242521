#!/bin/sh
# A machine that somebody crashes because much of it is stuck, in ways that are seldom.
insmod /scenario/rooms.ko
echo 1 >/sys/module/rooms/parameters/trigger
/scenario/rooms-user sockets &
/scenario/rooms-user pipes &
dd if=/dev/zero of=/tmp/image bs=1M count=4 2>/dev/null
losetup /dev/loop0 /tmp/image
echo /dev/loop0 >/sys/module/rooms/parameters/freeze_queue
mkdir /tmp/cgroup && mount -t cgroup2 cgroup /tmp/cgroup && mkdir /tmp/cgroup/ice
sleep 1000 &
sleeper=$!
sleep 0.5 # until it is called so
echo $sleeper >/tmp/cgroup/ice/cgroup.procs
echo 1 >/tmp/cgroup/ice/cgroup.freeze
# The older freezer.
mkdir /tmp/freezer && mount -t cgroup -o freezer freezer /tmp/freezer && mkdir /tmp/freezer/snow
tail -f /dev/null &
tail=$!
sleep 0.5
echo $tail >/tmp/freezer/snow/cgroup.procs
echo FROZEN >/tmp/freezer/snow/freezer.state
before-crash
# Nobody can read the mappings of this one any more.
/scenario/rooms-user map /sys/module/rooms/parameters/hold_mm &
map=$!
[ -e /proc/$map ] && sleep 1
dd if=/dev/loop0 of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null &
cat /proc/$map/maps >/dev/null &
sleep 3
echo c >/proc/sysrq-trigger
