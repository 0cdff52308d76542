"""`plangate ledger`: whole is exit 0, anything changed is exit 4."""

from __future__ import annotations

import json
from pathlib import Path

from plangate.evidence.envelope import seal
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import PROMOTION, Statement, subjects_of
from tests.cli.shops import make_shop, plangate


def _recorded(root: Path) -> Path:
    make_shop(root)
    key = generate()
    ledger = Ledger(root / "evidence")
    for number in range(3):
        subjects = subjects_of("sha256:" + "ab" * 32, environment="dev", effective="sha256:" + "cd" * 32)
        statement = Statement(subjects=subjects, predicate_type=PROMOTION, predicate={"number": number})
        ledger.append(seal(statement, key=key), key=key, at=f"2026-01-0{number + 1}T00:00:00Z")
    return root


def test_a_whole_ledger_verifies(tmp_path: Path) -> None:
    done = plangate("ledger", "verify", "--json", cwd=_recorded(tmp_path))
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"], document["size"], document["problems"]) == (0, True, 3, [])
    assert document["root"] == f"sha256:{Ledger(tmp_path / 'evidence').frontier().root.hex()}"


def test_a_changed_envelope_is_exit_4_and_named(tmp_path: Path) -> None:
    path = sorted(_recorded(tmp_path).glob("evidence/*.dsse.json"))[0]
    path.write_bytes(path.read_bytes().replace(b"payload", b"Payload", 1))
    done = plangate("ledger", "verify", "--json", cwd=tmp_path)
    assert done.returncode == 4
    assert [one["code"] for one in json.loads(done.stdout)["problems"]] == ["evidence-changed"]


def test_show_lists_what_was_stated_newest_last(tmp_path: Path) -> None:
    done = plangate("ledger", "show", "--json", "--limit", "2", cwd=_recorded(tmp_path))
    rows = json.loads(done.stdout)["entries"]
    assert [(row["index"], row["kind"], row["release"]) for row in rows] == [
        (1, "promotion", "sha256:" + "ab" * 32),
        (2, "promotion", "sha256:" + "ab" * 32),
    ]
