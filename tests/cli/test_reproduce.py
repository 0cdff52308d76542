"""`plangate reproduce`: the publisher's cells against the customer's own deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plangate.evidence.envelope import open_envelope
from plangate.evidence.keys import PublicKey, generate
from plangate.evidence.ledger import Ledger
from tests.cli.shops import APP, plangate
from tests.drivers.servers import serving
from tests.evidence.bundles import Published, publish

BINDINGS = '{targets: {default: {driver: python, object: "mine:evaluate", timeout_s: 1}}}'


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(tmp_path_factory.mktemp("published"))


def _customer(folder: Path, *, app: str = "", bindings: str = BINDINGS) -> Path:
    """A folder with the customer's own app and bindings, and nothing of the publisher's."""
    (folder / "mine.py").write_text(APP + app, encoding="utf-8")
    (folder / "mine.yaml").write_text(bindings, encoding="utf-8")
    return folder


def _reproduce(published: Published, folder: Path, *more: str) -> tuple[int, dict]:
    done = plangate(
        "reproduce", str(published.bundle), "--bindings", str(folder / "mine.yaml"), "--json", *more, cwd=folder.parent
    )
    return done.returncode, json.loads(done.stdout)


def test_an_app_that_decides_alike_reproduces(published: Published, tmp_path: Path) -> None:
    status, document = _reproduce(published, _customer(tmp_path))
    assert (status, document["reproduced"], document["differences"]) == (0, True, [])
    assert document["fingerprint"] == document["publisher_fingerprint"]


def test_cells_that_differ_are_named_with_both_decisions(published: Published, tmp_path: Path) -> None:
    status, document = _reproduce(published, _customer(tmp_path, app='\nGRANTS["free"].add("report.export")\n'))
    assert (status, document["reproduced"]) == (1, False)
    assert document["fingerprint"] != document["publisher_fingerprint"]
    named = {
        (one["axes"]["plan"], one["axes"]["capability"], one["axes"]["surface"]) for one in document["differences"]
    }
    assert named == {("free", "report.export", surface) for surface in ("interaction", "orchestration", "tool")}
    assert document["kinds"] == {"allowed_here": document["differing"]}
    for one in document["differences"]:
        assert ("not_in_plan" in one["publisher"], "entitled" in one["here"]) == (True, True)


TELLS = """
SILENT = evaluate
def evaluate(request):
    answer = SILENT(request)
    if answer["context"]["reason"] == "limit_exceeded":
        who = request["subject"]["properties"]
        most = LIMITS[who["plan"]]
        answer["context"]["limit"] = {"name": "messages", "limit": most, "remaining": 0, "resets_at": "%s"}
    return answer
"""


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A bundle of an app that tells its limits."""
    folder = tmp_path_factory.mktemp("telling")
    return publish(folder, app=TELLS % "2026-01-02T00:00:00Z")


OVER = 2 * 1 * 3 * 2
"""Cells refused for their usage: 2 plans, Subscribed, 3 surfaces, first over and far over."""


def test_an_app_that_tells_nothing_of_limits_reproduces_and_that_is_said(telling: Published, tmp_path: Path) -> None:
    folder = _customer(tmp_path)
    status, document = _reproduce(telling, folder)
    said = plangate("reproduce", str(telling.bundle), "--bindings", str(folder / "mine.yaml"), cwd=folder).stdout

    assert (status, document["reproduced"], document["limits_not_told"]) == (0, True, {"here": OVER})
    assert document["fingerprint"] == document["publisher_fingerprint"]
    assert f"limits were not compared for {OVER} cells: your app tells nothing of them\n" in said
    assert said.endswith("REPRODUCED\n")


def test_limits_that_only_the_customers_app_tells_are_not_compared_either(published: Published, tmp_path: Path) -> None:
    status, document = _reproduce(published, _customer(tmp_path, app=TELLS % "2026-01-02T01:00:00+01:00"))
    assert (status, document["reproduced"], document["limits_not_told"]) == (0, True, {"publisher": OVER})


def test_the_same_instant_in_other_words_is_the_same(telling: Published, tmp_path: Path) -> None:
    status, document = _reproduce(telling, _customer(tmp_path, app=TELLS % "2026-01-01T19:00:00-05:00"))
    assert (status, document["reproduced"], document["limits_not_told"]) == (0, True, {})


