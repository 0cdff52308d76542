"""`plangate matrix`: the table a product manager reads, and how much would be run to prove it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from tests.cli.shops import CATALOG, CELLS, SUITE, make_shop, plangate

PAIRWISE = """
apiVersion: plangate/v1
kind: Suite
metadata: {name: pairs, version: 1}
type: gating
matrix:
  axes: {plan: all, state: all, capability: all, surface: all, usage: boundary, quantity: [1, 2], linked: [true, false]}
  coverage: {strength: 2}
determinism: {repeats: 3}
"""


def shop(root: Path, **files: str) -> Path:
    make_shop(root)
    (root / "evals" / "pairs.yaml").write_text(files.get("pairs", PAIRWISE).lstrip("\n"), encoding="utf-8")
    manifest = root / "envs" / "dev.yaml"
    text = manifest.read_text(encoding="utf-8").replace("suites: {gating: 1}", "suites: {gating: 1, pairs: 1}")
    manifest.write_text(text, encoding="utf-8")
    return root


def said(root: Path, *arguments: str) -> str:
    done = plangate("matrix", "dev", *arguments, cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def document(root: Path, *arguments: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(said(root, "--json", *arguments))
    return loaded


def test_the_table_shows_plans_across_and_says_how_much_would_be_run(tmp_path: Path) -> None:
    more = [f"feature.{letter}" for letter in "abcd"]
    catalog = CATALOG.replace("limits:\n", "".join(f"  {name}: {{effect: read}}\n" for name in more) + "limits:\n", 1)
    catalog = catalog.replace("grants: [kb.search]", f"grants: [kb.search, {', '.join(more)}]")
    lines = said(make_shop(tmp_path, catalog=catalog)).splitlines()

    assert lines[:3] == ["shop 1.0.0 in dev", "", "Subscribed"]
    assert lines[3].split() == ["free", "pro"]
    table = {line.split()[0]: line.split()[1:] for line in lines[4:] if line}
    assert [word for word in table["kb.search"] if "/" in word] == ["20/day", "500/day"]
    assert table["feature.a"][0] == table["report.export"][1] != table["report.export"][0]
    assert "suite gating 1: 120 cells x 2 = 240 observations; exhaustive over" in lines[-1]


def test_json_is_the_documented_shape(tmp_path: Path) -> None:
    found = document(make_shop(tmp_path))

    assert found["cells"] == CELLS
    assert found["axes"]["plan"] == ["free", "pro"]
    assert found["axes"]["usage"] == ["zero", "last_fit:messages", "first_over:messages", "far_over:messages"]
    assert found["coverage"] == {"gating": "exhaustive over plan, state, capability, surface, usage"}
    assert {
        "plan": "free",
        "state": "Subscribed",
        "capability": "data.purge",
        "effect": "deny",
        "reason": "prohibited",
    } in [{key: value for key, value in row.items() if key != "note"} for row in found["table"]]
    assert len(found["table"]) == 2 * 2 * 3
    assert [suite["observations"] for suite in found["suites"]] == [2 * CELLS]


def test_t_way_suites_say_what_they_cover_and_what_not(tmp_path: Path) -> None:
    root = shop(tmp_path)
    found = document(root, "--suite", "pairs")
    coverage = found["suites"][0]["coverage"]

    assert (coverage["kind"], coverage["strength"], coverage["complete"]) == ("t-way", 2, True)
    assert coverage["covered"] == coverage["possible"] == coverage["combinations"] - coverage["impossible"]
    # Of usage x capability, only kb.search counts messages: 2 capabilities x 3 points cannot occur.
    assert coverage["impossible"] == 6
    # CELLS x 2 quantities x linked or not.
    assert coverage["cells_if_exhaustive"] == 4 * CELLS
    assert "more than 2 axes" in coverage["not_covered"][0]
    shown = said(root)
    assert f"suite pairs 1: {found['cells']} cells x 3 = {3 * found['cells']} observations; 2-way: " in shown
    assert f"2 suites: {CELLS + found['cells']} cells, {2 * CELLS + 3 * found['cells']} observations" in shown


def test_csv_is_the_table_for_a_spreadsheet(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(said(make_shop(tmp_path), "--csv"))))

    assert len(rows) == 2 * 2 * 3
    assert rows[0] == {
        "plan": "free",
        "state": "Subscribed",
        "capability": "kb.search",
        "effect": "allow",
        "reason": "entitled",
        "note": "20/day",
    }


def test_every_cell_can_be_listed_with_what_it_must_decide(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    lines = said(root, "--cells").splitlines()
    listed = document(root, "--cells")["list"]
    rows = list(csv.DictReader(io.StringIO(said(root, "--cells", "--csv"))))

    assert len(lines) == len(listed) == len(rows) == CELLS
    assert [line.split()[0] for line in lines] == [cell["cell"] for cell in listed] == [row["cell"] for row in rows]
    over = [
        cell
        for cell in listed
        if cell["axes"]["usage"] == "first_over:messages" and cell["axes"]["state"] == "Subscribed"
    ]
    assert {(cell["effect"], cell["reason"], cell["rule"]) for cell in over} == {("deny", "limit_exceeded", "D9")}
    assert lines[0].endswith(
        "gating plan=free state=Subscribed capability=kb.search surface=interaction -> allow entitled (D11)"
    )


def test_listed_cells_are_those_that_a_run_judges(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    first = document(root, "--cells")["list"][0]["cell"]
    done = plangate("run", "dev", "--cell", first, "--json", cwd=root)

    assert (done.returncode, json.loads(done.stdout)["totals"]["expected"]) == (0, 1)


def test_a_matrix_without_cells_is_refused(tmp_path: Path) -> None:
    suite = SUITE.replace("usage: boundary}", 'usage: boundary}\n  exclude: [{plan: "*"}]')
    done = plangate("matrix", "dev", cwd=make_shop(tmp_path, suite=suite))

    assert done.returncode == 2
    assert "empty-matrix" in done.stderr


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    root = make_shop(tmp_path)

    assert plangate("matrix", "nowhere", cwd=root).returncode == 2
    assert plangate("matrix", "dev", "--suite", "other", cwd=root).returncode == 2
    assert plangate("matrix", "dev", "--csv", "--json", cwd=root).returncode == 2
