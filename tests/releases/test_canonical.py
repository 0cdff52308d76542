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


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (20.0, "20"), (-1.5, "-1.5"), (0.1, "0.1"), (1e20, "100000000000000000000"),
        (1e21, "1e+21"), (1.25e-6, "0.00000125"), (1e-7, "1e-7"), (5e-324, "5e-324"), (2**53 - 1, "9007199254740991"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (333333333.3333333, "333333333.3333333"),
    ],
)  # fmt: skip
def test_a_number_has_one_text_as_ecmascript_writes_it(number: float, text: str) -> None:
    assert canonical_bytes([number]) == f"[{text}]".encode()


def test_keys_are_sorted_by_utf_16_units_and_text_escapes_what_it_must() -> None:
    """A grinning face (D83D DE00 in UTF-16) comes before the ligature FB01, though its code point is larger."""
    assert canonical_bytes({"\ufb01": 1, "\U0001f600": 2, "b": 3, "B": 4, "": 5, "b1": 6}) == (
        '{"":5,"B":4,"b":3,"b1":6,"\U0001f600":2,"\ufb01":1}'.encode()
    )
    assert canonical_bytes('\b\t\n\f\r"\\/\x00\x1f\x7f\u00e4\u2028') == (
        b'"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\x7f' + "\u00e4\u2028".encode() + b'"'
    )
    assert canonical_bytes([True, False, None, [], {}]) == b"[true,false,null,[],{}]"


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
