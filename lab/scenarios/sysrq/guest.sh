#!/bin/sh
# The plainest crash there is: root asks for it.
before-crash
echo c >/proc/sysrq-trigger
