"""`env:NAME` and `file:PATH` stand for values that are given, bounded, and never leave the workspace by a trick."""

from __future__ import annotations

from pathlib import Path

import pytest

from plangate.drivers.references import FILE_BYTES_MAX, resolve, resolve_secrets
from plangate.errors import InputError


def value_of(text: str, workspace: Path, **environ: str) -> str:
    return resolve(text, environ=environ, workspace=workspace, where="bindings.x")


def refused(text: str, workspace: Path, **environ: str) -> InputError:
    with pytest.raises(InputError) as caught:
        value_of(text, workspace, **environ)
    assert caught.value.where == "bindings.x"
    return caught.value


def test_plain_text_stands_for_itself(tmp_path: Path) -> None:
    assert value_of("http://127.0.0.1:80/env:X", tmp_path) == "http://127.0.0.1:80/env:X"


def test_a_variable_is_taken_from_the_context_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN", "from the process")
    assert value_of("env:KEY", tmp_path, KEY="from the context") == "from the context"
    error = refused("env:HIDDEN", tmp_path)
    assert error.code == "missing-environment-variable"
    assert "HIDDEN" in str(error)


def test_an_empty_variable_is_missing(tmp_path: Path) -> None:
    assert refused("env:KEY", tmp_path, KEY="").code == "missing-environment-variable"


def test_a_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cr3t\n")
    assert value_of("file:key", tmp_path) == "s3cr3t"
    assert value_of(f"file:{tmp_path / 'key'}", tmp_path / "elsewhere") == "s3cr3t"


def test_a_relative_path_may_not_leave_the_workspace(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (tmp_path / "key").write_text("s3cr3t")
    (workspace / "link").symlink_to(tmp_path / "key")
    for text in ("file:../key", "file:link", "file:a/../../key"):
        assert refused(text, workspace).code == "path-escapes"


def test_what_is_no_small_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (FILE_BYTES_MAX + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text("\n")
    for text in ("file:gone", "file:big", "file:binary", "file:empty", "file:.", "file:/dev/zero", "file:a\x00b"):
        assert refused(text, tmp_path).code == "unreadable-file"


def test_all_secrets_that_cannot_be_resolved_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        resolve_secrets({"a": "env:A", "b": "env:B", "c": "hunter2", "d": "env:D"}, tmp_path, {"D": "x"})
    found = {(problem.path, problem.code) for problem in caught.value.problems}
    assert found == {
        ("bindings.secrets.a", "missing-environment-variable"),
        ("bindings.secrets.b", "missing-environment-variable"),
        ("bindings.secrets.c", "literal-secret"),
    }
    assert "hunter2" not in str(caught.value)


def test_secrets_resolve_by_name(tmp_path: Path) -> None:
    assert resolve_secrets({"d": "env:D"}, tmp_path, {"D": "x"}) == {"d": "x"}
