"""The little that the lab needs to know of ELF files."""

import struct

from say import Failure

PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")  # Elf64_Phdr: type, flags, offset, vaddr, paddr, filesz, memsz, align


def core_length(path):
    """Where the 64-bit ELF core that starts a raw disk ends: after its last segment."""
    with open(path, "rb") as disk:
        header = disk.read(64)
        if header[:5] != b"\x7fELF\x02":
            raise Failure("the crash kernel wrote no dump")
        table, = struct.unpack_from("<Q", header, 32)
        entry_size, count = struct.unpack_from("<HH", header, 54)
        disk.seek(table)
        headers = disk.read(entry_size * count)
    segments = (PROGRAM_HEADER.unpack_from(headers, i * entry_size) for i in range(count))
    return max(offset + file_size for _, _, offset, _, _, file_size, _, _ in segments)
