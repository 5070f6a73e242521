# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reasoning of real investigations, rebuilt in the lab: arguments, origins and faults that an expert once worked out by hand.

Everything is asked without any debug file: the kernel's and the modules' own BTF and symbols; and once more with the debug files
of one kernel and of its modules. The truth is what the modules printed before the crash ("known NAME VALUE ..."), and the
scenario's truth.json."""

import re
import unittest

import debug_package
import lab


def known(dump):
    """{word: value in hexadecimal} of the pairs in the console's lines "known ...", and of "planted ..."."""
    found = {}
    for line in (dump.folder / "console.log").read_text(errors="replace").splitlines():
        match = re.search(r"\] (?:\w+: )?(?:known|planted) (.*)", line)
        if match:
            words = match[1].split()
            found.update(zip(words[::2], words[1::2]))
    return found


class Case(unittest.TestCase):
    series = None  # the kernel whose debug files are used

    def each(self, name):
        """(dump, truth, what its module printed) of each dump of a scenario."""
        wanted = {"series": self.series} if self.series else {}
        found = lab.dumps(name=name, truncate=100, **wanted)
        if not found:
            self.skipTest(f"the lab has no dump of {name}")
        for dump in found:
            with self.subTest(dump=str(dump)):
                yield dump, dump.truth, known(dump)

    def ask(self, dump, line):
        words = ["--no-debuginfo"]
        if self.series:
            words = ["-k", debug_package.folder(self.series), "-m", dump.folder / "modules"]
        return lab.query(dump, line, *words)

    def frames(self, dump, line="bt -A"):
        return self.ask(dump, line)["threads"][0]["frames"]

    def frame(self, frames, function):
        """The frame of a function, whatever the compiler added to its name."""
        found = [f for f in frames if f["symbol"] and f["symbol"].split(".")[0] == function and not f["inlined"]]
        self.assertTrue(found, f"{function} is not on the stack")
        return found[-1]

    def arguments(self, frame):
        return {a["name"]: a for a in frame["arguments"]}

    def sure(self, argument):
        """The argument's value; the test fails when it is no more than a guess."""
        self.assertIn(argument["origin"], ("exact", "derived"), argument)
        return int(argument["number"], 16)

    def cells(self, answer):
        """Every step of an origin that is a memory cell, by name."""
        return {s["name"]: s for s in answer["steps"] if s["kind"] == "cell"}


class TextOverTable(Case):
    def test_the_condition_that_did_not_hold(self):
        """BUG_ON(!(*entry->word & WORD_PRESENT)) on a word that text ran over."""
        for dump, _, printed in self.each("reverse-map"):
            fault = self.ask(dump, "fault")["fault"]
            self.assertRegex(fault["bug"]["place"], r"guestmap\.c:\d+$")
            first = fault["conditions"][0]
            self.assertTrue(first["condition"].endswith("& 1) == 0"), first)
            self.assertEqual(int(first["left"], 16) & 1, 0)
            self.assertEqual(first["right"], "0x1")
            # The cell is in the table of words, and rcx, which leads to it, is what the module put into the entry.
            answer = self.ask(dump, "origin rcx")
            word = int(answer["steps"][0]["value"], 16)
            words = int(printed["words"], 16)
            self.assertTrue(words <= word < words + 4096)
            self.assertEqual(int(first["left_cell"], 16), word)
            self.assertEqual(answer["steps"][0]["kind"], "cell")
            self.assertTrue(answer["steps"][0]["sure"])
            self.assertRegex(answer["sentence"], r"guestmap_entry")


    def test_a_loop_says_nothing_sure_of_earlier_rounds(self):
        """rax is the entry, by one of two ways: the first one, or what the one before pointed to, which is not what this points to."""
        for dump, _, printed in self.each("reverse-map"):
            steps = self.ask(dump, "origin rax")["steps"]
            self.assertEqual(steps[0]["kind"], "ways")
            first, other = [s for s in steps if s["depth"] == 1]
            self.assertEqual(int(first["cell"], 16), int(printed["guest"], 16))
            self.assertEqual((other["kind"], other["value"], other["cell"]), ("cell", None, None))

    def test_a_namesake_in_the_kernel_is_another_function(self):
        """The module's die() takes nothing; the kernel's takes three arguments."""
        for dump, _, _ in self.each("reverse-map"):
            for frame in self.frames(dump):
                if frame["symbol"] == "die" and frame["module"] == "guestmap":
                    self.assertEqual(frame.get("arguments", []), [])


