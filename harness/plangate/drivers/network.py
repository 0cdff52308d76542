"""How a target's address is reached: who may have signed its certificate, through which proxy, in which HTTP.

All are worked out here, once, from the target and the environment plangate was given, so that all HTTP clients behave
alike.

| who is trusted | when |
|---|---|
| the system's authorities | always, unless one of the next two replaces them |
| those of the file `SSL_CERT_FILE`, or the folder `SSL_CERT_DIR` | where set: in place of the system's |
| those of the target's `ca` | where given: on top of the others |
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from plangate.documents.environment import Target
from plangate.documents.wording import shown
from plangate.drivers.protocol import DriverContext
from plangate.drivers.references import read_inside
from plangate.errors import DriverError, InputError

if TYPE_CHECKING:
    import ssl

__all__ = [
    "DIRECT",
    "Network",
    "certificate_problem",
    "certificate_refused",
    "certificates",
    "check_handshake",
    "network_at",
    "network_of",
]

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_ABOUT_CERTIFICATES: Final = re.compile("certificate[ _]verify[ _]failed|invalid peer certificate", re.IGNORECASE)
_KINDS: Final = (
    (re.compile("expired", re.IGNORECASE), "the certificate has expired"),
    (re.compile("not yet valid|not valid yet|NotValidYet", re.IGNORECASE), "the certificate is not valid yet"),
    (
        re.compile("mismatch|not valid for|NotValidForName", re.IGNORECASE),
        "the certificate is for another name than the address",
    ),
)
_CA_BYTES_MAX: Final = 1024 * 1024
_SETTING: Final = "`ca: PATH` beside url"
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
_NO_SUCH_HTTP: Final = frozenset({"TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "NO_APPLICATION_PROTOCOL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a client must know beside the address."""

    ca: tuple[bytes, ...] = ()
    """Certificates (PEM) of authorities to trust, one each."""
    cert_file: str = ""
    cert_dir: str = ""
    proxy: str | None = None
    """Address of the proxy that every request goes through; None = none."""
    http2: bool = False
    """Speak HTTP/2 and nothing else, without asking first; else HTTP/1.1 and nothing else."""

    def ssl_context(self) -> ssl.SSLContext:
        """What the clients written in Python check certificates with."""
        import ssl

        import httpx2

        if self.cert_file or self.cert_dir:
            found = ssl.create_default_context(cafile=self.cert_file or None, capath=self.cert_dir or None)
        else:
            found = httpx2.create_ssl_context(trust_env=False)
        # Python 3.13 turns it on, no other client does: private authorities often lack what it demands.
        found.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.ca:
            found.load_verify_locations(cadata=b"\n".join(self.ca).decode("ascii"))
        return found


DIRECT: Final = Network()
"""No proxy, the system's authorities, HTTP/1.1."""


def network_of(target: Target, context: DriverContext, *, url: str) -> Network:
    """The network of a target at `url`. Raises what `network_at` and `certificates` raise."""
    return network_at(
        url,
        environ=context.environ,
        ca=() if target.ca is None else certificates(target.ca, context.workspace),
        through_proxy=target.proxy == "env" and target.launch is None,
        http2=target.http == "2",
    )


def network_at(
    url: str,
    *,
    environ: Mapping[str, str],
    ca: tuple[bytes, ...] = (),
    through_proxy: bool = False,
    http2: bool = False,
) -> Network:
    """How `url` is reached. Raises InputError `unreadable-file`, `bad-proxy`."""
    cert_file = environ.get("SSL_CERT_FILE", "")
    if cert_file and url.startswith("https:") and not Path(cert_file).is_file():
        raise InputError(
            f"SSL_CERT_FILE names {shown(cert_file)}, which is not a file",
            code="unreadable-file",
            hint="correct or unset it: while it is set, no certificate of the system is trusted",
        )
    found = Network(
        ca=ca,
        cert_file=cert_file,
        cert_dir=environ.get("SSL_CERT_DIR", ""),
        proxy=_proxy(url, environ) if through_proxy else None,
        http2=http2,
    )
    if found.http2 and found.proxy is not None and not url.startswith("https:"):
        raise InputError(
            "HTTP/2 goes through a proxy only over TLS",
            code="bad-proxy",
            where="http",
            hint="write an https address, or leave http or proxy out",
        )
    return found


