# SPDX-License-Identifier: LGPL-2.1-or-later
"""list and tree on the lab's scenario "structures", whose module printed what its lists and trees hold; and on
the kernel's own, of which the guest's /proc tells the contents."""

import json
import random
import re
import unittest

import lab

# head, member, the list's name in the log
LISTS = [("st_list", "link"), ("st_hash", "hash"), ("st_nulls", "nulls"), ("st_lifo", "lifo"), ("st_ranked", "ranked"), ("st_bit", "bit")]


class Structures:
    """What the module said in the console's log."""

    def __init__(self, dump):
        self.dump = dump
        self.ids, self.depths, self.address, self.entries, self.ranges, self.percpu = {}, {}, {}, {}, {}, {}
        for line in (dump.folder / "console.log").read_text(errors="replace").splitlines():
            words = line.partition("structures: ")[2].split()
            if not words:
                continue
            if words[0] in ("ids", "depths"):
                getattr(self, words[0])[words[1]] = [int(word) for word in words[2:]]
            elif words[0] == "address":
                self.address[words[1]] = int(words[2], 16)
            elif words[0] == "item":
                self.items, self.size = int(words[1], 16), int(words[2])
            elif words[0] == "entry":
                self.entries.setdefault(words[1], {})[int(words[2])] = (words[3], int(words[4]))
            elif words[0] == "range":
                self.ranges.setdefault(words[1], []).append(tuple(map(int, words[2:])))
            elif words[0] == "percpu":
                self.percpu[int(words[1])] = tuple(int(word, 16) for word in words[2:])
            elif words[0] == "hole":
                self.hole = int(words[1], 16)
            elif words[0] == "lost":
                self.lost = int(words[2])

    def id_of(self, address):
        number, rest = divmod(int(address, 16) - self.items, self.size)
        assert rest == 0 and 0 <= number < 256, address
        return number

    def item(self, number):
        return self.items + number * self.size


class OnStructures(unittest.TestCase):
    def setUp(self):
        self.dumps = [Structures(dump) for dump in lab.dumps(name="structures", capture="qemu-elf")]
        if not self.dumps:
            self.skipTest("the lab has no structures dump")

    def each(self, lines):
        """(what the module said, the answers to the lines), for each dump; one run for all lines."""
        for s in self.dumps:
            yield s, lab.query(s.dump, "; ".join(line.format(s=s) for line in lines) + "; eval 1")["commands"]

    def ids(self, s, value):
        return [s.id_of(entry["address"]) for entry in value["entries"]]


def errors(value):
    return [r["text"] for r in value.get("remarks", []) if r["kind"] in ("error", "missing")]


