"""Every command that a verb prints can be pasted where it was printed, also where the workspace is another folder."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

import plangate
from plangate.cli.entry import VERBS, main, program
from plangate.cli.placing import WITHOUT_WORKSPACE, placed_commands

PACKAGE = Path(plangate.__file__).parent
PROMPTED = re.compile(r"`(plangate [a-z][^`]*)`|^ *(?:try +|resume with: |next: )?(plangate [a-z].*?)(?:   .*)?$", re.M)


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def command_of(verb: str) -> click.Command:
    found = program.get_command(click.Context(program), verb)
    assert found is not None
    return found


def takes_workspace(command: click.Command) -> bool:
    inner = command.commands.values() if isinstance(command, click.Group) else [command]
    return all(any("--workspace" in one.opts for one in each.params) for each in inner)


def test_the_verbs_without_a_workspace_are_known() -> None:
    assert {verb for verb in VERBS if verb != "worker" and not takes_workspace(command_of(verb))} == WITHOUT_WORKSPACE


def hints() -> list[str]:
    return [
        ast.unparse(node.value)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "hint"
    ]


def test_a_command_in_a_hint_stands_in_backticks_and_its_verb_exists() -> None:
    verbs = [verb for hint in hints() for verb in re.findall(r"(.)plangate ([a-z]+)", hint)]
    assert len(verbs) > 25
    assert [verb for mark, verb in verbs if mark != "`" and verb in VERBS] == []
    assert {verb for mark, verb in verbs if mark == "`"} <= VERBS.keys()


def test_a_command_is_told_where_its_workspace_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "my gates"
    told = placed_commands(
        "`plangate runs` lists them, `plangate init DIR` makes one, `plangate pin app -h`", root=root
    )
    assert told == "`plangate runs -w 'my gates'` lists them, `plangate init DIR` makes one, `plangate pin app -h`"
    assert placed_commands("`plangate runs -w x`", root=root) == "`plangate runs -w x`"
    assert placed_commands("`plangate runs`", root=tmp_path) == "`plangate runs`"
    assert placed_commands("`plangate runs`", root=None) == "`plangate runs`"


def printed_commands(*arguments: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    call(*arguments)
    said = capsys.readouterr()
    return [quoted or alone for text in (said.out, said.err) for quoted, alone in PROMPTED.findall(text)]


def test_what_verbs_print_runs_from_the_folder_where_it_was_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    told = printed_commands("init", "gates", capsys=capsys)
    told += printed_commands("runs", "-w", "gates", capsys=capsys)
    app = tmp_path / "gates" / "assistant.py"
    leaking = app.read_text(encoding="utf-8").replace("def decide(", "def sound(") + LEAK
    app.write_text(leaking, encoding="utf-8")
    for asked in (
        ("run", "dev"),
        ("run", "dev", "--plan", "gold"),
        ("show", "r-none"),
        ("run", "dev", "--resume", "latest"),
        ("compare", "r-none", "latest"),
    ):
        told += printed_commands(*asked, "-w", "gates", capsys=capsys)
    assert any("--cell" in one for one in told), told
    assert {one.split()[1] for one in told} >= {"run", "matrix", "runs", "show"}
    for one in dict.fromkeys(told):
        # What somebody has to fill in is in capitals.
        words = ["dev" if word == "ENV" else word for word in shlex.split(one)[1:]]
        assert call(*words) in (0, 1), one


LEAK = """

def decide(request):
    answer = sound(request)
    if request["action"]["name"] == "report.write":
        return {"decision": True, "context": {"reason": "entitled"}}
    return answer
"""
