"""Git may write CRLF into a working tree, and editors a byte order mark: nothing that is digested differs by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from plangate.cli.init import command as init
from plangate.documents.document import read_document
from plangate.documents.kinds import Kind
from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError
from plangate.evidence.keys import generate
from plangate.evidence.ledger import Ledger
from plangate.releases.release import identify
from tests.cli.promotions import by, plan_of, plangate
from tests.documents.sample_documents import FILES, KINDS, write_workspace
from tests.promotion.stages import make_stages

MARK = b"\xef\xbb\xbf"


def _checked_out_by_windows(root: Path, *, mark: bytes = b"") -> None:
    """What `core.autocrlf=true` makes of everything that is text."""
    for path in root.rglob("*"):
        inside = path.relative_to(root).parts
        if path.is_file() and inside[0] in ("envs", "evals", "prompts", "plangate.lock", "keys"):
            data = path.read_bytes()
            assert b"\r" not in data
            path.write_bytes((mark if path.suffix == ".yaml" else b"") + data.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_document_has_one_digest_and_one_meaning(kind: Kind) -> None:
    data = KINDS[kind.value].encode()
    plain, other = (read_document(kind, text, path="f") for text in (data, MARK + data.replace(b"\n", b"\r\n")))
    assert (other.digest, other.model, other.problems) == (plain.digest, plain.model, plain.problems)


def test_another_word_is_another_digest() -> None:
    data = KINDS["prompt"].encode()
    assert read_document(Kind.PROMPT, data + b"x", path="f").digest != read_document(Kind.PROMPT, data, path="f").digest


@pytest.mark.parametrize("mark", [b"", MARK])
def test_a_release_is_the_same_in_every_checkout_and_what_is_locked_has_not_changed(
    tmp_path: Path, mark: bytes
) -> None:
    root = write_workspace(tmp_path / "shop", **FILES)
    assert plangate(root, "lock")[0] == 0
    before = identify(Workspace.open(root), Workspace.open(root).environment("stage"))
    _checked_out_by_windows(root, mark=mark)
    assert identify(Workspace.open(root), Workspace.open(root).environment("stage")) == before
    assert plangate(root, "lock", "--check") == (0, "All is locked.\n", "")


def test_a_bundle_has_the_same_bytes_from_every_checkout_and_verifies(tmp_path: Path) -> None:
    root = make_stages(tmp_path / "shop")
    assert plangate(root, "run", "dev")[0] == 0
    assert plangate(root, "lock")[0] == 0
    assert plangate(root, "bundle", "dev", "-o", str(tmp_path / "first.tar"))[0] == 0
    _checked_out_by_windows(root)
    assert plangate(root, "bundle", "dev", "-o", str(tmp_path / "second.tar"))[0] == 0
    assert (tmp_path / "first.tar").read_bytes() == (tmp_path / "second.tar").read_bytes()


def test_a_manifest_whose_lines_end_in_crlf_is_promoted(tmp_path: Path) -> None:
    root = make_stages(tmp_path / "shop")
    _checked_out_by_windows(root)
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] in (0, 1)
    plan = plan_of(root, "promote", "stage")
    assert plangate(root, "promote", "stage", "--apply", plan["plan"], *by(root, "alice"))[0] == 0
    assert Workspace.open(root).environment("stage").revision == 2


def test_evidence_that_git_wrote_anew_is_told_so(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "evidence")
    entry = ledger.append(b'{\n"payload": "one"\n}\n', key=generate("ed25519"), at="2026-01-01T00:00:00Z")
    (file,) = (tmp_path / "evidence").glob("*.dsse.json")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(EvidenceError, match="CRLF") as refused:
        ledger.envelope(entry.digest)
    assert (refused.value.code, "core.autocrlf" in refused.value.hint) == ("evidence-changed", True)
    file.write_bytes(b"{}")
    with pytest.raises(EvidenceError) as refused:
        ledger.envelope(entry.digest)
    assert (refused.value.code, refused.value.hint) == ("evidence-changed", "")


def test_init_tells_git_to_leave_them_as_they_are(tmp_path: Path) -> None:
    CliRunner().invoke(init, [str(tmp_path / "gates")], standalone_mode=False)
    rules = (tmp_path / "gates/.gitattributes").read_text(encoding="utf-8").splitlines()
    patterns = {line.split()[0]: line.split()[1:] for line in rules if line and not line.startswith("#")}
    for pattern in ("envs/**", "evals/**", "prompts/**", "plangate.lock"):
        assert patterns[pattern] == ["text", "eol=lf"]
    assert patterns["evidence/**"] == ["-text"]
