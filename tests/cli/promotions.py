"""Verbs of promotion as people call them, in this process."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from plangate.cli import entry
from plangate.errors import PlangateError

OBSERVING = {
    "run": ["run", "dev"],
    "validate": ["promote", "stage", "--validate", "--key", "keys/ci.key", "--as", "ci"],
    "present": ["promote", "stage", "--validate", "--present", "--key", "keys/ci.key", "--as", "ci"],
    "drill": ["rollback", "stage", "--drill", "--key", "keys/ci.key", "--as", "ci"],
    "drift": ["drift", "prod"],
    "reproduce": ["reproduce", "BUNDLE", "--bindings", "mine.yaml"],
}
"""Verbs that ask an app, as they are called in the workspaces of `conftest.py`."""


def plangate(root: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status, output, and the code of the error."""
    result = CliRunner().invoke(entry.program, [*arguments, "-w", str(root)], standalone_mode=False)
    if isinstance(result.exception, PlangateError):
        return int(result.exception.exit_code), result.stdout, result.exception.code
    if result.exception:
        raise result.exception
    return int(result.return_value or 0), result.stdout, ""


def by(root: Path, person: str) -> list[str]:
    return ["--key", str(root / "keys" / f"{person}.key"), "--as", person]


def plan_of(root: Path, verb: str, name: str) -> dict:
    status, out, _ = plangate(root, verb, name, "--json")
    document = json.loads(out)
    assert status == (0 if document["ready"] else 1)
    return document
