"""A small shop with two plans: a workspace on disk, with an app that can be told to leak."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = """\
apiVersion: plangate/v1
kind: Environment
metadata: {name: dev, revision: 1, tier: nonproduction}
release:
  app: {name: shop, version: 1.0.0}
  model: {provider: scripted, name: none, version: 1.0.0}
  plans: {shop: 1.0.0}
  suites: {gating: 1}
bindings:
  targets:
    default: {driver: python, object: "shop_app:evaluate", timeout_s: 5}
"""
CATALOG = """\
apiVersion: plangate/v1
kind: PlanCatalog
metadata: {name: shop, version: 1.0.0}
offer: {model: saas, id: shop}
capabilities:
  kb.search: {effect: read}
  report.export: {effect: read, consumes: {exports: 1}}
limits:
  exports: {unit: export, window: month}
tiers: [free, pro]
plans:
  free: {grants: [kb.search]}
  pro: {extends: free, grants: [report.export], limits: {exports: 5}}
"""
SUITE = """\
apiVersion: plangate/v1
kind: Suite
metadata: {name: gating, version: 1}
type: gating
matrix:
  axes: {plan: all, state: [Subscribed, Suspended], capability: all, usage: boundary}
determinism: {repeats: 2, orders: [forward, reverse], concurrency: [1]}
seed: 11
"""
APP = '''\
"""The shop's gate. SHOP_BUG switches on a fault; SHOP_LOG names a file that gets a line for each request."""
import os
import time

GRANTS = {"free": {"kb.search"}, "pro": {"kb.search", "report.export"}}


def answer(effect, reason, **more):
    return {"decision": effect == "allow", "context": {"effect": effect, "reason": reason, **more}}


def evaluate(request):
    who, capability = request["subject"]["properties"], request["action"]["name"]
    bug = os.environ.get("SHOP_BUG")
    if os.environ.get("SHOP_LOG"):
        with open(os.environ["SHOP_LOG"], "a") as log:
            log.write(f"{os.getpid()} {who['plan']} {who['state']} {capability}\\n")
    if bug == "raises":
        raise RuntimeError("the shop is closed")
    if bug == "hangs":
        time.sleep(10)
    if who["state"] == "Suspended":
        return answer("deny", "suspended")
    granted = capability in GRANTS[who["plan"]] or bug == "free_gains_export"
    if not granted:
        return answer("deny", "not_in_plan")
    used = who["usage"].get("exports", 0)
    limit = 5 if bug != "off_by_one" else 6
    if capability == "report.export" and who["plan"] == "pro" and used + 1 > limit:
        return answer("deny", "limit_exceeded", limit={"name": "exports", "limit": 5, "remaining": 5 - used})
    return answer("allow", "entitled")
'''


@dataclass(frozen=True, slots=True)
class Session:
    """What one pytest process did."""

    status: int
    out: str

    @property
    def counts(self) -> dict[str, int]:
        """Outcome -> how many, from the closing line."""
        return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", self.out.splitlines()[-1])}

    def nodes(self, word: str) -> list[str]:
        """Node ids that the summary lists as this word (FAILED, PASSED), in order."""
        return re.findall(rf"^{word} (\S+)", self.out, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shop:
    """The workspace."""

    root: Path

    def pytest(self, *arguments: str, every_plugin: bool = False, **environment: str) -> Session:
        """Run pytest there, in a process of its own, without this process's coverage and options.

        Only plangate's plugin and xdist's are loaded, which takes a quarter of the time, unless `every_plugin`.
        """
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "SHOP_"))}
        plugins = [] if every_plugin else ["-p", "plangate.pytest_plugin", "-p", "xdist.plugin"]
        alone = {} if every_plugin else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--color=no", *plugins, *arguments],
            cwd=self.root,
            env=kept | alone | {"COLUMNS": "200"} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Session(done.returncode, done.stdout + done.stderr)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the workspace."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target


def make_shop(root: Path) -> Shop:
    """A workspace whose app gates as its catalog says."""
    shop = Shop(root)
    shop.write("envs/dev.yaml", ENVIRONMENT)
    shop.write("envs/plans/shop/1.0.0.yaml", CATALOG)
    shop.write("evals/gating.yaml", SUITE)
    shop.write("shop_app.py", APP)
    shop.write("pytest.ini", "[pytest]\naddopts = -ra --strict-markers\nfilterwarnings = error\n")
    return shop
