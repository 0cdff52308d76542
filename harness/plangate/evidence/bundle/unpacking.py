"""The documents of a bundle as a workspace, in a folder made for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from plangate.documents.environment import Environment
from plangate.documents.files import document_path, is_name
from plangate.documents.kinds import Kind
from plangate.errors import EvidenceError
from plangate.evidence.strict_json import loads

if TYPE_CHECKING:
    from plangate.evidence.bundle.layout import BundleFile

__all__ = ["environment_name", "run_document", "unpack_documents", "with_bindings"]

_PREFIX = "workspace/"


def unpack_documents(bundle: BundleFile, folder: Path) -> None:
    """Write the bundle's documents into `folder`, which is empty. Titles cannot lead out of it (`is_title`)."""
    for title in bundle.titles():
        if title.startswith(_PREFIX):
            path = folder / title.removeprefix(_PREFIX)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bundle.read(title))
    for name in ("envs", "evals", "prompts"):
        (folder / name).mkdir(exist_ok=True)


def run_document(bundle: BundleFile) -> dict[str, Any]:
    """What the bundle says of its run.

    Raises EvidenceError `bundle-format` for a run of an earlier plangate, `malformed-evidence` for another shape.
    """
    raw = loads(bundle.read("run.json"))
    texts = ("run", "environment", "release", "effective", "fingerprint", "verdict", "started", "finished")
    if not isinstance(raw, dict) or not all(isinstance(raw.get(name), str) for name in texts):
        _refuse("run.json does not say what was run")
    if not isinstance(raw.get("details"), str):
        raise EvidenceError(
            "the bundle comes from an earlier plangate, whose fingerprint covered limits, too",
            code="bundle-format",
            hint="ask its publisher to validate and bundle the release again",
        )
    suites = raw.get("suites")
    if not isinstance(suites, dict) or not suites:
        _refuse("run.json names no suite")
    for one in suites.values():
        if not isinstance(one, dict) or not isinstance(one.get("digest"), str) or type(one.get("seed")) is not int:
            _refuse("run.json says too little of a suite")
        if not isinstance(one.get("totals"), dict):
            _refuse("run.json has no totals")
    return dict(raw)


def environment_name(bundle: BundleFile) -> str:
    """The environment the bundle is about; it must be a name that a file can have."""
    name = str(run_document(bundle)["environment"])
    if not is_name(name):
        _refuse("its environment has no proper name")
    return name


def with_bindings(folder: Path, manifest: Environment, *, bindings: dict[str, Any], tier: str | None) -> None:
    """Write `manifest` into the workspace at `folder` with other bindings; gates and promotion are the owner's own."""
    metadata = {"name": manifest.name, "revision": manifest.revision, "tier": tier or manifest.tier.value}
    document = {
        "apiVersion": "plangate/v1", "kind": "Environment", "metadata": metadata,
        "release": manifest.raw["release"], "bindings": bindings,
    }  # fmt: skip
    text = json.dumps(document, indent=2, ensure_ascii=False, default=dict)  # JSON is YAML that needs no quoting rules
    (folder / document_path(Kind.ENVIRONMENT, manifest.name)).write_text(text + "\n", encoding="utf-8")


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"the bundle cannot be used: {why}", code="malformed-evidence")
