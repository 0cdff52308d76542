"""What is promoted as one unit: canonical bytes and digests, locks, the identity of a release, and what differs."""

from plangate.releases.canonical import canonical_bytes, digest
from plangate.releases.diff import Change, changes

__all__ = ["Change", "canonical_bytes", "changes", "digest"]
