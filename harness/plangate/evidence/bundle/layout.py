"""The OCI image layout in a bundle: one manifest that names every file by title and digest (OCI image-spec 1.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from plangate.documents.environment import Json
from plangate.errors import EvidenceError, InputError
from plangate.evidence.bundle.tar import INDEX, LAYOUT, Member, blob_name, read_members, write_members
from plangate.evidence.strict_json import loads
from plangate.releases.canonical import canonical_bytes

__all__ = [
    "ARTIFACT_TYPE",
    "BundleFile",
    "is_title",
    "layout_files",
    "layout_of_manifest",
    "write_bundle",
    "write_layout",
]

ARTIFACT_TYPE: Final = "application/vnd.plangate.bundle.v1"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
_EMPTY: Final = b"{}"
_TITLE: Final = "org.opencontainers.image.title"
_FILE: Final = "application/vnd.plangate.file.v1"
_LAYOUT_BYTES: Final = b'{"imageLayoutVersion":"1.0.0"}'
_BLOB_MAX: Final = 64 * 1024 * 1024
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}"
# What a bundle may hold. Nothing in it can be run: no ending that Python, a shell or an importer would look for.
_TITLES = re.compile(
    r"release\.lock|run\.json"
    rf"|effective/{_SEGMENT}\.json"
    r"|results\.jsonl\.gz"
    r"|evidence/[0-9a-f]{64}\.(?:dsse\.json|tlog-proof)"
    r"|evidence/ledger/(?:entries\.jsonl|checkpoint)"
    r"|workspace/plangate\.lock"
    rf"|workspace/(?:{_SEGMENT}/){{0,7}}{_SEGMENT}\.(?:yaml|yml|md|txt|json|jsonl|csv|pub|pem)"
)


def is_title(text: str) -> bool:
    """Whether a bundle may hold a file of this name."""
    return len(text) <= 512 and _TITLES.fullmatch(text) is not None


def layout_files(files: Mapping[str, bytes], *, annotations: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the layout for `files` (title -> bytes). Raises InputError for a title no bundle may hold."""
    blobs = {_sha256(_EMPTY): _EMPTY}
    sizes: dict[str, tuple[str, int]] = {}
    for title in sorted(files):
        if not is_title(title):
            hint = "give it a plain name and one of: .yaml .yml .md .txt .json .jsonl .csv .pub .pem"
            raise InputError("cannot go into a bundle", code="not-bundled", where=title, hint=hint)
        digest = _sha256(files[title])
        blobs[digest] = files[title]
        sizes[title] = (digest, len(files[title]))
    manifest = _manifest(sizes, annotations)
    blobs[_sha256(manifest)] = manifest
    layout = {blob_name(digest): data for digest, data in blobs.items()}
    return {**layout, LAYOUT: _LAYOUT_BYTES, INDEX: _index(manifest, annotations)}


def write_bundle(path: Path, files: Mapping[str, bytes], *, annotations: Mapping[str, str]) -> None:
    """Write a bundle: the same bytes for the same files. Raises InputError `unwritable-file`."""
    write_layout(path, layout_files(files, annotations=annotations))


def layout_of_manifest(manifest: bytes, blobs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the layout whose manifest this is; `blobs` by their SHA-256. Raises EvidenceError `bundle-damaged`
    where plangate would not have written it so."""
    document = loads(manifest, bytes_max=_BLOB_MAX)
    annotations = document.get("annotations") if isinstance(document, dict) else None
    layers = document.get("layers") if isinstance(document, dict) else None
    if not isinstance(annotations, dict) or not isinstance(layers, list):
        _damaged("its manifest has another shape")
    named = {
        _title(layer): str(layer.get("digest")).removeprefix("sha256:") for layer in layers if isinstance(layer, dict)
    }
    notes = {name: str(value) for name, value in annotations.items()}
    if any(digest not in blobs for digest in named.values()):
        _damaged("a blob that its manifest names is missing")
    layout = layout_files({title: blobs[digest] for title, digest in named.items()}, annotations=notes)
    if layout.get(blob_name(_sha256(manifest))) != manifest:
        _damaged("its manifest is not written as plangate writes it")
    return layout


def write_layout(path: Path, layout: Mapping[str, bytes]) -> None:
    """Write the tar of a layout, whole or not at all. Raises InputError `unwritable-file`."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as stream:
            write_members(stream, layout)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)  # a folder that is read-only refuses this, too
        raise InputError(f"cannot be written: {error.strerror}", code="unwritable-file", where=str(path)) from None


