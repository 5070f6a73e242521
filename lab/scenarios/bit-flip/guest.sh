#!/bin/sh
insmod /scenario/shelf.ko
before-crash
echo 1 >/sys/module/shelf/parameters/trigger
