#!/bin/sh
# Real-time threads may take all of a CPU's time; newer kernels keep a part for others, which is turned off as well.
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
for keep in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
	[ -f "$keep" ] && echo 0 >"$keep"
done
echo 0 >/proc/sys/kernel/watchdog
echo 2 >/sys/devices/virtual/workqueue/cpumask
/scenario/queue &
sleep 1
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 1 >/proc/sys/kernel/hung_task_check_interval_secs
echo 12 >/proc/sys/kernel/hung_task_timeout_secs
touch /tmp/go
sleep 60
