# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command on real dumps: its output as text and JSON, errors, exit statuses."""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import json_schema
import lab

# A line for each command, as a user would type it; JSON must fit docs/schema/.
LINES = ["report", "blocked", "blocked -a", "blocked -g", "locks", "deadlock", "cpus", "rules", "rules --test", "fault", "writers 0x8000", "writers --member sk_buff.head", "callers vfs_read", "callees vfs_read", "sys", "sys -t", "bt", "bt -a", "bt -V", "locals", "locals -f 1 1", "bt -A", "bt -A 1", "args", "args 1", "args -t 1", "origin rdi", "origin rbx 2", "bt -f", "bt -F", "bt -FF", "rd -w init_task 64", "rd -S init_task 16", "bt 1", "bt -c 0,1", "bt --all", "bt -u", "bt -u -R schedule -M vmlinux", "bt -r", "bt -t", "bt -T 1", "bt -e", "bt -E", "bt -E -c 0", "bt -v", "bt 0", "bt -g 1 -n idle -d", "bt -R schedule --all", "ps", "ps -u", "ps -k",
         "ps -S", "ps -A", "ps 1", "ps 'kworker*'", "log", "log -T", "log -t -m -c -d", "log -l err,warn", "log -n 3",
         "mod", "mod -t", "list *panic+91", "list schedule", "src *panic+91", "src schedule", "list -H modules -o module.list -s module.name,state -s list_head", "list task_struct.tasks -h init_task", "tree -t maple -r mm_struct.mm_mt init_mm", "tree -t radix -r pid_namespace.idr init_pid_ns -s pid.count", "sym schedule", "sym schedule+0x10", "sym -q sysrq_handle", "rd linux_banner 8",
         "rd -32 linux_banner 9", "rd -8 linux_banner 3", "rd -a linux_banner", "rd -s sys_call_table 5",
         "rd -d linux_banner", "rd -p 0x1000 4", "rd 0 2", "vm 1", "vm 2 1", "vm -p 1", "vm -m 1", "vm -v 1", "vm -f 875", "files", "files -c 1 2", "files -R null", "fuser /dev/null", "mount", "mount -i", "mount -f /proc", "swap", "ipcs", "ipcs -M", "irq", "irq -u", "irq -a", "irq -s -c 0", "irq -b", "irq -d", "dev", "dev -d", "dev -D", "dev -p", "dev -i", "net", "net -a", "net -s 1", "net -N 0100007f", "bpf", "bpf -P", "bpf -M", "vmallocinfo", "kmem -v", "kmem init_task linux_banner 1000 pfn:1000 modules", "kmem -p 1000 init_task", "kmem -m flags,lru.next 1000", "kmem -g", "kmem -g 10001", "kmem -i", "kmem -f", "kmem -F", "kmem -n", "kmem -z", "kmem -V", "kmem -o", "kmem -h", "vtop linux_banner", "vtop 0xffff800000000000", "help",
         "help bt", "struct list_head", "struct -o task_struct", "struct task_struct init_task",
         "struct task_struct.comm,pid init_task", "struct list_head modules", "union rcu_special", "whatis u64",
         "whatis vfs_read", "whatis jiffies", "p init_task.comm", "px init_task.tasks", "p runqueues",
         "p runqueues:a.nr_running", "p schedule", "p (void)0", "p linux_banner", "p init_task.mm",
         "eval 128m", "whatis -r 640-648", "whatis -m mm_struct", "whatis init_task.mm",
         "whatis 0 10 fffffffffffffff4 dead000000000122 ffff800000000000 f0f0f0f0f0f0f0f0", "whatis &init_task.comm", "whatis $rsp",
         "struct -r list_head modules", "struct -p task_struct.active_mm init_task", "struct rq.cpu runqueues:a", "eval -b 0x1234 + 1",
         "sig", "sig -g 1", "sig -l", "sig -s 14000", "task", "task -R comm,flags -x 1", "foreach bt", "foreach kernel bt -u",
         "foreach 1 2 user vm sig task -R comm", "foreach active ps set args", "foreach UN IN RU bt -t", "info threads", "info frame",
         "info registers", "info args", "info stack", "info symbol schedule",
         "pipelines", "pipelines tasks", "pipelines page", "set", "set -p", "frame", "frame 2", "frame -v", "up",
         "kmem -s", "kmem -s dentry 'kmalloc-*' -I kmalloc-64", "kmem -S=a filp", "kmem -S task_struct", "kmem -r filp", "kmem --check",
         "content linux_banner", "content -q init_task", "content -s modules 64", "content 0xffff800000000000 8192",
         "search -t init_task", "search -c 'Linux version'", "search -p -w 57ac6e9d", "search -x 2 -V init_task", "search -u -h 7f45",
         "refs init_task", "refs -u -l 3 &init_task.tasks 16", "refs -m init_task modules",
         "identify --caches", "identify init_task", "identify -a -n 5 $rsp", "identify --blind init_task.cred",
         "slab task_struct", "slab -f filp", "slab -a kmalloc-64", "slab -t kmem_cache_node",
         "ascii", "ascii 62696c2f7273752f", "rustfilt _RNvC6_123foo3bar panic", "gdb p 6*7", "x/8gx init_task", "x/3i panic", "x/2s linux_banner", "x/4dw init_task", "p/x 10", "ptype struct list_head", "sym -np panic", "whatis -m xarray",
         "dis panic", "dis -l schedule", "dis -r panic+0x20 4", "dis -ls -d panic 3", "dis panic+0x10", "textcheck", "textcheck vfs_write",
         "btop 512a000 ffff", "ptob 512a", "ptov 1000 runqueues:a 10:", "pte 8000000001aa6067 0 3fffffffffffc200 f800000000000200",
         "wr -32 panic_on_oops 7", "wr -l", "wr -d", "rd -f 0 4", "rd -R -SS -o 8 init_task 4", "rd -N -16 linux_banner 4", "rd -r /dev/shm/inquest-rd init_task 100"]

