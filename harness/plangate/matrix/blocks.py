"""The cells of one plan, state and capability, made from what the whole matrix shares."""

from __future__ import annotations

import hashlib

from plangate.documents.suite import Suite
from plangate.entitlements.request import Request
from plangate.matrix.boundaries import SettingPoint
from plangate.matrix.cell import AxisValue, Cell
from plangate.matrix.groups import Groups
from plangate.matrix.identity import DIGEST_BYTES, fragment, text
from plangate.matrix.layout import Place
from plangate.matrix.levels import Levels
from plangate.matrix.subjects import NamedSubject, Subjects, Tenant

__all__ = ["Block", "Shared"]

_REQUESTS_MAX = 16_384
"""Requests kept for sharing, about 4 MB: past it all are forgotten and built again when asked for."""

_VARIANTS_MAX = 4_096
"""Variants, and subjects, that one block keeps."""

_Outer = tuple[tuple[AxisValue, ...], bytes, tuple[Request, ...], dict[int, NamedSubject], int]
"""Axes plan to setting, last bytes of the message, request for each phrasing, subject for each variant, usage index."""

_Variant = tuple[tuple[AxisValue, ...], bytes, bytes]
"""Axes addon to override, and the bytes of the message before and behind those of the phrasing."""


class Shared:
    """What all blocks of a matrix share: levels, subjects and requests that are in use, the ends of every message."""

    def __init__(self, suite: Suite, *, catalog: str, levels: Levels, groups: Groups, subjects: Subjects) -> None:
        self.levels, self.subjects = levels, subjects
        self.tail = b'},"catalog":' + text(catalog) + b',"suite":' + text(suite.name) + b"}"
        self.lines = tuple(((line,), _member("phrasing", line)) for line in levels.phrasings)
        self.variants = len(levels.addons) * len(levels.quantities) * len(levels.linked) * len(levels.overrides)
        self._groups, self._time = groups, suite.time
        self._requests: dict[tuple[object, ...], tuple[Request, ...]] = {}
        self._requests_kept = 0

    def requests(self, capability: str, surface: str, setting: SettingPoint) -> tuple[Request, ...]:
        """One request for each phrasing."""
        key = (capability, surface, *setting.values.items())
        found = self._requests.get(key)
        if found is None:
            if self._requests_kept >= _REQUESTS_MAX:
                self._requests.clear()
                self._requests_kept = 0
            cost, settings, time = self._groups.capability(capability).consumes, setting.values, self._time
            found = self._requests[key] = tuple(
                Request(capability=capability, surface=surface, settings=settings, cost=cost, phrasing=line, time=time)
                for line in self.levels.phrasings
            )
            self._requests_kept += len(found)
        return found


class Block:
    """Makes the cells of one place. `first` to `last` (not included) are their numbers in the matrix."""

    __slots__ = ("_names", "_outers", "_place", "_shared", "_variants", "_width", "first", "last")

    def __init__(self, shared: Shared, place: Place) -> None:
        levels = shared.levels
        self._shared, self._place = shared, place
        self._names = (levels.plans[place.plan], levels.states[place.state], levels.capabilities[place.capability])
        self._width = shared.variants * len(place.group.shape.axes[5]) * len(shared.lines)
        self._outers: dict[int, _Outer] = {}
        self._variants: dict[int, _Variant] = {}
        self.first = place.first
        self.last = place.first + place.pattern.size

    def cell(self, number: int) -> Cell:
        """The cell of this number, which must lie in the block."""
        lines = self._shared.lines
        outer, rest = divmod(self._place.pattern.raw(number - self.first), self._width)
        variant, line = divmod(rest, len(lines))
        head, ending, requests, subjects, usage = self._outers.get(outer) or self._outer(outer)
        middle, before, behind = self._variants.get(variant) or self._variant(variant)
        phrasing, words = lines[line]
        subject_id, subject = subjects.get(variant) or self._subject(usage, variant, subjects)
        digest = hashlib.sha256(before + words + behind + ending).digest()[:DIGEST_BYTES]
        return Cell(number, digest, head + middle + phrasing, subject_id, subject, requests[line])

    def _outer(self, index: int) -> _Outer:
        plan, state, capability = self._names
        group = self._place.group
        surfaces, usages, settings = group.shape.axes[:3]
        rest, setting = divmod(index, len(settings))
        surface, usage = divmod(rest, len(usages))
        place, use, chosen = surfaces[surface], usages[usage], settings[setting]
        used = fragment("usage", use)
        ending = b"%b%b,%b%b%b" % (
            _member("setting", chosen),
            fragment("state", state),
            fragment("surface", place),
            b"," + used if used else b"",
            self._shared.tail,
        )
        requests = self._shared.requests(capability, str(place), group.settings[setting])
        made: _Outer = ((plan, state, capability, place, use, chosen), ending, requests, {}, usage)
        self._outers[index] = made
        return made

    def _variant(self, index: int) -> _Variant:
        addon, quantity, consent, linked, override = self._decoded(index)
        levels, consents = self._shared.levels, self._place.group.shape.axes[5]
        axes: tuple[AxisValue, ...] = (
            levels.addon_names[addon],
            levels.quantities[quantity],
            consents[consent],
            levels.linked[linked],
            levels.overrides[override],
        )
        plan, _, capability = self._names
        before = b'{"axes":{%b%b,%b%b%b' % (
            _member("addon", axes[0]),
            fragment("capability", capability),
            _member("consent", axes[2]),
            _member("linked", axes[3]),
            _member("override", axes[4]),
        )
        behind = fragment("plan", plan) + b"," + _member("quantity", axes[1])
        if len(self._variants) >= _VARIANTS_MAX:
            self._variants.clear()
        made = self._variants[index] = (axes, before, behind)
        return made

    def _subject(self, usage: int, variant: int, kept: dict[int, NamedSubject]) -> NamedSubject:
        addon, quantity, consent, linked, override = self._decoded(variant)
        levels, group = self._shared.levels, self._place.group
        plan, state, capability = self._names
        point = group.usage.points[usage][addon * len(levels.quantities) + quantity]
        assert point is not None, "the pattern leaves out what a subject does not have"  # noqa: S101 - ours, not theirs
        if len(kept) >= _VARIANTS_MAX:
            kept.clear()
        named = levels.overrides[override]
        made = kept[variant] = self._shared.subjects.of(
            Tenant(
                plan,
                state,
                point,
                levels.addons[addon],
                levels.quantities[quantity],
                str(group.shape.axes[5][consent]),
                levels.linked[linked],
                named,
                "" if named == "none" else capability,
            )
        )
        return made

    def _decoded(self, variant: int) -> tuple[int, int, int, int, int]:
        levels = self._shared.levels
        rest, override = divmod(variant, len(levels.overrides))
        rest, linked = divmod(rest, len(levels.linked))
        rest, consent = divmod(rest, len(self._place.group.shape.axes[5]))
        addon, quantity = divmod(rest, len(levels.quantities))
        return addon, quantity, consent, linked, override


def _member(axis: str, value: AxisValue) -> bytes:
    """The fragment of an axis and the comma behind it; nothing for a normal value."""
    piece = fragment(axis, value)
    return piece + b"," if piece else b""
