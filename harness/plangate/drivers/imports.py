"""Loads `module:name` from a workspace: the app that runs in this process."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from pathlib import Path
from typing import Any

from plangate.documents.environment import Target
from plangate.documents.wording import shown
from plangate.drivers.answers import Redact
from plangate.errors import DriverError, InputError

__all__ = ["import_root", "load_object", "object_name"]


def object_name(target: Target) -> str:
    """`module:name` of a target that runs in this process. Raises InputError `incomplete-target`."""
    name = target.object or ""
    module, colon, attribute = name.partition(":")
    if not (colon and module and attribute):
        raise InputError(
            f"the driver {target.driver!r} needs object: 'module:name'" + (f", not {name!r}" if name else ""),
            code="incomplete-target",
            hint="for example object: 'copilot.pdp:evaluate'",
        )
    return name


def import_root(target: Target, *, workspace: Path) -> Path:
    """The folder a target's modules lie in: the workspace, or `options: {path: FOLDER}` inside it.

    Raises InputError `bad-import-path`.
    """
    path = target.options.get("path", ".")
    root = workspace.resolve()
    folder = (root / path).resolve() if isinstance(path, str) and "\x00" not in path else None
    if folder is None or not folder.is_relative_to(root) or not folder.is_dir():
        raise InputError(
            f"options.path {shown(path)} of the driver {target.driver!r} is not a folder in the workspace",
            code="bad-import-path",
            where=str(workspace),
            hint="name a folder inside the workspace, or leave it out for the workspace itself",
        )
    return folder


def load_object(name: str, *, folder: Path, redact: Redact) -> Any:
    """The object that `module:name` names, imported with `folder` first on the path.

    The folder stays on the path (an app may import more while it answers), once however often this is called. A module
    of the same name that came from elsewhere (another workspace in this process) is not mistaken for this one's. Raises
    DriverError `import-failed` with the cause.
    """
    root = str(folder.resolve())
    module, _, attribute = name.partition(":")
    if sys.path[:1] != [root]:
        sys.path[:] = [root, *(entry for entry in sys.path if entry != root)]
    importlib.invalidate_caches()
    _forget_namesake(module.partition(".")[0], root)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # an app may exit while it is imported
        raise DriverError(
            redact(f"{name!r} cannot be imported: {type(error).__name__}: {error}"),
            code="import-failed",
            where=str(folder),
            hint="modules are looked up in that folder, then where this Python looks; check the name and its imports",
        ) from error
    return found


def _forget_namesake(top: str, root: str) -> None:
    """Drop a loaded package `top` where the workspace has one of its own that is not the one loaded."""
    loaded = sys.modules.get(top)
    own = importlib.machinery.PathFinder.find_spec(top, [root])
    if loaded is None or own is None or own.origin is None:
        return
    if getattr(loaded, "__file__", None) not in (own.origin, None):
        for name in [name for name in sys.modules if name == top or name.startswith(top + ".")]:
            del sys.modules[name]