class Lists(OnStructures):
    def test_all_kinds_of_lists_from_their_heads(self):
        lines = [f"list -H {head} -o st_item.{member} -s st_item.id,name" for head, member in LISTS]
        for s, values in self.each(lines):
            for (head, _), value in zip(LISTS, values):
                self.assertEqual(self.ids(s, value), s.ids[head], head)
                self.assertEqual(value["count"], len(s.ids[head]))
                self.assertEqual(errors(value), [], head)
                for number, entry in zip(s.ids[head], value["entries"]):
                    members = {m["name"]: m["value"] for m in entry["structs"][0]["members"]}
                    self.assertEqual(members, {"id": number, "name": f"item{number}"})

    def test_the_ways_to_say_where_a_list_begins(self):
        lines = ["list st_item.link -H st_list", "list -H st_list {s.link}", "list -H st_list -o {s.link}",
                 "list -h {s.items:#x} -o st_item.link", "list {s.link} -h st_items", "list st_item.link st_items",
                 "list -O st_owner.items -h st_owner -o st_item.link", "list -O 24 -h st_owner -o {s.link}",
                 "list st_item.next *(void**)&st_ring", "list st_item.next *(void**)&st_chain",
                 "list {s.next} *(void**)&st_chain", "list *(void**)&st_chain {s.next}",
                 "list -l st_item.link -s st_item.id st_items[0].link", "list -H st_empty -o st_item.link"]
        for s in self.dumps:
            value = lab.query(s.dump, "struct st_item.link,next")["structs"][0]
            s.link, s.next = (m["offset"] for m in value["members"])
        lines[12] = "list -l st_item.link -s st_item.id {s.first_link:#x}"
        for s in self.dumps:
            s.first_link = s.items + s.link
        for s, values in self.each(lines):
            for line, value in zip(lines[:3], values):
                self.assertEqual(self.ids(s, value), s.ids["st_list"], line)
            # From an object the ring goes by the head, which is taken for an object: as crash has it.
            head = s.address["st_list"] - s.link
            for line, value in zip(lines[3:6], values[3:6]):
                addresses = [int(entry["address"], 16) for entry in value["entries"]]
                self.assertEqual(addresses, [s.item(i) for i in s.ids["st_list"]] + [head], line)
            for value in values[6:8]:
                self.assertEqual(self.ids(s, value), s.ids["st_owner"])
            self.assertEqual(self.ids(s, values[8]), s.ids["st_ring"])
            for value in values[9:12]:
                self.assertEqual(self.ids(s, value), s.ids["st_chain"])
            links = values[12]["entries"]
            self.assertEqual([int(e["address"], 16) - s.link for e in links[:5]], [s.item(i) for i in s.ids["st_list"]])
            self.assertEqual([e["structs"][0]["members"][0]["value"] for e in links[:5]], s.ids["st_list"])
            self.assertEqual((values[13]["entries"], values[13]["count"]), ([], 0))
            self.assertFalse([text for value in values[:14] for text in errors(value)])

    def test_backwards_and_ends(self):
        lines = ["list -r -H st_list st_item.link", "list -H st_list st_item.link -e {end:#x}",
                 "list st_item.next *(void**)&st_chain -e {chain:#x}", "list -H st_list st_item.link -e {link:#x}"]
        for s in self.dumps:
            offset = lab.query(s.dump, "struct st_item.link")["structs"][0]["members"][0]["offset"]
            texts = [line.format(end=s.item(3), chain=s.item(212), link=s.item(3) + offset) for line in lines]
            values = lab.query(s.dump, "; ".join(texts))["commands"]
            self.assertEqual(self.ids(s, values[0]), s.ids["st_list"][::-1])
            self.assertEqual(self.ids(s, values[1]), [0, 1, 2])
            self.assertEqual(values[1]["count"], 3)
            self.assertEqual(self.ids(s, values[2]), [210, 211])
            self.assertEqual(self.ids(s, values[3]), [0, 1, 2])

    def test_damaged_lists(self):
        lines = ["list -H st_looped st_item.link", "list -B -H st_looped st_item.link", "list -H st_holed st_item.link",
                 "list -H st_poisoned st_item.link", "list -H st_unlinked st_item.link"]
        for s, values in self.each(lines):
            near = [[s.id_of(e["address"]) for e in value["entries"] if not e["from_end"]] for value in values[:5]]
            far = [[s.id_of(e["address"]) for e in value["entries"] if e["from_end"]] for value in values[:5]]
            self.assertEqual([value["count"] for value in values[:5]], [len(a) + len(b) for a, b in zip(near, far)])
            self.assertEqual(near[0], s.ids["st_looped"])
            # What the pointers back still lead to, up to what is known.
            self.assertEqual(far, [[9], [9], [13, 14], [17, 18, 19], []])
            self.assertRegex(errors(values[0])[0], r"runs in a circle of 3, from [0-9a-f]{16} on")
            again = int(re.search(r"from ([0-9a-f]{16})", errors(values[0])[0])[1], 16)
            self.assertEqual((again - s.items) // s.size, 6)
            # Brent's way shows some of the loop twice, and says the same of it.
            brent = near[1]
            self.assertEqual(brent[:4], s.ids["st_looped"])
            self.assertEqual(set(brent), set(s.ids["st_looped"]))
            self.assertIn(errors(values[0])[0].split(" (")[0], errors(values[1])[0])
            self.assertEqual(near[2], s.ids["st_holed"])
            self.assertIn(f"points to {s.hole:016x}", errors(values[2])[0])
            self.assertEqual(near[3], s.ids["st_poisoned"])
            self.assertIn("points to dead000000000100", errors(values[3])[0])
            self.assertEqual(self.ids(s, values[4]), s.ids["st_unlinked"])
            self.assertRegex(errors(values[4])[0], "^prev of ")
            self.assertEqual([len(errors(value)) for value in values[:5]], [1] * 5)
            backwards = lab.query(s.dump, "list -r -H st_holed st_item.link")
            self.assertEqual([(s.id_of(e["address"]), e["from_end"]) for e in backwards["entries"]], [(i, False) for i in (14, 13, 12, 11, 10)])
            for line in lines:
                self.assertEqual(lab.inquest("-c", line, s.dump.vmcore).returncode, 1, line)
            self.assertEqual(lab.inquest("-c", "list -H st_list st_item.link", s.dump.vmcore).returncode, 0)

    def test_a_struct_that_begins_with_no_link_is_told(self):
        for s, values in self.each(["list -s st_item.id -H st_list", "list -H st_list", "list -s list_head -H st_list"]):
            self.assertEqual([r["kind"] for r in values[0]["remarks"]], ["note"])
            self.assertIn("struct st_item does not begin with a link", values[0]["remarks"][0]["text"])
            self.assertNotIn("remarks", values[1])
            self.assertNotIn("remarks", values[2])
            self.assertEqual(values[0]["count"], 5)

    def test_wrong_words(self):
        for line, words in (("list", "where does the list start"), ("list -H st_list st_item.nix", "has no member nix"),
                            ("list -H st_list -h -o 0", "exclude each other"), ("list -O 3 -H st_list -o 0", "goes with -h"),
                            ("list -s st_item -S st_item -H st_list", "exclude each other"), ("list -l 8 st_items", "-s or -S"),
                            ("list -s nosuch -H st_list", "nosuch"), ("list -x -d -H st_list", "exclude each other"),
                            ("list -r -H st_hash st_item.hash", "only a list_head"), ("list 0xzz", "neither an address")):
            run = lab.inquest("-c", line, self.dumps[0].dump.vmcore)
            self.assertEqual(run.returncode, 1, line)
            self.assertIn(words, run.stderr, line)
            self.assertEqual(run.stderr.count("\n"), 1, line)

    def test_numbers_as_asked(self):
        line = "list -H st_list -o st_item.link -s st_item.id {}"
        for s in self.dumps:
            out = [lab.inquest("-c", line.format(o), s.dump.vmcore).stdout for o in ("-x", "-d", "")]
            self.assertIn("id = 0x4", out[0])
            self.assertIn("id = 4", out[1])
            self.assertIn("5 entries", out[2])

    def test_the_kernels_own_lists(self):
        for dump in lab.dumps(name="sysrq", truncate=100)[:3]:
            with self.subTest(dump=str(dump)):
                values = lab.query(dump, "list -H modules -o module.list -s module.name; "
                                   "list task_struct.tasks -s task_struct.pid -h init_task")["commands"]
                names = [e["structs"][0]["members"][0]["value"] for e in values[0]["entries"]]
                there = [line.split()[0] for line in (dump.oracle / "proc/modules").read_text().splitlines()]
                self.assertEqual(names, there)
                pids = {e["structs"][0]["members"][0]["value"] for e in values[1]["entries"]}
                rows = [line.split("\t") for line in (dump.oracle / "ps.tsv").read_text().splitlines()[1:]]
                leaders = {int(row[0]) for row in rows if row[0] == row[1] and row[-1] != "1"}
                self.assertLessEqual(len(leaders - pids), 2)
                self.assertIn(0, pids)


class Trees(OnStructures):
    def test_red_black_trees(self):
        lines = ["tree -t rbtree -o st_item.rb st_tree -l", "tree -t rb -o st_item.rb st_tree -p", "tree -o st_item.rb st_cached -l -s st_item.id",
                 "tree -r st_owner.tree st_owner -o st_item.rb -l", "tree -t rb -N *(void**)&st_tree -o st_item.rb -l"]
        for s, values in self.each(lines):
            for value, name in zip(values, ("st_tree", None, "st_cached", "st_owner.tree", "st_tree")):
                self.assertEqual(errors(value), [])
                if name:
                    self.assertEqual(self.ids(s, value), s.ids[name], name)
                    self.assertEqual([e["depth"] for e in value["entries"]], s.depths[name])
            self.assertEqual([e["structs"][0]["members"][0]["value"] for e in values[2]["entries"]], s.ids["st_cached"])
            # Top down: each after its parent; the way is as long as the node is deep; in the order of ways all are in order.
            top_down = values[1]["entries"]
            self.assertEqual(set(self.ids(s, values[1])), set(s.ids["st_tree"]))
            ways = [e["position"] for e in top_down]
            self.assertEqual(ways[0], "root")
            for i, way in enumerate(ways[1:], 1):
                self.assertIn(way.rpartition("/")[0], ways[:i])
            in_order = sorted(top_down, key=lambda e: e["position"].replace("root", "").replace("/l", "0").replace("/r", "2") + "1")
            self.assertEqual([s.id_of(e["address"]) for e in in_order], s.ids["st_tree"])
            text = lab.inquest("-c", lines[1], s.dump.vmcore).stdout
            self.assertRegex(text, r"(?m)^[0-9a-f]{16}  position: root$")
            self.assertRegex(text, r"(?m)^[0-9a-f]{16}  position: root/l/r")

    def test_arrays_and_radix_trees(self):
        lines = ["tree -t xarray -p st_array_tree", "tree -t radix -p st_radix", "tree -t x st_single -s st_item.id", "tree -t x st_nothing",
                 "tree -r st_owner.array st_owner", "tree -t x -N {s.node}"]
        for s in self.dumps:
            s.node = lab.query(s.dump, "struct xarray.xa_head st_array_tree")["structs"][0]["members"][0]["value"]
        for s, values in self.each(lines):
            spans = {(first, last): number for first, last, number in s.ranges["st_array_tree"]}
            for name, value in (("st_array_tree", values[0]), ("st_radix", values[1]), ("st_single", values[2]), ("st_owner.array", values[4]),
                                ("st_array_tree", values[5])):
                found = {}
                for e in value["entries"]:
                    found[e["first"]] = ("value", e["value"]) if e["kind"] == "value" else ("id", s.id_of(e["address"]))
                    if (e["first"], e["last"]) not in spans:
                        self.assertEqual(e["first"], e["last"], name)
                    elif name == "st_array_tree":
                        self.assertEqual(spans[e["first"], e["last"]], s.id_of(e["address"]))
                expected = dict(s.entries[name])
                self.assertEqual(found, expected, name)
                self.assertEqual(list(found), sorted(found))
                self.assertEqual(errors(value), [])
            self.assertEqual({span for span in spans}, {(e["first"], e["last"]) for e in values[0]["entries"] if e["first"] != e["last"]})
            # The slots of the way make the index: six bits each.
            for e in values[0]["entries"] + values[1]["entries"]:
                slots = [int(slot) for slot in e["position"].split("/")[1:]]
                missing = {1: 0, 64: 6, 512: 6}.get(e["last"] - e["first"] + 1, 0)
                self.assertEqual(sum(slot << 6 * i for i, slot in enumerate(reversed(slots))) << missing, e["first"], e["position"])
            self.assertEqual((values[3]["entries"], errors(values[3])), ([], []))
            self.assertIn("1 more places are kept", values[0]["remarks"][0]["text"])

    def test_maple_trees(self):
        lines = ["tree -t maple -p st_ranges", "tree -t m st_one", "tree -r st_owner.ranges st_owner -s st_item.name", "tree -t m -v st_ranges",
                 "tree -t m -N {s.root}"]
        for s in self.dumps:
            s.root = lab.query(s.dump, "struct maple_tree.ma_root st_ranges")["structs"][0]["members"][0]["value"]
        for s, values in self.each(lines):
            for value in (values[0], values[4]):
                found = [(e["first"], e["last"], s.id_of(e["address"])) for e in value["entries"]]
                self.assertEqual(found, s.ranges["st_ranges"])
            self.assertEqual([(e["first"], e["last"], s.id_of(e["address"])) for e in values[1]["entries"]], [(0, 0, 149)])
            self.assertEqual([(e["first"], e["last"], e["structs"][0]["members"][0]["value"]) for e in values[2]["entries"]], [(5, 9, "item145")])
            # With -v nodes and empty ranges: all numbers once.
            rows = [e for e in values[3]["entries"] if e["kind"] != "node"]
            self.assertEqual([(e["first"], e["last"], s.id_of(e["address"])) for e in rows if e["kind"] == "pointer"], s.ranges["st_ranges"])
            self.assertEqual([rows[0]["first"], rows[-1]["last"]], [0, 2 ** 64 - 1])
            self.assertTrue(all(a["last"] + 1 == b["first"] for a, b in zip(rows, rows[1:])))
            nodes = [e for e in values[3]["entries"] if e["kind"] == "node"]
            self.assertEqual(nodes[0]["depth"], 0)
            self.assertTrue(all(int(n["parent"], 16) & ~255 == int(nodes[0]["address"], 16) for n in nodes[1:] if n["depth"] == 1))
            self.assertFalse([text for value in values[:5] for text in errors(value)])

    def test_damaged_trees(self):
        lines = ["tree -t rb -o st_item.rb st_torn -l", "tree -t x st_broken"]
        for s, values in self.each(lines):
            # What is below the lost node is lost with it: its deeper neighbours.
            order, depths = s.ids["st_torn"], s.depths["st_torn"]
            first = last = order.index(s.lost)
            while depths[first - 1] > depths[order.index(s.lost)]:
                first -= 1
            while last + 1 < len(order) and depths[last + 1] > depths[order.index(s.lost)]:
                last += 1
            self.assertEqual(self.ids(s, values[0]), order[:first] + order[last + 1:])
            self.assertIn(f"{s.hole:016x}", errors(values[0])[0])
            self.assertEqual(self.ids(s, values[1]), [200, 201, 203])
            self.assertIn(f"{s.hole:016x}", errors(values[1])[0])
            for line in lines:
                self.assertEqual(lab.inquest("-c", line, s.dump.vmcore).returncode, 1)

    def test_wrong_words(self):
        for line, words in (("tree", "which tree"), ("tree -t oak st_tree", "no kind of tree"), ("tree -t x -o 8 st_single", "for red-black"),
                            ("tree -t m -l st_one", "for red-black"), ("tree -v st_tree", "for maple"), ("tree -N -r 8 st_tree", "at a root"),
                            ("tree st_tree st_cached", "one tree")):
            run = lab.inquest("-c", line, self.dumps[0].dump.vmcore)
            self.assertEqual(run.returncode, 1, line)
            self.assertIn(words, run.stderr, line)

    def test_address_spaces_equal_proc(self):
        for dump in lab.dumps(name="sysrq", truncate=100)[:3]:
            with self.subTest(dump=str(dump)):
                task = lab.query(dump, "ps 1")["tasks"][0]
                mm = lab.query(dump, f"struct task_struct.mm {task['address'] if 'address' in task else task['task']}")
                mm = mm["structs"][0]["members"][0]["value"]
                value = lab.query(dump, f"tree -r mm_struct.mm_mt {mm} -s vm_area_struct.vm_start,vm_end")
                ours = [tuple(m["value"] for m in e["structs"][0]["members"]) for e in value["entries"]]
                maps = [line.split()[0] for line in (dump.oracle / "tasks/1/maps").read_text().splitlines()]
                theirs = [tuple(int(part, 16) for part in span.split("-")) for span in maps]
                self.assertEqual(ours, [span for span in theirs if span[0] < 1 << 63])
                self.assertEqual([(e["first"], e["last"] + 1) for e in value["entries"]], ours)

    def test_any_damage(self):
        """Nodes and links overwritten at random (by wr, in memory): every walk ends, and says what it met."""
        rng = random.Random(11)
        for s in self.dumps:
            heads = {name: lab.query(s.dump, f"struct {kind}.{member} {name}")["structs"][0]["members"][0]["value"]
                     for name, kind, member in (("st_array_tree", "xarray", "xa_head"), ("st_ranges", "maple_tree", "ma_root"))}
            nodes = {name: int(value, 16) & ~255 if name == "st_ranges" else int(value, 16) & ~3 for name, value in heads.items()}
            lines = []
            for _ in range(60):
                target, command = rng.choice([
                    (s.item(rng.randrange(60, 92)), "tree -t rb -o st_item.rb st_tree -l"), (s.item(rng.randrange(0, 5)), "list -H st_list st_item.link"),
                    (s.item(rng.randrange(25, 30)), "list -H st_hash st_item.hash"), (nodes["st_array_tree"], "tree -t x st_array_tree"),
                    (nodes["st_ranges"], "tree -t m st_ranges -v"), (s.item(rng.randrange(35, 40)), "list -B -H st_lifo st_item.lifo")])
                place = target + 8 * rng.randrange(0, s.size // 8 if "st_item" in command else 64 if " x " in command else 32)
                value = rng.choice([0, 1, 2, 0x402, 0x406, s.hole, s.hole | 2, nodes["st_array_tree"] | 2, nodes["st_ranges"] | 0x1e, place, place | 2,
                                    s.item(rng.randrange(256)) + 24, rng.getrandbits(64), 2 ** 64 - 1, rng.getrandbits(48) | 0xffff888 << 36])
                lines += [f"wr -64 {place:#x} {value:#x}", command, "wr -d"]
            run = lab.inquest("--json", "-c", "; ".join(lines), s.dump.vmcore)
            self.assertIn(run.returncode, (0, 1), run.stderr[-2000:])
            walks = json.loads(run.stdout)["commands"][1::3]
            self.assertEqual(len(walks), 60)
            # Many of these hit something; each that lost an entry says so, unless the list just ends earlier.
            self.assertGreater(sum(bool(errors(value)) for value in walks), 4)
            for value in walks:
                self.assertLess(value["count"], 300)

    def test_holes(self):
        """A dump that is cut off: what can be had, what is missing, and never a crash."""
        for dump in lab.dumps(name="many-tasks", series="6.1", truncate=60) + lab.dumps(name="many-tasks", makedumpfile="old"):
            with self.subTest(dump=str(dump)):
                for line in ("list task_struct.tasks -h init_task -s task_struct.pid", "tree -t radix -r pid_namespace.idr init_pid_ns", "list -H modules module.list -s module.name",
                             "tree -t rb -o vmap_area.rb_node -l vmap_area_root", "tree -t m sparse_irqs"):
                    run = lab.inquest("-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), line)
                    if run.returncode:
                        self.assertRegex(run.stdout + run.stderr, "missing: |error: |inquest: ", line)


if __name__ == "__main__":
    unittest.main()
