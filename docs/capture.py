"""Runs the commands that README.md shows the output of, and puts the output in: `python docs/capture.py`.

A block to fill stands after a line `<!-- capture: VARIABLE=value plangate run stage -->`; `capture 15 lines:` cuts it.
`--check` compares instead, blind to what differs from run to run (durations, run ids, addresses, rates).
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"(<!-- capture(?: (?P<lines>\d+) lines)?: (?P<command>.+?) -->\n```text\n)(?P<output>.*?)(?P<end>```\n)", re.DOTALL
)
VARYING = re.compile(
    r"r-[0-9]{8}-[0-9]{6}-[0-9a-f]+"  # run ids
    r"|[0-9a-f]{12,}"  # digests and cell ids
    r"|(?:\d+ min )?[\d.,]+ (?:ms|s)\b"  # durations
    r"|(?<=127\.0\.0\.1:)\d+"  # ports
)
LINES_MAX = 60


def output_of(command: str, *, lines_max: int) -> str:
    """The command and what it prints to a reader without colours, in a terminal 100 columns wide."""
    words = shlex.split(command)
    given = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    program = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    where = str(Path(sys.executable).parent)
    environment = os.environ | given | {"NO_COLOR": "1", "COLUMNS": "100", "PATH": f"{where}:{os.environ['PATH']}"}
    done = subprocess.run(
        program,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=300,
    )
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    if len(lines) > lines_max:
        lines = [*lines[:lines_max], "..."]
    return "\n".join([f"$ {command}", *lines, f"(exit status {done.returncode})"]) + "\n"


def shape(text: str) -> str:
    """The text with what varies from run to run blotted out."""
    return re.sub(r"[ \t]+", " ", VARYING.sub("~", text))


def main() -> int:
    """Fill the blocks of README.md, or with `--check` say which are no longer true."""
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    stale = []

    def filled(block: re.Match[str]) -> str:
        output = output_of(block["command"], lines_max=int(block["lines"] or LINES_MAX))
        if shape(output) != shape(block["output"]):
            stale.append(f"{block['command']}\n--- README.md\n{block['output']}--- now\n{output}")
        return block[1] + output + block["end"]

    made = BLOCK.sub(filled, text)
    if "--check" in sys.argv[1:]:
        print("\n".join(stale) or "README.md shows what the commands print")
        return bool(stale)
    page.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
