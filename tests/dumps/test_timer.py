# SPDX-License-Identifier: LGPL-2.1-or-later
"""timer, option by option: the timers that the module of the scenario `workshop` started and told
about, and /proc/timer_list of a moment before."""

import json
import re
import unittest

import lab
import workshop
from workshop import ask, errors

SECOND = 1000000000
MINUTES = 3  # from the start of the timers to the crash, on a slow host: the first of them expires after 200 s
# Those that can wait wait for a CPU that sleeps as long as it sleeps; a panic waits for CPUs that do not answer.
DEFERRABLE, LATE_SECONDS_MAX = "BASE_DEF", 60


def all_timers(value, key):
    return {timer["timer"]: (base, timer) for base in value[key] for timer in base["timers"]}


def proc_timer_list(text):
    """[(cpu, clock index, function, soft expiry, hard expiry)]"""
    found, cpu, clock, function = [], None, None, None
    for line in text.splitlines():
        if match := re.match(r"cpu: (\d+)", line):
            cpu = int(match[1])
        elif match := re.match(r" clock (\d+):", line):
            clock = int(match[1])
        elif match := re.match(r" #\d+: <[0-9a-f]+>, (\S+?),? .*S:", line):
            function = match[1]
        elif match := re.match(r" # expires at (\d+)-(\d+) nsecs", line):
            found.append((cpu, clock, function, int(match[1]), int(match[2])))
    return found


