"""Dumps that no tool here can write: pages compressed with snappy, as makedumpfile and QEMU do it where they are built with it (Debian's are not).

A kdump-compressed file (makedumpfile's diskdump_mod.h) is: a header block, sub_hdr_size blocks, bitmap_blocks blocks, then one descriptor
{offset u64, size u32, flags u32, page_flags u64} for each dumped page, then the pages. Everything up to the descriptors is kept.
"""

import ctypes
import struct

STATUS_OFFSET = 424  # disk_dump_header.status; block_size, sub_hdr_size and bitmap_blocks follow it
DESCRIPTOR = struct.Struct("<QIIQ")
SNAPPY = 4  # DUMP_DH_COMPRESSED_SNAPPY


def snappy(source, target):
    """Write an uncompressed dump again, with snappy. A page that does not get smaller stays as it is, as in makedumpfile."""
    data = source.read_bytes()
    status, block, sub_blocks, bitmap_blocks = struct.unpack_from("<IIII", data, STATUS_OFFSET)
    table = (1 + sub_blocks + bitmap_blocks) * block
    second_bitmap = data[(1 + sub_blocks) * block + bitmap_blocks * block // 2:table]
    count = int.from_bytes(second_bitmap, "little").bit_count()

    compress = _Compressor(block)
    descriptors, pages, places = [], [], {}
    end = table + count * DESCRIPTOR.size
    for index in range(count):
        offset, size, _, page_flags = DESCRIPTOR.unpack_from(data, table + index * DESCRIPTOR.size)
        if offset not in places:  # all pages of zeros share one place
            packed, flags = compress(data[offset:offset + size])
            places[offset] = (end, len(packed), flags)
            pages.append(packed)
            end += len(packed)
        descriptors.append(DESCRIPTOR.pack(*places[offset], page_flags))

    head = bytearray(data[:table])
    struct.pack_into("<I", head, STATUS_OFFSET, status | SNAPPY)
    target.write_bytes(bytes(head) + b"".join(descriptors) + b"".join(pages))


class _Compressor:
    """libsnappy's C interface."""

    def __init__(self, block):
        self._library = ctypes.CDLL("libsnappy.so.1")
        self._library.snappy_max_compressed_length.restype = ctypes.c_size_t
        self._room = self._library.snappy_max_compressed_length(ctypes.c_size_t(block))
        self._buffer = ctypes.create_string_buffer(self._room)

    def __call__(self, page):
        length = ctypes.c_size_t(self._room)
        error = self._library.snappy_compress(page, ctypes.c_size_t(len(page)), self._buffer, ctypes.byref(length))
        if error or length.value >= len(page):
            return page, 0
        return self._buffer.raw[:length.value], SNAPPY
