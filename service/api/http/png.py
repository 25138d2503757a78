"""Pixels as a PNG."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from engines.base import Vectors

_GREY_8_BITS = bytes([8, 0, 0, 0, 0])  # depth, colour type, compression, filter, no interlacing


def grey_png(pixels: Vectors) -> bytes:
    """pixels: float32[height, width], 0 (black) to 255; what lies beyond is cut off. ISO/IEC 15948."""
    height, width = pixels.shape
    levels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    rows = np.hstack([np.zeros((height, 1), np.uint8), levels])  # before each row, that it is stored as it is
    header = struct.pack(">II", width, height) + _GREY_8_BITS
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
