"""`check` compiles every target: what could not do what it says is an error at its place, before anything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from plangate.cli.check import all_problems
from plangate.documents.workspace import Workspace
from plangate.drivers import registry
from plangate.drivers.registry import BUILT_IN, READS, Reads
from plangate.entitlements.oracle import Oracle
from plangate.errors import Problem
from plangate.matrix.expansion import expand
from plangate.matrix.request_shape import CONTEXT_FIELDS, SUBJECT_PROPERTIES, evaluation_request
from tests.documents.sample_documents import ENVIRONMENT, changed, write_workspace

STAGE = "envs/stage.yaml"
DEFAULT = '    default: {driver: python, object: "copilot.pdp:evaluate"}\n'
HTTP = """\
    default:
      driver: http
      launch: {{command: [python, app.py, "{{port}}"{command}], ready: /healthz}}
      headers: {{X-Tenant: "{header}"}}
      arrange: {{method: PUT, path: "/t/{path}", json: {{deep: [{{at: "{body}"}}]}}}}
      request: {{method: POST, path: /decide, json: "{{request}}"}}
      decide:
        - {{when: {{status: 200{when}}}, effect: "{effect}", reason: "{reason}"{limit}}}
"""
SOUND = {
    "command": "",
    "header": "{subject.id}",
    "path": "{subject.id}",
    "body": "{subject.usage}",
    "when": "",
    "effect": "$.effect",
    "reason": "$.reason",
    "limit": "",
}


def problems_of(root: Path, target: str) -> list[Problem]:
    stage = changed(ENVIRONMENT, DEFAULT, target)
    workspace = Workspace.open(write_workspace(root, **{STAGE: stage}))
    return [problem for problem in all_problems(workspace) if problem.path == STAGE and problem.severity == "error"]


def http(root: Path, **parts: str) -> tuple[list[Problem], Sequence[str]]:
    """Problems of an http target with these parts, and the lines of the environment."""
    target = HTTP.format(**{**SOUND, **parts})
    return problems_of(root, target), (root / STAGE).read_text().splitlines()


def test_a_target_that_is_written_right_passes(tmp_path: Path) -> None:
    assert http(tmp_path)[0] == []


@pytest.mark.parametrize("text", ["{subject.plan}", "{subject.usage.messages}", "{subject.properties}", "{subject}"])
@pytest.mark.parametrize(
    "more", ["{context.time} {context.cost.exports}", "{resource.data_scope} {action}", "{{plan}}"]
)
def test_what_a_request_holds_may_stand_anywhere(tmp_path: Path, text: str, more: str) -> None:
    assert http(tmp_path, body=f"{text} and {more}")[0] == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{plan}", "{subject.plan}"),
        ("{data_scope}", "{resource.data_scope}"),
        ("{capability}", "{action.name}"),
        ("{subject.status}", "{subject.state}"),
        ("{subject.usage.mesages}", "{subject.usage.messages}"),
        ("{context.cost.export}", "{context.cost.exports}"),
        ("{resource.data_scop}", "{resource.data_scope}"),
        ("{context.surfaces}", "{context.surface}"),
        ("{subjekt.plan}", "subject"),
        ("{action.nmae}", "{action.name}"),
        ("{subject.properties.plan}", "taken whole"),
        ("{subject.addons.first}", "taken whole"),
        ("{release.plans}", "launch.command"),
        ("{request.subject}", "{subject.id}"),
        ("{secret}", "{secret.NAME}"),
        ("{port.number}", "{port}"),
    ],
)
@pytest.mark.parametrize("part", ["header", "path", "body"])
def test_a_placeholder_that_stands_for_nothing_is_an_error_at_its_place(
    tmp_path: Path, part: str, text: str, meant: str
) -> None:
    (problem,), lines = http(tmp_path, **{part: text})
    assert problem.code == "unknown-placeholder"
    assert f"'{text}'" in problem.message
    assert meant in problem.hint
    assert text in lines[problem.line - 1][problem.column - 1 :]


def test_a_launched_app_is_told_of_no_subject(tmp_path: Path) -> None:
    (problem,), _ = http(tmp_path, command=', "{subject.plan}"')
    assert problem.code == "unknown-placeholder"
    assert "{port}" in problem.hint
    assert http(tmp_path / "b", command=', "{release.plans.support-copilot}", "{secret.api_key}"')[0] == []
    (problem,), _ = http(tmp_path / "c", command=', "{release.plans.suport-copilot}"')
    assert "{release.plans.support-copilot}" in problem.hint


def test_a_secret_that_nobody_declared_is_said_once(tmp_path: Path) -> None:
    (problem,), _ = http(tmp_path, header="{secret.api_kee}")
    assert problem.code == "unknown-name"
    assert "api_key" in problem.hint


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"reason": "$reason"}, "decide[0].reason"),
        ({"reason": "$..reason"}, "decide[0].reason"),
        ({"effect": "$.a..b"}, "decide[0].effect"),
        ({"when": ', json: {"$.a..b": 1}'}, "decide[0].when.json.$.a..b"),
        ({"limit": ', limit: {name: "$name", limit: 1, remaining: 0}'}, "decide[0].limit.name"),
        ({"limit": ', limit: {name: n, limit: 1, remaining: "$.a..b"}'}, "decide[0].limit.remaining"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(tmp_path: Path, parts: dict[str, str], place: str) -> None:
    (problem,), _ = http(tmp_path, **parts)
    assert problem.code == "bad-path"
    assert problem.message.startswith(f"bindings.targets.default.{place}: ")


@pytest.mark.parametrize("status", ["401", "[402, 401]"])
def test_a_status_that_says_who_asks_is_unknown_is_a_warning_as_a_decision(tmp_path: Path, status: str) -> None:
    target = changed(HTTP.format(**SOUND), "status: 200", f"status: {status}")
    stage = changed(ENVIRONMENT, DEFAULT, target)
    workspace = Workspace.open(write_workspace(tmp_path, **{STAGE: stage}))
    (problem,) = [one for one in all_problems(workspace) if one.code == "unauthenticated-decision"]
    assert (problem.severity, problem.line, problem.column) == ("warning", *place_of(tmp_path, f"{status}}}"))


def test_a_driver_that_nobody_offers_is_an_error(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "    default: {driver: pyton, object: a:b}\n")
    assert (problem.code, problem.line, problem.column) == ("unknown-driver", *place_of(tmp_path, "pyton"))
    assert "python" in problem.hint


def place_of(root: Path, word: str) -> tuple[int, int]:
    for number, line in enumerate((root / STAGE).read_text().splitlines(), 1):
        if word in line:
            return number, line.index(word) + 1
    raise AssertionError(word)


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("{driver: python, object: a:b, url: 'http://x'}", "url"),
        ("{driver: python, object: a:b, decide: [{effect: allow}]}", "decide"),
        ("{driver: command, command: [x], headers: {A: b}}", "headers"),
        ("{driver: command, command: [x], launch: {command: [y]}}", "launch"),
        ("{driver: authzen, url: 'http://x', arrange: {method: PUT, path: /x}}", "arrange"),
        (
            "{driver: asgi, object: a:b, url: 'http://x', request: {method: GET, path: /}, decide: [{effect: allow}]}",
            "url",
        ),
        (
            "{driver: http, url: 'http://x', batch: 3, request: {method: GET, path: /}, decide: [{effect: allow}]}",
            "batch",
        ),
        ("{driver: python, object: a:b, options: {pth: src}}", "options.pth"),
        ("{driver: command, command: [x], options: {path: src}}", "options.path"),
        ("{driver: authzen, url: 'http://x', options: {metdata: ignore}}", "options.metdata"),
    ],
)
def test_a_key_that_the_driver_never_reads_is_an_error(tmp_path: Path, target: str, key: str) -> None:
    (problem,) = problems_of(tmp_path, f"    default: {target}\n")
    assert problem.code == "unread-key"
    assert problem.message.startswith(f"bindings.targets.default.{key}: ")
    assert (problem.line, problem.column) == place_of(tmp_path, f"{key.rpartition('.')[2]}:")


@pytest.mark.parametrize(
    ("option", "code", "hint"),
    [("client: pyrequest", "unknown-client", "pyreqwest"), ("metadata: ignored", "bad-value", "ignore")],
)
def test_an_option_of_another_value_is_an_error(tmp_path: Path, option: str, code: str, hint: str) -> None:
    (problem,) = problems_of(tmp_path, f"    default: {{driver: authzen, url: 'http://x', options: {{{option}}}}}\n")
    assert problem.code == code
    assert hint in problem.hint


def test_a_probe_holds_no_placeholder_of_a_request(tmp_path: Path) -> None:
    target = DEFAULT + "    tool: {driver: authzen, url: 'http://x'}\n"
    stage = changed(
        changed(ENVIRONMENT, DEFAULT, target), "  data:", "  probe: {target: tool, path: '/{subject.id}'}\n  data:"
    )
    workspace = Workspace.open(write_workspace(tmp_path, **{STAGE: stage}))
    (problem,) = [problem for problem in all_problems(workspace) if problem.severity == "error"]
    assert (problem.code, "{secret.NAME}" in problem.hint) == ("unknown-placeholder", True)


# --- drivers of others -----------------------------------------------------------------------------------------------


class Declaring:
    """A driver of others that says what it reads."""

    reads = Reads(keys=frozenset({"url"}), options=frozenset({"flag"}))

    def __init__(self, target: object, context: object) -> None: ...

    async def open(self) -> None: ...

    async def observe(self, request: object) -> None: ...

    async def close(self) -> None: ...


class Silent(Declaring):
    """One that says nothing of it."""

    reads = None  # type: ignore[assignment]


def offered(monkeypatch: pytest.MonkeyPatch, attribute: str) -> None:
    monkeypatch.setattr(registry, "_plugins", lambda: {"ofrep": f"{__name__}:{attribute}"})
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


TARGET = "    default: {driver: ofrep, url: 'http://x', headers: {A: '{plan}'}, options: {flag: 1, other: 2}}\n"


def test_a_driver_of_others_is_held_to_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, "Declaring")
    found = problems_of(tmp_path, TARGET)
    assert [(problem.code, problem.message.partition(":")[0]) for problem in found] == [
        ("unread-key", "bindings.targets.default.headers"),
        ("unread-key", "bindings.targets.default.options.other"),
    ]


def test_a_driver_of_others_that_declares_nothing_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(monkeypatch, "Silent")
    assert problems_of(tmp_path, TARGET) == []


def test_a_driver_of_others_that_cannot_be_loaded_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, "Missing")
    assert [problem.code for problem in problems_of(tmp_path, TARGET)] == ["broken-driver"]


# --- what the tables rest on -----------------------------------------------------------------------------------------


def test_every_driver_of_plangate_says_what_it_reads() -> None:
    assert READS.keys() == BUILT_IN.keys()


def test_the_vocabulary_is_what_requests_hold(tmp_path: Path) -> None:
    workspace = Workspace.open(write_workspace(tmp_path))
    oracle = Oracle.of(workspace.catalog("support-copilot", "3.2.0"))
    request = evaluation_request(next(iter(expand(workspace.suite("gating"), oracle, surfaces=("default",)))))
    assert set(request["subject"]["properties"]) == set(SUBJECT_PROPERTIES)
    assert set(request["context"]) == set(CONTEXT_FIELDS)


def test_check_imports_no_client_and_no_driver(tmp_path: Path) -> None:
    write_workspace(tmp_path, **{STAGE: changed(ENVIRONMENT, DEFAULT, HTTP.format(**SOUND))})
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from plangate.cli.check import all_problems\n"
        "from plangate.documents.workspace import Workspace\n"
        "all_problems(Workspace.open(Path(sys.argv[1])))\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "plangate.drivers.target_check" in loaded
    assert not loaded & {"pyreqwest", "httpx2", "httpx", "asyncio", "ssl", "plangate.drivers.http"}
