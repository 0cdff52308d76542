"""One proposal from a workspace's files and ledger: candidate, plan, and what it still needs; and what is done with it.

The clock comes in as `now` (RFC 3339 UTC). It never counts for less than the ledger's own last entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from plangate.documents.catalog import PlanCatalog
from plangate.documents.environment import Environment
from plangate.documents.kinds import Kind
from plangate.documents.prompt import Prompt
from plangate.documents.wording import shown
from plangate.documents.workspace import Workspace
from plangate.errors import InputError
from plangate.promotion.candidate import Candidate, promoted, restored
from plangate.promotion.graph import choose_source, require_acyclic
from plangate.promotion.plan import PromotionPlan, Readiness, make_plan
from plangate.promotion.readiness import Source, readiness
from plangate.promotion.record import Record
from plangate.promotion.state import State
from plangate.promotion.unmet import Unmet, instant
from plangate.releases.release import identify

__all__ = ["Proposal", "catalog_digests", "keep_plan", "kept_plan", "propose", "propose_again", "propose_rollback"]

_NOBODY: Final = Unmet(
    "P1", "there is no trust policy, envs/trust.yaml: no result and no approval can be believed", "trust"
)
_PLAN: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A candidate with its plan."""

    workspace: Workspace
    candidate: Candidate
    plan: PromotionPlan
    sources: Mapping[str, Source]

    def readiness(self, record: Record | None, *, now: str, requester: str | None = None) -> Readiness:
        """What is missing at `now`, or at the ledger's last entry where the clock is behind it.

        Without a record (there is no trust policy) everything is: nobody's word counts.
        """
        last_at = record.last_at if record else ""
        found = readiness(
            self.plan,
            self.candidate.environment,
            state=record.state if record else State(),
            sources=self.sources,
            now=max(instant(now), instant(last_at)) if last_at else instant(now),
            requester=requester,
        )
        return found if record else replace(found, missing=(_NOBODY, *found.missing))


def propose(workspace: Workspace, name: str, *, source: str | None) -> Proposal:
    """The release of `source` (None: the first declared one) for `name`. Raises InputError."""
    target = workspace.environment(name)
    require_acyclic({one: workspace.environment(one).promotion.sources for one in workspace.environment_names()})
    chosen = choose_source(target, source)
    candidate = promoted(workspace, name, source=chosen)
    sources = {one: _source(workspace, one) for one in target.promotion.sources}
    return _proposal(workspace, candidate, sources)


def propose_rollback(workspace: Workspace, name: str, *, revision: int | None) -> Proposal:
    """The release of an earlier revision for `name`. Raises InputError."""
    return _proposal(workspace, restored(workspace, name, revision=revision), {})


def propose_again(workspace: Workspace, digest: str) -> Proposal:
    """The proposal that a plan's digest names, made anew from today's documents.

    Raises InputError `no-such-plan` where no plan of this digest was printed here, `plan-changed` where the same
    question has another answer today: what was approved is then no more.
    """
    asked = kept_plan(workspace, digest)
    name = asked["environment"]
    if asked["kind"] == "rollback":
        proposal = propose_rollback(workspace, name, revision=int(asked["revision"]))
    else:
        proposal = propose(workspace, name, source=asked["source"])
    if proposal.plan.digest != digest:
        raise InputError(
            f"this plan is no longer what would happen: documents, bindings or {name}'s revision changed since",
            code="plan-changed",
            where=digest[:19],
            hint=f"`plangate promote {name}` shows the plan as it is now; it needs approvals of its own",
        )
    return proposal


def keep_plan(proposal: Proposal) -> None:
    """Remember which question a plan answers, so that its digest alone names it to approve, reject and apply."""
    plan = proposal.plan
    folder = proposal.workspace.root / ".plangate" / "plans"
    folder.mkdir(parents=True, exist_ok=True)
    asked = {
        "environment": plan.environment,
        "kind": plan.kind,
        "source": plan.source,
        "revision": str(plan.source_revision),
    }
    (folder / f"{plan.digest.removeprefix('sha256:')}.json").write_text(json.dumps(asked) + "\n", encoding="utf-8")


def kept_plan(workspace: Workspace, digest: str) -> Mapping[str, str]:
    """Which question the plan of this digest answers. Raises InputError `no-such-plan`."""
    path = workspace.root / ".plangate" / "plans" / f"{digest.removeprefix('sha256:')}.json"
    try:
        asked = json.loads(path.read_bytes()) if _PLAN.fullmatch(digest) else None
    except (OSError, ValueError):
        asked = None
    if isinstance(asked, dict) and asked.keys() >= {"environment", "kind", "source", "revision"}:
        return {str(name): str(value) for name, value in asked.items()}
    raise InputError(
        f"there is no plan {shown(digest)}",
        code="no-such-plan",
        hint="`plangate promote ENV` prints the plan and its digest: sha256: and 64 hexadecimal digits",
    )


def catalog_digests(workspace: Workspace, environment: Environment) -> dict[str, str]:
    """Plan catalog -> digest of its file, for the catalogs that a release pins."""
    plans = environment.release.plans
    return {name: workspace.document(Kind.PLAN_CATALOG, name, version).digest for name, version in plans.items()}


def _source(workspace: Workspace, name: str) -> Source:
    manifest = workspace.environment(name)
    return manifest, identify(workspace, manifest)


def _proposal(workspace: Workspace, candidate: Candidate, sources: Mapping[str, Source]) -> Proposal:
    plan = make_plan(
        candidate,
        before=_catalogs(workspace, candidate.current),
        after=_catalogs(workspace, candidate.environment),
        prompts=(_prompts(workspace, candidate.current), _prompts(workspace, candidate.environment)),
    )
    return Proposal(workspace=workspace, candidate=candidate, plan=plan, sources=sources)


def _catalogs(workspace: Workspace, environment: Environment) -> dict[str, PlanCatalog]:
    return {name: workspace.catalog(name, version) for name, version in environment.release.plans.items()}


def _prompts(workspace: Workspace, environment: Environment) -> dict[str, Prompt]:
    pins = environment.release.prompts.items()
    return {name: workspace.document(Kind.PROMPT, name, version).sound() for name, version in pins}
