"""What an environment must mean, beyond its shape: names are declared (law L3), no secret stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from plangate.documents.environment import Environment, Probe, Target
from plangate.documents.positions import Pointer
from plangate.documents.problems import problem_at, strings_in, unknown_value
from plangate.documents.wording import dotted, shown
from plangate.errors import Problem

__all__ = ["environment_problems"]

_SECRET_NAME: Final = re.compile(r"\{secret\.([^{}]*)\}")
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
)
_LOOKS_SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"
)
_URL_PASSWORD: Final = re.compile(r"https?://[^/@\s{}]+:[^/@\s{}]+@")
_ADVICE: Final = "name it under bindings.secrets as env:NAME or file:PATH, and write {secret.NAME} here"
_NEED_ADDRESS: Final = frozenset({"http", "authzen"})


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


def _secrets(environment: Environment) -> Iterator[Problem]:
    """Names of secrets must be declared; what looks like a secret must not be written out."""
    declared = environment.bindings.secrets
    used = set()
    for pointer, text in strings_in(environment.raw):
        for name in _SECRET_NAME.findall(text):
            used.add(name)
            if name not in declared:
                yield unknown_value(environment.positions, pointer, "secret", name, declared)
        if _LOOKS_SECRET.search(text) or _URL_PASSWORD.search(text):
            yield _literal(environment, pointer, "looks like a literal secret")
    for name in declared:
        if name not in used:
            yield problem_at(
                environment.positions.of_key("bindings", "secrets", name),
                code="unused-name",
                message=f"bindings.secrets.{name}: nothing uses it",
                hint=f"remove it, or write {{secret.{name}}} where it belongs",
                severity="warning",
            )


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
        if name.lower() in _SECRET_HEADERS and "{" not in value and not value.startswith(("env:", "file:")):
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
    # The text itself is never repeated: reports and logs are read by more people than the document.
    return problem_at(
        environment.positions.of(*pointer),
        code="literal-secret",
        message=f"{dotted(pointer)}: {what}",
        hint=_ADVICE,
    )
