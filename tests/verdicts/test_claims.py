"""What a run may claim: the whole sentence only where nothing was left untried (rule R12)."""

from dataclasses import replace

import pytest

from plangate.documents.suite import JudgeMode
from plangate.verdicts import claims
from plangate.verdicts.claims import headline, not_tried, refuses_only, shown_requirements
from plangate.verdicts.result import RunHeader, RunSummary, RunVerdict, SuiteSummary, Totals

HEADER = RunHeader(
    run="r-1", environment="dev", tier="nonproduction", release="sha256:r", effective="sha256:e", seed=7, started="",
    finished="2026-01-01T00:00:00Z", duration_s=1.0, plangate="0", app="a 1", model="", target="python",
    ran="as declared",
)  # fmt: skip
EVERY_AXIS = {
    "plan": ("free", "pro"), "state": ("Subscribed",), "capability": ("a", "b"),
    "surface": ("interaction", "orchestration", "tool"), "usage": ("zero", "last_fit:m"), "setting": ("plan", "s=1"),
    "addon": ("none", "pack"), "quantity": (1, 2), "consent": ("full", "none"), "linked": (True, False),
    "override": ("none", "grant"), "phrasing": ("please",), "cost": ("catalog", "more"),
}  # fmt: skip
TOTALS = Totals(expected=8, executed=8, observations=16, passed=8, allowing=3)
SUITE = SuiteSummary(
    name="gating", version=1, digest="sha256:s", totals=TOTALS, coverage="exhaustive", covers=("C2", "C10"),
    axes=EVERY_AXIS, rules=tuple(f"D{number}" for number in range(1, 12)),
)  # fmt: skip


def summary(*suites: SuiteSummary, header: RunHeader = HEADER, verdict: RunVerdict = RunVerdict.PASSED) -> RunSummary:
    each = suites or (SUITE,)
    names = Totals.__slots__
    totals = Totals(**{name: sum(getattr(one.totals, name) for one in each) for name in names})
    return RunSummary(header=header, verdict=verdict, fingerprint="", totals=totals, leaked=0, suites=each)


def test_what_this_version_never_looks_at_is_always_listed() -> None:
    (only,) = not_tried(summary())
    for what in ("effects", "audit records", "usage", "histories"):
        assert what in only
    assert headline(summary()) == "no difference found in 8 cells"


def test_the_whole_claim_stands_only_where_nothing_is_left(monkeypatch) -> None:
    monkeypatch.setattr(claims, "not_tried", lambda summary: ())
    assert headline(summary()) == "every plan gets exactly what it bought, 8 cells"
    monkeypatch.setattr(claims, "not_tried", lambda summary: ("something",))
    assert "exactly" not in headline(summary())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"axes": EVERY_AXIS | {"usage": ("zero",)}}, "axis never varied: usage"),
        ({"axes": EVERY_AXIS | {"consent": ("full",), "linked": (True,)}}, "axes never varied: consent, linked"),
        ({"axes": EVERY_AXIS | {"phrasing": (None,)}}, "axis never varied: phrasing"),
        ({"axes": EVERY_AXIS | {"surface": ("default",)}}, "surfaces without a cell: interaction, orchestration, tool"),
        ({"axes": EVERY_AXIS | {"surface": ("interaction", "tool")}}, "surface without a cell: orchestration"),
        ({"left_out": {"plan": ("enterprise",)}}, "plan without a cell: enterprise"),
        ({"left_out": {"capability": tuple("cdefghi")}}, "capabilities without a cell: c, d, e, f, g and 2 more"),
        ({"judge": JudgeMode.EFFECT_ONLY}, "judged effects only"),
        ({"coverage": "2-way: 12 of 60 combinations"}, "suite gating did not ask every combination (2-way)"),
        ({"passes": 1}, "asked each cell once"),
        ({"excluded": ("plan free with capability a",)}, "suite gating excludes plan free with capability a"),
        ({"passes": 1, "asked_again": False}, "asked each cell once"),
        ({"asked_again": False}, "asked no process for a cell twice"),
        ({"rules": ("D6", "D11")}, "D1, D2, D3, D4, D5, D7, D8, D9, D10"),
    ],
)  # fmt: skip
def test_what_a_suite_leaves_out_is_said(changed, said) -> None:
    sentences = not_tried(summary(replace(SUITE, **changed)))
    assert len(sentences) == 2
    assert said in sentences[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"selection": "plan=free"}, "only plan=free was run"),
        ({"shard": "2/4"}, "only shard 2/4 was run"),
        ({"ran": "not checked"}, "what ran was not checked"),
        ({"reused_from": "r-0"}, "what run r-0 had observed was not asked again"),
    ],
)
def test_what_a_run_leaves_out_is_said(changed, said) -> None:
    assert not_tried(summary(header=replace(HEADER, **changed)))[0] == said


def test_another_suite_may_try_what_one_leaves_out() -> None:
    narrow = replace(SUITE, name="narrow", axes=EVERY_AXIS | {"usage": ("zero",), "plan": ("free",)}, rules=("D11",))
    narrow = replace(narrow, left_out={"plan": ("pro",)})
    assert len(not_tried(summary(narrow))) == 4
    assert len(not_tried(summary(narrow, SUITE))) == 1


def test_cells_that_were_not_observed_are_named() -> None:
    half = replace(SUITE, totals=replace(TOTALS, executed=6))
    assert not_tried(summary(half))[0] == "2 of 8 cells were not observed in every pass"


def test_a_part_is_no_verdict_on_the_whole() -> None:
    part = summary(header=replace(HEADER, shard="1/2"))
    assert headline(part) == "no difference found in this part, 8 cells; it is no verdict on the whole"


def test_a_run_of_refusals_is_told_from_one_that_failed() -> None:
    refusals = replace(SUITE, totals=replace(TOTALS, allowing=0))
    assert refuses_only(summary(refusals, verdict=RunVerdict.UNDECIDED))
    assert not refuses_only(summary(verdict=RunVerdict.UNDECIDED))
    missing = replace(SUITE, totals=replace(TOTALS, allowing=0, executed=7))
    assert not refuses_only(summary(missing, verdict=RunVerdict.UNDECIDED))


def test_requirements_are_shown_by_suites_that_passed_whole() -> None:
    failing = replace(SUITE, name="safety", covers=("C6",), totals=replace(TOTALS, passed=7, leak=1))
    assert shown_requirements(summary(SUITE, failing, verdict=RunVerdict.FAILED)) == ("C2", "C10")


@pytest.mark.parametrize(
    "changed",
    [{"finished": ""}, {"stopped": "interrupted"}, {"selection": "plan=free"}, {"shard": "1/2"}, {"ran": "differs"}],
)
def test_a_part_of_a_run_shows_no_requirement(changed) -> None:
    assert shown_requirements(summary(header=replace(HEADER, **changed))) == ()


def test_a_run_of_refusals_shows_no_requirement() -> None:
    assert shown_requirements(summary(replace(SUITE, totals=replace(TOTALS, allowing=0)))) == ()
