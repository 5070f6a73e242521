#!/bin/sh
echo 1 >/proc/sys/vm/panic_on_oom
before-crash
/scenario/eater
