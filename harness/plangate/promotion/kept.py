"""The fold over a ledger, kept for verbs that only show it: decision 11. Never for one that decides.

What is kept stands for the first entries of the ledger, under one trust policy, as one version of this code judged
them. Whoever asks still reads every envelope and compares its digest; what is spared is judging signatures again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from plangate.documents.files import TRUST_PATH, read_inside
from plangate.documents.workspace import Workspace
from plangate.evidence.claims import Claims
from plangate.promotion.drift import Baseline, Drift
from plangate.promotion.state import (
    Approval,
    Bypass,
    EnvironmentState,
    Hold,
    Moved,
    State,
    Validation,
)
from plangate.promotion.voices import Voice

__all__ = ["Kept", "digest_of_entries", "keep", "kept_fold", "key_of"]

_PATH: Final = Path(".plangate") / "fold.json"
_JUDGES: Final = ("promotion", "evidence", "documents/trust.py", "documents/parse_trust.py", "entitlements/instants.py")
"""Code that has a say in what is accepted and what follows from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the first `size` entries of a ledger came to."""

    size: int
    last_at: str
    entries: str
    """SHA-256 over the digests of those entries, in their order."""
    ignored: tuple[tuple[str, str, str], ...]
    """(path, code, message) of what counted for nothing."""
    state: State
    """Environments, first results and summaries; the rest, which goes on with the fold, only where it was asked for."""


def key_of(workspace: Workspace) -> str:
    """Changes with the trust policy, any key that it names, and the code that judges. Raises InputError."""
    total = hashlib.sha256()
    trust = workspace.trust()
    total.update(read_inside(workspace.root, TRUST_PATH))
    for key in trust.keys.values():
        if key.public.startswith("file:"):
            total.update(read_inside(workspace.root, key.public.removeprefix("file:")))
    package = Path(__file__).resolve().parents[1]
    for part in _JUDGES:
        path = package / part
        for source in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            total.update(hashlib.sha256(source.read_bytes()).digest())
    return total.hexdigest()


def kept_fold(workspace: Workspace, *, key: str, digests: Sequence[str]) -> Kept | None:
    """What is kept for `key`, where the ledger, of these digests, still begins with the same entries; else None.

    Its state is whole where the ledger has more entries. Total: what cannot be read is not there.
    """
    try:
        first, _, second = (workspace.root / _PATH).read_bytes().partition(b"\n")
        document = json.loads(first)
        if document["key"] != key:
            return None
        size = int(document["size"])
        rest = json.loads(second) if size < len(digests) else None
        kept = Kept(
            size=size,
            last_at=str(document["last_at"]),
            entries=str(document["entries"]),
            ignored=tuple((str(path), str(code), str(text)) for path, code, text in document["ignored"]),
            state=_state(document["shown"], rest),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    begin = digests[:size]
    return kept if len(begin) == size and digest_of_entries(begin) == kept.entries else None


def keep(workspace: Workspace, kept: Kept, *, key: str) -> None:
    """Remember it, whole or not at all. A folder that cannot be written is no error: the next verb judges again."""
    path = workspace.root / _PATH
    document = {
        "key": key,
        "size": kept.size,
        "last_at": kept.last_at,
        "entries": kept.entries,
        "ignored": kept.ignored,
        "shown": _shown(kept.state),
    }
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        parts = (document, _rest(kept.state))
        beside.write_text("\n".join(json.dumps(part, separators=(",", ":")) for part in parts), encoding="utf-8")
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()


def digest_of_entries(digests: Iterable[str]) -> str:
    """Which envelopes, in which order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _shown(state: State) -> dict[str, Any]:
    return {
        "environments": {
            name: [_rows(one.promotions), _rows(one.holds), one.validated_since]
            for name, one in state.environments.items()
        },
        "first_seen": [[*about, at] for about, at in state.first_seen.items()],
        "drifts": {name: _rows([one])[0] for name, one in state.drifts.items()},
        "summaries": [[*about, at] for about, at in state.summaries.items()],
        "let_through": sorted(state.let_through),
    }


def _rest(state: State) -> dict[str, Any]:
    return {
        "validations": [[*about, _rows(found.values())] for about, found in state.validations.items()],
        "summary_voices": [[*about, _rows(voices)] for about, voices in state.summary_voices.items()],
        "approvals": {plan: _rows(found) for plan, found in state.approvals.items()},
        "rejections": {plan: _rows(found) for plan, found in state.rejections.items()},
        "bypasses": {plan: _rows(found) for plan, found in state.bypasses.items()},
        "baselines": [[*about, _rows([one])[0]] for about, one in state.baselines.items()],
        "authors": state.authors,
    }


def _state(shown: Mapping[str, Any], rest: Mapping[str, Any] | None) -> State:
    state = State(
        environments={
            name: EnvironmentState(
                promotions=tuple(map(_moved, moves)), holds=tuple(map(_reader(Hold), holds)), validated_since=since
            )
            for name, (moves, holds, since) in shown["environments"].items()
        },
        drifts={name: _drift(row) for name, row in shown["drifts"].items()},
        first_seen={(name, release): at for name, release, at in shown["first_seen"]},
        summaries={(name, release, effective): at for name, release, effective, at in shown["summaries"]},
        let_through=set(map(_three, shown["let_through"])),
    )
    return state if rest is None else _whole(state, rest)


def _whole(state: State, rest: Mapping[str, Any]) -> State:
    for *about, found in rest["validations"]:
        state.validations[_three(about)] = {one.suite: one for one in map(_validation, found)}
    for *about, voices in rest["summary_voices"]:
        state.summary_voices[_three(about)] = tuple(map(_voice, voices))
    state.approvals.update({plan: list(map(_approval, found)) for plan, found in rest["approvals"].items()})
    state.rejections.update({plan: list(map(_approval, found)) for plan, found in rest["rejections"].items()})
    state.bypasses.update({plan: list(map(_reader(Bypass), found)) for plan, found in rest["bypasses"].items()})
    state.baselines.update({(name, basis): _baseline(row) for name, basis, row in rest["baselines"]})
    state.authors.update(rest["authors"])
    return state


def _three(about: Sequence[str]) -> tuple[str, str, str]:
    environment, release, effective = about
    return environment, release, effective


def _rows(values: Iterable[Any]) -> list[list[Any]]:
    """Each record as the list of its fields."""
    return [[_plain(getattr(one, field.name)) for field in fields(one)] for one in values]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple) and value and isinstance(value[0], Voice):
        return _rows(value)
    if isinstance(value, Claims):
        return asdict(value)
    return dict(value) if isinstance(value, Mapping) else value


def _reader(kind: Callable[..., Any], **parsers: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    changed = [(names.index(name), parse) for name, parse in parsers.items()]

    def read(row: list[Any]) -> Any:
        for place, parse in changed:
            row[place] = parse(row[place])
        return kind(**dict(zip(names, row, strict=True)))

    return read


def _claims(row: Mapping[str, Any]) -> Claims:
    lists = {name: tuple(row[name]) for name in ("differences", "requirements", "not_tried")}
    return Claims(**{**row, **lists})


_moved = _reader(Moved, approvals=tuple, bypassed=tuple, unproven=tuple)
_voice = _reader(Voice, key=bytes.fromhex)
_approval = _reader(Approval, key=bytes.fromhex)
_drift = _reader(Drift, texts=tuple)
_baseline = _reader(Baseline, answers=tuple)
_validation = _reader(Validation, voices=lambda rows: tuple(map(_voice, rows)), claims=_claims)
