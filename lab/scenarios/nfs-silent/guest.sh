#!/bin/sh
# A server of files falls silent. Who reads a page, who waits until what was written is there, and who looks a name up waits for it.
ip link set lo up
mkdir /tmp/records
/scenario/silent serve
/scenario/silent mount /tmp/records || exit 1
before-crash
dd if=/tmp/records/ledger of=/dev/null bs=4096 count=1 skip=40 2>/dev/null &
echo "an entry" >/tmp/entry
# Another file: who waits for the reader of the same one can be killed since 6.12, and is not told as hung.
dd if=/tmp/entry of=/tmp/records/others conv=notrunc,fsync 2>/dev/null &
cat /tmp/records/new &
# Not at a full second, when the calls are sent anew.
sleep 4.5
echo 1 >/proc/sys/kernel/hung_task_panic
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
sync
sleep 60
