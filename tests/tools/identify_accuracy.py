#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How often is `identify` right? Usage: identify_accuracy.py DUMP_FOLDER ... [--objects N] [--caches N] [--seed N] [--misses] [--write FILE]

Typed caches: live objects drawn from slab caches of one known type (by `identify --caches`), identified with the cache hidden (--blind:
only the size class is known). Printed objects: those whose type the lab's scenario "typed" printed. Needs INQUEST_BUILD, or build/."""

import argparse
import collections
import dataclasses
import functools
import json
import os
import pathlib
import random
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", ROOT / "build"))
AT_ONCE = 500


def inquest(vmcore, command):
    run = subprocess.run([BUILD / "inquest", "--no-debuginfo", "--json", "-c", command, vmcore], capture_output=True, text=True,
                         errors="replace", timeout=600)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"{command[:60]}: {run.stderr}")
    return json.loads(run.stdout)


@dataclasses.dataclass
class Sample:
    address: int
    type: str
    group: str  # the cache, or where the lab found it
    answer: dict = None

    @property
    def ranked(self):
        return [h["type"] for h in self.answer["hypotheses"]]

    @property
    def confidence(self):
        return self.answer["hypotheses"][0]["confidence"] if self.answer["hypotheses"] else "unknown"

    @property
    def first(self):
        return self.ranked[:1] == [self.type]

    @property
    def in_three(self):
        return self.type in self.ranked[:3]

    @property
    def wrong_and_certain(self):
        return self.confidence == "certain" and not self.first


def identify(vmcore, samples, options):
    for start in range(0, len(samples), AT_ONCE):
        part = samples[start:start + AT_ONCE]
        words = " ".join(f"0x{sample.address:x}" for sample in part)
        for sample, answer in zip(part, inquest(vmcore, f"identify {options} {words}")["objects"], strict=True):
            sample.answer = answer


def typed_caches(vmcore, objects=1000, caches=50, seed=1):
    """Live objects of the typed caches that have the most, as many of each as there are."""
    rng = random.Random(seed)
    types = {c["name"]: c["type"] for c in inquest(vmcore, "identify --caches")["caches"] if c["type"]}
    live = {}
    for listed in inquest(vmcore, "; ".join(f"slab -a {name}" for name in types))["commands"]:
        found = [int(o["address"], 16) for o in listed["objects"]]
        if found:
            name = listed["objects"][0]["cache"]
            live[name] = (types[name], found)
    names = sorted(live, key=lambda name: -len(live[name][1]))[:caches]
    for name in names:
        rng.shuffle(live[name][1])
    samples, turn = [], 0
    while len(samples) < objects:
        before = len(samples)
        for name in names:
            kind, found = live[name]
            if turn < len(found) and len(samples) < objects:
                samples.append(Sample(found[turn], kind, name))
        if len(samples) == before:
            break
        turn += 1
    identify(vmcore, samples, "--blind")
    return samples


@functools.cache
def printed(folder):
    """The lab's own list: (objects of one type, pairs, leftovers)."""
    single, pairs, leftovers = [], [], []
    for line in (folder / "guest.log").read_text(errors="replace").splitlines():
        words = line.split()
        if len(words) >= 4 and words[0] == "typed:":
            sample = Sample(int(words[1], 16), words[2], " ".join(words[3:]))
            {"pair": pairs, "leftover": leftovers}.get(sample.group, single).append(sample)
    vmcore = folder / "vmcore"
    for samples in (single, pairs, leftovers):
        identify(vmcore, samples, "")
    # Some that the module came across are parts of larger objects: those are not the question.
    return [s for s in single if int(s.answer["address"], 16) == s.address], pairs, leftovers


def share(count, total):
    return f"{count:5d} {100 * count / max(total, 1):6.1f} %"


def print_table(title, samples, by, misses):
    groups = collections.defaultdict(list)
    for sample in samples:
        groups[by(sample)].append(sample)
    print(f"\n{title}: {len(samples)} objects, {len(groups)} groups")
    print(f"{'':40s} {'objects':>7s} {'first':>6s} {'in three':>8s} {'certain':>8s} {'wrong and certain':>18s}")
    for name, group in sorted(groups.items()):
        print(f"{name[:40]:40s} {len(group):7d} {sum(s.first for s in group):6d} {sum(s.in_three for s in group):8d} "
              f"{sum(s.confidence == 'certain' for s in group):8d} {sum(s.wrong_and_certain for s in group):18d}")
    total = len(samples)
    print(f"first             {share(sum(s.first for s in samples), total)}")
    print(f"in the top three  {share(sum(s.in_three for s in samples), total)}")
    print(f"certain           {share(sum(s.confidence == 'certain' for s in samples), total)}")
    print(f"wrong and certain {share(sum(s.wrong_and_certain for s in samples), total)}")
    if misses:
        print("misses:")
        for sample in samples:
            if not sample.first:
                print(f"  {sample.address:x} {sample.type} ({sample.group}): {sample.confidence}, "
                      + ", ".join(f"{h['type']} {h['score']:.1f}" for h in sample.answer["hypotheses"][:3]))


