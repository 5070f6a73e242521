# SPDX-License-Identifier: LGPL-2.1-or-later
"""net, bpf and sbitmapq against /proc, descriptors' own information and the lab's disk that does not answer."""

import json
import re
import socket
import struct
import unittest

import json_schema
import lab
import subsystems
from subsystems import each_dump, pid_of

NOWHERE = 0xffffc8ffff000000
STATES = {1: "ESTABLISHED", 7: "CLOSE", 10: "LISTEN"}


def end(text):
    """ "0100007F:0FA1" of /proc/net/tcp -> "127.0.0.1:4001"."""
    address, port = text.split(":")
    words = struct.pack(f"={len(address) // 8}I", *(int(address[i:i + 8], 16) for i in range(0, len(address), 8)))
    if len(words) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, words)}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, words)}]:{int(port, 16)}"


class Network(subsystems.Test):
    @each_dump
    def test_devices_and_addresses(self, dump):
        # "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 ...", "    inet 127.0.0.1/8 scope ..."
        text = (dump.oracle / "ip-addr").read_text()
        index, name, flags, mtu = re.search(r"^(\d+): (\S+): <(\S+)> mtu (\d+)", text, re.M).groups()
        found = lab.query(dump, "net")["devices"]
        self.assertEqual([(d["index"], d["name"], d["up"], d["mtu"]) for d in found], [(int(index), name, "UP" in flags, int(mtu))])
        self.assertEqual(found[0]["addresses"], re.findall(r"inet6? (\S+)", text))
        self.assertEqual(found[0]["hardware_address"], re.search(r"link/\S+ (\S+)", text)[1])

    @each_dump
    def test_addresses_in_a_circle(self, dump):
        device = lab.query(dump, "net")["devices"][0]
        first = f"((struct in_device *)((struct net_device *){device['address']})->ip_ptr)->ifa_list"
        lines = [f"wr '&{first}->ifa_next' '{first}'", "net"]
        run = lab.inquest("--json", *[word for line in lines for word in ("-c", line)], dump.vmcore)
        after = json.loads(run.stdout)["commands"][-1]
        wanted = device["addresses"][:1] + [address for address in device["addresses"] if ":" in address]
        self.assertEqual(after["devices"], [{**device, "addresses": wanted}])
        self.assertIn("IPv4 addresses: the list is damaged: it runs in a circle of 1", str(after["remarks"]))

    @each_dump
    def test_of_a_namespace(self, dump):
        pid = pid_of(dump, "jail")
        lines = (dump.oracle / "holders/jail/net-dev").read_text().splitlines()[2:]
        found = lab.query(dump, f"net -n {pid}")["devices"]
        self.assertEqual([d["name"] for d in found], [line.split(":")[0].strip() for line in lines])
        self.assertNotEqual(found[0]["address"], lab.query(dump, "net")["devices"][0]["address"])
        self.assertEqual((found[0]["up"], found[0]["addresses"]), (False, []))
        self.assertEqual(lab.query(dump, f"net -a -n {pid}")["neighbours"], [])

    @each_dump
    def test_neighbours(self, dump):
        wanted = []
        for line in (dump.oracle / "proc/net/arp").read_text().splitlines()[1:]:
            words = line.split()
            wanted.append((words[0], words[3], words[5]))
        found = [n for n in lab.query(dump, "net -a")["neighbours"] if ":" not in n["ip"]]
        self.assertEqual([(n["ip"], n["hardware_address"], n["device"]) for n in found if n["state"] != "NOARP"], wanted)
        self.assertEqual([n["state"] for n in found if n["state"] != "NOARP"], ["PERMANENT"])
        self.assertEqual({n["hardware_type"] for n in found}, {"LOOPBACK"})

    @each_dump
    def test_sockets_of_the_internet(self, dump):
        sockets = lab.query(dump, f"net -s {pid_of(dump, 'net')}")["tasks"][0]["sockets"]
        by_inode = {s["inode_number"]: s for s in sockets}
        seen = 0
        for name, kind in ("tcp", "INET:STREAM"), ("tcp6", "INET6:STREAM"), ("udp", "INET:DGRAM"), ("udp6", "INET6:DGRAM"), ("raw", "INET:RAW"):
            for line in (dump.oracle / "holders/net" / f"net-{name}").read_text().splitlines()[1:]:
                words = line.split()
                found = by_inode.get(int(words[9]))
                if not found:  # a connection that waits to be accepted, or another process's
                    continue
                seen += 1
                self.assertEqual((found["kind"], found["local"], found["remote"], found["state"]),
                                 (kind, end(words[1]), end(words[2]), STATES[int(words[3], 16)]))
        self.assertEqual(seen, 8)

    @each_dump
    def test_other_sockets(self, dump):
        sockets = lab.query(dump, f"net -s {pid_of(dump, 'net')}")["tasks"][0]["sockets"]
        fds = dict(line.split(" ", 1) for line in (dump.oracle / "holders/net/fds").read_text().splitlines())
        self.assertEqual({str(s["fd"]): f"socket:[{s['inode_number']}]" for s in sockets},
                         {fd: path for fd, path in fds.items() if path.startswith("socket:")})
        names = {int(w[6]): w[7] if len(w) > 7 else "" for w in map(str.split, (dump.oracle / "holders/net/net-unix").read_text().splitlines()[1:])}
        unix = [s for s in sockets if s["kind"].startswith("UNIX:")]
        self.assertEqual({s["inode_number"]: s["local"] for s in unix}, {s["inode_number"]: names[s["inode_number"]] for s in unix})
        self.assertEqual(sorted(s["kind"] for s in unix), ["UNIX:DGRAM", "UNIX:SEQPACKET", "UNIX:SEQPACKET", "UNIX:STREAM", "UNIX:STREAM"])
        self.assertEqual([s["remote"] for s in unix if s["kind"] == "UNIX:STREAM" and s["state"] == "ESTABLISHED"], ["/tmp/volatile/socket"])
        self.assertEqual([s["local"] for s in sockets if s["kind"] == "NETLINK:RAW"], [f"port {pid_of(dump, 'net')}"])
        self.assertEqual(len([s for s in sockets if s["kind"] == "PACKET:RAW"]), 1)

    @each_dump
    def test_options_of_sockets(self, dump):
        pid = pid_of(dump, "net")
        sockets = lab.query(dump, f"net -s {pid}")["tasks"][0]["sockets"]
        one = sockets[1]
        for word in str(one["fd"]), one["socket"], one["sock"]:
            self.assertEqual(lab.query(dump, f"net -s -R {word} {pid}")["tasks"][0]["sockets"], [one], word)
        structs = lab.query(dump, f"net -S -R {one['fd']} {pid}")["tasks"][0]["structs"]
        self.assertEqual([(s["type"], s["address"]) for s in structs], [("struct socket", one["socket"]), ("struct tcp_sock", one["sock"])])
        self.assertRegex(lab.inquest("-c", f"net -S -x -R {one['fd']} {pid}", dump.vmcore).stdout, r"skc_num = 0x[0-9a-f]+")
        self.assertEqual(lab.query(dump, "net -N 0100007f")["ipv4"]["address"], "127.0.0.1")
        self.assertEqual(lab.query(dump, "net -s 2")["tasks"][0]["sockets"], [])
        self.assertIn("neither an address nor a symbol", lab.inquest("-c", f"net -s -R nosuch {pid}", dump.vmcore).stderr)
        for line in f"foreach {pid} net -s", f"foreach {pid} net -xS -R {one['fd']}", f"foreach {pid} net":
            self.assertEqual(lab.inquest("-c", line, dump.vmcore).stdout.count("COMMAND:"), 1, line)
        self.assertIn("unexpected word", lab.inquest("-c", f"net {pid}", dump.vmcore).stderr)
        self.fits(dump, "net", "net -a", f"net -s {pid} 1", f"net -S {pid}", "net -N 1")

    # --- bpf ---

    def descriptors(self, dump):
        """The fields of each descriptor's fdinfo."""
        found = []
        for part in (dump.oracle / "holders/bpf/fdinfo").read_text().split("fd: ")[1:]:
            found.append(dict(line.split(":\t") for line in part.splitlines()[1:] if ":\t" in line))
        return found

    @each_dump
    def test_bpf(self, dump):
        fds = self.descriptors(dump)
        answer = lab.query(dump, "bpf")
        types = {1: "SOCKET_FILTER", 3: "SCHED_CLS"}  # include/uapi/linux/bpf.h
        self.assertEqual([(p["id"], p["type"], p["tag"]) for p in answer["programs"]],
                         [(int(f["prog_id"]), types[int(f["prog_type"])], f["prog_tag"]) for f in fds if "prog_id" in f])
        self.assertEqual([p["name"] for p in answer["programs"]], ["seven", "classify"])
        detail = lab.query(dump, "bpf -P")["programs"]
        self.assertEqual([(p["memory"], p["jited"] > 0, p["instructions"], p["gpl"], p["uid"]) for p in detail],
                         [(int(f["memlock"]), f["prog_jited"] == "1", 16, True, 0) for f in fds if "prog_id" in f])
        maps = lab.query(dump, "bpf -M")["maps"]
        kinds = {1: "HASH", 2: "ARRAY"}
        self.assertEqual([(m["id"], m["type"], m["key_size"], m["value_size"], m["max_entries"], int(m["flags"], 16)) for m in maps],
                         [(int(f["map_id"]), kinds[int(f["map_type"])], int(f["key_size"]), int(f["value_size"]), int(f["max_entries"]),
                           int(f["map_flags"], 16)) for f in fds if "map_id" in f])
        self.assertEqual([m["name"] for m in maps], ["an_array", "a_hash"])

    @each_dump
    def test_options_of_bpf(self, dump):
        self.assertEqual(lab.query(dump, "bpf -p 2"), {"programs": lab.query(dump, "bpf -P")["programs"][1:]})
        self.assertEqual(lab.query(dump, "bpf -m 1"), {"maps": lab.query(dump, "bpf -M")["maps"][:1]})
        structs = lab.query(dump, "bpf -p 1 -s")["programs"][0]["structs"]
        self.assertEqual([s["type"] for s in structs], ["struct bpf_prog", "struct bpf_prog_aux"])
        self.assertRegex(lab.inquest("-c", "bpf -m 2 -s -x", dump.vmcore).stdout, "max_entries = 0x21")
        run = lab.inquest("-c", "bpf -p 77", dump.vmcore)
        self.assertEqual((run.returncode, "there is no BPF program 77" in run.stderr), (1, True))
        for line in "bpf -p 1 -M", "bpf -P -m 1", "bpf -p 1 -m 1":
            self.assertIn("alone", lab.inquest("-c", line, dump.vmcore).stderr, line)
        self.fits(dump, "bpf", "bpf -P", "bpf -M", "bpf -s", "bpf -p 1 -s", "bpf -m 1")

    @each_dump
    def test_holes_of_bpf(self, dump):
        """Behind pointers that (by wr, in memory) lead nowhere all is unknown, and nothing is 0."""
        known = lab.query(dump, "bpf -P")["programs"][0]
        aux = lab.query(dump, "struct -o bpf_prog.aux")["structs"][0]["members"][0]["offset"]
        slot = f"&((struct xa_node *)((unsigned long)ids.idr_rt.xa_head & ~3))->slots[{known['id']}]"
        run = lab.inquest("--json", *[word for line in (f"wr -64 {known['address']}+{aux:#x} {NOWHERE:#x}", "bpf -P", f"wr -64 '{slot.replace('ids', 'prog_idr')}' {NOWHERE:#x}",
                                                        "bpf -P", f"wr -64 '{slot.replace('ids', 'map_idr')}' {NOWHERE:#x}", "bpf -M") for word in ("-c", line)], dump.vmcore)
        self.assertEqual(run.returncode, 1, run.stderr)
        said = json.loads(run.stdout)["commands"][1::2]
        program, map_ = said[1]["programs"][0], said[2]["maps"][0]
        self.assertEqual({**said[0]["programs"][0], "aux": known["aux"]}, {**known, "used_maps": None, "name": None, "loaded_ns": None, "uid": None})
        self.assertEqual({key for key, value in program.items() if value is not None}, {"id", "address"})
        self.assertEqual({key for key, value in map_.items() if value is not None}, {"id", "address"})
        for value in said:
            self.assertEqual(json_schema.faults("bpf", value)[:5], [])


