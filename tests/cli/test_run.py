"""`plangate run`, as a process: exit status, verdicts, faults, and one fingerprint for one app."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shops import CATALOG, CELLS, ENVIRONMENT, SUITE, make_shop, plangate, run_json
from tests.drivers.certificates import Authority
from tests.drivers.servers import answering, raw_server
from tests.drivers.test_http_versions import only_http2

LEAKS = """
    honest = evaluate
    def evaluate(request):
        if request["action"]["name"] == "report.export":
            return answer("allow", "entitled")
        return honest(request)
"""


def test_an_app_that_gates_right_passes(tmp_path: Path) -> None:
    status, document = run_json(make_shop(tmp_path))
    assert (status, document["verdict"], document["failures"]) == (0, "passed", [])
    totals = document["totals"]
    assert (totals["expected"], totals["executed"], totals["observations"]) == (CELLS, CELLS, 2 * CELLS)
    assert totals["pass"] == CELLS


def test_a_leak_is_told_first_with_the_line_that_forbids_it(tmp_path: Path) -> None:
    root = make_shop(tmp_path, app=LEAKS)
    status, document = run_json(root)
    assert (status, document["verdict"]) == (1, "failed")
    # 2 plans x 2 states x 3 surfaces ask for report.export; only pro and Subscribed bought it.
    assert document["totals"]["leak"] == 12 - 3
    first = document["failures"][0]
    assert first["verdict"] == "leak"
    assert first["expected"]["where"].startswith("envs/plans/shop/1.0.0.yaml:")
    assert first["reproduce"] == f"plangate run dev --cell {first['cell']} --seed 7"
    shown = plangate("run", "dev", cwd=root)
    assert shown.returncode == 1
    assert "report.export" in "\n".join(shown.stdout.splitlines()[:15])


def test_the_reproduce_command_runs_that_cell_alone(tmp_path: Path) -> None:
    root = make_shop(tmp_path, app=LEAKS)
    _, document = run_json(root)
    command = document["failures"][0]["reproduce"].split()
    again = plangate(*command[1:], "--json", cwd=root)
    assert again.returncode == 1
    assert '"expected": 1,' in again.stdout


WRONG_REASON = """
    honest = evaluate
    def evaluate(request):
        given = honest(request)
        given["context"]["reason"] = "entitled"
        return given
"""
EVERY_OTHER = """
    honest, asked = evaluate, []
    def evaluate(request):
        asked.append(1)
        return honest(request) if len(asked) % 2 else answer("deny", "suspended")
