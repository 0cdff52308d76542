"""plangate, promptfoo and Inspect AI on one server with as many cells: one request and one exact check a cell.

Where the peers lie comes from the environment; one that is absent is left out, loudly:

    PROMPTFOO_HOME   folder with node_modules/ after `npm install promptfoo`
    NODE_BIN         folder with the `node` that it needs (22.22 or newer), where PATH has an older one
    INSPECT          virtual environment with `pip install inspect-ai openai`
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.echo_server import Server, serving
from benchmarks.figures import Figure, Result
from benchmarks.paired import Spread, ratios
from benchmarks.processes import plangate, run_command
from benchmarks.workspaces import ENVIRONMENT, Shop

__all__ = ["FULL", "TINY", "Size", "measure"]

_IN_FLIGHT = 8
_PEERS = {"promptfoo": 15.0, "Inspect AI": 50.0}
"""Peer -> how many times its cells a second plangate must reach."""
_INSPECT_TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


@task
def echo(n: int) -> Task:
    samples = [Sample(id=i, input=f"plan-{i % 7} feature-{i}: allow", target=f"feature-{i}: allow") for i in range(n)]
    return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=includes())
"""
_DECIDES = {"when": {"status": 200}, "effect": "$.choices.0.message.content", "reason": "entitled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    """Nine cells each, times the phrasings, each asked once."""
    phrasings: int
    rounds: int
    """How often each runs; a peer takes minutes."""


FULL = Size(capabilities=40, phrasings=14, rounds=2)
TINY = Size(capabilities=2, phrasings=1, rounds=1)


def measure(size: Size) -> Result:
    """Whole commands from start to exit, 8 requests in flight, in turn; the median of each round's ratio counts."""
    cells = 9 * size.capabilities * size.phrasings
    left_out: dict[str, str] = {}
    rounds: list[dict[str, dict[str, Any]]] = []
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        for number in range(size.rounds):
            place = Path(folder, str(number))
            found = {"plangate": _plangate(place / "plangate", server, size)}
            for name, run in {"promptfoo": _promptfoo, "Inspect AI": _inspect}.items():
                (place / name.replace(" ", "-")).mkdir()
                try:
                    found[name] = run(place / name.replace(" ", "-"), server, cells)
                except _AbsentError as error:
                    left_out[name] = f"{name}: {error}"
            rounds.append(found)
    figures = [_figure(name, cells, rounds) for name in _PEERS if name not in left_out]
    return Result(benchmark="peers", figures=figures, left_out=list(left_out.values()), rounds=rounds)


class _AbsentError(Exception):
    """A peer is not installed; says what to do."""


def _figure(name: str, cells: int, rounds: list[dict[str, dict[str, Any]]]) -> Figure:
    ours, theirs = (Spread.of(cells / one[who]["wall_s"] for one in rounds) for who in ("plangate", name))
    ratio = ratios(rounds, name, "plangate", by="wall_s")
    return Figure(
        what=f"{cells:,} cells over HTTP, whole command, {_IN_FLIGHT} in flight, beside {name}",
        plangate=f"{ours.median:,.0f} cells/s",
        against=f"{theirs.median:,.1f} cells/s, {name} {rounds[0][name]['version']}",
        value=ratio.median,
        shown=ratio.told(".1f", " x"),
        target=_PEERS[name],
        must=f"at least {_PEERS[name]:.0f} x",
    )


def _run(
    command: list[str | Path], *, cwd: Path, server: Server, cells: int, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Time a command and see that it asked once a cell: nobody's answers come from a cache."""
    before = server.answered("chat")
    spent = run_command(command, cwd=cwd, environ=environ)
    asked = server.answered("chat") - before
    assert asked == cells, f"{asked} requests for {cells} cells:\n{spent.output[-1000:]}"
    return {"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "peak_rss_mb": spent.peak_rss_mb, "requests": asked}


def _plangate(folder: Path, server: Server, size: Size) -> dict[str, Any]:
    body = {
        "model": "echo",
        "temperature": 0,
        "messages": [
            {"role": "system", "content": "plan={subject.plan} feature={action.name} surface={context.surface}"},
            {"role": "system", "content": "{context.phrasing}"},
            {"role": "user", "content": "allow"},
        ],
    }
    request = {"method": "POST", "path": "/v1/chat/completions", "json": body}
    target = {"driver": "http", "url": server.url, "timeout_s": 30, "request": request, "decide": [_DECIDES]}
    shop = Shop(
        capabilities=size.capabilities,
        phrasings=size.phrasings,
        repeats=1,
        orders=("forward",),
        concurrency=(_IN_FLIGHT,),
        everything_allowed=True,
    )
    folder.mkdir(parents=True)
    root = shop.write(folder, target=target)
    return _run(plangate("run", ENVIRONMENT), cwd=root, server=server, cells=9 * size.capabilities * size.phrasings)


def _promptfoo(folder: Path, server: Server, cells: int) -> dict[str, Any]:
    home = Path(os.environ.get("PROMPTFOO_HOME") or "absent")
    program = home / "node_modules" / ".bin" / "promptfoo"
    if not program.exists():
        raise _AbsentError("`npm install promptfoo` in a folder, and set PROMPTFOO_HOME to that folder")
    quiet = (
        "TELEMETRY",
        "UPDATE",
        "REMOTE_GENERATION",
        "REDTEAM_REMOTE_GENERATION",
        "SHARING",
        "DEBUG_LOG",
        "ERROR_LOG",
    )
    environ = {f"PROMPTFOO_DISABLE_{name}": "1" for name in quiet} | {
        "PROMPTFOO_SELF_HOSTED": "1",
        "PROMPTFOO_CONFIG_DIR": str(folder / "config"),
        "PROMPTFOO_CACHE_PATH": str(folder / "cache"),
        "PATH": os.pathsep.join(filter(None, [os.environ.get("NODE_BIN"), os.environ["PATH"]])),
    }
    texts = [f"plan-{n % 7} feature-{n}: allow" for n in range(cells)]
    tests = [{"vars": {"text": text}, "assert": [{"type": "equals", "value": text}]} for text in texts]
    (folder / "tests.json").write_text(json.dumps(tests))
    provider = {"apiBaseUrl": f"{server.url}/v1", "apiKey": "none", "temperature": 0}
    config = {
        "description": "echo",
        "prompts": ["{{text}}"],
        "providers": [{"id": "openai:chat:echo", "config": provider}],
        "tests": "file://tests.json",
    }
    (folder / "config.json").write_text(json.dumps(config))
    options = ["--no-cache", "--no-table", "--no-progress-bar", "--no-share", "-j", str(_IN_FLIGHT)]
    command = [program, "eval", "-c", "config.json", *options]
    version = run_command([program, "--version"], cwd=folder, environ=environ).output.strip().splitlines()[-1]
    return _run(command, cwd=folder, server=server, cells=cells, environ=environ) | {"version": version}


def _inspect(folder: Path, server: Server, cells: int) -> dict[str, Any]:
    program = Path(os.environ.get("INSPECT") or "absent", "bin", "inspect")
    if not program.exists():
        raise _AbsentError("`pip install inspect-ai openai` in a virtual environment, and set INSPECT to its folder")
    (folder / "task.py").write_text(_INSPECT_TASK)
    environ = {"ECHO_API_KEY": "none", "ECHO_BASE_URL": f"{server.url}/v1", "XDG_DATA_HOME": str(folder / "data")}
    command = [program, "eval", "task.py@echo", "-T", f"n={cells}", "--model", "openai-api/echo/echo-1"]
    options = ["--max-connections", str(_IN_FLIGHT), "--display", "none", "--log-dir", "logs"]
    version = run_command([program, "--version"], cwd=folder, environ=environ).output.strip().splitlines()[-1]
    return _run([*command, *options], cwd=folder, server=server, cells=cells, environ=environ) | {"version": version}