def test_a_limit_that_is_told_otherwise_is_a_difference(telling: Published, tmp_path: Path) -> None:
    status, document = _reproduce(telling, _customer(tmp_path, app=TELLS % "1970-01-01T00:00:00Z"))
    assert (status, document["reproduced"], document["kinds"]) == (1, False, {"limits": OVER})
    assert document["fingerprint"] == document["publisher_fingerprint"]
    for one in document["differences"]:
        assert ("2026-01-02T00:00:00Z" in one["publisher"], "1970-01-01T00:00:00Z" in one["here"]) == (True, True)


def test_an_app_that_cannot_answer_is_exit_3(published: Published, tmp_path: Path) -> None:
    broken = '\nREAL = evaluate\ndef evaluate(request):\n    raise RuntimeError("down")\n'
    status, document = _reproduce(published, _customer(tmp_path, app=broken))
    assert (status, document["reproduced"]) == (3, False)


def test_what_was_found_is_signed_with_the_customers_key(published: Published, tmp_path: Path) -> None:
    folder = _customer(tmp_path)
    plangate("keys", "new", "me", "--out", ".", cwd=folder)
    status, document = _reproduce(published, folder, "--key", str(folder / "me.key"), "--as", "me@customer.example")
    assert status == 0
    ledger = Ledger(folder / "evidence")
    assert ledger.verify() == []
    (entry,) = ledger.entries()
    envelope = open_envelope(ledger.envelope(entry.digest))
    assert envelope.signed_by([PublicKey.load((folder / "me.pub").read_bytes())]) is not None
    predicate = envelope.statement().predicate
    assert (predicate["result"], predicate["fingerprint"]) == ("PASSED", document["publisher_fingerprint"])
    assert predicate["reproduces"] == {
        "by": "me@customer.example", "fingerprint": document["publisher_fingerprint"], "reproduced": True,
        "limitsNotCompared": 0,
    }  # fmt: skip


@pytest.mark.parametrize("bindings", ["{targets: {}}", "[]", "targets: {default: {driver: pyton}}", "a: &b 1"])
def test_bindings_that_are_wrong_are_exit_2(published: Published, tmp_path: Path, bindings: str) -> None:
    folder = _customer(tmp_path, bindings=bindings)
    done = plangate("reproduce", str(published.bundle), "--bindings", "mine.yaml", cwd=folder)
    assert done.returncode == 2, done.stderr


def test_new_bindings_of_the_publisher_are_named(tmp_path: Path) -> None:
    made = publish(tmp_path)
    customer = tmp_path / "customer"
    customer.mkdir()
    manifest = made.root / "envs/dev.yaml"
    text = manifest.read_text(encoding="utf-8") + "  policy: {denied: [data.purge]}\n"
    manifest.write_text(text, encoding="utf-8")
    assert plangate("run", "dev", cwd=made.root).returncode == 0
    plangate("bundle", "dev", "-o", str(made.bundle), cwd=made.root)
    status, document = _reproduce(made, _customer(customer))
    assert (status, document["new_bindings"]) == (0, ["policy.denied"])


async def _silent_shop(scope: Any, receive: Any, send: Any) -> None:
    """The shop as a decision point over HTTP, which answers 404 to whatever else it is asked."""
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    shop: dict[str, Any] = {}
    exec(APP, shop)
    asked = scope["path"] == "/access/v1/evaluation"
    answer = shop["evaluate"](json.loads(body)) if asked else {}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200 if asked else 404, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def test_nothing_is_reproduced_by_an_app_that_does_not_say_what_it_runs(published: Published, tmp_path: Path) -> None:
    """Rule R14 holds for the customer's own probe, too."""
    with serving(_silent_shop) as url:
        target = f'default: {{driver: authzen, url: "{url}", batch: 1}}'
        folder = _customer(tmp_path, bindings=f"{{targets: {{{target}}}, probe: {{target: default, path: /version}}}}")
        status, document = _reproduce(published, folder)
    assert (status, document["reproduced"], document["ran"]) == (3, False, "differs")
    assert (document["differences"], document["fingerprint"]) == ([], document["publisher_fingerprint"])
    assert "answers 404" in document["ran_differences"][0]


def test_a_clock_behind_the_customers_own_ledger_is_told_before_anything_is_asked(
    published: Published, tmp_path: Path
) -> None:
    folder = _customer(tmp_path, app='\nopen("asked", "w").close()\n')
    key = generate("ed25519")
    (folder / "me.key").write_bytes(key.pem())
    Ledger(folder / "evidence").append(b"{}", key=key, at="2999-01-01T00:00:00Z")
    status, document = _reproduce(published, folder, "--key", str(folder / "me.key"), "--as", "me@customer.example")
    assert (status, document["error"]["code"]) == (4, "clock-behind")
    assert not list(tmp_path.rglob("asked"))
