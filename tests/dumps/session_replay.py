# SPDX-License-Identifier: LGPL-2.1-or-later
"""The golden session: replays tests/sessions/commands.txt on a dump and masks what differs from boot to boot. Addresses
of the kernel's image become what they were linked at, so that they are compared; all else that is masked has a name
in MASKS."""

import os
import pathlib
import re
import subprocess
import tempfile

import lab

FOLDER = lab.ROOT / "tests" / "sessions"
IMAGE_START, IMAGE_END = 0xffffffff80000000, 0xffffffffc0000000
NUMBERS_START = 0xfffffffffff00000 # small negative numbers: error codes

# name, what it matches, what takes its place. The address masks keep the width, and so the columns.
MASKS = (
    ("address", re.compile(r"\b(0x)?ffff[0-9a-f]{12}\b"), None),
    ("number of a task", re.compile(r"\b(PID: )\d+( *)"), r"\1PID "),
    ("its CPU", re.compile(r"\b(CPU: )\d+\b"), r"\1CPU"),
)


def image_shift(dump):
    for line in lab.query(dump, "help -n")["vmcoreinfo"]:
        if line.startswith("KERNELOFFSET="):
            return int(line.split("=")[1], 16)
    raise AssertionError("the dump does not say where its kernel is")


def masked(text, shift):
    def address(match):
        value = int(match[0], 16)
        if IMAGE_START + shift <= value < IMAGE_END:
            return f"{match[1] or ''}{value - shift:016x}"
        if value >= NUMBERS_START:
            return match[0]
        return f"{match[1] or ''}ADDRESS_ADDRESS_"
    for _, pattern, replacement in MASKS:
        text = pattern.sub(replacement or address, text)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def golden_path(dump, debug):
    return FOLDER / f"{dump.meta['series']}{'-debug' if debug else ''}.txt"


def release_line(dump):
    """The first line of a golden text: for which kernel it is."""
    return f"# {dump.meta['kernel_release']}\n"


def replay(dump, vmlinux=None):
    """What the session prints, masked; errors among the output, where they belong."""
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb", "HOME": "/nonexistent"}
    with tempfile.TemporaryDirectory() as folder:
        # Names of files are part of the output.
        links = {"vmcore": dump.vmcore, "commands.txt": FOLDER / "commands.txt", "more.txt": FOLDER / "more.txt"}
        if vmlinux:
            links["vmlinux"] = vmlinux
        for name, target in links.items():
            os.symlink(pathlib.Path(target).resolve(), pathlib.Path(folder, name))
        run = subprocess.run([lab.INQUEST, "--no-init", "--kernel=vmlinux" if vmlinux else "--no-debuginfo",
                              "-f", "commands.txt", "vmcore"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
                             env=env, timeout=300, check=False)
    return masked(run.stdout.decode(errors="surrogateescape"), image_shift(dump)), run.returncode
