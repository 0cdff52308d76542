"""What programs read: one JSON document on every exit path, and a status that says what happened and nothing else."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from plangate.cli import entry
from plangate.errors import ExitCode, InputError, Problem
from tests.cli.shops import CELLS, make_shop, plangate

_PLANGATE = f"{sys.executable} -m plangate"


def _verbs_with_json() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    root = click.Context(entry.program)
    for name in entry.VERBS:
        command = entry.program.get_command(root, name)
        several = {(name, sub): one for sub, one in getattr(command, "commands", {}).items()} or {(name,): command}
        found += [path for path, one in several.items() if any("--json" in param.opts for param in one.params)]
    return found


def _called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict, str]:
    with pytest.raises(SystemExit) as ended:
        entry.main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(out), err


def test_there_are_such_verbs() -> None:
    assert len(_verbs_with_json()) > 15


@pytest.mark.parametrize("path", _verbs_with_json(), ids=" ".join)
def test_every_verb_answers_a_command_line_that_it_does_not_take_with_a_document(path, capsys) -> None:
    status, document, err = _called(capsys, *path, "--json", "--no-such-option")
    assert status == ExitCode.INPUT
    assert document["format"] == 1
    assert document["error"]["code"] == "usage"
    assert "--no-such-option" in document["error"]["message"]
    assert set(document["error"]) == {"code", "message", "hint", "where"}
    assert "--no-such-option" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"], ["compare", "a", "b"], ["run", "dev"], ["runs"], ["show", "latest"], ["status"], ["matrix", "dev"],
        ["why", "dev", "--plan", "free", "--capability", "x"], ["promote", "dev"], ["rollback", "dev"], ["lock"],
        ["history", "dev"], ["merge", "r-1"], ["drift", "dev"], ["ledger", "verify"], ["ledger", "show"],
        ["bundle", "dev", "-o", "x.tar"], ["diff", "a", "b"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_verb_answers_a_folder_that_is_no_workspace_with_a_document(arguments, tmp_path, capsys) -> None:
    status, document, _ = _called(capsys, *arguments, "--json", "-w", str(tmp_path))
    assert (status, document["error"]["code"]) == (2, "not-a-workspace")


def test_without_json_an_error_leaves_standard_output_empty(tmp_path) -> None:
    done = plangate("runs", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_json_that_is_the_value_of_another_argument_asks_for_none(tmp_path) -> None:
    done = plangate("show", "--", "--json", cwd=make_shop(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")


def test_an_error_of_many_problems_lists_them_all(capsys, monkeypatch, tmp_path) -> None:
    def refuse(*_: object) -> None:
        raise InputError.of(
            [Problem(path="b", code="tab", message="two"), Problem(path="a", code="tab", message="one")]
        )

    monkeypatch.setattr("plangate.documents.workspace.Workspace.open", refuse)
    _, document, _ = _called(capsys, "runs", "--json", "-w", str(tmp_path))
    assert document["error"]["message"] == "one"
    assert [one["message"] for one in document["error"]["problems"]] == ["one", "two"]


def test_documents_carry_their_format(tmp_path, capsys) -> None:
    root = make_shop(tmp_path)
    for arguments in (["check"], ["runs"], ["matrix", "dev"], ["matrix", "dev", "--cells"]):
        _, document, _ = _called(capsys, *arguments, "--json", "-w", str(root))
        assert next(iter(document.items())) == ("format", 1), arguments
    assert len(document["list"]) == CELLS


def test_a_report_file_holds_what_json_prints(tmp_path) -> None:
    root = make_shop(tmp_path)
    done = plangate("run", "dev", "--json", "--report", "r.json", cwd=root)
    assert next(iter(json.loads(done.stdout).items())) == ("format", 1)
    assert (root / "r.json").read_text(encoding="utf-8") == done.stdout


def test_a_surprise_is_one_sentence_and_3_and_its_traceback_a_file_of_the_workspace(tmp_path, capsys, monkeypatch):
    root = make_shop(tmp_path)

    def surprise(*_: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("plangate.store.folder.RunFolder.opened", surprise)
    status, document, err = _called(capsys, "runs", "--json", "-w", str(root))
    [log] = (root / ".plangate" / "logs").glob("internal-*.log")
    assert (status, document["error"]["code"]) == (3, "internal")
    assert str(log) in document["error"]["message"]
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert "Traceback" in log.read_text()
    assert "ZeroDivisionError: nobody thought of this" in log.read_text()


def test_a_surprise_before_there_is_a_workspace_is_kept_where_temporary_files_go(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("plangate.documents.workspace.Workspace.open", lambda _: 1 // 0)
    _, document, _ = _called(capsys, "runs", "--json")
    [log] = tmp_path.glob("internal-*.log")
    assert str(log) in document["error"]["message"]


def test_a_surprise_that_cannot_be_kept_anywhere_is_still_one_sentence_and_3(capsys, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    monkeypatch.setattr("plangate.documents.workspace.Workspace.open", lambda _: 1 // 0)
    status, document, _ = _called(capsys, "runs", "--json")
    assert (status, document["error"]["code"]) == (3, "internal")


def test_a_broken_pipe_that_is_not_ours_is_a_surprise_not_the_gates_no(tmp_path, capsys, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("plangate.documents.workspace.Workspace.open", broken)
    status, document, _ = _called(capsys, "runs", "--json", "-w", str(tmp_path))
    assert (status, document["error"]["code"]) == (3, "internal")


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(errno.EACCES, 2, "unwritable-file"), (errno.EROFS, 2, "unwritable-file"), (errno.ENOSPC, 3, "disk-full")],
    ids=["somebody else's", "read-only", "full"],
)
def test_a_folder_that_cannot_be_written_is_no_failure_of_plangate(number, status, code, tmp_path, capsys, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number), "folder/file")

    monkeypatch.setattr("plangate.documents.workspace.Workspace.open", refused)
    found, document, _ = _called(capsys, "runs", "--json", "-w", str(tmp_path))
    assert (found, document["error"]["code"], document["error"]["where"]) == (status, code, "folder/file")


def test_an_interruption_is_a_document_too(tmp_path, capsys, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("plangate.documents.workspace.Workspace.open", interrupt)
    status, document, _ = _called(capsys, "runs", "--json", "-w", str(tmp_path))
    assert (status, document["error"]["code"]) == (130, "interrupted")


_LEAK = """
_evaluate = evaluate
def evaluate(request):
    if request["action"]["name"] == "report.export":
        return answer("allow", "entitled")
    return _evaluate(request)
