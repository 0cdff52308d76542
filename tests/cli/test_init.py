"""`plangate init` in folders as people have them: new, full, not theirs; and what it makes is sound and passes."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from plangate.cli.init import command
from plangate.documents.workspace import Workspace
from plangate.entitlements.oracle import Oracle
from plangate.errors import InputError
from plangate.matrix.expansion import expand
from plangate.matrix.request_shape import evaluation_request

MADE = {
    ".github/workflows/plangate.yml",
    ".gitattributes",
    ".gitignore",
    "README.md",
    "assistant.py",
    "envs/dev.yaml",
    "envs/plans/assistant/1.0.0.yaml",
    "evals/gating.yaml",
    "prompts/answer/1.0.0.md",
}


def init(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    assert result.return_value == 0
    return result.output


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def assistant_in(folder: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("assistant", folder / "assistant.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wrong_answers(folder: Path, app: types.ModuleType, *, cells_min: int = 100) -> list[object]:
    """Cells of the new workspace's suite in which the app says something else than the oracle."""
    workspace = Workspace.open(folder)
    environment = workspace.environment("dev")
    (name, version), *_ = environment.release.plans.items()
    oracle = Oracle.of(workspace.catalog(name, version))
    cells = list(expand(workspace.suite("gating"), oracle, surfaces=list(environment.bindings.targets)))
    assert len(cells) > cells_min
    wrong = []
    for cell in cells:
        expected = oracle.decide(cell.subject, cell.request)
        said = app.decide(evaluation_request(cell))["context"]
        if (said["effect"], said["reason"]) != (expected.effect, expected.reason):
            wrong.append(cell.axes)
    return wrong


def test_makes_every_file_in_a_folder_that_did_not_exist(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "gates"
    said = init(str(target))
    assert files_in(target) == MADE
    for name in MADE:
        assert name in said
    assert f"plangate run dev -w {target}" in said


def test_an_empty_folder_and_a_fresh_git_repository_are_free(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    init(str(tmp_path))
    assert files_in(tmp_path) == MADE


def test_the_next_commands_can_be_pasted_from_a_path_with_blanks(tmp_path: Path) -> None:
    target = tmp_path / "my gates"
    assert f"plangate run dev -w '{target}'" in init(str(target))


def test_a_folder_with_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError) as caught:
        init(str(tmp_path))
    assert caught.value.code == "not-empty"
    assert "--force" in caught.value.hint
    assert files_in(tmp_path) == {"notes.txt"}


def test_force_adds_what_is_missing_and_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    said = init(str(tmp_path), "--force")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert "README.md (kept)" in said
    assert files_in(tmp_path) == MADE


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "gates").write_text("")
    with pytest.raises(InputError) as caught:
        init(str(tmp_path / "gates"))
    assert caught.value.code == "not-a-folder"


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        init(str(tmp_path / "file" / "gates"))
    assert caught.value.code in {"cannot-write", "not-a-folder"}


@pytest.mark.skipif(os.geteuid() == 0, reason="left out: root may write anywhere")
def test_a_folder_of_somebody_else_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError) as caught:
            init(str(tmp_path / "gates"))
    finally:
        tmp_path.chmod(0o700)
    assert caught.value.code == "cannot-write"


def test_what_it_makes_is_sound(tmp_path: Path) -> None:
    init(str(tmp_path))
    assert Workspace.open(tmp_path).check() == []


def test_its_app_gives_every_answer_its_catalog_says(tmp_path: Path) -> None:
    init(str(tmp_path))
    assert wrong_answers(tmp_path, assistant_in(tmp_path)) == []


def test_its_app_knows_the_first_axes_that_its_suite_offers(tmp_path: Path) -> None:
    init(str(tmp_path))
    suite = tmp_path / "evals/gating.yaml"
    text = suite.read_text(encoding="utf-8")
    for axis in ("linked: [true, false]", "override: boundary"):
        assert f"    # {axis} " in text
        text = text.replace(f"    # {axis} ", f"    {axis} ")
    suite.write_text(text, encoding="utf-8")
    assert wrong_answers(tmp_path, assistant_in(tmp_path), cells_min=500) == []


def test_every_axis_that_its_suite_offers_can_be_taken(tmp_path: Path) -> None:
    """Each line of the comment that shows an axis is one that the suite may hold."""
    init(str(tmp_path))
    suite = tmp_path / "evals/gating.yaml"
    offered = re.findall(r"^    # ([a-z]+): ", suite.read_text(encoding="utf-8"), re.MULTILINE)
    assert offered == ["linked", "override", "addon", "quantity", "consent", "setting"]
    suite.write_text(re.sub(r"^    # ([a-z]+: )", r"    \1", suite.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert [problem for problem in Workspace.open(tmp_path).check() if problem.severity == "error"] == []


def test_the_fault_that_its_readme_suggests_is_seen(tmp_path: Path) -> None:
    init(str(tmp_path))
    assert 'add `"report.write"` to the tools of `free`' in (tmp_path / "README.md").read_text()
    app = assistant_in(tmp_path)
    app.PLANS["free"]["tools"].add("report.write")
    assert any("free" in axes and "report.write" in axes for axes in wrong_answers(tmp_path, app))


def test_its_readme_names_every_file_it_made(tmp_path: Path) -> None:
    init(str(tmp_path))
    text = (tmp_path / "README.md").read_text()
    assert {name for name in MADE - {"README.md", ".gitattributes", ".gitignore"} if f"`{name}`" not in text} == set()


def test_compiled_leftovers_of_an_installation_are_not_copied(tmp_path: Path) -> None:
    """Installers compile every source, the template's among them; and a wheel may be read without being unpacked."""
    package = Path(sys.modules["plangate"].__file__ or "").parent
    wheel = tmp_path / "plangate.zip"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(package.rglob("*")):
            if path.is_file() and path.suffix in {".py", ".md", ".yaml", ".yml"} | {""}:
                archive.write(path, Path("plangate") / path.relative_to(package))
        archive.writestr("plangate/workspace_template/__pycache__/assistant.cpython-311.pyc", b"")
    script = "import sys; sys.path.insert(0, sys.argv[1]); from plangate.cli.init import command\n"
    script += "import plangate; assert sys.argv[1] in plangate.__file__\n"
    script += "command([sys.argv[2]], standalone_mode=False)\n"
    target = tmp_path / "gates"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", script, str(wheel), str(target)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert files_in(target) == MADE


def test_its_run_passes_at_once_and_leaves_nothing_behind_but_the_run(tmp_path: Path) -> None:
    init(str(tmp_path))
    ran = subprocess.run(
        [sys.executable, "-m", "plangate", "run", "dev", "-w", str(tmp_path), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["verdict"] == "passed"
    assert {name for name in files_in(tmp_path) if not name.startswith(".plangate/")} == MADE
