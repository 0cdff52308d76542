"""The http driver, judged and stored, beside the fastest client that only asks: a core for it, one for the server."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.echo_server import ALLOWED, Server, serving
from benchmarks.figures import Figure, Result
from benchmarks.machine import cores
from benchmarks.observing import cells_of, observe_all, timed
from benchmarks.paired import Spread, ratios
from benchmarks.processes import harness_core, on_core, server_core
from benchmarks.workspaces import Shop

__all__ = ["FULL", "TINY", "Size", "measure"]

_REPEATS = 2
_Post = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    capabilities: int
    """Nine cells each, times the phrasings, each asked twice."""
    phrasings: int
    concurrency: Sequence[int]
    rounds: int


FULL = Size(capabilities=40, phrasings=30, concurrency=(8, 64), rounds=5)
TINY = Size(capabilities=2, phrasings=2, concurrency=(2,), rounds=1)


def measure(size: Size) -> Result:
    """Raw clients and plangate in turn, round by round, against one server; the median of each round's ratio counts."""
    figures, rounds = [], []
    clients = [name for name in ("pyreqwest", "aiohttp") if importlib.util.find_spec(name)]
    left_out = [f"{name} as a raw client: pip install {name}" for name in {"pyreqwest", "aiohttp"} - {*clients}]
    if len(cores()) < 2:
        left_out.append("a core of its own for the server: client and server shared one, so ratios look better")
    with serving(core=server_core()) as server:
        for concurrency in size.concurrency:
            with tempfile.TemporaryDirectory() as folder:
                root = _workspace(Path(folder), server, size=size, concurrency=concurrency)
                of_level = [_round(root, server, clients=clients, concurrency=concurrency) for _ in range(size.rounds)]
            figures.append(_figure(of_level, clients=clients, concurrency=concurrency))
            rounds += [{"in flight": concurrency} | one for one in of_level]
    return Result(benchmark="over_http", figures=figures, left_out=left_out, rounds=rounds)


def _workspace(folder: Path, server: Server, *, size: Size, concurrency: int) -> Path:
    shop = Shop(
        capabilities=size.capabilities,
        phrasings=size.phrasings,
        repeats=_REPEATS,
        concurrency=(concurrency,),
        everything_allowed=True,
    )
    when = {"status": 200, "json": {"$.decision": True}}
    target = {
        "driver": "http",
        "url": server.url,
        "timeout_s": 30,
        "request": {"method": "POST", "path": "/evaluate", "json": "{request}"},
        "decide": [{"when": when, "effect": "$.context.effect", "reason": "$.context.reason"}],
    }
    return shop.write(folder, target=target)


def _round(root: Path, server: Server, *, clients: Sequence[str], concurrency: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    asked = []
    for name in (*clients, "plangate"):
        before = server.answered("evaluate"), server.answered("bytes")
        if name == "plangate":
            found[name] = on_core(observe_all, str(root), core=harness_core())
        else:
            found[name] = on_core(ask_raw, name, str(root), server.url, concurrency, core=harness_core())
        asked.append((server.answered("evaluate") - before[0], server.answered("bytes") - before[1]))
        assert asked[-1] == (found[name]["observations"], asked[0][1]), f"{name} did not ask the same: {asked}"
    return found


def _figure(rounds: list[dict[str, Any]], *, clients: Sequence[str], concurrency: int) -> Figure:
    per_s = {name: Spread.of(one[name]["per_s"] for one in rounds) for name in (*clients, "plangate")}
    fastest = max(clients, key=lambda name: per_s[name].median)
    ratio = ratios(rounds, "plangate", fastest, by="per_s")
    return Figure(
        what=f"http driver, judged and stored, {concurrency} in flight, "
        f"{rounds[0]['plangate']['observations']:,} observations",
        plangate=f"{per_s['plangate'].median:,.0f} observations/s",
        against=", ".join(f"{per_s[name].median:,.0f}/s, bare {name}" for name in clients),
        value=ratio.median,
        shown=ratio.told(".2f", f" x {fastest}"),
        target=0.70,
        must="at least 0.70 x the fastest",
    )


def ask_raw(client: str, root: str, url: str, concurrency: int) -> dict[str, Any]:
    """Send the same bodies with as many in flight; look at every answer, and keep none."""
    from plangate.matrix.request_shape import evaluation_request

    cells, _ = cells_of(root)
    bodies = [json.dumps(evaluation_request(cell), separators=(",", ":")).encode() for cell in cells] * _REPEATS
    del cells
    importlib.import_module(client)
    connect = {"pyreqwest": _pyreqwest, "aiohttp": _aiohttp}[client]
    return timed(lambda: asyncio.run(_ask_all(bodies, connect, f"{url}/evaluate", concurrency)))


async def _ask_all(bodies: list[bytes], connect: Any, url: str, concurrency: int) -> int:
    left: Iterator[bytes] = iter(bodies)
    answered = 0
    async with AsyncExitStack() as stack:
        post: _Post = await connect(stack, url, concurrency)

        async def work() -> None:
            nonlocal answered
            for body in left:
                assert await post(body) == ALLOWED
                answered += 1

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return answered


async def _pyreqwest(stack: AsyncExitStack, url: str, concurrency: int) -> _Post:
    from pyreqwest.client import ClientBuilder

    client = await stack.enter_async_context(
        ClientBuilder().no_proxy().http1_only().pool_max_idle_per_host(concurrency).build()
    )
    headers = [("Content-Type", "application/json")]

    async def post(body: bytes) -> bytes:
        response = await client.post(url).headers(headers).body_bytes(body).build().send()
        return bytes(await response.bytes())

    return post


async def _aiohttp(stack: AsyncExitStack, url: str, concurrency: int) -> _Post:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=concurrency)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    headers = {"Content-Type": "application/json"}

    async def post(body: bytes) -> bytes:
        async with session.post(url, data=body, headers=headers) as response:
            return await response.read()

    return post
