"""Faults that can be switched on with COPILOT_BUG=<name>: what each does, where it was seen, what a gate should say.

Without a name the app is what it should be. An unknown name keeps it from starting: a test that believes it is looking
at a faulty app, and is not, would prove nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from copilot.parts import Parts

__all__ = ["BUGS", "Bug", "parts_for"]

EVERYWHERE = ("dev", "stage")
OVER_HTTP = ("stage",)
NO_REPORT = "no public report found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One fault."""

    name: str
    does: str
    seen: tuple[str, ...]
    """Threads `owner/repository#number` where people met it, or the requirement it breaks where none was found."""
    verdict: str = "leak"
    """The verdict that at least one cell must get: leak, lockout, mismatch, flaky or error."""
    exit_code: int = 1
    """What `plangate run` must end with: 1, or 3 where nothing can be judged."""
    found_by: str = "gating"
    """A suite of the shipped workspace that sees it."""
    environments: tuple[str, ...] = EVERYWHERE
    """Environments of the shipped workspace in which it shows."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Part -> `module:name` under `copilot.faults` that stands in for it."""


BUGS: tuple[Bug, ...] = (
    Bug(
        name="free_gains_export",
        does="The app's own table gives free one capability too many, at every surface.",
        seen=("SaaSy-Solutions/mockforge#749", "kortix-ai/suna#4107"),
        parts={"read_plans": "rules:free_gains_export"},
    ),
    Bug(
        name="off_by_one_limit",
        does="Compares what was used, not what is being used, so the use that goes over the limit still passes.",
        seen=("flexprice/flexprice#2362",),
        parts={"entitlements": "rules:OffByOneLimit"},
    ),
    Bug(
        name="off_by_one_early",
        does="Refuses the last use that was paid for.",
        seen=("Budibase/budibase#2882", "hackclub/hcb#5940"),
        verdict="lockout",
        parts={"entitlements": "rules:OffByOneEarly"},
    ),
    Bug(
        name="unknown_plan_fails_open",
        does="A plan name that the table lacks is served as pro.",
        seen=("dcostenco/prism-coder#162", "tinyhumansai/opencompany#117"),
        parts={"entitlements": "rules:UnknownPlanFailsOpen"},
    ),
    Bug(
        name="unknown_state_fails_open",
        does="A subscription state that nobody handles counts as active.",
        seen=("yashdev9274/supercli#269", "Comfy-Org/ComfyUI_frontend#15403"),
        parts={"entitlements": "rules:UnknownStateFailsOpen"},
    ),
    Bug(
        name="unknown_capability_allowed",
        does="A capability that no table lists needs no entitlement.",
        seen=("project-arbr/arbr-control-plane#261",),
        parts={"entitlements": "rules:UnknownToolAllowed"},
    ),
    Bug(
        name="suspended_keeps_working",
        does="Checks the plan and not the subscription, so suspended customers keep everything.",
        seen=("SaaSy-Solutions/mockforge#870", "SaaSy-Solutions/mockforge#882", "Expensify/App#54506"),
        parts={"entitlements": "rules:SuspendedKeepsWorking"},
    ),
    Bug(
        name="pending_is_active",
        does="A purchase counts before it was activated.",
        seen=("kortix-ai/suna#6247", "mozilla/fxa#4069"),
        parts={"entitlements": "rules:PendingIsActive"},
    ),
    Bug(
        name="suspended_loses_own_data",
        does="A suspended customer cannot even export what is theirs.",
        seen=("linkwarden/linkwarden#1595", "denho/faved#55", "usekaneo/kaneo#1741"),
        verdict="lockout",
        parts={"entitlements": "rules:SuspendedLosesOwnData"},
    ),
    Bug(
        name="tenant_link_ignored",
        does="Serves tenants that were never linked to a subscription.",
        seen=(f"requirement T2; {NO_REPORT}",),
        found_by="pairwise",
        parts={"entitlements": "rules:TenantLinkIgnored"},
    ),
    Bug(
        name="prohibited_tool_open",
        does="A maintenance tool that no customer may reach can be called by its name.",
        seen=("lvndry/jazz#546",),
        parts={"entitlements": "rules:ProhibitedToolOpen"},
    ),
    Bug(
        name="house_policy_ignored",
        does="What this environment slows down for everybody runs at once.",
        seen=(f"requirement E22; {NO_REPORT}",),
        environments=OVER_HTTP,
        parts={"entitlements": "rules:HousePolicyIgnored"},
    ),
    Bug(
        name="consent_ignored",
        does="Permissions are shown on the consent screen and never looked at again.",
        seen=("carlos-emr/carlos#3083", "mozilla/blurts-server#1128"),
        found_by="settings",
        parts={"entitlements": "rules:ConsentIgnored"},
    ),
    Bug(
        name="user_consent_counts_as_admin",
        does="A user's consent opens what needs an administrator's.",
        seen=(f"requirement T10; {NO_REPORT}",),
        found_by="settings",
        parts={"entitlements": "rules:UserConsentCountsAsAdmin"},
    ),
    Bug(
        name="scope_widened",
        does="Every plan reaches one step further into the data than it bought.",
        seen=(f"requirement C28; {NO_REPORT}",),
        found_by="settings",
        parts={"entitlements": "rules:ScopeWidened"},
    ),
    Bug(
        name="model_tier_open",
        does="The model picker hides the large models; a request may name them all the same.",
        seen=("aprin-labs/archimedes#723",),
        found_by="settings",
        parts={"entitlements": "rules:ModelTierOpen"},
    ),
    Bug(
        name="autonomy_unbounded",
        does="The plan's step limit is advice, not a bound.",
        seen=("Science-Discovery/Aether#1236",),
        found_by="settings",
        parts={"entitlements": "rules:AutonomyUnbounded"},
    ),
    Bug(
        name="approval_lane_skipped",
        does="What should wait for a person runs at once.",
        seen=("langchain-ai/langgraph#8817",),
        parts={"entitlements": "rules:ApprovalLaneSkipped"},
    ),
    Bug(
        name="override_never_expires",
        does="A temporary grant works for ever.",
        seen=("onetimesecret/onetimesecret#3905", "vivekchand/clawmetry#4173"),
        found_by="commerce",
        parts={"entitlements": "rules:OverrideNeverExpires"},
    ),
    Bug(
        name="revoke_ignored",
        does="What was taken away from one customer keeps working, since the plan grants it.",
        seen=("openchoreo/openchoreo#4446",),
        found_by="commerce",
        parts={"entitlements": "rules:RevokeIgnored"},
    ),
    Bug(
        name="addon_stacks_twice",
        does="An add-on adds its units twice.",
        seen=("useautumn/autumn#2496", "savvi-legal/feedback#6"),
        found_by="commerce",
        parts={"entitlements": "rules:AddonStacksTwice"},
    ),
    Bug(
        name="quantity_ignored",
        does="Every seat is charged and one is granted.",
        seen=("get-engram/engram#160", "antifailure/antifailure#189"),
        verdict="lockout",
        found_by="commerce",
        parts={"entitlements": "rules:QuantityIgnored"},
    ),
    Bug(
        name="soft_limit_hard",
        does="Stops at a limit that was sold as one that keeps working.",
        seen=("SaaSy-Solutions/mockforge#762",),
        verdict="lockout",
        parts={"entitlements": "rules:SoftLimitHard"},
    ),
    Bug(
        name="wrong_reason",
        does="Tells a customer whose payment failed to buy a bigger plan.",
        seen=("khoj-ai/openpaper#31",),
        verdict="mismatch",
        parts={"entitlements": "rules:WrongReason"},
    ),
    Bug(
        name="wrong_limit_reported",
        does="Refuses at the right number and names another, without seats and add-ons.",
        seen=("christianlouis/dmarq#295",),
        verdict="mismatch",
        found_by="commerce",
        parts={"entitlements": "rules:WrongLimitReported"},
    ),
    Bug(
        name="rollout_by_python_hash",
        does="Draws rollout buckets with hash(), salted anew in every process: a restart changes the answer.",
        seen=("suitenumerique/meet#148", "Eshajha19/agri#2015", "open-feature/flagd#1737"),
        verdict="flaky",
        parts={"entitlements": "rules:RolloutByPythonHash"},
    ),
    Bug(
        name="first_answer_cached",
        does="Remembers an answer under plan and capability, as if nothing else bore on it.",
        seen=("elsa-workflows/elsa-core#7980", "nasa/Common-Metadata-Repository#991", "Systemorph/MeshWeaver#2658"),
        verdict="flaky",
        parts={"entitlements": "rules:FirstAnswerCached"},
    ),
    Bug(
        name="ui_only_check",
        does="The screen hides what a plan lacks; the address behind it is open.",
        seen=("PostHog/posthog#48312", "Lonli-Lokli/uk-travel-history#118"),
        environments=OVER_HTTP,
        parts={"api": "surfaces:UiOnlyApi"},
    ),
    Bug(
        name="tool_boundary_unchecked",
        does="The tool list is filtered by plan, the tool call is not.",
        seen=("envoyproxy/ai-gateway#1281", "speakeasy-api/gram#2464"),
        environments=OVER_HTTP,
        parts={"boundary": "surfaces:UncheckedBoundary"},
    ),
    Bug(
        name="orchestration_trusts_model",
        does="Whatever tool the model calls is run, since it was shown only the customer's tools.",
        seen=("nugget/thane-ai-agent#369", "mastra-ai/mastra#13949"),
        environments=OVER_HTTP,
        parts={"agent": "surfaces:TrustingAgent"},
    ),
    Bug(
        name="prompt_as_gate",
        does="The plan stands in the prompt and the model keeps to it, until somebody finds the right words.",
        seen=("anthropics/claude-code#13638", "disruptio-org/sotheby-s#16"),
        found_by="attacks",
        environments=OVER_HTTP,
        parts={"agent": "surfaces:PromptGatedAgent", "model": "surfaces:PersuadableModel"},
    ),
    Bug(
        name="cached_plan",
        does="The plan is read when a connection signs in, and kept for whatever comes over it.",
        seen=("koala73/worldmonitor#8279", "onetimesecret/onetimesecret#4312"),
        environments=OVER_HTTP,
        parts={"api": "surfaces:SessionApi", "gate": "surfaces:SessionGate"},
    ),
    Bug(
        name="wrong_tenant_under_concurrency",
        does="The present tenant is kept in one place for all requests: two at once, and one is judged as the other.",
        seen=("Cognipeer/console#163", "spring-projects/spring-data-examples#686"),
        verdict="flaky",
        environments=OVER_HTTP,
        parts={"api": "surfaces:CurrentTenantApi"},
    ),
    Bug(
        name="batch_by_subject_only",
        does="A batch is sorted by subject and decided once for each: all items of one subject get its first answer.",
        seen=(f"Cerbos 0.51.0 and 0.55.0, AuthZEN batches, measured; {NO_REPORT}", "openid/authzen#162"),
        verdict="flaky",  # which item of a subject comes first depends on the order
        found_by="commerce",
        environments=OVER_HTTP,
        parts={"decision_point": "surfaces:BatchBySubject"},
    ),
    Bug(
        name="hangs",
        does="One request waits for a lock that nobody releases.",
        seen=("UKGovernmentBEIS/inspect_ai#5165", "promptfoo/promptfoo#7527"),
        verdict="error",
        exit_code=3,
        environments=OVER_HTTP,
        parts={"api": "running:HangingApi"},
    ),
    Bug(
        name="crashes_mid_run",
        does="The process dies after a while.",
        seen=("promptfoo 0.123.1, measured: a dead server costs 80 s of retries for each cell",),
        verdict="error",
        exit_code=3,
        environments=OVER_HTTP,
        parts={"api": "running:DyingApi"},
    ),
    Bug(
        name="malformed_decision",
        does="For one capability the answer is no decision: a maintenance page with status 200, `yes` for true.",
        seen=("llama_cpp.server 0.3.36, measured: an unknown model is answered with 200",),
        verdict="error",
        exit_code=3,
        parts={"api": "running:MaintenancePageApi", "decision_point": "running:WordyDecisionPoint"},
    ),
)


def parts_for(name: str) -> Parts:
    """The app's parts, with one fault among them where `name` says so. Raises ValueError for an unknown name."""
    if not name:
        return Parts()
    bug = next((each for each in BUGS if each.name == name), None)
    if bug is None:
        known = ", ".join(sorted(each.name for each in BUGS))
        raise ValueError(f"COPILOT_BUG={name}: there is no such fault (known: {known})")
    return replace(Parts(), **{part: _load(part, where) for part, where in bug.parts.items()})


def _load(part: str, where: str) -> Any:
    module, _, name = where.partition(":")
    if part == "api":  # loaded by whoever serves HTTP
        return f"copilot.faults.{where}"
    return getattr(import_module(f"copilot.faults.{module}"), name)
