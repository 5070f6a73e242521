#!/bin/sh
# Swap on a partition behind the oracles' archive: one entry of an MS-DOS partition table, sector 409600, 32768 sectors of 512 bytes.
{
	dd if=/dev/zero bs=446 count=1 2>/dev/null
	printf '\000\000\000\000\202\000\000\000\000\100\006\000\000\200\000\000'
	dd if=/dev/zero bs=48 count=1 2>/dev/null
	printf '\125\252'
} >/dev/vda
blockdev --rereadpt /dev/vda
for try in 1 2 3 4 5; do
	test -b /dev/vda1 && break
	sleep 0.2
done
mkswap /dev/vda1
swapon /dev/vda1
# Off by itself in a machine with as little memory as this.
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled
echo 4 >/proc/sys/vm/nr_hugepages
insmod /scenario/patterns.ko
mkdir -p /oracle/parameters
for file in /sys/module/patterns/parameters/*; do
	cat "$file" >"/oracle/parameters/${file##*/}"
done
/scenario/patterns
before-crash
echo c >/proc/sysrq-trigger
