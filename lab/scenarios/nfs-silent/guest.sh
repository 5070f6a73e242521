#!/bin/sh
# A server of files falls silent. Who reads a page, who waits until what was written is there, and who looks a name up waits for it.
ip link set lo up
mkdir /tmp/records
/scenario/silent serve
/scenario/silent mount /tmp/records || exit 1
before-crash
dd if=/tmp/records/ledger of=/dev/null bs=4096 count=1 skip=40 2>/dev/null &
echo "an entry" >/tmp/entry
dd if=/tmp/entry of=/tmp/records/ledger conv=notrunc,fsync 2>/dev/null &
cat /tmp/records/new &
sleep 4
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sync
sleep 60
