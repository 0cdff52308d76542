"""What an environment must mean, beyond its shape: names are declared (law L3), no secret stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from plangate.documents.environment import Environment, Probe, Target
from plangate.documents.positions import Pointer
from plangate.documents.problems import problem_at, strings_in, unknown_value
from plangate.documents.secret_texts import ADVICE, holds_secret, is_reference, is_secret_name, looks_random
from plangate.documents.wording import dotted, shown
from plangate.errors import Problem

__all__ = ["environment_problems"]

_SECRET_NAME: Final = re.compile(r"\{secret\.([^{}]*)\}")
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
)
_NEED_ADDRESS: Final = frozenset({"http", "authzen"})
_COMPARISONS: Final = frozenset({"noninferior_to", "margin"})


def environment_problems(environment: Environment) -> Iterator[Problem]:
    """What is wrong with `environment` as a whole. Total."""
    yield from _gates(environment)
    yield from _secrets(environment)
    for surface, target in environment.bindings.targets.items():
        yield from _target(environment, surface, target)
    if environment.bindings.probe is not None:
        yield from _probe(environment, environment.bindings.probe)


def _gates(environment: Environment) -> Iterator[Problem]:
    suites = environment.release.suites
    for index, gate in enumerate(environment.gates):
        if gate.suite not in suites:
            yield unknown_value(environment.positions, ("gates", index, "suite"), "suite", gate.suite, suites)
        for name in sorted(_COMPARISONS.intersection(gate.allow)):
            yield problem_at(
                environment.positions.of_key("gates", index, "allow", name),
                code="cannot-judge",
                message=f"gates[{index}].allow.{name}: this version makes no comparison with another environment",
                hint="remove it; what is let through is written as a count of each verdict",
            )


def _secrets(environment: Environment) -> Iterator[Problem]:
    """Names of secrets must be declared; what looks like a secret must not be written out."""
    declared = environment.bindings.secrets
    used = set()
    for pointer, text in strings_in(environment.raw):
        for name in _SECRET_NAME.findall(text):
            used.add(name)
            if name not in declared:
                yield unknown_value(environment.positions, pointer, "secret", name, declared)
        if holds_secret(text):
            yield _literal(environment, pointer, "looks like a literal secret")
        elif pointer[0] == "bindings" and not is_reference(text):
            if _is_named_secret(pointer[-1], text):
                yield _literal(environment, pointer, "holds a literal secret, by its name")
            elif looks_random(text):
                yield _literal(environment, pointer, "looks like a literal secret: characters at random")
    for name in declared:
        if name not in used:
            yield problem_at(
                environment.positions.of_key("bindings", "secrets", name),
                code="unused-name",
                message=f"bindings.secrets.{name}: nothing uses it",
                hint=f"remove it, or write {{secret.{name}}} where it belongs",
                severity="warning",
            )


def _is_named_secret(name: str | int, text: str) -> bool:
    """Whether the key says that it holds a secret, and the text is the secret; headers have their own rule."""
    plain = bool(text) and "{" not in text
    return plain and isinstance(name, str) and is_secret_name(name) and name.lower() not in _SECRET_HEADERS


def _target(environment: Environment, surface: str, target: Target) -> Iterator[Problem]:
    place: Pointer = ("bindings", "targets", surface)
    if target.driver in _NEED_ADDRESS and target.url is None and target.launch is None:
        yield problem_at(
            environment.positions.of_key(*place),
            code="missing-field",
            message=f"{dotted(place)}: 'url' is missing",
            hint="write url, or launch to start the app on a free port",
        )
    if complaint := _shared_address(environment, surface, target):
        yield problem_at(
            environment.positions.of(*place, "url"),
            code="target-without-address",
            message=f"{dotted(place)}.url: {complaint}",
            hint="name a target that has url or launch",
        )
    yield from _secret_headers(environment, (*place, "headers"), target.headers)
    for name, call in {"arrange": target.arrange, "request": target.request}.items():
        if call is not None:
            yield from _secret_headers(environment, (*place, name, "headers"), call.headers)


def _probe(environment: Environment, probe: Probe) -> Iterator[Problem]:
    place: Pointer = ("bindings", "probe")
    targets, suites = environment.bindings.targets, environment.release.suites
    target = targets.get(probe.target)
    if target is None:
        where = (*place, "target") if "target" in environment.raw["bindings"]["probe"] else place  # type: ignore[index,call-overload,operator]
        yield unknown_value(environment.positions, where, "target", probe.target, targets)
    elif target.driver not in _NEED_ADDRESS:
        yield problem_at(
            environment.positions.of(*place),
            code="probe-without-address",
            message=f"{dotted(place)}: the target {shown(probe.target)} ({target.driver}) has no address to ask at",
            hint="name a target of the driver http or authzen",
        )
    if probe.canary_suite is not None and probe.canary_suite not in suites:
        yield unknown_value(environment.positions, (*place, "canary", "suite"), "suite", probe.canary_suite, suites)
    yield from _secret_headers(environment, (*place, "headers"), probe.headers)
    for index, question in enumerate(probe.questions):
        yield from _secret_headers(environment, (*place, "questions", index, "headers"), question.call.headers)


def _secret_headers(environment: Environment, place: Pointer, headers: Mapping[str, str]) -> Iterator[Problem]:
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS and "{" not in value and not is_reference(value):
            yield _literal(environment, (*place, name), "holds a literal secret")


def _shared_address(environment: Environment, surface: str, target: Target) -> str:
    """Why `url: target:NAME` leads to no address; empty where it does, or where the url is another."""
    prefix, _, name = (target.url or "").partition(":")
    if prefix != "target":
        return ""
    other = environment.bindings.targets.get(name)
    if other is None:
        return f"there is no target {shown(name)}"
    shares = name == surface or (other.url or "").startswith("target:")
    return f"the target {shown(name)} has no address of its own" if shares or not (other.url or other.launch) else ""


def _literal(environment: Environment, pointer: Pointer, what: str) -> Problem:
    return problem_at(
        environment.positions.of(*pointer),
        code="literal-secret",
        message=f"{dotted(pointer)}: {what}",
        hint=ADVICE,
    )
