"""Which placeholders stand for something: fields of the one request shape, names of a release's catalogs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from plangate.documents.wording import did_you_mean, listed, shown
from plangate.matrix.request_shape import CONTEXT_FIELDS, SUBJECT_PROPERTIES

__all__ = ["Vocabulary"]

_ENTITY: Final = ("id", "type", "properties")
_MEANT: Final = {"capability": "action.name", "id": "subject.id", "name": "action.name", "tenant": "subject.id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What may stand in braces at one place of a target."""

    port: bool = False
    """Whether `{port}` is known: the target has a launch."""
    request: bool = True
    """Whether a request is at hand; it is not while an app is launched or probed."""
    limits: Collection[str] | None = None
    """Limits of the pinned catalogs; None = any name passes."""
    settings: Collection[str] | None = None
    """Settings of the pinned catalogs; None = any name passes."""
    release: Collection[str] | None = None
    """What `{release.NAME}` may name; None where it is not filled in."""

    def complaint(self, name: str) -> str | None:
        """What to write in place of `{name}`; None where it stands for something. Secrets have a check of their own."""
        root, _, path = name.partition(".")
        constant = {"port": self._port, "release": self._release, "secret": self._secret}.get(root)
        if constant is not None:
            return constant(path)
        if not self.request:
            return f"no request is at hand here: {self._here()}"
        varying = {
            "action": self._action,
            "context": self._context,
            "request": self._whole,
            "resource": self._setting,
            "subject": self._subject,
        }.get(root)
        return self._stray(name, root) if varying is None else varying(path)

    def _port(self, path: str) -> str | None:
        return None if self.port and not path else "{port} is known only where the target has a launch"

    def _secret(self, path: str) -> str | None:
        return None if path else "a secret has a name: {secret.NAME}"

    def _whole(self, path: str) -> str | None:
        return "{request} is the whole; its parts are {subject.id}, {action.name}, ..." if path else None

    def _action(self, path: str) -> str | None:
        return None if path in ("", "name") else "an action has a name: {action.name}"

    def _context(self, path: str) -> str | None:
        return self._inside("context", path, CONTEXT_FIELDS, within="cost")

    def _subject(self, path: str) -> str | None:
        return self._inside("subject", path, (*_ENTITY, *SUBJECT_PROPERTIES), within="usage")

    def _inside(self, root: str, path: str, known: Collection[str], *, within: str) -> str | None:
        """`path` is a field, or a limit inside the one field that holds numbers by limit."""
        head, dot, rest = path.partition(".")
        if not path or (path in known and not dot):
            return None
        if head == within and dot:
            if self.limits is None or rest in self.limits:
                return None
            return _meant(f"{root}.{within}", rest, self.limits, "limits")
        if head in known and dot:
            return f"nothing is inside {{{root}.{head}}}: it is taken whole"
        return _meant(root, path, known, "names")

    def _setting(self, path: str) -> str | None:
        if self.settings is None or path in ("", *_ENTITY) or path in self.settings:
            return None
        return _meant("resource", path, self.settings, "settings")

    def _release(self, path: str) -> str | None:
        if self.release is None:
            return "{release.NAME} is filled in only in launch.command and launch.env"
        return None if path in self.release else _meant("release", path, self.release, "pins")

    def _stray(self, name: str, root: str) -> str:
        if name in SUBJECT_PROPERTIES:
            return f"did you mean {shown('{subject.' + name + '}')}?"
        if name in (self.settings or ()):
            return f"did you mean {shown('{resource.' + name + '}')}?"
        if name in _MEANT:
            return f"did you mean {shown('{' + _MEANT[name] + '}')}?"
        roots = ("action", "context", "port", "request", "resource", "secret", "subject")
        return did_you_mean(root, roots) or f"known: {listed(roots)}; {{{{{name}}}}} stands for the text itself"

    def _here(self) -> str:
        words = ["{secret.NAME}"]
        if self.port:
            words.append("{port}")
        if self.release is not None:
            words.append("{release.NAME}")
        return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) + " may stand in it"


def _meant(root: str, name: str, known: Collection[str], what: str) -> str:
    close = did_you_mean(name, known)
    if close:
        word = close.removeprefix("did you mean '").removesuffix("'?")
        return f"did you mean {shown('{' + root + '.' + word + '}')}?"
    return f"{what}: {listed(sorted(known))}" if known else f"there are no {what}"
