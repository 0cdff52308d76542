"""The cells of one plan, state and capability, made from what the whole matrix shares."""

from __future__ import annotations

import hashlib
from dataclasses import fields

from plangate.documents.suite import Suite
from plangate.entitlements.request import Request
from plangate.matrix.boundaries import SettingPoint, cost_of
from plangate.matrix.cell import AxisValue, Cell
from plangate.matrix.groups import Group, Groups
from plangate.matrix.identity import DIGEST_BYTES, fragment, text
from plangate.matrix.layout import Place
from plangate.matrix.levels import Levels
from plangate.matrix.subjects import NamedSubject, Subjects, Tenant

__all__ = ["Block", "Shared"]

_KEPT_MAX = 16_384
"""Questions, variants and endings kept for sharing, 3 MB each at most; past it all are forgotten, made when needed."""

_REQUESTS_MAX = 8_192
_SUBJECTS_MAX = 4_096
"""Requests and subjects likewise, 3 MB each: there can be one for every cell."""

_OUTERS_MAX = 1_024
"""Outer values that one block keeps."""

_Names = tuple[AxisValue, ...]

_Variant = tuple[tuple[str, int | None, str, bool, str, str], bytes, int, int, int]
"""Axes addon to cost, the first bytes of a cell's message, index of the quantity, place of the usage point among all of
add-ons, quantity and cost, and what the cost adds to the key of a request."""

_Question = tuple[_Names, int, int, SettingPoint]
"""Axes surface to setting, key of the request without cost and phrasing, index of the usage, and the settings named."""

_Outer = tuple[_Names, bytes, _Question, int]
"""Axes plan to setting, last bytes of the message, the question, key of the subject without variant."""


