"""What a person is told about a document's shape: where, what, and what to write instead."""

from __future__ import annotations

import re

import pytest

from plangate.documents.document import read_document
from plangate.documents.kinds import Kind
from plangate.documents.problems import PROBLEMS_MAX
from tests.documents.sample_documents import CATALOG, ENVIRONMENT, KINDS, PROMPT, SUITE, TRUST, changed


def said(kind: Kind, text: str) -> list[str]:
    document = read_document(kind, text.encode(), path="f.yaml")
    return [str(problem) for problem in document.problems if problem.severity == "error"]


def only(kind: Kind, old: str, new: str) -> str:
    (problem,) = said(kind, changed(KINDS[kind.value], old, new))
    return problem


@pytest.mark.parametrize("kind", list(Kind))
def test_the_samples_are_sound(kind: Kind) -> None:
    document = read_document(kind, KINDS[kind.value].encode(), path="f.yaml")
    assert document.problems == ()
    assert document.sound() is document.model


def test_an_unknown_field_is_named_with_its_nearest_neighbour() -> None:
    assert only(
        Kind.PLAN_CATALOG, "{grants: [kb.search, data.export_own],", "{grant: [kb.search, data.export_own],"
    ) == ("f.yaml:25:16: plans.free.grant: unknown field (did you mean 'grants'?) [unknown-field]")
    assert "(known here: " in only(Kind.SUITE, "seed: 7", "zzz: 7")


def test_a_missing_field_is_told_at_what_lacks_it() -> None:
    message = only(Kind.ENVIRONMENT, "  app: {name: support-copilot, version: 4.2.0}\n", "")
    assert message == "f.yaml:4:1: release: 'app' is missing (The build of the app) [missing-field]"


@pytest.mark.parametrize(
    "version",
    ["latest", "Latest", "STABLE", "main", "nightly", "2", "v2", '"2"', "1.x", "x", "2.1", "3", "true", "[1]", "^1.2"],
)
def test_a_floating_pin_is_refused_in_every_pinned_place(version: str) -> None:
    quoted_two_part = version == "2.1"  # unquoted it is a number, and 2.10 would silently be 2.1
    for kind, old in [
        (Kind.ENVIRONMENT, "support-copilot, version: 4.2.0"),
        (Kind.ENVIRONMENT, "instruct, version: q4_1"),
        (Kind.ENVIRONMENT, "triage: 1.4.0"),
        (Kind.ENVIRONMENT, "{support-copilot: 3.2.0"),
        (Kind.ENVIRONMENT, "{support-copilot: 1.3.0"),
        (Kind.ENVIRONMENT, 'kb: "2026-11-01"'),
        (Kind.PLAN_CATALOG, "support-copilot, version: 3.2.0"),
        (Kind.PROMPT, "version: 1.4.0"),
    ]:
        new = f"{old.rpartition(': ')[0]}: {version}"
        message = only(kind, old, new)
        assert message.endswith("[floating-pin]"), message
        assert "is not an exact version" in message
        assert "write the exact version" in message
    assert not quoted_two_part or said(Kind.ENVIRONMENT, changed(ENVIRONMENT, "version: 4.2.0", 'version: "2.1"')) == []


@pytest.mark.parametrize(
    "version", ["4.2.0", "v2.1.0", "q4_1", "2026-11-01", "20261101", "1.0.0-rc.1", "1.0.0+build.5"]
)
def test_an_exact_pin_is_taken(version: str) -> None:
    assert said(Kind.ENVIRONMENT, changed(ENVIRONMENT, "version: 4.2.0", f'version: "{version}"')) == []


