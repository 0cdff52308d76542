"""Environment: one release, the bindings it runs with here, and what may enter (documents.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plangate.documents.catalog import Lane
from plangate.documents.positions import Positions

__all__ = [
    "Bindings",
    "DataSource",
    "DecideRule",
    "Environment",
    "GateSpec",
    "HttpCall",
    "Json",
    "Launch",
    "LimitPaths",
    "ModelPin",
    "Policy",
    "Probe",
    "Promotion",
    "Question",
    "Release",
    "Target",
    "Tier",
]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value, where a document carries one that plangate passes on unread (templates, flags, parameters)."""


class Tier(StrEnum):
    """Whether real customers are behind an environment."""

    NONPRODUCTION = "nonproduction"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPin:
    """The model a release answers with."""

    provider: str
    name: str
    version: str
    digest: str | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Pins of everything that is promoted as one unit. Names map to exact versions."""

    app_name: str
    app_version: str
    app_digest: str | None = None
    model: ModelPin | None = None
    """None only where the release has no prompts: an app without a model."""
    plans: Mapping[str, str]
    suites: Mapping[str, int]
    prompts: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    retrieval: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Json] = field(default_factory=dict)

    @property
    def model_text(self) -> str:
        """Name and version of the model, as reports show it."""
        return f"{self.model.name} {self.model.version}" if self.model else "no model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How the harness starts a system under test. `command` runs in the workspace; `python` is this interpreter."""

    command: tuple[str, ...]
    ready: str | None = None
    """HTTP path that answers 2xx once the app is up."""
    timeout_s: float = 20.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """A templated HTTP request (documents.md, Templates)."""

    method: str
    path: str
    json: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPaths:
    """Where an answer tells the limit it came from: each a `$.path`, a JSON pointer, or the value itself."""

    name: str
    limit: str | int
    remaining: str | int
    resets_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRule:
    """How one kind of answer reads as a decision. First match wins; no match is an error, never a decision."""

    statuses: tuple[int, ...] = ()
    """Empty = any status."""
    json: Mapping[str, Json] = field(default_factory=dict)
    """JSON pointer or `$.dotted.path` -> value it must equal."""
    effect: str
    """An effect, or `$.path` into the answer."""
    reason: str | None = None
    """A reason, or `$.path` into the answer."""
    limit: LimitPaths | None = None
    """None = answers that this rule reads tell no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a surface is reached through. Which fields matter depends on `driver`."""

    driver: str
    object: str | None = None
    """python, asgi: `module:name`."""
    url: str | None = None
    """http, authzen: an address or `env:NAME`; may be left out where `launch` picks a free port."""
    command: tuple[str, ...] = ()
    """command: the process that answers a line for a line."""
    launch: Launch | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    arrange: HttpCall | None = None
    request: HttpCall | None = None
    decide: tuple[DecideRule, ...] = ()
    timeout_s: float = 10.0
    batch: int | None = None
    """authzen: evaluations in one call at the most; None = what the driver finds best, 1 = single calls only."""
    ca: str | None = None
    """http, authzen: a PEM file with authorities to trust beside the system's; relative to the workspace."""
    proxy: str | None = None
    """http, authzen: `env` = through the proxy that HTTPS_PROXY and the like name; None = directly."""
    http: str | None = None
    """http, authzen: the version of HTTP that is spoken, `1.1` or `2`; None = 1.1."""
    options: Mapping[str, Json] = field(default_factory=dict)
    """For drivers of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A source of data an environment reads, and its class: test | synthetic | production."""

    name: str
    data_class: str
    region: str | None = None
    """Where it lies; None = where the environment runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an environment tightens. It can never widen a plan."""

    max_steps: int | None = None
    regions: tuple[str, ...] = ()
    """The only ones in which app and data may be; empty = any."""
    denied: tuple[str, ...] = ()
    lanes: Mapping[str, Lane] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something the model is asked word for word, so that another one behind the same name shows."""

    call: HttpCall
    read: str
    """`$.path` of the words in the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How a running app is asked what it runs."""

    target: str
    """Surface whose address is asked."""
    path: str
    """GET there answers with JSON in the shape of release.lock."""
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    """Part of the release -> `$.path` in the answer, where it stands elsewhere."""
    untold: tuple[str, ...] = ()
    """Pins that the app cannot tell: `tools`, `model.parameters`."""
    canary_suite: str | None = None
    """None = the first gate's."""
    canary_cells: int = 100
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """What belongs to one environment and is never promoted."""

    targets: Mapping[str, Target]
    """Surface name -> target; `default` serves the rest."""
    data: tuple[DataSource, ...] = ()
    identity: Mapping[str, Json] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Name -> reference (`env:NAME` or `file:PATH`), never a literal."""
    policy: Policy = Policy()
    region: str | None = None
    probe: Probe | None = None
    code: tuple[str, ...] = ()
    """Files and folders of the workspace that are the app's code; empty = all that may be."""
    cache: bool = False
    """Whether a run may take observations from an earlier run with the same key (rule R10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """A suite whose verdict an environment demands before a release may enter."""

    suite: str
    allow: Mapping[str, Json] = field(default_factory=dict)
    max_age: str | None = None
    mode: str = "require"
    """off | warn | require"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Where a release may come from and what it needs on the way (ISO 8601 durations)."""

    sources: tuple[str, ...] = ()
    sources_mode: str = "all"
    """all | any"""
    approvals_count: int = 0
    approval_roles: tuple[str, ...] = ()
    soak: str | None = None
    windows: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One place a release runs."""

    name: str
    revision: int
    tier: Tier
    release: Release
    bindings: Bindings
    gates: tuple[GateSpec, ...] = ()
    promotion: Promotion = Promotion()
    raw: Mapping[str, Json] = field(default_factory=dict, compare=False, repr=False)
    """The document as read, for digests: what was pinned, not what plangate understood of it."""
    positions: Positions = field(default=Positions(""), compare=False, repr=False)
