# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debug files are found wherever they lie and however they are packed, and refused when they do not belong."""

import gzip
import http.server
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

import debug_package
import lab

NAME = "null_ioctl"


def build_id(file):
    run = subprocess.run(["readelf", "-n", file], capture_output=True, text=True, check=True)
    return re.search(r"Build ID: ([0-9a-f]+)", run.stdout)[1]


def dump_of(series):
    found = lab.dumps(series=series, name="null-ioctl", truncate=100)
    if not found:
        raise unittest.SkipTest(f"the lab has no null-ioctl dump of {series}")
    return found[0]


class Finding(unittest.TestCase):
    def setUp(self):
        self.dump = dump_of("6.1")
        self.module = self.dump.folder / "modules" / f"{NAME}.ko"
        self.release = self.dump.meta["kernel_release"]
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def put(self, source, *where):
        path = self.folder.joinpath(*where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(source)
        return path

    def rows(self, words, dump=None):
        value = lab.query(dump or self.dump, "bt", *words)
        return value["threads"][0]["frames"], " ".join(r["text"] for r in value.get("remarks", []))

    def has_kernel_lines(self, *words):
        rows, remarks = self.rows(words)
        self.assertEqual(remarks, "")
        return any(row["file"] == "fs/ioctl.c" for row in rows)

    def has_module_lines(self, *words):
        rows, remarks = self.rows(words)
        self.assertEqual(remarks, "")
        return any(row["module"] == NAME and row["file"] for row in rows)


class Kernel(Finding):
    def test_places_in_a_folder(self):
        vmlinux = debug_package.vmlinux("6.1")
        number = build_id(vmlinux)
        for where in (f"usr/lib/debug/boot/vmlinux-{self.release}", f"usr/lib/debug/lib/modules/{self.release}/vmlinux",
                      f"usr/lib/debug/.build-id/{number[:2]}/{number[2:]}.debug", f".build-id/{number[:2]}/{number[2:]}.debug",
                      f"lib/modules/{self.release}/build/vmlinux", f"boot/vmlinux-{self.release}", f"vmlinux-{self.release}",
                      "vmlinux", "some/where/vmlinux.debug", f"{self.release}/vmlinux"):
            with self.subTest(where=where):
                path = self.put(vmlinux, where)
                self.assertTrue(self.has_kernel_lines("-k", self.folder))
                path.unlink()

    def test_a_file_in_either_order(self):
        vmlinux = debug_package.vmlinux("6.1")
        for words in ([vmlinux, self.dump.vmcore], [self.dump.vmcore, vmlinux], ["-k", vmlinux, self.dump.vmcore]):
            run = lab.inquest("-c", "bt", *words)
            self.assertIn("fs/ioctl.c:", run.stdout)
        self.assertNotIn("fs/ioctl.c:", lab.inquest("--no-debuginfo", "-c", "bt", self.dump.vmcore, vmlinux).stdout)

    def test_modules_beside_the_kernel_of_a_package(self):
        # The file alone says which tree it is of.
        for kernel in (debug_package.vmlinux("6.1"), debug_package.folder("6.1")):
            frame = lab.query(self.dump, "list virtio_ring:virtqueue_add_sgs", "-k", kernel)["frames"][-1]
            self.assertEqual(frame["file"], "drivers/virtio/virtio_ring.c")

    def test_symbols_of_a_dump_without_any(self):
        for dump in lab.dumps(series="6.1"):
            if lab.inquest("-c", "sym panic", dump.vmcore).returncode == 0 or dump.meta["truncate"] == 100:
                continue
            text = lab.inquest("-k", debug_package.folder("6.1"), "-c", "sys; sym panic", dump.vmcore).stdout
            self.assertRegex(text, r"KERNEL: vmlinux-")
            self.assertRegex(text, r"\(T\) panic +kernel/panic.c:\d+")
            return
        self.skipTest("all dumps of the lab have kallsyms")

    def test_a_system_map_is_no_debug_file(self):
        folder = debug_package.folder("6.1") / "usr" / "lib" / "debug" / "boot"
        found = list(folder.glob("System.map-*"))
        if not found:
            self.skipTest("the package has no System.map")
        self.assertEqual(self.rows(["-k", found[0]])[1], "")

    def test_a_folder_without_any_is_said(self):
        rows, remarks = self.rows(["-k", self.folder])
        self.assertIn(f"{self.folder}: no vmlinux with debug info", remarks)
        self.assertTrue(rows)

    def test_another_kernels_file(self):
        other = dump_of("6.12")
        vmlinux = debug_package.vmlinux("6.1")
        ids = [build_id(vmlinux), build_id(lab.LAB / other.meta["vmlinux"])]
        for words in (["-k", vmlinux], ["-k", debug_package.folder("6.1")]):
            rows, remarks = self.rows(words, other)
            if words[1] == vmlinux or "build-id" in remarks:
                for number in ids:
                    self.assertIn(number, remarks)
            self.assertFalse(any(row["file"] for row in rows))
        rows, remarks = self.rows(["-k", vmlinux, "--force"], other)
        self.assertTrue(any(row["file"] for row in rows))
        self.assertIn("--force", remarks)
        report = lab.inquest("-k", vmlinux, "--force", other.vmcore).stdout
        self.assertRegex(report, r"(?m)^lines +.*FORCED")
        self.assertRegex(report, r"(?s)MISSING.*used by --force")

    def test_a_vmlinuz_is_unpacked_and_found_stripped(self):
        found = list((lab.LAB / self.dump.meta["vmlinux"]).parent.glob("boot/vmlinuz-*"))
        if not found:
            self.skipTest("the lab keeps no vmlinuz")
        _, remarks = self.rows(["-k", found[0]])
        self.assertIn("no symbol table (stripped)", remarks)

    def test_a_packed_vmlinux_is_unpacked(self):
        if not shutil.which("zstd"):
            self.skipTest("no zstd")
        packed = self.folder / "vmlinux.zst"
        subprocess.run(["zstd", "-q", "-1", lab.LAB / self.dump.meta["vmlinux"], "-o", packed], check=True)
        _, remarks = self.rows(["-k", packed])
        self.assertIn("no symbol table (stripped)", remarks)  # the lab's has none


class Modules(Finding):
    def test_names_and_packing(self):
        data = self.module.read_bytes()
        packed = {f"{NAME}.ko": data, "null-ioctl.ko": data, f"a/b/{NAME}.ko.debug": data, f"{NAME}.ko.gz": gzip.compress(data),
                  f"{NAME}.ko.xz": lzma.compress(data, check=lzma.CHECK_CRC32)}
        if shutil.which("zstd"):
            packed[f"{NAME}.ko.zst"] = subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout
        for where, content in packed.items():
            with self.subTest(where=where):
                path = self.folder / where
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self.assertTrue(self.has_module_lines("-m", self.folder))
                self.assertTrue(self.has_module_lines("-m", path))
                path.unlink()

    def test_by_build_id(self):
        number = build_id(self.module)
        self.put(self.module, "usr", "lib", "debug", ".build-id", number[:2], f"{number[2:]}.debug")
        self.assertTrue(self.has_module_lines("-m", self.folder))

    def test_debug_link(self):
        debug = self.folder / f"{NAME}.debugfile"
        for beside in (self.folder, self.folder / ".debug"):
            with self.subTest(beside=beside):
                beside.mkdir(exist_ok=True)
                debug = beside / "info"
                shutil.copy(self.module, debug)
                subprocess.run(["objcopy", "--strip-debug", f"--add-gnu-debuglink={debug}", self.module,
                                self.folder / f"{NAME}.ko"], check=True)
                self.assertTrue(self.has_module_lines("-m", self.folder / f"{NAME}.ko"))
                debug.unlink()
        self.assertFalse(self.has_module_lines("-m", self.folder / f"{NAME}.ko"))

    def test_modules_dep(self):
        tree = self.folder / "lib" / "modules" / self.release
        self.put(self.module, "lib", "modules", self.release, "updates", "dkms", "null-ioctl.ko")
        (tree / "modules.dep").write_text("kernel/a.ko: kernel/b.ko\nupdates/dkms/null-ioctl.ko: kernel/a.ko\n")
        self.assertTrue(self.has_module_lines("-m", self.folder))

    def test_another_build(self):
        other = dump_of("6.12").folder / "modules" / f"{NAME}.ko"
        rows, remarks = self.rows(["-m", other])
        self.assertIn(build_id(other), remarks)
        self.assertIn(build_id(self.module), remarks)
        self.assertFalse(any(row["file"] for row in rows))


class Server(Finding):
    """A debuginfod server of one module, that counts who asks."""

    def setUp(self):
        super().setUp()
        number, file, asked = build_id(self.module), self.module, []
        if lab.inquest("--debuginfod", "-c", "bt", self.dump.vmcore, env={**os.environ, "DEBUGINFOD_URLS": "http://127.0.0.1:1"}
                       ).stdout.find("libdebuginfod.so.1") >= 0:
            self.skipTest("libdebuginfod is not installed")

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                found = self.path == f"/buildid/{number}/debuginfo"
                data = file.read_bytes() if found else b"no"
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.asked = asked
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.environ = {**os.environ, "DEBUGINFOD_URLS": f"http://127.0.0.1:{self.server.server_port}",
                        "DEBUGINFOD_CACHE_PATH": str(self.folder), "no_proxy": "*", "NO_PROXY": "*"}

    def test_asked_only_when_told_to(self):
        quiet = lab.inquest("-c", "bt", self.dump.vmcore, env=self.environ)
        self.assertEqual(self.asked, [])
        self.assertEqual(quiet.stderr, "")
        run = lab.inquest("--debuginfod", "-c", "bt", self.dump.vmcore, env=self.environ)
        self.assertTrue(any(build_id(self.module) in path for path in self.asked))
        self.assertIn("null_ioctl.c:", run.stdout)
        self.assertIn("debuginfod", run.stderr)
        # The kernel's is not there: said, and nothing is lost.
        self.assertRegex(run.stdout, "debuginfod: no debug info for the kernel")
        self.assertIn("__x64_sys_ioctl+0x", run.stdout)


if __name__ == "__main__":
    unittest.main()
