"""docs/reference/cli.md holds the help of every command, as it is printed; a change of it is reviewed like code."""

import importlib
import os

from click.testing import CliRunner

from plangate.cli import entry

HEAD = """# Commands

What `plangate --help` and each command's `--help` print. Written by `PLANGATE_UPDATE=1 pytest tests/tidy`.
"""


def _help(*arguments: str) -> str:
    for verb in arguments:
        # click keeps the help option that was asked for first; a test may have called the command by itself.
        vars(importlib.import_module(entry.VERBS[verb][0]).command)["_help_option"] = None
    result = CliRunner().invoke(entry.program, [*arguments, "--help"], terminal_width=110, prog_name="plangate")
    assert result.exit_code == 0, result.output
    return result.output.rstrip() + "\n"


def _verbs() -> list[str]:
    return [verb for verb, (_, about) in sorted(entry.VERBS.items()) if about]


def test_the_reference_is_the_help_that_is_printed(root) -> None:
    sections = [HEAD, f"```text\n{_help()}```\n"]
    sections += [f"## plangate {verb}\n\n```text\n{_help(verb)}```\n" for verb in _verbs()]
    text = "\n".join(sections)
    page = root / "docs" / "reference" / "cli.md"
    if os.environ.get("PLANGATE_UPDATE"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text, "run with PLANGATE_UPDATE=1, and review the difference"


def test_every_verb_says_in_one_line_what_it_answers() -> None:
    for verb in _verbs():
        module, about = entry.VERBS[verb]
        command = importlib.import_module(module).command
        assert about.endswith("."), verb
        assert len(about) <= 90, verb
        assert command.help, verb
        assert command.help.strip().splitlines()[0].endswith((".", ":")) or "\n" in command.help, verb


def test_every_option_is_explained() -> None:
    for verb in _verbs():
        command = importlib.import_module(entry.VERBS[verb][0]).command
        silent = [
            one.name for one in command.params if one.param_type_name == "option" and not getattr(one, "help", "")
        ]
        assert silent == [], verb
