"""Canonical bytes: the published vectors of RFC 8785, and one digest for equal values."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import InputError
from plangate.releases.canonical import canonical_bytes, digest, digest_of_bytes

NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")


def vectors() -> Path:
    for folder in Path(__file__).resolve().parents:
        found = folder.parent / "shared" / "vectors" / "evidence" / "rfc8785"
        if found.is_dir():
            return found
    pytest.skip("left out: ../shared/vectors is absent")


@pytest.mark.parametrize("name", NAMES)
def test_the_published_documents(name: str) -> None:
    folder = vectors()
    value = json.loads((folder / "input" / f"{name}.json").read_text("utf-8"))
    expected = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text("ascii"))
    assert canonical_bytes(value) == expected
    assert canonical_bytes(value) == (folder / "output" / f"{name}.json").read_bytes()


def test_the_published_numbers() -> None:
    """RFC 8785, appendix B: the 64 bits of a double and its text; null = must be refused."""
    rows = json.loads((vectors() / "ieee754-numbers.json").read_text("utf-8"))["rows"]
    assert len(rows) == 26
    for row in rows:
        (number,) = struct.unpack(">d", bytes.fromhex(row["ieee754_be_hex"]))
        if row["expected"] is not None:
            assert canonical_bytes(number) == row["expected"].encode(), row
        else:
            with pytest.raises(InputError):
                canonical_bytes(number)


def test_the_order_of_keys_and_the_kind_of_mapping_do_not_matter() -> None:
    one = {"b": 1, "a": [1, 2], "c": {"z": None}}
    other = MappingProxyType({"c": MappingProxyType({"z": None}), "a": (1, 2), "b": 1})
    assert digest(one) == digest(other)
    assert canonical_bytes(one) == b'{"a":[1,2],"b":1,"c":{"z":null}}'


def test_a_digest_is_sha256_over_the_canonical_bytes() -> None:
    assert digest({"a": 1}) == "sha256:" + hashlib.sha256(b'{"a":1}').hexdigest()
    assert digest_of_bytes(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), "\ud800", {"\udc00": 1}])
def test_what_json_cannot_hold_has_no_canonical_form(value: object) -> None:
    with pytest.raises(InputError) as refused:
        canonical_bytes({"x": value} if not isinstance(value, dict) else value)
    assert refused.value.code == "not-canonical"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_JSON)
def test_reading_the_canonical_bytes_and_writing_them_again_changes_nothing(value: object) -> None:
    data = canonical_bytes(value)
    assert canonical_bytes(json.loads(data, parse_int=float)) == data  # JSON has one kind of number
