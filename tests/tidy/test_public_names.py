"""Public names: documented, listed, and changed only on purpose."""

import ast
import importlib
import os

import pytest

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _undocumented(body: list[ast.stmt], prefix: str):
    for node in body:
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None and not _is_overload(node):
                yield f"{prefix}{node.name} (line {node.lineno})"
            if isinstance(node, ast.ClassDef):
                yield from _undocumented(node.body, f"{prefix}{node.name}.")


def _is_overload(node) -> bool:
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)


def test_every_public_name_says_what_it_answers(modules) -> None:
    missing = [f"{module.where}: {name}" for module in modules for name in _undocumented(module.tree.body, "")]
    missing += [f"{module.where}: module" for module in modules if module.text and not ast.get_docstring(module.tree)]
    assert missing == []


def test_every_module_lists_what_it_offers(modules) -> None:
    silent = []
    for module in modules:
        names = {
            target.id
            for node in module.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        defines = any(isinstance(node, DEFINITIONS) and not node.name.startswith("_") for node in module.tree.body)
        if defines and "__all__" not in names:
            silent.append(module.where)
    assert silent == []


def test_every_listed_name_exists_and_no_others_came_or_went(modules, root) -> None:
    """tests/tidy/public_names.txt is the promise; PLANGATE_UPDATE=1 rewrites it, and the difference is reviewed."""
    lines = []
    for module in modules:
        if module.is_package:
            loaded = importlib.import_module(module.name)
            for name in getattr(loaded, "__all__", ()):
                assert hasattr(loaded, name), f"{module.name}.__all__ lists {name}, which does not exist"
                lines.append(f"{module.name}.{name}")
    pinned = root / "tests" / "tidy" / "public_names.txt"
    if os.environ.get("PLANGATE_UPDATE"):
        pinned.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    promised = set(pinned.read_text(encoding="utf-8").split())
    assert sorted(set(lines) - promised) == [], "new names: run with PLANGATE_UPDATE=1, and say it in CHANGELOG.md"
    assert sorted(promised - set(lines)) == [], "names that went: say in CHANGELOG.md how to migrate, then update"


@pytest.mark.parametrize("name", ["plangate", "plangate.errors", "plangate.cli.entry"])
def test_all_is_complete(name: str) -> None:
    module = importlib.import_module(name)
    assert set(module.__all__) <= set(dir(module))
