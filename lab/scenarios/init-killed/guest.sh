#!/bin/sh
before-crash
/scenario/jump