"""
# What is done with the streams -> the status of a run that passes.
_STREAMS = {
    ">&-": 0,
    "2>&-": 0,
    ">&- 2>&-": 0,
    "<&- >&- 2>&-": 0,
    "| true": 0,
    "| head -1": 0,
    "2>&1 | true": 0,
    ">/dev/full": 3,
    "2>/dev/full": 0,
    ">/dev/full 2>/dev/full": 3,
}


def _shell(root: Path, command: str) -> subprocess.CompletedProcess[str]:
    script = f"set -o pipefail; {command}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script], cwd=root, capture_output=True, text=True, check=False, env={**os.environ}
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="left out: needs /dev/full (Linux)")
@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_no_stream_that_is_closed_or_full_turns_a_pass_into_the_gates_no_or_hides_one(verdict, tmp_path) -> None:
    root = make_shop(tmp_path, app=_LEAK if verdict == "failed" else "")
    assert _shell(root, f"{_PLANGATE} run dev").returncode == (0 if verdict == "passed" else 1)
    shown = [("show latest --json", streams) for streams in _STREAMS]
    ran = [("run dev --report r.md", streams) for streams in (">&-", "| true", ">/dev/full")]
    for verb, streams in [*shown, *ran]:
        (root / "r.md").unlink(missing_ok=True)
        done = _shell(root, f"{_PLANGATE} {verb} {streams}")
        assert done.returncode == (_STREAMS[streams] if verdict == "passed" else 1), (verb, streams, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
        assert (root / "r.md").exists() == verb.startswith("run"), streams
    assert "[output-lost]" in _shell(make_shop(tmp_path), f"{_PLANGATE} check >/dev/full").stderr


def test_a_letter_that_the_terminal_lacks_is_escaped_and_json_stays_json(tmp_path) -> None:
    root = make_shop(tmp_path / "gösse")
    environ = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert plangate("why", "dev", "--plan", "frée", "--capability", "x", cwd=root, environ=environ).returncode == 0
    done = plangate("why", "dev", "--plan", "frée", "--capability", "x", "--json", cwd=root, environ=environ)
    assert json.loads(done.stdout)["plan"] == "frée"
