#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A folder of src/ includes only headers of itself and of folders before it in meson.build's list
of stations. Prints each include that breaks the rule; the exit status is 1 when there is one.

--self-test shows that a violation is caught."""

import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def stations(meson_build):
    """The names in `stations = [...]`, in order."""
    listed = re.search(r"^stations = \[(.*?)\]", meson_build.read_text(), re.S | re.M)
    return re.findall(r"'([^']+)'", listed[1])


def violations(root):
    """One line for each include that points to the right, or to no station at all."""
    order = stations(root / "meson.build")
    found = []
    for path in sorted((root / "src").rglob("*.[ch]")):
        station = path.relative_to(root / "src").parts[0]
        where = path.relative_to(root)
        if station not in order:
            found.append(f"{where}: its folder is not a station in meson.build")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            target = include[1].split("/")[0]
            if "/" not in include[1] or target not in order:
                found.append(f'{where}:{number}: "{include[1]}" does not name a station\'s header')
            elif order.index(target) > order.index(station):
                found.append(f"{where}:{number}: {station}/ includes {include[1]}, "
                             f"which is to its right")
    return found


def self_test():
    """A tree with one sound and two unsound includes: exactly the unsound ones are reported."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for station in "left", "right":
            (root / "src" / station).mkdir(parents=True)
        (root / "meson.build").write_text("stations = ['left',\n  'right']\n")
        (root / "src/left/a.c").write_text('#include "left/a.h"\n#include "right/b.h"\n')
        (root / "src/right/b.c").write_text('#include <stdio.h>\n#include "left/a.h"\n#include "c.h"\n')
        found = violations(root)
    return len(found) == 2 and "right/b.h" in found[0] and '"c.h"' in found[1]


def main():
    if "--self-test" in sys.argv:
        return 0 if self_test() else 1
    found = violations(ROOT)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
