# SPDX-License-Identifier: LGPL-2.1-or-later
"""textcheck and the detector of changed code, with the debug package of the lab's kernels: whole
kernels in which nothing was changed, and copies of dumps in which a test has changed something."""

import json
import pathlib
import shutil
import struct
import tempfile
import unittest

import debug_package
import lab

SERIES = debug_package.SERIES


def query(vmcore, vmlinux, command):
    run = lab.inquest("--json", "-k", vmlinux, "-c", command, vmcore)
    if run.returncode not in (0, 1):
        raise AssertionError(f"{command}: {run.stderr}")
    return json.loads(run.stdout)


def file_offset(path, physical):
    """Where an ELF dump has the byte at a physical address."""
    with open(path, "rb") as file:
        header = file.read(64)
        table, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        for i in range(count):
            file.seek(table + i * size)
            kind, _, offset, _, start, length, _, _ = struct.unpack("<IIQQQQQQ", file.read(56))
            if kind == 1 and start <= physical < start + length:
                return offset + physical - start
    raise AssertionError(f"{physical:x} is not in the dump")


class Textcheck(unittest.TestCase):
    def setUp(self):
        self.vmlinux = debug_package.vmlinux(SERIES)
        self.dumps = [d for d in lab.dumps(series=SERIES, truncate=100) if d.meta["paging"] == 4]
        if not self.dumps:
            self.skipTest(f"the lab has no dump of {SERIES}")

    def test_a_kernel_that_nobody_changed(self):
        """All code: what the kernel patches by itself is known, so nothing is left."""
        for capture in ("qemu-elf", "kdump"):
            for dump in [d for d in self.dumps if d.meta["capture"] == capture][:2]:
                with self.subTest(dump=str(dump)):
                    value = query(dump.vmcore, self.vmlinux, "textcheck")
                    self.assertEqual(value["differences"], [])
                    self.assertGreater(value["compared"]["functions"], 30000)

    def test_no_finding_where_nothing_was_changed(self):
        for dump in self.dumps[:4]:
            with self.subTest(dump=str(dump)):
                kinds = {f["kind"] for f in query(dump.vmcore, self.vmlinux, "report")["findings"]}
                self.assertFalse({k for k in kinds if k.startswith("text-")})

    def damaged(self, changes, check):
        """@changes: byte of a function on the crashed task's stack -> bits to turn over."""
        for dump in (d for d in self.dumps if d.meta["capture"] == "qemu-elf"):
            frames = query(dump.vmcore, self.vmlinux, "report")["stack"]["frames"]
            name = next((f["symbol"] for f in frames if f["symbol"] in ("vfs_write", "kernfs_fop_write_iter")), None)
            if name:
                break
        else:
            self.skipTest(f"the lab has no qemu-elf dump of {SERIES} that died in a write")
        place = query(dump.vmcore, self.vmlinux, "vtop " + name)["translations"][0]
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "vmcore"
            shutil.copyfile(dump.vmcore, copy)
            with open(copy, "r+b") as file:
                for byte, bits in changes.items():
                    at = file_offset(copy, int(place["physical"], 16) + byte)
                    file.seek(at)
                    value = file.read(1)[0] ^ bits
                    file.seek(at)
                    file.write(bytes([value]))
            check(name, copy)

    def test_one_bit(self):
        def check(name, copy):
            found = query(copy, self.vmlinux, "textcheck " + name)["differences"]
            self.assertEqual([d["bits"] for d in found], [1])
            verdict = query(copy, self.vmlinux, "report")["verdict"]
            self.assertEqual(verdict["kind"], "text-bit-flip")
            self.assertIn("one bit (3 of", verdict["what"])
            self.assertNotEqual(verdict["confidence"], "certain")

        # Behind the prologue no instruction of these is patched by the kernel.
        self.damaged({0x1d: 1 << 3}, check)

    def test_more_than_a_bit_is_no_hardware(self):
        def check(name, copy):
            found = query(copy, self.vmlinux, "textcheck " + name)["differences"]
            self.assertGreater(sum(d["bits"] for d in found), 1)
            report = query(copy, self.vmlinux, "report")
            self.assertNotIn(report["verdict"]["kind"], ("text-bit-flip", "text-modified"))
            finding = next(f for f in report["findings"] if f["kind"] == "text-modified")
            self.assertEqual(finding["confidence"], "possible")

        self.damaged({0x1d: 0xff, 0x1e: 0x3c, 0x1f: 0x11}, check)

    def test_without_the_file_nothing_is_claimed(self):
        run = lab.inquest("--no-debuginfo", "-c", "textcheck vfs_write", self.dumps[0].vmcore)
        self.assertIn("nothing can be compared", run.stdout + run.stderr)
        self.assertEqual(run.returncode, 1)


if __name__ == "__main__":
    unittest.main()
