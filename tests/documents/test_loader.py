"""The loader: what it reads it places; what it refuses it names, with line, column and what to write instead."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.cyaml import CParser

from plangate.documents.loader import BYTES_MAX, VALUES_MAX, Loaded, PureParser, load
from plangate.errors import Problem

PARSERS = pytest.mark.parametrize("parser", [CParser, PureParser])


def read(text: str | bytes, parser=CParser) -> Loaded:
    return load(text.encode() if isinstance(text, str) else text, path="f.yaml", parser=parser)


def said(loaded: Loaded) -> list[tuple[str, int, int]]:
    return [(problem.code, problem.line, problem.column) for problem in loaded.problems]


@PARSERS
def test_every_value_and_key_has_its_place(parser) -> None:
    loaded = read(
        "# c\nplans:\n  free:\n    grants: [kb.search, 'é: x', \"b\"]\n  pro: {limits: {messages: 5}}\n", parser
    )
    assert loaded.problems == ()
    assert loaded.value == {
        "plans": {"free": {"grants": ["kb.search", "é: x", "b"]}, "pro": {"limits": {"messages": 5}}}
    }
    of, of_key = loaded.positions.of, loaded.positions.of_key
    assert str(of("plans", "free", "grants", 0)) == "f.yaml:4:14"
    assert str(of("plans", "free", "grants", 2)) == "f.yaml:4:33"
    assert str(of_key("plans", "pro", "limits", "messages")) == "f.yaml:5:18"
    assert str(of("plans", "pro", "limits", "messages")) == "f.yaml:5:28"
    assert str(of()) == "f.yaml:2:1"
    assert str(of("plans", "free", "nowhere", "at", "all")) == "f.yaml:4:5"


@PARSERS
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("duplicate-key", 3, 1)]),
        ("{a: 1, 'a': 2}", [("duplicate-key", 1, 8)]),
        ("a: &x 1\nb: *x\n", [("anchor", 1, 4), ("anchor", 2, 4)]),
        ("&x a: 1\n", [("anchor", 1, 1)]),
        ("a: &x [1]\n", [("anchor", 1, 4)]),
        ("a: !!str 1\n", [("tag", 1, 4)]),
        ("a: ! 1\n", [("tag", 1, 4)]),
        ("a: !thing {b: 1}\nc: !!set [d]\n", [("tag", 1, 4), ("tag", 2, 4)]),
        ("!k a: 1\n", [("tag", 1, 1)]),
        ("a: 1\n---\nb: 2\n", [("several-documents", 2, 1)]),
        ("%YAML 1.1\n---\na: 1\n", [("directive", 1, 1)]),
        ("? [a]\n: 1\n", [("key-not-text", 1, 3)]),
        ("{? {a: 1} : 2}\n", [("key-not-text", 1, 4)]),
        ("'': 1\n", [("key-not-text", 1, 1)]),
        ("a: .nan\nb: [1, 1e999]\n", [("number-not-finite", 1, 4), ("number-not-finite", 2, 8)]),
        ("a: 9007199254740992\n", [("number-too-large", 1, 4)]),
        ("a:\tb\nc: 1\n\td: 2\n", [("tab", 1, 3), ("tab", 3, 1)]),
        ("", [("empty-document", 1, 1)]),
        ("# nothing\n\n", [("empty-document", 1, 1)]),
        ("a: x: y\n", [("yaml-syntax", 1, 5)]),
        ("a: 'cut\n", [("yaml-syntax", 2, 1)]),
        ("a: \x07\n", [("control-character", 1, 4)]),
        ("a: x\u2028y\n", [("control-character", 1, 5)]),
        ("é: é\x85\n", [("control-character", 1, 5)]),
    ],
)
def test_refused_with_line_and_column(parser, text: str, expected: list[tuple[str, int, int]]) -> None:
    loaded = read(text, parser)
    assert said(loaded) == expected
    assert all(problem.hint for problem in loaded.problems)


def test_all_problems_come_at_once() -> None:
    loaded = read("a: 1\na: 2\nb: &x .inf\nc: *x\nd: !t 3\ne: [1, {f: 1, f: 2}]\n")
    assert said(loaded) == [
        ("duplicate-key", 2, 1),
        ("anchor", 3, 4),
        ("number-not-finite", 3, 4),
        ("anchor", 4, 4),
        ("tag", 5, 4),
        ("duplicate-key", 6, 15),
    ]
    assert loaded.complete


def test_what_was_found_before_a_syntax_error_is_not_lost() -> None:
    assert said(read("a: 1\na: 2\nb: [\n")) == [("duplicate-key", 2, 1), ("yaml-syntax", 4, 1)]


def test_a_duplicate_key_names_both_places() -> None:
    (problem,) = read("pro: 1\nfree: 2\npro: 3\n").problems
    assert str(problem) == "f.yaml:3:1: 'pro' is given twice; first at f.yaml:1:1 (keep one of the two) [duplicate-key]"


def test_keys_are_the_text_that_is_written() -> None:
    assert read("no: 1\n1: 2\n12:30: 3\n99999999999999999999: 4\nnull: 5\n").value == {
        "no": 1,
        "1": 2,
        "12:30": 3,
        "99999999999999999999": 4,
        "null": 5,
    }


@PARSERS
def test_a_truncated_file_says_what_is_open(parser) -> None:
    loaded = read("plans: {free: {grants: [a, b", parser)
    (problem,) = loaded.problems
    assert problem.code == "yaml-syntax"
    assert "flow sequence that begins at line 1" in problem.message
    assert "cut off" in problem.hint
    assert not loaded.complete


def test_binary_and_other_encodings_are_named() -> None:
    assert said(read(b"a: 1\nb\0c")) == [("not-text", 2, 2)]
    assert said(read("a: 1\n".encode("utf-16"))) == [("not-text", 1, 4)]
    (problem,) = read(b"a: 1\nbad: \xff\xfe\n").problems
    assert (problem.code, problem.line, problem.column) == ("invalid-utf8", 2, 6)
    assert "0xff" in problem.message


def test_a_byte_order_mark_is_no_content() -> None:
    loaded = read("\ufeffa: 1\n".encode())
    assert (loaded.value, loaded.problems) == ({"a": 1}, ())


def test_a_file_above_four_mebibytes_is_refused_before_it_is_parsed() -> None:
    started = time.process_time()
    assert said(read(b"a: [" + b"[" * (10 * 1024 * 1024))) == [("file-too-large", 1, 1)]
    assert time.process_time() - started < 5
    assert said(read(b"#" + b"x" * (BYTES_MAX - 1))) == [("empty-document", 1, 1)]


@PARSERS
@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? "])
def test_a_hundred_thousand_brackets_are_refused_at_once(parser, bracket: str) -> None:
    started = time.process_time()
    loaded = read(bracket * 100_000, parser)
    assert {problem.code for problem in loaded.problems} <= {"too-deep", "key-not-text"}
    assert loaded.problems
    assert time.process_time() - started < 5


@PARSERS
def test_sixty_four_levels_are_read_and_one_more_is_not(parser) -> None:
    assert read("[" * 64 + "]" * 64, parser).problems == ()
    assert said(read("[" * 65 + "]" * 65, parser)) == [("too-deep", 1, 65)]


def test_an_alias_bomb_is_refused_where_it_starts_and_nothing_is_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    started = time.process_time()
    loaded = read("\n".join(lines))
    assert {problem.code for problem in loaded.problems} == {"anchor"}
    assert loaded.problems[0].line == 1
    assert time.process_time() - started < 1


def test_more_values_than_any_catalog_needs_are_refused() -> None:
    assert [code for code, _, _ in said(read("[" + "1," * (VALUES_MAX + 10) + "1]"))] == ["too-many-values"]


def test_messages_never_carry_control_characters_to_a_terminal() -> None:
    (problem,) = read('"\\e[2J\\x07": 1\n"\\e[2J\\x07": 2\n').problems
    assert str(problem).isprintable()


def test_thirty_seven_thousand_values_each_have_a_place() -> None:
    text = "features:\n" + "".join(f"  f{i}:\n    grant: [a, b]\n    limit: {i}\n" for i in range(7_400))
    assert len(load(text.encode(), path="f.yaml").positions.values) == 37_002


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\u2028\u2029\ufeff\ufffe\uffff", exclude_categories=["Cc", "Cs"]),
    max_size=30,
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXT.filter(bool), inner, max_size=5),
    max_leaves=30,
)


@given(_JSON, st.sampled_from([None, 0, 2]))
def test_json_loads_as_json_does_and_every_value_stands_where_it_says(value: object, indent: int | None) -> None:
    """JSON is YAML 1.2: the standard library's reader is the slow reference, and the text itself tells the places."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    loaded = read(text)
    assert loaded.problems == ()
    assert loaded.value == json.loads(text)
    lines = text.split("\n")
    for pointer, (line, column) in loaded.positions.values.items():
        part = loaded.value
        for step in pointer:
            part = part[step]
        shown = {list: "[", dict: "{"}.get(type(part)) or json.dumps(part, ensure_ascii=False)
        assert lines[line - 1][column - 1 :].startswith(shown)


@given(_JSON)
def test_both_parsers_read_the_same(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    fast, slow = read(text, CParser), read(text, PureParser)
    assert (fast.value, fast.positions, fast.problems) == (slow.value, slow.positions, slow.problems)


@given(st.text(st.sampled_from("ab: -[]{}#&*!|>'\"%@`,?~\n\t 019._\\\x00\x85é"), max_size=60) | st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused_with_a_place(data: str | bytes) -> None:
    loaded = read(data)
    for problem in loaded.problems:
        assert isinstance(problem, Problem)
        assert problem.line >= 1
        assert problem.column >= 1
    assert loaded.problems or loaded.complete
