"""Options of the verbs that sign: whose key, and who says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plangate.errors import InputError

if TYPE_CHECKING:
    from plangate.evidence.keys import PrivateKey

__all__ = ["Signer", "signer_of", "signing_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key and whose it is said to be; the trust policy must say the same."""

    key: PrivateKey
    person: str


def signing_options(command: _Command) -> _Command:
    """Adds `--key FILE`, `--as PERSON`, `--passphrase-env VAR` as `key`, `person`, `passphrase_env`."""
    options = (
        click.option(
            "--key", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Your private key."
        ),
        click.option("--as", "person", metavar="PERSON", help="Who you are in envs/trust.yaml."),
        click.option("--passphrase-env", metavar="VAR", help="Variable that holds the key's passphrase."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def signer_of(key: Path | None, *, person: str | None, passphrase_env: str | None) -> Signer:
    """The signer that the options name. Raises InputError `no-signer`, `bad-key` or `bad-passphrase`."""
    from plangate.cli.keys import load_key

    if key is None or person is None:
        raise InputError(
            "this is signed, and needs a key and a name",
            code="no-signer",
            hint="add --key FILE --as PERSON; `plangate keys new NAME --out DIR` makes a key",
        )
    return Signer(key=load_key(key, passphrase_env=passphrase_env), person=person)
