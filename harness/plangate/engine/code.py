"""Which code an app in the workspace is made of, as one digest: for the cache, for --resume, for `release.app.digest`.

Python says only at run time what a module reads, so nothing is guessed: every file counts, except what is written and
not read, what plangate itself keeps, and what was installed (docs/decisions/0014-code.md).
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from plangate.documents.environment import Environment, Target
from plangate.errors import InputError

__all__ = ["code_digest", "files_digest", "surroundings_digest", "unknown_code"]

_IN_PROCESS: Final = frozenset({"python", "asgi"})
_HERE: Final = _IN_PROCESS | {"command"}
_OUR_OWN: Final = frozenset({"envs", "prompts", "evals", "evidence", "plangate.lock"})
"""At the top of a workspace: documents have digests of their own."""
_TOOLS: Final = frozenset({"__pycache__", "node_modules"})
_WRITTEN: Final = (
    ".log",
    ".pid",
    ".sock",
    ".tmp",
    ".pyc",
    ".pyo",
    ".sqlite",
    ".sqlite3",
    ".db",
    "-wal",
    "-shm",
    "-journal",
)
_REPORTS: Final = (".html", ".xml", ".md")
_ARCHIVES: Final = (".whl", ".zip", ".gz", ".bz2", ".xz", ".tar")
_FILES_MAX: Final = 20_000
_BYTES_MAX: Final = 256 * 1024 * 1024
"""Beyond these a workspace is no app: looking would take longer than asking."""
_TEXT_SNIFFED_BYTES: Final = 8192
_VOLATILE: Final = frozenset({"_", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "WINDOWID", "PYTEST_CURRENT_TEST"})


def files_digest(paths: Sequence[str], *, root: Path) -> str:
    """One digest over files and folders of `root`: the same for the same content on any machine, in any order.

    A single archive (a wheel) has the plain SHA-256 of its bytes, as package indexes tell it. Else each line of a
    sorted listing holds a path and the SHA-256 of that file, whose text has LF line ends. Raises InputError
    `code-not-found`, `path-escapes`, `too-many-files`.
    """
    places = [_inside(path, root=root) for path in paths]
    if len(places) == 1 and places[0].is_file() and places[0].name.endswith(_ARCHIVES):
        return "sha256:" + hashlib.sha256(places[0].read_bytes()).hexdigest()
    found: dict[str, Path] = {}
    for place in places:
        # A folder given alone has the digest of what is in it, wherever it lies.
        start = place if len(places) == 1 and place.is_dir() else root
        for file in [place] if place.is_file() else _files(place):
            found[file.relative_to(start).as_posix()] = file
    return _listing(found)


def code_digest(environment: Environment, *, folder: Path) -> str:
    """Digest of the code that targets of `environment` run from `folder`.

    Empty where none of them runs from there, and where more lies there than can be looked at before each run: then
    nobody knows (`unknown_code`). Raises InputError for paths of `bindings.code` that are wrong.
    """
    bindings = environment.bindings
    here = [target for target in bindings.targets.values() if _runs_here(target)]
    if not here:
        return ""
    if bindings.code:
        files = files_digest(bindings.code, root=folder)
    else:
        try:
            files = _listing({file.relative_to(folder).as_posix(): file for file in _files(folder, top=True)})
        except InputError:
            return ""
    installed = _installed() if any(target.driver in _HERE for target in here) else []
    return _digest([files, *installed])


def surroundings_digest(environment: Environment, *, environ: Mapping[str, str]) -> str:
    """Digest of the environment variables that an app started here could read; empty where none is started here."""
    if not any(_runs_here(target) for target in environment.bindings.targets.values()):
        return ""
    return _digest({name: value for name, value in environ.items() if name not in _VOLATILE})


def unknown_code(environment: Environment, *, folder: Path) -> str:
    """Why nobody can know whether the app is still the same one: which target's code is not at hand; empty where known.

    A pinned digest of the app, or a probe, is an answer for every target that is not made of files here.
    """
    bindings = environment.bindings
    if not code_digest(environment, folder=folder) and any(_runs_here(one) for one in bindings.targets.values()):
        return (
            f"more lies in {folder.name} than can be looked at before each run; bindings.code would name what is code"
        )
    if environment.release.app_digest or bindings.probe is not None:
        return ""
    for name, target in bindings.targets.items():
        if not (target.url or "").startswith("target:") and not _is_here(target, folder):
            told = "release.app.digest or bindings.probe would say"
            return f"nobody says which code is behind target {name} ({target.driver}); {told}"
    return ""


def _runs_here(target: Target) -> bool:
    return target.driver in _HERE or target.launch is not None


def _is_here(target: Target, folder: Path) -> bool:
    if target.driver in _IN_PROCESS:
        path = target.options.get("path", ".")
        top = (target.object or "").partition(":")[0].partition(".")[0]
        return bool(top) and _module(folder / str(path), top)
    if target.driver == "command":
        words = target.command
        modules = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "-m"]
        named = any((folder / word).is_file() for word in words if not Path(word).is_absolute())
        return named or any(_module(folder, module.partition(".")[0]) for module in modules)
    return False


def _module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _inside(path: str, *, root: Path) -> Path:
    place = root / path
    if not place.resolve().is_relative_to(root.resolve()) and not place.is_symlink():
        raise InputError(
            f"{path} is outside the workspace", code="path-escapes", hint="name files and folders of the workspace"
        )
    if not place.exists():
        raise InputError(f"there is no {path} in the workspace", code="code-not-found", hint="look at bindings.code")
    return place


def _files(start: Path, *, top: bool = False) -> Iterator[Path]:
    """Every file that counts below a folder; `top` where it is a workspace. Links are followed, each folder once."""
    seen: set[str] = set()
    count = size_bytes = 0
    for folder, folders, names in os.walk(start, followlinks=True):
        real = os.path.realpath(folder)
        at_top = top and folder == str(start)
        if real in seen or (folder != str(start) and "pyvenv.cfg" in names):
            folders.clear()
            continue
        seen.add(real)
        skipped = _OUR_OWN if at_top else frozenset()
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _TOOLS | skipped)
        written = _WRITTEN + _REPORTS if at_top else _WRITTEN
        for name in names:
            if not name.endswith(written) and name not in skipped and not (at_top and _is_report(folder, name)):
                count += 1
                size_bytes += _size_bytes(file := Path(folder, name))
                yield file
        if count > _FILES_MAX or size_bytes > _BYTES_MAX:
            raise InputError(
                f"more than {_FILES_MAX:,} files or {_BYTES_MAX >> 20} MiB lie in {start}",
                code="too-many-files",
                hint="name those that are the app's code under bindings.code",
            )


def _size_bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _is_report(folder: str, name: str) -> bool:
    """Whether `plangate run --report` wrote it: a report that lies beside the app is no code of it."""
    if not name.endswith(".json"):
        return False
    path = Path(folder, name)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"run": "r-' in file.read(400)


def _listing(files: Mapping[str, Path]) -> str:
    lines = [f"{name}\0{_content(files[name])}\n" for name in sorted(files)]
    return "sha256:" + hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _content(file: Path) -> str:
    if not file.is_file():  # a pipe would be waited for without end
        return "no file"
    try:
        data = file.read_bytes()
    except OSError as error:  # a link to nowhere, a file without the right to read it
        return f"unreadable: {type(error).__name__}"
    if b"\0" not in data[:_TEXT_SNIFFED_BYTES]:
        data = data.replace(b"\r\n", b"\n")
    return hashlib.sha256(data).hexdigest()


def _installed() -> list[str]:
    """This Python, and name and version of every package that it finds."""
    names = {sys.version}
    for entry in sys.path:
        if entry and Path(entry).is_dir():
            names.update(name for name in os.listdir(entry) if name.endswith((".dist-info", ".egg-info")))  # noqa: PTH208
    return sorted(names)


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
