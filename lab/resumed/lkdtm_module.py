"""LKDTM, the kernel's own module that crashes it in some seventy ways (drivers/misc/lkdtm), out of Debian's linux-source package of the very
version of the kernel, built as an outside module."""

import re
import shutil

import apt
import cache
import programs
from say import run

SOURCE = "drivers/misc/lkdtm"
# The one function it calls that is not exported to modules; its address is found the way a debugging module does.
HIDDEN = "native_write_cr4"
FIND_HIDDEN = """
#include <linux/kprobes.h>

typedef void hidden_function(unsigned long);

static hidden_function *find_hidden(void)
{
	struct kprobe probe = { .symbol_name = "native_write_cr4" };

	if (register_kprobe(&probe))
		return NULL;
	unregister_kprobe(&probe);
	return (hidden_function *)probe.addr;
}
"""


def module(kernel):
    """The folder with lkdtm.ko, built for a kernel."""
    identity = cache.digest([cache.LAB / "resumed" / "lkdtm_module.py", cache.LAB / "lib" / "programs.py"], kernel.package_version)
    return cache.build(f"lkdtm/{kernel.series}-{identity}", lambda folder: _build(kernel, folder))


def source(kernel):
    """Its source as Debian has it."""
    return cache.build(f"lkdtm/source-{kernel.package_version}", lambda folder: _fetch(kernel, folder))


def _fetch(kernel, folder):
    with cache.scratch() as work:
        apt.unpack([(f"linux-source-{kernel.series}", kernel.package_version)], work)
        archive = work / "usr/src" / f"linux-source-{kernel.series}.tar.xz"
        run("tar", "-xf", archive, "-C", work, "--wildcards", f"*/{SOURCE}/*", timeout=300)
        shutil.copytree(work / f"linux-source-{kernel.series}" / SOURCE, folder, dirs_exist_ok=True)


def _build(kernel, folder):
    with cache.scratch() as work:
        # programs.build_modules() wants sources inside the project, for the names in line tables; what it makes of these is as good.
        copy = work / "lkdtm"
        shutil.copytree(source(kernel), copy)
        (copy / "Makefile").rename(copy / "Kbuild")
        bugs = (copy / "bugs.c").read_text()
        includes_end = bugs.index("#include \"lkdtm.h\"") + len("#include \"lkdtm.h\"")
        body = re.sub(rf"\b{HIDDEN}\b(?!\(\))", "find_hidden()", bugs[includes_end:])
        (copy / "bugs.c").write_text(bugs[:includes_end] + FIND_HIDDEN + body)
        extra = [] if (kernel.headers / "tools/bpf/resolve_btfids/resolve_btfids").exists() else ["RESOLVE_BTFIDS=true"]
        run("make", "-s", "-C", kernel.headers, f"M={copy}", "CONFIG_LKDTM=m", f"KCFLAGS=-ffile-prefix-map={copy}={SOURCE}", *extra, "modules",
            timeout=300)
        shutil.copy(copy / "lkdtm.ko", folder)
