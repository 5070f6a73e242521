"""Saved machines in the cache, and what is done with them: resume one, let it run a script, and take its dump."""

import contextlib
import dataclasses
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import cache  # noqa: E402
import guest  # noqa: E402
import kernel as kernels  # noqa: E402
import machine  # noqa: E402
import programs  # noqa: E402
from capture import PANIC_IS_OVER  # noqa: E402
from cpio import Archive  # noqa: E402
from say import Failure, run  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MODULES = ("qemu_fw_cfg", "virtio_pci", "virtio_blk", "ext4")
READY = "lab: ready"
BOOT_SECONDS = 120
ATTEMPTS = 3
QUIET_SECONDS = 0.3


@dataclasses.dataclass(frozen=True)
class State:
    """A machine that was booted and saved: its kernel and the folder with memory and devices."""
    kernel: kernels.Kernel
    folder: pathlib.Path
    append: str


def get(series, modules=(), append=""):
    """The saved machine with a kernel, modules ([(name, path)]) loaded and words added to the kernel's command line."""
    kernel = kernels.get(series)
    version = run("qemu-system-x86_64", "--version").stdout
    inputs = [cache.LAB / "lib", HERE / "init", HERE / "machine.py", HERE / "state.py"]
    contents = [pathlib.Path(path).read_bytes() for path in modules]
    identity = cache.digest(inputs, kernel.package_version, append, contents, version)
    folder = cache.build(f"resumed/{series}-{identity}", lambda new: _boot(kernel, modules, append, new))
    return State(kernel, folder, append)


def _write_initrd(kernel, modules, path):
    archive = Archive()
    for mount_point in ("proc", "sys", "dev", "tmp", "lab/own"):
        archive.folder(mount_point)
    programs.add_busybox(archive)
    order = []
    for name, data in kernel.module_files(MODULES):
        archive.add(f"lab/modules/{name}.ko", data)
        order.append(name)
    archive.add("lab/modules/order", "".join(f"{name}\n" for name in order).encode())
    for module in modules:
        archive.add_file(f"lab/own/{pathlib.Path(module).name}", module)
    archive.add_program("init", HERE / "init")
    archive.write(path)


def _boot(kernel, modules, append, folder):
    _write_initrd(kernel, modules, folder / "initrd.cpio")
    for attempt in range(ATTEMPTS):
        with cache.scratch() as work:
            try:
                with machine.Machine(work, kernel, folder / "initrd.cpio", folder / "memory", append) as booting:
                    booting.wait_until(lambda: READY in booting.user_text(), BOOT_SECONDS, "get ready")
                    time.sleep(QUIET_SECONDS)
                    booting.save(folder / "devices")
                (folder / "console.log").write_text(booting.console_text())
                return
            except Failure:
                if attempt + 1 == ATTEMPTS:
                    raise


@contextlib.contextmanager
def resumed(state, work):
    with machine.Machine(work, state.kernel, state.folder / "initrd.cpio", state.folder / "memory", state.append, resume=True) as machine_:
        machine_.resume(state.folder / "devices")
        yield machine_


@dataclasses.dataclass(frozen=True)
class Run:
    """What became of a script: the console, what programs said, and whether the kernel died."""
    console: str
    said: str
    died: bool


def crash(state, script, work, dump, alive=False, timeout=60):
    """Resume, run the script, and write the dump when the machine has panicked; if it shall be taken alive, when the script has ended.
    Returns the Run; a machine that did not do as it was to leaves no dump."""
    with resumed(state, work) as running:
        running.do(script)
        running.wait_until(lambda: PANIC_IS_OVER in running.console_text() or machine.ENDED in running.user_text(), timeout,
                           "panic, nor did the script end")
        if PANIC_IS_OVER not in running.console_text():
            time.sleep(QUIET_SECONDS)  # what the script left behind may be just about to panic
        running.qmp("stop")
        console, said = running.console_text(), running.user_text()
        died = PANIC_IS_OVER in console
        if died != alive:
            running.qmp("dump-guest-memory", paging=False, protocol=f"file:{dump}", format="elf")
            dump.chmod(0o644)
    return Run(console.replace("\r\n", "\n"), said.replace("\r\n", "\n"), died)


def _crash_patiently(state, script, dump, alive):
    for attempt in range(ATTEMPTS):
        with cache.scratch() as work:
            try:
                return crash(state, script, work, dump, alive)
            except Failure:
                if attempt + 1 == ATTEMPTS:
                    raise
    return None


def kept(state, name, script, alive=False):
    """The same, kept in the cache: the folder with vmcore (if there is one), console.log and said.log."""
    def fill(folder):
        told = _crash_patiently(state, script, folder / "vmcore", alive)
        (folder / "console.log").write_text(told.console)
        (folder / "said.log").write_text(told.said)
        # A dump is mostly zeros: give their blocks back. A file system that cannot costs only space.
        subprocess.run(["fallocate", "--dig-holes", folder / "vmcore"], check=False, stderr=subprocess.DEVNULL)

    identity = cache.digest([HERE / "state.py"], state.folder.name, script, alive)
    return cache.build(f"resumed/dumps/{name.replace('/', '-')}-{identity}", fill)
