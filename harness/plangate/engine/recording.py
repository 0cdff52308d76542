"""From what drivers saw to rows: numbers for outcomes, a quick look for leaks, and details of what was unexpected."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from plangate.documents.suite import JudgeMode
from plangate.engine.threads import Seen
from plangate.store.rows import OutcomeKey, outcome_key
from plangate.store.writer import ObservationRow, RunWriter
from plangate.verdicts.judge import judge_cell, leaks, told_limit
from plangate.verdicts.observation import Observed
from plangate.verdicts.result import Expected, ObservedCount, Verdict

__all__ = ["PassRecorder", "Tally"]

_AS_EXPECTED, _LEAK, _OTHER = 0, 1, 2


@dataclass(slots=True)
class Tally:
    """Counts for people while a run goes on; verdicts are read from rows."""

    observed: int = 0
    leaks: int = 0
    others: int = 0


class PassRecorder:
    """Records one pass of one suite."""

    def __init__(
        self,
        writer: RunWriter,
        *,
        first_cell: int,
        pass_number: int,
        expected_numbers: array[int],
        expectations: Mapping[int, Expected],
        mode: JudgeMode,
        tally: Tally,
    ) -> None:
        self._writer = writer
        self._first_cell = first_cell
        self._pass = pass_number
        self._expected_numbers = expected_numbers
        self._expectations = expectations
        self._mode = mode
        self._tally = tally
        self._outcomes: dict[OutcomeKey, int] = {}
        self._kinds: dict[tuple[int, int], int] = {}

    def record(self, batch: Sequence[Seen]) -> None:
        """Store and commit a batch, then count it."""
        rows: list[ObservationRow] = []
        details: list[tuple[int, int, str]] = []
        leaked = others = 0
        first, number_of_pass, expected_numbers = self._first_cell, self._pass, self._expected_numbers
        outcomes, kinds = self._outcomes, self._kinds
        for number, observed, latency_us in batch:
            if observed.limit is not None:
                # As far as it is judged: an app's own clock must not make an outcome of each answer.
                limit = told_limit(self._expectations[expected_numbers[number]].limit, observed.limit)
                observed = observed if limit is observed.limit else replace(observed, limit=limit)  # noqa: PLW2901
            key = outcome_key(observed)
            outcome = outcomes.get(key)
            if outcome is None:
                outcome = outcomes[key] = self._writer.number_of_outcome(key)
            pair = (expected_numbers[number], outcome)
            kind = kinds.get(pair)
            if kind is None:
                kind = kinds[pair] = self._kind(pair[0], observed)
            if kind:
                leaked += kind == _LEAK
                others += kind == _OTHER
                if observed.detail:
                    details.append((first + number, number_of_pass, observed.detail))
            rows.append((first + number, number_of_pass, outcome, latency_us, observed.retries))
        rows.sort()  # neighbours lie in one page of the file, also where a pass is shuffled
        self._writer.add_observations(rows, details=details)
        self._tally.observed += len(rows)
        self._tally.leaks += leaked
        self._tally.others += others

    def _kind(self, expected_number: int, observed: Observed) -> int:
        expected = self._expectations[expected_number]
        one = ObservedCount(
            effect=observed.effect, reason=observed.reason, limit=observed.limit, fault=observed.fault, count=1
        )
        if leaks(expected, one):
            return _LEAK
        return _AS_EXPECTED if judge_cell(expected, (one,), mode=self._mode)[0] is Verdict.PASS else _OTHER
