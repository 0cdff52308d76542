"""Unquoted words mean what YAML 1.2's core schema says, and nothing that YAML 1.1 said."""

import pytest

from plangate.documents.scalars import BadScalarError, read_plain

# YAML 1.2.2, section 10.3.2 (tag resolution of the core schema), read by hand.
CORE = [
    ("", None),
    ("~", None),
    ("null", None),
    ("true", True),
    ("false", False),
    ("0", 0),
    ("-0", 0),
    ("+12", 12),
    ("-3", -3),
    ("0o17", 15),
    ("0x1F", 31),
    ("9007199254740991", 2**53 - 1),
    ("000000000000000000000000000007", 7),
    ("1.5", 1.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("-1.5E-2", -0.015),
]
# What YAML 1.1 took for booleans, sexagesimal numbers, dates, grouped digits and octals.
TEXT = [
    "no",
    "NO",
    "yes",
    "on",
    "Off",
    "y",
    "n",
    "1_000",
    "12:30",
    "12:30:45",
    "2026-11-01",
    "2026-11-01T00:00:00Z",
    "0b11",
    "0o8",
    "0xG",
    "1.2.3",
    "+",
    "-",
    ".",
    ".e5",
    "1e",
    "tRue",
    "nULL",
    "<<",
    "=",
    "v1",
    "-x",
    "1.2.3-rc.1",
    "q4_1",
    "+.x",
]


@pytest.mark.parametrize(("text", "value"), CORE)
def test_the_core_schema_is_read(text: str, value: object) -> None:
    assert read_plain(text) == value
    assert type(read_plain(text)) is type(value)


@pytest.mark.parametrize("text", TEXT)
def test_everything_else_is_text(text: str) -> None:
    assert read_plain(text) == text


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("020", ("20 here and 16 to", "write 20, or 16;")),
        ("-0755", ("-755 here and -493 to", "write -755, or -493;")),
        ("+010", ("10 here and 8 to", "write 10, or 8;")),
        ("089", ("89 here and text to", "write 89;")),
    ],
)
def test_a_leading_zero_that_makes_two_numbers_is_refused_with_both(text: str, readings: tuple[str, str]) -> None:
    with pytest.raises(BadScalarError) as refused:
        read_plain(text)
    assert refused.value.code == "number-ambiguous"
    assert (readings[0] in str(refused.value), readings[1] in refused.value.hint) == (True, True)


@pytest.mark.parametrize(("text", "value"), [("007", 7), ("-01", -1), ("00", 0), ("0o020", 16), ("0" * 5000 + "1", 1)])
def test_a_leading_zero_that_makes_one_number_is_none_too_many(text: str, value: int) -> None:
    assert read_plain(text) == value


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1e999", "-1e400"])
def test_numbers_that_are_not_finite_are_refused(text: str) -> None:
    with pytest.raises(BadScalarError) as refused:
        read_plain(text)
    assert refused.value.code == "number-not-finite"


@pytest.mark.parametrize("text", ["9007199254740992", "-9007199254740992", "0x20000000000000", "9" * 5000])
def test_integers_that_json_cannot_keep_are_refused(text: str) -> None:
    with pytest.raises(BadScalarError) as refused:
        read_plain(text)
    assert refused.value.code == "number-too-large"
