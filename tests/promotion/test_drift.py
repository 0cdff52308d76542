"""Pins against what an app says of itself: what differs, what it does not say, what is excused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.documents.document import read_document
from plangate.documents.kinds import Kind
from plangate.promotion.drift import Baseline, DriftReport, compare_model
from plangate.releases.running import compare_pins

MANIFEST = """
apiVersion: plangate/v1
kind: Environment
metadata: {name: prod, revision: 4, tier: production}
release:
  app: {name: shop, version: 1.0.0}
  model: {provider: p, name: m, version: 1.2.0, parameters: {temperature: 0, seed: 7}}
  prompts: {answer: 2.0.0}
  plans: {shop: 3.0.0}
  tools: {shop: 1.1.0}
  retrieval: {kb: "2026-11-01"}
  flags: {fast: true, new: false}
  suites: {gating: 1}
bindings:
  targets: {default: {driver: authzen, url: "http://127.0.0.1:1"}}
"""
ENVIRONMENT = read_document(Kind.ENVIRONMENT, MANIFEST.encode(), path="envs/prod.yaml").sound()
PROMPT, CATALOG = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32
RELEASE: dict[str, Any] = {
    "app": {"name": "shop", "version": "1.0.0"},
    "model": {"provider": "p", "name": "m", "version": "1.2.0", "parameters": {"temperature": 0, "seed": 7}},
    "prompts": {"answer": {"version": "2.0.0", "digest": PROMPT}},
    "plans": {"shop": {"version": "3.0.0", "digest": CATALOG}},
    "tools": {"shop": "1.1.0"},
    "retrieval": {"kb": "2026-11-01"},
    "flags": {"fast": True, "new": False},
    "suites": {"gating": {"version": 1, "digest": PROMPT}},
}


def _told(**changed: Any) -> dict[str, Any]:
    parts = {name: value for name, value in RELEASE.items() if name != "suites"}
    return {name: value for name, value in {**parts, **changed}.items() if value is not None}


def _found(told: Any, *untold: str) -> tuple[list[str], list[str]]:
    differences, silent = compare_pins(ENVIRONMENT, RELEASE, told, untold=untold)
    return [one.pin for one in differences], [one.pin for one in silent]


def test_what_runs_as_pinned_has_no_difference() -> None:
    assert _found(_told()) == ([], [])


@pytest.mark.parametrize(
    ("part", "said", "pin"),
    [
        ("app", {"name": "shop", "version": "1.0.1"}, "app.version"),
        ("model", {**RELEASE["model"], "version": "1.3.0"}, "model.version"),
        ("model", {**RELEASE["model"], "parameters": {"temperature": 1, "seed": 7}}, "model.parameters.temperature"),
        ("model", {**RELEASE["model"], "parameters": {"temperature": 0, "seed": 7, "top_p": 1}},
         "model.parameters.top_p"),
        ("prompts", {"answer": "2.0.1"}, "prompts.answer"),
        ("prompts", {"answer": "sha256:" + "ab" * 32}, "prompts.answer"),
        ("prompts", {"answer": {"version": "2.0.0", "digest": CATALOG}}, "prompts.answer"),
        ("prompts", {"answer": "2.0.0", "hidden": "1.0.0"}, "prompts.hidden"),
        ("plans", {"shop": "2.9.0"}, "plans.shop"),
        ("tools", {"shop": None}, "tools.shop"),
        ("retrieval", {"kb": "2026-10-01"}, "retrieval.kb"),
        ("flags", {"fast": 1, "new": False}, "flags.fast"),
        ("flags", {"fast": True, "new": False, "router": True}, "flags.router"),
        ("flags", {"fast": True, "new": True}, "flags.new"),
    ],
)  # fmt: skip
def test_one_pin_that_differs_is_named(part: str, said: Any, pin: str) -> None:
    assert _found(_told(**{part: said})) == ([pin], [])


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("prompts", {"answer": "2.0.0"}), ("prompts", {"answer": PROMPT}), ("plans", {"shop": {"digest": CATALOG}}),
        ("model", {**RELEASE["model"], "region": "west"}), ("app", {**RELEASE["app"], "built": "today"}),
        ("flags", {"fast": True, "new": False, "old": False}),
    ],
)  # fmt: skip
def test_version_or_digest_will_do_and_more_may_be_said(part: str, said: Any) -> None:
    assert _found(_told(**{part: said})) == ([], [])


@pytest.mark.parametrize(
    ("said", "pins"),
    [
        ({"model": None}, ["model.provider", "model.name", "model.version", "model.parameters.temperature",
                           "model.parameters.seed"]),
        ({"tools": []}, ["tools.shop"]), ({"prompts": {"answer": {}}}, ["prompts.answer"]),
        ({"prompts": {"answer": 2}}, ["prompts.answer"]), ({"flags": ["fast"]}, ["flags.new"]),
    ],
)  # fmt: skip
def test_silence_is_no_agreement(said: Any, pins: list[str]) -> None:
    assert _found(_told(**said)) == ([], pins)


def test_what_the_manifest_excuses_is_not_asked_for_and_compared_all_the_same() -> None:
    assert _found(_told(tools=None, model={"provider": "p", "name": "m", "version": "1.2.0"})
                  , "tools", "model.parameters") == ([], [])  # fmt: skip
    assert _found(_told(tools={"shop": "9"}), "tools") == (["tools.shop"], [])


def test_a_difference_says_where_it_was_pinned() -> None:
    ((one,), _) = compare_pins(ENVIRONMENT, RELEASE, _told(plans={"shop": "2.9.0"}), untold=())
    line = next(number for number, text in enumerate(MANIFEST.splitlines(), 1) if "plans:" in text)
    assert (one.pinned, one.told, one.where) == ("3.0.0", "2.9.0", f"envs/prod.yaml:{line}:17")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


_PARTS = sorted(set(RELEASE) - {"suites"})


@given(st.dictionaries(st.sampled_from(_PARTS), _ANY))
def test_whatever_an_app_says_of_some_parts_is_judged_part_by_part(told: Any) -> None:
    differ, silent = _found({**_told(), **told})
    named = {pin.split(".")[0] for pin in (*differ, *silent)}
    assert named <= set(told), "what is told as pinned is never named"
    assert not set(differ) & set(silent)
    empty = {part for part, said in told.items() if not said or not isinstance(said, dict | list)}
    assert {part for part in empty if f"{part}." in " ".join(differ)} == set(), "nothing said, nothing differs"
    assert empty <= {pin.split(".")[0] for pin in silent}, "nothing said is no agreement"


BEFORE = Baseline(at="2026-11-01T00:00:00Z", fingerprint="fp_1", answers=("a", "b"))


@pytest.mark.parametrize(
    ("baseline", "fingerprint", "answers", "differ", "unseen"),
    [
        (BEFORE, "fp_1", ("a", "b"), 0, 0), (BEFORE, "fp_2", ("a", "b"), 1, 0), (BEFORE, None, ("a", "b"), 1, 0),
        (BEFORE, "fp_1", ("a", "c"), 1, 0), (BEFORE, "fp_2", ("c", "d"), 2, 0), (None, "fp_1", ("a",), 0, 1),
        (None, None, (), 0, 1), (BEFORE, None, (), 2, 0), (BEFORE, "fp_1", ("a",), 1, 0),
        (BEFORE, "fp_1", (), 1, 0), (BEFORE, "fp_1", ("a", "b", "c"), 1, 0),
    ],
)  # fmt: skip
def test_the_model_is_held_to_what_was_recorded(
    baseline: Baseline | None, fingerprint: str | None, answers: tuple[str, ...], differ: int, unseen: int
) -> None:
    found, not_checked = compare_model(baseline, fingerprint=fingerprint, answers=answers)
    assert (len(found), len(not_checked)) == (differ, unseen)


@pytest.mark.parametrize(
    ("canary", "model", "silent", "verdict"),
    [
        ("passed", (), False, "none"), ("skipped", (), False, "none"), ("failed", (), False, "drifted"),
        ("undecided", (), False, "undecided"), ("passed", (), True, "undecided"),
        ("undecided", ("another",), True, "drifted"),
    ],
)  # fmt: skip
def test_what_could_not_be_seen_is_never_no_drift(
    canary: str, model: tuple[str, ...], silent: bool, verdict: str
) -> None:
    _, untold = compare_pins(ENVIRONMENT, RELEASE, _told(tools=None) if silent else _told(), untold=())
    report = DriftReport(
        differences=(), untold=tuple(untold), model=model, canary=canary, canary_text="1 of 2", run="r", not_checked=()
    )
    assert report.verdict == verdict