class Shared:
    """What all blocks of a matrix share: the pieces of messages, and the subjects and requests that are in use."""

    def __init__(self, suite: Suite, *, catalog: str, levels: Levels, groups: Groups, subjects: Subjects) -> None:
        self.levels, self.subjects = levels, subjects
        self.lines = tuple(((line,), _member("phrasing", line)) for line in levels.phrasings)
        self.fixed = len(levels.addons) * len(levels.quantities) * len(levels.linked) * len(levels.overrides)
        self._addon_names = levels.addon_names
        self._tail = b'},"catalog":' + text(catalog) + b',"suite":' + text(suite.name) + b"}"
        self._groups, self._time = groups, suite.time
        self.weight = 0
        """Outer values that the blocks in use keep among them; see `Matrix`."""
        self.blocks_made = 0
        self.named: dict[int, NamedSubject] = {}
        self.requests: dict[int, Request] = {}
        self._keys: dict[tuple[str, AxisValue, int], int] = {}
        self._keys_given = 0
        self._questions: dict[tuple[str, Group], dict[int, _Question]] = {}
        self._questions_kept = 0
        self._variants: dict[str, dict[int, _Variant]] = {}
        self._variants_kept = 0
        self._endings: dict[str, dict[_Names, bytes]] = {}
        self._middles: dict[str, list[bytes]] = {}

    def questions(self, capability: str, group: Group) -> dict[int, _Question]:
        """The questions about a capability that were made before: the same for every plan alike and every state."""
        if self._questions_kept >= _KEPT_MAX:
            self._questions.clear()
            self._questions_kept = 0
        return self._questions.setdefault((capability, group), {})

    def question(self, capability: str, index: int, *, group: Group) -> _Question:
        """Make a question: values for surface, usage and setting."""
        surfaces, usages, settings = group.shape.axes[:3]
        rest, setting = divmod(index, len(settings))
        surface, usage = divmod(rest, len(usages))
        self._questions_kept += 1
        key = (capability, surfaces[surface], id(group.settings[setting]))
        number = self._keys.get(key)
        if number is None:
            if len(self._keys) >= _KEPT_MAX:
                self._keys.clear()
            number = self._keys[key] = self._keys_given
            self._keys_given += len(self.lines) * len(self.levels.costs)
        return (surfaces[surface], usages[usage], settings[setting]), number, usage, group.settings[setting]

    def request(self, capability: str, line: int, *, question: _Question, variant: _Variant) -> Request:
        """The request of a question at one cost and in one phrasing."""
        (surface, _, _), number, _, setting = question
        number += variant[4]
        request = self.requests.get(number + line)
        if request is None:
            if len(self.requests) >= _REQUESTS_MAX:
                self.requests.clear()
            request = self.requests[number + line] = Request(
                capability=capability,
                surface=str(surface),
                settings=setting.values,
                cost=cost_of(variant[0][5], consumes=self._groups.capability(capability).consumes),
                phrasing=self.levels.phrasings[line],
                time=self._time,
            )
        return request

    def variants(self, capability: str) -> dict[int, _Variant]:
        """The variants of a capability that were made before: the same for every plan and state."""
        if self._variants_kept >= _KEPT_MAX:
            self._variants.clear()
            self._variants_kept = 0
        return self._variants.setdefault(capability, {})

    def variant(self, capability: str, index: int, *, group: Group) -> _Variant:
        """Make a variant: values for addon, quantity, consent, linked, override and cost."""
        levels = self.levels
        consents, costs = group.shape.axes[5], group.shape.axes[8]
        rest, cost = divmod(index, len(costs))
        rest, override = divmod(rest, len(levels.overrides))
        rest, linked = divmod(rest, len(levels.linked))
        rest, consent = divmod(rest, len(consents))
        addon, quantity = divmod(rest, len(levels.quantities))
        axes = (
            self._addon_names[addon],
            levels.quantities[quantity],
            str(consents[consent]),
            levels.linked[linked],
            levels.overrides[override],
            str(costs[cost]),
        )
        beginning = b'{"axes":{%b%b,%b%b%b%b' % (
            _member("addon", axes[0]),
            fragment("capability", capability),
            _member("consent", axes[2]),
            _member("cost", axes[5]),
            _member("linked", axes[3]),
            _member("override", axes[4]),
        )
        self._variants_kept += 1
        place = (addon * len(levels.quantities) + quantity) * len(costs) + cost
        return axes, beginning, quantity, place, cost * len(self.lines)

    def middles(self, plan: str) -> list[bytes]:
        """Members plan and quantity of a message, for each quantity."""
        found = self._middles.get(plan)
        if found is None:
            quantities = self.levels.quantities
            found = self._middles[plan] = [
                fragment("plan", plan) + b"," + _member("quantity", one) for one in quantities
            ]
        return found

    def endings(self, state: str) -> dict[_Names, bytes]:
        """The endings of a state that were made before, by surface, usage and setting."""
        found = self._endings.setdefault(state, {})
        if len(found) >= _KEPT_MAX:
            found.clear()
        return found

    def ending(self, state: str, question: _Names) -> bytes:
        """Make the last bytes of a message: members setting to usage, and what every message ends with."""
        surface, usage, setting = question
        members = (
            fragment("setting", setting),
            fragment("state", state),
            fragment("surface", surface),
            fragment("usage", usage),
        )
        return b",".join(piece for piece in members if piece) + self._tail


_sha256 = hashlib.sha256

# `Cell(...)` finds each of its slots by name when it is built, as every frozen dataclass does; here they are found once
# for all. This is done for every cell of every pass: it takes half the time.
_new_cell = object.__new__
_set_number, _set_digest, _set_axes, _set_subject_id, _set_subject, _set_request = (
    getattr(Cell, field.name).__set__ for field in fields(Cell)
)


