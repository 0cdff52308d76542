"""`plangate keys`: make a key that signs evidence, and show what one is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode, InputError

if TYPE_CHECKING:
    from plangate.evidence.keys import PrivateKey, PublicKey

__all__ = ["command", "load_key", "passphrase_from"]

_FILE_BYTES_MAX = 4 * 1024 * 1024
_EPILOG = """\b
Examples:
  plangate keys new ci --out keys
  PASS=... plangate keys new alice --out ~/.plangate --passphrase-env PASS
  plangate keys show keys/ci.pub         the lines for envs/trust.yaml
"""


@click.group(epilog=_EPILOG)
def command() -> None:
    """Make and show the keys that sign evidence. Keep NAME.key to yourself; NAME.pub goes into envs/trust.yaml."""


@command.command("new")
@click.argument("name")
@click.option("--algorithm", type=click.Choice(["ed25519", "p256"]), default="ed25519", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR")
@click.option("--passphrase-env", metavar="VAR", help="Encrypt the key with the passphrase in this variable.")
@json_option
def new(name: str, *, algorithm: str, out: Path, passphrase_env: str | None, as_json: bool) -> int:
    """Make NAME.key (private, PKCS#8 PEM, for its owner only) and NAME.pub (SPKI PEM) in DIR; nothing is replaced."""
    from plangate.documents.files import is_name
    from plangate.evidence.keys import generate

    if not is_name(name):
        raise InputError(f"{name!r} cannot be a file's name", code="bad-key", hint="use letters, digits, . _ and -")
    passphrase = passphrase_from(passphrase_env)
    private, public = out / f"{name}.key", out / f"{name}.pub"
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise InputError("is there already, and no key is replaced", code="key-exists", where=str(path))
    key = generate(algorithm)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _create(private, key.pem(passphrase=passphrase), mode=0o600)
        _create(public, key.public.pem, mode=0o644)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", code="unwritable-file", where=str(out)) from None
    _show(key.public, name=name, as_json=as_json, files=(str(private), str(public)))
    return ExitCode.PASSED


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--passphrase-env", metavar="VAR", help="Variable with the passphrase of an encrypted private key.")
@json_option
def show(file: Path, *, passphrase_env: str | None, as_json: bool) -> int:
    """Print key id, algorithm and the lines for envs/trust.yaml of a public or private key; never the private part."""
    from plangate.evidence.keys import PublicKey

    pem = _read(file)
    public = load_key(file, passphrase_env=passphrase_env).public if b"PRIVATE KEY" in pem else PublicKey.load(pem)
    _show(public, name=file.stem, as_json=as_json, files=())
    return ExitCode.PASSED


@command.command("rotate")
@click.argument("new_trust", metavar="NEW", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "old_trust", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="OLD",
              help="The trust.yaml that is believed now.")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Sign NEW with this key: the signature goes into a file beside it.")  # fmt: skip
@click.option("--passphrase-env", metavar="VAR", help="Variable with the key's passphrase.")
def rotate(new_trust: Path, *, old_trust: Path, key: Path | None, passphrase_env: str | None) -> int:
    """Say whether the trust policy NEW may follow OLD: signed by enough holders of the role `root` of both.

    Each of them runs this with --key; the signatures lie beside NEW as NEW.*.dsse.json. Exit status: 0 it may, 4 not
    yet, or not at all.
    """
    from plangate.cli.trusting import load_trust
    from plangate.cli.world import real_world
    from plangate.evidence.envelope import open_envelope, seal
    from plangate.evidence.rotation import follow, trust_change

    old, new = load_trust(old_trust), load_trust(new_trust)
    document = _read(new_trust)
    if key is not None:
        private = load_key(key, passphrase_env=passphrase_env)
        envelope = seal(trust_change(document, version=new.trust.version), key=private)
        name = "".join(letter for letter in private.public.keyid.removeprefix("SHA256:") if letter.isalnum())[:16]
        try:
            new_trust.with_name(f"{new_trust.name}.{name}.dsse.json").write_bytes(envelope)
        except OSError as error:
            text = f"cannot be written: {error.strerror}"
            raise InputError(text, code="unwritable-file", where=str(new_trust.parent)) from None
    signatures = [open_envelope(_read(one)) for one in sorted(new_trust.parent.glob(f"{new_trust.name}.*.dsse.json"))]
    follow(old, [(document, new, signatures)], now=real_world().now())
    click.echo(f"version {new.trust.version} may follow version {old.trust.version}: replace {old_trust} with it")
    return ExitCode.PASSED


def load_key(file: Path, *, passphrase_env: str | None = None) -> PrivateKey:
    """The private key in `file`. Raises InputError `bad-key`, `bad-passphrase` or `unreadable-file`."""
    from plangate.evidence.keys import PrivateKey

    return PrivateKey.load(_read(file), passphrase=passphrase_from(passphrase_env))


def passphrase_from(variable: str | None) -> bytes | None:
    """What the environment variable holds; None where none is named. Raises InputError where it is unset or empty."""
    if variable is None:
        return None
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"the variable {variable} holds no passphrase", code="bad-passphrase", hint="set it first")
    return value.encode()


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", code="unreadable-file", where=str(file)) from None


def _create(path: Path, data: bytes, *, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)


def _show(key: PublicKey, *, name: str, as_json: bool, files: tuple[str, ...]) -> None:
    pem = key.pem.decode()
    if as_json:
        document = {"name": name, "keyid": key.keyid, "algorithm": key.algorithm, "public": pem, "files": list(files)}
        print_document(document)
        return
    for file in files:
        click.echo(f"wrote {file}", err=True)
    click.echo(f"# {key.keyid}\n{name}:\n  algorithm: {key.algorithm}\n  owner: WHO HOLDS IT\n  public: |")
    click.echo("".join(f"    {line}\n" for line in pem.splitlines()), nl=False)