def test_a_literal_secret_is_refused_and_not_repeated() -> None:
    message = only(Kind.ENVIRONMENT, '"env:COPILOT_KEY"', "hunter2hunter2")
    assert message.endswith("(write env:NAME or file:PATH) [literal-secret]")
    assert "hunter2" not in message
    assert "[literal-secret]" in only(Kind.ENVIRONMENT, '"env:COPILOT_KEY"', "12345678")
    assert said(Kind.ENVIRONMENT, changed(ENVIRONMENT, '"env:COPILOT_KEY"', '"file:secrets/key"')) == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "code", "part"),
    [
        (Kind.PLAN_CATALOG, "messages: 20}", "messages: -1}", "negative-limit", "a limit cannot be -1"),
        (Kind.PLAN_CATALOG, "per_quantity: 100", "per_quantity: -2", "negative-limit", "-2"),
        (Kind.PLAN_CATALOG, "{add: 100}", "{add: -3}", "negative-limit", "-3"),
        (
            Kind.PLAN_CATALOG,
            "consumes: {messages: 1}",
            "consumes: {messages: 0}",
            "cost-not-positive",
            "write 1 or more",
        ),
        (Kind.PLAN_CATALOG, "messages: unlimited", "messages: unlimted", "bad-value", "did you mean 'unlimited'?"),
        (Kind.PLAN_CATALOG, "messages: 20}", "messages: 20.5}", "bad-value", "a number or unlimited or"),
        (Kind.PLAN_CATALOG, "messages: 20}", "messages: 1e300}", "out-of-range", "above 9007199254740991"),
        (Kind.PLAN_CATALOG, "messages: 20}", "messages: 020}", "number-ambiguous", "write 20, or 16"),
        (Kind.PLAN_CATALOG, "{order: [own, team, org]}", "{}", "missing-field", "exactly one of order, set"),
        (Kind.PLAN_CATALOG, "{order: [own, team, org]}", "{order: [own], set: [own]}", "missing-field", "exactly one"),
        (Kind.PLAN_CATALOG, "tiers: [free, pro,", "tiers: [free, free,", "duplicate-item", "listed twice"),
        (Kind.PLAN_CATALOG, "window: day", "window: {anchor: billing, every: month}", "bad-format", "such as P1M"),
        (Kind.PLAN_CATALOG, "window: day", "window: {anchor: calendar, every: P1M}", "bad-value", "must be billing"),
        (Kind.PLAN_CATALOG, "window: day", "window: {anchor: billing}", "missing-field", "'every' is missing"),
        (Kind.PLAN_CATALOG, "retains: [data.export_own]", "reason: Not Now", "bad-format", "subscription_canceled"),
        (Kind.PLAN_CATALOG, "window: day", "window: weekly", "bad-format", "write hour, day, week, month"),
        (Kind.PLAN_CATALOG, "effect: write", "effect: wirte", "bad-value", "did you mean 'write'?"),
        (Kind.PLAN_CATALOG, "prohibited: true", "prohibited: yes", "wrong-type", "write true or false"),
        (Kind.PLAN_CATALOG, "extends: free", "extends: ~", "wrong-type", "write a value, or remove the line"),
        (Kind.ENVIRONMENT, "revision: 14", "revision: 14.5", "wrong-type", "must be a whole number, is 14.5"),
        (Kind.ENVIRONMENT, "revision: 14", 'revision: "14"', "wrong-type", "remove the quotes"),
        (Kind.ENVIRONMENT, "revision: 14", "revision: 0", "out-of-range", "0 is below 1"),
        (Kind.ENVIRONMENT, "tier: nonproduction", "tier: staging", "bad-value", "one of nonproduction, production"),
        (Kind.ENVIRONMENT, "soak: PT24H", "soak: 24h", "bad-format", "write an ISO 8601 duration"),
        (Kind.ENVIRONMENT, "ticket.write: approval", "ticket.write: automatic", "policy-widens", "cannot widen"),
        (Kind.ENVIRONMENT, "    interaction:", "    interacton:", "unknown-field", "did you mean 'interaction'?"),
        (Kind.ENVIRONMENT, '"copilot.pdp:evaluate"', "copilot.pdp", "bad-format", "write module:name"),
        (Kind.ENVIRONMENT, ', object: "copilot.pdp:evaluate"', "", "missing-field", "'object' is missing"),
        (Kind.ENVIRONMENT, "status: 200", "status: 2000", "out-of-range", "above 599"),
        (Kind.ENVIRONMENT, "effect: allow", "effect: allowed", "bad-format", "allow, deny, require_approval"),
        (Kind.ENVIRONMENT, "plans: {support-copilot: 3.2.0}", "plans: {}", "too-few", "must not be empty"),
        (Kind.SUITE, "usage: boundary", "usage: bondary", "bad-value", "did you mean 'boundary'?"),
        (Kind.SUITE, "plan: all,", "plan: every,", "bad-value", "all or all+unknown or a list of names"),
        (Kind.SUITE, "plan: all,", "plan: [],", "too-few", "must not be empty"),
        (Kind.SUITE, "plan: all,", "plan: all, plane: all,", "unknown-field", "did you mean 'plan'?"),
        (Kind.SUITE, "usage: boundary", "quantity: 5", "wrong-type", "write it between [ and ]"),
        (Kind.SUITE, "usage: boundary", "linked: [yes]", "wrong-type", "write true or false"),
        (Kind.SUITE, "phrasing: {file: phrasings/attacks.yaml}", "phrasing: all", "bad-value", "none or {file: ...}"),
        (Kind.SUITE, "coverage: exhaustive", "coverage: {strength: 0}", "out-of-range", "0 is below 1"),
        (Kind.SUITE, "repeats: 4", "repeats: 0", "out-of-range", "0 is below 1"),
        (Kind.SUITE, "reasons: exact", "reasons: exactly", "bad-value", "did you mean 'exact'?"),
        (Kind.PROMPT, "variables: [question]", "variables: [a b]", "bad-format", "letters, digits and underscores"),
        (Kind.TRUST, "algorithm: ed25519", "algorithm: rsa", "bad-value", "one of ed25519, p256"),
        (Kind.TRUST, "threshold: 1", "threshold: 0", "out-of-range", "0 is below 1"),
    ],
)
def test_each_mistake_is_told_in_its_own_words(kind: Kind, old: str, new: str, code: str, part: str) -> None:
    message = only(kind, old, new)
    assert message.endswith(f"[{code}]"), message
    assert part in message


