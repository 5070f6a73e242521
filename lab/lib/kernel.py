"""Debian's kernels, unpacked in the cache: image, modules, build headers and, on request, debug information.

kernels/PACKAGE-VERSION-FLAVOUR/ is a folder as the packages unpack it, plus
  kernel.json   what is where in it
  vmlinux       the kernel as an ELF file, taken out of the compressed image: no symbols, no DWARF, but with BTF
  debug/        the debug package (vmlinux and the modules' .ko files with DWARF), only after `lab/kernels VERSION --debug`
kernels/6.1, kernels/6.12, kernels/newest ... are links to the one in use. The newest is that of Debian's unstable suite, the backports' that
of its stable one: no modules can be built for them here (their compiler and C library are newer too), so they run scenarios that have none.
"""

import functools
import json
import lzma
import os
import pathlib
import re
import shutil
import struct
import subprocess

import apt
import cache
from say import Failure, progress, run

NEWEST = "newest"
BACKPORTS = "backports"
BACKPORT = "~bpo"
BACKPORT_NEWEST = "~bpo13"  # of trixie-backports, which keeps up with what is new
# Debian builds each release several times. That for clouds is small; "generic" is that of every other machine; in that with PREEMPT_RT
# spinlocks sleep.
FLAVOURS = {"cloud": "cloud-amd64", "generic": "amd64", "rt": "rt-amd64"}
FURTHER = ("6.1-generic", "6.12-generic", "6.1-rt", "6.12-rt")
VERSIONS = ("5.10", "6.1", "6.12", BACKPORTS, NEWEST, *FURTHER)
OPTIONAL = ("5.10", BACKPORTS, *FURTHER)  # may leave the archive


class Kernel:
    """One unpacked kernel."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        facts = json.loads((self.folder / "kernel.json").read_text())
        self.release = facts["release"]
        self.package_version = facts["package_version"]
        self.series = facts["series"]

    @property
    def image(self):
        return self.folder / "boot" / f"vmlinuz-{self.release}"

    @property
    def vmlinux(self):
        return self.folder / "vmlinux"

    @property
    def headers(self):
        return self.folder / "usr/src" / f"linux-headers-{self.release}"

    @property
    def modules(self):
        return self.folder / "lib/modules" / self.release

    @property
    def debug(self):
        """The folder of the debug package, or None when it was not fetched."""
        path = self.folder / "debug"
        return path if path.is_dir() else None

    @property
    def debug_vmlinux(self):
        return self.debug and self.debug / "usr/lib/debug/boot" / f"vmlinux-{self.release}"

    def module_files(self, names):
        """The .ko files (uncompressed contents) of the named modules and of what they depend on, in loading order: [(name, bytes)]."""
        found = {}
        for name in names:
            self._collect(name, found)
        return list(found.items())

    def _collect(self, name, found):
        path = self._module_path(name)
        if name in found or path is None:  # None: built into the kernel
            return
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        match = re.search(rb"\0depends=([^\0]*)\0", data)
        for needed in filter(None, (match.group(1).decode() if match else "").split(",")):
            self._collect(needed.replace("-", "_"), found)
        found[name] = data

    def _module_path(self, name):
        if not hasattr(self, "_paths"):
            self._paths = {path.name.split(".ko")[0].replace("-", "_"): path for path in self.modules.rglob("*.ko*")}
        return self._paths.get(name)


def get(series, refresh=False):
    """The kernel of a series ("6.1"), fetched when it is not in the cache yet."""
    if series not in VERSIONS:
        raise Failure(f"no kernel series {series}; there are: {', '.join(VERSIONS)}")
    link = cache.root() / "kernels" / series
    if refresh or not link.exists():
        version = apt.newest(f"linux-image-{_flavour(series)}", functools.partial(_is_of, series))
        folder = cache.build(f"kernels/{version}-{_flavour(series)}", lambda work: _fetch(series, version, work))
        cache.point(link, folder)
    return Kernel(link)


def _flavour(series):
    return FLAVOURS[series.partition("-")[2] or "cloud"]


def _is_of(series, version):
    # What is backported is newer than unstable's at times, and a series of its own.
    if series == BACKPORTS:
        return BACKPORT_NEWEST in version
    return BACKPORT not in version if series == NEWEST else version.startswith(series.partition("-")[0] + ".")


def get_debug(series):
    """The same, with its debug package unpacked."""
    kernel = get(series)
    name = kernel.folder.relative_to(cache.root()) / "debug"
    cache.build(str(name), lambda work: _fetch_debug(kernel, work))
    return kernel


def _fetch(series, version, folder):
    progress(f"fetching kernel {version}")
    image = _only_dependency(f"linux-image-{_flavour(series)}", version, r"linux-image-\d")
    headers = _only_dependency(f"linux-headers-{_flavour(series)}", version, r"linux-headers-\d")
    apt.unpack([image, *_image_parts(*image), headers, *_header_parts(*headers)], folder)
    release = image[0].removeprefix("linux-image-")
    _link_usual_places(folder, release)
    _write_facts(folder, series, version, release)
    _extract_vmlinux(folder / "boot" / f"vmlinuz-{release}", folder / "vmlinux")
    _relocate_headers(folder, release)


def _only_dependency(package, version, pattern):
    for name, exact in apt.depends(package, version):
        if re.match(pattern, name):
            return name, exact or version
    raise Failure(f"package {package} {version} depends on nothing like {pattern}")


def _image_parts(image, version):
    """The packages that the image is made of since 7.1."""
    return [(name, version) for name, _ in apt.depends(image, version) if re.match(r"linux-(binary|modules)-", name)]


def _link_usual_places(folder, release):
    """Since 7.1 all is in usr/lib/modules."""
    modules = folder / "usr/lib/modules" / release
    if not modules.exists():
        return
    for place, target in ((folder / "boot" / f"vmlinuz-{release}", modules / "vmlinuz"), (folder / "lib/modules" / release, modules)):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(target, place.parent))


def _header_parts(headers, version):
    """The packages that the headers need besides themselves. Their versions are the kernel's own."""
    names = [name for name, _ in apt.depends(headers, version)]
    return [(name, version) for name in names if re.match(r"linux-(headers-.*-common|kbuild-)", name)]


