"""What documents must mean beyond their shape: declared names, ends to `extends`, values in range, no secrets."""

from __future__ import annotations

import pytest

from plangate.documents.document import read_document
from plangate.documents.kinds import Kind
from plangate.documents.problems import PROBLEMS_MAX
from tests.documents.sample_documents import CATALOG, KINDS, changed

C, E, S, P, T = Kind.PLAN_CATALOG, Kind.ENVIRONMENT, Kind.SUITE, Kind.PROMPT, Kind.TRUST


def said(kind: Kind, text: str) -> list[str]:
    return [str(problem) for problem in read_document(kind, text.encode(), path="f").problems]


def said_after(kind: Kind, *changes: tuple[str, str]) -> list[str]:
    text = KINDS[kind.value]
    for old, new in changes:
        text = changed(text, old, new)
    return said(kind, text)


@pytest.mark.parametrize(
    ("probe", "said_of_it"),
    [
        ("{target: default, path: /v}", "probe-without-address"),
        ("{target: tool, path: /v}", "unknown-name"),
        ("{path: /v, canary: {suite: gatin}}", "unknown-name"),
        ("{target: interaction, path: /v, headers: {Authorization: Bearer abc}}", "literal-secret"),
        ("{target: interaction, path: version}", "bad-format"),
        ("{target: interaction, path: /v, untold: [tols]}", "bad-format"),
        ("{target: interaction, path: /v, parts: {model: model}}", "bad-format"),
        ("{target: interaction, path: /v, questions: [{method: POST, path: /q}]}", "missing-field"),
    ],
)
def test_a_probe_that_could_not_be_asked(probe: str, said_of_it: str) -> None:
    messages = said_after(E, ("  data: [{name: kb", f"  probe: {probe}\n  data: [{{name: kb"))
    assert f"[{said_of_it}]" in "\n".join(messages)


def test_a_probe_as_it_should_be() -> None:
    probe = (
        "{target: interaction, path: /v, headers: {X-Key: '{secret.api_key}'}, parts: {model: $.llm}, "
        "untold: [tools, model.parameters], canary: {suite: gating, cells: 5}, "
        "questions: [{method: GET, path: /q, read: $.a}]}"
    )
    before = said(E, KINDS[E.value])
    assert said_after(E, ("  data: [{name: kb", f"  probe: {probe}\n  data: [{{name: kb")) == before


