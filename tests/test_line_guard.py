"""No line that plangate writes is obeyed by a terminal or a CI system, in however many pieces it comes (rule P12)."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plangate.line_guard import LineGuard, inert, inert_json

LIVE = re.compile(
    r"##[A-Za-z0-9._-]*\[|^\s*::|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]",
    re.MULTILINE,
)
PIECES = (
    "##vso[task.complete]", "##[error]", "##teamcity[", "#", "##vs", "o[", ":", "::error::", " ", "\n", "\t", "x",
    "\x1b[2J", "\u202e",
)  # fmt: skip
pieces = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12)


@given(pieces)
@example(["##vs", "o[x]"])
@example([":", ":error::"])
@example(["x\n \t", " :", ":error::"])
@example(["#" * 70, "#vso[x]"])
@example([" " * 80, "::error::"])
@example(["a\x85::error::", "b\x0b::error::"])
def test_nothing_live_is_written_whatever_the_pieces(texts) -> None:
    guard = LineGuard()
    assert LIVE.search("".join(guard(text) for text in texts)) is None


@given(pieces)
def test_what_is_not_live_is_written_as_it_is(texts) -> None:
    guard = LineGuard()
    text = "".join(texts)
    if LIVE.search(text) is None:
        assert "".join(guard(one) for one in texts) == text


@pytest.mark.parametrize(
    "text", ["envs/dev.yaml:3:5: wrong", "see a::b", "# heading", "## heading [link](x)", "a ### b"]
)
def test_ordinary_lines_stay(text) -> None:
    assert LineGuard()(text) == inert(text) == text


def test_a_broken_mark_can_still_be_read() -> None:
    assert inert("##vso[task.complete result=Succeeded;]DONE") == "# #vso[task.complete result=Succeeded;]DONE"
    assert inert("::error::x") == ": :error::x"


def test_colours_pass_only_while_plangate_draws() -> None:
    guard = LineGuard()
    assert guard("\x1b[31mred\x1b[0m") == "\ufffd[31mred\ufffd[0m"
    guard.draws = True
    assert guard("\x1b[31mred\x1b[0m\r\x1b[2K") == "\x1b[31mred\x1b[0m\r\x1b[2K"
    assert guard("\x1b]0;title\x07 \x9b ##vso[x]") == "\ufffd]0;title\ufffd \ufffd # #vso[x]"


@given(pieces)
def test_json_keeps_its_meaning_and_holds_nothing_live(texts) -> None:
    value = {"text": "".join(texts), "".join(texts): [1]}
    text = inert_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert LIVE.search(text) is None
