"""An initramfs, written without root's help: device-less "newc" archives (Documentation/driver-api/early-userspace/buffer-format.rst)."""

import os
import pathlib
import stat


class Archive:
    """Collects files in memory and writes them as one archive. Parent folders come by themselves."""

    def __init__(self):
        self._members = {}

    def add(self, name, data, mode=0o644):
        self._put(name, stat.S_IFREG | mode, data)

    def add_file(self, name, path, mode=None):
        path = pathlib.Path(path)
        self.add(name, path.read_bytes(), path.stat().st_mode & 0o777 if mode is None else mode)

    def add_program(self, name, text_or_path):
        """A file that can be executed: its text, or the path of it on the host."""
        data = text_or_path.encode() if isinstance(text_or_path, str) else text_or_path.read_bytes()
        self.add(name, data, 0o755)

    def link(self, name, target):
        self._put(name, stat.S_IFLNK | 0o777, target.encode())

    def folder(self, name):
        self._put(name, stat.S_IFDIR | 0o755, b"")

    def _put(self, name, mode, data):
        parent = os.path.dirname(name)
        if parent and parent not in self._members:
            self.folder(parent)
        self._members[name] = (mode, data)

    def write(self, path):
        with open(path, "wb") as out:
            for inode, (name, (mode, data)) in enumerate(self._members.items(), start=1):
                _write_member(out, inode, name, mode, data)
            _write_member(out, 0, "TRAILER!!!", 0, b"")


def _write_member(out, inode, name, mode, data):
    encoded = name.encode() + b"\0"
    #         inode  mode  uid gid links mtime  size      devmajor, devminor, rdevmajor, rdevminor, name size, check
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08x" % field for field in fields))
    out.write(encoded)
    out.write(b"\0" * (-(110 + len(encoded)) % 4))
    out.write(data)
    out.write(b"\0" * (-len(data) % 4))
