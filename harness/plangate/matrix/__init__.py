"""The matrix: every cell a suite asks for, its id, what of the space is covered, and the request each cell stands for.

Names are loaded when first asked for: much of plangate needs only `Cell`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plangate.matrix.cell import AxisValue, Cell
    from plangate.matrix.coverage import Coverage
    from plangate.matrix.expansion import Matrix, expand
    from plangate.matrix.request_shape import evaluation_request
    from plangate.matrix.shards import in_shard, parse_shard
    from plangate.matrix.table import TableEntry, decision_table

__all__ = [
    "AxisValue",
    "Cell",
    "Coverage",
    "Matrix",
    "TableEntry",
    "decision_table",
    "evaluation_request",
    "expand",
    "in_shard",
    "parse_shard",
]

_MODULES = {
    "cell": ("AxisValue", "Cell"),
    "coverage": ("Coverage",),
    "expansion": ("Matrix", "expand"),
    "request_shape": ("evaluation_request",),
    "shards": ("in_shard", "parse_shard"),
    "table": ("TableEntry", "decision_table"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
