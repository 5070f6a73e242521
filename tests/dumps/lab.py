# SPDX-License-Identifier: LGPL-2.1-or-later
"""For tests on the lab's dumps: which dumps there are, and how to run inquest on one.

From the environment (tests/run sets it): INQUEST_BUILD, the build folder; INQUEST_LAB, the lab's
cache; INQUEST_LAB_DUMPS, a JSON file {"words for lab/run": "folder"}."""

import dataclasses
import json
import os
import pathlib
import pty
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", ROOT / "build")).resolve()
LAB = pathlib.Path(os.environ.get("INQUEST_LAB", ROOT / "build" / "lab")).resolve()
INQUEST = BUILD / "inquest"
SECONDS_MAX = 300
EXTRA_SERIES = ("5.10", "backports", "6.1-generic", "6.12-generic", "6.1-rt", "6.12-rt")  # lab/lib/kernel.py, OPTIONAL


def is_holed(meta):
    """Did Debian 12's makedumpfile write it? That drops pages of newer kernels at random."""
    return meta["makedumpfile"] == "old" and meta["series"].partition("-")[0] not in ("5.10", "6.1")


@dataclasses.dataclass(frozen=True)
class Dump:
    """A folder of the lab: the dump, what made it (meta.json), the truth and the oracles."""
    words: str
    folder: pathlib.Path
    meta: dict

    @property
    def vmcore(self):
        return self.folder / "vmcore"

    @property
    def oracle(self):
        return self.folder / "oracle"

    @property
    def truth(self):
        return json.loads((self.folder / "truth.json").read_text())

    @property
    def holed(self):
        return is_holed(self.meta)

    def __str__(self):
        return self.words


def dumps(**wanted):
    """The dumps whose meta.json has these values, e.g. dumps(name="sysrq", capture="kdump"), by name,
    whole ones before the same cut off.
    Those of a scenario that takes no oracles are for who asks for them by name."""
    listed = os.environ.get("INQUEST_LAB_DUMPS")
    if listed:
        folders = json.loads(pathlib.Path(listed).read_text())
    else:
        folders = {}
        for path in sorted((LAB / "dumps").glob("*/meta.json"), key=lambda p: p.stat().st_mtime):
            folders[path.parent.name.rsplit("-", 1)[0]] = path.parent
    found = []
    for words, folder in folders.items():
        meta = pathlib.Path(folder) / "meta.json"
        if not meta.exists() or not (meta.parent / "vmcore").exists():
            continue
        values = json.loads(meta.read_text())
        if "name" not in wanted and not (meta.parent / "oracle" / "ps.tsv").exists():
            continue
        if all(values.get(key) == value for key, value in wanted.items()):
            found.append(Dump(words, meta.parent, values))
    # Without the hash at the end of its name, which would order them by luck. Kernels that the archives may lack come last.
    return sorted(found, key=lambda dump: (dump.meta["series"] in EXTRA_SERIES, dump.folder.name.rpartition("-")[0]))


def inquest(*words, **options):
    """Runs the program; the result has .stdout, .stderr (text) and .returncode."""
    options.setdefault("timeout", SECONDS_MAX)
    return subprocess.run([INQUEST, *map(str, words)], capture_output=True, text=True,
                          errors="surrogateescape", stdin=options.pop("stdin", subprocess.DEVNULL),
                          **options)


def query(dump, command, *words):
    """The JSON object that a command gives for a dump."""
    run = inquest("--json", "-c", command, *words, dump.vmcore)
    if run.returncode not in (0, 1):
        raise AssertionError(f"{command}: exit status {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def need_terminal():
    """Skips the test where the system has no pseudo-terminals to give (a bare chroot)."""
    try:
        for fd in pty.openpty():
            os.close(fd)
    except OSError as error:
        raise unittest.SkipTest(f"no pseudo-terminals here: {error}") from error
