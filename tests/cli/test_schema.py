"""`plangate schema`: the schema of a kind as a JSON document, and which kinds there are."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from plangate.cli.entry import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["schema", *arguments])
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


@pytest.mark.parametrize("kind", ["environment", "plan-catalog", "suite", "prompt", "trust"])
def test_each_kind_has_a_schema(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    status, out, err = run(capsys, kind)
    assert (status, err) == (0, "")
    Draft202012Validator.check_schema(json.loads(out))


def test_the_kinds_are_listed_with_their_folders(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--list")
    assert status == 0
    assert out.splitlines() == [
        "environment   envs/<name>.yaml",
        "plan-catalog  envs/plans/<name>/<version>.yaml",
        "prompt        prompts/<name>/<version>.md",
        "suite         evals/<name>.yaml",
        "trust         envs/trust.yaml",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sute"], "there is no document kind 'sute' (did you mean 'suite'?) [unknown-kind]"),
        ([], "which kind? (one of environment, plan-catalog, prompt, suite, trust) [unknown-kind]"),
    ],
)
def test_an_unknown_kind_is_wrong_input(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert run(capsys, *arguments) == (2, "", f"error: {message}\n")
