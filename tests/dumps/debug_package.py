# SPDX-License-Identifier: LGPL-2.1-or-later
"""The debug package of a lab kernel (lab/kernels SERIES --debug), for tests that compare with it."""

import functools
import os
import pathlib
import subprocess
import unittest

import lab

# The kernel whose debug package a test is to take; tests/run asks for each in turn.
SERIES = os.environ.get("INQUEST_SERIES", "6.1")


@functools.lru_cache
def folder(series):
    """The unpacked package; skips the test when it cannot be had."""
    run = subprocess.run([lab.ROOT / "lab" / "kernels", series, "--debug"], capture_output=True, text=True, check=False,
                         env=None, timeout=1800)
    for line in run.stdout.splitlines():
        if line.startswith("debug "):
            path = pathlib.Path(line.split(maxsplit=1)[1])
            # Of the folder, or of the vmlinux in it.
            return next((p for p in [path, *path.parents] if (p / "usr" / "lib" / "debug").is_dir()), None)
    cached = lab.LAB / "kernels" / series / "debug"
    if (cached / "usr" / "lib" / "debug").is_dir():
        return cached
    raise unittest.SkipTest(f"no debug package of {series}: {(run.stderr or run.stdout).strip()[-200:]}")


def vmlinux(series):
    found = sorted((folder(series) / "usr" / "lib" / "debug" / "boot").glob("vmlinux-*"))
    if not found:
        raise unittest.SkipTest(f"the debug package of {series} has no vmlinux")
    return found[0]
