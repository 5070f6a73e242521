"""test_lockup, the kernel's own module that locks it up with locks held, interrupts off, and so on (lib/test_lockup.c), out of Debian's
linux-source package of the very version of the kernel, built as an outside module. What it does is said when it is loaded."""

import shutil

import apt
import cache
from say import run

SOURCE = "lib/test_lockup.c"


def module(kernel):
    """The file test_lockup.ko, built for a kernel."""
    identity = cache.digest([cache.LAB / "resumed" / "lockup_module.py"], kernel.package_version)
    return cache.build(f"lockup/{kernel.series}-{identity}", lambda folder: _build(kernel, folder)) / "test_lockup.ko"


def source(kernel):
    """Its source as Debian has it."""
    return cache.build(f"lockup/source-{kernel.package_version}", lambda folder: _fetch(kernel, folder))


def _fetch(kernel, folder):
    with cache.scratch() as work:
        apt.unpack([(f"linux-source-{kernel.series}", kernel.package_version)], work)
        archive = work / "usr/src" / f"linux-source-{kernel.series}.tar.xz"
        run("tar", "-xf", archive, "-C", work, "--wildcards", f"*/{SOURCE}", timeout=300)
        shutil.copy(work / f"linux-source-{kernel.series}" / SOURCE, folder)


def _build(kernel, folder):
    with cache.scratch() as work:
        copy = work / "lockup"
        copy.mkdir()
        shutil.copy(source(kernel) / "test_lockup.c", copy)
        (copy / "Kbuild").write_text("obj-m := test_lockup.o\n")
        extra = [] if (kernel.headers / "tools/bpf/resolve_btfids/resolve_btfids").exists() else ["RESOLVE_BTFIDS=true"]
        run("make", "-s", "-C", kernel.headers, f"M={copy}", f"KCFLAGS=-ffile-prefix-map={copy}=lib", *extra, "modules", timeout=300)
        shutil.copy(copy / "test_lockup.ko", folder)
