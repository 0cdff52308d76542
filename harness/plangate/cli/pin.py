"""`plangate pin`: exact digests into a manifest, so that a verdict is about what was built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode, InputError

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate pin app dev assistant.py           the code of an app that lies in the workspace
  plangate pin app dev src plans.json         folders and files, as one digest
  plangate pin app dev dist/app-4.2.0-py3-none-any.whl
  plangate pin app stage --image registry.example/app@sha256:0123...
"""


@click.group("pin")
def command() -> None:
    """Pin what a release is made of by its digest."""


@command.command("app", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--image", metavar="REF", help="An image by its digest: NAME@sha256:HEX.")
@workspace_option
@json_option
def app(environment: str, *, paths: tuple[str, ...], image: str | None, workspace: Path, as_json: bool) -> int:
    """Write release.app.digest of ENV, and bindings.code where the code lies in the workspace.

    Every run then compares that code with the digest before and after it observes; where another one lies there, the
    run is undecided. Comments and layout of the manifest stay. Exit status: 0 written, 2 the input is wrong.
    """
    if bool(paths) == bool(image):
        raise InputError(
            "name the app's files and folders, or one image", code="contradicting-options", hint="`plangate pin app -h`"
        )
    opened = load_workspace(workspace)
    digest, code = (_of_image(image), ()) if image else _of_paths(opened, paths)
    _write(opened, environment, digest=digest, code=code)
    if as_json:
        print_document({"environment": environment, "digest": digest, "code": list(code)})
    else:
        click.echo(f"{environment}: release.app.digest is {digest}")
        click.echo("what runs is compared with it by every run" if code else "it is compared where the app tells it")
    return ExitCode.PASSED


def _of_image(reference: str) -> str:
    found = re.search(r"@(sha256:[0-9a-f]{64})\Z", reference)
    if found is None:
        raise InputError(
            "an image is pinned by its digest, and this reference has none",
            code="floating-pin",
            where=reference[:200],
            hint="write NAME@sha256:HEX; docker buildx imagetools inspect NAME:TAG prints the digest",
        )
    return found.group(1)


def _of_paths(workspace: Workspace, paths: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The digest, and the paths as they stand in a manifest: relative to the workspace."""
    from plangate.engine.code import files_digest

    root = workspace.root.resolve()
    relative = []
    for path in paths:
        # As a person types it: from where they stand, or as the manifest has it.
        place = next((one.resolve() for one in (Path.cwd() / path, root / path) if one.exists()), root / path)
        relative.append(place.relative_to(root).as_posix() if place.is_relative_to(root) else str(path))
    ordered = tuple(sorted(set(relative)))
    return files_digest(ordered, root=root), ordered


def _write(workspace: Workspace, name: str, *, digest: str, code: tuple[str, ...]) -> None:
    from plangate.documents.files import document_path, read_inside
    from plangate.documents.kinds import Kind
    from plangate.promotion.manifest_text import edited

    environment = workspace.environment(name)
    path = document_path(Kind.ENVIRONMENT, name)
    raw: Any = environment.raw
    bindings = {key: value for key, value in raw["bindings"].items() if key != "code"}
    text = edited(
        read_inside(workspace.root, path),
        release={**raw["release"], "app": {**raw["release"]["app"], "digest": digest}},
        bindings={**bindings, "code": list(code)} if code else bindings,
        revision=environment.revision,
        path=path,
    )
    (workspace.root / path).write_bytes(text)
