#!/bin/sh
# A workshop with everyone at a known place: processes in known states, known timers and wait queues, known queues of both CPUs.
# With audit=1 what nobody fetches stays in the queues of kauditd.
# /oracle tells who is where: workshop.tsv (role, pid, tid, facts), kernel.tsv (the module's wait queues and timers), tasks/TID/.
mkdir /oracle /oracle/tasks /oracle/dmi /oracle/memmap /oracle/proc
mkdir /tmp/cgroup
if mount -t cgroup2 none /tmp/cgroup; then
	echo "+cpu +cpuset" >/tmp/cgroup/cgroup.subtree_control
	mkdir /tmp/cgroup/bench
	echo +cpu >/tmp/cgroup/bench/cgroup.subtree_control
	mkdir /tmp/cgroup/bench/left /tmp/cgroup/bench/right /tmp/cgroup/limited /tmp/cgroup/island
	echo 200 >/tmp/cgroup/bench/left/cpu.weight
	echo "1000 1000000" >/tmp/cgroup/limited/cpu.max
	# Without a partition of their own, tasks with deadlines may not be kept on one CPU.
	echo 1 >/tmp/cgroup/island/cpuset.cpus
	echo root >/tmp/cgroup/island/cpuset.cpus.partition
	cat /tmp/cgroup/island/cpuset.cpus.partition
fi
insmod /scenario/workshop_kernel.ko
taskset -p 1 $$
renice -n -19 $$
/scenario/workshop
echo placed
cat /sys/module/workshop_kernel/parameters/report >/oracle/kernel.tsv
for file in /sys/class/dmi/id/*; do
	[ -f "$file" ] && cat "$file" >/oracle/dmi/"${file##*/}"
done
for entry in /sys/firmware/memmap/*; do
	echo "$(cat "$entry/start") $(cat "$entry/end") $(cat "$entry/type")" >>/oracle/memmap/e820
done
/scenario/workshop save
echo saved
cat /proc/schedstat >/oracle/proc/schedstat
before-crash
/scenario/workshop start
echo c >/proc/sysrq-trigger
