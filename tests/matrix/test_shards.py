"""Shards: every cell in exactly one, wherever it is computed."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import InputError
from plangate.matrix.shards import in_shard, parse_shard


@given(st.binary(min_size=10, max_size=10), st.integers(1, 60))
def test_every_cell_is_in_exactly_one_shard(digest: bytes, count: int) -> None:
    assert sum(in_shard(digest, index, count) for index in range(1, count + 1)) == 1


def test_which_machine_takes_a_cell_never_changes() -> None:
    """The first eight bytes of the digest as one number, most significant first, modulo the count: written in stone,
    since shards of one run may come from machines with different versions."""

    def shard_of(digest: str, count: int) -> int:
        (index,) = (index for index in range(1, count + 1) if in_shard(bytes.fromhex(digest), index, count))
        return index

    assert shard_of("0000000000000005ffff", 3) == 3
    assert shard_of("0000000000000006ffff", 3) == 1
    assert shard_of("00000000000000060000", 3) == 1, "the bytes beyond the eighth do not count"
    assert shard_of("0100000000000000ffff", 7) == 2**56 % 7 + 1
    assert shard_of("000000000000ff000000", 256) == 1
    assert shard_of("00000000000000ff0000", 256) == 256


def test_shards_are_of_a_size() -> None:
    digests = [hashlib.sha256(str(number).encode()).digest()[:10] for number in range(4_000)]
    sizes = [sum(in_shard(digest, index, 4) for digest in digests) for index in (1, 2, 3, 4)]

    assert sum(sizes) == 4_000
    assert min(sizes) > 900


def test_a_shard_is_read_from_index_and_count() -> None:
    assert [parse_shard(written) for written in ("1/1", "2/4", "10000/10000")] == [(1, 1), (2, 4), (10_000, 10_000)]


@pytest.mark.parametrize(
    "written", ["", "0/4", "5/4", "2", "2/", "/4", "-1/4", "2/4 ", "02/4", "2/4/8", "a/b", "1/10001", "٢/٤"]
)
def test_anything_else_is_no_shard(written: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_shard(written)
    assert caught.value.code == "bad-shard"
