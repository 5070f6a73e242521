"""Packages of other Debian suites, fetched and unpacked without touching the host's apt.

apt runs with lists, sources and archives of its own in the cache. Where packages come from is taken from the host's sources: whatever
mirror serves the host's release serves the others, under the same address. Nothing is ever installed.
"""

import functools
import re
import subprocess
import time

import cache
from say import Failure, Missing, progress, run

ARCHIVE_SUITES = ("bookworm", "bookworm-backports", "sid")
HOST_RELEASES = ("bookworm", "oldstable", "stable")
SECURITY_SUITE = "bookworm-security"
# What will leave the archive one day, and is not needed: further kernels.
EXTRA_ARCHIVE_SUITES = ("bullseye", "trixie-backports")
EXTRA_SECURITY_SUITE = "bullseye-security"
LISTS_LIFETIME = 24 * 3600


def _options():
    folder = cache.root() / "apt"
    return [
        "-qq",
        "-o", f"Dir::State::lists={folder}/lists",
        "-o", f"Dir::Cache={folder}",
        "-o", f"Dir::Etc::sourcelist={folder}/sources.list",
        "-o", "Dir::Etc::sourceparts=-",
        "-o", "Dir::Etc::preferencesparts=-",
        "-o", "APT::Sandbox::User=root",
        "-o", "APT::Architecture=amd64",
        "-o", "Acquire::Languages=none",
        "-o", "Acquire::Retries=3",
    ]


def _host_repositories():
    """The addresses that the host gets Debian from: (archive, security archive or None)."""
    targets = run("apt-get", "indextargets", "--format", "$(IDENTIFIER) $(COMPONENT) $(RELEASE) $(REPO_URI)").stdout
    archive = security = None
    for line in targets.splitlines():
        kind, component, release, address = line.split()
        if (kind, component) != ("Packages", "main"):
            continue
        if release.endswith(("-security", "/updates")):
            security = security or address
        elif release in HOST_RELEASES:
            archive = archive or address
    if not archive:
        raise Failure("no Debian archive in the host's apt sources (apt-get indextargets shows none)")
    return archive, security


def _write_sources(folder, extra):
    archive, security = _host_repositories()
    options = "[arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    suites = ARCHIVE_SUITES + (EXTRA_ARCHIVE_SUITES if extra else ())
    lines = [f"deb {options} {archive} {suite} main\n" for suite in suites]
    if security:
        suites = (SECURITY_SUITE, EXTRA_SECURITY_SUITE) if extra else (SECURITY_SUITE,)
        lines += [f"deb {options} {security} {suite} main\n" for suite in suites]
    (folder / "sources.list").write_text("".join(lines))


@functools.lru_cache(maxsize=None)
def _update():
    """Bring the private package lists up to date, at most once a day."""
    folder = cache.root() / "apt"
    stamp = folder / "updated"
    with cache.lock("apt"):
        if stamp.exists() and time.time() - stamp.stat().st_mtime < LISTS_LIFETIME:
            return
        for part in ("lists/partial", "archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        try:
            _write_sources(folder, extra=True)
            run("apt-get", *_options(), "update", timeout=300)
        except Failure as failure:
            progress(f"without {', '.join((*EXTRA_ARCHIVE_SUITES, EXTRA_SECURITY_SUITE))}: {failure}")
            _write_sources(folder, extra=False)
            run("apt-get", *_options(), "update", timeout=300)
        stamp.touch()


def versions(package):
    """All versions of the package in the known suites."""
    _update()
    rows = run("apt-cache", *_options(), "madison", package).stdout.splitlines()
    return [row.split("|")[1].strip() for row in rows if row.strip()]


def newest(package, matches=lambda version: True):
    """The highest version of the package that matches."""
    best = None
    for version in filter(matches, versions(package)):
        if best is None or subprocess.call(["dpkg", "--compare-versions", version, "gt", best]) == 0:
            best = version
    if best is None:
        raise Missing(f"no fitting version of package {package} (there are: {', '.join(versions(package)) or 'none'})")
    return best


def depends(package, version):
    """What a version of a package depends on: a list of (name, version or None), the first of each set of alternatives."""
    _update()
    (_, _, needed), = _records(f"{package}={version}")
    return needed


def closure(package, wanted):
    """The newest version of a package, and of all that it needs, as far as wanted(name) says so: [(name, version)]."""
    _update()
    found, waiting = {}, {package}
    while waiting:
        needed = set()
        for name, version, dependencies in _records(*sorted(waiting)):
            found[name] = version
            needed |= {other for other, _ in dependencies if wanted(other)}
        waiting = needed - found.keys()
    return list(found.items())


def _records(*packages):
    """(name, version, dependencies) of packages; their newest version where a name stands without one."""
    text = run("apt-cache", *_options(), "show", "--no-all-versions", *packages).stdout
    for record in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in record.splitlines() if re.match(r"(Package|Version|Depends): ", line))
        dependencies = [_parse_dependency(item) for item in fields.get("Depends", "").split(",") if item.strip()]
        yield fields["Package"], fields["Version"], dependencies


def _parse_dependency(item):
    name, _, condition = item.split("|")[0].strip().partition(" ")
    exact = condition.strip("() ")
    return name.split(":")[0], exact[1:].strip() if exact.startswith("=") else None


def unpack(packages, folder):
    """Download (name, version) pairs and unpack them into the folder."""
    _update()
    with cache.scratch() as temporary:
        wanted = [f"{name}={version}" for name, version in packages]
        try:
            run("apt-get", *_options(), "download", *wanted, cwd=temporary, timeout=900)
        except Failure as failure:
            # Listed, but gone: between two updates of the lists, or from a mirror that is not whole.
            if "404 " not in str(failure):
                raise
            raise Missing(f"the archive does not have all of {', '.join(wanted)}") from None
        for archive in sorted(temporary.glob("*.deb")):
            run("dpkg-deb", "-x", archive, folder, timeout=300)
            archive.unlink()
