"""The probe: what an app says of itself, and every way in which it can fail to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import Bindings, HttpCall, Probe, Question, Target
from plangate.drivers.probe import probe_app
from plangate.drivers.protocol import DriverContext
from plangate.errors import DriverError, InputError
from plangate.releases.running import Told
from tests.drivers.servers import answering, closed_port, raw_server, serving

ABOUT = {
    "app": {"name": "shop"},
    "model": {"name": "m", "system_fingerprint": "fp_1"},
    "internal": {"llm": {"name": "n"}},
    "flags": {},
}
PROBE = Probe(target="default", path="/about", headers={"X-Key": "{secret.key}"})


def test_a_probe_that_is_redirected_or_compressed_says_so(tmp_path: Path) -> None:
    said = {
        b"HTTP/1.1 307 Moved\r\nlocation: /about/\r\ncontent-length: 0\r\n\r\n": "redirects to '/about/'",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b": "the answer is gzip",
    }

    async def scenario(raw: bytes) -> None:
        async with raw_server(answering(raw)) as url:
            targets = {"default": Target(driver="http", url=url, timeout_s=2)}
            await probe_app(
                PROBE, Bindings(targets=targets), DriverContext(workspace=tmp_path, environ={}, secrets={"key": "k"})
            )

    for raw, words in said.items():
        with pytest.raises(DriverError) as caught:
            asyncio.run(scenario(raw))
        assert caught.value.code == "probe-failed"
        assert words in caught.value.message


def _app(answers: dict[str, tuple[int, bytes]], heard: list[tuple[str, str]]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        heard.append((f"{scope['method']} {scope['path']}", headers.get("x-key", "")))
        status, body = answers.get(scope["path"], (404, b"{}"))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


def _probe(probe: Probe, folder: Path, answers: dict[str, tuple[int, bytes]]) -> tuple[Told, list[tuple[str, str]]]:
    heard: list[tuple[str, str]] = []
    with serving(_app(answers, heard)) as url:
        shared = Target(driver="http", url="target:interaction")
        targets = {"interaction": Target(driver="http", url=url, timeout_s=2), "default": shared}
        context = DriverContext(workspace=folder, environ={}, secrets={"key": "s3cr3t-value"})
        return asyncio.run(probe_app(probe, Bindings(targets=targets), context)), heard


def test_what_is_told_by_default_and_by_path(tmp_path: Path) -> None:
    told, heard = _probe(replace(PROBE, parts={"model": "$.internal.llm"}), tmp_path, _about(ABOUT))
    assert told.parts == {"app": {"name": "shop"}, "model": {"name": "n"}, "flags": {}}
    assert (told.fingerprint, told.answers) == ("fp_1", ())
    assert heard == [("GET /about", "s3cr3t-value")]


def test_the_same_words_have_the_same_digest_and_others_another(tmp_path: Path) -> None:
    ask = replace(PROBE, questions=tuple(_question(path) for path in ("/q1", "/q2", "/q3")))
    said = [{"reply": {"b": 1, "a": 2}}, {"reply": {"a": 2, "b": 1}}, {"reply": {"a": 2, "b": 2}}]
    answers = {f"/q{number}": (200, json.dumps(one).encode()) for number, one in enumerate(said, 1)}
    told, heard = _probe(ask, tmp_path, {**_about(ABOUT), **answers})
    first, second, third = told.answers
    assert first == second != third
    assert [one for one, _ in heard] == ["GET /about", "POST /q1", "POST /q2", "POST /q3"]


def test_a_secret_that_the_app_repeats_is_not_kept(tmp_path: Path) -> None:
    told, _ = _probe(PROBE, tmp_path, _about({"flags": {"key s3cr3t-value": "s3cr3t-value"}}))
    assert "s3cr3t-value" not in repr(told)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b"{}", "answers 500"), (200, b"<html>", "not JSON"), (200, b"", "not JSON"),
        (200, b'{"a":1,"a":2}', "twice"), (200, b'{"a":NaN}', "not JSON"), (200, b"\xff", "not JSON"),
        (200, b"[" * 100_000, "not JSON"), (200, b'{"a":' * 40 + b"1" + b"}" * 40, "deeper"),
        (200, b'{"model": {"system_fingerprint": 7}}', "not text"), (200, b'"' + b"x" * 2_000_000 + b'"', "larger"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_a_failure(tmp_path: Path, status: int, body: bytes, said: str) -> None:
    with pytest.raises(DriverError, match=said) as caught:
        _probe(PROBE, tmp_path, {"/about": (status, body)})
    assert caught.value.code == "probe-failed"


@pytest.mark.parametrize("answer", [(404, b"{}"), (200, b'{"other": 1}')])
def test_a_question_without_an_answer_is_a_failure(tmp_path: Path, answer: tuple[int, bytes]) -> None:
    with pytest.raises(DriverError) as caught:
        _probe(replace(PROBE, questions=(_question("/q"),)), tmp_path, {**_about(ABOUT), "/q": answer})
    assert caught.value.code == "probe-failed"


def test_an_app_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    targets = {"default": Target(driver="http", url=f"http://127.0.0.1:{closed_port()}", timeout_s=1)}
    context = DriverContext(workspace=tmp_path, environ={}, secrets={"key": "k"})
    with pytest.raises(DriverError) as caught:
        asyncio.run(probe_app(PROBE, Bindings(targets=targets), context))
    assert caught.value.code == "target-unreachable"


def test_a_probe_is_about_nobody(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _probe(replace(PROBE, path="/about/{subject.id}"), tmp_path, {})
    assert caught.value.code == "bad-template"


def _about(document: Any) -> dict[str, tuple[int, bytes]]:
    return {"/about": (200, json.dumps(document).encode())}


def _question(path: str) -> Question:
    return Question(call=HttpCall(method="POST", path=path, json={"message": "hello"}), read="$.reply")
