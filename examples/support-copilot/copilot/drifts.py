"""What can change under a running app: COPILOT_DRIFT=<name> switches it on. An unknown name keeps it from starting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copilot.parts import Parts
    from copilot.settings import Settings

__all__ = ["DRIFTS", "Drift", "drifted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One way in which an installation is no longer what was put there."""

    name: str
    does: str
    differs: str
    """The pin that `plangate drift` must name; `model` where no pin tells."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    """Part -> name in `copilot.faults.drifting`."""


DRIFTS: tuple[Drift, ...] = (
    Drift(
        name="older_plans",
        does="An instance was rolled back alone, and sells by the plan book of before.",
        differs="plans.support-copilot",
        settings={"plans": "3.1.0"},
    ),
    Drift(
        name="flag_left_on",
        does="A flag that no release knows was switched on by hand.",
        differs="flags.beta_router",
        settings={"flags": frozenset({"beta_router"})},
    ),
    Drift(
        name="edited_prompt",
        does="A prompt was edited on the server, under its old version.",
        differs="prompts.answer",
        parts={"prompts": "EditedPrompts"},
    ),
    Drift(
        name="newer_model",
        does="The provider serves the model's next version.",
        differs="model.version",
        parts={"model": "NewerModel"},
    ),
    Drift(
        name="model_behind_the_name",
        does="The provider put another model behind the same name and version.",
        differs="model",
        parts={"model": "OtherModel"},
    ),
    Drift(
        name="model_says_nothing",
        does="The same, and not even the provider's fingerprint changes.",
        differs="model",
        parts={"model": "QuietModel"},
    ),
)


def drifted(settings: Settings, parts: Parts) -> tuple[Settings, Parts]:
    """Both, with the drift that `settings` names. Raises ValueError for an unknown one."""
    if not settings.drift:
        return settings, parts
    drift = next((each for each in DRIFTS if each.name == settings.drift), None)
    if drift is None:
        known = ", ".join(each.name for each in DRIFTS)
        raise ValueError(f"COPILOT_DRIFT={settings.drift}: there is no such drift (known: {known})")
    from copilot.faults import drifting

    flags = settings.flags | drift.settings.get("flags", frozenset())
    changed = replace(settings, **{**drift.settings, "flags": flags})
    return changed, replace(parts, **{part: getattr(drifting, name) for part, name in drift.parts.items()})