INTRODUCTION = """# How often `identify` is right

Made by `tests/tools/identify_accuracy.py --write docs/accuracy-identify.md DUMP_FOLDER ...` from the lab's dumps `typed`, by BTF alone.

Typed caches: 1,000 live objects of the 50 slab caches of one type that have the most, as many of each, with the cache hidden (`--blind`).
What the program then knows of an object is its address and the kmalloc size class that it would be in; what lies behind its end up to that
size belongs to its neighbours; pointers from objects of its own cache do not count, and objects of its own cache that it points to have no
type. The right answer is what `identify --caches` says of the cache.

Printed: objects of kmalloc caches of which the lab's module printed the type, found by walking the kernel's own structures.

"Certain" is what the program itself says; wrong and certain must not happen. An object may be blank: allocated in advance and not used yet
(mempools, an sk_buff that a CPU keeps). Then nothing is claimed.
"""


def markdown(title, samples):
    total = len(samples)
    groups = collections.defaultdict(list)
    for sample in samples:
        groups[sample.type].append(sample)

    def percent(count):
        return f"{count} ({100 * count / max(total, 1):.1f} %)"

    yield f"\n### {title}\n"
    yield "| objects | types | first | in the top three | certain | wrong and certain |"
    yield "|---|---|---|---|---|---|"
    yield (f"| {total} | {len(groups)} | {percent(sum(s.first for s in samples))} | {percent(sum(s.in_three for s in samples))} "
           f"| {percent(sum(s.confidence == 'certain' for s in samples))} | {percent(sum(s.wrong_and_certain for s in samples))} |\n")
    missed = {kind: [s for s in group if not s.first] for kind, group in sorted(groups.items())}
    if not any(missed.values()):
        return
    yield "| type missed | objects | first | in three | taken for | why |"
    yield "|---|---|---|---|---|---|"
    for kind, misses in missed.items():
        if not misses:
            continue
        group = groups[kind]
        taken = collections.Counter(s.ranked[0] if s.confidence != "unknown" else "nothing" for s in misses)
        if all(s.confidence == "unknown" for s in misses):
            why = "blank, or all its words are too common"
        elif all(s.in_three for s in misses):
            why = "the other is the same but for its last members"
        else:
            why = "too few members tell anything"
        yield (f"| {kind} | {len(group)} | {sum(s.first for s in group)} | {sum(s.in_three for s in group)} "
               f"| {', '.join(name for name, _ in taken.most_common(3))} | {why} |")


def document(folders, options):
    yield INTRODUCTION.rstrip()
    for folder in folders:
        meta = json.loads((folder / "meta.json").read_text())
        yield f"\n## Linux {meta['series']}"
        yield from markdown("Typed caches, hidden", typed_caches(folder / "vmcore", options.objects, options.caches, options.seed))
        single, pairs, leftovers = printed(folder)
        yield from markdown("Printed", single)
        split = sum(",".join(f"{p['type']}+{int(p['base'], 16) - s.address}" for p in s.answer["parts"]) == s.type for s in pairs)
        told = sum([f["type"] for f in s.answer["former"]] == [s.type] for s in leftovers)
        yield f"\nTwo structures end to end in an object of kmalloc-1k: {split} of {len(pairs)} taken apart rightly."
        yield f"What a freed object left in the head of an sk_buff: {told} of {len(leftovers)} attributed rightly."


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--caches", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    if options.write:
        options.write.write_text("\n".join(document(options.folders, options)) + "\n")
        return
    for folder in options.folders:
        show(folder, options)


def show(folder, options):
    samples = typed_caches(folder / "vmcore", options.objects, options.caches, options.seed)
    print_table("Typed caches, blind", samples, lambda s: f"{s.group} ({s.type})", options.misses)
    single, pairs, leftovers = printed(folder)
    if single:
        print_table("Objects of kmalloc caches", single, lambda s: s.type, options.misses)
    for sample in pairs:
        print("pair", sample.type, "->", [(p["type"], int(p["base"], 16) - sample.address) for p in sample.answer["parts"]], sample.ranked)
    for sample in leftovers:
        print("leftover", sample.type, "->", [p["type"] for p in sample.answer["parts"]],
              [(f["type"], f["confidence"]) for f in sample.answer["former"]], sample.ranked)


if __name__ == "__main__":
    main()
