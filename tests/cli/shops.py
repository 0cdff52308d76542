"""A tiny workspace with an app of a few lines, made on the spot, so that a test can make the app misbehave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ENVIRONMENT = """
apiVersion: plangate/v1
kind: Environment
metadata: {name: dev, revision: 1, tier: nonproduction}
release:
  app: {name: shop, version: 1.0.0}
  model: {provider: none, name: none, version: 1.0.0}
  plans: {shop: 1.0.0}
  suites: {gating: 1}
bindings:
  targets:
    default: {driver: python, object: "shop_app:evaluate", timeout_s: 1}
"""

CATALOG = """
apiVersion: plangate/v1
kind: PlanCatalog
metadata: {name: shop, version: 1.0.0}
offer: {model: saas, id: shop}
capabilities:
  kb.search: {effect: read, consumes: {messages: 1}}
  report.export: {effect: read}
  data.purge: {effect: irreversible, prohibited: true}
limits:
  messages: {unit: message, window: day}
states:
  Suspended: {retains: []}
tiers: [free, pro]
plans:
  free: {grants: [kb.search], limits: {messages: 20}}
  pro: {extends: free, grants: [report.export], limits: {messages: 500}}
"""

SUITE = """
apiVersion: plangate/v1
kind: Suite
metadata: {name: gating, version: 1}
type: gating
matrix:
  axes: {plan: all, state: all, capability: all, surface: all, usage: boundary}
determinism: {repeats: 2, orders: [forward, shuffled], concurrency: [1, 4], processes: 1}
seed: 7
"""

APP = """
LIMITS = {"free": 20, "pro": 500}
GRANTS = {"free": {"kb.search"}, "pro": {"kb.search", "report.export"}}


def answer(effect, reason, **more):
    return {"decision": effect == "allow", "context": {"effect": effect, "reason": reason, **more}}


def evaluate(request):
    who, what = request["subject"]["properties"], request["action"]["name"]
    if what == "data.purge":
        return answer("deny", "prohibited")
    if who["state"] != "Subscribed":
        return answer("deny", "suspended")
    if what not in GRANTS[who["plan"]]:
        return answer("deny", "not_in_plan")
    if what == "kb.search" and who["usage"].get("messages", 0) + 1 > LIMITS[who["plan"]]:
        return answer("deny", "limit_exceeded")
    return answer("allow", "entitled")
"""

CELLS = 72
"""2 plans x 2 states x 3 surfaces x 6: kb.search at zero, last use, first over, far over; report.export; data.purge."""


def make_shop(
    root: Path, *, app: str = "", environment: str = ENVIRONMENT, catalog: str = CATALOG, suite: str = SUITE
) -> Path:
    """A workspace in `root`; `app` is Python appended to the app, to change what it does."""
    files = {
        "envs/dev.yaml": environment,
        "envs/plans/shop/1.0.0.yaml": catalog,
        "evals/gating.yaml": suite,
        "shop_app.py": APP + dedent(app),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    (root / "prompts").mkdir(exist_ok=True)
    return root


def start_plangate(*arguments: str, cwd: Path, environ: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """The real command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "plangate", *arguments],
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def plangate(
    *arguments: str, cwd: Path, environ: dict[str, str] | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the real command to its end; never with a traceback."""
    process = start_plangate(*arguments, cwd=cwd, environ=environ)
    out, err = process.communicate(timeout=timeout_s)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def run_json(root: Path, *arguments: str, environ: dict[str, str] | None = None) -> tuple[int, dict]:
    """Exit status and document of `plangate run dev --json`."""
    done = plangate("run", "dev", "--json", *arguments, cwd=root, environ=environ)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)
