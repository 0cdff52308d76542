"""`plangate check`: everything at once, sorted, readable by people and by programs, within a second."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from plangate.cli.entry import main
from plangate.documents.workspace import Workspace
from plangate.releases.lock import Lock, extended, lock_text
from plangate.releases.release import lockable
from tests.documents.sample_documents import CATALOG, ENVIRONMENT, SUITE, TRUST, changed, write_workspace

STAGE, CATALOG_FILE, SUITE_FILE = "envs/stage.yaml", "envs/plans/support-copilot/3.2.0.yaml", "evals/gating.yaml"

# The sample suite covers every reason that its catalog can produce.
EXEMPTION = 'exemptions:\n  - {law: monotonic, plan: enterprise, capability: kb.search, reason: "retired 2026-12"}\n'
FULL_CATALOG = changed(CATALOG, EXEMPTION, "")
PINNED = changed(ENVIRONMENT, "version: 4.2.0}", f'version: 4.2.0, digest: "sha256:{"a" * 64}"}}')
FULL_SUITE = changed(
    changed(
        SUITE.replace('usage: "*"', "plan: free").replace("[C2, C8, C10]", "[C2]"),
        "plan: all, state: all, capability: all,",
        "plan: all+unknown, state: all+unknown, capability: all+unknown,",
    ),
    "phrasing: {file: phrasings/attacks.yaml}",
    "consent: boundary, linked: [true, false], override: boundary",
)


def locked(root: Path, **files: str | None) -> Path:
    write_workspace(root, **{STAGE: PINNED, CATALOG_FILE: FULL_CATALOG, SUITE_FILE: FULL_SUITE, **files})
    (root / "plangate.lock").write_text(lock_text(extended(Lock(), lockable(Workspace.open(root)))))
    return root


def check(capsys: pytest.CaptureFixture[str], root: Path, *options: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["check", "-w", str(root), *options])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, printed.out


def test_a_sound_workspace_passes_even_strictly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys, locked(tmp_path), "--strict") == (0, "Nothing is wrong.\n")
    assert json.loads(check(capsys, tmp_path, "--json")[1]) == {"format": 1, "ok": True, "problems": []}


def test_problems_are_printed_sorted_with_their_place_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = changed(changed(ENVIRONMENT, "version: 4.2.0", "version: latest"), "tier: nonproduction", "tier: x")
    status, text = check(capsys, locked(tmp_path, **{STAGE: stage, "envs/trust.yaml": "a: 1\na: 2\n"}))
    assert status == 2
    lines = text.splitlines()
    assert lines[0] == ("envs/stage.yaml:3:45: metadata.tier: 'x' must be one of nonproduction, production [bad-value]")
    assert lines[1].startswith("envs/stage.yaml:5:41: release.app.version: 'latest' is not an exact version (write the")
    assert [line.split(":")[0] for line in lines[:-1]] == sorted(line.split(":")[0] for line in lines[:-1])
    assert lines[-1] == f"{len(lines) - 1} errors."
    assert "envs/trust.yaml:2:1: 'a' is given twice; first at envs/trust.yaml:1:1 (keep one of the two)" in text


def test_json_holds_what_the_contract_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(tmp_path, **{STAGE: changed(ENVIRONMENT, "tier: nonproduction", "tier: x")})
    status, text = check(capsys, root, "--json")
    report = json.loads(text)
    assert (status, report["ok"]) == (2, False)
    assert report["problems"] == [
        {
            "code": "bad-value",
            "path": "envs/stage.yaml",
            "line": 3,
            "column": 45,
            "severity": "error",
            "message": "metadata.tier: 'x' must be one of nonproduction, production",
            "hint": "",
        }
    ]


def test_a_warning_passes_and_strictly_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(tmp_path, **{SUITE_FILE: changed(FULL_SUITE, "repeats: 4", "repeats: 1")})
    status, text = check(capsys, root)
    assert status == 0
    assert text.splitlines()[-1] == "2 warnings."
    assert ": warning: determinism.orders: 2 are named" in text
    status, text = check(capsys, root, "--strict")
    assert status == 2
    assert json.loads(check(capsys, root, "--strict", "--json")[1])["ok"] is False


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("tiers: [free, pro,", "tiers: [pro, free,", "not-monotonic"),
        ("messages: 500, exports: 50", "messages: 10, exports: 50", "not-monotonic"),
        ("messages: 500, exports: 50", "messages: 500", "limit-not-set"),
        ("extends: free", "extends: enterprise", "extends-circle"),
        ("[kb.search, data.export_own]", "[kb.serch, data.export_own]", "unknown-name"),
    ],
)
def test_a_catalog_that_breaks_a_law_is_wrong_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, code: str
) -> None:
    root = write_workspace(tmp_path, **{CATALOG_FILE: changed(FULL_CATALOG, old, new)})
    status, text = check(capsys, root, "--json")
    codes = {problem["code"] for problem in json.loads(text)["problems"] if problem["severity"] == "error"}
    assert status == 2
    if code == "not-monotonic":  # law L2 belongs to `entitlements.laws`; here it only must not be lost
        assert codes
    else:
        assert code in codes


def test_a_reason_that_no_suite_expects_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(tmp_path, **{SUITE_FILE: changed(FULL_SUITE, "consent: boundary", "consent: full")})
    status, text = check(capsys, root)
    assert status == 0
    assert text.count("[reason-not-covered]") == 1
    assert "consent_required" in text
    assert check(capsys, root, "--strict")[0] == 2


def test_an_app_without_marketplace_states_links_or_overrides_can_be_sound_strictly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, end = FULL_CATALOG.index("states:"), FULL_CATALOG.index("tiers:")
    catalog = FULL_CATALOG[:start] + FULL_CATALOG[end:]
    plain = changed(FULL_SUITE, "linked: [true, false], override: boundary", "linked: [true], override: none")
    plain = changed(
        changed(plain, "state: all+unknown", "state: all"),
        "  exclude: [{state: Unsubscribed, surface: interaction, plan: free}]\n",
        "",
    )
    root = locked(tmp_path, **{CATALOG_FILE: catalog, SUITE_FILE: plain})
    assert check(capsys, root, "--strict") == (0, "Nothing is wrong.\n")


def test_a_reason_that_is_excepted_is_not_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    narrow = {SUITE_FILE: changed(FULL_SUITE, "consent: boundary", "consent: full")}
    exemption = 'exemptions:\n  - {law: covered, expects: consent_required, reason: "asked by hand"}\n'
    root = locked(tmp_path, **narrow, **{CATALOG_FILE: FULL_CATALOG + exemption})
    assert check(capsys, root, "--strict") == (0, "Nothing is wrong.\n")
    wrong = exemption.replace("law: covered", "law: monotonic")
    (root / CATALOG_FILE).write_text(FULL_CATALOG + wrong, encoding="utf-8")
    assert "exemptions[0].law: 'monotonic' must be covered" in check(capsys, root)[1]
    (root / CATALOG_FILE).write_text(FULL_CATALOG + wrong.replace("expects: consent_required, ", ""), encoding="utf-8")
    assert "exemptions[0]: 'plan' is missing" in check(capsys, root)[1]


def test_a_quick_check_stays_silent_about_suites_it_cannot_finish(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse = changed(changed(FULL_SUITE, "consent: boundary", "consent: full"), "exhaustive", "{strength: 2}")
    root = locked(tmp_path, **{SUITE_FILE: sparse})
    assert check(capsys, root) == (0, "Nothing is wrong.\n")
    status, text = check(capsys, root, "--strict")
    assert status == 2
    assert "[reason-not-covered]" in text


def test_a_matrix_without_cells_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(
        tmp_path,
        **{SUITE_FILE: changed(FULL_SUITE, "{state: Unsubscribed, surface: interaction, plan: free}", '{plan: "*"}')},
    )
    status, text = check(capsys, root)
    assert (status, "[empty-matrix]" in text) == (2, True), text


def test_what_changed_after_it_was_locked_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(tmp_path)
    (root / CATALOG_FILE).write_text(changed(FULL_CATALOG, "messages: 20}", "messages: 21}"))
    status, text = check(capsys, root)
    assert status == 2
    assert text.startswith(f"{CATALOG_FILE}:1:1: changed after it was locked (")
    assert "write a new version" in text
    (root / CATALOG_FILE).unlink()
    assert "[locked-file-missing]" in check(capsys, root)[1]


def test_only_what_was_promoted_must_be_locked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_workspace(tmp_path, **{CATALOG_FILE: FULL_CATALOG, SUITE_FILE: FULL_SUITE})
    status, text = check(capsys, root)
    assert (status, text.count("[not-locked]")) == (0, 3)
    (root / STAGE).unlink()
    assert check(capsys, root) == (0, "Nothing is wrong.\n")


def test_a_lock_that_cannot_be_read_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(tmp_path)
    (root / "plangate.lock").write_text("{}")
    assert "[lock-unreadable]" in check(capsys, root)[1]


HOSTILE = {
    "empty": b"",
    "truncated": CATALOG[:400].encode(),
    "binary": bytes(range(256)) * 50,
    "ten megabytes": b"a: " + b"x" * (10 * 1024 * 1024),
    "brackets": b"[" * 100_000,
    "alias bomb": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "not a number": CATALOG.replace("messages: 20}", "messages: .nan}").encode(),
    "duplicate key": CATALOG.replace("tiers:", "plans: {}\ntiers:").encode(),
    "unknown key": CATALOG.replace("tiers:", "teirs:").encode(),
    "tabs": CATALOG.replace("  messages:", "\tmessages:").encode(),
    "circle": CATALOG.replace("extends: free", "extends: enterprise").encode(),
    "negative limit": CATALOG.replace("messages: 20}", "messages: -20}").encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_input_is_exit_two_with_a_place_and_never_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    root = write_workspace(tmp_path)
    (root / CATALOG_FILE).write_bytes(HOSTILE[name])
    status, text = check(capsys, root)
    assert status == 2
    assert f"{CATALOG_FILE}:" in text
    assert "Traceback" not in text
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["not-there", "empty"])
def test_a_folder_that_is_no_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stopped:
        main(["check", "-w", str(tmp_path / name)])
    assert stopped.value.code == 2
    assert "is not a workspace: it has no envs/ folder (`plangate init DIR` makes one" in capsys.readouterr().err


def test_trust_is_part_of_the_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = locked(tmp_path, **{"envs/trust.yaml": changed(TRUST, "threshold: 1", "threshold: 2")})
    assert "envs/trust.yaml:9:16: roles.publisher-ci.threshold" in check(capsys, root)[1]


def test_ten_thousand_values_are_checked_within_a_second(tmp_path: Path) -> None:
    """Processor time, start included: the wall clock of a machine that others use says nothing."""
    count = 1_420
    names = [f"tool.c{index}" for index in range(count)]
    declared = "".join(f"  {name}: {{effect: read, consumes: {{messages: 1}}, uses: [data_scope]}}\n" for name in names)
    text = changed(FULL_CATALOG, "limits:\n  messages:", declared + "limits:\n  messages:")
    text = changed(text, "grants: [kb.search,", f"grants: [{', '.join(names)}, kb.search,")
    root = locked(tmp_path, **{CATALOG_FILE: text})
    catalog = Workspace.open(root).catalog("support-copilot", "3.2.0")
    assert len(catalog.positions.values) >= 10_000
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "plangate", "check", "-w", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
