"""`plangate keys`: what it writes, for whom, and what it never does."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from plangate.evidence.keys import PrivateKey, PublicKey
from tests.cli.shops import plangate


@pytest.mark.parametrize("algorithm", ["ed25519", "p256"])
def test_a_new_key_is_readable_by_its_owner_only_and_fits_its_public_half(tmp_path: Path, algorithm: str) -> None:
    done = plangate("keys", "new", "ci", "--algorithm", algorithm, "--out", "keys", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    private, public = tmp_path / "keys/ci.key", tmp_path / "keys/ci.pub"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    key = PublicKey.load(public.read_bytes())
    assert key.verify(PrivateKey.load(private.read_bytes()).sign(b"x"), b"x")
    assert json.loads(done.stdout)["keyid"] == key.keyid
    assert "PRIVATE" not in done.stdout + done.stderr


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    plangate("keys", "new", "ci", "--out", ".", cwd=tmp_path)
    before = (tmp_path / "ci.key").read_bytes()
    done = plangate("keys", "new", "ci", "--out", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "[key-exists]" in done.stderr
    assert (tmp_path / "ci.key").read_bytes() == before


def test_a_passphrase_comes_from_the_environment_and_opens_the_key_again(tmp_path: Path) -> None:
    secret = {"KEY_WORD": "correct horse"}
    made = plangate("keys", "new", "ci", "--out", ".", "--passphrase-env", "KEY_WORD", cwd=tmp_path, environ=secret)
    assert made.returncode == 0, made.stderr
    assert b"ENCRYPTED" in (tmp_path / "ci.key").read_bytes()
    assert "[bad-passphrase]" in plangate("keys", "show", "ci.key", cwd=tmp_path).stderr
    opened = plangate("keys", "show", "ci.key", "--passphrase-env", "KEY_WORD", cwd=tmp_path, environ=secret)
    assert opened.stdout == plangate("keys", "show", "ci.pub", cwd=tmp_path).stdout
    unset = plangate("keys", "new", "other", "--out", ".", "--passphrase-env", "NOT_SET_ANYWHERE", cwd=tmp_path)
    assert (unset.returncode, (tmp_path / "other.key").exists()) == (2, False)


@pytest.mark.parametrize("name", ["../ci", "a/b", ".hidden", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert plangate("keys", "new", name, "--out", "keys", cwd=tmp_path).returncode == 2
    assert not list(tmp_path.rglob("*.key"))


def test_trust_is_rotated_when_enough_of_both_versions_signed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        plangate("keys", "new", name, "--out", ".", cwd=tmp_path)
    for version, threshold in ((1, 1), (2, 2)):
        (tmp_path / f"trust{version}.yaml").write_text(
            f"apiVersion: plangate/v1\nkind: Trust\nmetadata: {{version: {version}}}\nkeys:\n"
            "  a: {algorithm: ed25519, owner: a, public: 'file:a.pub'}\n"
            "  b: {algorithm: ed25519, owner: b, public: 'file:b.pub'}\n"
            f"roles: {{root: {{keys: [a, b], threshold: {threshold}, predicates: ['https://example.com/x']}}}}\n",
            encoding="utf-8",
        )
    rotate = ("keys", "rotate", "trust2.yaml", "--from", "trust1.yaml")
    first = plangate(*rotate, "--key", "a.key", cwd=tmp_path)
    assert (first.returncode, "[rotation-refused]" in first.stderr) == (4, True)
    assert plangate(*rotate, "--key", "b.key", cwd=tmp_path).returncode == 0
    (tmp_path / "trust2.yaml").write_text((tmp_path / "trust2.yaml").read_text().replace("owner: b", "owner: c"))
    assert plangate(*rotate, cwd=tmp_path).returncode == 4
