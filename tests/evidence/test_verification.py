"""Lies that one check alone refuses: each bundle here is whole and well signed but for one thing, and that is named."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from plangate.cli.trusting import load_trust
from plangate.documents.workspace import Workspace
from plangate.evidence.bundle.layout import BundleFile
from plangate.evidence.bundle.results import read_results
from plangate.evidence.bundle.verification import Verification, verify_bundle
from plangate.evidence.envelope import seal
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.notes import sign_checkpoint
from plangate.evidence.statements import Statement
from plangate.releases.canonical import canonical_bytes
from plangate.releases.release import effective_document, identified
from plangate.verdicts.fingerprint import digests, fingerprint
from tests.cli.shops import SUITE, plangate
from tests.evidence.bundles import AT, Published, contents, pack, publish, repack, sign_newest, statements, trust_text

NOW = "2026-12-01T00:00:00Z"
LATER = "2026-07-01T00:00:00Z"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(
        tmp_path_factory.mktemp("published"), suite=SUITE.replace("type: gating", "type: gating\ncovers: [C2, C8]")
    )


@pytest.fixture
def made(published: Published, tmp_path: Path) -> Published:
    """A copy that a test may spoil."""
    folder = tmp_path / "copy"
    shutil.copytree(published.root.parent, folder)
    return replace(published, root=folder / "publisher", bundle=folder / "release.tar", trust=folder / "trust.yaml")


def _verified(made: Published) -> Verification:
    with TemporaryDirectory() as scratch, BundleFile(made.bundle) as bundle:
        return verify_bundle(bundle, load_trust(made.trust), now=NOW, scratch=Path(scratch))


def _problems(made: Published) -> list[tuple[str, str]]:
    found = _verified(made)
    assert found.ok is not bool(found.problems)
    return [(one.code, one.text) for one in found.problems]


def _start_over(made: Published) -> None:
    """A publisher who has signed nothing yet."""
    shutil.rmtree(made.root / "evidence")


def _run_json(made: Published) -> dict:
    return json.loads(contents(made.bundle)[0]["run.json"])


def _with_run(made: Published, document: dict, **more: bytes) -> None:
    repack(made.bundle, **{"run.json": canonical_bytes(document)}, **more)


def test_nothing_is_wrong_with_the_bundle_that_is_spoilt_below(made: Published) -> None:
    assert _problems(made) == []


def _bindings_and_effective_config_changed_together(made: Published) -> None:
    files, _ = contents(made.bundle)
    title = "workspace/envs/dev.yaml"
    (made.root / "envs" / "dev.yaml").write_bytes(files[title].replace(b"shop_app:evaluate", b"shop_app:another"))
    workspace = Workspace.open(made.root)
    manifest = workspace.environment("dev")
    effective = effective_document(manifest, release=identified(workspace, manifest))
    changed = {title: (made.root / "envs" / "dev.yaml").read_bytes(), "effective/dev.json": canonical_bytes(effective)}
    repack(made.bundle, **changed)


def _another_release_lock(made: Published) -> None:
    lock = json.loads(contents(made.bundle)[0]["release.lock"])
    lock["app"]["version"] = "1.0.1"
    repack(made.bundle, **{"release.lock": canonical_bytes(lock)})


def _another_effective_config(made: Published) -> None:
    effective = json.loads(contents(made.bundle)[0]["effective/dev.json"])
    effective["environment"]["tier"] = "production"
    repack(made.bundle, **{"effective/dev.json": canonical_bytes(effective)})


def _results_and_their_fingerprint_changed_together(made: Published) -> None:
    """Needs no key: whoever repacks can compute a fingerprint."""
    files, _ = contents(made.bundle)
    changed = gzip.decompress(files["results.jsonl.gz"]).replace(b"not_in_plan", b"not_in_plam")
    results = gzip.compress(changed)
    run = _run_json(made)
    run["fingerprint"] = fingerprint((one.digest, one.decision) for one in read_results(results))
    _with_run(made, run, **{"results.jsonl.gz": results})


def _told_of_a_limit(made: Published) -> bytes:
    """Results of which one tells a limit that nobody told."""
    changed = gzip.decompress(contents(made.bundle)[0]["results.jsonl.gz"])
    told = json.dumps(json.dumps(["messages", 20, 0, None])).encode()
    return gzip.compress(changed.replace(b'"limits":""', b'"limits":' + told, 1))


def _run_says_other_limits(made: Published) -> None:
    _with_run(made, {**_run_json(made), "details": "sha256:" + "ab" * 32})


def _limits_and_their_digest_changed_together(made: Published) -> None:
    results = _told_of_a_limit(made)
    details = digests(one.decided for one in read_results(results)).details
    _with_run(made, {**_run_json(made), "details": details}, **{"results.jsonl.gz": results})


def _signed_before_limits_had_a_digest(made: Published) -> None:
    sign_newest(made, at=LATER, details=None)
    pack(made)


def _run_of_before_limits_had_a_digest(made: Published) -> None:
    _with_run(made, {name: value for name, value in _run_json(made).items() if name != "details"})


def _run_says_another_fingerprint(made: Published) -> None:
    _with_run(made, {**_run_json(made), "fingerprint": "sha256:" + "ab" * 32})


def _results_of_another_suite_text(made: Published) -> None:
    """The publisher signed for a laxer suite of the same name, and the release pins the strict one."""
    _start_over(made)
    other = "ab" * 32
    (one,) = statements(made)
    configuration = [dict(part) for part in one.predicate["configuration"]]
    configuration[0]["digest"] = {"sha256": other}
    sign_newest(made, configuration=configuration)
    pack(made)
    run = _run_json(made)
    run["suites"]["gating"]["digest"] = f"sha256:{other}"
    _with_run(made, run)


def _result_of_one_environment_that_names_another(made: Published) -> None:
    """Who may speak about prod alone says `prod`, and means dev's bindings."""
    _start_over(made)
    made.trust.write_text(
        trust_text(made.key).replace("threshold: 1", "threshold: 1, environments: [prod]"), encoding="utf-8"
    )
    sign_newest(made, environment="prod")
    pack(made)


