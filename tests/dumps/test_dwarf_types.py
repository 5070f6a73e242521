# SPDX-License-Identifier: LGPL-2.1-or-later
"""Types out of DWARF: layouts equal pahole's, and a kernel read without its BTF gives the same
answers; the index of names is kept on disk, and whatever happens to it there does no harm.

Needs the debug package of a kernel of the lab (lab/kernels SERIES --debug)."""

import concurrent.futures
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

import debug_package
import lab
import test_types

SERIES = debug_package.SERIES
TYPES = 500
COMMANDS = ("sys", "bt -a", "ps", "log", "mod", "report")


def run(dump, command, *words, cache=None):
    environment = os.environ | ({"XDG_CACHE_HOME": str(cache)} if cache else {})
    return lab.inquest("-c", command, "-k", debug_package.vmlinux(SERIES), "-m",
                       dump.folder / "modules", *words, dump.vmcore, env=environment)


def answer(*words, **options):
    """What is printed, but for where the types are from, and what only BTF can tell (identify),
    and for the arguments of functions."""
    text = re.sub(r"(?m)^(?:types|lines) .*\n(?: +\S.*\n)*", "", run(*words, **options).stdout)
    text = re.sub(r"(?m)^ *\d+ +by its contents it is: .*\n(?: {4,}\S.*\n)*", "", text)
    # A function's prototype is told by DWARF where BTF has a namesake's: "bt -a" compares stacks.
    text = re.sub(r"(?m)^( ?#\d+  \S+).*$", r"\1", text)
    return [line for line in text.splitlines()
            if line and not re.match(r"\s*TYPES:|.* modules' BTF", line)]


def one_dimension(lines):
    """An array of arrays as pahole writes it into BTF: one of as many elements."""
    def product(match):
        return f"[{math.prod(int(n) for n in re.findall('[0-9]+', match.group()))}]"
    return [re.sub(r"(?:\[\d+\]){2,}", product, line) for line in lines]


class WithCache(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        debug_package.vmlinux(SERIES)
        cls.cache = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.cache.cleanup)

    def dumps(self):
        found = lab.dumps(series=SERIES)
        if not found:
            self.skipTest(f"no dump of {SERIES} in {lab.LAB}")
        return found


class WithoutBtf(WithCache):
    def test_same_answers(self):
        for dump in self.dumps():
            for command in COMMANDS:
                with self.subTest(str(dump), command=command):
                    expected = answer(dump, command, cache=self.cache.name)
                    # A former owner is told by all the types of BTF, and goes into the sentences.
                    if any("before, it was a struct" in line for line in expected):
                        continue
                    self.assertEqual(answer(dump, command, "--no-btf", cache=self.cache.name),
                                     expected)

    def test_types_of_modules(self):
        """The structs of the scenario's own module, which only its .ko knows then."""
        seen = 0
        for dump in self.dumps():
            source = lab.ROOT / "lab" / "scenarios" / dump.meta["name"] / "module"
            texts = [p.read_text() for p in sorted(source.glob("*.c"))]
            names = re.findall(r"^struct (\w+) \{", "\n".join(texts), re.M)
            if not names or not list((dump.folder / "modules").glob("*.ko")):
                continue
            with self.subTest(str(dump)):
                command = "; ".join(f"struct {name} -o" for name in names)
                expected = answer(dump, command, cache=self.cache.name)
                found = answer(dump, command, "--no-btf", cache=self.cache.name)
                self.assertEqual(one_dimension(found), one_dimension(expected))
                self.assertNotIn("is called", "".join(expected))
                seen += len(names)
        self.assertGreater(seen, 0)

    def test_the_source_is_told(self):
        dump = self.dumps()[0]
        self.assertIn("DWARF of", run(dump, "sys", "--no-btf", cache=self.cache.name).stdout)
        self.assertIn("BTF in the dump", run(dump, "sys", cache=self.cache.name).stdout)
        bare = run(dump, "sys", "--no-btf", "--no-debuginfo", cache=self.cache.name)
        self.assertRegex(bare.stdout, r"TYPES: none")
        self.assertIn("there is no debug file", bare.stdout)

    def test_globals(self):
        """Types of variables that BTF does not tell, with it and without."""
        dump = self.dumps()[0]
        expected = {
            "whatis init_task": "struct task_struct init_task;",
            "whatis runqueues": "struct rq runqueues;",
            "whatis ioport_resource": "struct resource ioport_resource;",
            "whatis console_drivers": "struct console *console_drivers;",
            "whatis do_exit": "void do_exit(long code);",
            "whatis PIDTYPE_TGID": "PIDTYPE_TGID = 1",
        }
        for words in ((), ("--no-btf",)):
            for command, line in expected.items():
                with self.subTest(command, words=words):
                    self.assertIn(line, answer(dump, command, *words, cache=self.cache.name))


