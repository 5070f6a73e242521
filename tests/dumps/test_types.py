# SPDX-License-Identifier: LGPL-2.1-or-later
"""Struct layouts as inquest reads them from BTF equal those that pahole reads from the same BTF:
every named struct and union of the lab's kernels, and of some modules (split BTF).

INQUEST_BUILD is the build folder (tests/type_layouts is in it), INQUEST_LAB the lab's (default:
lab in the build folder)."""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", "build"))
LAB = pathlib.Path(os.environ.get("INQUEST_LAB", BUILD / "lab"))

HEAD = re.compile(r"^(struct|union) (\w+) \{$")
# One tab: members of the struct itself. "type name[3];  /* 8 4 */", "u8 x:3;  /* 4: 0  1 */".
MEMBER = re.compile(r"^\t(?:\S.*?[ *]|\} ?)\(?\**(?:const )?(\w+)(?:\[[^;]*\])*"
                    r"(?:\)?\([^;]*\))?(?:\[[^;]*\])*(?::(\d+))?(?: __attribute__\(.*\))?;\s*"
                    r"/\*\s*(\d+)(?::\s*(\d+))?\s+(\d+)\s*\*/")
SIZE = re.compile(r"^\t/\* size: (\d+),")


def section(path, wanted):
    """The bytes of a section of an ELF64 file."""
    data = path.read_bytes()
    shoff, = struct.unpack_from("<Q", data, 0x28)
    size, count, strings = struct.unpack_from("<HHH", data, 0x3a)
    heads = [struct.unpack_from("<IIQQQQ", data, shoff + i * size) for i in range(count)]
    names = data[heads[strings][4]:][:heads[strings][5]]
    for head in heads:
        if names[head[0]:names.index(b"\0", head[0])].decode() == wanted:
            return data[head[4]:head[4] + head[5]]
    return None


def pahole_layouts(command):
    """{"struct x": (size, {member: (bit offset, bits, size)})}, first of a name counts."""
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found, name, members = {}, None, {}
    for line in text.splitlines():
        if head := HEAD.match(line):
            name, members = f"{head[1]} {head[2]}", {}
        elif name and (member := MEMBER.match(line)):
            what, bits, offset, bit, size = member.groups()
            if what != "__attribute__":  # of an anonymous struct
                members[what] = (int(offset) * 8 + int(bit or 0), int(bits or 0), int(size))
        elif name and (size := SIZE.match(line)):
            found.setdefault(name, (int(size[1]), members))
        elif line.startswith("}"):
            name = None
    return found


def our_layouts(names, *blobs):
    text = subprocess.run([BUILD / "tests" / "type_layouts", *blobs], check=True,
                          input="".join(f"{n}\n" for n in names), capture_output=True,
                          text=True).stdout
    found = {}
    for line in text.splitlines():
        words = line.split()
        if words[0] in ("struct", "union"):
            members = {}
            found[f"{words[0]} {words[1]}"] = (words[2] != "missing" and int(words[2]), members)
        else:
            members[words[0]] = tuple(map(int, words[1:4]))
    return found


@unittest.skipUnless(shutil.which("pahole"), "pahole is not installed")
class Layouts(unittest.TestCase):
    def compare(self, expected, blobs, at_least):
        self.assertGreater(len(expected), at_least)
        ours = our_layouts(expected, *blobs)
        differences, members_seen = [], 0
        for name, (size, members) in expected.items():
            our_size, our_members = ours.get(name, (None, {}))
            if our_size != size:
                differences.append(f"{name}: size {our_size}, pahole {size}")
            for member, place in members.items():
                members_seen += 1
                if our_members.get(member) != place:
                    differences.append(f"{name}.{member}: {our_members.get(member)}, "
                                       f"pahole {place}")
        self.assertEqual(differences[:20], [])
        self.assertGreater(members_seen, 2 * at_least)
        return members_seen

    def kernels(self):
        found = sorted(p for p in LAB.glob("kernels/*") if p.is_symlink())
        if not found:
            self.skipTest(f"no kernels in {LAB}")
        return found

    def test_kernel(self):
        for kernel in self.kernels():
            with self.subTest(kernel=kernel.name), tempfile.TemporaryDirectory() as folder:
                blob = pathlib.Path(folder) / "vmlinux.btf"
                blob.write_bytes(section(kernel / "vmlinux", ".BTF"))
                expected = pahole_layouts(["pahole", "-F", "btf", blob])
                self.compare(expected, [blob], 2000)

    def test_modules(self):
        for kernel in self.kernels():
            with tempfile.TemporaryDirectory() as folder:
                base = pathlib.Path(folder) / "vmlinux.btf"
                base.write_bytes(section(kernel / "vmlinux", ".BTF"))
                for name in ("xfs", "btrfs", "nfs", "virtio_net", "nvme"):
                    self.module(kernel, base, name)

    def module(self, kernel, base, name):
        folder = base.parent
        files = sorted(kernel.glob(f"lib/modules/**/{name}.ko*"))
        if not files:
            return
        file = folder / f"{name}.ko"
        if files[0].suffix == ".xz":
            file.write_bytes(subprocess.run(["xz", "-dc", files[0]], check=True,
                                            capture_output=True).stdout)
        else:
            shutil.copyfile(files[0], file)
        btf = section(file, ".BTF")
        if not btf:
            return
        blob = folder / f"{name}.btf"
        blob.write_bytes(btf)
        with self.subTest(kernel=kernel.name, module=name):
            expected = pahole_layouts(["pahole", "-F", "btf", "--btf_base", base, blob])
            kernels_own = our_layouts(expected, base)
            # A module's name that the kernel has too means the kernel's, which we compared.
            expected = {n: e for n, e in expected.items() if kernels_own[n][0] is False}
            self.compare(expected, [base, blob], 3)


if __name__ == "__main__":
    unittest.main()
