#!/bin/sh
mkdir /tmp/cgroup
mount -t cgroup2 cgroup /tmp/cgroup
echo +memory >/tmp/cgroup/cgroup.subtree_control
mkdir -p /tmp/cgroup/shop
echo 48M >/tmp/cgroup/shop/memory.max
echo 2 >/proc/sys/vm/panic_on_oom
before-crash
echo $$ >/tmp/cgroup/shop/cgroup.procs
/scenario/worker
