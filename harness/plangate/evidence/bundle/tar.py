"""The tar of a bundle: one spelling only, so that a single flipped byte anywhere is noticed, and nothing can hide.

Names, order, headers and padding are fixed: a reader builds each header itself and compares. Links, devices, folders,
other names, names twice and bytes after the end cannot be written that way, so none of them is ever believed.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, NoReturn

from plangate.errors import EvidenceError

__all__ = ["BYTES_MAX", "ENTRIES_MAX", "INDEX", "LAYOUT", "Member", "blob_name", "read_members", "write_members"]

ENTRIES_MAX: Final = 100_000
BYTES_MAX: Final = 2 * 1024 * 1024 * 1024
LAYOUT: Final = "oci-layout"
INDEX: Final = "index.json"
_SMALL_MAX: Final = 65_536
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_BLOCK: Final = tarfile.BLOCKSIZE
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of the tar: where its bytes lie, and their digest."""

    name: str
    offset: int
    size: int
    sha256: str


def blob_name(sha256: str) -> str:
    """Where a blob lies in an OCI image layout."""
    return f"blobs/sha256/{sha256}"


def write_members(stream: BinaryIO, files: Mapping[str, bytes]) -> None:
    """Write the tar: sorted, no times, no owners, so that equal content is equal bytes."""
    written = 0
    for name in sorted(files):
        data = files[name]
        for part in (_header(name, len(data)), data, b"\0" * (-len(data) % _BLOCK)):
            stream.write(part)
            written += len(part)
    stream.write(b"\0" * (_end(written) - written))


def read_members(stream: BinaryIO, *, entries_max: int = ENTRIES_MAX, bytes_max: int = BYTES_MAX) -> Iterator[Member]:
    """Each file in order, its digest computed while reading; a blob must have the digest in its name.

    Raises EvidenceError: `bundle-damaged`, `bundle-unsafe` (something that no bundle holds), `bundle-too-large`.
    """
    offset, before, entries = 0, "", 0
    while True:
        header = _exactly(stream, _BLOCK)
        if header == b"\0" * _BLOCK:
            break
        entries += 1
        if entries > entries_max:
            _too_large(f"it has more than {entries_max:,} entries")
        name, size = _named(header)
        if name <= before:
            _unsafe(f"{name} comes twice or out of order")
        offset, before = offset + _BLOCK, name
        if offset + size > bytes_max:
            _too_large(f"it has more than {bytes_max:,} bytes")
        sha256 = _digest(stream, size)
        blob = _BLOB.fullmatch(name)
        if blob and blob[1] != sha256:
            _damaged(f"blob {blob[1][:12]} does not have its digest")
        if _exactly(stream, -size % _BLOCK).strip(b"\0"):
            _damaged(f"something lies behind {name}")
        yield Member(name=name, offset=offset, size=size, sha256=sha256)
        offset += size + -size % _BLOCK
    rest = stream.read(tarfile.RECORDSIZE + 1)
    if rest.strip(b"\0") or len(rest) + _BLOCK != _end(offset) - offset:
        _damaged("its end is not where it should be")


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.USTAR_FORMAT)


def _end(written: int) -> int:
    """Length of the whole file: two empty blocks, filled up to a record."""
    records, rest = divmod(written + 2 * _BLOCK, tarfile.RECORDSIZE)
    return (records + bool(rest)) * tarfile.RECORDSIZE


def _named(header: bytes) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError, ValueError):
        _damaged("a header cannot be read")
    if not info.isreg():
        _unsafe(f"{info.name!r} is a link, a folder or a device")
    if info.name not in (LAYOUT, INDEX) and not _BLOB.fullmatch(info.name):
        _unsafe(f"{info.name!r} is no name of a bundle's file")
    if info.size < 0 or (info.name in (LAYOUT, INDEX) and info.size > _SMALL_MAX):
        _unsafe(f"{info.name!r} has a size of {info.size:,}")
    if header != _header(info.name, info.size):
        _damaged(f"the header of {info.name} was changed")
    return info.name, info.size


def _digest(stream: BinaryIO, size: int) -> str:
    total = hashlib.sha256()
    while size:
        chunk = _exactly(stream, min(size, _CHUNK))
        total.update(chunk)
        size -= len(chunk)
    return total.hexdigest()


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size) if size else b""
    if len(data) != size:
        _damaged("it ends too early")
    return data


def _damaged(why: str) -> NoReturn:
    hint = "get it again; it is not what the publisher packed"
    raise EvidenceError(f"the bundle is damaged: {why}", code="bundle-damaged", hint=hint)


def _unsafe(why: str) -> NoReturn:
    raise EvidenceError(f"this is no bundle that can be trusted: {why}", code="bundle-unsafe")


def _too_large(why: str) -> NoReturn:
    raise EvidenceError(f"this bundle is refused: {why}", code="bundle-too-large")