"""
CONTRADICTS = "evaluate = lambda request: {'decision': True, 'context': {'effect': 'deny', 'reason': 'x'}}"
TOO_LONG = "evaluate = lambda request: {'decision': False, 'context': {'effect': 'deny', 'reason': 'x' * 10_000_000}}"


@pytest.mark.parametrize(
    ("app", "verdict", "status"),
    [
        ("evaluate = lambda request: answer('deny', 'not_in_plan')", "lockout", 1),
        (WRONG_REASON, "mismatch", 1),
        (EVERY_OTHER, "flaky", 1),
        ("def evaluate(request):\n    raise ValueError('boom')", "error", 3),
        ("def evaluate(request):\n    raise SystemExit(0)", "error", 3),
        ("evaluate = lambda request: {'decision': 'yes'}", "error", 3),
        ("evaluate = lambda request: None", "error", 3),
        (CONTRADICTS, "error", 3),
        (TOO_LONG, "error", 3),
        ("import time\ndef evaluate(request):\n    time.sleep(60)", "error", 3),
    ],
)
def test_each_kind_of_wrong_has_its_verdict_and_status(tmp_path: Path, app: str, verdict: str, status: int) -> None:
    environment = ENVIRONMENT.replace("timeout_s: 1", "timeout_s: 0.3")
    got, document = run_json(make_shop(tmp_path, app=app, environment=environment))
    assert got == status
    assert document["totals"][verdict] > 0
    assert document["totals"]["pass"] < CELLS
    assert any(failure["verdict"] == verdict for failure in document["failures"])


def test_an_app_that_hangs_ends_the_run_in_seconds_and_says_so(tmp_path: Path) -> None:
    hangs = "import time\ndef evaluate(request):\n    time.sleep(60)"
    done = plangate("run", "dev", cwd=make_shop(tmp_path, app=hangs), timeout_s=30)
    assert done.returncode == 3
    assert "hangs" in done.stdout + done.stderr
    assert "--resume" in done.stderr


def test_the_same_app_has_one_fingerprint_however_it_is_run(tmp_path: Path) -> None:
    root = make_shop(tmp_path, suite=SUITE.replace("processes: 1", "processes: 2"))
    prints = set()
    for arguments in ((), ("--seed", "99"), ("--repeats", "5"), ("--workers", "2")):
        status, document = run_json(root, *arguments, environ={"PYTHONHASHSEED": str(len(prints) + 1)})
        assert (status, document["totals"]["executed"]) == (0, CELLS)
        prints.add(document["fingerprint"])
    assert len(prints) == 1
    make_shop(root, app=LEAKS)
    assert run_json(root)[1]["fingerprint"] not in prints


def test_an_app_that_depends_on_the_hash_seed_is_flaky_only_across_fresh_processes(tmp_path: Path) -> None:
    app = "honest = evaluate\ndef evaluate(r):\n    return honest(r) if hash('a') % 2 else answer('deny', 'suspended')"
    alone = make_shop(tmp_path / "alone", app=app)
    assert run_json(alone, environ={"PYTHONHASHSEED": "1"})[1]["totals"]["flaky"] == 0
    fresh = make_shop(
        tmp_path / "fresh",
        app=app,
        suite=SUITE.replace("processes: 1", "processes: 8").replace("repeats: 2", "repeats: 8"),
    )
    status, document = run_json(fresh, environ={"PYTHONHASHSEED": "1"})
    assert status == 1
    assert document["totals"]["flaky"] > 0


def test_a_tenant_mixed_up_under_concurrency_is_found(tmp_path: Path) -> None:
    app = """
    honest, current = evaluate, {}
    def evaluate(request):
        current["subject"] = request["subject"]
        for _ in range(20000): pass
        return honest({**request, "subject": current["subject"]})
    """
    suite = SUITE.replace("concurrency: [1, 4]", "concurrency: [1, 8]").replace("repeats: 2", "repeats: 8")
    status, document = run_json(make_shop(tmp_path, app=app, suite=suite))
    assert status == 1
    assert document["totals"]["flaky"] > 0


def test_a_selection_is_what_it_says_and_never_empty(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    status, document = run_json(root, "--plan", "free", "--capability", "kb.search", "--state", "Subscribed")
    assert (status, document["totals"]["expected"]) == (0, 12)
    nothing = plangate("run", "dev", "--plan", "fre", cwd=root)
    assert nothing.returncode == 2
    assert "nothing would be judged" in nothing.stderr
    assert not list((root / ".plangate" / "runs").glob("*.lock"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("run", "prod"), "prod"),
        (("run", "dev", "--suite", "gatin"), "gating"),
        (("run", "dev", "--cell", "c-1"), "not a cell id"),
        (("run", "dev", "--shard", "5/4"), "5/4"),
        (("run", "dev", "--resume", "--plan", "free"), "--resume"),
        (("show", "r-none"), "no run"),
        (("run", "dev", "-w", "nowhere"), "plangate init"),
        (("rnu", "dev"), "run"),
    ],
)
def test_wrong_input_is_said_in_a_line_with_status_2(tmp_path: Path, arguments, text: str) -> None:
    done = plangate(*arguments, cwd=make_shop(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr


def test_documents_that_cannot_be_run_are_refused_before_anything_runs(tmp_path: Path) -> None:
    only_tool = ENVIRONMENT.replace("default:", "tool:")
    suite = SUITE.replace("surface: all", "surface: [interaction]")
    done = plangate("run", "dev", cwd=make_shop(tmp_path / "surface", environment=only_tool, suite=suite))
    assert done.returncode == 2
    assert "surface-without-target" in done.stderr
    secret = ENVIRONMENT + "  secrets: {api_key: 'env:SHOP_KEY_THAT_IS_NOT_SET'}\n"
    done = plangate("run", "dev", cwd=make_shop(tmp_path / "secret", environment=secret))
    assert done.returncode == 2
    assert "SHOP_KEY_THAT_IS_NOT_SET" in done.stderr
    done = plangate(
        "run", "dev", cwd=make_shop(tmp_path / "catalog", catalog=CATALOG.replace("messages: 20", "messages: -1"))
    )
    assert done.returncode == 2
    assert "1.0.0.yaml:" in done.stderr
    assert not (tmp_path / "catalog" / ".plangate").exists()


ACCOUNT = '{"type": "service_account", "nested": {"client_secret": "qT7zz-plum-9921vv"}}'
BOUND = ENVIRONMENT + "  secrets: {account: 'file:account.json'}\n"


@pytest.mark.parametrize(
    "form", ["secret", "base64.b64encode(b'id:' + secret.encode()).decode()", "secret.encode().hex()"]
)
def test_no_report_holds_a_member_of_a_secret(tmp_path: Path, form: str) -> None:
    root = make_shop(
        tmp_path,
        environment=BOUND,
        app=f"""
        import base64, json
        asked = evaluate
        secret = json.load(open("account.json"))["nested"]["client_secret"]

        def evaluate(request):
            if request["action"]["name"] == "report.export":
                raise RuntimeError("upstream: bad login of a service_account " + {form})
            if request["action"]["name"] == "data.purge":
                return answer("deny", "said " + {form})
            return asked(request)
        """,
    )
    (root / "account.json").write_text(ACCOUNT)
    reports = [f"o.{kind}" for kind in ("txt", "json", "xml", "md", "html")]
    done = plangate("run", "dev", "--json", *[part for name in reports for part in ("--report", name)], cwd=root)
    shown = plangate("show", cwd=root)
    texts = {"stdout": done.stdout, "stderr": done.stderr, "show": shown.stdout}
    texts |= {name: (root / name).read_text() for name in reports}
    texts |= {path.name: path.read_bytes().decode("latin-1") for path in (root / ".plangate" / "runs").iterdir()}
    secret = "qT7zz-plum-9921vv"
    for name, text in texts.items():
        for gone in (
            secret,
            secret.encode().hex(),
            base64.b64encode(secret.encode()).decode()[:-4],
            "aWQ6cVQ3enotcGx1b",
        ):
            assert gone not in text, name
    assert "bad login of a service_account" in texts["o.json"]
    assert "[redacted]" in texts["o.json"]


def test_no_message_holds_a_secret_that_an_import_tells(tmp_path: Path) -> None:
    app = "import json\nraise RuntimeError('bad login ' + json.load(open('account.json'))['nested']['client_secret'])"
    root = make_shop(tmp_path, environment=BOUND, app=app)
    (root / "account.json").write_text(ACCOUNT)
    done = plangate("run", "dev", cwd=root)
    assert done.returncode == 3
    assert "bad login [redacted]" in done.stderr
    assert "qT7zz" not in done.stdout + done.stderr


def test_a_target_that_check_refuses_does_not_run(tmp_path: Path) -> None:
    """A template that is silently nothing would accuse an honest app."""
    target = """
    default:
      driver: asgi
      object: "shop_app:evaluate"
      request: {method: POST, path: "/{subject.status}", json: {used: "{subject.usage.mesages}"}}
      decide: [{when: {status: 200}, effect: allow}]
