"""The table in docs/reference/benchmarks.md, written from stored results between two markers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, Result

__all__ = ["BEGIN", "END", "fill", "table"]

BEGIN = "<!-- figures: written by python -m benchmarks -->"
END = "<!-- end of figures -->"


def fill(page: Path, results: Sequence[Result]) -> None:
    """Replace what stands between the markers. Raises ValueError where the page lacks them."""
    text = page.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} lacks the lines {BEGIN!r} and {END!r}")
    page.write_text(f"{head}{BEGIN}\n\n{table(results)}\n{END}{tail}", encoding="utf-8")


def table(results: Sequence[Result]) -> str:
    """Machine, one line a figure, and what was left out, as Markdown."""
    lines = [*_machines(results), "", "| what | plangate | compared with | measured | must reach | reached |"]
    lines.append("|---|---|---|---|---|---|")
    lines += [_line(figure) for result in results for figure in result.figures]
    left_out = [f"- **Left out** ({result.benchmark}): {text}" for result in results for text in result.left_out]
    return "\n".join([*lines, *(["", *left_out] if left_out else []), ""])


def _machines(results: Sequence[Result]) -> Iterator[str]:
    """One line for each machine that results come from: usually one."""
    seen: dict[str, list[str]] = {}
    for result in results:
        facts = result.machine
        packages = ", ".join(f"{name} {version}" for name, version in facts.get("packages", {}).items())
        about = (
            f"{facts.get('cores')} cores of {facts.get('processor')}, {facts.get('system')}, {facts.get('python')}, "
            f"SQLite {facts.get('sqlite')}; {packages}"
        )
        seen.setdefault(about, []).append(result.benchmark)
    for about, names in seen.items():
        yield f"Measured on {about}{'.' if len(seen) == 1 else ': ' + ', '.join(names) + '.'}"


def _line(figure: Figure) -> str:
    reached = {True: "yes", False: "**no**", None: ""}[figure.reached]
    cells = (figure.what, figure.plangate, figure.against, figure.shown, figure.must, reached)
    return "| " + " | ".join(cells) + " |"
