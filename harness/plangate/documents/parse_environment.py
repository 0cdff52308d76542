"""Validated values -> Environment."""

from __future__ import annotations

from typing import Any

from plangate.documents.catalog import Lane
from plangate.documents.environment import (
    Bindings,
    DataSource,
    DecideRule,
    Environment,
    GateSpec,
    HttpCall,
    Launch,
    LimitPaths,
    ModelPin,
    Policy,
    Probe,
    Promotion,
    Question,
    Release,
    Target,
    Tier,
)
from plangate.documents.positions import Positions

__all__ = ["parse_bindings", "parse_environment"]


def parse_environment(raw: dict[str, Any], positions: Positions) -> Environment:
    """The environment in `raw`, which must satisfy the Environment schema."""
    metadata = raw["metadata"]
    return Environment(
        name=metadata["name"],
        revision=metadata["revision"],
        tier=Tier(metadata["tier"]),
        release=_release(raw["release"]),
        bindings=parse_bindings(raw["bindings"]),
        gates=tuple(_gate(part) for part in raw.get("gates", ())),
        promotion=_promotion(raw.get("promotion", {})),
        raw=raw,
        positions=positions,
    )


def parse_bindings(raw: dict[str, Any]) -> Bindings:
    """The bindings in `raw`, which must satisfy the `bindings` part of the Environment schema."""
    policy = raw.get("policy", {})
    return Bindings(
        targets={surface: _target(part) for surface, part in raw["targets"].items()},
        data=tuple(_source(part) for part in raw.get("data", ())),
        identity=raw.get("identity", {}),
        secrets=raw.get("secrets", {}),
        policy=Policy(
            max_steps=policy.get("max_steps"),
            regions=tuple(policy.get("regions", ())),
            denied=tuple(policy.get("denied", ())),
            lanes={capability: Lane(lane) for capability, lane in policy.get("lanes", {}).items()},
        ),
        region=raw.get("region"),
        probe=_probe(raw["probe"]) if "probe" in raw else None,
        code=tuple(raw.get("code", ())),
        cache=raw.get("cache", False),
    )


def _source(raw: dict[str, Any]) -> DataSource:
    return DataSource(name=raw["name"], data_class=raw["class"], region=raw.get("region"))


def _probe(raw: dict[str, Any]) -> Probe:
    canary = raw.get("canary", {})
    return Probe(
        target=raw.get("target", "default"),
        path=raw["path"],
        headers=raw.get("headers", {}),
        parts=raw.get("parts", {}),
        untold=tuple(raw.get("untold", ())),
        canary_suite=canary.get("suite"),
        canary_cells=canary.get("cells", 100),
        questions=tuple(Question(call=_call(part), read=part["read"]) for part in raw.get("questions", ())),
    )


def _release(raw: dict[str, Any]) -> Release:
    app, model = raw["app"], raw.get("model")
    return Release(
        app_name=app["name"],
        app_version=app["version"],
        app_digest=app.get("digest"),
        model=None if model is None else _model(model),
        plans=raw["plans"],
        suites=raw["suites"],
        prompts=raw.get("prompts", {}),
        tools=raw.get("tools", {}),
        retrieval=raw.get("retrieval", {}),
        flags=raw.get("flags", {}),
    )


def _model(raw: dict[str, Any]) -> ModelPin:
    return ModelPin(
        provider=raw["provider"],
        name=raw["name"],
        version=raw["version"],
        digest=raw.get("digest"),
        parameters=raw.get("parameters", {}),
    )


def _target(raw: dict[str, Any]) -> Target:
    launch = raw.get("launch")
    return Target(
        driver=raw["driver"],
        object=raw.get("object"),
        url=raw.get("url"),
        command=tuple(raw.get("command", ())),
        launch=_launch(launch) if launch is not None else None,
        headers=raw.get("headers", {}),
        arrange=_call(raw["arrange"]) if "arrange" in raw else None,
        request=_call(raw["request"]) if "request" in raw else None,
        decide=tuple(_decide(part) for part in raw.get("decide", ())),
        timeout_s=float(raw.get("timeout_s", 10.0)),
        batch=raw.get("batch"),
        ca=raw.get("ca"),
        proxy=raw.get("proxy"),
        http=raw.get("http"),
        options=raw.get("options", {}),
    )


def _launch(raw: dict[str, Any]) -> Launch:
    return Launch(
        command=tuple(raw["command"]),
        ready=raw.get("ready"),
        timeout_s=float(raw.get("timeout_s", 20.0)),
        env=raw.get("env", {}),
    )


def _call(raw: dict[str, Any]) -> HttpCall:
    return HttpCall(method=raw["method"], path=raw["path"], json=raw.get("json"), headers=raw.get("headers", {}))


def _decide(raw: dict[str, Any]) -> DecideRule:
    when = raw.get("when", {})
    status = when.get("status", ())
    return DecideRule(
        statuses=(status,) if isinstance(status, int) else tuple(status),
        json=when.get("json", {}),
        effect=raw["effect"],
        reason=raw.get("reason"),
        limit=LimitPaths(**raw["limit"]) if "limit" in raw else None,
    )


def _gate(raw: dict[str, Any]) -> GateSpec:
    return GateSpec(
        suite=raw["suite"], allow=raw.get("allow", {}), max_age=raw.get("max_age"), mode=raw.get("mode", "require")
    )


def _promotion(raw: dict[str, Any]) -> Promotion:
    origin = raw.get("from", [])
    mode = next(iter(origin)) if isinstance(origin, dict) else "all"
    approvals = raw.get("approvals", {})
    return Promotion(
        sources=tuple(origin[mode] if isinstance(origin, dict) else origin),
        sources_mode=mode,
        approvals_count=approvals.get("count", 0),
        approval_roles=tuple(approvals.get("roles", ())),
        soak=raw.get("soak"),
        windows=raw.get("windows", {}),
    )
