"""A run that is killed, interrupted, sharded or cached: nothing measured is lost, nothing is counted twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from tests.cli.shops import CELLS, SUITE, make_shop, plangate, run_json, start_plangate
from tests.small_disk import small_disk

# Tells every call to a file outside the workspace, and takes its time.
COUNTED = """
    import os, time
    honest = evaluate
    def evaluate(request):
        with open(os.environ["CALLS"], "a") as calls:
            calls.write("x")
        time.sleep(float(os.environ.get("SLOW", "0")))
        return honest(request)
"""
OBSERVATIONS = 2 * CELLS


def calls(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def started(root: Path, counter: Path, *, at_least: int, slow: str = "0.05") -> subprocess.Popen[str]:
    process = start_plangate("run", "dev", cwd=root, environ={"CALLS": str(counter), "SLOW": slow})
    deadline = time.monotonic() + 60
    while calls(counter) < at_least:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    return run_json(make_shop(tmp_path / "undisturbed"))[1]["fingerprint"]


@pytest.mark.parametrize("at", [1, 20, 61, 110])
def test_kill_and_resume_gives_the_same_fingerprint_and_runs_only_what_was_missing(
    tmp_path: Path, undisturbed: str, at: int
) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    process = started(root, counter, at_least=at)
    process.kill()
    process.communicate()
    before = calls(counter)
    status, document = run_json(root, "--resume", environ={"CALLS": str(counter)})
    assert (status, document["totals"]["observations"]) == (0, OBSERVATIONS)
    assert document["fingerprint"] == undisturbed
    # Asked again is only what was in flight or not yet stored: at most a chunk for each of four threads.
    again = calls(counter) - OBSERVATIONS
    assert 0 <= again <= 4 * 16
    assert calls(counter) - before <= OBSERVATIONS


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_resume(tmp_path: Path, undisturbed: str, ending: signal.Signals) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    process = started(root, counter, at_least=30)
    process.send_signal(ending)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    command = next(line for line in err.splitlines() if line.startswith("resume with: ")).split()[3:]
    done = plangate(*command, "--json", cwd=root, environ={"CALLS": str(counter)})
    assert done.returncode == 0
    assert json.loads(done.stdout)["fingerprint"] == undisturbed
    finished = plangate(*command, cwd=root, environ={"CALLS": str(counter)})
    assert finished.returncode == 2
    assert "finished" in finished.stderr


def test_a_run_whose_documents_changed_does_not_resume(tmp_path: Path) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    process = started(root, counter, at_least=10)
    process.kill()
    process.communicate()
    (root / "evals" / "gating.yaml").write_text(
        SUITE.replace("version: 1", "version: 1").replace("repeats: 2", "repeats: 4")
    )
    done = plangate("run", "dev", "--resume", cwd=root, environ={"CALLS": str(counter)})
    assert done.returncode == 2
    assert "changed since" in done.stderr


def test_a_run_has_one_writer_at_a_time(tmp_path: Path) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    # So slow that it is still at work when a second interpreter has started, on a busy machine, too.
    process = started(root, counter, at_least=1, slow="0.3")
    try:
        done = plangate("run", "dev", "--resume", cwd=root, environ={"CALLS": str(tmp_path / "other")})
        assert done.returncode == 3
        assert "another process" in done.stderr
    finally:
        process.kill()
        process.communicate()


def test_two_runs_in_one_workspace_at_once_do_not_meet(tmp_path: Path, undisturbed: str) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    environ = {"CALLS": str(counter), "SLOW": "0.01"}
    both = [start_plangate("run", "dev", "--json", cwd=root, environ=environ) for _ in range(2)]
    documents = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert [document["fingerprint"] for document in documents] == [undisturbed] * 2
    assert len({document["run"] for document in documents}) == 2
    listed = json.loads(plangate("runs", "--json", cwd=root).stdout)["runs"]
    assert {one["run"] for one in listed} == {document["run"] for document in documents}


def test_shards_merge_into_the_whole(tmp_path: Path, undisturbed: str) -> None:
    root = make_shop(tmp_path / "shop")
    parts = [run_json(root, "--shard", f"{number}/3")[1] for number in (1, 2, 3)]
    assert sum(part["totals"]["expected"] for part in parts) == CELLS
    assert all(part["totals"]["expected"] for part in parts)
    merged = plangate("merge", *(part["run"] for part in parts), "--json", cwd=root)
    document = json.loads(merged.stdout)
    assert (merged.returncode, document["fingerprint"]) == (0, undisturbed)
    assert document["totals"]["executed"] == CELLS
    partial = plangate("merge", parts[0]["run"], parts[1]["run"], cwd=root)
    assert partial.returncode == 2
    assert "3/3" in partial.stderr


def test_the_cache_is_used_only_when_asked_for_and_only_for_the_same_everything(tmp_path: Path) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    environ = {"CALLS": str(counter)}
    _, first = run_json(root, environ=environ)
    assert calls(counter) == OBSERVATIONS
    run_json(root, environ=environ)
    assert calls(counter) == 2 * OBSERVATIONS, "without --cache every cell is asked again"
    status, reused = run_json(root, "--cache", environ=environ)
    assert calls(counter) == 2 * OBSERVATIONS
    assert (status, reused["fingerprint"]) == (0, first["fingerprint"])
    assert reused["reused_from"].startswith("r-")
    catalog = root / "envs" / "plans" / "shop" / "1.0.0.yaml"
    catalog.write_text(catalog.read_text().replace("messages: 500", "messages: 400"))
    status, changed = run_json(root, "--cache", environ=environ)
    assert calls(counter) == 3 * OBSERVATIONS, "another catalog is another question"
    assert status == 1
    assert not changed.get("reused_from")


def test_a_leak_is_never_replayed_as_anything_else(tmp_path: Path) -> None:
    leaks = "honest = evaluate\ndef evaluate(r):\n    return answer('allow', 'entitled')"
    root = make_shop(tmp_path / "shop", app=leaks)
    assert run_json(root)[0] == 1
    status, document = run_json(root, "--cache")
    assert status == 1
    assert document["totals"]["leak"] > 0


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=400) as disk:
        big = SUITE.replace("repeats: 2", "repeats: 900")
        root = make_shop(disk / "shop", suite=big)
        done = plangate("run", "dev", cwd=root)
        assert done.returncode == 3
        assert "disk is full" in done.stderr
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(root, elsewhere)
        status, document = run_json(elsewhere, "--resume")
        assert (status, document["totals"]["observations"]) == (0, 900 * CELLS)


def test_compare_names_the_cells_that_differ(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "shop")
    before = run_json(root)[1]["run"]
    same = plangate("compare", before, run_json(root)[1]["run"], cwd=root)
    assert same.returncode == 0
    make_shop(root, app="GRANTS['free'].add('report.export')")
    after = run_json(root)[1]["run"]
    done = plangate("compare", before, after, "--json", cwd=root)
    differences = json.loads(done.stdout)["differences"]
    assert done.returncode == 1
    assert {(one["axes"]["plan"], one["axes"]["capability"]) for one in differences} == {("free", "report.export")}
    assert len(differences) == 3
    shown = plangate("show", after, "--cell", differences[0]["cell"], cwd=root)
    assert shown.returncode == 1
    assert "LEAK" in shown.stdout


def test_the_time_of_a_run_is_limited_and_what_was_seen_is_kept(tmp_path: Path) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    status, document = run_json(root, "--timeout", "1", environ={"CALLS": str(counter), "SLOW": "0.03"})
    assert (status, document["verdict"]) == (3, "undecided")
    assert 0 < document["totals"]["observations"] < OBSERVATIONS
    with StoredRun(RunFolder(root).find(document["run"])) as run:
        assert run.header.stopped == "the run's time of 1 s is over"
    status, document = run_json(root, "--resume", environ={"CALLS": str(counter)})
    assert (status, document["totals"]["observations"]) == (0, OBSERVATIONS)


def _edited(root: Path, name: str = "shop_app.py") -> None:
    with (root / name).open("a", encoding="utf-8") as file:
        file.write("\nGRANTS = {'free': {'kb.search', 'report.export'}, 'pro': {'kb.search', 'report.export'}}\n")


@pytest.mark.parametrize("helper", [False, True])
def test_the_cache_knows_the_code_also_that_of_helper_modules(tmp_path: Path, helper: bool) -> None:
    root = make_shop(tmp_path, app="from rules import *\n" if helper else "")
    (root / "rules.py").write_text("", "utf-8")
    assert run_json(root, "--cache")[0] == 0
    assert run_json(root, "--cache")[1]["reused_from"]
    _edited(root, "rules.py" if helper else "shop_app.py")
    status, document = run_json(root, "--cache")
    assert (status, document["verdict"], document["reused_from"]) == (1, "failed", "")


def test_the_cache_knows_the_environment_variables_of_the_app(tmp_path: Path) -> None:
    app = "import os\nif os.environ.get('SHOP_OPEN'): GRANTS['free'].add('report.export')\n"
    root = make_shop(tmp_path, app=app)
    assert run_json(root, "--cache")[0] == 0
    assert run_json(root, "--cache", environ={"SHOP_OPEN": "1"})[0] == 1


def test_an_app_whose_code_nobody_knows_is_asked_again(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    root = make_shop(tmp_path / "shop")
    elsewhere.mkdir()
    (root / "shop_app.py").rename(elsewhere / "shop_app.py")
    environ = {"PYTHONPATH": str(elsewhere)}
    for _ in range(2):
        done = plangate("run", "dev", "--cache", "--json", cwd=root, environ=environ)
        assert (done.returncode, json.loads(done.stdout)["reused_from"]) == (0, "")
        assert (
            "nothing is taken from the cache, every cell is asked: nobody says which code is behind target default"
            in done.stderr
        )


@pytest.mark.parametrize(
    ("path", "before", "after", "what"),
    [
        ("shop_app.py", "LIMITS", "OTHERS = 1\nLIMITS", "the app's code in the workspace"),
        ("envs/dev.yaml", "version: 1.0.0}", "version: 1.0.1}", "the release"),
        ("envs/dev.yaml", "timeout_s: 1}", "timeout_s: 2}", "the bindings"),
        ("evals/gating.yaml", "state: all", "state: [Subscribed]", "suite gating"),
    ],
)
def test_a_run_goes_on_only_where_nothing_changed(
    tmp_path: Path, path: str, before: str, after: str, what: str
) -> None:
    root, counter = make_shop(tmp_path / "shop", app=COUNTED), tmp_path / "calls"
    process = started(root, counter, at_least=10)
    process.kill()
    process.communicate()
    text = (root / path).read_text("utf-8")
    (root / path).write_text(text.replace(before, after, 1), "utf-8")
    done = plangate("run", "dev", "--resume", cwd=root, environ={"CALLS": str(counter)})
    assert (done.returncode, f"cannot go on: {what} changed" in done.stderr) == (2, True), done.stderr
