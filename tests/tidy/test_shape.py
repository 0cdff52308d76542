"""Sizes and names: the rules of CONTRIBUTING.md that a reader would otherwise have to enforce."""

import ast
import re

BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
MODULE_LINES_MAX = 400
PACKAGE_LINES_MAX = 60
FUNCTION_LINES_MAX = 70


def test_no_module_reaches_four_hundred_lines(modules) -> None:
    long = {m.where: n for m in modules if (n := m.text.count("\n")) >= MODULE_LINES_MAX}
    assert long == {}, "split these, or write a decision note and list it here"


def test_no_package_file_reaches_sixty_lines(modules) -> None:
    assert {m.where: n for m in modules if m.is_package and (n := m.text.count("\n")) >= PACKAGE_LINES_MAX} == {}


def test_no_function_reaches_seventy_lines(modules) -> None:
    long = {
        f"{module.where}:{node.lineno} {node.name}": lines
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) >= FUNCTION_LINES_MAX
    }
    assert long == {}


def test_no_file_or_folder_has_a_name_that_says_nothing(files, root) -> None:
    named = {
        part
        for path in files
        if path.suffix == ".py"
        for part in path.relative_to(root).with_suffix("").parts
        if BANNED & set(re.split(r"[_\-.]", part.lower()))
    }
    assert named == set(), "name the noun that the file is about"


def test_no_class_is_named_after_a_habit(modules) -> None:
    habit = re.compile(r"(Manager|Helper|Helpers|Utils|Base)$|^Base[A-Z]")
    classes = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and habit.search(node.name)
    ]
    assert classes == []


def test_every_public_record_is_frozen(modules) -> None:
    """Data is `@dataclass(frozen=True, slots=True)`; a mutable one lives where state is allowed to live."""
    stateful = (
        "plangate.engine",
        "plangate.store",
        "plangate.marketplace",
        "plangate.drivers",
        "plangate.pytest_plugin",
        "plangate.evidence.bundle.verification",  # collects what is wrong while it reads
    )
    mutable = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in modules
        if not module.name.startswith(stateful)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for decorator in node.decorator_list
        if "dataclass" in ast.unparse(decorator) and "frozen=True" not in ast.unparse(decorator)
    ]
    assert mutable == []
