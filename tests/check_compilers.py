#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C sources compile without a warning: `check_compilers.py gcc|clang BUILD`.

Takes each file's own flags from BUILD/compile_commands.json. Exit status 77: that compiler is not
installed."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys


def check(compiler, entry):
    words = shlex.split(entry["command"])
    if pathlib.Path(words[0]).name == "ccache":
        words = words[1:]
    flags = [w for w in words[1:words.index("-o")] if not w.startswith(("-MD", "-MQ", "-MF"))]
    flags = [w for w in flags if not w.endswith((".o", ".o.d"))]
    # gcc finds some of its warnings only while it optimises; clang does not.
    mode = ["-fsyntax-only", "-Wno-unknown-warning-option"] if compiler == "clang" else ["-c", "-o", os.devnull]
    run = subprocess.run([compiler, *flags, "-Werror", *mode, entry["file"]],
                         capture_output=True, text=True, cwd=entry["directory"])
    return run.stderr if run.returncode else ""


def main():
    compiler, build = sys.argv[1], pathlib.Path(sys.argv[2])
    if not shutil.which(compiler):
        print(f"{compiler} is not installed")
        return 77
    entries = [e for e in json.loads((build / "compile_commands.json").read_text()) if e["file"].endswith(".c")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(lambda entry: check(compiler, entry), entries) if text]
    print("".join(found)[:4000], end="")
    return 1 if found or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
