"""Bundles go into a real registry and come out byte for byte; whatever is wrong there is noticed."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from plangate.cli import entry
from plangate.errors import PlangateError
from plangate.evidence.bundle.layout import BundleFile, write_bundle
from plangate.evidence.registry.credentials import PASSWORD as PASSWORD_VARIABLE
from plangate.evidence.registry.credentials import USER as USER_VARIABLE
from tests.evidence.registry.running import PASSWORD, USER, Registry, registry

FILES = {"release.lock": b"{}", "run.json": b'{"run":"r"}', "workspace/evals/gating.yaml": b"a: 1\n" * 4_000}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "release.tar"
    write_bundle(path, FILES, annotations={"dev.plangate.environment": "stage"})
    return path


def called(*arguments: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit status, and output or the code of the error."""
    bare = {USER_VARIABLE: None, PASSWORD_VARIABLE: None, "DOCKER_CONFIG": "/nonexistent", "HOME": "/nonexistent"}
    result = CliRunner().invoke(entry.program, [*arguments], standalone_mode=False, env={**bare, **(environ or {})})
    if isinstance(result.exception, PlangateError):
        assert PASSWORD not in str(result.exception)
        return int(result.exception.exit_code), result.exception.code
    assert result.exception is None, result.exception
    return int(result.return_value or 0), result.stdout


def pushed(bundle: Path, running: Registry, name: str, *more: str) -> dict:
    status, out = called("push", str(bundle), f"{running.address}/{name}", "--json", *more)
    assert status == 0
    return json.loads(out)


def test_what_was_pushed_is_pulled_byte_for_byte(running: Registry, bundle: Path, tmp_path: Path) -> None:
    done = pushed(bundle, running, "team/bundles:4.2.0")
    with BundleFile(bundle) as opened:
        assert done["digest"] == "sha256:" + hashlib.sha256(opened.manifest_bytes).hexdigest()
        assert done["blobs"] == len({*FILES.values(), b"{}"}) == len(opened.blobs())
    for number, name in enumerate(("team/bundles:4.2.0", f"team/bundles@{done['digest']}")):
        back = tmp_path / f"back-{number}.tar"
        status, out = called("pull", f"{running.address}/{name}", "-o", str(back), "--json")
        assert status == 0
        assert json.loads(out)["digest"] == done["digest"]
        assert back.read_bytes() == bundle.read_bytes()


def test_what_is_there_already_is_not_sent_again(running: Registry, bundle: Path) -> None:
    assert pushed(bundle, running, "twice:a")["sent"] == 3
    assert pushed(bundle, running, "twice:b")["sent"] == 0


def test_a_tag_that_was_moved_is_noticed_by_whoever_asks_for_a_digest(
    running: Registry, bundle: Path, tmp_path: Path
) -> None:
    first = pushed(bundle, running, "moved:latest")["digest"]
    other, back = tmp_path / "other.tar", tmp_path / "back.tar"
    write_bundle(other, {**FILES, "release.lock": b"{} "}, annotations={})
    assert pushed(other, running, "moved:latest")["digest"] != first
    assert called("pull", f"{running.address}/moved:latest", "-o", str(back))[0] == 0
    assert back.read_bytes() == other.read_bytes(), "a tag is whatever it says today"
    assert called("pull", f"{running.address}/moved:latest@{first}", "-o", str(back))[0] == 0
    assert back.read_bytes() == bundle.read_bytes()
    assert called("push", str(other), f"{running.address}/moved:latest@{first}") == (4, "bundle-damaged")


def test_a_blob_that_was_changed_on_the_registrys_disk_is_noticed(
    running: Registry, bundle: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.tar"
    write_bundle(changed, {**FILES, "release.lock": b'{"a":1}'}, annotations={})
    pushed(changed, running, "changed:a")
    blob = running.blob(hashlib.sha256(b'{"a":1}').hexdigest())
    blob.write_bytes(b'{"a":2}')
    back = tmp_path / "back.tar"
    assert called("pull", f"{running.address}/changed:a", "-o", str(back)) == (4, "bundle-damaged")
    assert not back.exists(), "nothing is written unless all of it is right"


def test_a_manifest_that_plangate_would_not_write_is_refused(running: Registry, bundle: Path, tmp_path: Path) -> None:
    import httpx2

    digest = pushed(bundle, running, "foreign:a")["digest"]
    kind = "application/vnd.oci.image.manifest.v1+json"
    address = f"http://{running.address}/v2/foreign/manifests"
    with httpx2.Client(trust_env=False) as client:
        manifest = client.get(f"{address}/{digest}", headers={"Accept": kind}).json()
        for name, changed in (("spaced", manifest), ("less", {**manifest, "layers": manifest["layers"][1:]})):
            text = json.dumps(changed, indent=1).encode()
            answer = client.put(f"{address}/{name}", content=text, headers={"Content-Type": kind})
            assert answer.status_code == 201, answer.text
    for name in ("spaced", "less"):
        back = tmp_path / "back.tar"
        assert called("pull", f"{running.address}/foreign:{name}", "-o", str(back)) == (4, "bundle-damaged")
        assert not back.exists()


def test_what_is_not_there_and_a_registry_that_is_down_are_told(
    running: Registry, bundle: Path, tmp_path: Path
) -> None:
    back = str(tmp_path / "back.tar")
    assert called("pull", f"{running.address}/nobody/has:this", "-o", back) == (2, "not-in-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = f"127.0.0.1:{free.getsockname()[1]}/a:b"
        assert called("pull", down, "-o", back) == (3, "registry-unreachable")
        assert called("push", str(bundle), down) == (3, "registry-unreachable")


def test_only_who_may_comes_in(tmp_path: Path, bundle: Path) -> None:
    docker = tmp_path / "docker"
    docker.mkdir()
    with registry(tmp_path, guarded=True) as guarded:
        place, back = f"{guarded.address}/team/bundles:1", str(tmp_path / "back.tar")
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (docker / "config.json").write_text(json.dumps({"auths": {guarded.address: {"auth": auth}}}))
        assert called("push", str(bundle), place) == (2, "registry-refused")
        wrong = {USER_VARIABLE: USER, PASSWORD_VARIABLE: "guess"}
        assert called("push", str(bundle), place, environ=wrong) == (2, "registry-refused")
        right = {USER_VARIABLE: USER, PASSWORD_VARIABLE: PASSWORD}
        assert called("push", str(bundle), place, environ=right)[0] == 0
        assert called("pull", place, "-o", back, environ={"DOCKER_CONFIG": str(docker)})[0] == 0
        assert Path(back).read_bytes() == bundle.read_bytes()
        (docker / "config.json").write_text('{"auths": []}')
        assert called("pull", place, "-o", back, environ={"DOCKER_CONFIG": str(docker)}) == (2, "bad-credentials")


def test_a_file_that_is_no_bundle_is_not_pushed(running: Registry, bundle: Path) -> None:
    data = bytearray(bundle.read_bytes())
    data[700] ^= 1
    bundle.write_bytes(data)
    assert called("push", str(bundle), f"{running.address}/broken:a") == (4, "bundle-damaged")
