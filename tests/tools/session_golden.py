#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the golden texts of the session (tests/sessions/) anew:

    INQUEST_BUILD=build INQUEST_LAB=build/lab tests/tools/session_golden.py [--check]

from the newest sysrq kdump of each kernel that the lab has, without debug information and, where the debug package
is there, with it. --check: only says which would change. Look at the difference before you commit it."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "dumps"))
import debug_package # noqa: E402
import lab # noqa: E402
import session_replay # noqa: E402


def main():
    changed = False
    for series in "6.1", "6.12":
        dumps = lab.dumps(name="sysrq", capture="kdump", truncate=100, paging=4, series=series)
        if not dumps:
            print(f"{series}: the lab has no sysrq kdump")
            continue
        for debug in False, True:
            vmlinux = None
            if debug:
                try:
                    vmlinux = debug_package.vmlinux(series)
                except unittest.SkipTest as reason:
                    print(f"{series}: {reason}")
                    continue
            text, _ = session_replay.replay(dumps[-1], vmlinux)
            text = session_replay.release_line(dumps[-1]) + text
            path = session_replay.golden_path(dumps[-1], debug)
            same = path.exists() and path.read_text() == text
            changed |= not same
            print(f"{os.path.relpath(path)}: {'unchanged' if same else 'changed'}")
            if not same and "--check" not in sys.argv:
                path.write_text(text)
    return 1 if changed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