class BundleFile:
    """A bundle opened for reading: whole, and holding what its manifest names, nothing else. Use as a context manager.

    Raises InputError `unreadable-file`, and EvidenceError as `read_members` does.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._stream = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", code="unreadable-file", where=str(path)) from None
        try:
            members = {one.name: one for one in read_members(self._stream)}
            self.annotations, self._titles = self._read_manifest(members)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> BundleFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def titles(self) -> tuple[str, ...]:
        """Names of all files, sorted."""
        return tuple(sorted(self._titles))

    def read(self, title: str, *, bytes_max: int = _BLOB_MAX) -> bytes:
        """The bytes of a file. Raises EvidenceError `bundle-incomplete`, `bundle-too-large`, `bundle-damaged`."""
        member = self._titles.get(title)
        if member is None:
            raise EvidenceError(
                f"the bundle has no {title}", code="bundle-incomplete", hint="`plangate bundle` makes it"
            )
        if member.size > bytes_max:
            raise EvidenceError(f"{title} has more than {bytes_max:,} bytes", code="bundle-too-large")
        return self._bytes(member)

    def blobs(self) -> dict[str, int]:
        """SHA-256 -> size of every blob that the manifest names; the manifest itself is none of them."""
        return {name: one.size for name, one in self._blobs.items()}

    def blob(self, sha256: str) -> bytes:
        """The bytes of a blob."""
        return self._bytes(self._blobs[sha256])

    def _bytes(self, member: Member) -> bytes:
        self._stream.seek(member.offset)
        data = self._stream.read(member.size)
        if _sha256(data) != member.sha256:  # the file changed under our hands
            _damaged(f"{member.name} changed while it was read")
        return data

    def _read_manifest(self, members: Mapping[str, Member]) -> tuple[dict[str, str], dict[str, Member]]:
        if LAYOUT not in members or INDEX not in members or self._bytes(members[LAYOUT]) != _LAYOUT_BYTES:
            _damaged("it is no OCI image layout")
        index_bytes = self._bytes(members[INDEX])
        blobs = {one.sha256: one for name, one in members.items() if name.startswith("blobs/")}
        member = blobs.get(_manifest_digest(index_bytes))
        if member is None or member.size > _BLOB_MAX:
            _damaged("its manifest is missing")
        manifest_bytes = self._bytes(member)
        manifest = loads(manifest_bytes, bytes_max=_BLOB_MAX)
        annotations = manifest.get("annotations") if isinstance(manifest, dict) else None
        layers = manifest.get("layers") if isinstance(manifest, dict) else None
        if not isinstance(annotations, dict) or not isinstance(layers, list):
            _damaged("its manifest has another shape")
        notes = {name: str(value) for name, value in annotations.items()}
        titles = {_title(layer): _member(layer, blobs) for layer in layers}
        if len(titles) != len(layers):
            _damaged("its manifest names a file twice")
        sizes = {title: (one.sha256, one.size) for title, one in titles.items()}
        if index_bytes != _index(manifest_bytes, notes) or manifest_bytes != _manifest(sizes, notes):
            _damaged("its index or manifest is not written as plangate writes it")
        known = {member.sha256, _sha256(_EMPTY), *(one.sha256 for one in titles.values())}
        if known != set(blobs):
            _damaged("it holds bytes that its manifest does not name")
        self.manifest_bytes = manifest_bytes
        self._blobs = {name: one for name, one in blobs.items() if name != member.sha256}
        return notes, titles


def _manifest(files: Mapping[str, tuple[str, int]], annotations: Mapping[str, str]) -> bytes:
    """The manifest for title -> (digest, size): the same bytes when written and when read."""
    layers: list[Json] = [
        {"mediaType": _FILE, "digest": f"sha256:{digest}", "size": size, "annotations": {_TITLE: title}}
        for title, (digest, size) in sorted(files.items())
    ]
    return canonical_bytes(
        {
            "schemaVersion": 2, "mediaType": _MANIFEST, "artifactType": ARTIFACT_TYPE, "layers": layers,
            "config": _descriptor("application/vnd.oci.empty.v1+json", _EMPTY), "annotations": dict(annotations),
        }
    )  # fmt: skip


def _index(manifest: bytes, annotations: Mapping[str, str]) -> bytes:
    entry = {**_descriptor(_MANIFEST, manifest), "artifactType": ARTIFACT_TYPE, "annotations": dict(annotations)}
    return canonical_bytes({"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": [entry]})


def _manifest_digest(index: bytes) -> str:
    document = loads(index)
    try:
        return str(document["manifests"][0]["digest"]).removeprefix("sha256:")  # type: ignore[index,call-overload]
    except (KeyError, IndexError, TypeError):
        _damaged("its index names no manifest")


def _title(layer: Json) -> str:
    notes = layer.get("annotations") if isinstance(layer, dict) else None
    title = notes.get(_TITLE) if isinstance(notes, dict) else None
    if not isinstance(title, str) or not is_title(title):
        raise EvidenceError(f"the bundle names a file {title!r}, which none holds", code="bundle-unsafe")
    return title


def _member(layer: Json, blobs: Mapping[str, Member]) -> Member:
    digest = str(layer.get("digest")).removeprefix("sha256:") if isinstance(layer, dict) else ""
    if digest not in blobs:
        _damaged(f"blob {digest[:12]} is missing")
    return blobs[digest]


def _descriptor(media_type: str, data: bytes, **more: Json) -> dict[str, Json]:
    return {"mediaType": media_type, "digest": f"sha256:{_sha256(data)}", "size": len(data), **more}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _damaged(why: str) -> NoReturn:
    hint = "get it again; it is not what the publisher packed"
    raise EvidenceError(f"the bundle is damaged: {why}", code="bundle-damaged", hint=hint)
