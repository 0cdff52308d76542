"""A comparison is judged by the median of what each round says, not by the luckiest round of each side."""

from __future__ import annotations

import itertools

from benchmarks.paired import Spread, in_turn, ratios


def test_the_median_of_the_rounds_ratios_counts_and_not_the_best_of_each_side() -> None:
    rounds = [
        {"ours": {"per_s": 50.0}, "theirs": {"per_s": 100.0}},
        {"ours": {"per_s": 90.0}, "theirs": {"per_s": 150.0}},
        {"ours": {"per_s": 100.0}, "theirs": {"per_s": 125.0}},
    ]
    assert ratios(rounds, "ours", "theirs", by="per_s") == Spread(median=0.6, least=0.5, most=0.8)


def test_sides_take_turns() -> None:
    clock = itertools.count()
    rounds = in_turn(2, {"a": lambda: next(clock), "b": lambda: next(clock)})
    assert rounds == [{"a": 0, "b": 1}, {"a": 2, "b": 3}]


def test_a_figure_shows_least_and_most_beside_the_median() -> None:
    assert Spread.of([0.61, 0.5, 0.55]).told(".2f", " x") == "0.55 x (0.50 to 0.61)"


def test_one_round_has_no_spread() -> None:
    assert Spread.of([1234.0]).told(",.0f", "/s") == "1,234/s"
