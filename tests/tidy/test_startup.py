"""What starting costs: `--version` and `--help` import nothing heavy, and importing plangate has no effect."""

import json
import subprocess
import sys

import pytest

HEAVY = (
    "asyncio",
    "covertable",
    "cryptography",
    "httpx2",
    "jinja2",
    "jsonschema",
    "pyreqwest",
    "rich",
    "yaml",
)
PROGRAM = """
import json, sys
from plangate.cli.entry import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    assert not stopped.code, stopped.code
print("\\n" + json.dumps(sorted(sys.modules)))
"""


def _imported(environment: dict[str, str], *arguments: str) -> set[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_the_command_starts_without_anything_heavy(argument: str, bare_environment: dict[str, str]) -> None:
    assert _imported(bare_environment, argument) & set(HEAVY) == set()


def test_the_check_above_would_notice(bare_environment: dict[str, str]) -> None:
    heavy = PROGRAM.replace("import json, sys", "import json, sys, asyncio")
    done = subprocess.run(
        [sys.executable, "-c", heavy, "--version"], capture_output=True, text=True, env=bare_environment, check=True
    )
    assert "asyncio" in json.loads(done.stdout.splitlines()[-1])


def test_importing_plangate_prints_nothing_and_imports_only_itself(bare_environment: dict[str, str]) -> None:
    program = "import sys; before = set(sys.modules); import plangate; print(sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=bare_environment, check=True
    )
    assert done.stdout.strip() == "['plangate']"
    assert done.stderr == ""
