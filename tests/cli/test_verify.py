"""`plangate verify`: what a customer may rely on, and each way in which a bundle can lie."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from plangate.evidence.envelope import seal
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import APPROVAL, TEST_RESULT, VERIFICATION_SUMMARY, Statement
from tests.cli.shops import plangate
from tests.evidence.bundles import Published, contents, pack, publish, repack, sign_newest, statements, trust_text

NOW = ("--time", "2026-12-01T00:00:00Z")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(tmp_path_factory.mktemp("published"))


@pytest.fixture
def made(published: Published, tmp_path: Path) -> Published:
    """A copy that a test may spoil."""
    shutil.copytree(published.root.parent, tmp_path / "copy")
    folder = tmp_path / "copy"
    return replace(published, root=folder / "publisher", bundle=folder / "release.tar", trust=folder / "trust.yaml")


def _verify(made: Published, *more: str) -> tuple[int, dict]:
    done = plangate(
        "verify", str(made.bundle), "--trust", str(made.trust), "--json", *NOW, *more, cwd=made.bundle.parent
    )
    return done.returncode, json.loads(done.stdout)


def _codes(made: Published) -> set[str]:
    status, document = _verify(made)
    assert status == (0 if document["ok"] else 4)
    return {one["code"] for one in document["problems"]}


def test_a_whole_bundle_says_who_validated_what_and_what_was_not_checked(made: Published) -> None:
    status, document = _verify(made)
    assert (status, document["ok"], document["problems"], document["environment"]) == (0, True, [], "dev")
    assert [(one["signer"], one["role"], one["ok"]) for one in document["statements"]] == [
        ("ci@example.com", "publisher-ci", True)
    ]
    cells = 2 * 2 * 3 * (4 + 1 + 1)  # plans, states, surfaces; a capability at four usages and two without a limit
    assert document["results"] == cells
    assert any("reproduce" in text for text in document["not_checked"])
    text = plangate("verify", str(made.bundle), "--trust", str(made.trust), *NOW, cwd=made.bundle.parent).stdout
    assert "72 of 72 cells as sold" in text
    assert "NOT CHECKED  suite gating: what ran was not checked" in text
    assert "signed by ci@example.com as publisher-ci" in text
    assert text.rstrip().endswith("VERIFIED against your trust policy, version 1")


def test_a_flipped_byte_is_exit_4(made: Published) -> None:
    data = bytearray(made.bundle.read_bytes())
    data[len(data) // 3] ^= 1
    made.bundle.write_bytes(data)
    assert _codes(made) == {"bundle-damaged"}


def _without_a_trusted_key(made: Published) -> None:
    made.trust.write_text(trust_text(generate()), encoding="utf-8")


def _outside_its_role(made: Published) -> None:
    made.trust.write_text(trust_text(made.key, predicate=APPROVAL), encoding="utf-8")


def _revoked(made: Published) -> None:
    made.trust.write_text(trust_text(made.key, more="revoked_at_index: 0\n"), encoding="utf-8")


def _expired_key(made: Published) -> None:
    made.trust.write_text(trust_text(made.key, more="valid_until: 2026-01-01T00:00:00Z\n"), encoding="utf-8")


def _expired_trust(made: Published) -> None:
    made.trust.write_text(trust_text(made.key, expires="2026-11-30T00:00:00Z"), encoding="utf-8")


def _newer_failure(made: Published) -> None:
    sign_newest(made, result="FAILED", at="2026-07-01T00:00:00Z")
    pack(made)


def _old_pass_replayed_after_a_failure(made: Published) -> None:
    ledger = Ledger(made.root / "evidence")
    old = ledger.envelope(next(ledger.entries()).digest)
    sign_newest(made, result="FAILED", at="2026-07-01T00:00:00Z")
    ledger.append(old, key=made.key, at="2026-08-01T00:00:00Z")
    pack(made)


def _pass_kept_back_by_its_own_signer(made: Published) -> None:
    """Both words are by the trusted key, in this order; the run that passed began before the run that failed."""
    sign_newest(made, result="FAILED", at="2026-07-01T00:00:00Z", startedOn="2999-01-01T00:00:00Z")
    sign_newest(made, at="2026-08-01T00:00:00Z", note="kept back")
    pack(made)


def _forged_by_a_stranger(made: Published) -> None:
    shutil.rmtree(made.root / "evidence")
    sign_newest(made, key=generate())
    pack(made)


def _append_as_a_stranger(made: Published, *, at: str, **changed: str) -> None:
    """A word that the trusted key signed, appended by somebody whom the customer does not know."""
    (one,) = statements(made)
    word = Statement(subjects=one.subjects, predicate_type=one.predicate_type, predicate={**one.predicate, **changed})
    Ledger(made.root / "evidence").append(seal(word, key=made.key), key=generate(), at=at)
    pack(made)


def _withheld_pass_put_after_a_failure(made: Published) -> None:
    sign_newest(made, result="FAILED", at="2026-07-01T00:00:00Z")
    _append_as_a_stranger(made, at="2026-08-01T00:00:00Z", note="kept back")


def _failure_appended_by_a_stranger(made: Published) -> None:
    _append_as_a_stranger(made, at="2026-07-01T00:00:00Z", result="FAILED")


def _no_checkpoint_of_a_trusted_key(made: Published) -> None:
    shutil.rmtree(made.root / "evidence")
    _append_as_a_stranger(made, at="2026-06-01T00:00:00Z")


def _summary_without_all_its_inputs(made: Published) -> None:
    """A gate's verdict that rests on a result which the bundle does not have."""
    made.trust.write_text(
        trust_text(made.key).replace(f"'{TEST_RESULT}'", f"'{TEST_RESULT}', '{VERIFICATION_SUMMARY}'"), encoding="utf-8"
    )
    (one,) = statements(made)
    told = {
        "verifier": {"id": "https://plangate.dev/gate"}, "timeVerified": "2026-06-02T00:00:00Z", "policy": {},
        "resourceUri": "plangate:dev", "verificationResult": "PASSED", "verifiedLevels": [], "slsaVersion": "1.1",
        "inputAttestations": [{"uri": "evidence/x", "digest": {"sha256": "ab" * 32}}],
    }  # fmt: skip
    summary = Statement(subjects=one.subjects, predicate_type=VERIFICATION_SUMMARY, predicate=told)
    Ledger(made.root / "evidence").append(seal(summary, key=made.key), key=made.key, at="2026-06-02T00:00:00Z")
    pack(made)


