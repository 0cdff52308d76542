"""Rule R13: a suite claims only requirements that exist and that it shows, and only what is computed is let through."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from plangate.documents.document import read_document
from plangate.documents.environment import GateSpec, HttpCall, Target
from plangate.documents.kinds import Kind
from plangate.documents.requirements import REQUIREMENTS, layer_problems, shown_by
from tests.documents.sample_documents import ENVIRONMENT, SUITE, changed

EXCLUDE = next(line for line in SUITE.splitlines(keepends=True) if line.startswith("  exclude:"))
AXES = SUITE[SUITE.index("  axes: {") : SUITE.index("  coverage:")]


def _problems(*changes: tuple[str, str], text: str = SUITE, kind: Kind = Kind.SUITE) -> list[tuple[str, str, str]]:
    for old, new in changes:
        text = changed(text, old, new)
    problems = read_document(kind, text.encode(), path="f").problems
    return [(problem.where.removeprefix("f:"), problem.code, problem.hint) for problem in problems]


def _claim(name: str, axes: str = "{plan: all, capability: all}", exclude: str = "[]", **others: str) -> list[str]:
    changes = [
        ("[C2, C8, C10]", f"[{name}]"),
        (AXES, f"  axes: {axes}\n"),
        (EXCLUDE, f"  exclude: {exclude}\n"),
        *others.items(),
    ]
    return [code for _, code, _ in _problems(*((old.replace("_", " "), new) for old, new in changes))]


def test_a_requirement_that_nobody_knows_is_an_error_with_the_nearest() -> None:
    assert _problems(("[C2, C8, C10]", "[C2, c8]")) == [("5:14", "unknown-requirement", "did you mean 'C8'?")]
    ((where, code, hint),) = _problems(("[C2, C8, C10]", "[our-own-rule]"))
    assert (where, code) == ("5:10", "unknown-requirement")
    assert "docs/reference/requirements.md" in hint


@pytest.mark.parametrize("name", ["C12", "C24", "E10", "C6", "C3", "G8", "T1", "P5"])
def test_what_no_matrix_of_decisions_can_show_is_refused(name: str) -> None:
    ((where, code, hint),) = _problems(("[C2, C8, C10]", f"[{name}]"))
    assert (where, code) == ("5:10", "requirement-not-shown")
    assert REQUIREMENTS[name].text in hint


@pytest.mark.parametrize(
    ("name", "enough", "too_little"),
    [
        ("C2", "{plan: all, state: all}", "{plan: all, state: [Subscribed]}"),
        ("C4", "{surface: [interaction, orchestration, tool]}", "{surface: [interaction, tool]}"),
        ("C7", "{plan: all, state: all, surface: all}", "{plan: all, state: all}"),
        ("C10", "{plan: all, capability: all}", "{plan: [free, pro], capability: all}"),
        ("C22", "{surface: all}", "{surface: default}"),
        ("C25", "{plan: all, setting: boundary}", "{plan: all, setting: plan}"),
        ("C26", "{plan: all, capability: all+unknown}", "{plan: all, capability: [kb.search]}"),
        ("C27", "{plan: all, usage: boundary}", "{plan: all, usage: zero}"),
        ("C28", "{plan: all+unknown, setting: boundary}", "{setting: boundary}"),
        ("E22", "{setting: boundary}", "{plan: all}"),
        ("G3", "{phrasing: {file: phrasings/attacks.yaml}}", "{phrasing: none}"),
        ("G14", "{capability: all+unknown}", "{capability: all}"),
        ("T2", "{linked: [true, false]}", "{linked: [false]}"),
        ("T11", "{consent: boundary}", "{consent: full}"),
        ("X15", "{plan: all, state: all}", "{state: all}"),
    ],
)
def test_an_axis_that_is_not_asked_shows_nothing(name: str, enough: str, too_little: str) -> None:
    assert _claim(name, enough) == []
    assert _claim(name, too_little) == ["requirement-not-asked"]


def test_what_is_not_asked_is_a_warning_and_stays_out_of_every_report() -> None:
    text = changed(
        changed(SUITE, EXCLUDE, ""), "capability: all, surface: all", "capability: [kb.search], surface: all"
    )
    document = read_document(Kind.SUITE, changed(text, "[C2, C8, C10]", "[C2, C10, C22]").encode(), path="f")
    assert [(problem.code, problem.severity) for problem in document.problems] == [("requirement-not-asked", "warning")]
    assert shown_by(document.sound(), targets=DOORS) == ("C2", "C22")


@pytest.mark.parametrize(
    ("exclude", "shown"),
    [
        ("[{plan: free}]", False),
        ("[{capability: [kb.search]}]", False),
        ("[{plan: free, capability: kb.search}]", False),
        ('[{plan: free, surface: "*"}]', False),
        ("[{plan: free, state: [Subscribed]}]", False),
        ("[{plan: free, surface: tool}]", True),
        ("[{plan: free, surface: [tool, interaction]}, {surface: orchestration}]", False),
        ("[{plan: free, surface: [tool, interaction]}, {linked: false}]", True),
        ("[{plan: free, linked: true}, {plan: free, linked: false}]", False),
        ("[{surface: tool}]", True),
        ('[{plan: "*", surface: tool}]', True),
    ],
)
def test_a_suite_that_excludes_a_plan_or_a_capability_does_not_show_each_plan(exclude: str, *, shown: bool) -> None:
    axes = "{plan: all, capability: all, state: all, surface: all, linked: [true, false]}"
    assert _claim("C10", axes, exclude) == ([] if shown else ["requirement-not-asked"])


def test_an_unknown_capability_that_is_excluded_is_not_shown() -> None:
    excluded = "[{capability: unknown.capability}]"
    assert _claim("G14", "{plan: all, capability: all+unknown}") == []
    assert _claim("G14", "{plan: all, capability: all+unknown}", excluded) == ["requirement-not-asked"]


HTTP = Target(driver="http", url="http://127.0.0.1:1", request=HttpCall(method="POST", path="/a"))
DOORS = {
    "interaction": HTTP,
    "orchestration": replace(HTTP, url="target:interaction", request=HttpCall(method="POST", path="/b")),
    "tool": Target(driver="authzen", url="target:interaction"),
}
ONE = Target(driver="python", object="app:decide")


@pytest.mark.parametrize(
    ("targets", "apart"),
    [
        (DOORS, True),
        ({"default": ONE}, False),
        ({"interaction": ONE, "default": HTTP}, False),
        ({"interaction": ONE, "tool": HTTP, "default": Target(driver="python", object="app:agent")}, True),
        ({"interaction": ONE, "orchestration": ONE, "tool": ONE}, False),
        ({**DOORS, "tool": replace(HTTP, url="target:interaction")}, False),
        ({**DOORS, "tool": replace(HTTP, headers={"X-Tenant": "b"})}, False),
        ({"interaction": ONE, "tool": HTTP}, False),
    ],
)
def test_each_layer_is_shown_only_where_each_has_a_door_of_its_own(targets: dict[str, Target], *, apart: bool) -> None:
    text = changed(changed(SUITE, EXCLUDE, ""), "[C2, C8, C10]", "[C2, C4, C22]")
    suite = read_document(Kind.SUITE, text.encode(), path="f").sound()
    assert shown_by(suite, targets=targets) == (("C2", "C4", "C22") if apart else ("C2",))


@pytest.mark.parametrize(("gate", "said"), [("gating", ["requirement-not-asked"]), ("other", [])])
def test_an_environment_that_gates_on_layers_behind_one_door_is_warned(gate: str, said: list[str]) -> None:
    text = changed(changed(SUITE, EXCLUDE, ""), "[C2, C8, C10]", "[C2, C4]")
    suite = read_document(Kind.SUITE, text.encode(), path="f").sound()
    environment = read_document(Kind.ENVIRONMENT, ENVIRONMENT.encode(), path="f").sound()
    bindings = replace(environment.bindings, targets={"default": ONE})
    environment = replace(environment, bindings=bindings, gates=(GateSpec(suite=gate),))
    problems = list(layer_problems(environment, suite))
    assert [problem.code for problem in problems] == said
    assert all(problem.severity == "warning" and "C4" in problem.message for problem in problems)
    assert list(layer_problems(replace(environment, bindings=replace(bindings, targets=DOORS)), suite)) == []


@pytest.mark.parametrize("name", ["C8", "E11", "X15"])
def test_that_answers_repeat_is_shown_by_asking_twice(name: str) -> None:
    once = {"determinism:": "determinism: {repeats: 1}\n#"}
    assert _claim(name, "{plan: all, state: all}") == []
    assert _claim(name, "{plan: all, state: all}", **once) == ["requirement-not-asked"]


@pytest.mark.parametrize("name", ["C10", "C26"])
def test_a_sample_of_cells_does_not_show_that_every_plan_gets_exactly_what_it_bought(name: str) -> None:
    assert _claim(name, **{"coverage:_exhaustive": "coverage: {strength: 2}"}) == ["requirement-not-asked"]


@pytest.mark.parametrize("word", ["quality", "lifecycle", "safety", "isolation", "consent", "performance"])
def test_a_type_that_cannot_be_judged_is_refused(word: str) -> None:
    ((where, code, hint),) = _problems(("type: gating", f"type: {word}"))
    assert (where, code) == ("4:7", "cannot-judge")
    assert "type: gating" in hint


def test_a_suite_of_another_type_is_told_that_it_cannot_be_judged_not_that_it_lacks_a_matrix() -> None:
    text = SUITE[: SUITE.index("covers:")].replace("type: gating", "type: lifecycle")
    assert [code for _, code, _ in _problems(text=text)] == ["cannot-judge"]
    assert [code for _, code, _ in _problems(text=text.replace("lifecycle", "gating"))] == ["missing-field"]


def test_a_misspelled_type_is_told_the_nearest() -> None:
    assert _problems(("type: gating", "type: gatin")) == [("4:7", "bad-value", "did you mean 'gating'?")]


@pytest.mark.parametrize("allow", ["noninferior_to: dev", "margin: 0.05", "leak: 0, noninferior_to: dev"])
def test_a_comparison_that_is_not_made_is_refused(allow: str) -> None:
    gate = "gates:\n  - {suite: gating"
    found = _problems((gate, f"{gate}, allow: {{{allow}}}"), text=ENVIRONMENT, kind=Kind.ENVIRONMENT)
    assert [code for _, code, _ in found if code != "unused-name"] == ["cannot-judge"]


def test_the_page_says_what_the_package_says() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/requirements.md").read_text(encoding="utf-8")
    rows = {row[0]: row[1:] for row in re.findall(r"^\| ([A-Z]\d+) \| (.*?) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)}
    assert list(rows) == list(REQUIREMENTS)
    for one in REQUIREMENTS.values():
        text, asked, left = rows[one.id]
        assert (text, left) == (one.text, one.open)
        assert asked == ("not by a suite" if not one.types else asked)
        assert bool(one.types) == (asked != "not by a suite")


def test_there_are_138_requirements_in_six_groups() -> None:
    groups = [name[0] for name in REQUIREMENTS]
    assert {group: groups.count(group) for group in groups} == {"E": 26, "C": 36, "T": 16, "G": 22, "P": 20, "X": 18}
    assert all(one.text and one.verifier and one.fit in ("A", "P") for one in REQUIREMENTS.values())
