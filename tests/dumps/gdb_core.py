# SPDX-License-Identifier: LGPL-2.1-or-later
"""gdb's opinion on the variables of a stack: it is given a core file made of the thread's registers and its stack's
memory, as inquest read them (gdb itself cannot translate a kernel's addresses)."""

import json
import pathlib
import struct
import subprocess
import tempfile

import lab

# Order of struct user_regs_struct, arch/x86/include/uapi/asm/ptrace.h and user_64.h.
ORDER = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs rflags rsp ss "
         "fs_base gs_base ds es fs gs").split()

SCRIPT = '''
import gdb, json
found = []
frame = gdb.newest_frame()
while frame is not None and len(found) < 2000:
    try:
        block = frame.block()
    except RuntimeError:
        block = None
    while block is not None:
        for symbol in block:
            if not (symbol.is_argument or symbol.is_variable) or symbol.name == "__func__":
                continue
            entry = {"pc": frame.pc(), "function": frame.name(), "name": symbol.name, "number": None, "address": None}
            try:
                value = symbol.value(frame)
                if not value.is_optimized_out:
                    entry["size"] = value.type.sizeof
                    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_ARRAY):
                        entry["address"] = int(value.address)
                    else:
                        entry["number"] = int(value) & (1 << 64) - 1
            except (gdb.error, TypeError) as error:
                entry["error"] = str(error)
            found.append(entry)
        if block.function is not None:
            break
        block = block.superblock
    frame = frame.older()
print("VARIABLES " + json.dumps(found))
'''


def memory(dump, start, size):
    """Bytes as the program reads them."""
    rows = lab.query(dump, f"rd -64 {start:#x} {size // 8}")
    data = bytearray(size)
    for row in rows.get("memory", rows.get("words", [])):
        at = int(row["address"], 16) - start
        for i, word in enumerate(row.get("values") or [row.get("value")]):
            if word is not None:
                struct.pack_into("<Q", data, at + 8 * i, int(word, 16))
    return bytes(data)


def write_core(path, regs, segments):
    status = bytearray(336)  # struct elf_prstatus: pr_pid at 32, pr_reg at 112
    struct.pack_into("<i", status, 32, 1)
    for i, name in enumerate(ORDER):
        struct.pack_into("<Q", status, 112 + 8 * i, int(regs.get(name, "0"), 16))
    note = struct.pack("<III", 5, len(status), 1) + b"CORE\0\0\0\0" + bytes(status)
    count = 1 + len(segments)
    offset = 64 + 56 * count
    headers = struct.pack("<IIQQQQQQ", 4, 0, offset, 0, 0, len(note), 0, 4)
    body = note
    for start, data in segments:
        headers += struct.pack("<IIQQQQQQ", 1, 6, offset + len(body), start, 0, len(data), len(data), 8)
        body += data
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0)
    path.write_bytes(header + headers + body)


def variables(dump, vmlinux, slide, regs, segments):
    with tempfile.TemporaryDirectory() as folder:
        core = pathlib.Path(folder) / "core"
        script = pathlib.Path(folder) / "script.py"
        write_core(core, regs, segments)
        script.write_text(SCRIPT)
        run = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "set print frame-arguments none", "-ex",
                              f"core-file {core}", "-ex", f"add-symbol-file {vmlinux} -o {slide:#x}", "-ex",
                              f"source {script}"], capture_output=True, text=True, check=False, timeout=300)
    for line in run.stdout.splitlines():
        if line.startswith("VARIABLES "):
            return json.loads(line.split(" ", 1)[1])
    raise AssertionError(f"gdb: {run.stdout[-300:]} {run.stderr[-300:]}")
