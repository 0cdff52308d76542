"""The file a customer gets: equal bytes for equal content, and nothing in it that was not put there."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from plangate.errors import EvidenceError, InputError
from plangate.evidence.bundle.layout import BundleFile, layout_files, write_bundle
from plangate.evidence.bundle.results import read_results
from plangate.evidence.bundle.tar import ENTRIES_MAX, blob_name, read_members
from tests.cli.shops import CELLS
from tests.evidence.bundles import contents, publish

FILES = {"release.lock": b"{}", "run.json": b'{"run":"r-1"}', "workspace/envs/dev.yaml": b"x: 1\n"}
NOTES = {"dev.plangate.environment": "dev"}


def _written(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    write_bundle(folder / "b.tar", files, annotations=NOTES)
    return folder / "b.tar"


def _refusal(data: bytes) -> str:
    with pytest.raises(EvidenceError) as raised:
        list(read_members(io.BytesIO(data)))
    return raised.value.code


def _tar(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """A tar as any tool could write it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(data), kind, link
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_what_is_written_is_read_and_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    path = _written(tmp_path)
    assert contents(path) == (FILES, NOTES)
    before = path.read_bytes()
    _written(tmp_path, dict(reversed(FILES.items())))
    assert path.read_bytes() == before


def test_other_tools_read_it_as_an_oci_layout(tmp_path: Path) -> None:
    with tarfile.open(_written(tmp_path)) as tar:
        names = tar.getnames()
        assert {"oci-layout", "index.json"} < set(names)
        assert all(member.isreg() and member.mtime == 0 and member.uid == 0 for member in tar)


def test_any_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = _written(tmp_path)
    data = bytearray(path.read_bytes())
    chance = random.Random(20261123)
    # The first header with its checksum field (byte 155 is in no checksum), and places all over the file: headers,
    # blobs, padding, index, end.
    for place in (*range(0, 600, 5), *chance.sample(range(len(data)), 500)):
        old = data[place]
        data[place] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        with pytest.raises(EvidenceError), BundleFile(path):
            pass
        data[place] = old


