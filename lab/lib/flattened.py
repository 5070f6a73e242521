"""makedumpfile's flattened format: what it writes to a pipe or a raw disk.

A header of 4096 bytes that starts with "makedumpfile", then blocks {int64 offset, int64 size, data}, big endian, each to be put at that
offset of the real dump; offset -1 ends it (makedumpfile's diskdump_mod.h and makedumpfile.h, struct makedumpfile_data_header).
"""

import struct

from say import Failure

SIGNATURE = b"makedumpfile\0"
HEADER_SIZE = 4096
BLOCK = struct.Struct(">qq")
END = -1


def length(path):
    """Where the flattened dump that starts a raw disk ends."""
    with open(path, "rb") as disk:
        if disk.read(len(SIGNATURE)) != SIGNATURE:
            raise Failure("the crash kernel wrote no dump")
        position = HEADER_SIZE
        while True:
            disk.seek(position)
            block = disk.read(BLOCK.size)
            if len(block) < BLOCK.size:
                raise Failure("the crash kernel's dump is cut off")
            offset, size = BLOCK.unpack(block)
            position += BLOCK.size
            if offset == END:
                return position
            position += size