def _one_of_two_signers(made: Published) -> None:
    second = generate()
    text = trust_text(made.key).replace("keys: [ci], threshold: 1", "keys: [ci, qa], threshold: 2")
    made.trust.write_text(_with_key(text, "qa", second), encoding="utf-8")


def _with_key(text: str, name: str, key: object) -> str:
    """A trust policy with one more key."""
    other = trust_text(key).partition("keys:\n")[2].partition("roles:")[0]
    return text.replace("keys:\n", "keys:\n" + other.replace("  ci:", f"  {name}:").replace("ci@", f"{name}@"), 1)


def _two_signers_of_two_roles(made: Published) -> None:
    """Two of publisher-ci are asked for; the second voice is an auditor's, who speaks for another role."""
    auditor = generate()
    text = trust_text(made.key).replace("keys: [ci], threshold: 1", "keys: [ci, qa], threshold: 2")
    text = _with_key(_with_key(text, "qa", generate()), "audit", auditor)
    role = next(line for line in text.splitlines() if "publisher-ci" in line)
    auditors = role.replace("publisher-ci", "auditor").replace("[ci, qa], threshold: 2", "[audit], threshold: 1")
    made.trust.write_text(text + auditors + "\n", encoding="utf-8")
    _start_over(made)
    (one,) = statements(made)
    ledger = Ledger(made.root / "evidence")
    ledger.append(seal(one, key=auditor), key=made.key, at=AT)
    ledger.append(seal(one, key=made.key), key=made.key, at=LATER)
    pack(made)


def _pass_signed_over_a_leak(made: Published) -> None:
    _start_over(made)
    app = made.root / "shop_app.py"
    app.write_text(app.read_text() + '\nGRANTS["free"].add("report.export")\n')
    assert plangate("run", "dev", cwd=made.root).returncode == 1
    sign_newest(made, result="PASSED")
    pack(made)


def _another_number_of_cells_signed(made: Published) -> None:
    _start_over(made)
    (one,) = statements(made)
    sign_newest(made, totals={**one.predicate["totals"], "expected": 61})
    pack(made)


def _totals_that_the_results_do_not_have(made: Published) -> None:
    run = _run_json(made)
    run["suites"]["gating"]["totals"]["lockout"] = 1
    _with_run(made, run)


def _envelope_outside_the_ledger(made: Published) -> None:
    (one,) = statements(made)
    envelope = seal(Statement(subjects=one.subjects, predicate_type=one.predicate_type, predicate={}), key=made.key)
    repack(made.bundle, **{f"evidence/{hashlib.sha256(envelope).hexdigest()}.dsse.json": envelope})


def _a_stranger_under_a_known_key_id(made: Published) -> None:
    (one,) = statements(made)
    document = json.loads(seal(one, key=generate()))
    document["signatures"][0]["keyid"] = made.key.public.keyid
    Ledger(made.root / "evidence").append(json.dumps(document).encode(), key=made.key, at=LATER)
    pack(made)


