"""What an app prints is kept in the run's log and named; no verb takes it for its own output or protocol."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import dedent

import pytest

from plangate.drivers.output_log import LOG_BYTES_MAX
from tests.cli.promotions import OBSERVING
from tests.cli.shops import ENVIRONMENT, SUITE, make_shop, plangate
from tests.promotion.stages import make_stages

# By every way out: Python's streams, the bare descriptors, a child process; at import and in each call.
CHATTY = """
    import os, subprocess, sys
    print("banner at import")
    os.write(1, b"raw at import, and no line break")
    subprocess.run(["sh", "-c", "echo from a child; echo and its error >&2"])
    honest = evaluate
    def evaluate(request):
        print('{"pass": 0, "observed": 999}')
        print("::error::a call", file=sys.stderr)
        sys.__stdout__.write("past the stream\\n")
        os.write(2, b"raw error\\n")
        return honest(request)
"""
SAID = (
    "banner at import", "raw at import", "from a child", "and its error", '"observed": 999', "::error::a call",
    "past the stream", "raw error",
)  # fmt: skip
LATE = """
    import atexit, threading, time
    def tick():
        while True:
            print("tick")
            time.sleep(0.001)
    threading.Thread(target=tick, daemon=True).start()
    atexit.register(print, "goodbye")
"""


def _log(root: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in (root / ".plangate" / "logs").glob("r-*.log"))


def _says_nothing_of_it(text: str) -> bool:
    return not any(said in text for said in SAID)


@pytest.mark.parametrize(("processes", "workers"), [(1, 1), (2, 1), (1, 2)], ids=["here", "fresh processes", "workers"])
def test_an_app_that_prints_in_every_way_passes_and_is_named(tmp_path: Path, processes: int, workers: int) -> None:
    suite = SUITE.replace("processes: 1", f"processes: {processes}")
    root = make_shop(tmp_path, app=CHATTY, suite=suite)
    done = plangate("run", "dev", "--json", "--workers", str(workers), "--report", "r.md", cwd=root)
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (0, "passed"), done.stderr
    assert _says_nothing_of_it(done.stderr)
    kept = _log(root)
    assert [said for said in SAID if said not in kept] == []
    sentence = f"the app wrote {document['app_output']:,} bytes to standard output or error"
    assert document["app_output"] > 120 * len('{"pass": 0, "observed": 999}')
    assert sentence in (root / "r.md").read_text()
    assert sentence in plangate("show", "latest", cwd=root).stdout


def test_an_app_that_prints_nothing_has_no_log_and_is_not_named(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    assert "the app wrote" not in plangate("run", "dev", cwd=root).stdout
    assert not (root / ".plangate" / "logs").exists()


def test_threads_and_last_words_that_outlive_the_run_stay_out_of_the_document(tmp_path: Path) -> None:
    root = make_shop(tmp_path, app=LATE)
    done = plangate("run", "dev", "--json", cwd=root)
    assert json.loads(done.stdout)["verdict"] == "passed"
    assert "goodbye" not in done.stderr
    assert "tick" in _log(root)


def test_ten_megabytes_while_two_workers_observe(tmp_path: Path) -> None:
    app = "import os\nfor _ in range(1000):\n    os.write(1, b'x' * 4999 + b'\\n')\n"
    root = make_shop(tmp_path, app=app, suite=SUITE)
    done = plangate("run", "dev", "--json", "--workers", "2", cwd=root)
    document = json.loads(done.stdout)
    assert (done.returncode, document["app_output"]) == (0, 10_000_000)
    kept = _log(root)
    assert kept.count("x" * 4999) == 2000


def test_the_log_is_bounded_and_says_so(tmp_path: Path) -> None:
    app = "import os\nfor _ in range(300):\n    os.write(1, b'y' * 49_999 + b'\\n')\n"
    root = make_shop(tmp_path, app=app)
    done = plangate("run", "dev", "--json", cwd=root)
    assert json.loads(done.stdout)["app_output"] == 15_000_000
    kept = _log(root)
    assert LOG_BYTES_MAX <= len(kept) < LOG_BYTES_MAX + 200_000
    assert kept.endswith(f"(plangate keeps {LOG_BYTES_MAX:,} bytes of what an app writes)\n")


def test_a_secret_that_an_app_prints_is_not_kept(tmp_path: Path) -> None:
    environment = ENVIRONMENT + '  secrets: {api_key: "env:KEY"}\n'
    root = make_shop(tmp_path, app='import os\nprint("key", os.environ["KEY"])\n', environment=environment)
    assert plangate("run", "dev", cwd=root, environ={"KEY": "correct-horse-battery"}).returncode == 0
    assert "key [redacted]" in _log(root)


def test_an_asgi_app_that_prints_passes(tmp_path: Path) -> None:
    app = (
        CHATTY
        + """
    import json
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError("no lifespan")
        body = (await receive())["body"]
        answer = json.dumps(evaluate(json.loads(body))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})
