"""The words that stand for a picture, kept in the PNG file itself, under the keyword Description."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEY = b"Description\x00\x00\x00\x00\x00"  # not compressed, no language, no translated keyword
_END = 12  # bytes of the chunk that ends the file


def describe(path: Path, alt: str) -> None:
    """Write the alternative text into a PNG file, in one step."""
    data = path.read_bytes()
    body = _KEY + alt.encode("utf-8", "replace")
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
    handle, name = tempfile.mkstemp(prefix=".picture-", suffix=".png", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data[:-_END] + chunk + data[-_END:])
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def alt_of(data: bytes) -> str:
    """The alternative text in the bytes of a PNG file; "" where there is none."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind == b"iTXt" and body.startswith(_KEY):
            return body[len(_KEY) :].decode("utf-8", "replace")
        at += 12 + size
    return ""
