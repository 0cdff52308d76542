"""`plangate verify` of a bundle with 100,000 results, offline, as a customer calls it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, Result
from benchmarks.paired import Spread
from benchmarks.processes import plangate, run_command
from benchmarks.workspaces import ENVIRONMENT, Shop, in_process_target
from plangate.evidence.envelope import seal
from plangate.evidence.keys import PrivateKey, generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import TEST_RESULT
from plangate.promotion.evidence_of_runs import results_of_run
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun

__all__ = ["FULL", "TINY", "Size", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    rounds: int


FULL = Size(capabilities=930, rounds=5)
TINY = Size(capabilities=6, rounds=1)


def measure(size: Size) -> Result:
    """Run the suite once, sign it, pack it; then verify the file again and again; the median."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = Shop(capabilities=size.capabilities, repeats=1).write(folder / "publisher", target=in_process_target())
        run_command(plangate("run", ENVIRONMENT), cwd=root)
        key = generate()
        results = _sign(root, key)
        (folder / "trust.yaml").write_text(_trust(key))
        bundle = folder / "release.tar"
        run_command(plangate("bundle", ENVIRONMENT, "-o", str(bundle)), cwd=root)
        verify = plangate("verify", str(bundle), "--trust", str(folder / "trust.yaml"))
        spent = [run_command(verify, cwd=folder) for _ in range(size.rounds)]
        megabytes = bundle.stat().st_size / 1e6
    wall_s = Spread.of(one.wall_s for one in spent)
    figure = Figure(
        what=f"`plangate verify`, {results:,} results in {megabytes:.1f} MB",
        plangate=f"{wall_s.median:.2f} s, {max(one.peak_rss_mb for one in spent):.0f} MB",
        value=wall_s.median,
        shown=wall_s.told(".2f", " s"),
        target=3.0,
        must="less than 3 s",
        at_least=False,
    )
    rounds = [{"results": results, "wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in spent]
    return Result(benchmark="verify_bundle", figures=[figure], rounds=rounds)


def _sign(root: Path, key: PrivateKey) -> int:
    folder = RunFolder(root)
    with StoredRun(folder.path_of(folder.names()[0])) as run:
        results = run.summary().totals.expected
        for statement in results_of_run(run, catalogs={}, harness="sha256:" + "00" * 32):
            Ledger(root / "evidence").append(seal(statement, key=key), key=key, at="2026-06-01T00:00:00Z")
    return results


def _trust(key: PrivateKey) -> str:
    pem = "".join(f"      {line}\n" for line in key.public.pem.decode().splitlines())
    return (
        "apiVersion: plangate/v1\nkind: Trust\nmetadata: {version: 1}\nkeys:\n"
        f"  ci:\n    algorithm: {key.public.algorithm}\n    owner: ci\n    public: |\n{pem}"
        f'roles:\n  publisher: {{keys: [ci], threshold: 1, predicates: ["{TEST_RESULT}"]}}\n'
    )
