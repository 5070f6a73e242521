# SPDX-License-Identifier: LGPL-2.1-or-later
"""log and mod, option by option: what the module of the scenario `workshop` printed, what kauditd
put on the console, /sys/module/*/sections and the module's own file."""

import datetime
import re
import shutil
import struct
import tempfile
import unittest

import lab
import test_slab
import workshop
from workshop import ask, errors


class Log(unittest.TestCase):
    def lines(self, shop, option):
        run = lab.inquest("-c", f"log {option}", shop.dump.vmcore)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.splitlines()

    @workshop.each
    def test_prefixes(self, shop):
        plain = [line for line in self.lines(shop, "") if "workshop: a line of level" in line]
        self.assertEqual(len(plain), 2)
        for line in plain:
            self.assertRegex(line, r"^\[ *\d+\.\d{6}\] workshop: a line of level [07]$")
        self.assertIn("workshop: a line of level 0", self.lines(shop, "-t"))
        leveled = [line for line in self.lines(shop, "-tm") if "a line of level" in line]
        self.assertEqual(leveled, ["<0>workshop: a line of level 0", "<7>workshop: a line of level 7"])
        insmod = [line for line in self.lines(shop, "-tc") if line.endswith("a line of level 0")]
        if any("caller" in text for text in [(shop.oracle / "kmsg").read_text()]):
            self.assertRegex(insmod[0], r"^\[ *T\d+\] workshop")
        self.assertEqual([line for line in self.lines(shop, "-t -l emerg") if "workshop" in line], ["workshop: a line of level 0"])

    @workshop.each
    def test_lines_and_parts_of_messages(self, shop):
        text = self.lines(shop, "-t")
        at = text.index("workshop: two lines,")
        self.assertEqual(text[at + 1].strip(), "of one message")
        self.assertIn("workshop: in parts: first second", text)
        self.assertNotIn("workshop: never printed", text)

    @workshop.each
    def test_dictionary(self, shop):
        text = self.lines(shop, "-td")
        at = text.index("platform workshop.7: a line of a device")
        self.assertEqual(text[at + 1:at + 3], ["SUBSYSTEM=platform", "DEVICE=+platform:workshop.7"])
        self.assertNotIn("SUBSYSTEM=platform", self.lines(shop, "-t"))

    @workshop.each
    def test_dates(self, shop):
        clock = r"\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d) UTC (\d{4})\] "
        line = next(line for line in self.lines(shop, "-T") if "audit: type=2000" in line)
        when = datetime.datetime.strptime(" ".join(re.match(clock, line).groups()), "%a %b %d %H:%M:%S %Y")
        # The kernel itself noted the date in the message.
        noted = datetime.datetime.fromtimestamp(float(re.search(r"audit\((\d+\.\d+):", line)[1]), datetime.timezone.utc)
        self.assertLess(abs((when - noted.replace(tzinfo=None)).total_seconds()), 60)

    @workshop.each
    def test_names_of_rust(self, shop):
        (line,) = [line for line in self.lines(shop, "-tR") if "a name of Rust" in line]
        self.assertEqual(line, "workshop: a name of Rust, mycrate::foo, and one of old, core::fmt::Formatter::pad")
        self.assertEqual([l for l in self.lines(shop, "-t") if "Rust" not in l], [l for l in self.lines(shop, "-tR") if "Rust" not in l])

    @workshop.each
    def test_audit_records(self, shop):
        # Nobody fetched them, and so kauditd printed them, too.
        console = (shop.folder / "console.log").read_text(errors="surrogateescape").replace("\r", "")
        theirs = re.findall(r"^\[ *\d+\.\d+\] audit: (type=\d+ audit.*)$", console, re.M)
        self.assertEqual(self.lines(shop, "-a"), theirs)
        records = ask(self, shop, "log -a")["audit"]
        self.assertEqual([f"type={row['type']} {row['text']}" for row in records], theirs)
        self.assertEqual({row["queue"] for row in records}, {"audit_hold_queue"})
        self.assertGreater(len(theirs), 2)

    @workshop.each
    def test_safe_buffers_are_of_older_kernels(self, shop):
        self.assertIn("no printk_safe buffers: since 5.15", errors(ask(self, shop, "log -s"))[0])

    def test_audit_queues_of_others(self):
        dumps = lab.dumps(name="sysrq", capture="qemu-elf") + workshop.damaged()
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                value = ask(self, dump, "log -a")
                self.assertEqual(value.get("audit", []), [])
                self.assertTrue(value["remarks"])


