"""Where a release may come from: any acyclic graph of environments, fan-in by all or any. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from plangate.documents.environment import Environment
from plangate.documents.wording import listed, shown
from plangate.errors import InputError
from plangate.promotion.unmet import Unmet

__all__ = ["choose_source", "in_order", "require_acyclic", "unmet_sources"]


def require_acyclic(sources: Mapping[str, Sequence[str]]) -> None:
    """Raise InputError: `promotion-circle` where environments feed each other, `unknown-environment` for a stranger."""
    done: set[str] = set()
    for start in sorted(sources):
        path: list[str] = []
        stack = [(start, iter(sources[start]))]
        while stack:
            name, left = stack[-1]
            if name not in path:
                path.append(name)
            following = next(left, None)
            if following is None:
                stack.pop()
                path.pop()
                done.add(name)
            elif following in path:
                circle = [*path[path.index(following) :], following]
                raise InputError(
                    f"environments promote in a circle: {' from '.join(circle)}",
                    code="promotion-circle",
                    where=f"envs/{following}.yaml",
                    hint="take one of them out of promotion.from",
                )
            elif following not in sources:
                raise InputError(
                    f"{name} promotes from {shown(following)}, which is no environment",
                    code="unknown-environment",
                    where=f"envs/{name}.yaml",
                    hint=f"there are: {listed(sources)}",
                )
            elif following not in done:
                stack.append((following, iter(sources[following])))


def in_order(sources: Mapping[str, Sequence[str]]) -> list[str]:
    """The environments as releases pass them: each after those it takes from, by name among equals. Total: environments
    in a circle come by name alone."""
    graph = TopologicalSorter({name: [one for one in given if one in sources] for name, given in sources.items()})
    found: list[str] = []
    try:
        graph.prepare()
    except CycleError:
        return sorted(sources)
    while graph.is_active():
        ready = sorted(graph.get_ready())
        found += ready
        graph.done(*ready)
    return found


def choose_source(target: Environment, asked: str | None) -> str:
    """The environment whose release is taken. Raises InputError `no-source` or `not-a-source`."""
    sources = target.promotion.sources
    if not sources:
        raise InputError(
            f"{target.name} does not say where its releases come from",
            code="no-source",
            where=str(target.positions.of("promotion")),
            hint="add promotion: {from: [ENVIRONMENT]}",
        )
    if asked is not None and asked not in sources:
        raise InputError(
            f"{target.name} takes no release from {shown(asked)}",
            code="not-a-source",
            where=str(target.positions.of("promotion", "from")),
            hint=f"it takes them from: {listed(sources)}",
        )
    return asked or sources[0]


def unmet_sources(
    target: Environment, *, release: str, failing: Mapping[str, Sequence[Unmet]], present: Mapping[str, str]
) -> list[Unmet]:
    """What the sources still owe: each (or any one) must run this very release, its own gates passed.

    `present` maps each source to the release it runs, `failing` to what its gates and soak lack for it.
    """
    owed: dict[str, list[Unmet]] = {}
    for source in target.promotion.sources:
        if present.get(source) != release:
            owed[source] = [Unmet("P2", f"{source} does not run this release")]
        else:
            owed[source] = list(failing.get(source, ()))
    if target.promotion.sources_mode == "any" and any(not one for one in owed.values()):
        return []
    return [one for each in owed.values() for one in each]
