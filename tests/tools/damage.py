#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Variants of a real dump: what a full disk, an old makedumpfile, another writer or bad luck makes of it.

damage.py KIND IN OUT... [ARGUMENT]; KIND is the name of one of the functions in KINDS. Each reads the dump IN and writes OUT (split: several).
"""

import ctypes
import shutil
import struct
import sys
import zlib

BLOCK = 4096
DESC = struct.Struct("<QIIQ")
PHDR = struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_NOTE, PN_XNUM = 1, 4, 0xFFFF
NT_PRSTATUS = 1
# Sub-header fields by the version that brought them: (version, offset, size).
SUB_FIELDS = [(1, 8, 4), (2, 12, 4), (2, 16, 16), (3, 32, 16), (4, 48, 16), (5, 64, 16), (6, 80, 24)]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, *parts):
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)


class Kdump:
    """A plain kdump-compressed file, taken apart."""

    def __init__(self, data):
        assert data[:8] == b"KDUMP   ", "not a kdump-compressed file"
        self.data = data
        self.sub_blocks, self.bitmap_blocks = struct.unpack_from("<II", data, 432)
        self.bitmaps = BLOCK * (1 + self.sub_blocks)
        self.descs = self.bitmaps + BLOCK * self.bitmap_blocks
        self.max_pfn = struct.unpack_from("<Q", data, BLOCK + 96)[0]
        half = BLOCK * self.bitmap_blocks // 2
        self.exists = data[self.bitmaps:self.bitmaps + half]
        self.dumped = data[self.bitmaps + half:self.descs]

    def pages(self):
        """(pfn, size, flags, bytes) of each page."""
        at = self.descs
        for pfn in range(self.max_pfn):
            if self.dumped[pfn // 8] >> pfn % 8 & 1:
                offset, size, flags, _ = DESC.unpack_from(self.data, at)
                yield pfn, size, flags, self.data[offset:offset + size]
                at += DESC.size

    def with_pages(self, head, pages):
        """A file with these headers and bitmaps, and descriptors and data of these pages only."""
        pages = list(pages)
        offset = len(head) + DESC.size * len(pages)
        descs, parts = [], []
        for _, size, flags, data in pages:
            descs.append(DESC.pack(offset, size, flags, 0))
            parts.append(data)
            offset += size
        return head + b"".join(descs) + b"".join(parts)


def cut(source, target, percent="60"):
    """The end is missing."""
    data = read(source)
    write(target, data[:len(data) * int(percent) // 100])


def flip(source, target, seed="1"):
    """Every 1,000th byte or so is another one, behind the headers."""
    data = bytearray(read(source))
    state = int(seed)
    at = min(len(data), 1 << 16)
    while at < len(data):
        data[at] ^= 1 + state % 255
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        at += 1 + (state >> 33) % 2000
    write(target, data)


def incomplete(source, target, percent="60"):
    """What makedumpfile leaves behind on a full disk: the flag, and descriptors that were never written."""
    dump = Kdump(read(source))
    data = bytearray(dump.data)
    count = sum(1 for _ in dump.pages())
    struct.pack_into("<I", data, 424, struct.unpack_from("<I", data, 424)[0] | 8)
    first = count * int(percent) // 100
    # Pages of zeros share one place near the start of the file, so that no single page tells where the kept ones end.
    kept = [DESC.unpack_from(data, dump.descs + DESC.size * n) for n in range(first)]
    end = max(offset + size for offset, size, *_ in kept)
    data[dump.descs + DESC.size * first:dump.descs + DESC.size * count] = bytes(DESC.size * (count - first))
    write(target, data[:max(end, dump.descs + DESC.size * count)])


def version(source, target, number="1"):
    """Rewritten as an older header version, without the fields that it did not have."""
    dump = Kdump(read(source))
    data = bytearray(dump.data)
    struct.pack_into("<I", data, 8, int(number))
    struct.pack_into("<I", data, 440, dump.max_pfn)
    for since, offset, size in SUB_FIELDS:
        if since > int(number):
            data[BLOCK + offset:BLOCK + offset + size] = bytes(size)
    write(target, data)


def split(source, *targets):
    """Pieces as `makedumpfile --split` writes them, with the same number of pages each."""
    dump = Kdump(read(source))
    pages = list(dump.pages())
    bounds = [0, *(pages[len(pages) * i // len(targets)][0] for i in range(1, len(targets))), dump.max_pfn]
    for target, start, end in zip(targets, bounds, bounds[1:]):
        head = bytearray(dump.data[:dump.descs])
        struct.pack_into("<I", head, BLOCK + 12, 1)
        struct.pack_into("<QQ", head, BLOCK + 16, start, end)
        struct.pack_into("<QQ", head, BLOCK + 80, start, end)
        write(target, dump.with_pages(bytes(head), (p for p in pages if start <= p[0] < end)))


def snappy(page):
    library = ctypes.CDLL("libsnappy.so.1")
    out = ctypes.create_string_buffer(library.snappy_max_compressed_length(len(page)))
    size = ctypes.c_size_t(len(out))
    assert library.snappy_compress(page, ctypes.c_size_t(len(page)), out, ctypes.byref(size)) == 0
    return out.raw[:size.value]


def zstd(page):
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_compress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(2 * BLOCK)
    size = library.ZSTD_compress(out, ctypes.c_size_t(len(out)), page, ctypes.c_size_t(len(page)), 1)
    return out.raw[:size]


def lzo(page):
    """The compressor that goes for size: longer matches, from further away, than makedumpfile's."""
    library = ctypes.CDLL("liblzo2.so.2")
    work, out = ctypes.create_string_buffer(1 << 20), ctypes.create_string_buffer(2 * BLOCK)
    size = ctypes.c_size_t(0)
    assert library.lzo1x_999_compress(page, ctypes.c_size_t(len(page)), out, ctypes.byref(size), work) == 0
    return out.raw[:size.value]


