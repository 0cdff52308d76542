"""A workspace on a read-only mount: what only reads works there; what would write says so in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plangate.cli import entry
from plangate.evidence.bundle.layout import BundleFile
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from tests.cli.promotions import plangate
from tests.cli.shops import make_shop
from tests.promotion.stages import make_stages
from tests.read_only import read_only

# What would write there -> the code it is refused with.
_WRITERS = {
    "run dev": "store-failed",
    "merge 1/2 2/2": "store-failed",
    "show latest --report r.html": "report-not-written",
    "bundle dev -o release.tar": "unwritable-file",
    "lock": "unwritable-file",
    "promote stage": "unwritable-file",
    "promote stage --validate --key keys/ci.key --as ci": "unwritable-file",
    "hold stage --reason storm --key keys/alice.key --as alice": "store-failed",
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a run, and before it two shards of one, read-only."""
    folder = tmp_path_factory.mktemp("read-only")
    root = make_stages(folder / "shop")
    for more in (["--shard", "1/2"], ["--shard", "2/2"], []):
        assert plangate(root, "run", "dev", *more)[0] == 0
    with read_only(root, folder / "sealed") as place:
        yield place


def _runs(root: Path) -> dict[str, str]:
    """Shard ("" for the whole run) -> run id: of runs that began in one second, none is the latest."""
    found = {}
    for name in RunFolder(root).names():
        with StoredRun(RunFolder(root).path_of(name)) as run:
            found[run.header.shard] = name
    return found


def test_show_and_runs_read_there(sealed: Path, tmp_path: Path) -> None:
    status, out, err = plangate(sealed, "show", _runs(sealed)[""], "--report", str(tmp_path / "r.html"))
    assert (status, "72 of 72 cells" in out) == (0, True), err
    assert (tmp_path / "r.html").exists()
    assert len(plangate(sealed, "runs")[1].splitlines()) == 3


def test_merge_reads_there_and_writes_elsewhere(sealed: Path, tmp_path: Path) -> None:
    shards = [str(RunFolder(sealed).path_of(name)) for shard, name in _runs(sealed).items() if shard]
    status, out, err = plangate(make_shop(tmp_path), "merge", *shards)
    assert (status, "72 of 72 cells" in out) == (0, True), err


def test_bundle_reads_there_and_writes_elsewhere(sealed: Path, tmp_path: Path) -> None:
    status, out, err = plangate(sealed, "bundle", "dev", "-o", str(tmp_path / "release.tar"))
    assert (status, "(passed)" in out) == (0, True), err
    with BundleFile(tmp_path / "release.tar") as bundle:
        assert "results.jsonl.gz" in bundle.titles()


@pytest.mark.parametrize("words", _WRITERS)
def test_what_would_write_there_says_so_and_is_no_failure_of_plangate(words, sealed, capsys, monkeypatch) -> None:
    monkeypatch.chdir(sealed)
    runs = _runs(sealed)
    with pytest.raises(SystemExit) as ended:
        entry.main([runs.get(word, word) for word in words.split()])
    err = capsys.readouterr().err
    assert f"[{_WRITERS[words]}]" in err
    assert "Read-only file system" in err
    assert ended.value.code in {2, 3}