class PageNeverHad(Case):
    def test_the_argument_is_null_and_the_caller_passed_it(self):
        for dump, truth, printed in self.each("unowned-page"):
            frames = self.frames(dump)
            page = self.arguments(self.frame(frames, truth["function"]))[truth["argument"]]
            self.assertEqual((self.sure(page), page["type"], page["meaning"]), (0, "struct page *", "NULL"))
            caller = self.frame(frames, truth["caller"])
            self.assertEqual(caller["module"], truth["module"])
            passed = self.arguments(caller)
            self.assertEqual({n: self.sure(passed[n]) for n in ("b", "to", "size", "pos")},
                             {"b": int(printed["blob"], 16), "to": int(printed["to"], 16),
                              "size": int(printed["size"]), "pos": int(printed["pos"], 16)})
            read = self.arguments(self.frame(frames, "vfs_read"))
            self.assertEqual(self.sure(read["file"]), int(printed["file"], 16))
            self.assertIn("/proc/blob", read["file"]["meaning"])

    def test_the_fault(self):
        for dump, truth, _ in self.each("unowned-page"):
            fault = self.ask(dump, "fault")["fault"]
            bad = [o for o in fault["operands"] if o["faulted"]]
            self.assertEqual([(o["pointer"], o["object"], o["register_value"]) for o in bad], [("page", "struct page", "0x0")])
            self.assertTrue(fault["at"].startswith(truth["function"] + "+"))

    def test_where_the_null_came_from(self):
        for dump, truth, _ in self.each("unowned-page"):
            steps = self.ask(dump, "origin rdi")["steps"]
            self.assertEqual((steps[0]["kind"], steps[0]["name"], steps[0]["value"], steps[0]["function"]),
                             ("argument", "page", "0x0", truth["function"]))
            # Where a page was allocated a branch made sure that it is not NULL: the NULL cannot be of that way.
            self.assertEqual([(s["kind"], s["function"], s["value"]) for s in steps[1:]],
                             [("ways", truth["caller"], "0x0"), ("constant", truth["caller"], "0x0")])
            self.assertIn("the only one of 2 paths", steps[1]["text"])

    def test_the_sentence(self):
        for dump, truth, _ in self.each("unowned-page"):
            sentence = self.ask(dump, "origin rdi")["sentence"]
            self.assertRegex(sentence, r"^rdi = 0x0 in __free_pages is page, argument 1 of __free_pages, .*"
                                       rf"{truth['caller']}.*a constant in the code of blob_read_at$")


