#!/bin/sh
# The return addresses of traced functions are off the stack while they run: those of the crash path, and of a task that sleeps.
# The kernel's own trace on the console shows the kretprobes' trampoline instead.
mount -t tracefs tracefs /sys/kernel/tracing
cd /sys/kernel/tracing
echo 'r:probed_write vfs_write' >kprobe_events
echo 'r:probed_read vfs_read' >>kprobe_events
echo 1 >events/kprobes/enable
echo ksys_write >set_ftrace_filter
echo ksys_read >>set_ftrace_filter
echo function_graph >current_tracer
(sleep 1000 | cat >/dev/null) &
sleep 1
before-crash
echo c >/proc/sysrq-trigger