LINES += ["ptype init_task.mm", "ptype/o struct list_head", "ps -s -Y", "ps -y FIFO", "ps -p 1", "ps -c 2", "ps -t 1", "ps -l", "ps -m -C 0", "ps -a 1", "ps -g 1", "ps -r 1",
          "runq", "runq -g", "runq -t", "runq -T", "runq -m", "timer", "timer -r", "waitq log_wait",
          "mach", "mach -m", "mach -i", "mach -c -x", "sys -c", "sys -c read", "sys -i",
          "mod -g", "mod -S", "log -a", "log -R"]

LINES += ["kmem -m lru,_mapcount,flags 1000", "kmem -P 100000", "kmem -f 1000 init_task", "kmem -i=shared", "kmem -s list"]
LINES += ["set -v", "set radix 16", "set radix 10", "set debug 1", "set -a 1", "set -p", "alias", "alias hex",
          "alias running ps -A", "repeat -n 2 sym panic", "help all", "help input", "help hex", "help -m", "help -n", "help -r",
          "help -s", "help -k", "help -t", "help -p", "help -v", "help -z", "help -a", "help -bcdefghLNox"]


def schema_of(line):
    word = line.split()[0].partition("/")[0]
    return {"dmesg": "log", "px": "p"}.get(word, word)


def one_of_each_kernel():
    found = {}
    for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100, paging=4):
        found.setdefault(dump.meta["series"], dump)
    return list(found.values())


class OnDump(unittest.TestCase):
    def setUp(self):
        self.dumps = one_of_each_kernel()
        if not self.dumps:
            self.skipTest("the lab has no sysrq dump")
        self.dump = self.dumps[0]

    def run_ok(self, line, status=0, dump=None):
        run = lab.inquest("-c", line, (dump or self.dump).vmcore)
        self.assertEqual(run.returncode, status, f"{line}: {run.stdout[-500:]} {run.stderr}")
        return run.stdout


