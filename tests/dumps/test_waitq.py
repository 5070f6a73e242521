# SPDX-License-Identifier: LGPL-2.1-or-later
"""waitq in all its forms: the queues of the scenario `workshop`, whose waiters are known."""

import unittest

import lab
import workshop
from workshop import ask, errors

BENCH = {"bench/0", "bench/1", "bench/2", "both"}


class Waitq(unittest.TestCase):
    def names(self, shop, line):
        value = ask(self, shop, line)
        self.assertEqual(errors(value), [], line)
        return {waiter["comm"] for waiter in value["waiters"]}

    @workshop.each
    def test_by_symbol(self, shop):
        value = ask(self, shop, "waitq workshop_bench")
        waiters = {name: (address, int(pid)) for name, address, pid in shop.rows("waiter")}
        self.assertEqual({row["comm"] for row in value["waiters"]}, BENCH)
        self.assertEqual(value["kind"], "wait_queue_head")
        for row in value["waiters"]:
            self.assertEqual((row["task"], row["pid"]), (f"0x{waiters[row['comm']][0]}", waiters[row["comm"]][1]))
            self.assertEqual(row["exclusive"], row["comm"] == "bench/2")
            self.assertEqual(row["function"], "autoremove_wake_function")
            self.assertEqual(row["state"], {"both": "I", "bench/2": "S"}.get(row["comm"], "D"))
        # Exclusive ones are put at the end, the others at the start.
        self.assertEqual([row["comm"] for row in value["waiters"]], ["both", "bench/1", "bench/0", "bench/2"])
        self.assertEqual(self.names(shop, "waitq workshop_kernel:workshop_bench"), BENCH)

    @workshop.each
    def test_by_address_and_member(self, shop):
        places = {name: address for kind in ("queue", "simple", "completion", "stall") for name, address in shop.rows(kind)}
        self.assertEqual(self.names(shop, f"waitq {places['workshop_bench']}"), BENCH)
        stall = {"stall/0", "stall/1", "both"}
        self.assertEqual(self.names(shop, f"waitq {places['stall.queue']}"), stall)
        self.assertEqual(self.names(shop, f"waitq stall.queue {places['stall']}"), stall)
        self.assertEqual(self.names(shop, f"waitq 0x{places['stall']}+0x18"), stall)

    @workshop.each
    def test_simple_queues_and_completions(self, shop):
        places = {name: address for kind in ("simple", "completion", "stall") for name, address in shop.rows(kind)}
        for line in ("waitq workshop_simple", f"waitq {places['workshop_simple']}"):
            value = ask(self, shop, line)
            self.assertEqual([row["comm"] for row in value["waiters"]], ["simple/0", "simple/1"])
            self.assertEqual(value["kind"], "swait_queue_head")
        self.assertEqual(self.names(shop, f"waitq stall.simple {places['stall']}"), {"stall-simple"})
        self.assertEqual(self.names(shop, f"waitq stall.done {places['stall']}"), {"done/0"})
        self.assertEqual(self.names(shop, f"waitq completion.wait {places['stall.done']}"), {"done/0"})

    @workshop.each
    def test_empty_and_wrong_ones(self, shop):
        run = lab.inquest("-c", "waitq workshop_empty", shop.dump.vmcore)
        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stdout, r'wait queue "workshop_empty" \([0-9a-f]{16}\) is empty')
        for words, text in (("stall.magic {}", "is a u64, not a wait queue"), ("stall.nosuch {}", "has no member nosuch"),
                            ("nosuch.queue {}", "there is no struct nosuch"), ("", "usage"),
                            ("stall {}", "is not STRUCT.MEMBER")):
            place = shop.rows("stall")[0][1]
            self.assertIn(text, errors(lab.query(shop.dump, "waitq " + words.format(place)))[0])
        # A string is no queue: its first bytes lead nowhere.
        self.assertTrue(errors(lab.query(shop.dump, "waitq linux_banner")))

    @workshop.each
    def test_what_user_programs_wait_for(self, shop):
        tasks = {task["comm"]: task["task"] for task in lab.query(shop.dump, "ps")["tasks"]}
        for role, key, place in (("in-pipe", "fd", "&((struct pipe_inode_info *){})->rd_wait"),
                                 ("in-poll", "fd", "&((struct socket *){})->wq.wait"),
                                 ("in-epoll", "epoll", "&((struct eventpoll *){})->wq"),
                                 ("in-epoll", "timerfd", "&((struct timerfd_ctx *){})->wqh")):
            fd = shop.facts(role)[key]
            private = f"((struct task_struct *){tasks[role]})->files->fdt->fd[{fd}]->private_data"
            value = ask(self, shop, f"waitq '{place.format(private)}'")
            self.assertEqual(errors(value), [])
            (waiter,) = value["waiters"]
            if key == "timerfd":
                self.assertEqual((waiter["function"], waiter["task"]), ("ep_poll_callback", None))
            else:
                self.assertEqual(waiter["pid"], shop.pid(role))

    def test_damaged(self):
        for dump in workshop.damaged():
            with self.subTest(dump=str(dump)):
                run = lab.inquest("-c", "waitq log_wait", dump.vmcore)
                self.assertIn(run.returncode, (0, 1))
                self.assertTrue(run.stdout or run.stderr)


if __name__ == "__main__":
    unittest.main()
