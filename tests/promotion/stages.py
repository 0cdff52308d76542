"""A shop with dev, stage and prod, keys made on the spot, and a trust policy that lists them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from plangate.evidence.keys import PrivateKey, generate
from plangate.evidence.statements import APPROVAL, DRIFT, DRILL, HOLD, PROMOTION, TEST_RESULT, VERIFICATION_SUMMARY
from tests.cli.shops import CATALOG, ENVIRONMENT, make_shop

PEOPLE = ("alice", "bob", "carol", "ci", "mallory")
STAGE = (
    ENVIRONMENT.replace("name: dev", "name: stage")
    + "gates: [{suite: gating}]   # what stage asks\npromotion: {from: [dev]}\n"
)
PROD = (
    ENVIRONMENT.replace("name: dev", "name: prod").replace("nonproduction", "production")
    + "gates: [{suite: gating}]\n"
    + "promotion: {from: [stage], approvals: {count: 2, roles: [manager, security]}, soak: PT0S}\n"
)
NEW_CATALOG = CATALOG.replace("version: 1.0.0", "version: 1.1.0").replace(
    "grants: [kb.search], limits: {messages: 20}", "grants: [kb.search, report.export], limits: {messages: 20}"
)
"""Free gains what pro pays for."""
NEW_APP = """
GRANTS["free"].add("report.export")
"""


def make_stages(root: Path, *, app: str = NEW_APP, trust: bool = True, algorithm: str = "ed25519") -> Path:
    """A workspace where dev has a catalog that stage and prod do not have yet, and an app that follows dev's."""
    make_shop(root, app=app, environment=ENVIRONMENT.replace("plans: {shop: 1.0.0}", "plans: {shop: 1.1.0}"))
    texts = {"envs/stage.yaml": STAGE, "envs/prod.yaml": PROD, "envs/plans/shop/1.1.0.yaml": NEW_CATALOG}
    for name, text in texts.items():
        (root / name).write_text(text.lstrip("\n"), encoding="utf-8")
    if trust:
        write_trust(root, algorithm=algorithm)
    return root


def write_trust(root: Path, *, algorithm: str = "ed25519") -> dict[str, PrivateKey]:
    """Keys in `keys/`, and who may say what in `envs/trust.yaml`: mallory has a key and no role."""
    (root / "keys").mkdir()
    keys = {person: generate(algorithm) for person in PEOPLE}
    for person, key in keys.items():
        (root / "keys" / f"{person}.key").write_bytes(key.pem())
        (root / "keys" / f"{person}.pub").write_bytes(key.public.pem)
    listed = "".join(
        f"  {person}: {{algorithm: {algorithm}, owner: {person}, public: 'file:keys/{person}.pub'}}\n"
        for person in PEOPLE
    )
    proofs = f'"{TEST_RESULT}", "{VERIFICATION_SUMMARY}", "{DRILL}", "{DRIFT}"'
    acts = f'"{APPROVAL}", "{PROMOTION}", "{HOLD}"'
    text = f"""\
        apiVersion: plangate/v1
        kind: Trust
        metadata: {{version: 1}}
        roles:
          ci: {{keys: [ci], threshold: 1, predicates: [{proofs}]}}
          manager: {{keys: [alice, carol], threshold: 1, predicates: [{acts}, {proofs}]}}
          security: {{keys: [bob], threshold: 1, predicates: ["{APPROVAL}"]}}
        keys:
        """
    (root / "envs" / "trust.yaml").write_text(dedent(text) + listed, encoding="utf-8")
    return keys
