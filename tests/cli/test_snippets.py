"""HTTP snippets as people paste them: an honest app behind init's passes, and each tells the app enough."""

from __future__ import annotations

import json
import re
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from plangate.cli.init import command as init
from plangate.documents.workspace import Workspace
from tests.cli.promotions import plangate
from tests.documents.sample_documents import CATALOG, DEV, SUITE, changed, write_workspace

ROOT = Path(__file__).parents[2]
COSTS = {"answer.ask": 1, "report.write": 5, "mail.send": 0, "data.export": 0}
SOLD = {"free": ({"answer.ask", "data.export"}, 20), "pro": (set(COSTS), 500)}
CLOSED = {"PendingFulfillmentStart": "not_activated", "Suspended": "suspended", "Unsubscribed": "unsubscribed"}


class HonestApp(BaseHTTPRequestHandler):
    """An app that knows plans, states and usage, and nothing of links, overrides, add-ons, seats or consents."""

    tenants: ClassVar[dict[str, dict]] = {}

    def do_PUT(self) -> None:
        self.tenants[unquote(self.path.rpartition("/")[2])] = json.loads(self._body())
        self._answer(204, None)

    def do_POST(self) -> None:
        self._body()
        refusal, status = self._refusal(self.tenants[self.headers["X-Tenant"]], unquote(self.path.removeprefix("/v1/")))
        if refusal:
            self._answer(status, {"error": {"code": refusal}})
        else:
            self._answer(202 if self.path.endswith("mail.send") else 200, {})

    def _refusal(self, tenant: dict, tool: str) -> tuple[str, int]:
        if tool not in COSTS:
            return "unknown_capability", 404
        state = tenant["state"]
        if state != "Subscribed" and not (state == "Suspended" and tool == "data.export"):
            return CLOSED.get(state, "unknown_state"), 402
        if tenant["plan"] not in SOLD:
            return "unknown_plan", 403
        tools, questions = SOLD[tenant["plan"]]
        if tool not in tools:
            return "not_in_plan", 403
        over = tenant["usage"].get("questions", 0) + COSTS[tool] > questions
        return ("limit_exceeded", 429) if over else ("", 200)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: dict | None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HonestApp)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _snippets(text: str) -> Iterator[str]:
    """Each block of YAML that holds an http target, as it stands."""
    for block in re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        if "driver: http" in block:
            yield textwrap.dedent(block)


def _with_snippet(root: Path) -> None:
    (snippet,) = _snippets((root / "README.md").read_text(encoding="utf-8"))
    manifest = root / "envs/dev.yaml"
    head, _, rest = manifest.read_text(encoding="utf-8").partition("  targets:")
    data = rest[rest.index("  data:") :]
    manifest.write_text(head + textwrap.indent(snippet, "  ") + data, encoding="utf-8")


