"""What is wrong with the targets of an environment, found without opening, importing or asking anything.

A template that names what no request holds is filled with nothing when it runs, and a key that a driver never reads
changes nothing: both would make a run about something else than what was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plangate.documents.catalog import PlanCatalog
from plangate.documents.environment import Environment, HttpCall, Json, Probe, Target
from plangate.documents.positions import Pointer
from plangate.documents.problems import problem_at, strings_in
from plangate.documents.secret_texts import is_reference
from plangate.documents.wording import did_you_mean, dotted, listed, shown
from plangate.drivers.answer_paths import is_path, lookup
from plangate.drivers.http_client import LIBRARIES
from plangate.drivers.registry import BUILT_IN, READS, Reads, driver_class, driver_names
from plangate.drivers.rules import UNAUTHENTICATED
from plangate.drivers.templates import placeholders
from plangate.drivers.vocabulary import Vocabulary
from plangate.errors import InputError, PlangateError, Problem
from plangate.releases.placeholders import release_texts

__all__ = ["target_problems"]

_ALWAYS_READ: Final = frozenset({"driver", "description", "options"})


def target_problems(
    environment: Environment, catalogs: Sequence[PlanCatalog] | None, *, root: Path
) -> Iterator[Problem]:
    """Everything in `bindings.targets` and `bindings.probe` that could not do what it says, each at its place.

    `catalogs` are those that the release pins; None where they cannot be read: then names of limits and settings pass.
    """
    for surface, target in environment.bindings.targets.items():
        check = _TargetCheck(environment, ("bindings", "targets", surface), target, catalogs)
        yield from check.problems()
        if target.ca is not None:
            yield from check.ca_problems(target.ca, root)
    if environment.bindings.probe is not None:
        probe = environment.bindings.probe
        target = environment.bindings.targets.get(probe.target) or Target(driver="http")
        yield from _TargetCheck(environment, ("bindings", "probe"), target, catalogs).probe_problems(probe)


@dataclass(frozen=True, slots=True)
class _TargetCheck:
    environment: Environment
    place: Pointer
    target: Target
    catalogs: Sequence[PlanCatalog] | None

    def problems(self) -> Iterator[Problem]:
        driver = self.target.driver
        if driver not in BUILT_IN and driver not in driver_names():
            hint = did_you_mean(driver, driver_names()) or f"known: {listed(driver_names())}"
            yield self._problem((*self.place, "driver"), "unknown-driver", f"no driver is called {shown(driver)}", hint)
            return
        try:
            reads = READS[driver] if driver in READS else getattr(driver_class(driver), "reads", None)
        except PlangateError as error:  # an installed driver that cannot be loaded
            yield self._problem((*self.place, "driver"), error.code, error.message, error.hint)
            return
        if isinstance(reads, Reads):
            yield from self._unread(reads)
        if driver in BUILT_IN:
            yield from self._options()
            yield from self._templates()
            yield from self._rules()

    def ca_problems(self, path: str, root: Path) -> Iterator[Problem]:
        """The file of certificates is there, and holds some."""
        from plangate.drivers.network import certificates  # it needs the TLS library, which most checks do not

        try:
            certificates(path, root)
        except InputError as error:
            yield self._problem((*self.place, "ca"), error.code, error.message, error.hint)

    def probe_problems(self, probe: Probe) -> Iterator[Problem]:
        """The same of a probe, which is about no subject: only secrets may stand in it."""
        known = Vocabulary(request=False)
        yield from self._call(self.place, HttpCall(method="GET", path=probe.path), known)
        for name, text in probe.headers.items():
            if not is_reference(text):
                yield from self._unknown((*self.place, "headers", name), text, known)
        for number, question in enumerate(probe.questions):
            yield from self._call((*self.place, "questions", number), question.call, known)

    def _unread(self, reads: Reads) -> Iterator[Problem]:
        written = self._written()
        for name in written:
            if name not in reads.keys and name not in _ALWAYS_READ:
                yield self._unread_key((*self.place, name), sorted(reads.keys))
        if reads.options is None:
            return
        for name in self.target.options:
            if name not in reads.options:
                yield self._unread_key((*self.place, "options", name), sorted(reads.options))

    def _written(self) -> Sequence[str]:
        """The keys of this target, as they stand in the document."""
        value: Json = dict(self.environment.raw)
        for step in self.place:
            value = value.get(str(step)) if isinstance(value, dict) else None
        return tuple(value) if isinstance(value, dict) else ()

    def _unread_key(self, pointer: Pointer, known: Sequence[str]) -> Problem:
        return problem_at(
            self.environment.positions.of_key(*pointer),
            code="unread-key",
            message=f"{dotted(pointer)}: the driver {shown(self.target.driver)} never reads this",
            hint=did_you_mean(str(pointer[-1]), known) or (f"it reads: {listed(known)}" if known else "remove it"),
        )

    def _options(self) -> Iterator[Problem]:
        known: dict[str, Sequence[str]] = {"client": LIBRARIES, "metadata": ("ignore",)}
        reads = READS[self.target.driver].options or ()
        for name, words in known.items():
            word = self.target.options.get(name)
            if name in reads and word is not None and word not in words:
                code = "unknown-client" if name == "client" else "bad-value"
                message = f"{shown(word)} must be {'one of ' if len(words) > 1 else ''}{listed(words)}"
                yield self._problem((*self.place, "options", name), code, message, did_you_mean(str(word), words))

    # --- templates ---------------------------------------------------------------------------------------------------

    def _templates(self) -> Iterator[Problem]:
        target = self.target
        asking = self._vocabulary()
        launching = Vocabulary(port=target.launch is not None, request=False, release=release_texts(self.environment))
        if target.url and not is_reference(target.url):
            yield from self._unknown((*self.place, "url"), target.url, asking)
        for name, text in target.headers.items():
            if not is_reference(text):
                yield from self._unknown((*self.place, "headers", name), text, asking)
        for name, call in {"arrange": target.arrange, "request": target.request}.items():
            if call is not None:
                yield from self._call((*self.place, name), call, asking)
        if target.launch is None:
            return
        for number, word in enumerate(target.launch.command):
            yield from self._unknown((*self.place, "launch", "command", number), word, launching)
        for name, text in target.launch.env.items():
            if not is_reference(text):
                yield from self._unknown((*self.place, "launch", "env", name), text, launching)

    def _vocabulary(self) -> Vocabulary:
        limits = settings = None
        if self.catalogs is not None:
            limits = frozenset(name for catalog in self.catalogs for name in catalog.limits)
            settings = frozenset(name for catalog in self.catalogs for name in catalog.settings)
        return Vocabulary(port=self.target.launch is not None, limits=limits, settings=settings)

    def _call(self, pointer: Pointer, call: HttpCall, known: Vocabulary) -> Iterator[Problem]:
        yield from self._unknown((*pointer, "path"), call.path, known)
        for name, text in call.headers.items():
            yield from self._unknown((*pointer, "headers", name), text, known)
        for inner, text in strings_in(call.json, (*pointer, "json")):
            yield from self._unknown(inner, text, known)

    def _unknown(self, pointer: Pointer, text: str, known: Vocabulary) -> Iterator[Problem]:
        for name in dict.fromkeys(placeholders(text)):
            complaint = known.complaint(name)
            if complaint is not None:
                message = f"unknown placeholder {shown('{' + name + '}')}"
                yield self._problem(pointer, "unknown-placeholder", message, complaint)

    # --- rules -------------------------------------------------------------------------------------------------------

    def _rules(self) -> Iterator[Problem]:
        for number, rule in enumerate(self.target.decide):
            place = (*self.place, "decide", number)
            if UNAUTHENTICATED in rule.statuses:
                yield self._signed_out((*place, "when", "status"))
            yield from self._path((*place, "effect"), rule.effect)
            yield from self._path((*place, "reason"), rule.reason)
            for path in rule.json:
                yield from self._path((*place, "when", "json", path), path, always=True)
            if rule.limit is not None:
                for name in ("name", "limit", "remaining", "resets_at"):
                    yield from self._path((*place, "limit", name), getattr(rule.limit, name))

    def _signed_out(self, pointer: Pointer) -> Problem:
        return problem_at(
            self.environment.positions.of(*pointer),
            code="unauthenticated-decision",
            message=f"{dotted(pointer)}: 401 says that plangate itself is not signed in, and is never a decision",
            hint="take 401 out, and let headers sign in; an app that refuses a plan says 402, 403, 404, 409 or 429",
            severity="warning",
        )

    def _path(self, pointer: Pointer, text: object, *, always: bool = False) -> Iterator[Problem]:
        if not isinstance(text, str) or not (always or is_path(text)):
            return
        try:
            lookup(text, "")
        except InputError as error:
            yield self._problem(pointer, error.code, error.message, error.hint)

    def _problem(self, pointer: Pointer, code: str, message: str, hint: str) -> Problem:
        place = self.environment.positions.of(*pointer)
        return problem_at(place, code=code, message=f"{dotted(pointer)}: {message}", hint=hint)
