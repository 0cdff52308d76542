"""The ledger: what was appended stays, and whatever is cut, edited, forked or deleted is noticed."""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
from pathlib import Path

import pytest

from plangate.errors import EvidenceError
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.merkle import leaf_hash, root_of
from plangate.evidence.notes import key_hash, read_checkpoint, read_proof, sign_checkpoint
from tests.evidence.vectors import vectors
from tests.writes import Writes, written

KEY = generate()
AT = "2026-01-01T00:00:00Z"


def filled(folder: Path, count: int) -> Ledger:
    ledger = Ledger(folder)
    for number in range(count):
        ledger.append(b"envelope %d" % number, key=KEY, at=AT)
    return ledger


def codes(ledger: Ledger) -> set[str]:
    return {problem.code for problem in ledger.verify()}


def lines_of(folder: Path) -> list[bytes]:
    return (folder / "ledger" / "entries.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 20])
def test_every_entry_is_proven_by_the_file_beside_it(tmp_path: Path, count: int) -> None:
    ledger = filled(tmp_path, count)
    assert ledger.verify() == []
    assert [entry.index for entry in ledger.entries()] == list(range(count))
    for entry, line in zip(ledger.entries(), lines_of(tmp_path) if count else [], strict=True):
        proof = read_proof((tmp_path / f"{entry.digest}.tlog-proof").read_bytes())
        assert proof.holds(leaf_hash(line))
        assert not proof.holds(leaf_hash(line + b" "))
        assert proof.checkpoint.signed_by(KEY.public)
        assert not proof.checkpoint.signed_by(generate().public)
    if count:
        checkpoint = ledger.checkpoint()
        assert checkpoint is not None
        assert checkpoint.root == root_of([leaf_hash(line) for line in lines_of(tmp_path)])


def test_a_clock_that_was_set_back_makes_no_entry_older(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 1)
    assert ledger.append(b"later", key=KEY, at="2026-06-01T00:00:00Z").at == "2026-06-01T00:00:00Z"
    assert ledger.append(b"earlier", key=KEY, at="2020-01-01T00:00:00Z").at == "2026-06-01T00:00:00Z"
    assert ledger.verify() == []


def test_the_same_thing_may_be_said_twice(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 1)
    ledger.append(b"envelope 0", key=KEY, at=AT)
    assert ledger.verify() == []
    assert len({entry.digest for entry in ledger.entries()}) == 1


def edit(folder: Path, change) -> None:
    path = folder / "ledger" / "entries.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in change(lines_of(folder))))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: lines[:-2], "ledger-cut"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "ledger-forked"),
        (lambda lines: [lines[0].replace(b"2026-01", b"2025-01"), *lines[1:]], "ledger-forked"),
        (lambda lines: [*lines[:2], lines[2].replace(b"2026-01", b"2027-01"), *lines[3:]], "ledger-damaged"),
        (lambda lines: [*lines[:3], b"{}", *lines[4:]], "ledger-damaged"),
        (lambda lines: [*lines[:3], *lines[4:]], "ledger-cut"),
        (lambda lines: [*lines, lines[0]], "ledger-unsigned"),
    ],
)
def test_an_edited_ledger_is_noticed(tmp_path: Path, change, code: str) -> None:
    ledger = filled(tmp_path, 6)
    edit(tmp_path, change)
    assert code in codes(ledger)


def test_a_ledger_and_checkpoint_cut_together_leave_envelopes_that_tell(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 5)
    older = read_proof((tmp_path / f"{list(ledger.entries())[2].digest}.tlog-proof").read_bytes()).checkpoint
    edit(tmp_path, lambda lines: lines[:3])
    (tmp_path / "ledger" / "checkpoint").write_bytes(
        sign_checkpoint(origin=older.origin, size=3, root=older.root, key=KEY)
    )
    assert codes(ledger) == {"evidence-unlisted"}