class Block:
    """Makes the cells of one place. `first` to `last` (not included) are their numbers in the matrix."""

    __slots__ = (
        "_count",
        "_endings",
        "_group",
        "_lines",
        "_middles",
        "_named",
        "_names",
        "_offsets",
        "_outers",
        "_questions",
        "_requests",
        "_shared",
        "_tenants",
        "_variants",
        "_width",
        "first",
        "last",
    )

    def __init__(self, shared: Shared, place: Place) -> None:
        levels, group = shared.levels, place.group
        plan, state = levels.plans[place.plan], levels.states[place.state]
        capability = levels.capabilities[place.capability]
        self._shared, self._group, self._offsets = shared, group, place.pattern.offsets
        self._names = (plan, state, capability)
        self._lines, self._count = shared.lines, len(shared.lines)
        self._width = shared.fixed * len(group.shape.axes[5]) * len(group.shape.axes[8]) * self._count
        self._middles = shared.middles(plan)
        self._endings = shared.endings(state)
        self._questions = shared.questions(capability, group)
        self._requests = shared.requests
        self._variants = shared.variants(capability)
        self._named = shared.named
        shared.blocks_made += 1
        self._tenants = shared.blocks_made << 64
        self._outers: dict[int, _Outer] = {}
        self.first = place.first
        self.last = place.first + place.pattern.size

    def cell(self, place: int, number: int) -> Cell:
        """The cell at this place of the layout, which must lie in the block; it will bear `number`."""
        raw = place - self.first if self._offsets is None else self._offsets[place - self.first]
        outer, rest = divmod(raw, self._width)
        variant, line = divmod(rest, self._count)
        head, ending, question, tenant = self._outers.get(outer) or self._outer(outer)
        axes, beginning, quantity, _, asked = self._variants.get(variant) or self._variant(variant)
        phrasing, words = self._lines[line]
        key = tenant + variant
        subject_id, subject = self._named.get(key) or self._subject(key, question[2], variant)
        cell = _new_cell(Cell)
        _set_number(cell, number)
        _set_digest(cell, _sha256(beginning + words + self._middles[quantity] + ending).digest()[:DIGEST_BYTES])
        _set_axes(cell, head + axes + phrasing)
        _set_subject_id(cell, subject_id)
        _set_subject(cell, subject)
        _set_request(cell, self._requests.get(question[1] + asked + line) or self._request(question, variant, line))
        return cell

    def _outer(self, index: int) -> _Outer:
        question = self._questions.get(index) or self._question(index)
        names, _, usage, _ = question
        ending = self._endings.get(names)
        if ending is None:
            ending = self._endings[names] = self._shared.ending(self._names[1], names)
        made = (self._names + names, ending, question, self._tenants + usage * (self._width // self._count))
        if self._width > 1:
            if len(self._outers) >= _OUTERS_MAX:
                self._outers.clear()
            self._shared.weight += 1
            self._outers[index] = made
        return made

    def _question(self, index: int) -> _Question:
        if len(self._questions) >= _KEPT_MAX:
            self._questions.clear()
        made = self._questions[index] = self._shared.question(self._names[2], index, group=self._group)
        return made

    def _request(self, question: _Question, variant: int, line: int) -> Request:
        return self._shared.request(self._names[2], line, question=question, variant=self._variants[variant])

    def _variant(self, index: int) -> _Variant:
        if len(self._variants) >= _KEPT_MAX:
            self._variants.clear()
        made = self._variants[index] = self._shared.variant(self._names[2], index, group=self._group)
        return made

    def _subject(self, key: int, usage: int, variant: int) -> NamedSubject:
        plan, state, capability = self._names
        (_, number, consent, linked, override, _), _, _, place, _ = self._variants[variant]
        levels, subjects = self._shared.levels, self._shared.subjects
        costs, quantities = len(self._group.shape.axes[8]), len(levels.quantities)
        point = self._group.usage.points[usage][place]
        assert point is not None, "the pattern leaves out what a subject does not have"  # noqa: S101 - ours, not theirs
        if len(self._named) >= _SUBJECTS_MAX:
            self._named.clear()
        overridden = subjects.overridden(override, capability)
        addons = levels.addons[place // (costs * quantities)]
        tenant = Tenant(plan, state, point, addons, number, consent, linked, override, overridden)
        made = self._named[key] = subjects.of(tenant)
        return made


def _member(axis: str, value: AxisValue) -> bytes:
    """The fragment of an axis and the comma behind it; nothing for a normal value."""
    piece = fragment(axis, value)
    return piece + b"," if piece else b""