class Schemas(OnDump):
    def test_json_of_every_command_fits_its_schema(self):
        for dump in self.dumps:
            for line in LINES:
                with self.subTest(dump=str(dump), line=line):
                    value = lab.query(dump, line)
                    self.assertEqual(json_schema.faults(schema_of(line), value)[:5], [])
                    self.assertFalse([r for r in value.get("remarks", []) if r["kind"] == "error"])

    def test_json_fits_on_every_dump(self):
        # Damaged ones too: what is missing there takes other ways through the commands.
        for dump in lab.dumps():
            with self.subTest(dump=str(dump)):
                value = lab.query(dump, "report; sys; bt -a; ps; log -n 20; mod; sym -q sysrq; vtop init_task")
                for entry in value["commands"]:
                    self.assertEqual(json_schema.faults(schema_of(entry["command"]), entry)[:5], [], entry["command"])

    def test_several_commands_are_one_object(self):
        lines = [line for line in LINES if not line.startswith("repeat")]
        value = lab.query(self.dump, "; ".join(lines))
        self.assertEqual([entry["command"] for entry in value["commands"]], lines)
        self.assertEqual(json_schema.faults("commands", {"commands": []}), [])
        for entry in value["commands"]:
            self.assertEqual(json_schema.faults(schema_of(entry["command"]), entry)[:5], [])

    def test_schemas_cover_every_command(self):
        for row in lab.query(self.dump, "help")["help"]:
            path = lab.ROOT / "docs" / "schema" / f"{row['name']}.json"
            self.assertTrue(path.exists(), f"{path} is missing")

    def test_the_examples_in_the_help_work(self):
        # What depends on the machine may be missing; anything else that is refused is a wrong example.
        missing = re.compile("no module is named|no task|not mapped|is a kernel thread")
        for row in lab.query(self.dump, "help")["help"]:
            text = lab.query(self.dump, f"help {row['name']}")["command_help"]["help"]
            for example in re.findall(r"^Examples?: (.*)", "\n".join(text), re.M):
                for dump, line in itertools.product(self.dumps, example.split(" | ")):
                    with self.subTest(dump=str(dump), line=line):
                        self.assertTrue(line.startswith(row["name"]))
                        remarks = lab.query(dump, line).get("remarks", [])
                        errors = [r["text"] for r in remarks if r["kind"] == "error" and not missing.search(r["text"])]
                        self.assertEqual(errors, [])

    def test_the_checker_sees_faults(self):
        good = {"symbols": [{"address": "0x1", "type": "T", "name": "a", "module": None, "offset": 0, "size": 1,
                             "file": None, "line": None}]}
        self.assertEqual(json_schema.faults("sym", good), [])
        for key, value in (("address", "1"), ("address", 1), ("offset", -1), ("name", None), ("new", 1)):
            bad = {"symbols": [{**good["symbols"][0], key: value}]}
            self.assertEqual(len(json_schema.faults("sym", bad)), 1, (key, value))


