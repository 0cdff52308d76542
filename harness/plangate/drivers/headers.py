"""The headers a target sends with every request, and the secrets among them."""

from __future__ import annotations

from plangate.documents.environment import Target
from plangate.documents.secret_texts import is_reference, is_secret_name
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.drivers.references import resolve
from plangate.drivers.secret_forms import NAMED_CHARS_MIN
from plangate.drivers.templates import literal

__all__ = ["target_headers"]


def target_headers(target: Target, context: DriverContext) -> tuple[dict[str, str], Redactor]:
    """Templates of the headers, references resolved; and what redacts all secrets of this target.

    A value that came through a reference is a secret too, and never a template; so is what a launched app is given that
    way under the name of a secret. Raises InputError as `references.resolve` does.
    """
    secrets = [*context.secrets.values(), *_given_at_launch(target, context)]
    headers = {}
    for name, text in target.headers.items():
        headers[name] = text
        if is_reference(text):
            where = f"headers.{name}"
            value = resolve(text, environ=context.environ, workspace=context.workspace, where=where)
            secrets.append(value)
            headers[name] = literal(value)
    return headers, Redactor(secrets)


def _given_at_launch(target: Target, context: DriverContext) -> list[str]:
    found = []
    for name, text in ({} if target.launch is None else target.launch.env).items():
        if is_reference(text) and (text.startswith("file:") or is_secret_name(name) or is_secret_name(text[4:])):
            where = f"launch.env.{name}"
            found.append(resolve(text, environ=context.environ, workspace=context.workspace, where=where))
    return [value for value in found if len(value) >= NAMED_CHARS_MIN]  # shorter ones would blot out plain text
