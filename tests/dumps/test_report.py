# SPDX-License-Identifier: LGPL-2.1-or-later
"""The diagnosis of every dump of the lab against the scenario's truth."""

import unittest

import json_schema
import lab

# The class of death that a scenario's truth names, and the kinds of verdict that say the same. A
# use after free shows as what the freed memory held: saying whose it was is for later detectors.
KINDS = {
    "array-index": {"out-of-bounds"},
    "bit-flip": {"bit-flip"},
    "bug": {"bug", "list-corruption"},
    "checker": {"use-after-free"},
    "data-call": {"nx-exec"},
    "deadlock": {"deadlock"},
    "divide-error": {"divide-error"},
    "double-free": {"double-free"},
    "freed-link": {"use-after-free"},
    "freed-vmalloc": {"freed-vmalloc"},
    "general-protection": {"non-canonical"},
    "hung-task": {"hung-task"},
    "machine-check": {"machine-check"},
    "msr": {"msr"},
    "init-killed": {"init-killed"},
    "nmi": {"nmi"},
    "null-pointer": {"null-pointer", "null-call", "bad-pointer"},
    "oom": {"oom"},
    "overflow": {"overflow"},
    "overrun": {"vmalloc-overrun"},
    "page-fault": {"bad-address", "read-only"},
    "panic": {"panic"},
    "rcu-stall": {"rcu-stall"},
    "reused": {"use-after-free"},
    "short-pointer": {"truncated-pointer"},
    "slab-damage": {"slab-damage"},
    "softlockup": {"softlockup"},
    "stack-bounds": {"stack-bounds"},
    "stack-overflow": {"stack-overflow"},
    "stack-protector": {"stack-corruption"},
    "sysrq": {"sysrq"},
    "unloaded-code": {"unloaded-code"},
    "use-after-free": {"use-after-free", "list-poison", "text-pointer"},
    "user-access": {"user-access"},
    "warning": {"warning"},
}

FATAL = {"panic", "oops", "kernel BUG", "NULL pointer dereference", "bad memory access", "double fault",
         "general protection fault", "divide error", "stack overflow", "invalid opcode"}


def source_name(name):
    return name.split(".")[0] if name else name