class Tags(unittest.TestCase):
    def test_tags_of_a_disk_that_does_not_answer(self):
        dumps = lab.dumps(name="stuck-disk")
        if not dumps:
            self.skipTest("the lab has no dump of the scenario stuck-disk")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                disk = next(d for d in lab.query(dump, "dev -d")["disks"] if d["name"] == dump.truth["device"])

                def member(kind, path, address):
                    return lab.query(dump, f"struct {kind}.{path} {address}")["structs"][0]["members"][0]["value"]

                context = member("request_queue", "hctx_table.xa_head", disk["queue"])
                tags = member("blk_mq_hw_ctx", "tags", context)
                at = f"&((struct blk_mq_tags *){tags})->bitmap_tags"
                found = lab.query(dump, f"sbitmapq '{at}'")["sbitmap_queue"]
                self.assertEqual((found["depth"], found["busy"]), (4, disk["total"]))  # queue_depth in the lab's module
                self.assertEqual((found["map_nr"], len(found["wait_queues"])), (-(-4 // found["bits_per_word"]), 8))
                for line in f"sbitmapq '{at}'", f"sbitmapq -v -x '{at}'":
                    self.assertEqual(json_schema.faults("sbitmapq", lab.query(dump, line))[:5], [])
                self.assertIn("depth: 0x4", lab.inquest("-c", f"sbitmapq -x '{at}'", dump.vmcore).stdout)
                for wrong in "init_task", "0":
                    self.assertEqual(lab.inquest("-c", f"sbitmapq {wrong}", dump.vmcore).returncode, 1)


class Damage(unittest.TestCase):
    def test_holes_are_said(self):
        for dump in lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", truncate=100) + lab.dumps(truncate=60):
            for line in "net", "net -a", "net -s", "bpf":
                with self.subTest(dump=str(dump), line=line):
                    run = lab.inquest("-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), run.stderr)
                    if run.returncode:
                        self.assertTrue(run.stderr.startswith("inquest: ") or "missing: " in run.stdout, run.stderr + run.stdout)
