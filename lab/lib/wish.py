"""What is wanted: a scenario on a kernel, captured in some way. From the wish follow the result's name and the inputs that its hash covers."""

import dataclasses
import json
import shutil
import time

import cache
import capture
import dumptool
import guest
import kernel as kernels
from say import Failure, progress, run

SCENARIOS = cache.LAB / "scenarios"
ATTEMPTS = 3


@dataclasses.dataclass(frozen=True)
class Wish:
    name: str
    series: str
    capture: str
    paging: int
    makedumpfile: str
    vmcoreinfo: bool
    truncate: int  # percent of the dump that is kept; 100 is all
    cpus: int
    memory: int  # MB

    @property
    def scenario(self):
        return SCENARIOS / self.name

    @property
    def append(self):
        """What the scenario adds to the kernel's command line."""
        path = self.scenario / "append"
        return path.read_text().strip() if path.exists() else ""

    @property
    def title(self):
        """The readable part of the result's name: only what is not as usual is spelled out after the first four words."""
        words = [self.name, self.series, self.capture, f"{self.paging}level"]
        usual = {"makedumpfile": dumptool.fitting(self.series), "cpus": 2, "memory": capture.usual_memory(self.capture)}
        words += [f"{field}{getattr(self, field)}" for field, value in usual.items() if getattr(self, field) != value]
        words += [] if self.vmcoreinfo else ["novmcoreinfo"]
        words += [] if self.truncate == 100 else [f"cut{self.truncate}"]
        return "-".join(words)


def scenarios():
    return sorted(path.name for path in SCENARIOS.iterdir() if (path / "guest.sh").exists())


def _tools():
    """The versions of the host's packages that take part."""
    names = (cache.LAB / "deps").read_text().split()
    try:
        return run("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names).stdout
    except Failure as failure:
        raise Failure(f"packages are missing; lab/deps lists what the lab needs\n{failure}") from None


def make(wish, force=False):
    """Return the result folder of a wish, crashing a machine if there is none yet."""
    if wish.name not in scenarios():
        raise Failure(f"no scenario {wish.name}; there are: {', '.join(scenarios())}")
    kernel = kernels.get(wish.series)
    inputs = [cache.LAB / folder for folder in ("lib", "guest", "include")] + [wish.scenario]
    identity = cache.digest(inputs, dataclasses.astuple(wish), kernel.package_version, _tools())
    folder = cache.build(f"dumps/{wish.title}-{identity}", lambda result: _fill(wish, kernel, identity, result), force)
    cache.point(cache.root() / "latest" / wish.title, folder)
    return folder


def prune():
    """Remove the dumps that nobody would get any more: those whose inputs have changed since."""
    current = {link.resolve() for link in (cache.root() / "latest").iterdir()}
    for folder in (cache.root() / "dumps").iterdir():
        if folder not in current:
            progress(f"removing {folder.name}")
            shutil.rmtree(folder)


def _fill(wish, kernel, identity, result):
    if wish.truncate < 100:
        files = _truncate(wish, result)
    else:
        files = _crash(wish, kernel, identity, result)
    progress(f"{wish.title}: done ({', '.join(files)})")


def _crash(wish, kernel, identity, result):
    started = time.monotonic()
    tool = dumptool.get(wish.makedumpfile)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            files = _attempt(wish, kernel, tool, result)
            break
        except Failure as failure:  # emulated machines sometimes die of the emulation, and makedumpfile of a memory that it does not like
            if attempt == ATTEMPTS:
                raise
            progress(f"{wish.title}: {failure}\nlab: trying again")
            _clear(result)
    shutil.copy(wish.scenario / "truth.json", result)
    _write_meta(wish, kernel, tool, identity, result, files, attempt, time.monotonic() - started)
    return files


def _attempt(wish, kernel, tool, result):
    with cache.scratch() as work:
        parts = work / "parts"
        parts.mkdir()
        guest.scenario_parts(kernel, wish.scenario, parts)
        progress(f"{wish.title}: crashing")
        files = capture.run_kind(capture.Job(wish, kernel, tool, parts, work, result))
        for name in files:
            (result / name).chmod(0o644)  # the tools that write memory make it theirs alone
        (result / "modules").mkdir()
        for module in parts.glob("*.ko"):
            shutil.copy(module, result / "modules")
    return files


def _clear(folder):
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write_meta(wish, kernel, tool, identity, result, files, attempts, seconds):
    def relative(path):
        return str(path.relative_to(cache.root())) if path and path.exists() else None

    meta = {
        **dataclasses.asdict(wish),
        "kernel_release": kernel.release,
        "kernel_package": kernel.package_version,
        "makedumpfile_version": dumptool.version_text(tool) if wish.capture.startswith("kdump") else None,
        "files": files,
        "modules": sorted(path.name for path in (result / "modules").iterdir()),
        "vmlinux": relative(kernel.vmlinux),
        "debug_vmlinux": relative(kernel.debug_vmlinux),
        "hash": identity,
        "attempts": attempts,
        "seconds": round(seconds, 1),
    }
    (result / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def _truncate(wish, result):
    """The start of each file of the complete dump, as a full disk or a power cut leave it."""
    complete = make(dataclasses.replace(wish, truncate=100))
    shutil.copytree(complete, result, dirs_exist_ok=True)
    meta = json.loads((result / "meta.json").read_text())
    for name in meta["files"]:
        with open(result / name, "r+b") as file:
            size = file.seek(0, 2)
            file.truncate(size * wish.truncate // 100)
    meta["truncate"] = wish.truncate
    (result / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    return meta["files"]
