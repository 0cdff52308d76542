"""One repository of an OCI registry over HTTP: blobs and manifests, sign-in included (distribution-spec 1.1).

Answers are untrusted: every body has a bound, every digest is computed here, and a redirect to another host is followed
without credentials.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urljoin, urlsplit

from plangate.drivers.network import certificate_problem, certificate_refused, certificates, network_at
from plangate.errors import DriverError, EvidenceError, InputError
from plangate.evidence.registry.credentials import PASSWORD, USER, basic_credentials
from plangate.evidence.registry.reference import Reference

__all__ = ["MANIFEST_TYPE", "Access", "Repository"]

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
_CONNECT_S: Final = 10.0
_ANSWER_S: Final = 60.0
_TOKEN_BYTES_MAX: Final = 65_536
_REDIRECTS_MAX: Final = 3
_CHALLENGE: Final = re.compile(r'([a-z_]{1,32})="([^"]{0,1024})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a registry is reached, by the rules of targets (`drivers/network.py`)."""

    environ: Mapping[str, str]
    """Credentials, `SSL_CERT_FILE` and the like, and proxies are named here."""
    plain_http: bool = False
    """Without TLS, also beyond this machine."""
    ca: Path | None = None
    """PEM file with authorities to trust beside the system's. A registry on this machine is then asked with TLS too."""
    proxy: str | None = None
    """`env` = through the proxy that HTTPS_PROXY and the like name; None = directly."""

    def scheme(self, reference: Reference) -> str:
        """`http` or `https`."""
        return "http" if self.plain_http or (reference.loopback and self.ca is None) else "https"


