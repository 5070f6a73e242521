#!/bin/sh
# A crowd of about 300 user and kernel threads in all states; then root crashes the machine.
insmod /scenario/crowd_kernel.ko
/scenario/crowd
before-crash
echo c >/proc/sysrq-trigger
