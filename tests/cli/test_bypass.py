"""A bypass skips exactly what it names, on one plan, for a short time, and is shown until the release is validated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from plangate.evidence.statements import BYPASS
from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages

REASON = "customers cannot export"


@pytest.fixture(scope="module")
def in_stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dev's release is in stage; prod has a soak of a day, wants two approvals, and lets security bypass."""
    root = make_stages(tmp_path_factory.mktemp("staged"))
    prod, trust = root / "envs" / "prod.yaml", root / "envs" / "trust.yaml"
    prod.write_text(prod.read_text().replace("soak: PT0S", "soak: P1D"))
    text = trust.read_text()
    security = "security: {keys: [bob], threshold: 1, predicates: ["
    trust.write_text(text.replace(security, security.replace("bob", "bob, alice") + f'"{BYPASS}", '))
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 0
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[::2] == (0, "")
    assert plangate(root, "promote", "prod", "--validate", *by(root, "ci"))[0] == 1
    return root


@pytest.fixture
def root(in_stage: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(in_stage, tmp_path / "shop"))


def _bypass(root: Path, plan: str, demand: str, *more: str, person: str = "bob") -> tuple[int, str]:
    asked = ("bypass", plan, "--demand", demand, "--reason", REASON, "--role", "security", *by(root, person), *more)
    status, _, code = plangate(root, *asked)
    return status, code


def _demands(document: dict, part: str) -> list[str]:
    return [one["demand"] for one in document[part]]


def test_only_what_it_names_is_skipped_and_it_is_shown_until_the_release_is_validated(root: Path) -> None:
    before = plan_of(root, "promote", "prod")
    assert _demands(before, "missing") == ["P8/soak", "P5"]
    assert _bypass(root, before["plan"], "P8/soak") == (0, "")
    after = plan_of(root, "promote", "prod")
    assert after["plan"] == before["plan"]
    assert (_demands(after, "missing"), _demands(after, "bypassed")) == (["P5"], ["P8/soak"])
    assert "skipped by bob" in plangate(root, "promote", "prod")[1]

    assert _bypass(root, before["plan"], "P5") == (0, "")
    assert plangate(root, "promote", "prod", "--apply", before["plan"], *by(root, "carol"))[::2] == (0, "")
    for verb in (("status",), ("history", "prod")):
        assert f"P8/soak by bob: {REASON}" in plangate(root, *verb)[1]

    assert plangate(root, "promote", "prod", "--validate", "--present", *by(root, "ci"))[0] == 0
    assert REASON not in plangate(root, "status")[1]
    assert REASON in plangate(root, "history", "prod")[1], "what was skipped stays known"


def test_who_applies_a_plan_cannot_excuse_himself(root: Path) -> None:
    plan = plan_of(root, "promote", "prod")["plan"]
    for demand in ("P8/soak", "P5"):
        assert _bypass(root, plan, demand, person="alice") == (0, "")
    assert plan_of(root, "promote", "prod")["ready"], "for anybody else"
    status, out, _ = plangate(root, "promote", "prod", "--apply", plan, *by(root, "alice"))
    assert status == 1
    assert "soak in stage" in out


def test_a_gate_without_a_result_is_skipped_alone(root: Path) -> None:
    suite = root / "evals" / "gating.yaml"
    suite.write_text(suite.read_text().replace("seed: 7", "seed: 8"))
    document = plan_of(root, "promote", "prod")
    assert "P1/gating" in _demands(document, "missing")
    assert _bypass(root, document["plan"], "P1/gating") == (0, "")
    document = plan_of(root, "promote", "prod")
    assert _demands(document, "bypassed") == ["P1/gating"]
    assert "P1/stage/gating" in _demands(document, "missing"), "stage's own gate is another demand"


@pytest.mark.parametrize(
    ("demand", "more"),
    [
        ("P8", ()),
        ("P1", ()),
        ("P4", ()),
        ("P7", ()),
        ("P8/window", ()),
        ("P1/gating", ()),
        ("P5/rejection", ()),
        ("P8/soak", ("--expires", "P8D")),
        ("P8/soak", ("--expires", "PT0S")),
    ],
)
def test_what_is_not_missing_or_never_skipped_or_too_long_is_refused(
    root: Path, demand: str, more: tuple[str, ...]
) -> None:
    plan = plan_of(root, "promote", "prod")["plan"]
    assert _bypass(root, plan, demand, *more) == (2, "bad-bypass")
    assert not plan_of(root, "promote", "prod")["bypassed"]


def test_a_rejection_is_never_skipped(root: Path) -> None:
    plan = plan_of(root, "promote", "prod")["plan"]
    said = ("--role", "security", "--reason", "not this one")
    assert plangate(root, "reject", plan, *said, *by(root, "bob"))[::2] == (0, "")
    assert _bypass(root, plan, "P5/rejection") == (2, "bad-bypass")
    assert _bypass(root, plan, "P5") == (0, "")
    missing = [one["text"] for one in plan_of(root, "promote", "prod")["missing"] if one["rule"] == "P5"]
    assert missing == ["bob (security) rejected this plan: not this one"]


def test_a_key_without_that_role_bypasses_nothing(root: Path) -> None:
    plan = plan_of(root, "promote", "prod")["plan"]
    for person in ("carol", "ci", "mallory"):
        assert _bypass(root, plan, "P8/soak", person=person) == (2, "not-trusted")


def test_a_bypass_of_one_plan_says_nothing_of_another(root: Path) -> None:
    plan = plan_of(root, "promote", "prod")["plan"]
    assert _bypass(root, plan, "P8/soak") == (0, "")
    prod = root / "envs" / "prod.yaml"
    prod.write_text(prod.read_text().replace("soak: P1D", "soak: P2D"))
    document = plan_of(root, "promote", "prod")
    assert document["plan"] != plan
    assert not document["bypassed"]
    assert "P8/soak" in _demands(document, "missing")


def test_the_record_of_the_promotion_names_what_was_skipped(root: Path) -> None:
    plan = plan_of(root, "promote", "prod")["plan"]
    for demand in ("P8/soak", "P5"):
        assert _bypass(root, plan, demand) == (0, "")
    assert plangate(root, "promote", "prod", "--apply", plan, *by(root, "carol"))[::2] == (0, "")
    history = json.loads(plangate(root, "history", "prod", "--json")[1])["history"]
    assert history[0]["bypassed"] == [f"P8/soak by bob: {REASON}", f"P5 by bob: {REASON}"]
