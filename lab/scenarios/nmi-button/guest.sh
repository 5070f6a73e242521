#!/bin/sh
insmod /scenario/nmi_button.ko
echo 1 >/proc/sys/kernel/unknown_nmi_panic
before-crash
echo 1 >/sys/module/nmi_button/parameters/trigger
