"""A manifest edited by machine: only the release and the revision change, whatever the layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.documents.loader import load
from plangate.errors import InputError
from plangate.promotion.manifest_text import edited

HEAD = """# Where customers are.
apiVersion: plangate/v1
kind: Environment
metadata: {name: prod, revision: 7, tier: production}   # revision grows by itself
release:
"""
FLOW = (
    HEAD
    + """  app: {name: shop, version: 1.0.0}          # the app
  plans: {shop: 1.0.0}
  suites: {gating: 1}
bindings: {targets: {}}   # never promoted
"""
)
BLOCK = (
    HEAD
    + """  # the app we sell
  app:
    name: shop
    version: "1.0"       # quoted, or it is a number
  plans:
    shop: 1.0.0          # what we sell
    other: 2.0.0
  suites: {gating: 1}
  # bindings follow

bindings: {targets: {}}
"""
)


def _value(data: bytes):
    loaded = load(data, path="envs/prod.yaml")
    assert not loaded.problems, loaded.problems
    return loaded.value


def _edited(text: str, release: dict) -> str:
    return edited(text.encode(), release=release, revision=8, path="envs/prod.yaml").decode()


def test_only_the_values_that_differ_are_touched_and_comments_stay() -> None:
    release = {"app": {"name": "shop", "version": "1.1.0"}, "plans": {"shop": "1.0.0"}, "suites": {"gating": 2}}
    expected = (
        FLOW.replace("version: 1.0.0", "version: 1.1.0")
        .replace("gating: 1", "gating: 2")
        .replace("revision: 7", "revision: 8")
    )
    assert _edited(FLOW, release) == expected


def test_text_that_was_quoted_stays_quoted() -> None:
    release = {
        "app": {"name": "shop", "version": "1.1"},
        "plans": {"shop": "1.0.0", "other": "2.0.0"},
        "suites": {"gating": 1},
    }
    expected = BLOCK.replace('"1.0" ', '"1.1" ').replace("revision: 7", "revision: 8")
    assert _edited(BLOCK, release) == expected


def test_text_that_would_read_as_a_number_is_quoted() -> None:
    release = {"app": {"name": "shop", "version": "1.10"}, "plans": {"shop": "1.0.0"}, "suites": {"gating": 1}}
    assert 'version: "1.10"}' in _edited(FLOW, release)


def test_an_entry_that_came_is_a_line_more_and_one_that_went_a_line_less() -> None:
    release = {
        "app": {"name": "shop", "version": "1.0"},
        "plans": {"shop": "1.0.0", "third": "3.0.0"},
        "suites": {"gating": 1},
        "flags": {"fast": True},
    }
    text = _edited(BLOCK, release)
    assert "other" not in text
    assert "    shop: 1.0.0          # what we sell\n    third: 3.0.0\n" in text
    assert "  suites: {gating: 1}\n  flags: {fast: true}\n  # bindings follow\n" in text


def test_a_manifest_that_cannot_be_edited_exactly_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        edited(b"metadata: 3\n", release={}, revision=2, path="envs/prod.yaml")
    assert refused.value.code == "manifest-not-editable"


NAMES = st.text(alphabet="abcdefgh", min_size=1, max_size=4)
LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.text(max_size=12),
    st.sampled_from(["1.0", "no", "1e3", "true", "0x10", "~", "a: b", "# x", "- y", "ü", "2026-11-01", "a\nb"]),
    st.lists(st.integers(0, 9), max_size=2),
)
RELEASES = st.dictionaries(NAMES, st.one_of(LEAVES, st.dictionaries(NAMES, LEAVES, max_size=4)), min_size=1, max_size=5)


def _block(release: dict) -> str:
    import json

    lines = []
    for name, part in release.items():
        if isinstance(part, dict) and part:
            lines.append(f"  {name}:   # about {name}")
            lines += [f"      {inner}: {json.dumps(value)} # {inner}" for inner, value in part.items()]
        else:
            lines.append(f"  {name}: {json.dumps(part)}")
    return HEAD + "\n".join(lines) + "\n# end of release\nbindings: {targets: {}}\n"


@given(RELEASES, RELEASES)
def test_whatever_the_releases_the_result_reads_as_exactly_what_was_meant_or_is_refused(before, after) -> None:
    text = _block(before)
    loaded = load(text.encode(), path="envs/prod.yaml")
    if loaded.problems:
        return
    try:
        result = edited(text.encode(), release=after, revision=8, path="envs/prod.yaml")
    except InputError:
        assert any(mark in str((before, after)) for mark in ("\\", "\x7f", "\x85")) or not after
        return
    value = _value(result)
    assert value["release"] == after
    assert value["metadata"]["revision"] == 8
    assert value["bindings"] == {"targets": {}}
    assert result.decode().startswith("# Where customers are.\n")
    assert "# end of release\nbindings: {targets: {}}\n" in result.decode()
