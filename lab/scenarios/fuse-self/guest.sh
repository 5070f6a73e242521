#!/bin/sh
# A file system in user space needs itself for what it is asked: it waits for its own answer, and all others with it.
mkdir /tmp/records
/scenario/fuse-server /tmp/records self || exit 1
sleep 1
before-crash
dd if=/tmp/records/ledger of=/dev/null bs=4096 count=1 2>/dev/null &
sleep 0.5
touch /tmp/records/other &
sleep 4.5
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
