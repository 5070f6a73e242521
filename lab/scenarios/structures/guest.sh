#!/bin/sh
insmod /scenario/structures.ko
before-crash
echo 1 >/sys/module/structures/parameters/trigger
