#!/bin/sh
insmod /scenario/slab_busy.ko
before-crash
echo 1 >/sys/module/slab_busy/parameters/trigger
