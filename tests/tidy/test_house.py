"""The house: versions said once and bounded from below, CI runs the README's commands, examples stand alone."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


def _requirements(project: dict) -> list[str]:
    groups = [item for group in project["dependency-groups"].values() for item in group if isinstance(item, str)]
    extras = [item for extra in project["project"]["optional-dependencies"].values() for item in extra]
    return [*project["project"]["dependencies"], *extras, *groups]


def _name(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement).group().lower().replace("_", "-")


def test_every_requirement_has_a_lower_bound_and_is_said_once(project) -> None:
    requirements = _requirements(project)
    assert [item for item in requirements if ">=" not in item] == []
    names = [_name(item) for item in requirements]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_requirement_is_in_the_constraints(project, root: Path) -> None:
    constrained = {_name(line) for line in (root / "constraints.txt").read_text().splitlines() if line}
    assert sorted({_name(item) for item in _requirements(project)} - constrained) == [], "run: nox -s pins"


def test_every_run_time_dependency_is_explained(project, root: Path) -> None:
    text = (root / "docs" / "decisions" / "0001-dependencies.md").read_text(encoding="utf-8")
    extras = [item for extra in project["project"]["optional-dependencies"].values() for item in extra]
    assert [
        n for item in [*project["project"]["dependencies"], *extras] if f"| {(n := _name(item))} |" not in text
    ] == []


def test_every_run_time_dependency_is_imported_and_nothing_else_is(project, modules) -> None:
    named = {"python-dateutil": "dateutil", "pyyaml": "yaml"}
    declared = {named.get(_name(item), _name(item)) for item in project["project"]["dependencies"]}
    imported = set()
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").split(".")[0])
    from_elsewhere = imported - set(sys.stdlib_module_names) - {"plangate", "pytest"}
    assert from_elsewhere == declared


def test_readme_opens_with_two_commands(root: Path) -> None:
    head = (root / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", head, re.DOTALL)
    assert len(blocks) == 2
    assert all(len(block.strip().splitlines()) == 1 for block in blocks)
    assert "plangate run stage" in blocks[0]
    assert "-m pytest" in blocks[1]


def test_ci_runs_the_test_command_of_the_readme(root: Path) -> None:
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    finder = re.search(r'tests="\$\((sed .*)\)"', script)
    assert finder, ".ci/run reads the command from README.md"
    found = subprocess.run(["bash", "-c", finder.group(1)], cwd=root, capture_output=True, text=True, check=True).stdout
    assert found.strip() in (root / "README.md").read_text(encoding="utf-8")
    assert found.count("-m pytest") == 1
    assert "bash .ci/run" in (root / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_tox_and_nox_state_no_version_of_their_own(root: Path) -> None:
    tox = tomllib.loads((root / "tox.toml").read_text(encoding="utf-8"))
    assert "deps" not in tox["env_run_base"]
    assert not re.search(r"install\([^)]*[\"'][a-z0-9-]+[=<>~]=", (root / "noxfile.py").read_text(encoding="utf-8"))


def test_the_reference_app_imports_nothing_of_plangate(root: Path) -> None:
    guilty = []
    for path in sorted((root / "examples").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            guilty += [f"{path.relative_to(root)}: {name}" for name in names if name.split(".")[0] == "plangate"]
    assert guilty == []


def test_decisions_have_numbers_of_their_own_and_say_what_would_reopen_them(root: Path) -> None:
    notes = sorted((root / "docs" / "decisions").glob("*.md"))
    numbers = [note.name[:4] for note in notes]
    assert len(set(numbers)) == len(numbers)
    lacking = [note.name for note in notes if "## What would reopen it" not in note.read_text(encoding="utf-8")]
    assert lacking == []


def test_every_decision_that_the_source_cites_is_there(modules, root: Path) -> None:
    numbers = {int(note.name[:4]) for note in (root / "docs" / "decisions").glob("*.md")}
    cited = {
        f"{module.where}: {found.group()}"
        for module in modules
        for found in re.finditer(r"decision (\d+)\b", module.text)
        if int(found.group(1)) not in numbers
    }
    assert sorted(cited) == []


@pytest.mark.slow
def test_readme_shows_what_its_commands_print(root: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "docs/capture.py", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_page_is_in_the_navigation(root: Path) -> None:
    """As `mkdocs build --strict` demands."""
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(page.relative_to(root / "docs")) for page in sorted((root / "docs").rglob("*.md"))]
    assert [page for page in pages if page not in text] == []
