"""A trust policy from a file of its own, as customers keep it: not in any workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from plangate.errors import InputError

if TYPE_CHECKING:
    from plangate.evidence.trust import TrustPolicy

__all__ = ["load_trust"]


def load_trust(file: Path) -> TrustPolicy:
    """The policy in `file`. A `file:PATH` key lies beside it, or, as in a workspace, beside its folder `envs/`.

    Raises InputError with all that is wrong.
    """
    from plangate.documents.document import read_document
    from plangate.documents.files import read_inside
    from plangate.documents.kinds import Kind
    from plangate.documents.loader import BYTES_MAX
    from plangate.documents.text import read_file
    from plangate.evidence.trust import TrustPolicy

    data = read_file(file, path=str(file), bytes_max=BYTES_MAX)
    trust = read_document(Kind.TRUST, data, path=str(file)).sound()
    folder = file.resolve().parent

    def read(path: str) -> bytes:
        try:
            return read_inside(folder, path, bytes_max=65_536)
        except InputError:
            if folder.name != "envs":
                raise
            return read_inside(folder.parent, path, bytes_max=65_536)

    return TrustPolicy.of(trust, read=read)