def test_a_bundle_that_changes_while_it_is_open_is_noticed(tmp_path: Path) -> None:
    large = b"word " * 1_000_000  # more than any reader buffers
    path = _written(tmp_path, {"workspace/prompts/large.txt": large})
    with BundleFile(path) as bundle:
        with path.open("r+b") as file:  # the same file, so that the open one sees it
            file.seek(path.read_bytes().index(large) + len(large) // 2)
            file.write(b"W")
        with pytest.raises(EvidenceError, match="changed while it was read"):
            bundle.read("workspace/prompts/large.txt")


@pytest.mark.parametrize("cut", [0, 1, 511, 512, 5_000, -1, -512])
def test_a_bundle_cut_short_or_grown_is_noticed(tmp_path: Path, cut: int) -> None:
    path = _written(tmp_path)
    data = path.read_bytes()
    for changed in (data[:cut], data + b"\0" * 512, data + data):
        path.write_bytes(changed)
        with pytest.raises(EvidenceError), BundleFile(path):
            pass


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "blobs/sha256/../../evil", "blobs/sha256/AB", "evil.py"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    assert _refusal(_tar((name, b""))) == "bundle-unsafe"


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_links_devices_and_folders_are_refused(kind: bytes) -> None:
    assert _refusal(_tar(("index.json", b""), kind=kind, link="/etc/passwd")) == "bundle-unsafe"


def test_a_name_twice_is_refused() -> None:
    assert _refusal(_tar(("index.json", b"{}"), ("index.json", b"[]"))) in ("bundle-unsafe", "bundle-damaged")
    twice = io.BytesIO()
    layout = layout_files(FILES, annotations=NOTES)
    for name in ("index.json", "index.json"):
        info = tarfile.TarInfo(name)
        info.size = len(layout[name])
        twice.write(info.tobuf(tarfile.USTAR_FORMAT) + layout[name] + b"\0" * (-len(layout[name]) % 512))
    assert _refusal(twice.getvalue()) == "bundle-unsafe"


class _Endless(io.RawIOBase):
    """That many small blobs, made while they are read."""

    def __init__(self, blobs: int) -> None:
        self._blocks = self._made(blobs)
        self.given = 0

    def _made(self, blobs: int) -> Iterator[bytes]:
        texts = {hashlib.sha256(text).hexdigest(): text for text in (b"%d" % number for number in range(blobs))}
        for name in sorted(texts):
            info = tarfile.TarInfo(blob_name(name))
            info.size = len(texts[name])
            yield info.tobuf(tarfile.USTAR_FORMAT)
            yield texts[name]
            yield b"\0" * (512 - len(texts[name]))

    def read(self, size: int = -1) -> bytes:
        self.given += 1
        return next(self._blocks)


def test_too_many_entries_are_refused_while_reading() -> None:
    source = _Endless(20_000)
    with pytest.raises(EvidenceError, match="bundle-too-large"):
        list(read_members(source, entries_max=1_000))
    assert source.given == 3 * 1_000 + 1


@pytest.mark.slow
def test_a_million_entries_cost_no_more_than_those_that_are_allowed() -> None:
    source = _Endless(1_000_000)
    with pytest.raises(EvidenceError, match="bundle-too-large"):
        deque(read_members(source), maxlen=0)
    assert source.given == 3 * ENTRIES_MAX + 1


def test_a_bundle_that_says_it_is_huge_is_refused_before_it_is_read() -> None:
    info = tarfile.TarInfo(blob_name("ab" * 32))
    info.size = 3 * 1024**3
    assert _refusal(info.tobuf(tarfile.USTAR_FORMAT)) == "bundle-too-large"


def test_a_blob_nobody_names_is_refused(tmp_path: Path) -> None:
    from plangate.evidence.bundle.tar import write_members

    layout = layout_files(FILES, annotations=NOTES)
    layout[blob_name(hashlib.sha256(b"extra").hexdigest())] = b"extra"
    with (tmp_path / "b.tar").open("wb") as stream:
        write_members(stream, layout)
    with pytest.raises(EvidenceError, match="does not name"), BundleFile(tmp_path / "b.tar"):
        pass


@pytest.mark.parametrize(
    "title",
    ["workspace/evil.py", "workspace/../x.yaml", "workspace/.git/config.yaml", "/x.yaml", "workspace//x.yaml", "a"],
)
def test_a_title_that_could_run_or_escape_is_never_packed(tmp_path: Path, title: str) -> None:
    with pytest.raises(InputError, match="not-bundled"):
        _written(tmp_path, {title: b""})


def _squeezed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(_squeezed(b"{}\n"), id="no cell"),
        pytest.param(_squeezed(b"[]\n"), id="a list"),
        pytest.param(_squeezed(b"\xff\n"), id="not UTF-8"),
        pytest.param(_squeezed(b"[" * 9999), id="brackets"),
        pytest.param(_squeezed(b'{"a":1,"a":2}\n'), id="duplicate key"),
        pytest.param(_squeezed(b"x" * 100_000), id="a long line"),
        pytest.param(_squeezed(b"")[:-4], id="cut short"),
        pytest.param(_squeezed(b"") + b"more", id="more behind it"),
    ],
)
def test_results_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="malformed-results"):
        list(read_results(data))


def test_a_bomb_is_noticed_before_it_is_unpacked() -> None:
    line = b'{"axes":{},"cell":"c-%020x","decision":"x","expected":["deny","x"],'
    line += b'"limits":"","suite":"s","verdict":"pass"}\n'
    bomb = gzip.compress(b"".join(line % number for number in range(30_000)))
    with pytest.raises(EvidenceError, match="bundle-too-large"):
        list(read_results(bomb, bytes_max=1_500_000))


def test_packing_twice_gives_the_same_bytes_and_holds_no_secret_and_no_app(tmp_path: Path) -> None:
    from tests.evidence.bundles import pack

    made = publish(tmp_path)
    before = made.bundle.read_bytes()
    pack(made)
    assert made.bundle.read_bytes() == before
    files, _ = contents(made.bundle)
    assert not any(title.endswith(".py") or ".key" in title for title in files)
    assert {"release.lock", "effective/dev.json", "run.json", "results.jsonl.gz", "evidence/ledger/checkpoint"} <= set(
        files
    )
    assert len(list(read_results(files["results.jsonl.gz"]))) == CELLS
