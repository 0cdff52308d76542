"""A real registry (the `docker-registry` of Debian, distribution 2.8) on a free port of 127.0.0.1."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

USER, PASSWORD = "ci", "open sesame"
# "open sesame" with bcrypt at its lowest cost, so that no test waits for a hash
HTPASSWD = "ci:$2y$05$oWVZAw/w6iDDbYJ09bFFHeH9/PHsf8LyiBEfH2ia3z35dvgeqZoO2\n"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Where it listens, and where it keeps blobs."""

    address: str
    storage: Path

    def blob(self, sha256: str) -> Path:
        """The file of a blob."""
        found = list(self.storage.glob(f"docker/registry/v2/blobs/sha256/*/{sha256}/data"))
        assert len(found) == 1
        return found[0]


@contextmanager
def registry(folder: Path, *, guarded: bool = False) -> Iterator[Registry]:
    """Started, and stopped at the end; `guarded`: it lets in nobody but USER."""
    binary = shutil.which("docker-registry")
    if binary is None:
        pytest.skip("left out: docker-registry is absent (apt-get install docker-registry)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    storage = folder / "storage"
    config = (
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    if guarded:
        (folder / "htpasswd").write_text(HTPASSWD)
        config += f"auth: {{htpasswd: {{realm: tests, path: {folder / 'htpasswd'}}}}}\n"
    (folder / "config.yml").write_text(config)
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([binary, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        try:
            _wait(address, process, folder / "registry.log")
            yield Registry(address=address, storage=storage)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, port = address.split(":")
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the registry did not start: " + log.read_text())
