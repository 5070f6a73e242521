#!/bin/sh
insmod /scenario/bug_spinning.ko
before-crash
echo 1 >/sys/module/bug_spinning/parameters/trigger