class Text(OnDump):
    def test_sys_is_a_banner(self):
        text = self.run_ok("sys")
        self.assertRegex(text, rf"(?m)^ *RELEASE: {re.escape(self.dump.meta['kernel_release'])}$")
        for label in "DUMPFILE", "CPUS", "DATE", "UPTIME", "LOAD AVERAGE", "TASKS", "PANIC", "PID", "COMMAND", "STATE":
            self.assertRegex(text, rf"(?m)^ *{label}: [^?\n]")
        colons = {line.index(":") for line in text.splitlines() if re.match(r" *[A-Z ]+: ", line)}
        self.assertEqual(len(colons), 1, "the labels are not aligned")

    def test_bt_names_the_crash(self):
        text = self.run_ok("bt")
        self.assertRegex(text, r'^PID: \d+  TASK: ffff[0-9a-f]{12}  CPU: \d+  COMMAND: ".*"\n #0 \[ffff')
        self.assertIn("sysrq_handle_crash", text)
        self.assertIn("panic+0x", text)

    def test_bt_all_shows_every_task(self):
        tasks = lab.query(self.dump, "ps")["tasks"]
        threads = lab.query(self.dump, "bt --all")["threads"]
        self.assertEqual([t["task"] for t in tasks], [t["task"] for t in threads])
        self.assertTrue(all(t["frames"] for t in threads if not t["on_cpu"] and t["pid"]))

    def test_ps_filters(self):
        every = lab.query(self.dump, "ps")["tasks"]
        kernel = lab.query(self.dump, "ps -k")["tasks"]
        user = lab.query(self.dump, "ps -u")["tasks"]
        self.assertEqual(len(kernel) + len(user), len(every))
        self.assertTrue(all(t["kernel_thread"] for t in kernel))
        self.assertTrue(any(t["comm"] == "kthreadd" for t in kernel))
        self.assertEqual([t["pid"] for t in lab.query(self.dump, "ps 1 2")["tasks"]], [1, 2])
        self.assertEqual({t["comm"][:7] for t in lab.query(self.dump, "ps kworker*")["tasks"]}, {"kworker"})
        counted = sum(s["count"] for s in lab.query(self.dump, "ps -S")["states"])
        self.assertEqual(counted, len(every))

    def test_log_filters(self):
        records = lab.query(self.dump, "log")["records"]
        self.assertEqual(lab.query(self.dump, "log -n 5")["records"], records[-5:])
        severe = lab.query(self.dump, "log -l 0-4")["records"]
        self.assertEqual(severe, [r for r in records if r["level"] <= 4])
        first = self.run_ok("log -t").splitlines()[0]
        self.assertEqual(first, records[0]["text"].splitlines()[0])
        self.assertRegex(self.run_ok("log -T"), r"^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}\] ")

    def test_sym_there_and_back(self):
        for name in "schedule", "linux_banner", "init_task", "panic":
            symbol = lab.query(self.dump, f"sym {name}")["symbols"][0]
            back = lab.query(self.dump, f"sym {symbol['address']}")["symbols"][0]
            self.assertEqual(symbol["address"], back["address"])
        offset = lab.query(self.dump, "sym panic+0x10")["symbols"][0]
        self.assertEqual((offset["name"], offset["offset"]), ("panic", 16))

    def test_rd_in_all_widths_is_the_same_memory(self):
        found = set()
        for bits in 8, 16, 32, 64:
            lines = lab.query(self.dump, f"rd -{bits} linux_banner {512 // bits}")["memory"]
            data = b"".join(int(v, 16).to_bytes(bits // 8, "little") for line in lines for v in line["values"])
            found.add(data)
        self.assertEqual(len(found), 1)
        self.assertTrue(found.pop().startswith(b"Linux version " + self.dump.meta["kernel_release"].encode()))
        physical = lab.query(self.dump, "vtop linux_banner")["translations"][0]["physical"]
        self.assertEqual(lab.query(self.dump, f"rd -p {physical} 9")["memory"][0]["values"],
                         lab.query(self.dump, "rd linux_banner 9")["memory"][0]["values"])
        start = int(lab.query(self.dump, "sym linux_banner")["symbols"][0]["address"], 16)
        self.assertEqual(lab.query(self.dump, f"rd linux_banner -e {start + 40:x}"), lab.query(self.dump, "rd linux_banner 5"))

    def test_holes_say_why(self):
        text = self.run_ok("rd ffff800000000000 4", status=1)
        self.assertIn("<32 bytes: not mapped>", text)
        self.assertIn("missing: 32 bytes: not mapped", text)

    def test_user_memory(self):
        init = lab.query(self.dump, "ps 1")["tasks"][0]
        self.assertFalse(init["kernel_thread"])
        walk = lab.query(self.dump, "vtop -c 1 400000")["translations"][0]["walk"]
        self.assertEqual(walk[0]["level"], "PGD")
        run = lab.inquest("-c", "vtop -c 2 400000", self.dump.vmcore)
        self.assertEqual(run.returncode, 1)
        self.assertIn("kernel thread", run.stderr)


class Errors(OnDump):
    def test_of_commands(self):
        for line, words in (("sy", "did you mean sy"), ("xyzzy", "unknown command"), ("bt -z", "no such option: -z"),
                            ("bt 99999999", ""), ("bt nosuch", "neither"), ("bt -c x", "not a list of CPUs"),
                            ("rd nosuchsymbol", "neither an address nor a symbol"), ("rd", "usage: rd"),
                            ("sym ffff800000000000", "no symbol covers"), ("log -l loud", "not a list of levels"),
                            ("mod nosuch", "no module is named"), ("ps nosuch", "no task matches"),
                            ("ps 'x", "not closed"), ("bt -g 99999999", "no task"), ("vtop", "which address"), ("bt -c", "needs a value"),
                            ("rd linux_banner x", "not a number"), ("help nosuch", "no command nosuch")):
            with self.subTest(line=line):
                run = lab.inquest("-c", line, self.dump.vmcore)
                self.assertEqual(run.returncode, 1, run.stdout)
                self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
                self.assertIn(words, run.stderr)
                value = json.loads(lab.inquest("--json", "-c", line, self.dump.vmcore).stdout)
                self.assertIn("error", [remark["kind"] for remark in value["remarks"]])

    def test_no_such_cpu(self):
        self.assertIn("error: there is no such CPU", lab.inquest("-c", "bt -c 4000", self.dump.vmcore).stdout)
        self.assertEqual(lab.inquest("-c", "bt -c 9999999", self.dump.vmcore).returncode, 1)

    def test_one_failure_does_not_stop_the_rest(self):
        run = lab.inquest("-c", "xyzzy; sym panic", self.dump.vmcore)
        self.assertEqual(run.returncode, 1)
        self.assertIn("panic", run.stdout)

    def test_of_usage_and_opening(self):
        with tempfile.NamedTemporaryFile() as empty, tempfile.TemporaryDirectory() as folder:
            for words in ([], ["--nonsense"], ["-c"], ["--color=pink", self.dump.vmcore], ["/nonexistent/vmcore"],
                          [empty.name], [folder], [__file__], ["-c", ";", self.dump.vmcore],
                          ["/bin/true", self.dump.vmcore, "/bin/false"]):
                with self.subTest(words=words):
                    run = lab.inquest(*words)
                    self.assertEqual(run.returncode, 2, run.stdout[-300:] + run.stderr)
                    self.assertEqual(run.stdout, "")
                    self.assertRegex(run.stderr, r"^inquest: .+\n$")
        self.assertIn("/nonexistent/vmcore", lab.inquest("/nonexistent/vmcore").stderr)

    def test_a_command_in_a_file_s_place(self):
        for words in (["ps"], ["ps", self.dump.vmcore], [self.dump.vmcore, "bt"]):
            name = next(word for word in words if word in ("ps", "bt"))
            run = lab.inquest(*words)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn(f'no file {name}; a command is given with -c: inquest -c "{name}" VMCORE', run.stderr)


class Program(OnDump):
    def test_help_and_version_need_no_dump(self):
        self.assertEqual(lab.inquest("--help").returncode, 0)
        self.assertRegex(lab.inquest("--version").stdout, r"^inquest \d+\.\d+")
        self.assertEqual(lab.inquest("-c", "help bt").returncode, 0)

    def test_report_without_commands(self):
        run = lab.inquest(self.dump.vmcore)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        self.assertIn("sysrq", run.stdout)

    def test_pipe_and_order_of_files(self):
        wanted = self.run_ok("sym linux_banner")
        with open(self.dump.vmcore, "rb") as dump:
            self.assertEqual(lab.inquest("-c", "sym linux_banner", "-", stdin=dump).stdout, wanted)
        # Through a real pipe, as from ssh or zcat.
        with subprocess.Popen(["cat", self.dump.vmcore], stdout=subprocess.PIPE) as cat:
            self.assertEqual(lab.inquest("-c", "sym linux_banner", "-", stdin=cat.stdout).stdout, wanted)
        self.assertEqual(lab.inquest(self.dump.vmcore, "-c", "sym linux_banner").stdout, wanted)

    def test_namelist_in_any_order(self):
        vmlinux = lab.LAB / self.dump.meta.get("vmlinux", "")
        if not vmlinux.is_file():
            self.skipTest("the lab has no vmlinux")
        wanted = self.run_ok("sym linux_banner panic")
        for words in ([vmlinux, self.dump.vmcore], [self.dump.vmcore, vmlinux], ["-k", vmlinux, self.dump.vmcore]):
            run = lab.inquest("-c", "sym linux_banner panic", *words)
            self.assertEqual(run.returncode, 0, run.stderr)
            # A stripped one is noted behind the answer.
            self.assertTrue(run.stdout.startswith(wanted), run.stdout)

    def test_no_colour_off_a_terminal(self):
        self.assertNotIn("\033", self.run_ok("sys; bt; ps; log"))
        self.assertIn("\033[", lab.inquest("--color", "always", "-c", "bt", self.dump.vmcore).stdout)

    @unittest.skipUnless(shutil.which("script"), "no script(1) to make a terminal")
    def test_colour_on_a_terminal(self):
        lab.need_terminal()
        command = f"{lab.INQUEST} -c bt {self.dump.vmcore}"
        for variables, wanted in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            environment = {**os.environ, "TERM": "xterm", **variables}
            run = subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, text=True,
                                 env=environment, stdin=subprocess.DEVNULL, check=False)
            self.assertEqual("\033[" in run.stdout, wanted, variables)

    def test_a_reader_that_leaves_is_no_error(self):
        # Both with SIGPIPE as a shell sets it, and ignored, as some parents leave it.
        for restore in True, False:
            with subprocess.Popen([lab.INQUEST, "-c", "sym -l; sym -l", self.dump.vmcore], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, restore_signals=restore) as run:
                run.stdout.readline()
                run.stdout.close()
                self.assertEqual(run.stderr.read(), b"")
                run.wait()
                self.assertIn(run.returncode, (0, -13))

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            run = subprocess.run([lab.INQUEST, "-c", "sym panic", self.dump.vmcore], stdout=full,
                                 stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("No space left", run.stderr)

    def test_no_line_ends_in_blanks(self):
        for line in self.run_ok("sys; bt -a; mod; ps; vtop linux_banner; rd linux_banner 3").splitlines():
            self.assertEqual(line, line.rstrip())


class Documents(unittest.TestCase):
    def test_man_page_names_every_command(self):
        page = pathlib.Path(lab.BUILD / "man" / "inquest.1").read_text()
        rows = json.loads(lab.inquest("--json", "-c", "help").stdout)["help"]
        for row in rows:
            self.assertIn(f".SS {row['name']} ", page + " ")
        if shutil.which("man"):
            run = subprocess.run(["man", "--warnings", "-l", lab.BUILD / "man" / "inquest.1"], capture_output=True,
                                 text=True, env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}, check=False)
            self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_completion_is_sound_bash(self):
        script = lab.BUILD / "man" / "inquest"
        question = 'source "$1"; COMP_WORDS=(inquest -c vto); COMP_CWORD=2; _inquest; echo "${COMPREPLY[@]}"'
        run = subprocess.run(["bash", "-c", question, "bash", script], capture_output=True, text=True, check=False)
        self.assertEqual((run.stdout, run.stderr), ("vtop\n", ""))
