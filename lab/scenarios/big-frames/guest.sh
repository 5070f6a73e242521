#!/bin/sh
insmod /scenario/novel.ko
before-crash
echo 1 >/sys/module/novel/parameters/trigger