def _times_that_run_backwards(made: Published) -> None:
    """The publisher's own key signs a ledger whose second entry is older than its first."""
    sign_newest(made, at=LATER)
    pack(made)
    files, _ = contents(made.bundle)
    title = "evidence/ledger/entries.jsonl"
    entries = files[title].replace(LATER.encode(), b"2026-05-01T00:00:00Z")
    ledger = Ledger(made.root / "again")
    ledger._entries.parent.mkdir(parents=True)
    ledger._entries.write_bytes(entries)
    root = ledger.frontier().root
    checkpoint = sign_checkpoint(origin=ledger.origin, size=2, root=root, key=made.key)
    gone = {one: None for one in files if one.endswith(".tlog-proof")}
    repack(made.bundle, **{title: entries, "evidence/ledger/checkpoint": checkpoint}, **gone)


def _pass_beside(**words: object) -> Callable[[Published], None]:
    """Whoever holds a key signs `PASSED`, and beside it what makes it none."""

    def spoil(made: Published) -> None:
        _start_over(made)
        sign_newest(made, **words)
        pack(made)

    spoil.__name__ = f"pass_beside_{next(iter(words))}"
    return spoil


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (_bindings_and_effective_config_changed_together, "release-differs", "about another release or other bindings"),
        (_another_release_lock, "release-differs", "do not make its release.lock"),
        (_another_effective_config, "release-differs", "do not make its effective/dev.json"),
        (_results_of_another_suite_text, "release-differs", "other suites than the release pins"),
        (_results_and_their_fingerprint_changed_together, "results-differ", "not those that were signed"),
        (_run_says_other_limits, "results-differ", "is not what run.json gives"),
        (_limits_and_their_digest_changed_together, "results-differ", "of limits is not what was signed"),
        (_signed_before_limits_had_a_digest, "results-differ", "signed by an earlier plangate"),
        (_run_of_before_limits_had_a_digest, "bundle-format", "comes from an earlier plangate"),
        (_run_says_another_fingerprint, "results-differ", "the fingerprint that run.json gives"),
        (_pass_signed_over_a_leak, "results-differ", "not every result is one"),
        (_another_number_of_cells_signed, "results-differ", "another number of cells"),
        (_totals_that_the_results_do_not_have, "results-differ", "do not add up to its totals (lockout)"),
        (_result_of_one_environment_that_names_another, "not-validated", "nobody you trust says"),
        (_one_of_two_signers, "threshold-not-met", "fewer people signed"),
        (_two_signers_of_two_roles, "threshold-not-met", "fewer people signed"),
        (_envelope_outside_the_ledger, "evidence-unlisted", "the ledger does not name"),
        (_a_stranger_under_a_known_key_id, "untrusted-signature", "no key of the trust policy"),
        (_pass_beside(ran="differs"), "validation-failed", "what ran is not what the manifest declares"),
        (_pass_beside(selection="plan=free"), "validation-failed", "a part only was asked: plan=free"),
        (_pass_beside(shard="1/2"), "validation-failed", "a part only was asked: shard 1/2"),
        (_pass_beside(suiteType="quality"), "validation-failed", "cannot judge a suite of type quality"),
        (_times_that_run_backwards, "ledger-damaged", "run backwards"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_one_lie_is_one_problem(made: Published, spoil: Callable[[Published], None], code: str, words: str) -> None:
    spoil(made)
    ((found, text),) = _problems(made)
    assert found == code
    assert words in text


def test_what_is_shown_is_signed_and_asked_for_and_what_was_left_out_is_told(made: Published) -> None:
    """The bundle's suite asks for C2 and C8; C4 is signed as shown, and nobody asked."""
    whole = _verified(made)
    assert whole.requirements == {"gating": ("C2", "C8")}
    assert "suite gating: what ran was not checked" in whole.not_checked
    assert any("not looked at: effects" in text for text in whole.not_checked)
    sign_newest(made, at=LATER, requirements=["C8", "C4"], ran="as declared", notTried=["plan without a cell: team"])
    pack(made)
    less = _verified(made)
    assert less.ok
    assert less.requirements == {"gating": ("C8",)}
    told = [text for text in less.not_checked if text.startswith("suite gating")]
    assert told == [
        "suite gating: C4 is signed as shown, and the suite does not ask for it",
        "suite gating: plan without a cell: team",
    ]


def test_a_result_of_a_version_that_said_nothing_of_what_ran_is_one_where_it_was_not_checked(made: Published) -> None:
    sign_newest(made, at=LATER, requirements=None, ran=None, notTried=None)
    pack(made)
    found = _verified(made)
    assert found.ok
    assert found.requirements == {"gating": ()}
    assert "suite gating: what ran was not checked" in found.not_checked


def test_a_suite_that_did_not_pass_shows_nothing(made: Published) -> None:
    sign_newest(made, at=LATER, result="FAILED")
    pack(made)
    assert _verified(made).requirements == {}
