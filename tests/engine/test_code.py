"""Which code an app is made of: every file of the workspace that it could read, and nothing that a run writes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from plangate.documents.document import read_document
from plangate.documents.environment import Environment
from plangate.documents.kinds import Kind
from plangate.engine.code import code_digest, files_digest, surroundings_digest, unknown_code
from plangate.errors import InputError
from tests.cli.shops import ENVIRONMENT, make_shop

REMOTE = ENVIRONMENT.replace('driver: python, object: "shop_app:evaluate"', 'driver: authzen, url: "http://h:1"')


def environment(text: str = ENVIRONMENT) -> Environment:
    model: Environment = read_document(Kind.ENVIRONMENT, text.encode(), path="envs/dev.yaml").sound()
    return model


def _digest(root: Path) -> str:
    return code_digest(environment(), folder=root)


def _write(name: str, text: str = "1") -> Callable[[Path], object]:
    def write(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")

    return write


@pytest.mark.parametrize(
    "change",
    [
        _write("shop_app.py"), _write("helper.py"), _write("lib/deep/helper.py"), _write("plans.json", "{}"),
        _write("lib/answer.md"), _write(".env"), lambda root: (root / "shop_app.py").unlink(),
        lambda root: (root / "shop_app.py").rename(root / "app.py"),
    ],
)  # fmt: skip
def test_whatever_an_app_could_read_changes_the_digest(tmp_path: Path, change: Callable[[Path], object]) -> None:
    root = make_shop(tmp_path)
    before = _digest(root)
    change(root)
    assert _digest(root) != before


@pytest.mark.parametrize(
    "change",
    [
        _write(".plangate/runs/r.sqlite"), _write(".git/HEAD"), _write("__pycache__/shop_app.cpython-311.pyc"),
        _write("lib/__pycache__/x.pyc"), _write("served.log"), _write("report.html"), _write("junit.xml"),
        _write("run.json", '{\n  "format": 1,\n  "run": "r-20260101-000000-abcdef"'), _write("state.sqlite-wal"),
        _write("envs/prod.yaml"), _write("evals/more.yaml"), _write("evidence/x.json"),
        _write("venv/pyvenv.cfg"), _write("web/node_modules/x/index.js"),
    ],
)  # fmt: skip
def test_what_is_written_installed_or_judged_by_itself_does_not(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    root = make_shop(tmp_path)
    before = _digest(root)
    change(root)
    assert _digest(root) == before


def test_line_ends_of_text_do_not_count_and_bytes_of_other_files_do(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for root, text, data in ((one, b"a\r\nb\r\n", b"\0\r\n"), (other, b"a\nb\n", b"\0\r\n")):
        root.mkdir()
        (root / "a.py").write_bytes(text)
        (root / "b.bin").write_bytes(data)
    assert files_digest(["a.py", "b.bin"], root=one) == files_digest(["b.bin", "a.py"], root=other)
    (other / "b.bin").write_bytes(b"\0\n")
    assert files_digest(["a.py", "b.bin"], root=one) != files_digest(["a.py", "b.bin"], root=other)


def test_a_folder_has_the_digest_of_its_content_and_an_archive_that_of_its_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _write(f"{name}/src/app.py", "x = 1")(tmp_path)
    assert files_digest(["one"], root=tmp_path) == files_digest(["two"], root=tmp_path)
    assert files_digest(["one", "two"], root=tmp_path) != files_digest(["one"], root=tmp_path)
    (tmp_path / "app.whl").write_bytes(b"PK\r\n")
    assert files_digest(["app.whl"], root=tmp_path) == "sha256:" + hashlib.sha256(b"PK\r\n").hexdigest()


def test_a_folder_too_large_to_look_at_is_unknown_code_and_stops_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_shop(tmp_path)
    monkeypatch.setattr("plangate.engine.code._FILES_MAX", 3)
    assert _digest(root)
    for number in range(4):
        _write(f"data/{number}.txt")(root)
    assert _digest(root) == ""
    assert "bindings.code would name what is code" in unknown_code(environment(), folder=root)
    assert code_digest(environment(ENVIRONMENT + "  code: [shop_app.py]\n"), folder=root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_pipe_in_the_workspace_is_not_waited_for(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    os.mkfifo(root / "pipe")
    os.mkfifo(root / "pipe.json")
    assert _digest(root)


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    (root / "again").symlink_to(root, target_is_directory=True)
    (root / "nowhere.py").symlink_to(root / "gone.py")
    assert _digest(root) == _digest(root)


@pytest.mark.parametrize(("path", "code"), [("../x", "path-escapes"), ("gone", "code-not-found")])
def test_code_outside_or_nowhere_is_refused(tmp_path: Path, path: str, code: str) -> None:
    with pytest.raises(InputError) as raised:
        files_digest([path], root=make_shop(tmp_path))
    assert raised.value.problems[0].code == code


@pytest.mark.parametrize(
    ("target", "known"),
    [
        ('driver: python, object: "shop_app:evaluate"', True),
        ('driver: python, object: "elsewhere:evaluate"', False),
        ("driver: command, command: [python, shop_app.py]", True),
        ("driver: command, command: [python, -m, shop_app]", True),
        ("driver: command, command: [python, -m, elsewhere]", False),
        ('driver: authzen, url: "http://h:1"', False),
        ("driver: authzen, launch: {command: [python, serve.py]}", False),
    ],
)
def test_whose_code_is_known(tmp_path: Path, target: str, known: bool) -> None:
    root = make_shop(tmp_path)
    text = ENVIRONMENT.replace('driver: python, object: "shop_app:evaluate"', target)
    assert (unknown_code(environment(text), folder=root) == "") == known
    pinned = text.replace("version: 1.0.0}\n  model", f'version: 1.0.0, digest: "sha256:{"a" * 64}"}}\n  model')
    assert unknown_code(environment(pinned), folder=root) == ""


def test_a_remote_app_has_neither_code_nor_surroundings_here(tmp_path: Path) -> None:
    assert code_digest(environment(REMOTE), folder=tmp_path) == ""
    assert surroundings_digest(environment(REMOTE), environ={"A": "1"}) == ""
    ours = [surroundings_digest(environment(), environ=one) for one in ({"A": "1"}, {"A": "2"}, {"A": "1", "PWD": "x"})]
    assert ours[0] == ours[2] != ours[1]