# --- law L3: every name is declared --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "old", "new", "wrong", "what"),
    [
        (C, "{messages: 1}", "{mesages: 1}", "mesages", "capabilities.kb.search.consumes: unknown limit"),
        (C, "uses: [data_scope]", "uses: [data_scop]", "data_scop]", "capabilities.kb.search.uses[0]: unknown setting"),
        (C, "[data.export_own]", "[data.exp_own]", "data.exp_own", "states.Suspended.retains[0]: unknown capability"),
        (C, "pro, enterprise]", "pro, enterprize]", "enterprize", "tiers[2]: unknown plan"),
        (C, "[kb.search,", "[kb.serch,", "kb.serch", "plans.free.grants[0]: unknown capability"),
        (C, "extends: free", "extends: fre", "fre,", "plans.pro.extends: unknown plan"),
        (C, "exports: 50}", "exports: 50, export: 5}", "export: 5", "plans.pro.limits: unknown limit"),
        (C, "max_steps: 3}", "max_step: 3}", "max_step: 3", "plans.free.settings: unknown setting"),
        (C, "{exports: {add:", "{export: {add:", "export: {add", "addons.export-pack.limits: unknown limit"),
        (C, "plan: enterprise, cap", "plan: enterprises, cap", "enterprises", "exemptions[0].plan: unknown plan"),
        (C, "y: kb.search", "y: kb.sarch", "kb.sarch", "exemptions[0].capability: unknown capability"),
        (E, "- {suite: gating}", "- {suite: gatin}", "gatin}", "gates[0].suite: unknown suite"),
        (E, "{secret.api_key}", "{secret.apikey}", '"Bearer', "interaction.headers.Authorization: unknown secret"),
        (T, "keys: [ci-2026]", "keys: [ci-2025]", "ci-2025", "roles.publisher-ci.keys[0]: unknown key"),
    ],
)
def test_a_name_that_is_not_declared(kind: Kind, old: str, new: str, wrong: str, what: str) -> None:
    text = changed(KINDS[kind.value], old, new)
    (message,) = [message for message in said(kind, text) if "[unknown-name]" in message]
    before = text[: text.index(wrong)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert message.startswith(f"f:{line}:{column}: ")
    assert what in message
    assert "did you mean" in message


def test_other_places_that_name_a_capability() -> None:
    messages = said_after(
        C,
        (
            "{extends: pro, grants: [crm.sync],",
            "{extends: pro, grants: [crm.sync], revokes: [nope], lanes: {nada: approval},",
        ),
        ("{limits: {exports: {add: 100}}}", "{grants: [never], limits: {exports: {add: 100}}}"),
    )
    assert [message.split(": ")[1] for message in messages] == [
        "plans.enterprise.revokes[0]",
        "plans.enterprise.lanes",
        "addons.export-pack.grants[0]",
    ]


def test_a_declared_name_that_nothing_uses_is_a_warning() -> None:
    document = read_document(
        C,
        changed(
            changed(
                CATALOG,
                "limits:\n  messages:",
                "  lone.wolf: {}\nlimits:\n  spare: {unit: x, window: day}\n  messages:",
            ),
            "  models:     {set: [small, large]}",
            "  models:     {set: [small, large]}\n  dusty: {set: [a]}",
        ).encode(),
        path="f",
    )
    assert {(problem.message.split(":")[0], problem.severity) for problem in document.problems} == {
        ("capabilities.lone.wolf", "warning"),
        ("limits.spare", "warning"),
        ("settings.dusty", "warning"),
    }
    assert document.errors == ()


# --- plans ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("circle", [{"free": "enterprise"}, {"free": "free"}])
def test_plans_that_extend_in_a_circle(circle: dict[str, str]) -> None:
    ((name, parent),) = circle.items()
    messages = said_after(C, (f"{name}:       {{grants", f"{name}:       {{extends: {parent}, grants"))
    assert [message for message in messages if "extends-circle" not in message] == []
    (message,) = messages
    assert message.startswith("f:25:25: plans.free.extends: goes in a circle: free -> ")


def test_two_circles_are_two_problems() -> None:
    plans = "plans:\n  a: {extends: b}\n  b: {extends: a}\n  c: {extends: d}\n  d: {extends: c}\n  e: {extends: a}\n"
    start = CATALOG.index("plans:\n")
    text = CATALOG[:start].replace("tiers: [free, pro, enterprise]\n", "") + plans
    circles = [message for message in said(C, text) if "extends-circle" in message]
    assert [message.split(": ")[1] for message in circles] == ["plans.a.extends", "plans.c.extends"]


def test_a_grant_whose_limit_the_plan_does_not_set() -> None:
    (message,) = said_after(C, (", exports: 50}", "}"), ("exports: {per_quantity: 100}", "exports: 5"))
    assert message == (
        "f:26:40: plans.pro: 'report.export' consumes 'exports', a limit that the plan does not set "
        "(write limits: {exports: N} or {exports: unlimited}) [limit-not-set]"
    )


def test_a_limit_that_is_inherited_is_set() -> None:
    assert said_after(C, (", exports: {per_quantity: 100}", "")) == []


def test_a_limit_that_no_ancestor_sets_is_told_once_where_it_begins() -> None:
    messages = said_after(C, (", exports: 50}", "}"), (", exports: {per_quantity: 100}", ""))
    assert len(messages) == 1
    assert messages[0].startswith("f:26:")


def test_a_revoked_or_prohibited_capability_needs_no_limit() -> None:
    text = changed(CATALOG, ", exports: {per_quantity: 100}", "")
    text = changed(
        text, "extends: pro, grants: [crm.sync],", "grants: [crm.sync], extends: pro, revokes: [report.export],"
    )
    assert said(C, changed(text, ", exports: 50}", ", exports: 50}")) == []
    purge = changed(
        CATALOG, "data.purge:    {effect: irreversible,", "data.purge:    {consumes: {exports: 1}, effect: write,"
    )
    assert said(C, changed(purge, "grants: [kb.search,", "grants: [data.purge, kb.search,")) == []


def test_granting_and_revoking_the_same_is_refused() -> None:
    (message,) = said_after(
        C, ("{extends: pro, grants: [crm.sync],", "{extends: pro, grants: [crm.sync], revokes: [crm.sync],")
    )
    assert "[grants-and-revokes]" in message


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("data_scope: own,", "data_scope: owm,", "'owm' is not in the declared order"),
        ("data_scope: own,", "data_scope: [own],", "a list is not in the declared order"),
        ("data_scope: own,", "data_scope: 1,", "1 is not in the declared order"),
        ("models: [small]", "models: [small, huge]", "'huge' is not in the declared set"),
        ("models: [small]", "models: small", "must be a list"),
        ("max_steps: 3", "max_steps: 0", "0 is below the minimum"),
        ("max_steps: 3", "max_steps: three", "must be a whole number"),
    ],
)
def test_a_plans_setting_outside_its_declaration(old: str, new: str, part: str) -> None:
    (message,) = said_after(C, (old, new))
    assert message.endswith("[setting-out-of-range]")
    assert part in message