class Repository:
    """Use as a context manager. Raises DriverError `registry-unreachable` and `certificate-not-trusted`, InputError
    `registry-refused` and `not-in-registry`, EvidenceError `bundle-damaged` and `bundle-too-large`."""

    def __init__(self, reference: Reference, *, access: Access, transport: Any = None) -> None:
        """`transport` stands in for the network: one of the client library's own.

        Raises InputError `unreadable-file`, `bad-certificate`, `bad-proxy`.
        """
        import httpx2

        self._httpx2 = httpx2
        self.reference = reference
        self._base = f"{access.scheme(reference)}://{reference.registry}/v2/{reference.repository}/"
        self._environ = access.environ
        self._authorization = ""
        timeout = httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S)
        network = network_at(
            self._base,
            environ=access.environ,
            ca=() if access.ca is None else certificates(str(access.ca.absolute()), Path.cwd()),
            through_proxy=access.proxy == "env",
        )
        self._client = httpx2.Client(
            verify=network.ssl_context(),
            proxy=network.proxy,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def has_blob(self, digest: str) -> bool:
        """Whether the registry holds the blob already."""
        with self._asked("HEAD", f"blobs/{digest}", allowed=(200, 404, 307, 302)) as answer:
            return int(answer.status_code) != 404

    def put_blob(self, digest: str, data: bytes) -> None:
        """Upload a blob in one piece."""
        with self._asked("POST", "blobs/uploads/", allowed=(202,)) as answer:
            place = urljoin(self._base, answer.headers.get("location", ""))
        if urlsplit(place).netloc != self.reference.registry:
            self._refused("it wants the upload at another host")
        place += ("&" if urlsplit(place).query else "?") + f"digest={digest}"
        headers = {"Content-Type": "application/octet-stream"}
        with self._asked("PUT", place, allowed=(201,), content=data, headers=headers):
            pass

    def put_manifest(self, name: str, data: bytes) -> None:
        """Store a manifest under a tag."""
        headers = {"Content-Type": MANIFEST_TYPE}
        with self._asked("PUT", f"manifests/{name}", allowed=(201,), content=data, headers=headers):
            pass

    def manifest(self, name: str, *, bytes_max: int) -> bytes:
        """A manifest by tag or digest, exactly as it is stored."""
        with self._asked("GET", f"manifests/{name}", allowed=(200,), headers={"Accept": MANIFEST_TYPE}) as answer:
            data = self._body(answer, bytes_max)
        if name.startswith("sha256:") and _sha256(data) != name:
            self._damaged(f"the manifest {name[:19]} has another digest")
        return data

    def blob(self, digest: str, *, size: int) -> bytes:
        """A blob of exactly `size` bytes and this digest."""
        with self._asked("GET", f"blobs/{digest}", allowed=(200,)) as answer:
            data = self._body(answer, size)
        if len(data) != size or _sha256(data) != digest:
            self._damaged(f"the blob {digest[:19]} has another digest")
        return data

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        *,
        allowed: tuple[int, ...],
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Any]:
        """An answer whose body was not read yet; signs in and asks once more where the registry wants that."""
        url = urljoin(self._base, path)
        for last in (False, True):
            with self._streamed(method, url, content=content, headers=headers) as answer:
                if answer.status_code == 401 and not last:
                    challenge = answer.headers.get("www-authenticate", "")
                elif answer.status_code not in allowed:
                    self._explain(answer.status_code, method, path)
                else:
                    yield answer
                    return
            self._authorization = self._sign_in(challenge)

    @contextmanager
    def _streamed(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str] | None
    ) -> Iterator[Any]:
        try:
            for _ in range(_REDIRECTS_MAX + 1):
                own = urlsplit(url).netloc == self.reference.registry
                secret = {"Authorization": self._authorization} if own and self._authorization else {}
                with self._client.stream(method, url, content=content, headers={**(headers or {}), **secret}) as answer:
                    if method != "GET" or answer.status_code not in (301, 302, 303, 307, 308):
                        yield answer
                        return
                    target = urljoin(url, answer.headers.get("location", ""))
                if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                    self._refused("it leads from https to plain http")
                url = target
            self._refused("it leads from one address to the next without end")
        except (self._httpx2.HTTPError, self._httpx2.InvalidURL) as error:
            self._check_certificate(error, url)
            raise DriverError(
                f"the registry {self.reference.registry} does not answer: {_reason(error)}",
                code="registry-unreachable",
                where=str(self.reference),
                hint="is it running? Only loopback registries are asked without TLS, unless --plain-http says so",
            ) from None

    def _check_certificate(self, error: Exception, url: str) -> None:
        if certificate_problem(str(error)):
            raise certificate_refused(urlsplit(url).netloc, str(error), setting="--ca FILE") from None

    def _sign_in(self, challenge: str) -> str:
        """The header for a `WWW-Authenticate` challenge: Basic, or a token from its realm."""
        basic = basic_credentials(self.reference.registry, environ=self._environ)
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and basic:
            return f"Basic {basic}"
        if scheme.lower() != "bearer":
            self._explain(401, "GET", "")
        asked = dict(_CHALLENGE.findall(rest))
        realm = urlsplit(asked.pop("realm", ""))
        if realm.scheme != "https" and not (realm.scheme == "http" and self._base.startswith("http://")):
            self._refused("its sign-in has no TLS")
        query = {name: asked[name] for name in ("service", "scope") if name in asked}
        headers = {"Authorization": f"Basic {basic}"} if basic else {}
        try:
            with self._client.stream("GET", realm.geturl(), params=query, headers=headers) as answer:
                if answer.status_code != 200:
                    self._explain(401, "GET", "")
                body = self._body(answer, _TOKEN_BYTES_MAX)
        except (self._httpx2.HTTPError, self._httpx2.InvalidURL) as error:
            self._check_certificate(error, realm.geturl())
            self._refused(f"its sign-in does not answer: {_reason(error)}")
        return f"Bearer {self._token(body)}"

    def _token(self, body: bytes) -> str:
        import json

        try:
            document = json.loads(body)
            token = document.get("token") or document.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            self._refused("its sign-in gave no token")
        return token

    def _body(self, answer: Any, bytes_max: int) -> bytes:
        parts, length = [], 0
        for part in answer.iter_bytes():
            length += len(part)
            if length > bytes_max:
                raise EvidenceError(
                    f"the registry sends more than {bytes_max:,} bytes",
                    code="bundle-too-large",
                    where=str(self.reference),
                )
            parts.append(part)
        return b"".join(parts)

    def _explain(self, status: int, method: str, path: str) -> NoReturn:
        if status in (401, 403):
            raise InputError(
                f"the registry {self.reference.registry} does not let us in ({status})",
                code="registry-refused",
                where=str(self.reference),
                hint=f"set {USER} and {PASSWORD}, or use docker login",
            )
        if status == 404:
            raise InputError(
                "the registry has nothing there", code="not-in-registry", where=str(self.reference),
                hint="compare repository, tag and digest with what `plangate push` printed",
            )  # fmt: skip
        self._refused(f"{method} {path[:60]} is answered with status {status}")

    def _refused(self, why: str) -> NoReturn:
        raise DriverError(
            f"the registry {self.reference.registry} cannot be used: {why}",
            code="registry-unreachable",
            where=str(self.reference),
        )

    def _damaged(self, why: str) -> NoReturn:
        raise EvidenceError(
            f"what the registry gave is not what was pushed: {why}",
            code="bundle-damaged",
            where=str(self.reference),
            hint="push it again, or take it from elsewhere",
        )


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