class FreedAndWritten(Case):
    def origin(self, dump, truth):
        """Of the register through which the kernel read where nothing is."""
        fault = self.ask(dump, "fault")["fault"]
        bad = next(o for o in fault["operands"] if o["faulted"])
        self.assertEqual(int(bad["register_value"], 16), truth["value"])
        self.assertEqual(int(fault["address"], 16), truth["value"])
        self.assertEqual((bad["object"], bad["offset"]), ("struct sk_buff", 0))
        self.assertTrue(bad["place"].endswith("->next"), bad)
        return self.ask(dump, "origin " + re.search(r"%(\w+)", bad["text"])[1])

    def test_the_value_came_through_head_and_end(self):
        for dump, truth, printed in self.each("late-completion"):
            answer = self.origin(dump, truth)
            cells = self.cells(answer)
            cell = next(s for s in answer["steps"] if s["cell"] and int(s["cell"], 16) == int(printed["cell"], 16))
            self.assertEqual(int(cell["cell_now"], 16), truth["value"])
            self.assertEqual(cell["function"], truth["of"])
            self.assertRegex(cell["what"], "kmalloc-1k")
            self.assertIn(f"{int(printed['head'], 16):#x}", cell["what"])
            for name in truth["through"]:
                self.assertIn(name, cells)
                self.assertIn(name, cell["name"])
            # The type of what follows the data is in no declaration.
            struct, member = truth["member"].split(".")
            self.assertEqual(cell["name"], f"((struct {struct} *)(skb->head + skb->end))->{member}")
            for word in (cell["name"], f"{int(printed['cell'], 16):016x}", "kmalloc-1k", f"skb, argument 1 of {truth['of']}"):
                self.assertIn(word, answer["sentence"])
            self.assertEqual(int(cells["skb->head"]["cell_now"], 16), int(printed["head"], 16))
            self.assertEqual(int(cells["skb->end"]["cell_now"], 16), int(printed["end"]))
            argument = next(s for s in answer["steps"] if s["kind"] == "argument" and s["function"] == truth["of"])
            self.assertEqual((argument["name"], int(argument["value"], 16), argument["sure"]),
                             (truth["argument"], int(printed["skb"], 16), True))

    def test_the_argument(self):
        for dump, truth, printed in self.each("late-completion"):
            skb = self.arguments(self.frame(self.frames(dump), truth["of"]))[truth["argument"]]
            self.assertEqual((self.sure(skb), skb["type"]), (int(printed["skb"], 16), "struct sk_buff *"))

    def test_a_call_through_the_argument_itself(self):
        """module_attr_store() calls what its attribute points to: what its callee tells confirms which call that was."""
        for dump, _, _ in self.each("late-completion"):
            frames = self.frames(dump)
            called = self.arguments(self.frame(frames, "param_attr_store"))
            calling = self.arguments(self.frame(frames, "module_attr_store"))
            for ours, theirs in (("attr", "mattr"), ("kobj", "mk"), ("buf", "buf"), ("len", "len")):
                self.assertEqual(self.sure(calling[ours]), self.sure(called[theirs]))
            self.assertEqual((calling["buf"]["meaning"], self.sure(calling["len"])), ('"1\\n"', 2))

    def test_who_stores_that_value(self):
        for dump, truth, _ in self.each("late-completion"):
            found = self.ask(dump, f"writers {truth['value']:#x}")
            self.assertIn(truth["writer"], str(found))


class NumberNeverGiven(Case):
    def test_the_condition(self):
        for dump, truth, _ in self.each("unset-id"):
            first = self.ask(dump, "fault")["fault"]["conditions"][0]
            self.assertEqual((first["condition"], first["left"], first["again"]), (f"{truth['argument']} < 0", "0xffffffff", False))

    def test_the_number_is_a_member_of_an_object(self):
        for dump, truth, printed in self.each("unset-id"):
            frames = self.frames(dump)
            number = self.arguments(self.frame(frames, truth["function"]))[truth["argument"]]
            self.assertEqual(self.sure(number), truth["value"] & 0xffffffff)
            group = self.arguments(self.frame(frames, truth["caller"]))["g"]
            self.assertEqual((self.sure(group), group["type"]), (int(printed["group"], 16), "struct group *"))
            answer = self.ask(dump, "origin rsi")
            cell = self.cells(answer)["g->number"]
            self.assertEqual((int(cell["cell"], 16), cell["function"], cell["cell_now"], cell["sure"]),
                             (int(printed["cell"], 16), truth["caller"], "0xffffffff", True))
            self.assertIn("g->number", answer["sentence"])
            self.assertIn(truth["earlier"], lab.inquest("-c", "log", dump.vmcore).stdout)


