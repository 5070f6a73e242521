# SPDX-License-Identifier: LGPL-2.1-or-later
"""C expressions on real dumps: against what the dump's own ps, log and bt say by other ways, against
pahole's layouts, and against arithmetic done here."""

import json
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


def one_of_each_kernel():
    found = {}
    for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100):
        found.setdefault((dump.meta["series"], dump.meta["paging"]), dump)
    return list(found.values())


def several(dump, lines):
    """The JSON objects of many commands in one run."""
    run = lab.inquest("--json", "-c", "; ".join(lines) + "; help", dump.vmcore)
    return json.loads(run.stdout)["commands"][:-1]


def values(dump, expressions, command="p"):
    answers = several(dump, [f"{command} {e}" for e in expressions])
    return [a["values"][0]["value"] if a.get("values") else a["remarks"][-1]["text"] for a in answers]


class Expressions(unittest.TestCase):
    def each(self):
        found = one_of_each_kernel()
        if not found:
            self.skipTest("the lab has no sysrq dump")
        return found

    def test_tasks(self):
        for dump in self.each():
            tasks = [t for t in lab.query(dump, "ps")["tasks"] if not t["pid"] == 0][:150]
            got = values(dump, [f"((struct task_struct *){t['task']})->pid" for t in tasks])
            self.assertEqual(got, [t["pid"] for t in tasks])
            got = values(dump, [f"((struct task_struct *){t['task']})->comm" for t in tasks[:40]])
            self.assertEqual(got, [t["comm"] for t in tasks[:40]])

    def test_the_list_of_tasks(self):
        # init_task.tasks, step by step, each from an expression of its own.
        for dump in self.each():
            tasks = lab.query(dump, "ps")["tasks"]
            leaders = {int(t["task"], 16) for t in tasks}
            node = "init_task.tasks.next"
            seen = []
            for _ in range(8):
                seen.append(f"container_of({node}, struct task_struct, tasks)")
                node += "->next"
            for text in values(dump, seen):
                self.assertIn(int(text, 16), leaders)
            # Addresses as commands take them: bytes, and no 0x needed.
            first = lab.query(dump, "p init_task.tasks.next")["values"][0]["value"]
            by_bytes = lab.query(dump, "struct task_struct.pid 'init_task.tasks.next - "
                                       "offsetof(struct task_struct, tasks)'")["structs"][0]
            offset = lab.query(dump, "p offsetof(struct task_struct, tasks)")["values"][0]["value"]
            self.assertEqual(int(by_bytes["address"], 16), int(first, 16) - offset)
            self.assertEqual(lab.query(dump, f"rd {int(first, 16):x}-{offset} 2")["memory"][0]["address"],
                             by_bytes["address"])

    def test_known_values(self):
        for dump in self.each():
            got = values(dump, ["init_task.comm", "init_task.pid", 'init_task.comm == "swapper/0"',
                                "init_uts_ns.name.release", "sizeof(init_task.comm)", "linux_banner",
                                "&init_task.pid == &(*&init_task).pid", "PIDTYPE_TGID", "init_task.mm"])
            self.assertEqual(got[:7], ["swapper/0", 0, 1, dump.meta["kernel_release"], 16, got[5], 1])
            self.assertTrue(got[5].startswith("Linux version " + dump.meta["kernel_release"]))
            self.assertEqual(got[7:], [1, "0x0"])

    def test_a_text_too_long_to_show(self):
        for dump in self.each():
            lines = [f"wr -64 linux_banner+{i * 8} 4141414141414141" for i in range(130)] + ["p linux_banner"]
            run = lab.inquest(*[word for line in lines for word in ("-c", line)], dump.vmcore)
            self.assertRegex(run.stdout, r'(?m)^linux_banner = \(char \[\]\) 0x[0-9a-f]+ "A{1023}"\.\.\.$')

    def test_jiffies(self):
        # The kernel counts from five minutes before the wrap (INITIAL_JIFFIES); the last line of the
        # log was written at the crash.
        for dump in self.each():
            jiffies, = values(dump, ["jiffies"])
            last = lab.query(dump, "log")["records"][-1]["time_ns"] / 1e9
            seconds = {hz: ((jiffies - (-300 * hz & 0xffffffff)) & 0xffffffffffffffff) / hz for hz in (100, 250, 300, 1000)}
            self.assertTrue(any(abs(s - last) < 5 for s in seconds.values()), (seconds, last))

    def test_per_cpu(self):
        for dump in self.each():
            cpus = lab.query(dump, "p runqueues")["per_cpu"]["addresses"]
            self.assertGreater(len(cpus), 0)
            answer = lab.query(dump, "p runqueues:a.cpu")["values"]
            self.assertEqual([(v["cpu"], v["value"]) for v in answer], [(c["cpu"], c["cpu"]) for c in cpus])
            self.assertEqual([v["address"] for v in lab.query(dump, "p runqueues:a")["values"]],
                             [c["address"] for c in cpus])
            self.assertEqual(values(dump, ["per_cpu_ptr(&runqueues, 0)->cpu", "per_cpu(runqueues, 0).cpu"]), [0, 0])
            # rq->curr is what bt says runs there.
            running = {t["cpu"]: t["task"] for t in lab.query(dump, "bt -a")["threads"]}
            for entry in lab.query(dump, "p runqueues:a.curr")["values"]:
                self.assertEqual(entry["value"], running[entry["cpu"]])
            structs = lab.query(dump, "struct rq.cpu runqueues:a")["structs"]
            self.assertEqual([s["members"][0]["value"] for s in structs], [c["cpu"] for c in cpus])
            for line in ("p runqueues.cpu", "p runqueues:999.cpu", "p jiffies:999999", "rd jiffies:0", "struct rq jiffies:a"):
                self.assertEqual(lab.inquest("-c", line, dump.vmcore).returncode, 1, line)

    def test_registers(self):
        for dump in self.each():
            frames = lab.query(dump, "bt")["threads"][0]["frames"]
            run = several(dump, ["p $rip", "p $rsp", "frame 1", "p $pc", "p $nosuch", "p $sp - 8"])
            self.assertEqual(run[0]["values"][0]["value"], frames[0]["pc"])
            self.assertEqual(run[1]["values"][0]["value"], int(frames[0]["sp"], 16))
            self.assertEqual(run[3]["values"][0]["value"], frames[1]["pc"])
            self.assertIn("no register", run[4]["remarks"][-1]["text"])
            self.assertEqual(run[5]["values"][0]["value"], int(frames[1]["sp"], 16) - 8)

    def test_modules(self):
        for dump in self.each():
            module = lab.query(dump, "mod")["modules"][0]
            self.assertEqual(values(dump, [f"((struct module *){module['address']})->name",
                                           f"{module['name']}:__this_module.name",
                                           f"((struct module *)&{module['name']}:__this_module)->name"])[0::2],
                             [module["name"]] * 2)

    def test_errors_point_at_the_character(self):
        for dump in self.each():
            for text, column, words in (("(task->pid", 11, "expected ')'"), ("init_task.comn", 11, "did you mean comm"),
                                        ("init_task.pid = 1", 15, "can be changed"), ("1 +", 4, "ends early"),
                                        ("(struct nosuch *)0", 2, "no type struct nosuch"), ("jiffes", 1, "mean jiffies")):
                run = lab.inquest("-c", f"p {text}", dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(words, run.stderr)
                self.assertTrue(run.stderr.endswith(f"at column {column}\n"), run.stderr)
                lines = run.stdout.splitlines()
                self.assertEqual(lines[-2:], ["    " + text, "    " + " " * (column - 1) + "^"])

    def test_holes(self):
        for dump in self.each():
            answer = lab.query(dump, "p init_task.mm->pgd")
            self.assertIsNone(answer["values"][0]["value"])
            self.assertIn("not mapped", answer["remarks"][-1]["text"])
            answer = lab.query(dump, "p init_task.mm->pgd + 1")
            self.assertRegex(answer["remarks"][-1]["text"], r"cannot read 8 bytes at [0-9a-f]{16}: not mapped")

    def test_user_memory(self):
        found = lab.dumps(name="sysrq", capture="qemu-elf", truncate=100)
        if not found:
            self.skipTest("the lab has no QEMU dump of sysrq")
        dump = found[0]
        init = next(t for t in lab.query(dump, "ps 1")["tasks"])
        start = f"((struct task_struct *){init['task']})->mm->arg_start"
        run = several(dump, ["set 1", f"p -u (char *){start}", f"p -u *(char (*)[4]){start}", f"rd -u -a '{start}'",
                             f"struct -u list_head '{start}'", f"struct -r -u list_head '{start}'", f"p *(char *){start}"])
        value = run[2]["values"][0]["value"]
        text = run[3]["memory"][0]["ascii"] if run[3]["memory"][0]["ascii"].strip() else None
        self.assertRegex(value, r"^[\w/.-]")
        if text:
            self.assertTrue(text.startswith(value))
        self.assertIsNotNone(run[4]["structs"][0]["members"][0]["value"])
        self.assertEqual(run[5]["structs"][0]["memory"][0]["values"][0], run[4]["structs"][0]["members"][0]["value"])
        # Without -u it is a kernel address, which is not there.
        self.assertIsNone(run[6]["values"][0]["value"])

    def test_quotes_are_c(self):
        for dump in self.each():
            for text, value in ((r'"a\"b"[1]', 34), ("'a' + 0", 97), ("'init_task.pid'", 0), (r"'\n' + 0", 10)):
                self.assertEqual(lab.query(dump, f"p {text}")["values"][0]["value"], value)

    def test_ways_to_say_the_same(self):
        for dump in self.each():
            address = lab.query(dump, "sym init_task")["symbols"][0]["address"][2:]
            wanted = lab.query(dump, "struct task_struct init_task")["structs"]
            for line in (f"*task_struct {address}", f"task_struct {address}", "struct task_struct &init_task",
                         "*task_struct 'init_task.group_leader'", f"struct task_struct 0x{address}",
                         f"struct task_struct -l tasks '&init_task.tasks'", "struct task_struct $rip-$rip+init_task"):
                if "$" not in line:
                    self.assertEqual(lab.query(dump, line)["structs"], wanted, line)
            self.assertEqual(lab.query(dump, "px init_task.pid"), lab.query(dump, "p -x init_task.pid"))
            self.assertEqual(lab.query(dump, "rd &init_task.tasks 2")["memory"][0]["values"][0],
                             lab.query(dump, "p init_task.tasks.next")["values"][0]["value"])
            self.assertEqual(lab.query(dump, "sym &panic")["symbols"][0]["name"], "panic")

    @unittest.skipUnless(shutil.which("pahole"), "pahole is not installed")
    def test_layouts(self):
        kernels = {dump.meta["series"]: dump for dump in self.each()}
        for dump in kernels.values():
            vmlinux = lab.LAB / str(dump.meta.get("vmlinux"))
            blob = test_types.section(vmlinux, ".BTF") if vmlinux.is_file() else None
            if not blob:
                continue
            with self.subTest(str(dump)), tempfile.TemporaryDirectory() as scratch:
                path = pathlib.Path(scratch) / "btf"
                path.write_bytes(blob)
                layouts = test_types.pahole_layouts(["pahole", "-F", "btf", path])
            rng = random.Random(3)
            names = rng.sample(sorted(layouts), 150)
            self.assertEqual(values(dump, [f"sizeof({n})" for n in names]), [layouts[n][0] for n in names])
            members = [(n, m, place) for n in names for m, place in layouts[n][1].items() if not place[1]]
            members = rng.sample(members, min(300, len(members)))
            self.assertEqual(values(dump, [f"offsetof({n}, {m})" for n, m, _ in members]),
                             [place[0] // 8 for _, _, place in members])
            # Of members that are structs or arrays pahole's size may count padding: scalars only.
            wanted = [(n, m, place[2]) for n, m, place in members if place[2] in (1, 2, 4, 8)][:150]
            self.assertEqual(values(dump, [f"sizeof((({n} *)0)->{m})" for n, m, _ in wanted]), [s for _, _, s in wanted])
            sizes = [t for t in lab.query(dump, "whatis -r 640")["types"]]
            self.assertLessEqual({n for n, (size, _) in layouts.items() if size == 640}, {t["type"] for t in sizes})


class WithDebugInfo(unittest.TestCase):
    """Locals and the types of all globals."""
    SERIES = "6.1"

    def setUp(self):
        found = [d for d in one_of_each_kernel() if d.meta["series"] == self.SERIES]
        if not found:
            self.skipTest("the lab has no sysrq dump")
        self.dump = found[0]
        self.vmlinux = debug_package.vmlinux(self.SERIES)

    def several(self, lines):
        run = lab.inquest("--json", "-k", self.vmlinux, "-c", "; ".join(lines) + "; help", self.dump.vmcore)
        return json.loads(run.stdout)["commands"][:-1]

    def test_locals_are_what_the_command_locals_says(self):
        known = lost = 0
        for frame in range(6):
            answer = self.several([f"frame {frame}", "locals"])[1]
            variables = {}
            for v in answer["frames"][0]["variables"]:
                variables.setdefault(v["name"], v)
            names = list(variables)
            asked = self.several([f"frame {frame}"] + [f"px (unsigned long){n}" for n in names])[1:]
            for name, p in zip(names, asked):
                v = variables[name]
                with self.subTest(frame=frame, name=name):
                    if v["state"] == "known" and v["number"]:
                        mask = (1 << 8 * v["size"]) - 1
                        self.assertEqual(p["values"][0]["value"] & mask, int(v["number"], 16) & mask)
                        known += 1
                    elif v["state"] != "known":
                        self.assertIn(v["why"], p["remarks"][-1]["text"])
                        self.assertEqual(p.get("values", []), [])
                        lost += 1
        self.assertGreater(known, 5)
        self.assertGreater(lost, 2)

    def test_locals_hide_nothing_unasked(self):
        # `buf` and `state` are locals of panic() only; jiffies is nobody's local, init_task a symbol.
        for line in ("p init_task.comm", "p jiffies", "p sizeof(struct page)", "p PIDTYPE_TGID"):
            plain = lab.query(self.dump, line, "--no-debuginfo")["values"]
            answer = self.several([line])[0]["values"]
            for value in answer:
                value["type"] = re.sub("^(const|volatile) ", "", value["type"])  # The table of types has none.
            self.assertEqual(answer, plain, line)

    def test_sizes_of_globals(self):
        symbols = {}
        for line in subprocess.run(["nm", "-S", self.vmlinux], capture_output=True, text=True, check=True).stdout.splitlines():
            words = line.split()
            if len(words) == 4 and words[2] in "dDbB" and re.fullmatch(r"[a-z]\w+", words[3]):
                symbols.setdefault(words[3], []).append(int(words[1], 16))
        alone = sorted(name for name, sizes in symbols.items() if len(sizes) == 1)
        names = random.Random(5).sample(alone, 120)
        answers = self.several([f"p sizeof({name})" for name in names])
        right = 0
        for name, answer in zip(names, answers):
            if not answer.get("values"):
                continue
            size = answer["values"][0]["value"]
            # Of an array without a length the symbol knows more.
            if size == symbols[name][0]:
                right += 1
            else:
                self.fail(f"{name}: {size}, not {symbols[name][0]}")
        self.assertGreater(right, 80)


class Arithmetic(unittest.TestCase):
    """Random expressions against Python, whose integers do not overflow: 64-bit, unsigned."""

    def build(self, rng, depth):
        if depth == 0 or rng.random() < 0.2:
            number = rng.choice([rng.randrange(10), rng.getrandbits(32), rng.getrandbits(64)])
            return f"{number}ul", number
        a, x = self.build(rng, depth - 1)
        b, y = self.build(rng, depth - 1)
        op = rng.choice(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "~", "!"])
        if op in "~!":
            return f"{op}({a})", (~x & (1 << 64) - 1) if op == "~" else int(not x)
        if op in ("<<", ">>"):
            y %= 64
            b = str(y)
        if op in "/%" and not y:
            b, y = "3ul", 3
        value = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x // y, "%": lambda: x % y,
                 "&": lambda: x & y, "|": lambda: x | y, "^": lambda: x ^ y, "<<": lambda: x << y, ">>": lambda: x >> y,
                 "<": lambda: int(x < y), ">": lambda: int(x > y), "<=": lambda: int(x <= y), ">=": lambda: int(x >= y),
                 "==": lambda: int(x == y), "!=": lambda: int(x != y)}[op]()
        return f"(unsigned long)({a} {op} {b})", value & (1 << 64) - 1

    def test_against_python(self):
        found = one_of_each_kernel()
        if not found:
            self.skipTest("the lab has no sysrq dump")
        rng = random.Random(1)
        pairs = [self.build(rng, rng.randrange(1, 6)) for _ in range(300)]
        self.assertEqual(values(found[0], [f"(unsigned long)({text})" for text, _ in pairs]), [v for _, v in pairs])

    def test_eval(self):
        found = one_of_each_kernel()
        if not found:
            self.skipTest("the lab has no sysrq dump")
        for text, number in (("128m", 128 << 20), ("1 << 40", 1 << 40), ("ffff888000001000 + 8", 0xffff888000001008),
                             ("-1", (1 << 64) - 1), ("(4k + 1) * 2", 8194), ("0x10", 16), ("010", 8),
                             ("2*1f", 62), ("ff & fe", 254), ("ff00&0ff0", 0xf00), ("(4k + 1)*a", 40970), ("1 ? ff : fe", 255), ("1 && ff", 1),
                             ("sizeof(int) * a", 40), ("(unsigned char)1ff", 255), ("'a' * a", 970)):
            answer = lab.query(found[0], f"eval -b {text}")["eval"]
            self.assertEqual(int(answer["hexadecimal"], 16), number, text)
            self.assertEqual(int(answer["octal"], 8), number)
            self.assertEqual(int(answer["binary"], 2), number)
            self.assertEqual(answer["unsigned"], number)
            self.assertEqual(sum(1 << bit for bit in answer["bits"]), number)
        # A symbol is its address wherever it stands; a variable's value is what C's operators of one value ask for.
        for left, right in (("2*jiffies", "jiffies*2"), ("-1 & jiffies", "jiffies"), ("1 && &init_task", "1"), ("(unsigned long)&init_task", "init_task"),
                            ("*(unsigned long *)&jiffies", "*&jiffies"), ("init_pid_ns.child_reaper->pid", "1")):
            answers = [lab.query(found[0], f"eval {side}")["eval"]["hexadecimal"] for side in (left, right)]
            self.assertEqual(answers[0], answers[1], left)
        text = lab.inquest("-c", "eval 128m", found[0].vmcore).stdout
        self.assertTrue(re.search(r"hexadecimal: 8000000  \(128MB\)\n +decimal: 134217728\n", text), text)


if __name__ == "__main__":
    unittest.main()