def _results_changed(made: Published) -> None:
    import gzip

    lines = gzip.decompress(contents(made.bundle)[0]["results.jsonl.gz"])
    changed = lines.replace(b"not_in_plan", b"not_in_plam", 1)
    assert changed != lines
    repack(made.bundle, **{"results.jsonl.gz": gzip.compress(changed)})


def _results_left_out(made: Published) -> None:
    import gzip

    lines = gzip.decompress(contents(made.bundle)[0]["results.jsonl.gz"]).splitlines(keepends=True)
    repack(made.bundle, **{"results.jsonl.gz": gzip.compress(b"".join(lines[1:]))})


def _catalog_changed(made: Published) -> None:
    title = "workspace/envs/plans/shop/1.0.0.yaml"
    catalog = contents(made.bundle)[0][title]
    repack(made.bundle, **{title: catalog.replace(b"messages: 20", b"messages: 21")})


def _bindings_changed(made: Published) -> None:
    title = "workspace/envs/dev.yaml"
    manifest = contents(made.bundle)[0][title]
    repack(made.bundle, **{title: manifest.replace(b"shop_app:evaluate", b"shop_app:another")})


def _ledger_edited(made: Published) -> None:
    title = "evidence/ledger/entries.jsonl"
    entries = contents(made.bundle)[0][title]
    repack(made.bundle, **{title: entries.replace(b"2026-06-01", b"2026-05-01")})


