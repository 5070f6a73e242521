#!/bin/sh
# A machine in which every subsystem that can be looked at holds something: files, mounts, mappings, sockets, System V IPC, BPF, swap, locks.
# What the kernel says of each is kept; then root crashes the machine.
ip link set lo up
ip addr add 10.11.12.13/24 dev lo
/scenario/holder neighbour lo 10.11.12.14
echo 2 >/proc/sys/vm/nr_hugepages

# The oracles are written over the start of the disk; behind them there is room for a file system and for swap.
/scenario/holder partition /dev/vda 1 128 24
/scenario/holder partition /dev/vda 2 160 16
[ -e /dev/vda2 ] || sleep 1
mke2fs /dev/vda1 >/dev/null 2>&1
mkswap /dev/vda2 >/dev/null
/scenario/holder swap /dev/vda2 7
mkdir -p /tmp/disk /tmp/volatile /tmp/bound /tmp/hidden /tmp/bpf
# Without ext4lazyinit, a thread that ends when it likes.
mount -t ext4 -o noinit_itable,no_prefetch_block_bitmaps /dev/vda1 /tmp/disk 2>/dev/null ||
	mount -t ext4 -o noinit_itable /dev/vda1 /tmp/disk # before 5.11
mount -t tmpfs -o size=4m,mode=700,nosuid volatile /tmp/volatile
mkdir /tmp/disk/folder /tmp/disk/deep /tmp/disk/deep/er
dd if=/dev/zero of=/tmp/disk/folder/data bs=4096 count=20 2>/dev/null
mount -o bind,ro /tmp/disk/folder /tmp/bound
mount -t bpf bpf /tmp/bpf
sync

/scenario/holder hold >/tmp/holders || exit 1

mkdir -p /oracle/holders /oracle/irq /oracle/pci /oracle/sysvipc
while read -r name pid; do
	echo "$name is process $pid"
	folder=/oracle/holders/$name
	mkdir "$folder"
	echo "$pid" >"$folder/pid"
	for file in maps smaps mountinfo mounts; do
		cat "/proc/$pid/$file" >"$folder/$file"
	done
	for file in tcp tcp6 udp udp6 unix packet netlink raw dev if_inet6 arp; do
		cat "/proc/$pid/net/$file" >"$folder/net-$file" 2>/dev/null
	done
	nsenter -t "$pid" -m cat /proc/self/mountinfo >"$folder/mounts-of-namespace"
	for link in cwd root exe; do
		echo "$link $(readlink "/proc/$pid/$link")"
	done >"$folder/links"
	for fd in /proc/$pid/fd/*; do
		echo "${fd##*/} $(readlink "$fd")"
	done >"$folder/fds"
	for fd in /proc/$pid/fdinfo/*; do
		echo "fd: ${fd##*/}"
		cat "$fd"
	done >"$folder/fdinfo"
	/scenario/holder report "$pid" >"$folder/pages"
done </tmp/holders
for irq in /proc/irq/[0-9]*; do
	mkdir "/oracle/irq/${irq##*/}"
	cat "$irq/smp_affinity" >"/oracle/irq/${irq##*/}/smp_affinity"
	ls "$irq" >"/oracle/irq/${irq##*/}/names"
done
for device in /sys/bus/pci/devices/*; do
	echo "${device##*/} $(cat "$device/vendor" "$device/device" "$device/class" "$device/revision" | tr '\n' ' ') $(basename "$(readlink "$device/driver")")"
done >/oracle/pci/devices
cat /proc/sysvipc/shm >/oracle/sysvipc/shm
cat /proc/sysvipc/sem >/oracle/sysvipc/sem
cat /proc/sysvipc/msg >/oracle/sysvipc/msg
ip addr >/oracle/ip-addr
cat /proc/self/mountinfo >/oracle/mountinfo
stat -c '%n %d %i' /tmp/disk/folder/data /tmp/volatile /tmp/disk >/oracle/inodes
cat /sys/block/vda/inflight >/oracle/inflight
before-crash
echo c >/proc/sysrq-trigger
