"""The cache: where the lab keeps what it made, and how a thing is made exactly once.

A cached thing is a folder. It is built under a temporary name beside its final place and renamed when complete, so that a reader
never sees half of it, and two runs that build the same thing at the same time cannot disturb each other: a lock lets the second one
wait, and then find the work done.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import tempfile

LAB = pathlib.Path(__file__).resolve().parent.parent
PROJECT = LAB.parent


def root():
    """The cache folder; INQUEST_LAB_CACHE moves it out of the build folder (to keep it between clean builds, for example)."""
    path = pathlib.Path(os.environ.get("INQUEST_LAB_CACHE") or PROJECT / "build" / "lab").resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def lock(name):
    """Hold the cache-wide lock called name."""
    locks = root() / ".locks"
    locks.mkdir(exist_ok=True)
    with open(locks / name.replace("/", "_"), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def scratch():
    """A temporary folder on the cache's file system, so that what is in it can be renamed into place; gone afterwards."""
    base = root() / ".tmp"
    base.mkdir(exist_ok=True)
    _sweep(base)
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _sweep(base):
    """Remove what processes that were killed left behind: the folders' names start with the process's number."""
    for path in base.iterdir():
        if not os.path.exists(f"/proc/{path.name.partition('-')[0]}"):
            shutil.rmtree(path, ignore_errors=True)


def build(name, make, force=False):
    """Return the folder root()/name, calling make(temporary folder) to fill it if it is not there yet."""
    final = root() / name
    if final.exists() and not force:
        return final
    with lock(name):
        if final.exists() and not force:
            return final
        with scratch() as temporary:
            work = temporary / "new"
            work.mkdir()
            make(work)
            final.parent.mkdir(parents=True, exist_ok=True)
            if final.exists():
                final.rename(temporary / "old")
            work.rename(final)
    return final


def point(link, target):
    """Make the symbolic link point at target, atomically, relative so that the cache can be moved."""
    if link.resolve() == target.resolve():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    with scratch() as temporary:
        fresh = temporary / "link"
        fresh.symlink_to(os.path.relpath(target, link.parent))
        fresh.replace(link)


def digest(paths, *words):
    """A short hash of the files under the given paths (names and contents) and of the words."""
    state = hashlib.sha256(repr(words).encode())
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            if "__pycache__" in file.parts:
                continue
            state.update(str(file.relative_to(LAB)).encode() + b"\0")
            state.update(hashlib.sha256(file.read_bytes()).digest())
    return state.hexdigest()[:12]
