"""Shards into one run: the set union of their cells, refused where they are not parts of the same whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from plangate.errors import InputError
from plangate.store.documents import SuiteRecord, ran_of, with_ran
from plangate.store.reader import StoredRun
from plangate.store.schema import connect, guarded
from plangate.store.writer import RunWriter
from plangate.verdicts.ran import AS_DECLARED, DIFFERS, Ran
from plangate.verdicts.result import RunHeader

__all__ = ["merge_runs"]


def merge_runs(parts: Sequence[Path], target: Path, *, run: str) -> None:
    """Write the union of shard runs to `target`, as run `run`.

    Raises InputError where the parts are of different releases, environments or suites, where a shard is missing, or
    where one is not finished: a union with holes would not be the expected set (rule R2).
    """
    headers, suites = _read(parts)
    _require_same(headers, suites)
    _require_all_shards(headers)
    header = with_ran(headers[0], _ran(headers))
    header = replace(
        header,
        run=run,
        shard="",
        started=min(header.started for header in headers),
        finished="",
        stopped="",
        app_output=0,
        reused_from=", ".join(dict.fromkeys(one.reused_from for one in headers if one.reused_from)),
        code=_shared([one.code for one in headers]),
        surroundings=_shared([one.surroundings for one in headers]),
    )
    writer = RunWriter.create(target, header)
    try:
        with guarded(target):
            merged = [
                replace(one, cells=sum(of_part[place].cells for of_part in suites))
                for place, one in enumerate(suites[0])
            ]
            writer.add_suites(merged)
            for part in parts:
                _copy(writer, part)
        finished = max(one.finished for one in headers)
        writer.finish(finished=finished, duration_s=sum(one.duration_s for one in headers))
    except BaseException:
        writer.discard()
        raise
    writer.close()


def _ran(headers: Sequence[RunHeader]) -> Ran:
    """What is known of what ran: of other code than the first shard's ran another app, unless each was checked.

    A leak that a shard found still fails the whole; nothing in it can be a pass (rule R14).
    """
    ran, first = Ran.of_parts([ran_of(one) for one in headers]), headers[0]
    if ran.state == AS_DECLARED:
        return ran
    others = tuple(
        f"the app's code in the workspace: shard {one.shard} ran other files or packages than shard {first.shard}"
        for one in headers
        if one.code != first.code
    )
    return Ran(state=DIFFERS, differences=ran.differences + others, told=ran.told) if others else ran


def _shared(digests: Sequence[str]) -> str:
    """The digest that all shards have, or one that no run has: nothing is taken from a union of several (rule R10)."""
    return digests[0] if len(set(digests)) == 1 else "several"


def _read(parts: Sequence[Path]) -> tuple[list[RunHeader], list[tuple[SuiteRecord, ...]]]:
    headers, suites = [], []
    for part in parts:
        with StoredRun(part) as stored:
            headers.append(stored.header)
            suites.append(stored.suites)
    return headers, suites


def _require_same(headers: Sequence[RunHeader], suites: Sequence[tuple[SuiteRecord, ...]]) -> None:
    for header, of_part in zip(headers[1:], suites[1:], strict=True):
        first = headers[0]
        for name in ("environment", "release", "effective", "selection"):
            if getattr(header, name) != getattr(first, name):
                raise _refused(f"{header.run} is of another {name} than {first.run}")
        if [_shape(one) for one in of_part] != [_shape(one) for one in suites[0]]:
            raise _refused(f"{header.run} ran other suites, seeds or repeats than {first.run}")


def _shape(suite: SuiteRecord) -> str:
    return json.dumps({**json.loads(suite.to_json()), "cells": 0}, sort_keys=True)


def _require_all_shards(headers: Sequence[RunHeader]) -> None:
    unfinished = [header.run for header in headers if not header.finished]
    if unfinished:
        raise _refused(f"{', '.join(unfinished)} has not finished")
    shards = [header.shard for header in headers]
    total = shards[0].partition("/")[2]
    expected = {f"{number}/{total}" for number in range(1, int(total or 0) + 1)}
    if not total or set(shards) != expected or len(shards) != len(expected):
        missing = ", ".join(sorted(expected - set(shards))) or "none"
        raise _refused(f"the runs are shards {', '.join(shard or 'none' for shard in shards)}; missing: {missing}")


def _refused(why: str) -> InputError:
    return InputError(f"these runs are not the shards of one run: {why}", code="not-mergeable", hint="`plangate runs`")


def _copy(writer: RunWriter, part: Path) -> None:
    connection = connect(part)
    try:
        expectations = {
            number: writer.number_of_expectation(key)
            for number, key in connection.execute("SELECT number, key FROM expectations")
        }
        outcomes = {
            number: writer.number_of_outcome(tuple(json.loads(key)))
            for number, key in connection.execute("SELECT number, key FROM outcomes")
        }
        cells = connection.execute("SELECT number, digest, expected, axes FROM cells")
        while batch := cells.fetchmany(5_000):
            with writer.transaction():
                writer.add_cells([(number, digest, expectations[one], axes) for number, digest, one, axes in batch])
        observations = connection.execute("SELECT cell, pass, outcome, latency_us, retries FROM observations")
        while batch := observations.fetchmany(5_000):
            writer.add_observations([(cell, one, outcomes[out], us, again) for cell, one, out, us, again in batch])
        writer.add_observations([], details=connection.execute("SELECT cell, pass, text FROM details"))
    finally:
        connection.close()
