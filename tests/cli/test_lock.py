"""`plangate lock`: adds what is new, refuses what changed, replaces the file in one step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plangate.cli.entry import main
from tests.documents.sample_documents import PROMPT, SUITE, changed, write_workspace

CATALOG_FILE, PROMPT_FILE = "envs/plans/support-copilot/3.2.0.yaml", "prompts/triage/1.4.0.md"
NEXT_PROMPT = "prompts/triage/1.5.0.md"


def lock(capsys: pytest.CaptureFixture[str], root: Path, *options: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["lock", "-w", str(root), *options])
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def test_everything_new_is_locked_and_then_there_is_nothing_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_workspace(tmp_path)
    status, out, err = lock(capsys, root)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"locked {CATALOG_FILE}",
        "locked evals/gating.yaml@5",
        f"locked {PROMPT_FILE}",
        "3 newly locked.",
    ]
    written = (root / "plangate.lock").read_bytes()
    assert sorted(json.loads(written)["files"]) == [CATALOG_FILE, "evals/gating.yaml@5", PROMPT_FILE]
    assert lock(capsys, root) == (0, "Nothing new to lock.\n", "")
    assert (root / "plangate.lock").read_bytes() == written
    assert [path.name for path in root.iterdir() if "lock" in path.name] == ["plangate.lock"]


def test_a_new_version_is_added_beside_the_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_workspace(tmp_path)
    lock(capsys, root)
    before = json.loads((root / "plangate.lock").read_text())["files"]
    (root / NEXT_PROMPT).write_text(changed(PROMPT, "version: 1.4.0", "version: 1.5.0"))
    (root / "evals/gating.yaml").write_text(changed(SUITE, "version: 5", "version: 6"))
    for name in ("dev", "stage"):
        file = root / f"envs/{name}.yaml"
        file.write_text(changed(file.read_text(), "gating: 5", "gating: 6"))
    assert lock(capsys, root)[0] == 0
    after = json.loads((root / "plangate.lock").read_text())["files"]
    assert {key: after[key] for key in before} == before
    assert sorted(set(after) - set(before)) == ["evals/gating.yaml@6", NEXT_PROMPT]


def test_a_changed_document_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_workspace(tmp_path)
    lock(capsys, root)
    written = (root / "plangate.lock").read_bytes()
    (root / PROMPT_FILE).write_text(PROMPT + "and more\n")
    (root / NEXT_PROMPT).write_text(changed(PROMPT, "version: 1.4.0", "version: 1.5.0"))
    status, out, err = lock(capsys, root)
    assert (status, out) == (2, "")
    assert f"{PROMPT_FILE}:1:1: changed after it was locked" in err
    assert "write a new version" in err
    assert (root / "plangate.lock").read_bytes() == written


def test_check_writes_nothing_and_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_workspace(tmp_path)
    status, out, _ = lock(capsys, root, "--check")
    assert status == 2
    assert out.count("[not-locked]") == 3
    assert not (root / "plangate.lock").exists()
    lock(capsys, root)
    assert lock(capsys, root, "--check") == (0, "All is locked.\n", "")
    (root / CATALOG_FILE).unlink()
    status, out, _ = lock(capsys, root, "--check", "--json")
    report = json.loads(out)
    assert (status, report["ok"]) == (2, False)
    assert [problem["code"] for problem in report["problems"]] == ["locked-file-missing"]


def test_json_names_what_was_locked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = lock(capsys, write_workspace(tmp_path), "--json")
    assert status == 0
    assert json.loads(out) == {
        "format": 1,
        "ok": True,
        "new": [CATALOG_FILE, "evals/gating.yaml@5", PROMPT_FILE],
        "problems": [],
    }


def test_documents_with_errors_are_not_locked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_workspace(tmp_path, **{PROMPT_FILE: "no front matter\n"})
    status, out, err = lock(capsys, root)
    assert (status, out) == (2, "")
    assert "[no-front-matter]" in err
    assert not (root / "plangate.lock").exists()


def test_a_lock_left_in_pieces_by_a_merge_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_workspace(tmp_path)
    (root / "plangate.lock").write_text("<<<<<<< HEAD\n{}\n")
    status, _, err = lock(capsys, root)
    assert status == 2
    assert "plangate.lock:" in err
    assert (root / "plangate.lock").read_text() == "<<<<<<< HEAD\n{}\n"


def test_after_a_merge_the_lock_is_rebuilt_from_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_workspace(tmp_path)
    lock(capsys, root)
    whole = (root / "plangate.lock").read_text()
    lines = whole.splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if "evals/gating.yaml@5" in line)
    sides = [
        "<<<<<<< HEAD\n",
        lines[at],
        "=======\n",
        lines[at],
        '    "evals/gone.yaml@1": "sha256:' + "0" * 64 + '",\n',
        ">>>>>>> b\n",
    ]
    (root / "plangate.lock").write_text("".join([*lines[:at], *sides, *lines[at + 1 :]]))
    assert "[lock-conflict]" in lock(capsys, root, "--check")[2]
    status, out, _ = lock(capsys, root)
    assert (status, out) == (0, "What both sides of the merge locked is kept. Nothing new to lock.\n")
    files = json.loads((root / "plangate.lock").read_text())["files"]
    assert {**json.loads(whole)["files"], "evals/gone.yaml@1": "sha256:" + "0" * 64} == files
