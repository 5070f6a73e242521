#!/bin/sh
# All of it is user space's doing: no module, so that it runs on the newest kernel, too.
/scenario/counters &
sleep 3
before-crash
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