class TwoWays(Case):
    """planted_reuse() put another value into its argument's register on one of two ways, and changed what decided between them."""

    def planted(self, dump):
        threads = self.ask(dump, "ps planted")
        row = next(iter(v for v in threads.values() if isinstance(v, list)))[0]
        return row["pid"]

    def test_the_argument_is_unknown(self):
        for dump, _, printed in self.each("unset-id"):
            frames = self.frames(dump, f"bt -A {self.planted(dump)}")
            passed = self.arguments(self.frame(frames, "planted_reuse"))
            self.assertEqual((passed["secret"]["origin"], passed["secret"]["number"]), ("unknown", None))
            self.assertIsNone(passed["secret"]["meaning"])
            for argument in (a for f in frames for a in f.get("arguments", [])):
                self.assertNotEqual(argument["number"], f"0x{printed['secret']}")

    def test_the_register_has_two_origins(self):
        for dump, _, _ in self.each("unset-id"):
            pid = self.planted(dump)
            level = self.frame(self.frames(dump, f"bt -A {pid}"), "planted_reuse")["level"]
            answer = self.ask(dump, f"origin -t {pid} rbx {level}")
            kinds = [s["kind"] for s in answer["steps"]]
            self.assertEqual(kinds[0], "ways")
            self.assertIn("argument", kinds)
            lost = next(s for s in answer["steps"] if s["kind"] == "lost")
            self.assertIn("rdtsc", lost["text"])
            argument = next(s for s in answer["steps"] if s["kind"] == "argument")
            self.assertEqual((argument["name"], argument["value"]), ("secret", None))

    def test_what_a_call_destroyed_is_said_so(self):
        for dump, _, _ in self.each("unset-id"):
            pid = self.planted(dump)
            level = self.frame(self.frames(dump, f"bt -A {pid}"), "planted_sleep")["level"]
            answer = self.ask(dump, f"origin -t {pid} rcx {level}")
            self.assertTrue(any(s["kind"] == "lost" and "destroyed" in s["text"] for s in answer["steps"]), answer)


class WaitersOfALock(Case):
    def test_every_waiter_waits_for_the_lock_that_one_holds(self):
        for dump, truth, printed in self.each("lock-walk"):
            threads = self.ask(dump, "bt -a -A")["threads"]
            waiters = [t for t in threads if t["comm"].startswith("adder/")]
            self.assertEqual(len(waiters), dump.meta["cpus"] - 1)
            lock = int(printed["lock"], 16)
            for thread in waiters:
                slow = self.arguments(self.frame(thread["frames"], truth["function"]))["lock"]
                self.assertEqual((self.sure(slow), slow["type"]), (lock, "struct qspinlock *"))
                fast = self.arguments(self.frame(thread["frames"], "_raw_spin_lock_bh"))["lock"]
                self.assertEqual(self.sure(fast), lock)
                own = self.arguments(self.frame(thread["frames"], truth["holder"]))
                self.assertEqual(self.sure(own["s"]), int(printed["set"], 16))
                level = self.frame(thread["frames"], "_raw_spin_lock_bh")["level"]
                answer = self.ask(dump, f"origin -t {thread['pid']} rdi {level}")
                self.assertEqual(int(answer["steps"][0]["value"], 16), lock)

    def test_the_holder_is_the_one_that_walks(self):
        for dump, truth, printed in self.each("lock-walk"):
            threads = self.ask(dump, "bt -a -A")["threads"]
            walker = next(t for t in threads if t["comm"].startswith("walker/"))
            # It may just be between two walks, which is a few instructions.
            names = {f["symbol"].split(".")[0] for f in walker["frames"] if f["symbol"]}
            self.assertTrue(truth["walker"] in names or truth["holder"] in names, names)
            held = self.arguments(self.frame(walker["frames"], truth["holder"]))
            self.assertEqual(self.sure(held["s"]), int(printed["set"], 16))
            self.assertFalse(any(f["symbol"] == truth["function"] for f in walker["frames"]))

    def test_the_verdict_blames_the_holder(self):
        """Not the panicking task, which spins like the others, but the one CPU that got through."""
        for dump, truth, printed in self.each("lock-walk"):
            verdict = self.ask(dump, "report")["verdict"]
            self.assertEqual(verdict["kind"], truth["class"])
            self.assertEqual(verdict["module"], truth["module"])
            self.assertIn(verdict["function"], (truth["walker"], truth["holder"]))
            self.assertIn("walker/", verdict["why"])
            self.assertIn(f"{int(printed['lock'], 16):016x}", verdict["why"])
            self.assertIn(truth["holder"], verdict["why"])


