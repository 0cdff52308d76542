"""The metadata document of an AuthZEN decision point: where it takes evaluations (AuthZEN 1.0, PDP metadata)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from plangate.documents.wording import shown
from plangate.drivers.http_client import Call, HttpClient, TransportError
from plangate.drivers.jsonbytes import read_json
from plangate.errors import DriverError

__all__ = ["Addresses", "read_metadata", "standard_addresses"]

_WELL_KNOWN: Final = "/.well-known/authzen-configuration"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where evaluations go. `batch` is None where none are offered."""

    single: str
    batch: str | None


def standard_addresses(url: str) -> Addresses:
    """The addresses of a decision point that has no metadata document: single evaluations only."""
    return Addresses(single=f"{url}/access/v1/evaluation", batch=None)


async def read_metadata(client: HttpClient, *, url: str, headers: Sequence[tuple[str, str]]) -> Addresses:
    """What the decision point at `url` says of itself; the standard addresses where it says nothing.

    The document is used only where `policy_decision_point` is the identifier it was asked under, as the standard
    demands, and its endpoints have the same origin: else whoever serves it could send our requests, with their
    credentials, elsewhere. Raises DriverError `metadata-mismatch`, `target-unreachable`.
    """
    parts = urlsplit(url)
    address = urlunsplit((parts.scheme, parts.netloc, _WELL_KNOWN + parts.path, "", ""))
    try:
        reply = await client.send(Call("GET", address, headers, None))
    except TransportError as error:
        raise DriverError(
            f"{_WELL_KNOWN} of {url} gives no answer: {error.detail}",
            code="target-unreachable",
            hint="start the decision point, or write options: {metadata: ignore}",
        ) from error
    if 300 <= reply.status < 400 and reply.location:
        raise _mismatch(f"{address} redirects to {shown(reply.location, characters_max=300)} (Location)")
    document = _document(reply.body) if reply.status == 200 else None
    if document is None:
        return standard_addresses(url)
    identifier = document.get("policy_decision_point")
    if not isinstance(identifier, str) or identifier.rstrip("/") != url:
        raise _mismatch(f"{address} speaks of the decision point {shown(identifier)}, not of {url}")
    single = _endpoint(document, "access_evaluation_endpoint", url)
    return Addresses(
        single=single or standard_addresses(url).single,
        batch=_endpoint(document, "access_evaluations_endpoint", url),
    )


def _document(raw: bytes) -> dict[str, Any] | None:
    """The document; None for anything else: many servers answer any address with a page."""
    try:
        found = read_json(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _endpoint(document: dict[str, Any], name: str, url: str) -> str | None:
    given = document.get(name)
    if given is None:
        return None
    if not isinstance(given, str) or _origin(given) is None or _origin(given) != _origin(url):
        raise _mismatch(f"{name} is {shown(given)}: not an address of {url}")
    return given


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.username is not None or not parts.hostname or not port:
        return None
    return (parts.scheme, parts.hostname, port)


def _mismatch(what: str) -> DriverError:
    return DriverError(
        what,
        code="metadata-mismatch",
        hint="correct url, or write options: {metadata: ignore} to use the standard address without batches",
    )
