#!/bin/sh
mkdir /tmp/spool
mount -t tmpfs -o size=100% spool /tmp/spool
echo 1 >/proc/sys/vm/panic_on_oom
before-crash
dd if=/dev/zero of=/tmp/spool/journal.log bs=1M