"""
    environment = ENVIRONMENT.replace(
        '    default: {driver: python, object: "shop_app:evaluate", timeout_s: 1}\n', target.lstrip("\n")
    )
    done = plangate("run", "dev", cwd=make_shop(tmp_path, environment=environment))
    assert done.returncode == 2
    assert "'{subject.state}'" in done.stderr
    assert "'{subject.usage.messages}'" in done.stderr
    assert "envs/dev.yaml:14:" in done.stderr


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_shared_address_is_reached_as_the_target_that_has_it(version: str, tmp_path: Path) -> None:
    """The sharer names neither authority nor proxy nor HTTP; all are where the address is."""
    authority = Authority(tmp_path)
    targets = """
    interaction: {driver: authzen, url: "URL", ca: ca.pem, http: "HTTP", options: {metadata: ignore}}
    default: {driver: authzen, url: "target:interaction", options: {metadata: ignore}}
"""
    answer = b'{"decision": true, "context": {"effect": "allow", "reason": "entitled"}}'
    reply = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(answer), answer)

    async def scenario() -> str:
        handler = only_http2() if version == "2" else answering(reply)
        async with raw_server(handler, tls=authority.server()) as url:
            environment = ENVIRONMENT.replace(
                '    default: {driver: python, object: "shop_app:evaluate", timeout_s: 1}\n',
                targets.lstrip("\n").replace("URL", url).replace("HTTP", version),
            )
            root = make_shop(tmp_path, environment=environment)
            cells = ("--plan", "free", "--capability", "kb.search", "--json")
            return (await asyncio.to_thread(plangate, "run", "dev", *cells, cwd=root)).stdout

    totals = json.loads(asyncio.run(scenario()))["totals"]
    assert totals["executed"] > 0
    assert totals["error"] == 0


def test_an_app_that_cannot_be_imported_is_status_3(tmp_path: Path) -> None:
    done = plangate("run", "dev", cwd=make_shop(tmp_path, app="import no_such_module_here"))
    assert done.returncode == 3
    assert "no_such_module_here" in done.stderr


def test_a_surface_that_hangs_ends_the_run_whatever_another_one_may_take(tmp_path: Path) -> None:
    """Rule R15: with the patience of the other target, each of its 20 cells would have been waited out, and passed."""
    app = """
        import time
        def hanging(request):
            time.sleep(1.5)
            return evaluate(request)
    """
    tool = '    tool: {driver: python, object: "shop_app:hanging", timeout_s: 0.3}\n'
    environment = ENVIRONMENT.replace("timeout_s: 1}", "timeout_s: 60}") + tool
    status, document = run_json(make_shop(tmp_path, app=app, environment=environment))
    assert (status, document["verdict"]) == (3, "undecided")
    assert document["stopped"] == "the target hangs at tool: 3 cells in a row got no answer in time"
    assert document["totals"]["error"] >= 3


FRESH = SUITE.replace("processes: 1", "processes: 2")
SECOND_ASK = """
    honest, asked = evaluate, set()
    def evaluate(request):
        given, key = honest(request), repr(request)
        again = key in asked
        asked.add(key)
        return answer("allow", "entitled") if again and given["context"]["reason"] == "not_in_plan" else given
