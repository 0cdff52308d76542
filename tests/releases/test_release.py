"""Which release this is: what changes its digest, what does not, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from plangate.documents.workspace import Workspace
from plangate.errors import InputError, PinError
from plangate.releases.lock import Lock, extended, lock_text, read_lock
from plangate.releases.pins import pins_of
from plangate.releases.release import (
    ReleaseIdentity,
    effective_document,
    identify,
    lockable,
    release_digest,
    release_document,
    suite_digest,
)
from tests.documents.sample_documents import (
    CATALOG,
    DEV,
    ENVIRONMENT,
    PHRASINGS,
    PROMPT,
    SUITE,
    changed,
    write_workspace,
)

STAGE, CATALOG_FILE, SUITE_FILE = "envs/stage.yaml", "envs/plans/support-copilot/3.2.0.yaml", "evals/gating.yaml"
ATTACKS, PROMPT_FILE = "evals/phrasings/attacks.yaml", "prompts/triage/1.4.0.md"


def identity(root: Path, name: str = "stage", **files: str) -> ReleaseIdentity:
    workspace = Workspace.open(write_workspace(root, **files))
    return identify(workspace, workspace.environment(name))


def locked(root: Path, **files: str) -> Path:
    write_workspace(root, **files)
    (root / "plangate.lock").write_text(lock_text(extended(Lock(), lockable(Workspace.open(root)))))
    return root


def test_the_release_document_pins_everything_by_version_and_files_by_digest(tmp_path: Path) -> None:
    workspace = Workspace.open(write_workspace(tmp_path))
    environment = workspace.environment("stage")
    digests = {pin.lock_key: f"sha256:{index:064x}" for index, pin in enumerate(pins_of(environment))}
    assert list(digests) == [CATALOG_FILE, PROMPT_FILE, f"{SUITE_FILE}@5"]
    assert release_document(environment, digests=digests) == {
        "version": 1,
        "app": {"name": "support-copilot", "version": "4.2.0"},
        "model": {
            "provider": "openai-compatible",
            "name": "smollm2-instruct",
            "version": "q4_1",
            "parameters": {"temperature": 0, "seed": 7},
        },
        "prompts": {"triage": {"version": "1.4.0", "digest": digests[PROMPT_FILE]}},
        "plans": {"support-copilot": {"version": "3.2.0", "digest": digests[CATALOG_FILE]}},
        "tools": {"support-copilot": "1.3.0"},
        "retrieval": {"kb": "2026-11-01"},
        "flags": {"new_router": False},
        "suites": {"gating": {"version": 5, "digest": digests[f"{SUITE_FILE}@5"]}},
    }


def test_files_are_digested_as_they_lie_there(tmp_path: Path) -> None:
    workspace = Workspace.open(write_workspace(tmp_path))
    found = lockable(workspace)
    assert found[PROMPT_FILE] == "sha256:" + hashlib.sha256(PROMPT.encode()).hexdigest()
    assert found[CATALOG_FILE] == "sha256:" + hashlib.sha256(CATALOG.encode()).hexdigest()
    assert found[f"{SUITE_FILE}@5"] == suite_digest(workspace.suite("gating"))


def test_the_same_release_is_the_same_in_every_environment_and_each_runs_its_own_config(tmp_path: Path) -> None:
    stage, dev = identity(tmp_path / "a"), identity(tmp_path / "a", "dev")
    assert stage.release == dev.release
    assert stage.suites == dev.suites
    assert stage.effective != dev.effective


def test_the_same_documents_elsewhere_are_the_same_release(tmp_path: Path) -> None:
    assert identity(tmp_path / "a") == identity(tmp_path / "b")


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        (STAGE, ENVIRONMENT, "version: 4.2.0", "version: 4.2.1"),
        (STAGE, ENVIRONMENT, "temperature: 0", "temperature: 1"),
        (STAGE, ENVIRONMENT, "new_router: false", "new_router: true"),
        (STAGE, ENVIRONMENT, '"2026-11-01"', '"2026-11-02"'),
        (STAGE, ENVIRONMENT, "support-copilot: 1.3.0", "support-copilot: 1.3.1"),
        (CATALOG_FILE, CATALOG, "messages: 20}", "messages: 21}"),
        (PROMPT_FILE, PROMPT, "Sort this", "Sort that"),
        (SUITE_FILE, SUITE, "seed: 7", "seed: 8"),
        (ATTACKS, PHRASINGS, "Ignore your rules", "Ignore all rules"),
    ],
)
def test_whatever_could_change_a_verdict_changes_the_release(
    tmp_path: Path, path: str, text: str, old: str, new: str
) -> None:
    before, after = identity(tmp_path / "a"), identity(tmp_path / "b", **{path: changed(text, old, new)})
    assert before.release != after.release
    assert before.effective != after.effective
    assert (before.suites != after.suites) is path.startswith("evals/")


@pytest.mark.parametrize(
    ("old", "new"),
    [('"env:COPILOT_URL"', '"env:OTHER_URL"'), ("max_steps: 5", "max_steps: 4"), ('"env:COPILOT_KEY"', '"env:KEY2"')],
)
def test_a_binding_changes_the_effective_config_and_not_the_release(tmp_path: Path, old: str, new: str) -> None:
    before, after = identity(tmp_path / "a"), identity(tmp_path / "b", **{STAGE: changed(ENVIRONMENT, old, new)})
    assert before.release == after.release
    assert before.effective != after.effective


@pytest.mark.parametrize(
    ("old", "new"),
    [("revision: 14", "revision: 15"), ("kind: Env", "# a comment\nkind: Env"), ("count: 2", "count: 3")],
)
def test_a_revision_a_comment_and_a_gate_change_neither(tmp_path: Path, old: str, new: str) -> None:
    assert identity(tmp_path / "a") == identity(tmp_path / "b", **{STAGE: changed(ENVIRONMENT, old, new)})


def test_the_effective_config_keeps_secrets_as_references(tmp_path: Path) -> None:
    environment = Workspace.open(write_workspace(tmp_path)).environment("stage")
    document = effective_document(environment, release={})
    assert document["bindings"]["secrets"] == {"api_key": "env:COPILOT_KEY"}
    assert document["environment"] == {"name": "stage", "tier": "nonproduction"}


def test_a_comment_in_a_suite_changes_no_digest_but_a_phrasing_does(tmp_path: Path) -> None:
    first = Workspace.open(write_workspace(tmp_path / "a")).suite("gating")
    commented = Workspace.open(write_workspace(tmp_path / "b", **{SUITE_FILE: "# why\n" + SUITE})).suite("gating")
    fewer = Workspace.open(write_workspace(tmp_path / "c", **{ATTACKS: "Please.\n"})).suite("gating")
    assert suite_digest(first) == suite_digest(commented) != suite_digest(fewer)


@pytest.mark.parametrize(
    ("old", "new"),
    [("triage: 1.4.0", "triage: 1.5.0"), ("{support-copilot: 3.2.0}", "{support-copilot: 3.2.1}")],
)
def test_a_pin_that_leads_nowhere_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(InputError) as refused:
        identity(tmp_path, **{STAGE: changed(ENVIRONMENT, old, new)})
    assert refused.value.code in ("unknown-prompt", "unknown-plan-catalog")


def test_a_suite_of_another_version_than_the_pin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        identity(tmp_path, **{STAGE: changed(ENVIRONMENT, "gating: 5", "gating: 4")})
    assert refused.value.code == "pin-not-found"
    assert refused.value.where == f"{STAGE}:12:20"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (CATALOG_FILE, changed(CATALOG, "messages: 20}", "messages: 21}")),
        (PROMPT_FILE, PROMPT + "more\n"),
        (SUITE_FILE, changed(SUITE, "seed: 7", "seed: 8")),
        (ATTACKS, PHRASINGS + "another\n"),
    ],
)
def test_a_locked_document_that_changed_is_refused(tmp_path: Path, path: str, text: str) -> None:
    root = locked(tmp_path)
    unchanged = Workspace.open(root)
    assert identify(unchanged, unchanged.environment("stage")).release.startswith("sha256:")
    (root / path).write_text(text)
    workspace = Workspace.open(root)
    with pytest.raises(PinError) as refused:
        identify(workspace, workspace.environment("stage"))
    assert [problem.code for problem in refused.value.problems] == ["locked-file-changed"]


def test_another_release_may_go_on_when_a_locked_document_changed_that_it_does_not_pin(tmp_path: Path) -> None:
    old = "prompts/triage/1.3.0.md"
    root = locked(tmp_path, **{old: changed(PROMPT, "1.4.0", "1.3.0")})
    (root / old).write_text("---\nbroken")
    workspace = Workspace.open(root)
    assert identify(workspace, workspace.environment("stage")).release.startswith("sha256:")


def test_a_suite_may_change_with_a_new_version(tmp_path: Path) -> None:
    root = locked(tmp_path)
    (root / SUITE_FILE).write_text(changed(SUITE, "version: 5", "version: 6"))
    for name, text in (("stage", ENVIRONMENT), ("dev", DEV)):
        (root / "envs" / f"{name}.yaml").write_text(changed(text, "gating: 5", "gating: 6"))
    workspace = Workspace.open(root)
    assert identify(workspace, workspace.environment("stage"))
    assert f"{SUITE_FILE}@5" in read_lock(workspace.lock_bytes()).files


def test_one_release_document_has_one_digest() -> None:
    assert release_digest({"a": 1, "b": 2}) == release_digest({"b": 2, "a": 1})
