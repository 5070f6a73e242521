#!/bin/sh
insmod /scenario/bug_workqueue.ko
before-crash
echo 1 >/sys/module/bug_workqueue/parameters/trigger
