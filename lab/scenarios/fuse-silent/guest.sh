#!/bin/sh
# A file system in user space falls silent: its program still runs, and answers nothing that is asked. Who reads, who looks a name up, and who waits
# for the folder that one has locked are stuck.
mkdir /tmp/records
/scenario/fuse-server /tmp/records silent || exit 1
sleep 1
before-crash
dd if=/tmp/records/ledger of=/dev/null bs=4096 count=1 2>/dev/null &
sleep 0.5
cat /tmp/records/new &
sleep 0.5
touch /tmp/records/other &
sleep 4.5
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sleep 60