def test_a_deleted_or_changed_envelope_is_noticed_and_never_passed_over(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    first, second, _ = (entry.digest for entry in ledger.entries())
    (tmp_path / f"{first}.dsse.json").unlink()
    (tmp_path / f"{second}.dsse.json").write_bytes(b"something else")
    assert codes(ledger) >= {"evidence-missing", "evidence-changed"}
    with pytest.raises(EvidenceError, match="gone"):
        ledger.envelope(first)
    with pytest.raises(EvidenceError, match="not what was signed"):
        ledger.envelope(second)


@pytest.mark.parametrize("torn", [b"{", b'{"at":"2026-01-01T00:00:00Z","dig'])
def test_a_line_torn_by_a_crash_is_no_entry_and_the_next_append_goes_on(tmp_path: Path, torn: bytes) -> None:
    ledger = filled(tmp_path, 3)
    with (tmp_path / "ledger" / "entries.jsonl").open("ab") as file:
        file.write(torn)
    assert len(list(ledger.entries())) == 3
    ledger.append(b"next", key=KEY, at=AT)
    assert len(list(ledger.entries())) == 4
    assert ledger.verify() == []


def test_a_lost_or_wrong_cache_is_made_again(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 5)
    cache = tmp_path / "ledger" / "frontier.json"
    for broken in (None, b"", b"{}", cache.read_bytes().replace(b'"size": 5', b'"size": 4')):
        cache.unlink() if broken is None else cache.write_bytes(broken)
        ledger.append(b"more", key=KEY, at=AT)
        assert ledger.verify() == []
    ledger.rebuild()
    assert ledger.verify() == []


def test_a_cache_of_entries_that_were_cut_off_is_not_used(tmp_path: Path) -> None:
    """Cache and checkpoint agree about five entries, and four are there: the next one is the fifth."""
    ledger = filled(tmp_path, 5)
    last = list(ledger.entries())[-1].digest
    edit(tmp_path, lambda lines: lines[:-1])
    assert ledger.append(b"more", key=KEY, at=AT).index == 4
    (tmp_path / f"{last}.dsse.json").unlink()
    assert codes(ledger) == set()


def test_a_cache_of_other_entries_of_the_same_length_is_not_used(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 5)
    cache = tmp_path / "ledger" / "frontier.json"
    kept = json.loads(cache.read_bytes())
    cache.write_text(json.dumps({**kept, "nodes": ["00" * 32 for _ in kept["nodes"]]}))
    ledger.append(b"more", key=KEY, at=AT)
    assert codes(ledger) == set()


def test_an_append_is_on_disk_step_by_step_and_an_envelope_before_the_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = filled(tmp_path, 2)
    writes = Writes(monkeypatch)
    digest = ledger.append(b"one more", key=KEY, at=AT).digest
    assert writes.under(tmp_path) == [
        *written("pending.json", folder="ledger"),
        *written(f"{digest}.dsse.json", folder=tmp_path.name),
        "safe entries.jsonl",
        *written(f"{digest}.tlog-proof", folder=tmp_path.name),
        *written("checkpoint", folder="ledger"),
        "named frontier.json",  # a cache: lost in a power cut, it is made again
        "gone pending.json",
    ]


def _write_many(folder: str, start: int) -> None:
    ledger = Ledger(Path(folder))
    for number in range(start, start + 25):
        ledger.append(b"from many %d" % number, key=KEY, at=AT)


def test_many_processes_append_and_nothing_is_lost(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(str(tmp_path), 100 * number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    ledger = Ledger(tmp_path)
    assert len(list(ledger.entries())) == 100
    assert ledger.verify() == []


def test_published_notes_checkpoints_and_proofs() -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    from plangate.evidence.keys import PublicKey

    name, hashed, encoded = vectors("tlog", "ref.log.vkey.txt").read_text().strip().split("+", 2)
    key = PublicKey(ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:]))
    assert key_hash(name, key).hex() == hashed
    proof = read_proof(vectors("tlog", "ref.entry4.tlog-proof").read_bytes())
    assert (proof.index, proof.checkpoint.size, proof.checkpoint.origin) == (4, 7, name)
    assert proof.checkpoint.signed_by(key)
    entry = vectors("tlog", "ref.entry4.bin").read_bytes()
    leaves = [leaf_hash(entry), leaf_hash(hashlib.sha256(entry).digest())]
    assert any(proof.holds(leaf) for leaf in leaves)
    assert not proof.holds(leaf_hash(entry + b"x"))
    example = read_checkpoint(vectors("tlog", "c2sp-tlog-checkpoint.example.txt").read_bytes())
    assert (example.origin, example.size) == ("example.com/behind-the-sofa", 20852163)


@pytest.mark.parametrize("text", [b"", b"a\n1\n", b"a\n01\nAA==\n\n", b"a\n-1\nAA==\n\n\xe2\x80\x94 a AA==\n", b"\xff"])
def test_what_is_no_checkpoint_is_refused(text: bytes) -> None:
    with pytest.raises(EvidenceError):
        read_checkpoint(text)


def _note(*, size: str = "3", origin: str = "plangate.dev/ledger", name: str = "plangate.dev/ledger") -> bytes:
    """A checkpoint that is signed well by KEY, under `name`."""
    body = f"{origin}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n".encode()
    blob = base64.b64encode(key_hash(origin, KEY.public) + KEY.sign(body)).decode()
    return body + f"\n\u2014 {name} {blob}\n".encode()


def test_a_signature_counts_under_the_logs_own_name_only() -> None:
    assert read_checkpoint(_note()).signed_by(KEY.public)
    assert not read_checkpoint(_note(name="another.example/log")).signed_by(KEY.public)
    assert not read_checkpoint(_note(name="plangate.dev/ledger2")).signed_by(KEY.public)


@pytest.mark.parametrize("size", ["007", "+7", "-7", "7.0", "٧", "0x7", " "])
def test_a_size_is_written_in_one_way(size: str) -> None:
    assert read_checkpoint(_note(size="7")).size == 7
    assert read_checkpoint(_note(size="0")).size == 0
    with pytest.raises(EvidenceError, match="not a size"):
        read_checkpoint(_note(size=size))


@pytest.mark.parametrize("algorithm", ["ed25519", "p256"])
def test_a_checkpoint_is_a_signed_note_by_the_letter(algorithm: str) -> None:
    """c2sp.org/signed-note and tlog-checkpoint, put together here from hashes and base64 alone."""
    key, origin, root = generate(algorithm), "log.example/one", hashlib.sha256(b"root").digest()
    note = sign_checkpoint(origin=origin, size=41, root=root, key=key)
    body, gap, line = note.partition(b"\n\n")
    assert body.split(b"\n") == [origin.encode(), b"41", base64.b64encode(root)]
    assert (gap, note[-1:]) == (b"\n\n", b"\n")
    dash, name, blob = line.decode().removesuffix("\n").split(" ")
    assert (dash, name) == ("\u2014", origin)
    signature = base64.b64decode(blob)
    raw = b"\x01" + key.public.raw if algorithm == "ed25519" else None
    hashed = origin.encode() + b"\n" + raw if raw else key.public.spki
    assert signature[:4] == hashlib.sha256(hashed).digest()[:4]
    assert key.public.verify(signature[4:], body + b"\n")
    assert not key.public.verify(signature[4:], body)


def test_a_proof_file_is_read_by_the_letter() -> None:
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    root = hashlib.sha256(b"\x01" + left + right).digest()
    note = sign_checkpoint(origin="log.example/one", size=2, root=root, key=KEY)
    for extra in (b"", b"extra AAAA\n"):
        text = b"c2sp.org/tlog-proof@v1\n" + extra + b"index 1\n" + base64.b64encode(left) + b"\n\n" + note
        proof = read_proof(text)
        assert (proof.index, proof.path, proof.checkpoint.size) == (1, (left,), 2)
        assert proof.holds(right)
        assert not proof.holds(left)
        assert proof.checkpoint.signed_by(KEY.public)
    for spoilt in (
        text.replace(b"@v1", b"@v2"),
        text.replace(b"index 1", b"index -1"),
        text.replace(b"index 1", b"at 1"),
    ):
        with pytest.raises(EvidenceError, match="malformed-checkpoint"):
            read_proof(spoilt)
