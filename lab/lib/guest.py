"""The guest's first file system: what every scenario has in common, and the scenario itself."""

import pathlib

import cache
import programs
from cpio import Archive

GUEST = cache.LAB / "guest"
BLOCK_MODULES = ("virtio_pci", "virtio_blk")
VMCOREINFO_MODULES = ("qemu_fw_cfg",)


def _words(path):
    return tuple(path.read_text().split()) if path.exists() else ()


def _shared(name):
    """A program that several scenarios use."""
    return GUEST / f"{name}.c"


def scenario_parts(kernel, scenario, folder):
    """Build the scenario's modules and programs and the collector into a folder. Returns the modules' names."""
    programs.build_program(GUEST / "before-crash.c", folder / "before-crash")
    if (scenario / "module").is_dir():
        programs.build_modules(kernel, scenario / "module", folder)
    for source in sorted(scenario.glob("*.c")) + [_shared(name) for name in _words(scenario / "programs") if _shared(name).exists()]:
        programs.build_program(source, folder / source.stem)
    return sorted(path.stem for path in folder.glob("*.ko"))


def _base(kernel, module_names):
    archive = Archive()
    for mount_point in ("proc", "sys", "dev", "tmp"):
        archive.folder(mount_point)
    programs.add_busybox(archive)
    order = []
    for name, data in kernel.module_files(module_names):
        archive.add(f"lab/modules/{name}.ko", data)
        order.append(name)
    archive.add("lab/modules/order", "".join(f"{name}\n" for name in order).encode())
    return archive


def write_capture(kernel, tool, filter_options, path):
    """The initramfs of the crash kernel: it saves the memory with makedumpfile and its options, or as it is if there are none."""
    archive = _base(kernel, BLOCK_MODULES)
    archive.add_program("init", GUEST / "capture-init")
    tool.add_to(archive)
    archive.add("lab/capture-options", f"FILTER='{' '.join(filter_options)}'\n".encode())
    archive.write(path)


def write(kernel, scenario, parts, path, capture=None, vmcoreinfo=False):
    """The initramfs of the machine that crashes; capture is the initramfs of its crash kernel, if it shall have one."""
    archive = _base(kernel, BLOCK_MODULES + (VMCOREINFO_MODULES if vmcoreinfo else ()) + _words(scenario / "modules"))
    for name in _words(scenario / "programs"):
        if not _shared(name).exists():
            programs.add_host_program(archive, name, f"scenario/{name}")
    archive.add_program("init", GUEST / "init")
    archive.add_program("scenario/guest.sh", scenario / "guest.sh")
    for part in sorted(pathlib.Path(parts).iterdir()):
        place = "bin" if part.name == "before-crash" else "scenario"
        archive.add_file(f"{place}/{part.name}", part)
    if capture:
        programs.add_host_program(archive, "kexec", "bin/kexec")
        archive.add_file("lab/kdump/vmlinuz", kernel.image)
        archive.add_file("lab/kdump/initrd", capture)
    archive.write(path)
