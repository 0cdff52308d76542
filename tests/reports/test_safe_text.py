"""Texts of the app under test cannot steer a terminal, an XML file or a reader's eye."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plangate.reports.safe_text import clean, columns, fit, shape


def test_escape_sequences_and_line_ends_are_gone() -> None:
    assert clean("\x1b[31mred\x1b[0m\r\nnext\tline") == "\ufffd[31mred\ufffd[0m\ufffd next line"


def test_text_that_reorders_its_neighbours_is_gone() -> None:
    assert clean("abc\u202egnp.exe\u2069") == "abc\ufffdgnp.exe\ufffd"


def test_half_characters_can_be_encoded_afterwards() -> None:
    assert clean("a\ud800b").encode() == "a\ufffdb".encode()


def test_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 50, length_max=10) == "x" * 9 + "…"


@given(st.text(), st.integers(1, 40))
def test_clean_and_fit_are_total_and_bounded(text: str, width: int) -> None:
    assert len(clean(text, length_max=width)) <= width
    assert columns(fit(clean(text), width)) <= width
    assert clean(clean(text)) == clean(text)


def test_wide_characters_take_two_columns() -> None:
    assert columns("漢字") == 4
    assert fit("漢字漢字", 5) == "漢字…"


def test_texts_that_differ_in_numbers_and_identifiers_have_one_shape() -> None:
    assert shape("trace 7f3a91c24f3a at 10.0.0.1:8123, -5") == shape("trace 0b5d77e1aa00 at 10.0.0.2:9, 7")
    assert shape("timeout") != shape("refused")
