"""The reference app and plangate know nothing of each other: that is what makes their agreement worth something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.examples.running import ROOT

APP = ROOT / "examples" / "support-copilot"
PRODUCT = ROOT / "harness" / "plangate"


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, top-level package) of every import below `folder`, late ones and those by name too."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
                names = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            yield from ((str(path.relative_to(ROOT)), name.partition(".")[0]) for name in names)


def test_the_app_imports_nothing_of_plangate() -> None:
    packages = {package for _, package in imported(APP)}
    assert "copilot" in packages
    assert "plangate" not in packages


def test_plangate_imports_nothing_of_the_app() -> None:
    assert [where for where, package in imported(PRODUCT) if package in {"copilot", "examples"}] == []


def test_the_app_reads_none_of_the_workspaces_manifests() -> None:
    """Prompts are its own business; plan catalogs, environments and suites are not."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.py"))
    assert "yaml" not in {package for _, package in imported(APP)}
    assert ".yaml" not in sources
    assert "envs/" not in sources
