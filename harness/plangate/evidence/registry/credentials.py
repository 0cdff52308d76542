"""Who we are to a registry: from two environment variables, or from the file that `docker login` writes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path

from plangate.errors import InputError

__all__ = ["PASSWORD", "USER", "basic_credentials"]

USER, PASSWORD = "PLANGATE_REGISTRY_USER", "PLANGATE_REGISTRY_PASSWORD"
_FILE_BYTES_MAX = 1024 * 1024


def basic_credentials(registry: str, *, environ: Mapping[str, str]) -> str | None:
    """`user:password` in Base64, as HTTP's Basic scheme sends it; None where nobody said.

    Only the `auths` of `config.json` (in `DOCKER_CONFIG`, else `~/.docker`) are read: credential helpers are programs,
    and none is run. Raises InputError `bad-credentials` for a file that is none.
    """
    user, password = environ.get(USER, ""), environ.get(PASSWORD, "")
    if user or password:
        return base64.b64encode(f"{user}:{password}".encode()).decode()
    folder = (
        Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else Path(environ.get("HOME", "")) / ".docker"
    )
    path = folder / "config.json"
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_FILE_BYTES_MAX))
        entry = document.get("auths", {}).get(registry, {})
        auth = entry.get("auth", "")
        base64.b64decode(auth, validate=True)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, TypeError, binascii.Error):
        raise InputError("no credentials can be read from it", code="bad-credentials", where=str(path)) from None
    return auth or None