@unittest.skipUnless(shutil.which("pahole"), "pahole is not installed")
class Layouts(unittest.TestCase):
    def compare(self, file, expected):
        self.assertGreater(len(expected), 10)
        names = list(expected)
        random.Random(len(names)).shuffle(names)
        ours = test_types.our_layouts(names[:TYPES], file)
        for name in names[:TYPES]:
            size, members = expected[name]
            our_size, our_members = ours[name]
            self.assertEqual(our_size, size, name)
            for member, place in members.items():
                self.assertEqual(our_members.get(member), place, f"{name}.{member}")
        return len(ours)

    def test_modules(self):
        modules = debug_package.folder(SERIES) / "usr" / "lib" / "debug" / "lib" / "modules"
        seen = 0
        for name in ("kvm", "xfs", "btrfs", "nfs", "ext4"):
            for file in sorted(modules.glob(f"**/{name}.ko*"))[:1]:
                with self.subTest(name):
                    seen += self.compare(file, test_types.pahole_layouts(
                        ["pahole", "-F", "dwarf", file]))
        self.assertGreaterEqual(seen, TYPES)

    def test_kernel(self):
        free = re.search(r"MemAvailable: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
        if not free or int(free[1]) < 6 << 20:
            self.skipTest("pahole needs 3 GB for a vmlinux")
        file = debug_package.vmlinux(SERIES)
        seen = self.compare(file, test_types.pahole_layouts(["pahole", "-F", "dwarf", file]))
        self.assertEqual(seen, TYPES)

    SOURCE = """
        typedef unsigned int u32; typedef unsigned char u8;
        struct declared; union other;
        enum sign { LOW = -5, HIGH = 100000 };
        struct bits { u32 a:3; u32 b:13; u32 c:16; u8 d:1; u8 e:7; long f:40; int g:2; _Bool h:1; };
        struct __attribute__((packed)) narrow { u8 x; u32 a:3; u32 b:30; unsigned long c:33; };
        struct nested { int x; union { struct { int y, z; }; long w; }; struct { char c; } in; };
        struct arrays { int m[2][3][4]; int zero[0]; struct nested *p[5]; enum sign s; int end[]; };
        struct calls { int (*f)(struct declared *, const char *, ...); union other *u; };
        struct aligned { char c; int x __attribute__((aligned(64))); };
        struct bits v_bits; struct narrow v_narrow; struct nested v_nested; struct arrays v_arrays;
        struct calls v_calls; struct aligned v_aligned;
        long use(void) { return v_bits.a + v_narrow.b + v_nested.x + v_arrays.m[1][0][0]; }
    """

    def test_versions_and_compilers(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "source.c"
            source.write_text(self.SOURCE)
            for compiler in ("gcc", "clang"):
                if not shutil.which(compiler):
                    continue
                for flags in (["-gdwarf-2", "-gstrict-dwarf"], ["-gdwarf-3"], ["-gdwarf-4"],
                              ["-gdwarf-5"], ["-gdwarf-5", "-gdwarf64"], ["-g", "-gz=zlib"]):
                    with self.subTest(compiler, flags=flags):
                        self.compiled(pathlib.Path(folder), source, compiler, flags)

    def compiled(self, folder, source, compiler, flags):
        file = folder / "object.o"
        made = subprocess.run([compiler, "-O2", "-c", *flags, source, "-o", file],
                              capture_output=True, check=False)
        if made.returncode:
            self.skipTest(f"{compiler} does not know {flags}")
        expected = test_types.pahole_layouts(["pahole", "-F", "dwarf", file])
        ours = test_types.our_layouts(expected, file)
        self.assertGreaterEqual(set(expected), {"struct bits", "struct narrow", "struct arrays"})
        self.assertEqual({n: ours[n][0] for n in expected}, {n: expected[n][0] for n in expected})
        for name, (_, members) in expected.items():
            for member, place in members.items():
                self.assertEqual(ours[name][1].get(member), place, f"{name}.{member}")


class Damage(WithCache):
    def test_module(self):
        """Damaged DWARF is told with the file's name, and takes nothing else with it."""
        dump = lab.dumps(series=SERIES, name="null-ioctl")
        if not dump:
            self.skipTest("no dump of null-ioctl")
        dump = dump[0]
        (file,) = (dump.folder / "modules").glob("*.ko")
        whole = bytearray(file.read_bytes())
        text = subprocess.run(["readelf", "-SW", file], check=True, capture_output=True,
                              text=True).stdout
        found = re.search(r"\.debug_info\s+PROGBITS\s+\w+ (\w+) (\w+)", text)
        at, size = int(found[1], 16), int(found[2], 16)
        said = 0
        with tempfile.TemporaryDirectory() as folder:
            damaged = pathlib.Path(folder) / file.name
            for where in range(16, size - 300, size // 7):
                with self.subTest(where):
                    bad = bytearray(whole)
                    bad[at + where:at + where + 300] = b"\xff" * 300
                    damaged.write_bytes(bad)
                    words = ["-c", "struct session; ps", "-k", debug_package.vmlinux(SERIES),
                             "-m", folder, "--no-btf", dump.vmcore]
                    environment = os.environ | {"XDG_CACHE_HOME": self.cache.name}
                    told = lab.inquest(*words, env=environment).stdout
                    self.assertIn("swapper/0", told)
                    said += f"{damaged}: damaged at 0x" in told
                    # What is wrong in a function's body is jumped over, and harms nothing.
                    if f"{damaged}: damaged at 0x" not in told:
                        self.assertRegex(told, r"struct session \{\n    u32 magic;\n.*\n.*\n"
                                               r"    u64 requests;\n\}")
        self.assertGreater(said, 2)


class Cache(WithCache):
    """`whatis ioport_resource` needs the index: BTF does not tell it."""
    COMMAND, ANSWER = "whatis ioport_resource", "struct resource ioport_resource;"

    def ask(self, cache):
        found = run(self.dump, self.COMMAND, cache=cache)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn(self.ANSWER, found.stdout)

    def setUp(self):
        self.dump = self.dumps()[0]
        self.own = tempfile.TemporaryDirectory()
        self.addCleanup(self.own.cleanup)
        self.folder = pathlib.Path(self.own.name) / "new" / "inquest"

    def files(self):
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []

    def test_made_once(self):
        (self.folder.parent).mkdir()
        self.ask(self.folder.parent)
        (file,) = self.files()
        before = file.stat()
        self.assertEqual(file.suffix, ".types")
        self.ask(self.folder.parent)
        self.assertEqual([(f, f.stat().st_ino) for f in self.files()], [(file, before.st_ino)])

    def test_damaged(self):
        self.ask(self.folder.parent)
        (file,) = self.files()
        whole = file.read_bytes()
        rng = random.Random(1)
        damages = [b"", whole[:100], whole[:len(whole) // 2], whole + b"\0",
                   b"\0" * len(whole), whole[:8] + b"\xff\xff\xff\xff" + whole[12:]]
        damages += [whole[:at] + bytes(65536) + whole[at + 65536:]
                    for at in (0, 4096, rng.randrange(len(whole) - 65536))]
        # All blocks but the header's: each look-up meets a bad one.
        damages.append(whole[:4096] + bytes(b ^ 0x55 for b in whole[4096:]))
        for number, damage in enumerate(damages):
            with self.subTest(number):
                file.write_bytes(damage)
                self.ask(self.folder.parent)
        # The last was found to be bad and made anew.
        self.assertEqual(file.read_bytes(), whole)

    def test_nowhere_to_write(self):
        for where in ("/proc/none", "/dev/null", "relative"):
            with self.subTest(where):
                self.ask(where)

    def test_many_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.ask(self.folder.parent), range(8)))
        self.assertEqual(len(self.files()), 1)


if __name__ == "__main__":
    unittest.main()