def test_an_honest_app_behind_the_snippet_of_init_passes_at_the_first_run(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    CliRunner().invoke(init, [str(tmp_path / "gates")], standalone_mode=False)
    _with_snippet(tmp_path / "gates")
    monkeypatch.setenv("APP_URL", url)
    assert plangate(tmp_path / "gates", "check", "--strict")[:2] == (0, "Nothing is wrong.\n")
    status, out, _ = plangate(tmp_path / "gates", "run", "dev", "--json")
    document = json.loads(out)
    assert (status, document["verdict"], document["totals"]["pass"]) == (0, "passed", document["totals"]["expected"])
    assert document["totals"]["expected"] > 100


def test_what_the_snippet_does_not_carry_is_told_where_a_suite_varies_it(tmp_path: Path) -> None:
    CliRunner().invoke(init, [str(tmp_path / "gates")], standalone_mode=False)
    _with_snippet(tmp_path / "gates")
    suite = tmp_path / "gates/evals/gating.yaml"
    suite.write_text(
        suite.read_text(encoding="utf-8")
        .replace("    # linked:", "    linked:")
        .replace("    # override:", "    override:")
    )
    problems = Workspace.open(tmp_path / "gates").check()
    assert [(one.code, one.severity, one.path, one.line) for one in problems] == [
        ("axis-not-told", "warning", "envs/dev.yaml", 13)
    ] * 2
    told = " ".join(problem.message for problem in problems)
    assert "{subject.tenant_linked}" in told
    assert "{subject.overrides}" in told


def _pages() -> list[Path]:
    return [
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        ROOT / "harness/plangate/workspace_template/README.md",
    ]


def test_every_http_snippet_of_the_docs_tells_the_app_plan_state_and_usage() -> None:
    snippets = [(page.name, one) for page in _pages() for one in _snippets(page.read_text(encoding="utf-8"))]
    assert len(snippets) >= 3
    for name, text in snippets:
        for wanted in ("{subject.plan}", "{subject.state}", "{subject.usage}", "{action.name}"):
            assert wanted in text, (name, wanted)
        assert "401" not in text, name


HTTP = """\
    default:
      driver: http
      url: http://127.0.0.1:9
      headers: {{X-Tenant: "{{subject.id}}"}}
      arrange: {{method: PUT, path: /t, json: {told}}}
      request: {{method: POST, path: "/v1/{{action.name}}", json: "{{resource.properties}}"}}
      decide: [{{when: {{status: 200}}, effect: allow}}]
"""
ALWAYS = '{plan: "{subject.plan}", state: "{subject.state}"'


def _untold(tmp_path: Path, *, axes: str, told: str, driver: str = "http") -> list[str]:
    manifest = re.sub(
        r"  targets:.*?(?=  data:)", lambda _: "  targets:\n" + HTTP.format(told=told), DEV, flags=re.DOTALL
    )
    manifest = re.sub(r"  secrets:.*\n", "", manifest).replace("driver: http", f"driver: {driver}")
    suite = changed(SUITE[: SUITE.index("  axes:")] + f"  axes: {axes}\n", "[C2, C8, C10]", "[]")
    files = {
        "envs/dev.yaml": manifest,
        "envs/stage.yaml": None,
        "evals/gating.yaml": suite,
        "envs/plans/support-copilot/3.2.0.yaml": CATALOG,
    }
    problems = Workspace.open(write_workspace(tmp_path, **files)).check()
    return [re.findall(r"\{([a-z_.]+)\}", one.message)[0] for one in problems if one.code == "axis-not-told"]


@pytest.mark.parametrize(
    ("axis", "placeholder"),
    [
        ("usage: boundary", "subject.usage"),
        ("addon: each", "subject.addons"),
        ("quantity: [1, 5]", "subject.quantity"),
        ("consent: boundary", "subject.consents"),
        ("linked: [true, false]", "subject.tenant_linked"),
        ("linked: [false]", "subject.tenant_linked"),
        ("override: boundary", "subject.overrides"),
        ("cost: more", "context.cost"),
        ("phrasing: {file: phrasings/attacks.yaml}", "context.phrasing"),
    ],
)
def test_an_axis_that_no_template_carries_is_a_warning_until_one_does(
    tmp_path: Path, axis: str, placeholder: str
) -> None:
    (found,) = set(_untold(tmp_path / "without", axes=f"{{{axis}}}", told=f"{ALWAYS}}}"))
    assert found.startswith(placeholder)
    assert _untold(tmp_path / "with", axes=f"{{{axis}}}", told=f'{ALWAYS}, it: "{{{placeholder}}}"}}') == []
    whole = '{it: "{subject.properties}", c: "{context}"}'
    assert _untold(tmp_path / "whole", axes=f"{{{axis}}}", told=whole) == []


@pytest.mark.parametrize(
    "axes", ["{usage: zero, consent: full, linked: [true], quantity: [1]}", "{plan: [free], state: [Subscribed]}"]
)
def test_what_a_suite_does_not_vary_nobody_needs_to_hear(tmp_path: Path, axes: str) -> None:
    assert _untold(tmp_path, axes=axes, told=f"{ALWAYS}}}" if "plan" not in axes else "{}") == []


def test_a_plan_that_is_not_told_is_named(tmp_path: Path) -> None:
    assert _untold(tmp_path, axes="{plan: all}", told="{}") == ["subject.plan", "subject.state"]
