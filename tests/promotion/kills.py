"""Kills `promote stage --apply` at random moments: `python -m tests.promotion.kills WORKSPACE PLAN COUNT SEED`.

A process of its own, without threads, so that it may fork: each child finds everything imported already, and dies by
SIGKILL somewhere between its first and its last instruction. Prints one JSON line a kill.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import random
import shutil
import signal
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from plangate.cli import entry
from plangate.documents.workspace import Workspace
from plangate.evidence.ledger import Ledger


def apply_in_child(root: Path, plan: str) -> int:
    """Start applying; the child's process id."""
    signed = ["--key", str(root / "keys" / "alice.key"), "--as", "alice"]
    return _in_child(["promote", "stage", "--apply", plan, *signed, "-w", str(root)])


def _in_child(words: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    try:
        status = entry.program(words, standalone_mode=False)
    except BaseException:
        status = 70
    os._exit(status or 0)


def found(root: Path, *, old: bytes, new: bytes) -> dict[str, object]:
    """What lies there now, before any other command."""
    manifest = (root / "envs" / "stage.yaml").read_bytes()
    return {"manifest": {old: "old", new: "new"}.get(manifest, "half"), "promoted": promotions(root)}


def promotions(root: Path) -> int:
    """How often the ledger says that stage was promoted into."""
    ledger = Ledger(root / "evidence")
    return sum(b"attestations/promotion/" in _payload(ledger.envelope(one.digest)) for one in ledger.entries())


def _payload(envelope: bytes) -> bytes:
    from plangate.evidence.envelope import open_envelope

    return open_envelope(envelope).payload


def next_command(root: Path, plan: str) -> dict[str, object]:
    """`status` goes on with what was begun; where nothing had happened yet, the plan is applied again."""
    status = _ended(_in_child(["status", "-w", str(root)]))
    again = None
    if Workspace.open(root).environment("stage").revision == 1:
        again = _ended(apply_in_child(root, plan))
    return {"status": status, "again": again}


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(root: Path, plan: str, count: int, seed: int) -> None:
    """Measure one undisturbed run, then kill `count` others, spread over what such a run seems to take."""
    with redirect_stdout(io.StringIO()):  # what the verbs import lazily is here before anything is forked
        entry.program(["promote", "stage", "--dry-run", "-w", str(root)], standalone_mode=False)
        entry.program(["status", "-w", str(root)], standalone_mode=False)
    for module in ("plangate.cli.promoting", "plangate.promotion.apply", "plangate.evidence.ledger"):
        importlib.import_module(module)
    old = (root / "envs" / "stage.yaml").read_bytes()
    whole = Path(shutil.copytree(root, root.with_name("whole")))
    begun = time.perf_counter()
    assert _ended(apply_in_child(whole, plan)) == 0
    length = time.perf_counter() - begun
    new = (whole / "envs" / "stage.yaml").read_bytes()
    moments, reach = random.Random(seed), length
    for number in range(count):
        here = Path(shutil.copytree(root, root.with_name(f"kill-{number}")))
        child = apply_in_child(here, plan)
        time.sleep(moments.random() * reach)
        os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
        told = found(here, old=old, new=new)
        # One measured run says little on a busy machine: later kills where nothing had happened yet, earlier ones where
        # all was over.
        reach *= 1.1 if not told["promoted"] else 0.9 if os.WIFEXITED(ended) else 1.0
        told |= {"after": next_command(here, plan), "end": found(here, old=old, new=new)}
        told["damage"] = [problem.code for problem in Ledger(here / "evidence").verify()]
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        shutil.rmtree(here)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
