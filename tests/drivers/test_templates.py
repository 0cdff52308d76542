"""Templates: what a value can never do, and that the compiled form equals the plain meaning of the text."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.drivers.templates import (
    Constants,
    TemplateError,
    compile_body,
    compile_text,
    literal,
    mentions_request,
)
from plangate.errors import InputError
from tests.drivers.workspaces import REQUEST, request_for

CONSTANTS = Constants(secrets={"key": "s3cr3t"}, port=8123)


def filled(text: str, request: dict[str, Any] = REQUEST, *, place: str = "plain") -> str:
    return compile_text(text, place=place, constants=CONSTANTS, where="x")(request)


def body(value: Any, request: dict[str, Any] = REQUEST) -> Any:
    return json.loads(compile_body(value, constants=CONSTANTS, where="json")(request))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{subject.id}", "t-1"),
        ("{subject.type}", "tenant"),
        ("{subject.plan}", "pro"),
        ("{subject.quantity}", 5),
        ("{subject.tenant_linked}", True),
        ("{subject.addons}", []),
        ("{subject.usage}", {"messages": 3}),
        ("{subject.usage.messages}", 3),
        ("{subject.usage.messages.more}", None),
        ("{subject.properties}", REQUEST["subject"]["properties"]),
        ("{subject}", REQUEST["subject"]),
        ("{action}", {"name": "kb.search"}),
        ("{action.name}", "kb.search"),
        ("{resource.id}", "kb.search"),
        ("{resource.data_scope}", "team"),
        ("{resource.properties}", {"data_scope": "team"}),
        ("{context.surface}", "default"),
        ("{context.phrasing}", None),
        ("{context}", REQUEST["context"]),
        ("{request}", REQUEST),
        ("{secret.key}", "s3cr3t"),
        ("{port}", 8123),
        ("{subject.gone}", None),
        ("a {subject.gone} b", "a  b"),
        ("{subject.plan}/{subject.quantity}/{subject.tenant_linked}", "pro/5/true"),
        ("all: {subject.usage}", 'all: {"messages":3}'),
        ("{{subject.id}}", "{subject.id}"),
        ('{"plan": 1}', '{"plan": 1}'),
        ("{}", "{}"),
        ("{ subject.id }", "{ subject.id }"),
        ("", ""),
        (7, 7),
        (None, None),
    ],
)
def test_a_whole_placeholder_is_its_value_and_inside_text_it_is_text(text: Any, value: Any) -> None:
    assert body(text) == value
    assert body({"a": [text, {"b": text}]}) == {"a": [value, {"b": value}]}


def test_a_name_that_holds_dots_is_found_before_a_path() -> None:
    request = request_for()
    request["subject"]["properties"]["Tickets.Read"] = "whole"
    assert body("{subject.Tickets.Read}", request) == "whole"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{subjct.id}", "did you mean 'subject'"),
        ("{x}", "known: action, context"),
        ("{secret.kye}", "did you mean 'key'"),
        ("{secret}", "bindings.secrets"),
        ("{port.x}", "launch"),
        ("{action.id}", "{action.name}"),
        ("{request.subject}", "{subject.id}"),
    ],
)
def test_an_unknown_placeholder_is_said_where_it_stands(text: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        compile_body({"a": ["b", text]}, constants=CONSTANTS, where="request.json")
    assert caught.value.code == "unknown-placeholder"
    assert caught.value.where == "request.json.a[1]"
    assert hint in str(caught.value)


hostile = st.text(alphabet=st.sampled_from("/?#%.&;\\@:\r\n\0 ~+") | st.characters())


@given(hostile)
def test_no_value_breaks_out_of_a_header(value: str) -> None:
    try:
        header = filled("is {context.phrasing}!", request_for(phrasing=value), place="header")
    except TemplateError:
        assert re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
        return
    assert re.fullmatch(r"[\x20-\x7e\t]*", header)
    assert header.startswith("is ")


@given(hostile)
def test_no_value_breaks_out_of_its_place_in_a_path(value: str) -> None:
    try:
        path = filled("/v1/{context.phrasing}/end", request_for(phrasing=value), place="path")
    except TemplateError:
        assert set(value) == {"."}
        return
    parts = urlsplit("http://127.0.0.1" + path)
    assert (parts.netloc, parts.query, parts.fragment) == ("127.0.0.1", "", "")
    first, second, third, fourth = parts.path.split("/")
    assert (first, second, fourth) == ("", "v1", "end")
    assert unquote(third, errors="surrogatepass") == value


texts = st.lists(
    st.sampled_from(
        ["{subject.plan}", "{subject.usage}", "{subject.gone}", "{secret.key}", "{port}", "a", '"', "\n", "{x y}"]
    ),
    max_size=4,
).map("".join)
templates = st.recursive(
    texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
MEANS = {
    "{subject.plan}": "pro",
    "{subject.usage}": {"messages": 3},
    "{subject.gone}": None,
    "{secret.key}": "s3cr3t",
    "{port}": 8123,
}


def plainly(template: Any) -> Any:
    """The meaning of a template, read the slow way."""
    if isinstance(template, dict):
        return {key: plainly(value) for key, value in template.items()}
    if isinstance(template, list):
        return [plainly(value) for value in template]
    if not isinstance(template, str):
        return template
    if template in MEANS:
        return MEANS[template]
    for name, value in MEANS.items():
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value, separators=(",", ":"))
        template = template.replace(name, text)
    return template


@given(templates)
def test_a_compiled_body_means_what_the_template_says(template: Any) -> None:
    assert body(template) == plainly(template)


@given(st.text(alphabet="{}ab.x") | st.text())
def test_a_literal_stands_for_itself(text: str) -> None:
    assert filled(literal(text)) == text
    assert not mentions_request(literal(text))


def test_a_secret_that_cannot_stand_in_a_header_is_refused_at_once() -> None:
    with pytest.raises(InputError) as caught:
        compile_text("Bearer {secret.key}", place="header", constants=Constants(secrets={"key": "a\nb"}), where="h")
    assert caught.value.code == "bad-template"
