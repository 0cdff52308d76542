"""`plangate why`: which rule, file and line decide one request."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.oracles import environment_oracle
from plangate.cli.output import print_document
from plangate.cli.screen import line_width
from plangate.errors import ExitCode, InputError

if TYPE_CHECKING:
    from plangate.documents.catalog import Capability, PlanCatalog
    from plangate.documents.workspace import Workspace
    from plangate.entitlements.explanation import RuleStep
    from plangate.entitlements.oracle import Oracle
    from plangate.entitlements.request import Consent, Override, Request, Subject

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate why dev --plan free --capability report.export
  plangate why stage --plan pro --capability report.export --usage exports=50 --scope org
  plangate why stage --plan free --capability kb.search --usage messages=18 --cost messages=3
  plangate why prod --plan pro --capability ticket.write --consent Tickets.ReadWrite=user --json
"""


_LINE_MAX = 160
_TEXT_AT = 16
"""Characters of the deciding line that are shown."""


def _pairs(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE`, both parts there."""
    pairs = []
    for value in values:
        name, equals, text = value.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE", param=param)
        pairs.append((name, text))
    return tuple(pairs)


def _counts(context: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`NAME=NUMBER`, the number being what was used."""
    pairs = _pairs(context, param, values)
    for name, text in pairs:
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise click.BadParameter(f"{name}={text!r} is not a whole number from 0 up", param=param)
    return pairs


def _seats(_: click.Context, param: click.Parameter, value: str) -> int | None:
    """A number of seats, or None for `none`."""
    if value == "none":
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise click.BadParameter(f"{value!r} is neither a whole number from 0 up nor none", param=param)
    return int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The options, as given."""

    environment: str
    catalog: str | None
    plan: str
    capability: str
    state: str
    usage: tuple[tuple[str, str], ...]
    scope: str | None
    setting: tuple[tuple[str, str], ...]
    quantity: int | None
    addon: tuple[str, ...]
    consent: tuple[str, ...]
    unlinked: bool
    override: str | None
    cost: tuple[tuple[str, str], ...]
    surface: str


@click.command("why", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--plan", required=True, metavar="NAME", help="The tenant's plan.")
@click.option("--capability", required=True, metavar="NAME", help="What it asks for.")
@click.option("--state", default="Subscribed", show_default=True, metavar="NAME", help="The subscription's state.")
@click.option("--usage", callback=_counts, multiple=True, metavar="LIMIT=N", help="Used so far; may be repeated.")
@click.option("--scope", metavar="VALUE", help="Asks for this data_scope, or for this value of the one order setting.")
@click.option("--setting", callback=_pairs, multiple=True, metavar="NAME=VALUE", help="Asks for it; may be repeated.")
@click.option(
    "--quantity",
    callback=_seats,
    default="1",
    show_default=True,
    metavar="N",
    help="Seats bought; `none` for a flat rate.",
)
@click.option("--addon", multiple=True, metavar="NAME", help="An add-on that was bought; may be repeated.")
@click.option(
    "--consent",
    multiple=True,
    metavar="SCOPE=LEVEL",
    help="Only these consents: user, admin or preauthorized; may be repeated; `none` for none. Default: all.",
)
@click.option("--unlinked", is_flag=True, help="The tenant is not linked.")
@click.option("--override", metavar="NAME", help="The tenant has this override of it: a value of the axis, as `grant`.")
@click.option("--cost", callback=_counts, multiple=True, metavar="LIMIT=N", help="This use costs N; may be repeated.")
@click.option("--surface", default="default", show_default=True, metavar="NAME", help="Where the gate is tried.")
@click.option("--catalog", metavar="NAME", help="The plan catalog, where the environment pins several.")
@workspace_option
@json_option
def command(workspace: Path, *, as_json: bool, **options: Any) -> int:
    """Say which rule, file and line decide one request, and each rule that was passed on the way.

    Exit status: 0 whatever the decision, 2 where the input is wrong. Names that the catalog lacks are decided, too.
    """
    from plangate.entitlements.explanation import why

    asked = _Asked(**options)
    opened = load_workspace(workspace)
    oracle = environment_oracle(opened, asked.environment, catalog=asked.catalog)
    request = _request(asked, oracle.catalog)
    subject = _subject(asked, oracle.catalog, time=request.time)
    steps = why(oracle, subject, request)
    notes = _notes(asked, oracle.catalog, request)
    line = _source_line(opened, oracle, steps[-1])
    if as_json:
        print_document(_as_document(asked, oracle, steps, line=line, notes=notes))
    else:
        click.echo(_as_text(steps, line, notes))
    return ExitCode.PASSED


def _subject(asked: _Asked, catalog: PlanCatalog, *, time: str) -> Subject:
    from plangate.entitlements.request import Subject

    return Subject(
        plan=asked.plan,
        state=asked.state,
        quantity=asked.quantity,
        addons=asked.addon,
        tenant_linked=not asked.unlinked,
        consents=_consents(asked, catalog),
        usage={name: int(number) for name, number in asked.usage},
        overrides=_overrides(asked, catalog, time=time),
    )


def _overrides(asked: _Asked, catalog: PlanCatalog, *, time: str) -> tuple[Override, ...]:
    """The overrides that a cell with this value has."""
    from plangate.matrix.boundaries import OVERRIDES, override_of
    from plangate.matrix.subjects import Subjects

    if asked.override is None:
        return ()
    if asked.override not in OVERRIDES:
        raise click.BadParameter(f"{asked.override!r} is none of {', '.join(OVERRIDES)}", param_hint="--override")
    about = Subjects(catalog, time=time).overridden(asked.override, asked.capability)
    return override_of(asked.override, capability=about, time=time)


def _consents(asked: _Asked, catalog: PlanCatalog) -> tuple[Consent, ...]:
    from plangate.documents.catalog import ConsentLevel
    from plangate.entitlements.request import Consent

    if not asked.consent:
        names = dict.fromkeys(scope.name for one in catalog.capabilities.values() for scope in one.scopes)
        return tuple(Consent(name, ConsentLevel.PREAUTHORIZED.value) for name in names)
    if asked.consent == ("none",):
        return ()
    levels = [level.value for level in ConsentLevel]
    given = []
    for text in asked.consent:
        name, _, level = text.rpartition("=")
        if not name or level not in levels:
            raise click.BadParameter(f"{text!r} is not SCOPE=LEVEL, with {', '.join(levels)}", param_hint="--consent")
        given.append(Consent(name, level))
    return tuple(given)


def _request(asked: _Asked, catalog: PlanCatalog) -> Request:
    from plangate.entitlements.request import Request

    capability = catalog.capabilities.get(asked.capability)
    named: dict[str, str | int] = {name: _value(catalog, name, text) for name, text in asked.setting}
    if asked.scope is not None:
        named[_scope_setting(catalog, capability)] = asked.scope
    cost = {**(capability.consumes if capability else {}), **{name: int(number) for name, number in asked.cost}}
    return Request(capability=asked.capability, surface=asked.surface, settings=named, cost=cost)


def _value(catalog: PlanCatalog, name: str, text: str) -> str | int:
    """The value as the setting's kind reads it; what it cannot read stays text, and is then out of scope."""
    from plangate.documents.catalog import SettingKind

    setting = catalog.settings.get(name)
    digits = text.removeprefix("-")
    if setting and setting.kind is SettingKind.INTEGER and digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return int(text)
    return text


def _scope_setting(catalog: PlanCatalog, capability: Capability | None) -> str:
    """The setting that `--scope` is about: data_scope, else the one order setting the capability is judged on."""
    from plangate.documents.catalog import SettingKind

    used = capability.uses if capability else ()
    orders = [name for name in used if name in catalog.settings and catalog.settings[name].kind is SettingKind.ORDER]
    if "data_scope" in used or len(orders) != 1:
        if "data_scope" not in catalog.settings:
            raise InputError(
                f"--scope: the catalog has no setting data_scope, and {capability.name if capability else 'this'} "
                f"is judged on {len(orders)} order settings",
                code="no-scope-setting",
                hint="name the setting: --setting NAME=VALUE",
            )
        return "data_scope"
    return orders[0]


def _notes(asked: _Asked, catalog: PlanCatalog, request: Request) -> list[str]:
    """What an answer does not say by itself: names that the catalog lacks, settings that nothing judges."""
    from plangate.documents.catalog import SUBSCRIBED
    from plangate.documents.wording import did_you_mean, shown

    tables: list[tuple[str, list[str], Mapping[str, object]]] = [
        ("plan", [asked.plan], catalog.plans),
        ("capability", [asked.capability], catalog.capabilities),
        ("state", [asked.state], {SUBSCRIBED: None, **catalog.states}),
        ("limit", [name for name, _ in (*asked.usage, *asked.cost)], catalog.limits),
        ("setting", list(request.settings), catalog.settings),
        ("add-on", list(asked.addon), catalog.addons),
    ]
    notes = []
    for word, names, known in tables:
        for name in dict.fromkeys(names):
            if name not in known:
                hint = did_you_mean(name, known)
                notes.append(
                    f"{catalog.name} {catalog.version} has no {word} {shown(name)}{': ' + hint if hint else ''}"
                )
    capability = catalog.capabilities.get(asked.capability)
    uses = capability.uses if capability else tuple(request.settings)
    idle = [name for name in request.settings if name in catalog.settings and name not in uses]
    return [*notes, *(f"{asked.capability} is not judged on the setting {name}" for name in idle)]


def _source_line(workspace: Workspace, oracle: Oracle, step: RuleStep) -> tuple[int, int, str] | None:
    """Line number, column and text of the place that decided; None where it cannot be read."""
    from plangate.documents.files import read_inside

    place = oracle.position(step.pointer, in_environment=step.in_environment)
    if place is None or not place.path:
        return None
    try:
        lines = read_inside(workspace.root, place.path).decode("utf-8", "replace").split("\n")
    except InputError:
        return None
    text = lines[place.line - 1].rstrip("\r") if place.line <= len(lines) else ""
    return (place.line, place.column, text) if text else None


def _as_text(steps: tuple[RuleStep, ...], line: tuple[int, int, str] | None, notes: list[str]) -> str:
    from plangate.reports.lines import wrapped

    last = steps[-1]
    decision = last.decision
    head = f"{decision.effect.value}: {decision.reason}" if decision else ""
    out = [f"{head}, by rule {last.rule} at {last.where}"]
    if line:
        number, column, text = line
        # What comes long before the place is cut off, so that the place is seen.
        cut = max(0, column - 1 - _LINE_MAX // 2)
        shown = "".join(mark if mark.isprintable() else "?" for mark in text[cut : cut + _LINE_MAX])
        out += [f"  {number} | {shown}", f"  {' ' * len(str(number))} | {' ' * (column - 1 - cut)}^"]
    out.append("")
    file = last.where.rsplit(":", 2)[0]
    places = [step.where.removeprefix(f"{file}:") for step in steps]
    room = max(20, line_width(sys.stdout) - _TEXT_AT - 2 - max(map(len, places)))
    texts = [wrapped(step.text, width=room) for step in steps]
    width = max(len(line) for text in texts for line in text)
    for step, place, (first, *more) in zip(steps, places, texts, strict=True):
        mark = "decided" if step.decision else "passed"
        out.append(f"  {step.rule:<3}  {mark:<7}  {first:<{width}}  {place}")
        out += [" " * _TEXT_AT + line for line in more]
    out += [f"note: {note}" for note in notes]
    return "\n".join(out)


def _as_document(
    asked: _Asked,
    oracle: Oracle,
    steps: tuple[RuleStep, ...],
    *,
    line: tuple[int, int, str] | None,
    notes: list[str],
) -> dict[str, object]:
    last = steps[-1]
    return {
        "environment": asked.environment,
        "catalog": f"{oracle.catalog.name}@{oracle.catalog.version}",
        "plan": asked.plan,
        "state": asked.state,
        "capability": asked.capability,
        "decision": _decision(last),
        "rule": last.rule,
        "where": last.where,
        "line": line[2] if line else None,
        "rules": [
            {
                "rule": step.rule,
                "outcome": "decided" if step.decision else "passed",
                "text": step.text,
                "where": step.where,
            }
            for step in steps
        ],
        "notes": notes,
    }


def _decision(last: RuleStep) -> dict[str, object]:
    decision = last.decision
    if decision is None:
        return {}
    said: dict[str, object] = {"effect": decision.effect.value, "reason": str(decision.reason)}
    if decision.setting is not None:
        said["setting"] = decision.setting
    if decision.limit is not None:
        limit = decision.limit
        said["limit"] = {
            "name": limit.name,
            "limit": limit.limit,
            "remaining": limit.remaining,
            "resets_at": limit.resets_at,
        }
    return said
