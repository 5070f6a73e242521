#!/bin/sh
insmod /scenario/places.ko
before-crash
/scenario/resident
