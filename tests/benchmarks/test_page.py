"""The table of docs/reference/benchmarks.md says what was measured, and changes nothing around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.figures import Figure, Result, read_results
from benchmarks.page import BEGIN, END, fill

ROOT = Path(__file__).resolve().parents[2]
MACHINE = {"cores": 2, "processor": "CPU", "system": "Linux", "python": "CPython 3", "sqlite": "3", "packages": {}}
SLOW = Figure(what="start", plangate="200 ms", value=200, shown="200 ms", target=150, must="150 ms", at_least=False)
FAST = Figure(what="driver", plangate="9/s", against="10/s, bare", value=0.9, shown="0.90 x", target=0.4, must="0.40 x")
TOLD = Figure(what="oracle", plangate="1/s", value=1, shown="1/s")


@pytest.mark.parametrize(
    ("value", "at_least", "reached"),
    [(0.4, True, True), (0.399, True, False), (0.401, True, True), (0.4, False, True), (0.401, False, False)],
)
def test_a_target_is_reached_on_its_own_side(*, value: float, at_least: bool, reached: bool) -> None:
    figure = Figure(what="x", plangate="", value=value, shown="", target=0.4, at_least=at_least)
    assert figure.reached is reached


def test_the_page_keeps_what_stands_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\n| old |\n{END}\n\nAfter.\n")
    fill(page, [Result(benchmark="b", figures=[SLOW, FAST, TOLD], left_out=["peer: absent"], machine=MACHINE)])
    text = page.read_text()
    assert text.startswith(f"# Before\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\nAfter.\n")
    assert "old" not in text
    assert "| start | 200 ms |  | 200 ms | 150 ms | **no** |" in text
    assert "| driver | 9/s | 10/s, bare | 0.90 x | 0.40 x | yes |" in text
    assert "| oracle | 1/s |  | 1/s |  |  |" in text
    assert "- **Left out** (b): peer: absent" in text
    assert "2 cores of CPU" in text


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing to fill\n")
    with pytest.raises(ValueError, match="lacks the lines"):
        fill(page, [])


def test_results_come_back_as_they_were_stored(tmp_path: Path) -> None:
    result = Result(benchmark="b", figures=[SLOW, TOLD], left_out=["peer"], rounds=[{"wall_s": 0.2}], machine=MACHINE)
    result.write(tmp_path)
    assert read_results(tmp_path, names=("a", "b")) == [result]


def test_the_shipped_page_can_be_filled() -> None:
    text = (ROOT / "docs" / "reference" / "benchmarks.md").read_text()
    assert text.count(BEGIN) == text.count(END) == 1
