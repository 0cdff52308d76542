"""The headers a target sends with every request, and the secrets among them."""

from __future__ import annotations

from plangate.documents.environment import Target
from plangate.documents.secret_texts import is_reference
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.drivers.references import resolve
from plangate.drivers.templates import literal

__all__ = ["target_headers"]


def target_headers(target: Target, context: DriverContext) -> tuple[dict[str, str], Redactor]:
    """Templates of the headers, references resolved; and what redacts all secrets of this target.

    A value that came through a reference is a secret too, and never a template. Raises InputError as
    `references.resolve` does.
    """
    secrets = [*context.secrets.values()]
    headers = {}
    for name, text in target.headers.items():
        headers[name] = text
        if is_reference(text):
            where = f"headers.{name}"
            value = resolve(text, environ=context.environ, workspace=context.workspace, where=where)
            secrets.append(value)
            headers[name] = literal(value)
    return headers, Redactor(secrets)
