"""The repository speaks of plangate only: no machine's paths, no notes left for later, no registry's address."""

import re
from pathlib import Path

# Written in pieces, so that this file does not find itself.
BANNED = {
    "a machine's path": re.compile(r"(?<![\w.}~-])/(" + "work|root|home/[a-z]+|Users/[A-Za-z]+" + r")/"),
    "a note left for later": re.compile(
        r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b"
    ),
    "a package registry's address": re.compile(
        "|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "deb" + r"\.debian\.org"])
    ),
}
BINARY = {".png", ".sqlite", ".tar", ".gz", ".woff2", ".ico"}


def test_no_file_says_what_only_its_author_needs(files: list[Path], root: Path) -> None:
    found = []
    for path in files:
        if path.suffix in BINARY:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for what, pattern in BANNED.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(root)}:{line}: {what}: {match.group()}")
    assert found == []


def test_every_text_file_ends_with_one_newline_and_no_trailing_blanks(files: list[Path], root: Path) -> None:
    wrong = []
    for path in files:
        if path.suffix not in {".py", ".md", ".toml", ".yaml", ".yml"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            wrong.append(f"{path.relative_to(root)}: end of file")
        if path.suffix != ".md" and re.search(r"[ \t]+$", text, re.MULTILINE):
            wrong.append(f"{path.relative_to(root)}: blanks at a line's end")
    assert wrong == []