def test_problems_of_meaning_are_bounded_too() -> None:
    grants = ", ".join(f"gone{index}" for index in range(1_000))
    messages = said_after(C, ("grants: [crm.sync]", f"grants: [crm.sync, {grants}]"))
    assert len(messages) == PROBLEMS_MAX + 1


# --- environments, suites, prompts, trust ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Bearer {secret.api_key}"', '"Bearer abcdefgh"'),
        ('X-Tenant: "{subject.id}"', "X-Api-Key: abcdefgh"),
        ('"env:COPILOT_URL"', '"https://user:hunter2@copilot.example"'),
        ("home_tenant: contoso", "home_tenant: sk-abcdefghijklmnopqrstuv"),
        ("home_tenant: contoso", 'home_tenant: "-----BEGIN PRIVATE KEY-----"'),
    ],
)
def test_what_looks_like_a_literal_secret_is_refused_and_not_repeated(old: str, new: str) -> None:
    messages = [message for message in said_after(E, (old, new)) if "[literal-secret]" in message]
    assert len(messages) == 1
    assert not any(word in messages[0] for word in ("abcdefgh", "hunter2", "BEGIN"))


def test_a_secret_that_nothing_uses_is_a_warning() -> None:
    (message,) = said_after(E, ('{api_key: "env:COPILOT_KEY"}', '{api_key: "env:COPILOT_KEY", old: "env:OLD"}'))
    assert message.startswith("f:29:41: bindings.secrets.old: nothing uses it")


@pytest.mark.parametrize("url", ["target:nowhere", "target:default", "target:interaction"])
def test_a_shared_address_must_lead_to_one(url: str) -> None:
    (message,) = said_after(E, ('"env:COPILOT_URL"', f'"{url}"'))
    assert message.endswith("[target-without-address]")


def test_an_http_target_needs_an_address() -> None:
    lines = KINDS["environment"].splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(("      url:", "      launch:")))
    (message,) = said(E, text)
    assert message.endswith("(write url, or launch to start the app on a free port) [missing-field]")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("repeats: 4", "repeats: 1", "write repeats: 2"),
        ("processes: 1", "processes: 9", "write repeats: 9"),
        ("concurrency: [1, 16]", "concurrency: [1, 2, 3, 4, 5]", "write repeats: 5"),
    ],
)
def test_determinism_that_the_repeats_never_reach_is_a_warning(old: str, new: str, part: str) -> None:
    text = changed(KINDS["suite"].replace("covers: [C2, C8, C10]\n", ""), old, new)
    document = read_document(S, text.encode(), path="f")
    assert {problem.code for problem in document.problems} == {"determinism-unused"}
    assert part in document.problems[0].hint
    assert document.errors == ()


def test_a_prompts_placeholders_and_variables_must_meet() -> None:
    messages = said_after(P, ("{{ question }}", "{{ qestion }} of {{tenant}}"))
    assert [message.rpartition("[")[2] for message in messages] == ["unknown-name]", "unknown-name]", "unused-name]"]
    assert "did you mean 'question'?" in "".join(messages)


def test_a_prompt_without_words_is_refused() -> None:
    assert (
        "[empty-template]"
        in said_after(P, ("variables: [question]\n", ""), ("Sort this question: {{ question }}\n", " \n"))[0]
    )


def test_a_threshold_that_its_owners_cannot_meet_is_refused() -> None:
    second = '{algorithm: p256, public: "file:b.pub", owner: ci@contoso.example}'
    messages = said_after(
        T,
        ("roles:\n", f"  ci-2027: {second}\nroles:\n"),
        ("keys: [ci-2026]", "keys: [ci-2026, ci-2027]"),
        ("threshold: 1", "threshold: 2"),
    )
    (message,) = messages  # two keys of one owner are one signer
    assert message.endswith("[threshold-not-met]")