class Timer(unittest.TestCase):
    @workshop.each
    def test_timers_of_the_module(self, shop):
        value = ask(self, shop, "timer")
        timers = all_timers(value, "bases")
        new = shop.meta["series"] != "6.1"
        bases = {"plain": "BASE_GLOBAL" if new else "BASE_STD", "pinned": "BASE_LOCAL" if new else "BASE_STD", "deferrable": "BASE_DEF"}
        for name, address, function, expires, cpu in shop.rows("timer"):
            base, timer = timers[f"0x{address}"]
            self.assertEqual(timer["expires"], int(expires), name)
            self.assertEqual(timer["function"].split()[0], function)
            self.assertEqual(timer["tte"], int(expires) - value["jiffies"])
            self.assertEqual(timer["tte_ns"], timer["tte"] * (SECOND // value["hz"]))
            if int(cpu) >= 0:
                self.assertEqual(base["cpu"], int(cpu))
            if name in bases:
                self.assertEqual(base["base"], bases[name])
            self.assertEqual(timer["flags"], {"pinned": "pinned", "deferrable": "deferrable"}.get(name, timer["flags"]))
            if name.endswith("work"):
                self.assertEqual(timer["for"], "work workshop_do [workshop_kernel]")
        (hz,), (jiffies,) = [row[1:] for row in shop.rows("hz")], [row[1:] for row in shop.rows("jiffies")]
        self.assertEqual(value["hz"], int(hz[0]))
        self.assertTrue(0 < value["jiffies"] - int(jiffies[0]) < MINUTES * 60 * value["hz"])
        self.assertEqual({base["base"] for base in value["bases"] if base["cpu"] == 0},
                         {"BASE_LOCAL", "BASE_GLOBAL", "BASE_DEF"} if new else {"BASE_STD", "BASE_DEF"})

    @workshop.each
    def test_by_time_and_by_cpu(self, shop):
        value = ask(self, shop, "timer")
        for base in value["bases"]:
            times = [timer["tte"] for timer in base["timers"]]
            self.assertEqual(times, sorted(times))
            # A healthy machine's timers are at most a little late; the machine is about to die, and waits for the other CPU.
            if base["base"] != DEFERRABLE:
                self.assertTrue(all(tte > -LATE_SECONDS_MAX * value["hz"] for tte in times))
        self.assertEqual(ask(self, shop, "timer -C 1")["bases"], [base for base in value["bases"] if base["cpu"] == 1])
        self.assertEqual({clock["cpu"] for clock in ask(self, shop, "timer -r -C 1")["clocks"]}, {1})
        self.assertIn("no such CPU", errors(lab.query(shop.dump, "timer -C 9"))[0])
        text = lab.inquest("-c", "timer", shop.dump.vmcore).stdout
        self.assertRegex(text, r"(?m)^ *JIFFIES: \d+\n")
        self.assertRegex(text, r"(?m)^TIMER_BASES\[1\]\[BASE_DEF\]: ffff[0-9a-f]{12}$")
        self.assertRegex(text, r"(?m)^\d+ +\d+ +\d+\.\d{3} s  ffff[0-9a-f]{12}  workshop_tick \[workshop_kernel\]")

    @workshop.each
    def test_high_resolution_timers_of_the_module(self, shop):
        timers = all_timers(ask(self, shop, "timer -r"), "clocks")
        # A relative timer of the real-time clock is one of the monotonic clock.
        clocks = {"monotonic": ("CLOCK_MONOTONIC", False), "real": ("CLOCK_MONOTONIC", False),
                  "boot": ("CLOCK_BOOTTIME", False), "soft": ("CLOCK_MONOTONIC", True)}
        for name, address, function, soft, hard in shop.rows("hrtimer"):
            clock, timer = timers[f"0x{address}"]
            self.assertEqual((timer["soft_expires"], timer["expires"]), (int(soft), int(hard)), name)
            self.assertEqual(timer["function"].split()[0], function)
            self.assertEqual((clock["clock"], clock["soft"]), clocks[name])
            self.assertEqual(timer["tte_ns"], timer["expires"] - clock["now_ns"])
            begun = 1000 * SECOND * (6 + ["monotonic", "real", "boot", "soft"].index(name))
            self.assertTrue(begun - MINUTES * 60 * SECOND < timer["tte_ns"] <= begun, name)

    @workshop.each
    def test_what_proc_said(self, shop):
        value = ask(self, shop, "timer -r")
        ours = {(clock["cpu"], clock["index"], (timer["function"] or "").split()[0], timer["soft_expires"], timer["expires"])
                for clock in value["clocks"] for timer in clock["timers"]}
        now = max(clock["now_ns"] for clock in value["clocks"] if clock["clock"] == "CLOCK_MONOTONIC")
        theirs = proc_timer_list((shop.oracle / "proc/timer_list").read_text())
        far = [timer for timer in theirs if timer[3] > now + 100 * SECOND]
        self.assertGreater(len(far), 15)
        self.assertEqual(set(far) - ours, set())
        self.assertEqual({timer for timer in ours if timer[3] > now + 100 * SECOND} - set(theirs), set())

    @workshop.each
    def test_whom_they_are_for(self, shop):
        rows = [timer for clock in ask(self, shop, "timer -r")["clocks"] for timer in clock["timers"]]
        words = {timer["for"] for timer in rows}
        for role in ("in-nanosleep", "nice-low", "as-fifo", "pinned", "timers"):
            self.assertIn(f"{role} (pid {shop.pid(role)})", words)
        functions = [timer["function"] for timer in rows if timer["for"].startswith("timers ")]
        kept = [facts for role, _, _, facts in shop.people if role == "timers" and facts.get("clock") in ("0", "1", "7")]
        self.assertEqual(functions.count("posix_timer_fn"), len(kept))
        self.assertEqual(functions.count("it_real_fn"), 1)
        tasks = {task["task"]: task["pid"] for task in lab.query(shop.dump, "ps")["tasks"]}
        self.assertTrue(all(f"(pid {tasks[timer['task']]})" in timer["for"] for timer in rows if timer["task"]))

    def test_one_that_is_too_far_away_for_ns(self):
        dumps = lab.dumps(name="sysrq", capture="kdump")
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                address, far = min(all_timers(ask(self, dump, "timer"), "bases")), 1 << 62
                run = lab.inquest("--json", "-c", f"wr -64 {address}+16 {far:x}; timer", dump.vmcore)
                timer = all_timers(json.loads(run.stdout)["commands"][-1], "bases")[address][1]
                self.assertEqual((timer["expires"], timer["tte_ns"]), (far, None))
                self.assertGreater(timer["tte"], far // 2)

    def test_other_kernels_and_damage(self):
        dumps = lab.dumps(name="sysrq", capture="qemu-elf")
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                wheel, high = ask(self, dump, "timer"), ask(self, dump, "timer -r")
                for base in wheel["bases"]:
                    if base["base"] != DEFERRABLE:
                        self.assertTrue(all(-LATE_SECONDS_MAX * wheel["hz"] < timer["tte"] for timer in base["timers"]))
                    self.assertTrue(all(timer["function"] for timer in base["timers"]))
                theirs = proc_timer_list((dump.oracle / "proc/timer_list").read_text())
                ours = {(clock["cpu"], timer["function"].split()[0], timer["soft_expires"]) for clock in high["clocks"] for timer in clock["timers"]}
                far = {(cpu, function, soft) for cpu, _, function, soft, _ in theirs if soft > 600 * SECOND}
                self.assertEqual(far - ours, set())
                self.assertTrue({function for _, function, _ in ours} & {"tick_nohz_handler", "tick_sched_timer"})
        for dump in workshop.damaged():
            with self.subTest(dump=str(dump)):
                run = lab.inquest("-c", "timer", dump.vmcore)
                if "--makedumpfile old" in str(dump) or "old" in str(dump):
                    self.assertIn("TIMER_BASES[0]", run.stdout)
                else:
                    self.assertEqual((run.returncode, "cannot be found" in run.stderr), (1, True))


if __name__ == "__main__":
    unittest.main()
