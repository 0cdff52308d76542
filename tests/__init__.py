"""Tests mirror `harness/plangate`; a name is a behaviour."""
