#!/bin/sh
# A machine that uses many kinds of kernel objects; the module lists those whose type it knows.
ifconfig lo 127.0.0.1 up
mkdir /dev/mqueue /tmp/cgroup
mount -t mqueue mqueue /dev/mqueue
mount -t cgroup2 cgroup /tmp/cgroup && mkdir /tmp/cgroup/a /tmp/cgroup/b
mkfifo /tmp/fifo
for i in 1 2 3 4 5 6 7 8; do
	echo "$i" >/tmp/file$i
	mkdir -p /tmp/cgroup/a/$i
	unshare -m -i -u -n -p sh -c 'sleep 1000 & wait' &
done
/scenario/users /tmp
insmod /scenario/typed.ko
echo 1 >/sys/module/typed/parameters/prepare
cat /sys/kernel/debug/lab_typed
before-crash
echo 1 >/sys/module/typed/parameters/trigger
