"""Starts the app a target speaks of, and waits until it is ready to be asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from urllib.parse import SplitResult, urlsplit

from plangate.documents.environment import Launch
from plangate.documents.wording import shown
from plangate.drivers.http_client import Call, TransportError, open_client
from plangate.drivers.network import DIRECT, Network
from plangate.drivers.processes import Process, launch_environment
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.drivers.references import resolve
from plangate.drivers.templates import Constants, compile_text
from plangate.errors import DriverError, InputError

__all__ = ["accepts_connections", "check_launch", "free_port", "launch"]

_PROBE_TIMEOUT_S = 1.0
_PAUSE_MAX_S = 0.2


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def check_launch(spec: Launch, *, constants: Constants, context: DriverContext) -> None:
    """Raise InputError for what is wrong with `spec`: placeholders, references, an empty command."""
    _words(spec, constants)
    _extra_environ(spec, constants, context)


async def launch(
    spec: Launch,
    *,
    url: str,
    constants: Constants,
    context: DriverContext,
    redactor: Redactor,
    network: Network = DIRECT,
) -> Process:
    """Start `spec.command` and return once `url` is served: `spec.ready` answers 2xx, or the port takes connections.

    Raises DriverError: `port-in-use` where somebody else serves that address already, `launch-failed` with the exit
    status and the last lines of output where the app ends first, `launch-timeout` after `spec.timeout_s`.
    """
    address = urlsplit(url)
    if await accepts_connections(address):
        raise DriverError(
            f"something else already serves {address.netloc}",
            code="port-in-use",
            hint="stop it, or leave the port to plangate with {port}",
        )
    process = Process(
        _words(spec, constants),
        folder=context.workspace,
        environ=launch_environment(context, _extra_environ(spec, constants, context)),
        log=context.log,
        redactor=redactor,
    )
    try:
        await _until_ready(process, spec, address, network, redactor)
    except BaseException:
        await process.stop()
        raise
    return process


def _words(spec: Launch, constants: Constants) -> list[str]:
    if not spec.command or not spec.command[0]:
        raise InputError("launch.command is empty", code="incomplete-target", where="launch.command")
    return [
        compile_text(word, place="plain", constants=constants, where=f"launch.command[{number}]")({})
        for number, word in enumerate(spec.command)
    ]


def _extra_environ(spec: Launch, constants: Constants, context: DriverContext) -> dict[str, str]:
    found = {}
    for name, text in spec.env.items():
        where = f"launch.env.{name}"
        value = resolve(text, environ=context.environ, workspace=context.workspace, where=where)
        if value == text:
            value = compile_text(text, place="plain", constants=constants, where=where)({})
        found[name] = value
    return found


async def _until_ready(
    process: Process, spec: Launch, address: SplitResult, network: Network, redactor: Redactor
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + spec.timeout_s
    pause_s = 0.02
    last = "the port takes no connections"
    while True:
        _check_runs(process, spec)
        if await accepts_connections(address):
            if spec.ready is None:
                break
            last = redactor(await _probe(address, spec.ready, network))
            if not last:
                break
        if loop.time() >= deadline:
            raise _failed(process, spec, f"is not ready after {spec.timeout_s:g} s: {last}", code="launch-timeout")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _PAUSE_MAX_S)
    # The address may have been served by somebody else while our own app failed to take it.
    await asyncio.sleep(0)
    _check_runs(process, spec)


def _check_runs(process: Process, spec: Launch) -> None:
    status = process.status
    if status is not None:
        how = f"exit status {status}" if status <= 128 else f"exit status {status} (signal {status - 128})"
        raise _failed(process, spec, f"ended before it was ready: {how}", code="launch-failed")


def _failed(process: Process, spec: Launch, what: str, *, code: str) -> DriverError:
    tail = process.tail()
    said = f"; its last lines:\n{tail}" if tail else "; it wrote nothing"
    return DriverError(
        f"the launched app ({' '.join(spec.command)}) {what}{said}",
        code=code,
        hint="start it by hand in the workspace to see why; launch.timeout_s gives it more time",
    )


async def accepts_connections(address: SplitResult, *, timeout_s: float = _PROBE_TIMEOUT_S) -> bool:
    """Whether somebody takes connections at `address` within `timeout_s`."""
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(address.hostname or "127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _probe(address: SplitResult, path: str, network: Network) -> str:
    """Why the app is not ready yet; empty once it is."""
    client = open_client(concurrency=1, timeout_s=_PROBE_TIMEOUT_S, network=network)
    rooted = path if path.startswith("/") else f"/{path}"
    try:
        reply = await client.send(Call("GET", f"{address.scheme}://{address.netloc}{rooted}", (), None))
    except TransportError as error:
        return f"{path}: {error.detail}"
    finally:
        await client.close()
    if 200 <= reply.status < 300:
        return ""
    where = f", which redirects to {shown(reply.location, characters_max=300)} (Location)" if reply.location else ""
    return f"{path} answers {reply.status}{where}"
