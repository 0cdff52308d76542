"""Which machine takes which cell: decided by the cell's digest, so that shards never overlap and never miss one."""

from __future__ import annotations

import re

from plangate.errors import InputError

__all__ = ["SHARDS_MAX", "in_shard", "parse_shard"]

SHARDS_MAX = 10_000
"""Shards of one run."""

_SHARD = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})", re.ASCII)


def in_shard(digest: bytes, index: int, count: int) -> bool:
    """Whether the cell belongs to shard `index` (from 1) of `count`."""
    return int.from_bytes(digest[:8]) % count == index - 1


def parse_shard(written: str) -> tuple[int, int]:
    """`2/4` as (2, 4): the second of four. Raises InputError (`bad-shard`)."""
    found = _SHARD.fullmatch(written)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= index <= count <= SHARDS_MAX:
        raise InputError(
            f"{written!r} is no shard",
            code="bad-shard",
            hint=f"write index/count with 1 <= index <= count <= {SHARDS_MAX:,}, for example 2/4",
        )
    return index, count
