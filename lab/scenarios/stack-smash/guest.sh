#!/bin/sh
insmod /scenario/stack_smash.ko
before-crash
echo 1 >/sys/module/stack_smash/parameters/trigger
