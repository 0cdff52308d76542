"""What a suite, a prompt and a trust policy must mean, beyond their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from plangate.documents.problems import problem_at, unknown_value
from plangate.documents.prompt import Prompt
from plangate.documents.requirements import covers_problems
from plangate.documents.suite import Suite
from plangate.documents.trust import Trust
from plangate.documents.wording import did_you_mean, shown
from plangate.errors import Problem

__all__ = ["prompt_problems", "suite_problems", "trust_problems"]

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def suite_problems(suite: Suite) -> Iterator[Problem]:
    """What is wrong with `suite` as a whole: ids it does not show, settings of determinism that its repeats never
    reach. Total.
    """
    yield from covers_problems(suite)
    determinism = suite.determinism
    needed = {
        "orders": len(determinism.orders),
        "concurrency": len(determinism.concurrency),
        "processes": determinism.processes,
    }
    for name, count in needed.items():
        if determinism.repeats < count:
            yield problem_at(
                suite.positions.of("determinism", name),
                code="determinism-unused",
                message=f"determinism.{name}: {count} are named, but each cell is observed {determinism.repeats} times",
                hint=f"write repeats: {max(needed.values())}, or name fewer",
                severity="warning",
            )


def prompt_problems(prompt: Prompt) -> Iterator[Problem]:
    """Placeholders that are not declared, declared ones that the template does not use, a template without words."""
    place = prompt.positions.of()
    if not prompt.template.strip():
        yield problem_at(
            place, code="empty-template", message="the template is empty", hint="write it after the second ---"
        )
    used = dict.fromkeys(_PLACEHOLDER.findall(prompt.template))
    for name in used:
        if name not in prompt.variables:
            hint = did_you_mean(name, prompt.variables) or f"add it to variables: [{name}]"
            message = f"the template uses {shown(name)}, which variables does not declare"
            yield problem_at(prompt.positions.of("variables"), code="unknown-name", message=message, hint=hint)
    for index, name in enumerate(prompt.variables):
        if name not in used:
            yield problem_at(
                prompt.positions.of("variables", index),
                code="unused-name",
                message=f"variables: the template does not use {shown(name)}",
                hint="remove it, or use it",
                severity="warning",
            )


def trust_problems(trust: Trust) -> Iterator[Problem]:
    """Roles that name keys which are not there, thresholds that cannot be met, keys without a role."""
    held: set[str] = set()
    for name, role in trust.roles.items():
        held.update(role.keys)
        for index, key in enumerate(role.keys):
            if key not in trust.keys:
                yield unknown_value(trust.positions, ("roles", name, "keys", index), "key", key, trust.keys)
        owners = {trust.keys[key].owner for key in role.keys if key in trust.keys}
        if role.threshold > len(owners):
            yield problem_at(
                trust.positions.of("roles", name, "threshold"),
                code="threshold-not-met",
                message=f"roles.{name}.threshold: {role.threshold} must sign, but its keys belong to {len(owners)}",
                hint="lower it, or add keys of other owners",
            )
    for name in trust.keys:
        if name not in held:
            yield problem_at(
                trust.positions.of_key("keys", name),
                code="unused-name",
                message=f"keys.{name}: no role holds it",
                hint="remove it, or give it a role",
                severity="warning",
            )
