#!/bin/sh
# Never runs: the kernel finds no root file system to run it from.
