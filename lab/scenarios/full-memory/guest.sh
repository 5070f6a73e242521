#!/bin/sh
# The filler keeps what it has written; it must be done before the machine dies.
/scenario/filler &
while [ ! -e /tmp/full ]; do sleep 1; done
before-crash
echo c >/proc/sysrq-trigger
