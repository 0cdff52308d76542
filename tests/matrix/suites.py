"""Suites for tests, from the words that a document would use, and random ones that span random axes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from plangate.documents.suite import AxisSpec, Suite

__all__ = ["FULL", "TARGETS", "axes_of", "spans", "suite_of"]

TARGETS = ("default",)

FULL: dict[str, Any] = {
    "plan": "all+unknown",
    "state": "all+unknown",
    "capability": "all+unknown",
    "surface": "all",
    "usage": "boundary",
    "setting": "boundary",
    "addon": "all",
    "quantity": [1, 3, None],
    "consent": "boundary",
    "linked": [True, False],
    "override": "boundary",
    "cost": "more",
    "phrasing": {"file": "phrasings/attacks.txt"},
}
"""Every axis at its widest."""

PHRASINGS = ("please", 'now! "quoted" \\ and \u2028 more', "Ünïcode 😀")


def suite_of(axes: dict[str, Any], **others: Any) -> Suite:
    """A suite that spans `axes`, each written as a suite file writes it."""
    return Suite(
        **{
            "name": "gating",
            "version": 1,
            "type": "gating",
            "axes": axes_of(axes),
            "phrasings": PHRASINGS if "phrasing" in axes else (),
            **others,
        }
    )


def axes_of(axes: dict[str, Any]) -> dict[str, AxisSpec]:
    """Axes as documents hold them."""
    return {name: _spec(asked) for name, asked in axes.items()}


def _spec(asked: Any) -> AxisSpec:
    if isinstance(asked, dict):
        return AxisSpec(file=asked["file"])
    return AxisSpec(values=tuple(asked)) if isinstance(asked, list) else AxisSpec(word=asked)


def spans(*, most: int = 5) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the axes of FULL, so that a matrix stays small; plan, state and capability are asked for in any way."""
    chosen = st.lists(st.sampled_from(sorted(FULL)), max_size=most, unique=True)
    return chosen.map(lambda names: {"plan": "all", "capability": "all", **{name: FULL[name] for name in names}})
