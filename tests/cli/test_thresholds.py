"""A role that speaks with several voices: distinct keys and distinct people, or nobody has said it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from plangate.evidence.envelope import open_envelope, seal
from plangate.evidence.keys import PrivateKey
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import TEST_RESULT, Statement
from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages

AT = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results need two voices of ci, bob, and `spare`: a second key of ci's owner. One has spoken."""
    root = make_stages(tmp_path_factory.mktemp("once"))
    for suffix in ("key", "pub"):
        shutil.copy(root / "keys" / f"mallory.{suffix}", root / "keys" / f"spare.{suffix}")
    trust = root / "envs" / "trust.yaml"
    text = trust.read_text().replace(
        "ci: {keys: [ci], threshold: 1", "ci: {keys: [ci, bob, spare, again], threshold: 2"
    )
    for name in ("mallory", "again"):
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"  {name}:"))
    text += "  spare: {algorithm: ed25519, owner: ci, public: 'file:keys/spare.pub'}\n"
    trust.write_text(text + "  again: {algorithm: ed25519, owner: ci, public: 'file:keys/ci.pub'}\n")
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 1
    return root


@pytest.fixture
def root(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "shop"))


def _result(root: Path) -> Statement:
    ledger = Ledger(root / "evidence")
    statements = [open_envelope(ledger.envelope(entry.digest)).statement() for entry in ledger.entries()]
    return next(one for one in statements if one.predicate_type == TEST_RESULT)


def _say(root: Path, person: str, **otherwise: str) -> None:
    statement = _result(root)
    changed = Statement(
        subjects=statement.subjects, predicate_type=TEST_RESULT, predicate={**statement.predicate, **otherwise}
    )
    key = PrivateKey.load((root / "keys" / f"{person}.key").read_bytes())
    Ledger(root / "evidence").append(seal(changed, key=key), key=key, at=AT)


def _gate(root: Path) -> tuple[str, str]:
    gate = plan_of(root, "promote", "stage")["gates"][0]
    return gate["result"], gate["why"]


def test_one_voice_is_not_two(root: Path) -> None:
    result, why = _gate(root)
    assert result == "undecided"
    assert why.endswith("1 of 2 in the role ci")


def test_another_key_of_the_same_person_is_no_second_voice(root: Path) -> None:
    _say(root, "spare")
    assert _gate(root)[0] == "undecided"


def test_the_same_word_again_is_no_second_voice(root: Path) -> None:
    _say(root, "ci")
    _say(root, "ci", note="signed once more")
    assert _gate(root)[0] == "undecided"


def test_two_people_with_two_keys_are_enough(root: Path) -> None:
    _say(root, "bob")
    assert _gate(root) == ("passed", "what ran was not checked")


def test_the_second_person_validates_by_the_same_command(root: Path) -> None:
    assert plangate(root, "promote", "stage", "--validate", *by(root, "bob"))[0] == 0
    assert plan_of(root, "promote", "stage")["ready"]


def test_after_a_failure_everybody_has_to_say_it_anew(root: Path) -> None:
    _say(root, "bob")
    _say(root, "bob", result="FAILED", run="r-failed")
    assert _gate(root)[0] == "failed"
    _say(root, "bob", run="r-anew")
    assert _gate(root)[0] == "undecided"
    _say(root, "ci", run="r-anew")
    assert _gate(root)[0] == "passed"


def test_an_old_pass_recorded_again_after_a_failure_changes_nothing(root: Path) -> None:
    _say(root, "bob")
    ledger = Ledger(root / "evidence")
    passes = [ledger.envelope(entry.digest) for entry in ledger.entries()]
    _say(root, "bob", result="FAILED", run="r-failed")
    key = PrivateKey.load((root / "keys" / "mallory.key").read_bytes())
    for envelope in passes:
        ledger.append(envelope, key=key, at=AT)
    assert _gate(root)[0] == "failed"


@pytest.mark.parametrize("verb", ["promote", "hold"])
def test_an_act_of_one_person_is_refused_to_a_role_of_several(root: Path, verb: str) -> None:
    _say(root, "bob")
    plan = plan_of(root, "promote", "stage")["plan"]
    trust = root / "envs" / "trust.yaml"
    trust.write_text(
        trust.read_text().replace(
            "manager: {keys: [alice, carol], threshold: 1", "manager: {keys: [alice, carol], threshold: 2"
        )
    )
    asked = {"promote": ("promote", "stage", "--apply", plan), "hold": ("hold", "stage", "--reason", "audit")}[verb]
    entries = len(list(Ledger(root / "evidence").entries()))
    assert plangate(root, *asked, *by(root, "alice"))[::2] == (2, "threshold-not-met")
    assert len(list(Ledger(root / "evidence").entries())) == entries
    assert "revision: 1" in (root / "envs" / "stage.yaml").read_text()