class Mod(unittest.TestCase):
    @workshop.each
    def test_what_of_a_module_is_not_in_the_dump(self, shop):
        """One whose name is the last thing before a page that is missing: the guard behind a stack."""
        task = next(task for task in ask(self, shop, "ps -k")["tasks"] if task["comm"] == "kthreadd")
        stack = ask(self, shop, f"struct task_struct.stack {task['task'][2:]}")["structs"][0]["members"][0]["value"]
        size = ask(self, shop, "mach")["stack_size"]
        list_at = ask(self, shop, "struct -o module.list")["structs"][0]["members"][0]["offset"]
        name_at = ask(self, shop, "struct -o module.name")["structs"][0]["members"][0]["offset"]
        module = int(stack, 16) + size - name_at - 64
        name = int.from_bytes(b"ghost", "little")
        modules = int(ask(self, shop, "sym modules")["symbols"][0]["address"], 16)
        changes = {module + list_at: struct.pack("<Q", modules), module + name_at: b"ghost", modules: struct.pack("<Q", module + list_at)}
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(shop.dump.vmcore, folder)
            places = {test_slab.Damage.offset_of(path, address): data for address, data in changes.items()}
            with open(path, "r+b") as file:
                for place, data in places.items():
                    file.seek(place)
                    file.write(data)
            ghost = next(m for m in test_slab.ask(path, "mod")["modules"] if m["name"] == "ghost")
            rows = test_slab.ask(path, 'modules |> where (char *)name == "ghost" |> select size, used')["rows"]
        self.assertEqual({ghost[key] for key in ("base", "size", "refcount", "taints")}, {None})
        self.assertEqual(rows, [{"size": None, "used": None}])
        self.assertEqual(ghost["state"], "live")  # the first of its members

    @workshop.each
    def test_sections(self, shop):
        ours = {m["module"]: {s["name"]: s for s in m["sections"]} for m in ask(self, shop, "mod -g")["module_sections"]}
        self.assertEqual(set(ours), {m["name"] for m in ask(self, shop, "mod")["modules"]})
        for name, sections in ours.items():
            folder = shop.oracle / "sys/module" / name / "sections"
            theirs = {path.name: int(path.read_text(), 16) for path in folder.iterdir()}
            self.assertEqual({key: int(s["start"], 16) for key, s in sections.items()}, theirs)
            for section in sections.values():
                if section["end"]:
                    self.assertGreaterEqual(int(section["end"], 16), int(section["start"], 16))
            self.assertIsNotNone(sections[".text"]["end"])
            # What was only for the start is freed; newer kernels still say where it was.
            self.assertIsNone(sections.get(".init.text", {"end": None})["end"])
        self.assertEqual(list(m["module"] for m in ask(self, shop, "mod -g workshop*")["module_sections"]), ["workshop_kernel"])
        if ".init.text" in ours["workshop_kernel"]:
            self.assertIn("(freed)", lab.inquest("-c", "mod -g workshop_kernel", shop.dump.vmcore).stdout)

    @workshop.each
    def test_debug_files(self, shop):
        file, folder = shop.folder / "modules/workshop_kernel.ko", shop.folder / "modules"
        (module,) = ask(self, shop, f"mod -s workshop_kernel {file}")["modules"]
        self.assertIn("workshop_kernel.ko", module["object_file"])
        self.assertIn("build-id", module["object_file"])
        self.assertIsNone(ask(self, shop, "mod workshop_kernel")["modules"][0]["object_file"])
        every = {m["name"]: m["object_file"] for m in ask(self, shop, f"mod -S {folder}")["modules"]}
        self.assertIn("workshop_kernel.ko", every["workshop_kernel"])
        self.assertIsNone(every["virtio_blk"])
        # Its lines are known from then on.
        run = lab.inquest("-c", f"mod -s workshop_kernel {file} -r -o; src wait_stall", shop.dump.vmcore)
        self.assertIn("workshop_kernel.c", run.stdout + run.stderr)
        text = lab.inquest("-c", f"mod -S {folder}", shop.dump.vmcore).stdout
        self.assertRegex(text, r"(?m)OBJECT FILE$")
        self.assertRegex(text, r"(?m)^ffff.* virtio_blk .*\(none\)$")
        # With both: sections of the module whose file is opened.
        self.assertTrue(ask(self, shop, f"mod -s workshop_kernel {file} -g")["module_sections"])

    @workshop.each
    def test_what_is_refused(self, shop):
        others = [other for other in workshop.workshops() if other.meta["series"] != shop.meta["series"]]
        for words, text in (("-d workshop_kernel", "stay once they are in use"), ("-D", "stay once they are in use"),
                            ("-R", "do not change"), ("-s nosuch", "no module is named nosuch"),
                            ("-s virtio_blk", "no debug file was found")):
            self.assertIn(text, " ".join(errors(lab.query(shop.dump, f"mod {words}"))))
        for other in others:
            value = lab.query(shop.dump, f"mod -s workshop_kernel {other.folder / 'modules/workshop_kernel.ko'}")
            self.assertIn("no debug file was found", " ".join(errors(value)))
            self.assertIsNone(value["modules"][0]["object_file"])

    @workshop.each
    def test_taints(self, shop):
        self.assertEqual([(m["name"], m["taints"]) for m in ask(self, shop, "mod -t")["modules"]], [("workshop_kernel", "OE")])
        self.assertEqual((shop.oracle / "sys/module/workshop_kernel/taint").read_text().strip(), "OE")
        (module,) = ask(self, shop, "mod workshop_kernel")["modules"]
        self.assertEqual(module["version"], (shop.oracle / "sys/module/workshop_kernel/version").read_text().strip())


if __name__ == "__main__":
    unittest.main()
