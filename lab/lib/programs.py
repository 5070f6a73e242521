"""What runs in the guest: kernel modules and programs that are built here, and programs of the host with the libraries they need."""

import os
import re
import shutil

import cache
from say import Failure, run

INCLUDE = cache.LAB / "include"


def build_modules(kernel, source, folder):
    """Build a kernel module of each C file in a folder (or what its own Kbuild says); the .ko files end up in the other folder.

    BTF is added as for any module built on a Debian machine with pahole. The 6.1 headers lack resolve_btfids, which only modules with BTF
    id lists (kfuncs) need: "true" stands in for it. Names of source files are made relative to the project, so that BUG() and line
    tables say the same on every machine."""
    with cache.scratch() as temporary:
        work = temporary / "module"
        shutil.copytree(source, work)
        if not (work / "Kbuild").exists():
            (work / "Kbuild").write_text("".join(f"obj-m += {file.stem}.o\n" for file in sorted(work.glob("*.c"))))
        flags = f"-std=gnu11 -ffile-prefix-map={work}={source.relative_to(cache.PROJECT)} -I{INCLUDE}"  # gnu89 before 5.18
        extra = [] if (kernel.headers / "tools/bpf/resolve_btfids/resolve_btfids").exists() else ["RESOLVE_BTFIDS=true"]
        extra += [] if shutil.which(_compiler(kernel)) else ["CC=gcc"]
        run("make", "-s", "-C", kernel.headers, f"M={work}", f"KCFLAGS={flags}", *extra, "modules", timeout=300)
        for module in work.glob("*.ko"):
            shutil.copy(module, folder)


def _compiler(kernel):
    """The one that the kernel was made with, as its headers say: an older one than the host's will do as well."""
    match = re.search(r"^CC = .*\b(gcc-\d+)$", (kernel.headers / ".kernelvariables").read_text(), re.MULTILINE)
    return match.group(1) if match else "gcc"


def build_program(source, output):
    """Compile one C file into a static program."""
    run("gcc", "-O1", "-g", "-Wall", "-static", "-pthread", "-o", output, source)


def add_host_program(archive, name, guest_path):
    """Put a program of the host into the initramfs, with its libraries and loader at the same places as on the host."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Failure(f"{name} is not installed (lab/deps lists the packages the lab needs)")
    archive.add_file(guest_path, path)
    for library in re.findall(r"(?:=> |^\s+)(/\S+) \(", run("ldd", path).stdout, re.MULTILINE):
        archive.add_file(library.lstrip("/"), library)


def add_busybox(archive):
    path = shutil.which("busybox")
    if not path or "statically" not in run("file", "-L", path).stdout:
        raise Failure("a static busybox is needed (package busybox-static)")
    archive.add_file("bin/busybox", path)
    for applet in run(path, "--list").stdout.split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
