"""The ways to take a dump: each crashes a machine and leaves dump files, the console and the oracles in a folder.

Two families. "kdump" is what servers do: the kernel jumps into a crash kernel, which saves the memory. "qemu" is what hosts of virtual
machines do: the hypervisor stops the guest after its panic and writes its memory.
"""

import json
import os
import tarfile

import dumptool
import elf
import flattened
import guest
import qemu
import rewrite
from say import Failure, progress, run

TIMEOUT = 180
CRASH_KERNEL_MEMORY = 192  # MB
FILTER = ("-l", "-d", "31")
# What kdump-all makes of one memory: by makedumpfile's version and form. Both versions where they may differ, else the one that can.
FORMS = {
    "old": {
        "lzo": FILTER,
        "zlib": ("-c", "-d", "31"),
        "plain": ("-d", "31"),
        "elf": ("-E", "-d", "31"),
        "flat": ("-F", "-l", "-d", "31"),
        "flat-elf": ("-F", "-E", "-d", "31"),
        "split": ("--split", "-l", "-d", "31", "--splitblock-size", "4096"),
    },
    "new": {
        "lzo": FILTER,
        "zstd": ("-z", "-d", "31"),
        "lzo-full": ("-l", "-d", "0"),
    },
}
PANIC_IS_OVER = "---[ end Kernel panic"
SCENARIO_FAILED = "lab: the scenario's guest.sh ended"
CAPTURE_SUCCEEDED = "lab: capture ended with status 0"
# QEMU also knows kdump-lzo and kdump-snappy, but Debian builds it without both libraries.
QEMU_FORMATS = {"elf": "elf", "zlib": "kdump-zlib"}
# Without cx16: QEMU 7.2 leaves rubbish in the flags after cmpxchg16b, and an interrupt right there then makes the slab allocator die of a debug
# exception or the like: half of the boots of 6.12.
CPU_MODELS = {4: "max,cx16=off,la57=off", 5: "max,cx16=off"}
APPEND = "console=ttyS0 8250.nr_uarts=2 loglevel=8 ignore_loglevel oops=panic panic=0 kptr_restrict=0"


class Job:
    """One crash: what is wanted (see wish.py), with what, and where the result goes."""

    def __init__(self, wish, kernel, tool, parts, work, result):
        self.wish, self.kernel, self.tool = wish, kernel, tool
        self.parts, self.work, self.result = parts, work, result

    @property
    def truth(self):
        return json.loads((self.wish.scenario / "truth.json").read_text())

    @property
    def oracle_disk(self):
        return self.work / "oracle.raw"

    @property
    def dump_disk(self):
        return self.work / "dump.raw"


def _sparse(path, size):
    with open(path, "wb") as disk:
        disk.truncate(size)


def _machine(job, initrd, append="", disks=(), devices=()):
    _sparse(job.oracle_disk, 256 << 20)
    return qemu.Machine(
        job.work, image=job.kernel.image, initrd=initrd, append=f"{APPEND} {append} {job.wish.append}", memory=job.wish.memory,
        cpus=job.wish.cpus, cpu_model=CPU_MODELS[job.wish.paging], disks=[job.oracle_disk, *disks], devices=devices)


def _check_scenario(machine):
    if SCENARIO_FAILED in machine.user_text():
        raise machine.failure("the scenario did not crash the machine")


def _check_death(job, log):
    """The machine must have died of what the scenario is about."""
    if job.truth["panic"] not in log:
        raise Failure(f"the kernel's log does not say '{job.truth['panic']}': the machine died of something else. Its end:\n"
                      + "\n".join(log.splitlines()[-40:]))


def _finish(job):
    """Put what the machine said, and the oracles, beside the dump."""
    for name in ("console.log", "guest.log"):
        text = (job.work / name).read_bytes()
        (job.result / name).write_bytes(text.replace(b"\r\n", b"\n"))
    try:
        with tarfile.open(job.oracle_disk) as archive:
            archive.extractall(job.result / "oracle")
    except tarfile.TarError as error:
        raise Failure(f"the guest left no readable oracle ({error}): does guest.sh call before-crash?") from None


def _crash_with_kdump(job, filter_options):
    """Crash, and let the crash kernel save the memory to the dump disk."""
    inner, initrd = job.work / "capture.cpio", job.work / "initrd.cpio"
    guest.write_capture(job.kernel, job.tool, filter_options, inner)
    guest.write(job.kernel, job.wish.scenario, job.parts, initrd, capture=inner)
    _sparse(job.dump_disk, (job.wish.memory + 64) << 20)
    with _machine(job, initrd, f"crashkernel={CRASH_KERNEL_MEMORY}M", disks=[job.dump_disk]) as machine:
        machine.wait_end(TIMEOUT)
        _check_scenario(machine)
        if CAPTURE_SUCCEEDED not in machine.user_text():
            raise machine.failure("the crash kernel did not save the memory")
    _finish(job)


def _cut(path, length, destination):
    """The first bytes of a disk, as a file. The disk is a temporary one: it is cut and moved rather than copied."""
    os.truncate(path, length)
    path.rename(destination)