def _write_facts(folder, series, version, release):
    facts = {"series": series, "package_version": version, "release": release}
    (folder / "kernel.json").write_text(json.dumps(facts, indent=1) + "\n")


def _relocate_headers(folder, release):
    """The headers' Makefile includes the common one by its installed path: point it into the unpacked tree. The BTF of modules is
    made against a file vmlinux beside the headers (Debian's 6.12 brings one that holds nothing but BTF)."""
    headers = folder / "usr/src" / f"linux-headers-{release}"
    makefile = headers / "Makefile"
    here = "$(dir $(realpath $(lastword $(MAKEFILE_LIST))))"
    text = makefile.read_text().replace(f"KBUILD_OUTPUT=/usr/src/linux-headers-{release}", f"KBUILD_OUTPUT:={here}")
    makefile.write_text(text.replace("include /usr/src/", f"include {here}../"))
    if not (headers / "vmlinux").exists():
        (headers / "vmlinux").symlink_to("../../../vmlinux")


def _extract_vmlinux(image, output):
    """Decompress the ELF file in a bzImage. Its place is in the boot header (Documentation/arch/x86/boot.rst: setup_sects at 0x1f1,
    payload_offset and payload_length at 0x248)."""
    data = image.read_bytes()
    setup_sectors = data[0x1F1] or 4
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = data[start:start + length]
    # The kernel's build appends the uncompressed size, 4 bytes, to the payload, except where the format has it itself.
    for magic, command in ((b"\x28\xb5\x2f\xfd", ["zstd", "-dc"]), (b"\x02\x21\x4c\x18", ["lz4", "-dc"]),
                           (b"\xfd7zXZ\0", ["xz", "-dc"]), (b"\x1f\x8b", ["gzip", "-dc"])):
        if payload.startswith(magic):
            break
    else:
        raise Failure(f"{image.name}: unknown compression of the kernel image ({payload[:6].hex()})")
    # The trailing size makes the tools complain at the end of a good stream, so success is judged by the result.
    elf = subprocess.run(command, input=payload, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120).stdout
    if elf[:4] != b"\x7fELF":
        raise Failure(f"{image.name}: no ELF file came out of it")
    output.write_bytes(elf)


def _fetch_debug(kernel, folder):
    progress(f"fetching debug information of {kernel.package_version} (about 300 MB)")
    apt.unpack([(f"linux-image-{kernel.release}-dbg", kernel.package_version)], folder)


def describe(kernel):
    """What the user wants to know of a fetched kernel, as text lines."""
    lines = [f"release   {kernel.release}", f"image     {kernel.image}", f"headers   {kernel.headers}", f"vmlinux   {kernel.vmlinux}"]
    lines.append(f"debug     {kernel.debug_vmlinux or 'not fetched (--debug fetches it)'}")
    return lines