def test_a_document_in_the_wrong_folder_is_told_once() -> None:
    (message,) = said(Kind.SUITE, CATALOG)
    assert message == (
        "f.yaml:2:7: this is a PlanCatalog, where a Suite belongs "
        "(a PlanCatalog lies in envs/plans/<name>/<version>.yaml) [wrong-kind]"
    )


@pytest.mark.parametrize("text", ["[1, 2]\n", "words\n", "5\n", "~\n"])
@pytest.mark.parametrize("kind", [Kind.ENVIRONMENT, Kind.PLAN_CATALOG, Kind.SUITE, Kind.TRUST])
def test_a_document_must_be_a_mapping(kind: Kind, text: str) -> None:
    (message,) = said(kind, text)
    assert "must be a mapping" in message


def test_problems_come_sorted_by_place() -> None:
    text = changed(changed(CATALOG, "effect: write", "effect: x"), "messages: 20}", "messages: -1}")
    lines = [int(message.split(":")[1]) for message in said(Kind.PLAN_CATALOG, text)]
    assert lines == sorted(lines)
    assert len(lines) == 2


def test_a_thousand_mistakes_are_not_all_worked_out() -> None:
    fields = "".join(f"  surprise{index}: 1\n" for index in range(1_000))
    messages = said(Kind.PLAN_CATALOG, CATALOG + "surprises:\n" + fields)
    assert len(messages) == 1
    messages = said(Kind.PLAN_CATALOG, CATALOG + "".join(f"surprise{index}: 1\n" for index in range(1_000)))
    assert len(messages) == PROBLEMS_MAX + 1
    assert messages[-2].endswith("800 more problems are not listed (mend these first) [too-many-problems]")


def test_front_matter_keeps_the_lines_of_its_file() -> None:
    assert only(Kind.PROMPT, "name: triage", "name: tri/age").startswith("f.yaml:4:18: metadata.name: ")


@pytest.mark.parametrize("text", ["no front matter\n", "---\nkind: Prompt\n", "", PROMPT.replace("---\n", "", 1)])
def test_a_prompt_without_front_matter_is_told_how_to_write_it(text: str) -> None:
    (message,) = said(Kind.PROMPT, text)
    assert message.endswith("[no-front-matter]")


