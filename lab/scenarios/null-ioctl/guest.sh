#!/bin/sh
insmod /scenario/null_ioctl.ko
before-crash
/scenario/caller
