"""A bundle made in a test: a tiny shop that was run once, signed for by a key, and packed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from plangate.documents.environment import Json
from plangate.evidence.bundle.layout import BundleFile, write_bundle
from plangate.evidence.envelope import seal
from plangate.evidence.keys import PrivateKey, generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import TEST_RESULT, Statement
from plangate.promotion.evidence_of_runs import results_of_run
from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from tests.cli.shops import SUITE, make_shop, plangate

END = "9999-01-01T00:00:00Z"
AT = "2026-06-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A publisher's workspace, key, bundle, and a customer's trust in that key."""

    root: Path
    key: PrivateKey
    bundle: Path
    trust: Path


def publish(folder: Path, *, run_first: bool = True, suite: str = SUITE, app: str = "") -> Published:
    """Run the shop, sign the result, bundle it. `app` is Python appended to the app."""
    root = make_shop(folder / "publisher", suite=suite, app=app)
    if run_first:
        assert plangate("run", "dev", cwd=root).returncode == 0
    key = generate()
    made = Published(root=root, key=key, bundle=folder / "release.tar", trust=folder / "trust.yaml")
    made.trust.write_text(trust_text(key), encoding="utf-8")
    sign_newest(made)
    pack(made)
    return made


def pack(made: Published) -> None:
    """Bundle again."""
    done = plangate("bundle", "dev", "-o", str(made.bundle), cwd=made.root)
    assert done.returncode == 0, done.stderr


def statements(made: Published) -> list[Statement]:
    """What the newest run proves."""
    folder = RunFolder(made.root)
    with StoredRun(folder.path_of(folder.names()[0])) as run:
        return list(results_of_run(run, catalogs={}, harness="sha256:" + "00" * 32))


def sign_newest(made: Published, *, key: PrivateKey | None = None, at: str = AT, **changed: Json) -> None:
    """Record what the newest run proves, with fields changed where asked."""
    for one in statements(made):
        told = Statement(
            subjects=one.subjects, predicate_type=one.predicate_type, predicate={**one.predicate, **changed}
        )
        Ledger(made.root / "evidence").append(seal(told, key=key or made.key), key=made.key, at=at)


def trust_text(
    key: PrivateKey, *, more: str = "", predicate: str = TEST_RESULT, expires: str = "9999-01-01T00:00:00Z"
) -> str:
    """A trust.yaml that believes `key`."""
    return (
        "apiVersion: plangate/v1\nkind: Trust\n"
        f"metadata: {{version: 1, expires: {expires}}}\n"
        f"keys:\n  ci:\n    algorithm: {key.public.algorithm}\n    owner: ci@example.com\n{indent(more, '    ')}"
        f"    public: |\n{indent(key.public.pem.decode(), '      ')}"
        f"roles:\n  publisher-ci: {{keys: [ci], threshold: 1, predicates: ['{predicate}']}}\n"
    )


def contents(bundle: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Title -> bytes, and annotations."""
    with BundleFile(bundle) as opened:
        return {title: opened.read(title) for title in opened.titles()}, opened.annotations


def repack(bundle: Path, **changed: bytes | None) -> None:
    """Write the bundle again, well formed, with files changed or (None) left out: what an attacker would do."""
    files, annotations = contents(bundle)
    files = {title: data for title, data in {**files, **changed}.items() if data is not None}
    write_bundle(bundle, files, annotations=annotations)