def test_dashes_inside_a_template_are_template() -> None:
    document = read_document(Kind.PROMPT, (PROMPT + "\n---\nmore\ttext\n").encode(), path="p.md")
    assert document.problems == ()
    assert document.model.template == "Sort this question: {{ question }}\n\n---\nmore\ttext\n"


def test_a_suite_axis_takes_each_form_of_the_table() -> None:
    axes = """{plan: all+unknown, state: [Subscribed], capability: [kb.search], surface: [tool, default], usage: zero,
    setting: plan, addon: each, quantity: [1, null], consent: boundary, linked: [true, false],
    override: boundary, phrasing: none}"""
    start, end = SUITE.index("  axes: ") + 8, SUITE.index("\n  coverage")
    text = (SUITE[:start] + axes + SUITE[end:]).replace("covers: [C2, C8, C10]\n", "")
    document = read_document(Kind.SUITE, text.encode(), path="s.yaml")
    assert document.problems == ()
    suite = document.model
    assert suite.axis("plan").word == "all+unknown"
    assert suite.axis("quantity").values == (1, None)
    assert suite.axis("linked").values == (True, False)
    assert suite.axis("phrasing").word == "none"
    assert suite.axis("nothing") is None


def test_a_number_that_is_whole_is_one_however_it_is_written() -> None:
    """Its canonical JSON is the same, and so is what it means."""
    catalog = read_document(Kind.PLAN_CATALOG, changed(CATALOG, "messages: 20}", "messages: 2e1}").encode(), path="c")
    number = catalog.sound().plans["free"].limits["messages"].number
    assert (number, type(number)) == (20, int)
    text = changed(changed(ENVIRONMENT, "revision: 14", "revision: 14.0"), "seed: 7}", "seed: 7, top_p: 1.0}")
    stage = read_document(Kind.ENVIRONMENT, text.encode(), path="e").sound()
    assert repr(stage.revision) == "14"
    assert repr(stage.release.model.parameters["top_p"]) == "1.0", "what is only passed on stays as it is written"


def test_trust_says_who_may_sign() -> None:
    trust = read_document(Kind.TRUST, TRUST.encode(), path="t.yaml").model
    assert trust.roles["publisher-ci"].predicates == ("https://in-toto.io/attestation/test-result/v0.1",)
    assert trust.keys["ci-2026"].owner == "ci@contoso.example"


@pytest.mark.parametrize(
    ("window", "read"),
    [
        ("week", "week"),
        ("{anchor: billing, every: P1M}", "billing P1M"),
        ("{every: P4W, anchor: billing}", "billing P4W"),
        ("rolling PT90M", "rolling PT90M"),
    ],
)
def test_a_limit_may_count_by_week_or_by_billing_period(window: str, read: str) -> None:
    text = changed(CATALOG, "window: day", f"window: {window}")
    assert read_document(Kind.PLAN_CATALOG, text.encode(), path="c.yaml").sound().limits["messages"].window == read


def test_a_state_may_have_a_reason_of_its_own_but_none_of_what_goes_through() -> None:
    own = changed(CATALOG, "Unsubscribed: {retains: []}", "Unsubscribed: {retains: [], reason: subscription_canceled}")
    states = read_document(Kind.PLAN_CATALOG, own.encode(), path="c.yaml").sound().states
    assert [state.reason for state in states.values()] == [None, None, "subscription_canceled"]
    taken = changed(own, "subscription_canceled", "entitled")
    (problem,) = read_document(Kind.PLAN_CATALOG, taken.encode(), path="c.yaml").errors
    assert (problem.code, "states.Unsubscribed.reason" in problem.message) == ("bad-value", True)


def test_a_model_is_needed_only_where_there_are_prompts() -> None:
    without = re.sub(r"  model: .*\n", "", ENVIRONMENT)
    ((problem),) = read_document(Kind.ENVIRONMENT, without.encode(), path="e").errors
    assert (problem.code, problem.message) == ("missing-field", "release: 'model' is missing")
    plain = re.sub(r"  prompts: .*\n", "", without)
    release = read_document(Kind.ENVIRONMENT, plain.encode(), path="e").sound().release
    assert (release.model, release.model_text) == (None, "no model")
