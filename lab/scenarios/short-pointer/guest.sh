#!/bin/sh
insmod /scenario/parcel.ko
before-crash
echo 1 >/sys/module/parcel/parameters/trigger
