"""The app behind open targets, asked what it runs before the first and after the last observation (rule R14)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plangate.documents.environment import Bindings, Probe
from plangate.drivers.protocol import Driver, DriverContext
from plangate.engine.code import files_digest
from plangate.engine.session import Prepared
from plangate.errors import DriverError
from plangate.releases.release import identified
from plangate.releases.running import Told, compare_pins
from plangate.verdicts.ran import Look

__all__ = ["AskProbe", "RunningApp"]

AskProbe = Callable[[Probe, Bindings, DriverContext], Awaitable[Told]]
"""Asks a probe: raises DriverError where the app does not tell, InputError where the probe is written wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningApp:
    """What can be asked of the app that a sitting observes."""

    prepared: Prepared
    probe: Probe | None
    bindings: Bindings
    """With the address of the very process that is observed, where the sitting launched it."""
    release: Mapping[str, Any]
    """Content of release.lock."""
    ask: AskProbe | None
    context: DriverContext

    @classmethod
    def of(
        cls, prepared: Prepared, opened: Mapping[str, Driver], *, ask: AskProbe | None, context: DriverContext
    ) -> RunningApp | None:
        """The app behind drivers that are open (by the name of their target); None where nothing can be asked."""
        bindings = prepared.environment.bindings
        probe = bindings.probe if ask is not None else None
        if probe is None and not _code_is_pinned(prepared):
            return None
        return cls(
            prepared=prepared,
            probe=probe,
            bindings=_at_open_addresses(bindings, opened),
            release=identified(prepared.workspace, prepared.environment),
            ask=ask,
            context=context,
        )

    async def look(self) -> Look:
        """Look at the code, ask, and compare with the manifest. An app that does not tell differs: nothing is known
        of it.

        Raises InputError for a probe that is written wrong, and for code that is not where the bindings say.
        """
        code = self._code() if _code_is_pinned(self.prepared) else ()
        if self.probe is None or self.ask is None:
            return Look(differences=code)
        try:
            told = await self.ask(self.probe, self.bindings, self.context)
        except DriverError as error:
            return Look(differences=(*code, error.message))
        return Look(differences=(*code, *self._differences(told, self.probe)), told=told.digest)

    def _code(self) -> tuple[str, ...]:
        environment = self.prepared.environment
        pinned, paths = environment.release.app_digest, environment.bindings.code
        found = files_digest(paths, root=self.prepared.folder)
        if found == pinned:
            return ()
        where = environment.positions.of("release", "app", "digest")
        return (f"app.digest: pinned {pinned}, and {', '.join(paths)} has {found} ({where})",)

    def _differences(self, told: Told, probe: Probe) -> Iterator[str]:
        environment = self.prepared.environment
        # What was computed here, the app need not tell.
        untold = (*probe.untold, *(("app.digest",) if _code_is_pinned(self.prepared) else ()))
        differences, silent = compare_pins(environment, self.release, told.parts, untold=untold)
        yield from (f"{one.sentence} ({one.where})" for one in differences)
        for one in silent:
            yield f"{one.pin}: pinned {one.pinned}, and the app says nothing of it ({one.where})"


def _code_is_pinned(prepared: Prepared) -> bool:
    environment = prepared.environment
    return environment.release.app_digest is not None and bool(environment.bindings.code)


def _at_open_addresses(bindings: Bindings, opened: Mapping[str, Driver]) -> Bindings:
    """The same, with targets that are open at the address they are open at: another launch would be another app."""
    targets = dict(bindings.targets)
    for name, driver in opened.items():
        address = getattr(driver, "base_url", None)
        if isinstance(address, str):
            targets[name] = replace(targets[name], url=address, launch=None)
    return replace(bindings, targets=targets)