def _write_log(job, dump):
    """vmcore-dmesg.txt: the log that makedumpfile finds in the dump, as kdump-tools keeps it. The console may lack its end: what is printed
    in a double fault or an NMI has not reached it yet when the crash kernel starts."""
    log = job.result / "vmcore-dmesg.txt"
    run(*dumptool.get(dumptool.fitting(job.wish.series)).command, "--dump-dmesg", dump, log)
    _check_death(job, log.read_text(errors="replace"))


def kdump(job):
    """makedumpfile -l -d 31, as Debian's kdump-tools does it; also as the flattened file that came over."""
    _crash_with_kdump(job, FILTER)
    _cut(job.dump_disk, flattened.length(job.dump_disk), job.result / "vmcore.flat")
    with open(job.result / "vmcore.flat", "rb") as flat:
        run(*job.tool.command, "-R", job.result / "vmcore", stdin=flat)
    _write_log(job, job.result / "vmcore")
    return ["vmcore", "vmcore.flat"]


def kdump_elf(job):
    """A plain copy of /proc/vmcore: an ELF file with all memory."""
    _crash_with_kdump(job, ())
    _cut(job.dump_disk, elf.core_length(job.dump_disk), job.result / "vmcore")
    _write_log(job, job.result / "vmcore")
    return ["vmcore"]


def kdump_all(job):
    """A plain copy of /proc/vmcore (elf-full), and the same memory in every form there is, named after what wrote it."""
    kdump_elf(job)
    full = job.result / "elf-full.vmcore"
    (job.result / "vmcore").rename(full)
    for version, forms in FORMS.items():
        tool = dumptool.get(version)
        for name, options in forms.items():
            _convert(tool, options, full, job.result / f"{version}-{name}.vmcore")
    _write_incomplete(dumptool.get("old"), full, job.result / "old-incomplete.vmcore")
    rewrite.snappy(job.result / "old-plain.vmcore", job.result / "rewritten-snappy.vmcore")
    return sorted(path.name for path in job.result.glob("*.vmcore"))


def _convert(tool, options, source, target):
    progress(f"makedumpfile writes {target.name}")
    if "-F" in options:
        with open(target, "wb") as out:
            run(*tool.command, *options, source, stdout=out, text=False)
    elif "--split" in options:
        run(*tool.command, *options, source, *(target.with_name(f"{target.stem}-{part}.vmcore") for part in (1, 2, 3)))
    else:
        run(*tool.command, *options, source, target)


def _write_incomplete(tool, source, target):
    """A dump that makedumpfile itself marked as incomplete, since its disk (a file system in memory, seen by nobody else) was full."""
    disk = target.with_name("full-disk")
    disk.mkdir()
    script = 'mount -t tmpfs -o size=8m none "$1" && { "${@:4}" "$2" "$1/dump" || cp "$1/dump" "$3"; }'
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-m"]
    try:
        run(*namespace, "bash", "-c", script, "bash", disk, source, target, *tool.command, *FILTER)
    except Failure as failure:  # a container may forbid it
        progress(f"no {target.name}: {failure}")
    disk.rmdir()


def _crash_with_qemu(job, formats):
    """Crash, stop the machine when the panic is over, and write its memory in the formats {file name: qemu's word}."""
    initrd = job.work / "initrd.cpio"
    guest.write(job.kernel, job.wish.scenario, job.parts, initrd, vmcoreinfo=job.wish.vmcoreinfo)
    devices = ["vmcoreinfo"] if job.wish.vmcoreinfo else []
    with _machine(job, initrd, devices=devices) as machine:
        machine.wait_console(PANIC_IS_OVER, TIMEOUT, unless=SCENARIO_FAILED)
        machine.qmp("stop")
        _check_scenario(machine)
        _check_death(job, machine.console_text())
        for name, word in formats.items():
            machine.qmp("dump-guest-memory", paging=False, protocol=f"file:{job.result / name}", format=word)
    _finish(job)
    return list(formats)


def _qemu_one(form):
    return lambda job: _crash_with_qemu(job, {"vmcore": QEMU_FORMATS[form]})


def qemu_all(job):
    """All of QEMU's formats, of one and the same stopped machine."""
    return _crash_with_qemu(job, {f"{form}.vmcore": word for form, word in QEMU_FORMATS.items()})


# The ways by name, and the memory of the machine in MB. What is copied as a whole comes from a small one.
KINDS = {
    "kdump": (kdump, 512),
    "kdump-elf": (kdump_elf, 400),
    "kdump-all": (kdump_all, 400),
    "qemu-elf": (_qemu_one("elf"), 256),
    "qemu-kdump": (_qemu_one("zlib"), 256),
    "qemu-all": (qemu_all, 256),
}


def run_kind(job):
    """Take the dump that the job's wish asks for; returns the names of the files it made."""
    take, _ = KINDS[job.wish.capture]
    return take(job)


def usual_memory(kind):
    _, memory = KINDS[kind]
    return memory
