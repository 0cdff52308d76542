"""The decision rules D1 to D11 in one sentence each (domain.md section 2), for reports that explain a decision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["RULES"]

RULES: Mapping[str, str] = MappingProxyType(
    {
        "D1": "The catalog has no such capability.",
        "D2": "The capability is prohibited for everybody.",
        "D3": "The tenant is not linked.",
        "D4": "The subscription's state does not retain this capability.",
        "D5": "The catalog has no such plan.",
        "D6": "Neither plan, add-on nor a live override grants it, or an override revokes it.",
        "D7": "A scope that the capability needs is not consented at the needed level.",
        "D8": "A setting that was asked for is beyond the plan.",
        "D9": "Usage and cost together exceed the limit.",
        "D10": "The capability's lane asks for an approval.",
        "D11": "The plan grants it.",
    }
)