"""


def test_an_app_that_decides_otherwise_the_second_time_is_seen_in_fresh_processes_too(tmp_path: Path) -> None:
    status, document = run_json(make_shop(tmp_path, app=SECOND_ASK, suite=FRESH.replace("repeats: 2", "repeats: 3")))
    # free asks for report.export on 3 surfaces.
    assert (status, document["totals"]["flaky"], document["leaked"]) == (1, 3, 3)


def test_where_no_process_is_asked_twice_the_run_says_so(tmp_path: Path) -> None:
    status, document = run_json(make_shop(tmp_path, app=SECOND_ASK, suite=FRESH))
    said = [one for one in document["not_tried"] if "asked no process for a cell twice" in one]
    assert (status, len(said)) == (0, 1)


@pytest.mark.parametrize(
    "more",
    [
        "import threading, time; threading.Thread(target=lambda: time.sleep(600)).start()",
        "import atexit, os; atexit.register(lambda: os._exit(1))",
        "import os; os.close(1)",
    ],
    ids=["a thread that stays", "an end of its own", "a closed descriptor"],
)
@pytest.mark.parametrize("suite", [SUITE, FRESH], ids=["here", "fresh processes"])
def test_what_an_app_leaves_behind_neither_holds_a_run_up_nor_accuses_it(tmp_path: Path, more, suite) -> None:
    root = make_shop(tmp_path, app=more, suite=suite)
    done = plangate("run", "dev", cwd=root, timeout_s=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_the_app_forked_does_not_keep_a_run_waiting(tmp_path: Path) -> None:
    forks = """
        import os, time
        if os.fork() == 0:
            time.sleep(120)
            os._exit(0)
    """
    root = make_shop(tmp_path, app=forks, suite=FRESH)
    with (root / "said").open("wb") as said:  # a pipe would wait for that process, too
        command = [sys.executable, "-m", "plangate", "run", "dev"]
        done = subprocess.run(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=60, check=False
        )
    assert done.returncode == 0


def test_a_worker_that_the_app_ends_with_0_has_not_done_its_work(tmp_path: Path) -> None:
    leaves = "import ctypes; ctypes.CDLL(None)._exit(0)"  # around Python, as a native library would
    status, document = run_json(make_shop(tmp_path, app=leaves, suite=FRESH))
    assert (status, document["verdict"]) == (3, "undecided")
    assert "ended with status 0 before its cells were observed" in document["stopped"]


@pytest.mark.parametrize(
    ("app", "status"),
    [
        ("import os; os._exit(0)", 3),
        ("import os; evaluate = lambda request: os._exit(0)", 3),
        (f"{LEAKS}\n    import atexit, os; atexit.register(lambda: os._exit(0))", 1),
        ("import atexit, os; atexit.register(lambda: os._exit(1))", 0),
    ],
    ids=["at import", "when asked", "at the end of a run that leaks", "at the end of a run that passes"],
)
@pytest.mark.parametrize("suite", [SUITE, FRESH], ids=["here", "fresh processes"])
def test_no_app_ends_a_run_with_a_status_of_its_own(tmp_path: Path, app, status, suite) -> None:
    done = plangate("run", "dev", cwd=make_shop(tmp_path, app=app, suite=suite))
    assert done.returncode == status, done.stderr
    assert status != 3 or "os._exit" in done.stderr


def test_a_worker_that_hangs_is_killed_once_nobody_wants_it(tmp_path: Path) -> None:
    root = make_shop(tmp_path, app="import time; time.sleep(600)", suite=FRESH)
    done = plangate("run", "dev", "--timeout", "3", cwd=root, timeout_s=60)
    assert done.returncode == 3
    assert "the run's time of 3 s is over" in done.stdout + done.stderr


def test_what_a_suite_excludes_is_said_beside_its_pass(tmp_path: Path) -> None:
    rule = "{plan: free, state: [Subscribed, Suspended], capability: report.export}"
    suite = SUITE.replace("determinism:", f"  exclude: [{rule}, {{plan: pro, state: Suspended}}]\ndeterminism:")
    app = """
    honest = evaluate
    def evaluate(request):
        who, what = request["subject"]["properties"], request["action"]["name"]
        leaks = (who["plan"], what) == ("free", "report.export")
        return answer("allow", "entitled") if leaks else honest(request)
    """
    status, document = run_json(make_shop(tmp_path, app=app, suite=suite))
    said = (
        "suite gating excludes plan free with state Subscribed or Suspended with capability report.export, "
        "plan pro with state Suspended"
    )
    assert (status, said in document["not_tried"]) == (0, True)