def certificates(path: str, workspace: Path) -> tuple[bytes, ...]:
    """The certificates of a PEM file, one each.

    Raises InputError `unreadable-file`, `path-escapes`, `bad-certificate`.
    """
    import ssl

    found = tuple(_CERTIFICATE.findall(read_inside(path, workspace=workspace, where="ca", bytes_max=_CA_BYTES_MAX)))
    try:
        for one in found:
            ssl.create_default_context(cadata=one.decode("ascii"))
    except (ssl.SSLError, ValueError):
        found = ()
    if not found:
        raise InputError(
            f"{shown(path)} holds no certificate",
            code="bad-certificate",
            where="ca",
            hint="name a PEM file with the certificate of the authority: -----BEGIN CERTIFICATE-----",
        )
    return found


def _proxy(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for this address; lower case counts first."""
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    parts = urlsplit(url)
    named = {scheme: _variable(environ, f"{scheme}_proxy") for scheme in ("http", "https", "all", "no")}
    proxy = named.get(parts.scheme) or named["all"]
    if not proxy or proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": named["no"]}):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https") or not urlsplit(proxy).hostname:
        raise InputError(
            f"the proxy of {parts.scheme} addresses is no address of an HTTP proxy",
            code="bad-proxy",
            where="proxy",
            hint=f"write {parts.scheme.upper()}_PROXY=http://host:port, or leave proxy out",
        )
    return proxy


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def certificate_problem(text: str, *, setting: str = _SETTING) -> str:
    """What is wrong with a certificate, by what a TLS library says; empty where `text` is about something else.

    `setting`: where a private authority is named.
    """
    if not _ABOUT_CERTIFICATES.search(text):
        return ""
    return next(
        (words for pattern, words in _KINDS if pattern.search(text)), f"certificate not trusted (set {setting})"
    )


async def check_handshake(address: SplitResult, network: Network, *, timeout_s: float) -> None:
    """Shake hands once, so that a certificate or an HTTP version that will not do is said before anything is asked.

    Raises DriverError `certificate-not-trusted`, `no-tls`, `other-http-version`. All else is left to the client.
    """
    if address.scheme != "https" or network.proxy is not None or not address.hostname:
        return
    import asyncio
    import ssl

    tls = network.ssl_context()
    tls.set_alpn_protocols(["h2" if network.http2 else "http/1.1"])
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(
                address.hostname, address.port or 443, ssl=tls, server_hostname=address.hostname
            )
    except ssl.SSLCertVerificationError as error:
        raise certificate_refused(address.netloc, f"certificate verify failed: {error}") from error
    except ssl.SSLError as error:
        if error.reason in _NO_TLS:
            raise DriverError(
                f"{address.netloc} does not speak TLS",
                code="no-tls",
                hint=f"write http://{address.netloc}, or start the app with its certificate",
            ) from error
        if error.reason in _NO_SUCH_HTTP:
            raise _other_version(address, network) from error
        return
    except (OSError, TimeoutError):
        return
    agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
    if network.http2 and agreed != "h2":  # whoever speaks HTTP/1.1 only need not know of ALPN
        raise _other_version(address, network)


def _other_version(address: SplitResult, network: Network) -> DriverError:
    spoken, other = ("2", "1.1") if network.http2 else ("1.1", "2")
    return DriverError(
        f"{address.netloc} does not offer HTTP/{spoken} over TLS (ALPN)",
        code="other-http-version",
        hint=f'write http: "{other}" beside url',
    )


def certificate_refused(place: str, said: str, *, setting: str = _SETTING) -> DriverError:
    """The error of a bad certificate at `place`, by what a TLS library said of it."""
    what = certificate_problem(said, setting=setting)
    hints = {
        _KINDS[0][1]: "renew it",
        _KINDS[1][1]: "wait, or set the clock of this machine right",
        _KINDS[2][1]: "write the address with the name that the certificate is for",
    }
    trust = f"name the PEM file of the authority that signed it: {setting}, or SSL_CERT_FILE"
    return DriverError(f"{place}: {what}: {said}", code="certificate-not-trusted", hint=hints.get(what, trust))
