#!/bin/sh
insmod /scenario/ticker.ko
before-crash
echo 1 >/sys/module/ticker/parameters/trigger
rmmod ticker
sleep 30
