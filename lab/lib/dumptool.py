"""makedumpfile in the versions that the kernels need, for the host and for the guest.

"old" is 1.7.2, Debian 12's own: right for 6.1, and on 6.12 it drops slab pages, as on many real machines. "new" is sid's, unpacked in the
cache with its libraries and loader, since it needs a newer libc than the host's.
"""

import apt
import cache
from programs import add_host_program
from say import Failure, progress, run

VERSIONS = ("old", "new")
FITTING = {"5.10": "old", "6.1": "old"}
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
PACKAGE = "makedumpfile"


def fitting(series):
    """The version that a kernel's dumps need, whatever its flavour."""
    return FITTING.get(series.partition("-")[0], "new")


class OldTool:
    """The host's makedumpfile."""

    @property
    def command(self):
        return ["makedumpfile"]

    def add_to(self, archive):
        add_host_program(archive, "makedumpfile", "bin/makedumpfile")


class NewTool:
    """The one unpacked in the cache."""

    def __init__(self, folder):
        self._folder = folder

    @property
    def command(self):
        root = self._folder
        return [f"{root}/usr/{LOADER}", "--library-path", f"{root}/{LIBRARIES}", f"{root}/usr/bin/makedumpfile"]

    def add_to(self, archive):
        """Its libraries get a folder of their own in the guest; the host's are there too."""
        for library in _needed(self.command):
            archive.add_file(f"new/{library.rsplit('/', 1)[1]}", library)
        archive.add_file("new/ld.so", f"{self._folder}/usr/{LOADER}", 0o755)
        archive.add_file("new/makedumpfile", f"{self._folder}/usr/bin/makedumpfile")
        archive.add_program("bin/makedumpfile", '#!/bin/sh\nexec /new/ld.so --library-path /new /new/makedumpfile "$@"\n')


def _needed(command):
    """The library files that the loader would map, as it says itself."""
    loader, *arguments = command
    lines = run(loader, "--list", *arguments).stdout.splitlines()
    return [line.split("=> ")[1].split(" (")[0] for line in lines if "=> /" in line]


def get(version):
    if version == "old":
        return OldTool()
    if version == "new":
        return NewTool(cache.build("makedumpfile-new", _fetch))
    raise Failure(f"no makedumpfile called {version}; there are: {', '.join(VERSIONS)}")


def version_text(tool):
    """"1.7.2", as the program says it."""
    text = run(*tool.command, "-v").stdout
    return text.split("version ")[1].split()[0]


def _fetch(folder):
    progress("fetching the newest makedumpfile and its libraries")
    apt.unpack(apt.closure(PACKAGE, lambda name: name.startswith("lib") or name == "zlib1g"), folder)