class Report(unittest.TestCase):
    def setUp(self):
        self.dumps = [d for d in lab.dumps() if "class" in d.truth]
        if not self.dumps:
            self.skipTest("the lab has no dumps")

    def whole(self):
        return [d for d in self.dumps if d.meta.get("truncate", 100) == 100]

    def scenario(self, name):
        return [d for d in self.whole() if d.meta["name"] == name]

    def each(self, dumps, check):
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                check(dump, lab.query(dump, "report"))

    def test_class_of_death(self):
        def check(dump, report):
            self.assertIn(report["verdict"]["kind"], KINDS[dump.truth["class"]],
                          report["verdict"]["what"])

        self.each(self.whole(), check)

    def test_who(self):
        def check(dump, report):
            truth, verdict = dump.truth, report["verdict"]
            if truth["module"]:
                self.assertEqual(verdict["module"], truth["module"])
                self.assertTrue(verdict["out_of_tree"])
            named = {source_name(verdict["function"]), source_name(report.get("fault", {}).get("function"))}
            stacks = [report[key] for key in ("stack", "verdict_stack") if key in report]
            named |= {source_name(f["symbol"]) for stack in stacks for f in stack["frames"]}
            if truth["function"]:
                # Newer kernels lengthen names: __list_del_entry_valid_or_report; compilers put one
                # function into another.
                wanted = tuple(n for n in (truth["function"], truth.get("of")) if n)
                # Not who was found waiting, but who holds it up.
                if "culprit" in truth:
                    wanted = (truth["culprit"]["function"],)
                self.assertTrue(any(n and n.startswith(wanted) for n in named), named)
            if report["system"]["comm"] is not None or not dump.holed:
                self.assertTrue(report["system"]["comm"].startswith(truth["comm"]), report["system"]["comm"])

        self.each(self.whole(), check)

    def test_who_asked_for_it(self):
        def check(dump, report):
            verdict = report["verdict"]
            self.assertIn("Requested by %s (pid" % dump.truth["comm"], verdict["what"])
            self.assertIn("/proc/sysrq-trigger", verdict["what"])
            # Its parents lead to process 1, where all of them can be read.
            if not dump.holed:
                self.assertIn("<- init (pid 1)", verdict["why"])
                self.assertIn("as user 0", verdict["why"])

        self.each([d for d in self.whole() if d.truth["class"] == "sysrq"], check)

    def test_settings_that_made_it_deadly(self):
        """They are in the dump's memory, not only words of ours."""
        settings = {"softlockup": "kernel.softlockup_panic = 1", "hung-task": "kernel.hung_task_panic = 1",
                    "rcu-stall": "kernel.panic_on_rcu_stall = 1", "oom": "vm.panic_on_oom = ",
                    "divide-error": "kernel.panic_on_oops = 1"}

        def check(dump, report):
            claims = [e["claim"] for e in report["verdict"]["evidence"]]
            wanted = settings[dump.truth["class"]]
            self.assertTrue(any(c.startswith(wanted) for c in claims), claims)

        self.each([d for d in self.whole() if d.truth["class"] in settings], check)

    def test_a_sound_machine_has_no_other_findings(self):
        """Crashed by request: whatever else is found may be no more than possible, where the scenario made no other trouble."""
        def check(dump, report):
            for finding in report["findings"][1:]:
                self.assertEqual(finding["confidence"], "possible", finding["what"])

        trouble = {"callback", "rings", "storms", "cache"}  # what such a scenario's truth has
        sound = [d for d in self.whole() if d.truth["class"] == "sysrq" and not trouble & d.truth.keys()]
        self.assertTrue(sound)
        self.each(sound, check)

    def test_who_used_what_an_overflow_spoilt_is_no_sure_culprit(self):
        def check(_, report):
            if report["verdict"]["kind"] == "overflow":
                self.assertEqual(report["verdict"]["function_confidence"], "possible")

        self.each(lab.dumps(name="neighbour"), check)

    def test_who_ate_the_memory(self):
        def check(dump, report):
            verdict, truth = report["verdict"], dump.truth
            where = verdict["why"] if truth["kind"] == "cgroup" else verdict["what"]
            self.assertIn(truth["eater"], where)
            # A task may have a little more than the limit.
            share = 100 if verdict["what"].startswith("All of ") else int(verdict["what"].split(" %)")[0].split("(")[-1])
            self.assertGreater(share, 60, verdict["what"])
            if truth["kind"] == "slab":
                self.assertIn("pointer to", verdict["why"])

        self.each([d for d in self.whole() if "eater" in d.truth], check)

    def test_how_init_died(self):
        def check(dump, report):
            verdict = report["verdict"]
            self.assertIn("was killed by signal 11 (SIGSEGV)", verdict["what"])
            self.assertTrue(any("init[1]: segfault at 10 " in e["claim"] for e in verdict["evidence"]))

        self.each(self.scenario("init-killed"), check)

    def test_which_hardware(self):
        def check(dump, report):
            verdict = report["verdict"]
            for words in ("bank 4", "memory, read, channel 1", "not corrected", "0x1f3a5000"):
                self.assertIn(words, verdict["what"])
            self.assertFalse(verdict["function"])

        self.each(self.scenario("machine-check"), check)

    def test_an_nmi_that_nobody_claims(self):
        def check(dump, report):
            self.assertIn("inject NMI", report["verdict"]["why"])
            self.assertFalse(report["verdict"]["module"])

        self.each(self.scenario("nmi-button"), check)

    def test_panic_text_is_in_the_log(self):
        for dump in self.whole():
            with self.subTest(dump=str(dump)):
                texts = [record["text"] for record in lab.query(dump, "log")["records"]]
                self.assertTrue(any(dump.truth["panic"] in t for t in texts), texts[-20:])

    def test_alarming_lines_reach_the_report(self):
        def check(dump, report):
            # An oops may start the crash kernel before the word "panic" is printed.
            kinds = {line["kind"] for line in report["log"]}
            self.assertTrue(kinds & FATAL, kinds)

        self.each(self.whole(), check)

    def test_offset_from_null(self):
        def check(dump, report):
            self.assertEqual(int(report["fault"]["address"], 16), dump.truth["offset"])
            self.assertIn("NULL + 0x%x" % dump.truth["offset"], report["verdict"]["what"])

        self.each([d for d in self.whole() if "offset" in d.truth], check)

    def test_a_cut_dump_is_never_surely_wrong(self):
        cut = [d for d in self.dumps if d.meta.get("truncate", 100) != 100]
        if not cut:
            self.skipTest("the lab has no cut-off dump")

        def check(dump, report):
            verdict = report["verdict"]
            self.assertIn(verdict["kind"], KINDS[dump.truth["class"]] | {"unknown"}, verdict["what"])
            self.assertTrue(any("cut off" in line for line in report["missing"]), report["missing"])

        self.each(cut, check)

    def test_text_begins_with_the_answer(self):
        for dump in self.whole():
            with self.subTest(dump=str(dump)):
                run = lab.inquest(dump.vmcore)
                # An old makedumpfile on a new kernel leaves holes; then something is missing.
                self.assertIn(run.returncode, (0, 1) if dump.holed else (0,), run.stdout[-400:] + run.stderr)
                lines = run.stdout.splitlines()[:10]
                labels = [line.split()[0] for line in lines if line and line[0] != " "]
                self.assertEqual(labels[:2], ["dump", "host"])
                for label in ("WHAT", "WHO", "SURE"):
                    self.assertIn(label, labels)

    def test_sections_in_order(self):
        """The answer, then what shows it, then the stack, then what else there is to know."""
        order = ["WHAT", "WHY", "WHO", "SURE", "MORE", "KNOWN", "NEXT", "SIGN", "EVIDENCE", "FAULT", "STACK",
                 "CPU", "TIMELINE", "MACHINE", "MISSING"]
        for dump in self.whole():
            with self.subTest(dump=str(dump)):
                words = [line.split()[0] for line in lab.inquest(dump.vmcore).stdout.splitlines()
                         if line[:1].isupper()]
                found = [order.index(word) for word in words if word in order]
                self.assertEqual(found, sorted(found), words)
                self.assertLessEqual({"WHAT", "SURE", "STACK", "TIMELINE", "MACHINE"}, set(words))

    def test_text_fits_the_page(self):
        for dump in self.whole():
            with self.subTest(dump=str(dump)):
                text = lab.inquest(dump.vmcore).stdout
                # The log's lines are as long as they were written.
                head, _, rest = text.partition("\nTIMELINE")
                for line in head.splitlines() + rest.partition("\n\n")[2].splitlines():
                    # The instruction and its place are as long as their names.
                    if not line.startswith(("FAULT", "    ffff")):
                        self.assertLessEqual(len(line), 100, line)

    def test_a_failed_detector_is_named(self):
        """Each detector is made to fail; the report says so, and is whole for the rest."""
        dump = next((d for d in self.scenario("null-ioctl")), None)
        if not dump:
            self.skipTest("the lab has no dump of null-ioctl")
        report = lab.query(dump, "report", "--fail-detector", "address")
        self.assertEqual([f["name"] for f in report["failed_detectors"]], ["address"])
        self.assertTrue(any("address" in line for line in report["missing"]), report["missing"])
        self.assertTrue(report["stack"]["frames"])
        self.assertIn('the detector "address" failed', lab.inquest("--fail-detector", "address", dump.vmcore).stdout)

    def test_schema(self):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                self.assertEqual(json_schema.faults("report", lab.query(dump, "report")), [])

    def test_every_piece_of_evidence_is_shown_by_its_command(self):
        """All commands of a dump in one run; each must succeed and print what it is said to show."""
        def check(dump, report):
            evidence = [e for f in report["findings"] for e in f["evidence"] if e["command"]]
            commands = list(dict.fromkeys(e["command"] for e in evidence))
            printed = {c: lab.inquest(dump.vmcore, "-c", c) for c in commands}
            for e in evidence:
                run = printed[e["command"]]
                # A stack that was overwritten cannot be followed to its end, and bt says so.
                broken = e["command"].startswith("bt") and "could not be followed" in run.stdout
                broken = broken or dump.holed and "missing: " in run.stderr + run.stdout
                self.assertIn(run.returncode, (0, 1) if broken else (0,),
                              e["command"] + ": " + run.stderr + run.stdout[-300:])
                if e["shows"]:
                    self.assertIn(e["shows"], run.stdout, e["command"])

        self.each(self.whole(), check)

    def test_null_from_the_session_channel(self):
        """The object that the NULL was read from is the session that the module allocated."""
        def check(dump, report):
            why = report["verdict"]["why"]
            self.assertIn("channel, argument 1 of channel_store, is NULL", why)
            self.assertIn("still holds it", why)
            self.assertEqual(report["verdict"]["function"], "session_account")
            self.assertTrue(report["verdict"]["object"])

        self.each(self.scenario("null-ioctl"), check)

    def test_why(self):
        """What value flow, objects and contents add to the words of the class."""
        wanted = {
            "gpf": ["node_sum"],
            "divide": ["the divisor is 0", "average_latency", "statistics"],
            "double-free": ["was freed"],
            "kfence": ["was allocated by trigger_set", "was freed by trigger_set"],
            "stale-text": ["memory there is text", "unhandled rdmsr"],
            "freelist-text": ["memory there is text", "customer-label"],
            "reverse-map": ["memory there is text", "guest [26000]", "ran over the end",
                            "kernel log has the same text", "constant of module guestmap"],
            "bug-workqueue": ["slot < 0", "-1"],
            "list-corruption": ["LIST_POISON1"],
        }
        for name, words in wanted.items():
            def check(dump, report, words=words):
                # Where damage begins may be in no object that can be told.
                if report["verdict"]["kind"] == "slab-damage" and not report["verdict"]["object"]:
                    return
                for word in words:
                    self.assertIn(word, report["verdict"]["why"])

            self.each(self.scenario(name), check)

    def test_why_by_the_truth(self):
        """Words of which a scenario's truth says that the explanation must have them."""
        def check(dump, report):
            for word in dump.truth["why"]:
                self.assertIn(word, report["verdict"]["why"])

        self.each([d for d in self.whole() if "why" in d.truth], check)

    def test_origin_against_the_truth(self):
        """Scenarios that tell where their bad value came from: who brought it in, who wrote it."""
        def check(dump, report):
            truth, verdict = dump.truth, report["verdict"]
            self.assertTrue(verdict["origin_confidence"])
            if "writer" in truth:
                self.assertEqual(verdict["function"], truth["writer"])
                self.assertIn("its code stores 0x%x" % truth["value"], verdict["because"])
                self.assertIn("not seen", verdict["against"])
            elif "caller" in truth:
                self.assertEqual(verdict["function"], truth["caller"])
            if "writer" not in truth:
                self.assertIn(truth["argument"], verdict["why"])

        self.each([d for d in self.whole() if "argument" in d.truth and "value" in d.truth], check)

    def test_arguments_on_the_stack(self):
        def check(dump, report):
            run = lab.inquest(dump.vmcore)
            line = next(l for l in run.stdout.splitlines() if "channel_store+" in l and "#0" in l)
            self.assertIn("channel=NULL", line)
            frame = report["stack"]["frames"][0]
            self.assertEqual(frame["arguments"][0]["name"], "channel")

        self.each([d for d in self.scenario("null-ioctl") if d.meta["capture"] == "kdump"], check)


if __name__ == "__main__":
    unittest.main()
