"""How a registry is reached: whom to trust and which proxy to go through, by the rules of targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner

from plangate.cli import entry
from plangate.errors import DriverError, InputError
from plangate.evidence.bundle.layout import BundleFile, write_bundle
from plangate.evidence.registry.client import Access, Repository
from plangate.evidence.registry.reference import Reference, read_reference
from tests.drivers.certificates import Authority
from tests.drivers.servers import closed_port
from tests.evidence.registry.test_hostile import Answer, serving
from tests.evidence.registry.test_transfer import FILES, called

Given = Callable[[str, str, dict[str, str]], Answer]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """A registry that holds one bundle, which lies in `release.tar` too."""
    path = tmp_path / "release.tar"
    write_bundle(path, FILES, annotations={})
    with BundleFile(path) as opened:
        manifest = opened.manifest_bytes
        blobs = {f"sha256:{name}": opened.blob(name) for name in opened.blobs()}

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        return 200, {}, manifest if "/manifests/" in path else blobs[path.rsplit("/", 1)[1]]

    return answer


def reached(host: str, access: Access) -> DriverError:
    with pytest.raises(DriverError) as caught, Repository(_reference(host), access=access) as repository:
        repository.manifest("1", bytes_max=100_000)
    return caught.value


def _reference(host: str) -> Reference:
    return read_reference(f"{host}/a/b:1")


@pytest.mark.parametrize("how", ["--ca", "SSL_CERT_FILE"])
def test_a_private_authority_can_be_named(how: str, given: Given, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="other.pem")
    named, environ = (authority, {}) if how == "--ca" else (other, {how: str(authority.path)})
    back = tmp_path / "back.tar"
    with serving(given, tls=authority.server()) as host:
        status, _ = called("pull", f"{host}/a/b:1", "-o", str(back), "--ca", str(named.path), environ=environ)
    assert status == 0
    assert back.read_bytes() == (tmp_path / "release.tar").read_bytes()


@pytest.mark.parametrize(
    ("made", "trusted", "words", "hint"),
    [
        ({}, False, "certificate not trusted", "--ca FILE"),
        ({"before": -0.5}, True, "expired", "renew"),
        ({"name": "registry.example.test"}, True, "another name", "name that the certificate is for"),
    ],
    ids=["unknown authority", "expired", "another name"],
)
def test_a_certificate_that_will_not_do_is_named(
    made: dict, trusted: bool, words: str, hint: str, given: Given, tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="other.pem")
    with serving(given, tls=authority.server(**made)) as host:
        error = reached(host, Access(environ={}, ca=(authority if trusted else other).path))
    assert error.code == "certificate-not-trusted"
    assert error.message.startswith(f"{host}: ")
    assert words in error.message
    assert hint in error.hint


def test_the_certificate_of_whoever_signs_people_in_is_named_too(given: Given, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="other.pem")
    theirs, ours = other.server(), authority.server()

    def asks(method: str, path: str, headers: dict[str, str]) -> Answer:
        return 401, {"WWW-Authenticate": f'Bearer realm="https://{signing_in}/token"'}, b""

    with serving(given, tls=theirs) as signing_in, serving(asks, tls=ours) as host:
        error = reached(host, Access(environ={}, ca=authority.path))
    assert error.code == "certificate-not-trusted"
    assert error.message.startswith(f"{signing_in}: ")


def test_a_registry_on_this_machine_is_asked_without_tls_unless_an_authority_is_named(tmp_path: Path) -> None:
    here, there = _reference("127.0.0.1:5000"), _reference("registry.example")
    ca = tmp_path / "ca.pem"
    assert [Access(environ={}).scheme(one) for one in (here, there)] == ["http", "https"]
    assert [Access(environ={}, ca=ca).scheme(one) for one in (here, there)] == ["https", "https"]
    assert [Access(environ={}, plain_http=True).scheme(one) for one in (here, there)] == ["http", "http"]


@pytest.mark.parametrize("proxy", ["env", None])
def test_a_proxy_is_asked_only_where_an_option_says_so(proxy: str | None, given: Given) -> None:
    asked: list[str] = []

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        asked.append(f"{method} {path}")
        return given(method, path, headers)

    with serving(answer) as proxy_host:
        access = Access(environ={"HTTP_PROXY": f"http://{proxy_host}"}, plain_http=True, proxy=proxy)
        where = f"127.0.0.1:{closed_port()}"
        if proxy is None:
            assert reached(where, access).code == "registry-unreachable"
        else:
            with Repository(_reference(where), access=access) as repository:
                repository.manifest("1", bytes_max=100_000)
    assert asked == ([f"GET http://{where}/v2/a/b/manifests/1"] if proxy else [])


@pytest.mark.parametrize(
    ("content", "code"), [(None, "unreadable-file"), ("nothing here", "bad-certificate")], ids=["gone", "junk"]
)
def test_a_file_that_names_no_authority_is_wrong_input(content: str | None, code: str, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    with pytest.raises(InputError) as caught:
        Repository(_reference("registry.example"), access=Access(environ={}, ca=ca))
    assert caught.value.code == code


def test_an_authority_and_no_tls_exclude_each_other(tmp_path: Path) -> None:
    words = ["pull", "registry.example/a/b:1", "-o", "x.tar", "--ca", str(tmp_path / "ca.pem"), "--plain-http"]
    result = CliRunner().invoke(entry.program, words, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert "--plain-http" in result.exception.message