def _ledger_cut(made: Published) -> None:
    sign_newest(made, at="2026-07-01T00:00:00Z")
    pack(made)
    title = "evidence/ledger/entries.jsonl"
    entries = contents(made.bundle)[0][title]
    repack(made.bundle, **{title: entries.splitlines(keepends=True)[0]})


def _evidence_left_out(made: Published) -> None:
    files, _ = contents(made.bundle)
    repack(made.bundle, **{title: None for title in files if title.endswith(".dsse.json")})


def _other_environment(made: Published) -> None:
    files, _ = contents(made.bundle)
    run = json.loads(files["run.json"])
    run["environment"] = "prod"
    manifest = files["workspace/envs/dev.yaml"].replace(b"name: dev", b"name: prod")
    moved = {
        "run.json": json.dumps(run).encode(),
        "workspace/envs/dev.yaml": None,
        "workspace/envs/prod.yaml": manifest,
    }
    repack(made.bundle, **moved, **{"effective/prod.json": files["effective/dev.json"], "effective/dev.json": None})


# A key that does not count at the place of an entry counts no more for the checkpoint beside it. And where nothing that
# is believed says that this release, these bindings and this suite passed, it is not validated, whatever else is wrong.
UNKNOWN_KEY = {"checkpoint-untrusted", "not-validated"}


@pytest.mark.parametrize(
    ("spoil", "codes"),
    [
        (_without_a_trusted_key, UNKNOWN_KEY), (_outside_its_role, {"not-validated"}),
        (_revoked, {"key-revoked", *UNKNOWN_KEY}), (_expired_key, {"key-expired", *UNKNOWN_KEY}),
        (_expired_trust, {"trust-expired"}),
        (_newer_failure, {"validation-failed"}), (_old_pass_replayed_after_a_failure, {"validation-failed"}),
        (_pass_kept_back_by_its_own_signer, {"validation-failed"}),
        (_forged_by_a_stranger, {"not-validated"}), (_results_changed, {"results-differ"}),
        (_results_left_out, {"results-differ"}), (_catalog_changed, {"release-differs", "not-validated"}),
        (_bindings_changed, {"release-differs"}),
        (_ledger_edited, {"ledger-forked", "proof-differs", *UNKNOWN_KEY}),
        (_ledger_cut, {"ledger-cut", "proof-differs", *UNKNOWN_KEY}),
        (_withheld_pass_put_after_a_failure, {"validation-failed"}),
        (_failure_appended_by_a_stranger, {"validation-failed"}),
        (_no_checkpoint_of_a_trusted_key, UNKNOWN_KEY),
        (_summary_without_all_its_inputs, {"input-missing"}),
        (_evidence_left_out, {"not-validated"}), (_other_environment, {"release-differs", "not-validated"}),
    ],
)  # fmt: skip
def test_each_lie_is_exit_4_and_named(made: Published, spoil: Callable[[Published], None], codes: set[str]) -> None:
    spoil(made)
    assert _codes(made) == codes


def test_strangers_may_have_appended_after_what_the_customer_believes(made: Published) -> None:
    """A release manager signs the newest checkpoint; the customer knows the CI job only."""
    approval = Statement(subjects=statements(made)[0].subjects, predicate_type=APPROVAL, predicate={})
    stranger = generate()
    Ledger(made.root / "evidence").append(seal(approval, key=stranger), key=stranger, at="2026-07-01T00:00:00Z")
    pack(made)
    done = plangate("verify", str(made.bundle), "--trust", str(made.trust), cwd=made.root)
    assert done.returncode == 0, done.stdout
    assert "NOT CHECKED  entry 1" in done.stdout


def test_a_bundle_without_a_run_is_not_made(tmp_path: Path) -> None:
    from tests.cli.shops import make_shop

    done = plangate("bundle", "dev", "-o", "b.tar", cwd=make_shop(tmp_path))
    assert done.returncode == 2
    assert "[no-run-to-bundle]" in done.stderr
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 10_240])
def test_a_file_that_is_no_bundle_is_exit_4(made: Published, data: bytes) -> None:
    made.bundle.write_bytes(data)
    assert _codes(made) == {"bundle-damaged"}
