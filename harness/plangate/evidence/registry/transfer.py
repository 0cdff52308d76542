"""Push and pull: the same blobs, the same manifest, and so the same tar, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plangate.documents.environment import Json
from plangate.errors import EvidenceError
from plangate.evidence.bundle.layout import BundleFile, layout_of_manifest, write_layout
from plangate.evidence.registry.client import Access, Repository
from plangate.evidence.registry.reference import Reference
from plangate.evidence.strict_json import loads

__all__ = ["Transferred", "pull", "push"]

_MANIFEST_BYTES_MAX: Final = 4 * 1024 * 1024
"""What registries accept for a manifest (distribution-spec 1.1)."""
_BUNDLE_BYTES_MAX: Final = 512 * 1024 * 1024
"""A pulled bundle is held in memory until it is known to be whole."""
Told = Callable[[int, int], None]
"""Called after each blob with how many are done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """What went over."""

    reference: str
    digest: str
    """Of the manifest: it names every byte of the bundle."""
    blobs: int
    sent: int
    """How many of them had to go over the wire."""
    bytes: int


def push(path: Path, reference: Reference, *, access: Access, told: Told) -> Transferred:
    """Upload a bundle under the reference's tag. What the registry has already is not sent again.

    Raises what `BundleFile` and `Repository` raise.
    """
    with BundleFile(path) as bundle, Repository(reference, access=access) as repository:
        blobs, manifest = bundle.blobs(), bundle.manifest_bytes
        digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
        if reference.digest and reference.digest != digest:
            raise EvidenceError(
                f"this bundle's digest is {digest}, not {reference.digest}", code="bundle-damaged", where=str(path)
            )
        sent = total = 0
        for number, (name, size) in enumerate(sorted(blobs.items()), start=1):
            if not repository.has_blob(f"sha256:{name}"):
                repository.put_blob(f"sha256:{name}", bundle.blob(name))
                sent += 1
            total += size
            told(number, len(blobs))
        repository.put_manifest(reference.manifest, manifest)
    return Transferred(reference=str(reference), digest=digest, blobs=len(blobs), sent=sent, bytes=total)


def pull(reference: Reference, path: Path, *, access: Access, told: Told) -> Transferred:
    """Download a bundle and write the same tar that was pushed. Nothing is written unless all of it is right.

    Raises EvidenceError `bundle-damaged`, `bundle-too-large`, InputError `unwritable-file`, and what `Repository` does.
    """
    with Repository(reference, access=access) as repository:
        manifest = repository.manifest(reference.manifest, bytes_max=_MANIFEST_BYTES_MAX)
        sizes = _sizes(manifest, reference)
        blobs: dict[str, bytes] = {}
        for number, (name, size) in enumerate(sorted(sizes.items()), start=1):
            blobs[name] = repository.blob(f"sha256:{name}", size=size)
            told(number, len(sizes))
    write_layout(path, layout_of_manifest(manifest, blobs))
    digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
    total = sum(sizes.values())
    return Transferred(reference=str(reference), digest=digest, blobs=len(sizes), sent=len(sizes), bytes=total)


def _sizes(manifest: bytes, reference: Reference) -> dict[str, int]:
    """Digest -> size of every blob that the manifest names, before any of them is asked for."""
    document = loads(manifest, bytes_max=_MANIFEST_BYTES_MAX)
    parts = _listed(document)
    sizes: dict[str, int] = {}
    for part in parts:
        digest, size = part.get("digest"), part.get("size")
        if not isinstance(digest, str) or not digest.startswith("sha256:") or type(size) is not int or size < 0:
            parts = []
            break
        sizes[digest.removeprefix("sha256:")] = size
    if not parts:
        raise EvidenceError("this is no bundle of plangate's", code="bundle-damaged", where=str(reference))
    if sum(sizes.values()) > _BUNDLE_BYTES_MAX:
        text = f"it says it has more than {_BUNDLE_BYTES_MAX:,} bytes"
        raise EvidenceError(f"this bundle is refused: {text}", code="bundle-too-large", where=str(reference))
    return sizes


def _listed(document: Json) -> list[dict[str, Json]]:
    layers = document.get("layers") if isinstance(document, dict) else None
    config = document.get("config") if isinstance(document, dict) else None
    parts = [*layers, config] if isinstance(layers, list) else []
    return [one for one in parts if isinstance(one, dict)] if all(isinstance(one, dict) for one in parts) else []