"""
    )
    body = '{subject: {properties: "{subject.properties}"}, action: {name: "{action.name}"}}'
    request = f"{{method: POST, path: /, json: {body}}}"
    rules = "[{when: {json: {$.decision: true}}, effect: allow, reason: $.context.reason},"
    rules += " {when: {status: 200}, effect: deny, reason: $.context.reason}]"
    target = f'{{driver: asgi, object: "shop_app:app", timeout_s: 5, request: {request}, decide: {rules}}}'
    environment = ENVIRONMENT.replace('{driver: python, object: "shop_app:evaluate", timeout_s: 1}', target)
    root = make_shop(tmp_path, app=app, environment=environment)
    done = plangate("run", "dev", "--json", cwd=root)
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "passed"), done.stdout[:3000] + done.stderr
    assert _says_nothing_of_it(done.stderr)
    assert "banner at import" in _log(root)


COMMAND = """
import json, sys
from shop_app import evaluate
{before}
for line in sys.stdin:
    answer = evaluate(json.loads(line))
    {each}
    print(json.dumps(answer), flush=True)
"""


def _command_shop(root: Path, *, before: str = "", each: str = "") -> Path:
    environment = ENVIRONMENT.replace(
        '{driver: python, object: "shop_app:evaluate", timeout_s: 1}',
        "{driver: command, command: [python, -B, pdp.py], timeout_s: 5}",
    )
    make_shop(root, environment=environment)
    (root / "pdp.py").write_text(COMMAND.format(before=before, each=each))
    return root


def test_a_commands_banner_is_no_answer_and_goes_to_the_log(tmp_path: Path) -> None:
    root = _command_shop(tmp_path, before='print("PDP 1.0 ready")\nprint("loaded 3 rules", flush=True)')
    done = plangate("run", "dev", "--json", cwd=root)
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"], document["totals"]["error"]) == (0, "passed", 0)
    assert document["app_output"] == len("PDP 1.0 ready\nloaded 3 rules\n")
    assert "PDP 1.0 ready\nloaded 3 rules\n" in _log(root)


def test_text_among_a_commands_answers_is_a_fault_that_says_where_text_belongs(tmp_path: Path) -> None:
    root = _command_shop(tmp_path, each='print("checked", flush=True)')
    done = plangate("run", "dev", "--json", cwd=root)
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (3, "undecided")
    details = {one.get("detail", "") for failure in document["failures"] for one in failure["observed"]}
    assert any("standard output is for answers; print to standard error" in detail for detail in details), details


@pytest.mark.parametrize("verb", OBSERVING)
def test_no_verb_that_observes_takes_what_an_app_prints_for_its_own(verb, moved, bundle, tmp_path: Path) -> None:
    root = Path(shutil.copytree(moved, tmp_path / "shop"))
    for name in ("shop_app.py", "mine.py"):
        (root / name).write_text((moved / "shop_app.py").read_text() + dedent(CHATTY))
    (root / "mine.yaml").write_text('{targets: {default: {driver: python, object: "mine:evaluate", timeout_s: 5}}}')
    arguments = [str(bundle) if word == "BUNDLE" else word for word in OBSERVING[verb]]
    done = plangate(*arguments, "--json", cwd=root)
    # The app behind prod tells another release than is pinned, printing or not.
    assert done.returncode == (1 if verb == "drift" else 0), done.stdout + done.stderr
    assert "error" not in json.loads(done.stdout)
    assert _says_nothing_of_it(done.stdout + done.stderr)
    assert "banner at import" in _log(root)


def test_validating_a_promotion_prints_its_own_document_alone(tmp_path: Path) -> None:
    root = make_stages(tmp_path, app=CHATTY + '\n    GRANTS["free"].add("report.export")\n')
    key = ["--key", "keys/ci.key", "--as", "ci", "--json"]
    done = plangate("promote", "stage", "--validate", *key, cwd=root)
    document = json.loads(done.stdout)
    assert [gate["result"] for gate in document["gates"]] == ["passed"]
    assert _says_nothing_of_it(done.stderr)
    assert "banner at import" in _log(root)
