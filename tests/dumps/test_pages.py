# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pages, vmalloc areas and user mappings against what /proc said just before the crash."""

import re
import unittest

import json_schema
import lab

PAGE = 4096


def each_kernel(**wanted):
    """A dump of each kernel with these values in its meta.json, the first of each."""
    found = {}
    for dump in lab.dumps(**{"truncate": 100, **wanted}):
        found.setdefault(dump.meta["series"], dump)
    return list(found.values())


def maps_lines(text):
    """(start, end, permissions, offset, name) of /proc/PID/maps. The vsyscall page is no mapping."""
    for line in text.splitlines():
        m = re.fullmatch(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+ *(.*)", line)
        if m and m[5] != "[vsyscall]":
            yield int(m[1], 16), int(m[2], 16), m[3], int(m[4], 16), m[5].rstrip()


def lived_through(dump):
    """{pid: its /proc/PID/maps} of processes that the oracle saw and that are still there."""
    found = {}
    for task in lab.query(dump, "ps -u")["tasks"]:
        folder = dump.oracle / "tasks" / str(task["pid"])
        if not (folder / "maps").exists() or task["state"] in "ZX":
            continue
        name = re.search(r"^Name:\t(.*)$", (folder / "status").read_text(), re.M)[1]
        lines = list(maps_lines((folder / "maps").read_text()))
        if name == task["comm"] and lines:
            found[task["pid"]] = lines
    return found


def busy_pids(dump):
    """Who reads the oracles, and the shells that wait for it and then crash the machine: they may
    still ask for memory."""
    rows = [line.split("\t") for line in (dump.oracle / "ps.tsv").read_text().splitlines()[1:]]
    parent = {int(row[0]): int(row[2]) for row in rows}
    busy = set()
    for row in rows:
        pid = int(row[0]) if row[-1] == "1" else 0
        while pid > 1 and pid not in busy:
            busy.add(pid)
            pid = parent.get(pid, 0)
    return busy


class Mappings(unittest.TestCase):
    def test_vm_is_proc_pid_maps(self):
        """Of every process that lived through: each line, in order, with permissions, offset and path."""
        compared = 0
        for dump in lab.dumps(truncate=100):
            wanted, busy = lived_through(dump), busy_pids(dump)
            pids = [str(pid) for pid in wanted][:40]
            if dump.meta["makedumpfile"] == "old" and dump.meta["capture"] != "qemu-elf" or not pids:
                continue
            value = lab.query(dump, "vm " + " ".join(pids))
            self.assertEqual(json_schema.faults("vm", value)[:3], [])
            for space in value["address_spaces"]:
                with self.subTest(dump=str(dump), pid=space["pid"], comm=space["comm"]):
                    rows = [(int(r["start"], 16), int(r["end"], 16), r["permissions"], int(r["offset"], 16),
                             r["name"]) for r in space["mappings"]]
                    expected = wanted[space["pid"]]
                    if space["pid"] in busy:
                        rows, expected = ([r for r in part if r[4].startswith("/")] for part in (rows, expected))
                    self.assertEqual(rows, expected)
                    compared += len(rows)
        print(f"mappings compared: {compared}")
        self.assertGreater(compared, 0)


if __name__ == "__main__":
    unittest.main()