class Verdicts(Case):
    """What the experts concluded, as the report's verdict, with no debug file at all."""

    def verdicts(self, name):
        for dump, truth, printed in self.each(name):
            report = self.ask(dump, "report")
            yield truth, printed, report["verdict"], report

    def test_a_page_that_nobody_had(self):
        for truth, _, verdict, _ in self.verdicts("unowned-page"):
            self.assertEqual(verdict["kind"], "null-pointer")
            self.assertEqual((verdict["module"], verdict["function"]), (truth["module"], truth["caller"]))
            self.assertIn("argument 1 of __free_pages, is NULL", verdict["why"])
            self.assertIn(f"a constant in the code of {truth['caller']}", verdict["why"])

    def test_freed_and_written_by_its_former_owner(self):
        for name, owner in (("late-completion", "array_command"), ("stale-command", "raid_command")):
            for truth, printed, verdict, _ in self.verdicts(name):
                self.assertEqual((verdict["module"], verdict["function"]), (truth["module"], truth["writer"]))
                self.assertIn(f"0x{truth['value']:x}", verdict["what"])
                self.assertIn(f"{int(printed['cell'], 16):016x}", verdict["why"])
                self.assertIn(f"was a struct {owner}", verdict["why"])
                self.assertIn("the write itself was not seen", verdict["against"])
                claims = " ".join(e["claim"] for e in verdict["evidence"])
                if "former" in truth:
                    self.assertIn(f"before, it was a struct {owner}", claims)

    def test_text_over_a_table(self):
        for truth, _, verdict, report in self.verdicts("reverse-map"):
            self.assertEqual((verdict["kind"], verdict["module"]), ("bug", truth["module"]))
            self.assertIn("The memory there is text", verdict["why"])
            self.assertIn("The kernel log has the same text", verdict["why"])
            repeated = [a for a in report["log"] if a["count"] > 10]
            self.assertTrue(any(a["related"] for a in repeated), report["log"])

    def test_an_id_that_was_never_given(self):
        for truth, _, verdict, report in self.verdicts("unset-id"):
            self.assertEqual((verdict["module"], verdict["function"]), (truth["module"], truth["caller"]))
            self.assertIn(f"it was {truth['value']}", verdict["why"])
            self.assertIn("page allocation of order 6 that failed", verdict["why"])
            causes = [a for a in report["log"] if a["cause"]]
            self.assertEqual(len(causes), 1, report["log"])
            self.assertIn(truth["earlier"], causes[0]["text"])

    def test_a_walk_under_a_lock(self):
        for truth, _, verdict, _ in self.verdicts("lock-walk"):
            self.assertEqual((verdict["kind"], verdict["module"]), ("softlockup", truth["module"]))
            self.assertIn(verdict["function"], (truth["walker"], truth["holder"]))

    def test_how_long_a_walk_is(self):
        """Which loops the holder is in, and how far; the module's table has 512 buckets."""
        for truth, _, verdict, _ in self.verdicts("lock-walk"):
            loops = [e["claim"] for e in verdict["evidence"] if "is in a loop" in e["claim"]]
            self.assertEqual([text.split("+")[0].split(".")[0] for text in loops], [truth["walker"], truth["holder"]])
            turn, turns = re.search(r"turn (\d+) of (\d+)$", loops[0]).groups()
            self.assertEqual(int(turns), 512)
            self.assertLess(int(turn), 512)


def with_debug_files(case):
    """The same tests, with the debug files of one kernel."""
    return type(case.__name__ + "WithDebugFiles", (case,), {"series": debug_package.SERIES, "__module__": __name__})


TextOverTableFull = with_debug_files(TextOverTable)
PageNeverHadFull = with_debug_files(PageNeverHad)
FreedAndWrittenFull = with_debug_files(FreedAndWritten)
NumberNeverGivenFull = with_debug_files(NumberNeverGiven)
TwoWaysFull = with_debug_files(TwoWays)
WaitersOfALockFull = with_debug_files(WaitersOfALock)


if __name__ == "__main__":
    unittest.main()
