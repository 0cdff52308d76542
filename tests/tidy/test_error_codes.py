"""Every error code that the source raises is explained in docs/reference/error-codes.md, and no other."""

import ast
import re

ROW = re.compile(r"^\|\s*`?([a-z][a-z0-9]*(?:-[a-z0-9]+)*)`?\s*\|([^|]+)\|([^|]+)\|\s*$", re.MULTILINE)


def _documented(root) -> dict[str, tuple[str, str]]:
    text = (root / "docs" / "reference" / "error-codes.md").read_text(encoding="utf-8")
    return {code: (means, do) for code, means, do in ROW.findall(text) if code != "code"}


def _raised(modules) -> dict[str, str]:
    return {
        keyword.value.value: f"{module.where}:{keyword.value.lineno}"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }


def _strings(modules) -> set[str]:
    return {
        node.value
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_that_is_raised_is_documented(modules, root) -> None:
    documented = _documented(root)
    assert {code: where for code, where in _raised(modules).items() if code not in documented} == {}


def test_every_documented_code_is_still_raised(modules, root) -> None:
    assert sorted(set(_documented(root)) - _strings(modules)) == []


def test_every_code_says_what_it_means_and_what_to_do(root) -> None:
    documented = _documented(root)
    assert documented
    assert [code for code, (means, do) in documented.items() if len(means.strip()) < 10 or len(do.strip()) < 10] == []


def test_codes_are_kebab_case_words(modules) -> None:
    assert [code for code in _raised(modules) if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code)] == []