CODECS = {"zlib": (1, lambda page: zlib.compress(page, 1)), "lzo": (2, lzo), "snappy": (4, snappy), "zstd": (0x20, zstd)}


def recompress(source, target, codec="snappy"):
    """Pages that are raw or packed by zlib: every fourth is packed by another codec, the others are raw."""
    flag, compress = CODECS[codec]
    dump = Kdump(read(source))
    pages = []
    for pfn, _, flags, data in dump.pages():
        page = zlib.decompress(data) if flags & 1 else data
        packed = page if pfn % 4 else compress(page)
        small = len(packed) < BLOCK
        pages.append((pfn, len(packed) if small else BLOCK, flag if small else 0, packed if small else page))
    head = bytearray(dump.data[:dump.descs])
    struct.pack_into("<I", head, 424, flag)
    write(target, dump.with_pages(bytes(head), pages))


def flatten(source, target, size="5000"):
    """The flattened form, in chunks of odd sizes in a bad order, parts of it written twice."""
    data, size = read(source), int(size)

    def chunk(offset, content):
        return struct.pack(">qq", offset, len(content)) + content

    head = (b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)).ljust(4096, b"\0")
    chunks = [chunk(at, data[at:at + size]) for at in range(0, len(data), size)]
    odd, even = chunks[1::2], chunks[0::2]
    rubbish = [chunk(at, b"\xa5" * 700) for at in range(0, len(data) - 700, max(len(data) // 50, 5000))]
    write(target, head, *rubbish, *odd, *reversed(even), struct.pack(">qq", -1, -1))


def many_segments(source, target, size="2048"):
    """An ELF core with a segment for every 2 KB, out of order, their number in section 0 (PN_XNUM)."""
    data, size = bytearray(read(source)), int(size)
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    headers = []
    for i in range(count):
        kind, flags, start, vaddr, paddr, filesz, memsz, align = PHDR.unpack_from(data, offset + i * PHDR.size)
        if kind != PT_LOAD:
            headers.append(bytes(data[offset + i * PHDR.size:offset + (i + 1) * PHDR.size]))
            continue
        for at in range(0, memsz, size):
            file_part = max(0, min(size, filesz - at))
            headers.append(PHDR.pack(kind, flags, start + at, vaddr + at, paddr + at, file_part, min(size, memsz - at), align))
    headers = headers[0::3] + headers[2::3] + headers[1::3]
    data += bytes(-len(data) % 8)
    section_at = len(data)
    data += struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, len(headers), 0, 0)
    struct.pack_into("<Q", data, 32, len(data))          # e_phoff
    struct.pack_into("<Q", data, 40, section_at)         # e_shoff
    struct.pack_into("<HHHHH", data, 54, PHDR.size, PN_XNUM if len(headers) >= PN_XNUM else len(headers), 64, 1, 0)
    write(target, data, *headers)


def without(source, target, start, size):
    """An ELF core that lacks a piece of physical memory: the segment that has it becomes two."""
    start, size = int(start), int(size)
    shutil.copyfile(source, target)
    with open(target, "r+b") as file:
        head = bytearray(file.read(64))
        offset, = struct.unpack_from("<Q", head, 32)
        count, = struct.unpack_from("<H", head, 56)
        file.seek(offset)
        headers = []
        for i in range(count):
            entry = PHDR.unpack(file.read(PHDR.size))
            kind, flags, at, vaddr, paddr, filesz, memsz, align = entry
            if kind != PT_LOAD or not paddr <= start <= start + size <= paddr + filesz:
                headers.append(PHDR.pack(*entry))
                continue
            before, behind = start - paddr, start + size - paddr
            headers.append(PHDR.pack(kind, flags, at, vaddr, paddr, before, before, align))
            headers.append(PHDR.pack(kind, flags, at + behind, vaddr + behind, paddr + behind, filesz - behind,
                                     memsz - behind, align))
        if len(headers) != count + 1:
            raise ValueError(f"{size} bytes at {start:x} are not in one segment")
        struct.pack_into("<Q", head, 32, file.seek(0, 2) + 7 & ~7)  # e_phoff
        struct.pack_into("<H", head, 56, len(headers))
        file.seek(file.tell() + 7 & ~7)
        file.write(b"".join(headers))
        file.seek(0)
        file.write(head)


# Places of registers, in words: in struct elf_prstatus.pr_reg behind 112 bytes, in struct QEMUCPUState behind its version and size.
CORE_REGISTERS = {"rdi": 14, "rip": 16, "rsp": 19}
QEMU_REGISTERS = {"rdi": 5, "rsp": 6, "rip": 16}


def cpu_notes(data):
    """Of a dump by QEMU, by CPU: where the registers of its two notes are."""
    found = {b"CORE": [], b"QEMU": []}
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    for i in range(count):
        kind, _, at, _, _, size, _, _ = PHDR.unpack_from(data, offset + i * PHDR.size)
        end = at + size
        while kind == PT_NOTE and at < end:
            name_size, size, note = struct.unpack_from("<III", data, at)
            name = bytes(data[at + 12:at + 12 + name_size - 1])
            at += 12 + (name_size + 3 & ~3)
            if note == NT_PRSTATUS or name == b"QEMU":
                found[name].append(at + (112 if name == b"CORE" else 8))
            at += size + 3 & ~3
    return list(zip(found[b"CORE"], found[b"QEMU"]))


def cpu_registers(data, cpu):
    core, _ = cpu_notes(data)[cpu]
    return {name: struct.unpack_from("<Q", data, core + 8 * at)[0] for name, at in CORE_REGISTERS.items()}


def stop_elsewhere(data, cpu, registers, physical, words):
    """Of the contents of a dump by QEMU: the CPU has these registers, and these words on its stack, which is at this
    physical address."""
    core, qemu = cpu_notes(data)[cpu]
    for name, value in registers.items():
        struct.pack_into("<Q", data, core + 8 * CORE_REGISTERS[name], value)
        struct.pack_into("<Q", data, qemu + 8 * QEMU_REGISTERS[name], value)
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    segments = [PHDR.unpack_from(data, offset + i * PHDR.size) for i in range(count)]
    at = next(at + physical - start for kind, _, at, _, start, size, _, _ in segments
              if kind == PT_LOAD and start <= physical < start + size)
    struct.pack_into(f"<{len(words)}Q", data, at, *words)


def shrink(source, target, pages="8"):
    """A few pages of a kdump-compressed file, those that are well compressed: a seed for fuzzing."""
    dump = Kdump(read(source))
    small = (page for page in dump.pages() if page[1] < 600 and page[0] < 8 * BLOCK)
    chosen = [page for page, _ in zip(small, range(int(pages)))]
    numbers = {page[0] for page in chosen}
    end = chosen[-1][0] + 1
    head = bytearray(dump.data[:dump.bitmaps])
    struct.pack_into("<I", head, 436, 2)
    struct.pack_into("<I", head, 440, end)
    struct.pack_into("<Q", head, BLOCK + 96, end)
    for keep in (lambda pfn: dump.exists[pfn // 8] >> pfn % 8 & 1, numbers.__contains__):
        head += bytes(sum(bool(keep(byte * 8 + bit)) << bit for bit in range(8)) for byte in range(BLOCK))
    write(target, dump.with_pages(bytes(head), chosen))


def shrink_elf(source, target, size="6000"):
    """An ELF core whose segments are at most that long, its notes whole."""
    data, left = read(source), int(size)
    offset, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    head, body = bytearray(data[:64]), b""
    struct.pack_into("<Q", head, 32, 64)
    for i in range(count):
        kind, flags, start, vaddr, paddr, filesz, memsz, align = PHDR.unpack_from(data, offset + i * PHDR.size)
        keep = filesz if kind == PT_NOTE else min(filesz, left // 2)
        left -= keep if kind == PT_LOAD else 0
        head += PHDR.pack(kind, flags, 64 + PHDR.size * count + len(body), vaddr, paddr, keep, min(memsz, 20000), align)
        body += data[start:start + keep]
    write(target, head, body)


def huge(source, target, terabytes="12"):
    """The pages of a kdump-compressed file as the last ones of a machine with that much memory; the rest are holes."""
    dump = Kdump(read(source))
    pages = list(dump.pages())
    max_pfn = int(terabytes) << 28
    half = -(-max_pfn // 8 // BLOCK) * BLOCK
    head = bytearray(dump.data[:dump.bitmaps])
    struct.pack_into("<I", head, 436, 2 * half // BLOCK)
    struct.pack_into("<I", head, 440, min(max_pfn, 0xffffffff))
    struct.pack_into("<Q", head, BLOCK + 96, max_pfn)
    shift = (max_pfn - dump.max_pfn) // 8
    with open(target, "wb") as file:
        file.write(head)
        for start, bits in ((dump.bitmaps, dump.exists), (dump.bitmaps + half, dump.dumped)):
            file.seek(start + shift)
            file.write(bits[:-(-dump.max_pfn // 8)])
        descs = dump.bitmaps + 2 * half
        offset = descs + DESC.size * len(pages)
        for index, (_, size, flags, data) in enumerate(pages):
            file.seek(descs + DESC.size * index)
            file.write(DESC.pack(offset, size, flags, 0))
            file.seek(offset)
            file.write(data)
            offset += size


KINDS = {function.__name__: function for function in
         (cut, flip, incomplete, version, split, recompress, flatten, many_segments, without, huge, shrink, shrink_elf)}

if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in KINDS:
        sys.exit(f"{__doc__}\n{', '.join(KINDS)}")
    KINDS[sys.argv[1]](*sys.argv[2:])
