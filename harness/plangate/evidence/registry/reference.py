"""Where a bundle lies: `host[:port]/repository[:tag][@sha256:...]` (OCI distribution-spec 1.1). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from plangate.documents.wording import shown
from plangate.errors import InputError

__all__ = ["Reference", "read_reference"]

_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    r"(?P<host>\[[0-9a-f:]{2,39}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::(?P<port>[0-9]{1,5}))?"
    rf"/(?P<repository>{_PART}(?:/{_PART}){{0,15}})"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_LOOPBACK: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_LENGTH_MAX: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A repository in a registry, and which manifest of it."""

    registry: str
    """`host[:port]`"""
    repository: str
    tag: str
    digest: str
    """`sha256:...`; empty where only a tag names it."""
    loopback: bool

    @property
    def manifest(self) -> str:
        """What names the manifest in an address: the digest where there is one, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def read_reference(text: str) -> Reference:
    """Read a reference; without tag and digest the tag is `latest`. Raises InputError `bad-reference`."""
    found = _REFERENCE.fullmatch(text) if len(text) <= _LENGTH_MAX else None
    host = found["host"] if found else ""
    named = "." in host or ":" in host or host == "localhost" or bool(found and found["port"])
    if found is None or not named or int(found["port"] or 1) not in range(1, 65_536):
        raise InputError(
            f"{shown(text)} names nothing in a registry",
            code="bad-reference",
            hint="write it as registry.example/team/bundles:4.2.0, in small letters",
        )
    tag = found["tag"] or ("" if found["digest"] else "latest")
    return Reference(
        registry=host + (f":{found['port']}" if found["port"] else ""),
        repository=found["repository"],
        tag=tag,
        digest=found["digest"] or "",
        loopback=_LOOPBACK.fullmatch(host) is not None,
    )
