"""The `plangate` command: which verbs there are. A verb lives in a module of its own, imported when it is called."""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import click

from plangate import __version__
from plangate.cli.output import Output, error_document, json_text
from plangate.cli.streams import OwnStreams
from plangate.errors import DriverError, ExitCode, PlangateError

__all__ = ["main", "start"]

# verb -> (module, one line for --help). The module holds a click command named `command`.
VERBS: dict[str, tuple[str, str]] = {
    "adopt": ("plangate.cli.adopt", "Take a publisher's release into your own workspace, to be promoted there."),
    "approve": ("plangate.cli.approve", "Approve exactly one promotion plan, signed."),
    "bundle": ("plangate.cli.bundle", "Pack a release with its results and evidence into one file for customers."),
    "bypass": ("plangate.cli.bypass", "Skip one demand on one promotion plan, signed and for a short time."),
    "check": ("plangate.cli.check", "Check every document of the workspace, and the laws of its plans."),
    "compare": ("plangate.cli.compare", "Compare two runs cell by cell."),
    "diff": ("plangate.cli.diff", "Say which decisions differ between two plan catalogs."),
    "history": ("plangate.cli.history", "Say what was in an environment, since when, and on whose word."),
    "drift": ("plangate.cli.drift", "Compare what an environment runs with its manifest."),
    "hold": ("plangate.cli.hold", "Keep every release out of an environment, or let them in again."),
    "init": ("plangate.cli.init", "Make a new workspace that passes at once and explains itself."),
    "keys": ("plangate.cli.keys", "Make and show the keys that sign evidence."),
    "ledger": ("plangate.cli.ledger", "Check and read the evidence ledger."),
    "lock": ("plangate.cli.lock", "Lock prompts, catalogs and suites by digest."),
    "matrix": ("plangate.cli.matrix", "Print the plan matrix of an environment: plans across, capabilities down."),
    "merge": ("plangate.cli.merge", "Merge the runs of several shards into one."),
    "pin": ("plangate.cli.pin", "Write the digest of the app's code or image into a manifest."),
    "promote": ("plangate.cli.promote", "Show what a promotion changes and still needs; validate or apply it."),
    "pull": ("plangate.cli.pull", "Download a bundle from an OCI registry."),
    "push": ("plangate.cli.push", "Upload a bundle to an OCI registry."),
    "reject": ("plangate.cli.reject", "Reject a promotion plan, signed; one rejection blocks it."),
    "reproduce": ("plangate.cli.reproduce", "Repeat a bundle's validation against your own deployment and compare."),
    "rollback": ("plangate.cli.rollback", "Go back to the release of an earlier revision, and hold."),
    "run": ("plangate.cli.run", "Run an environment's suites against its app, judge every cell, say what leaks."),
    "runs": ("plangate.cli.runs", "List the stored runs."),
    "schema": ("plangate.cli.schema", "Print the JSON Schema of a document kind."),
    "show": ("plangate.cli.show", "Show a stored run, or one cell of it."),
    "status": ("plangate.cli.status", "Show where every environment stands."),
    "verify": ("plangate.cli.verify", "Check a bundle offline: who validated what, when, under which suites."),
    "why": ("plangate.cli.why", "Say which rule, file and line decide one request."),
    "worker": ("plangate.cli.worker", ""),
}


_THREADS_GRACE_S = 2.0


class _BrokenPipeError(Exception):
    """Carries a broken pipe past click, which would end the process with 1: the gate's word, and nobody else's."""

    def __init__(self, error: BrokenPipeError) -> None:
        super().__init__(str(error))
        self.error = error


class Verbs(click.Group):
    """Loads a verb's module only when that verb is called, so that `--version` and `--help` stay fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Verbs shown in help: those with a description."""
        return sorted(name for name, (_, about) in VERBS.items() if about)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's own command, imported now."""
        if cmd_name not in VERBS:
            return None
        module: Any = importlib.import_module(VERBS[cmd_name][0])
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or an error that names the one that was probably meant."""
        name = args[0]
        if name not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(name, self.list_commands(ctx), n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"No such command '{name}'.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """The verb's exit status."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _BrokenPipeError(error) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List verbs from the table above, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name][1]) for name in self.list_commands(ctx)])


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: plangate init DIR, then plangate run dev -w DIR. Exit status: 0 passed, 1 the gate says no, "
    "2 the input is wrong, 3 could not be judged, 4 evidence does not verify, 130 interrupted.",
)
@click.version_option(__version__, prog_name="plangate")
def program() -> None:
    """Prove that every plan of an AI app gets exactly what it bought, before it reaches customers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb and exit with its status. An error is one line a person can act on, never a traceback."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    sys.exit(int(_status(given, Output(given))))


def _status(given: list[str], output: Output) -> int:
    try:
        return program.main(args=given, standalone_mode=False, obj=output) or ExitCode.PASSED
    except (click.exceptions.Abort, KeyboardInterrupt):
        return output.interrupted()
    except click.ClickException as error:
        return output.refuse(error)
    except PlangateError as error:
        return output.fail(error)
    except SystemExit:  # no verb leaves so: a signal handler of the app did
        return output.fail(_ended_by("sys.exit"))
    except Exception as error:
        return output.surprise(error.error if isinstance(error, _BrokenPipeError) else error)


def _threads_stay() -> bool:
    """Whether a thread that an app began goes on, after a moment: Python would wait for it without end."""
    until = time.monotonic() + _THREADS_GRACE_S
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                return True
    return False


def start() -> NoReturn:
    """`main` as a process of its own, which ends here.

    A thread of the HTTP client may still be letting go of Python objects. Where the interpreter is torn down meanwhile,
    it aborts, and a run that passed ends with status 134 (seen in one of ten exits on a loaded machine). So everything
    registered for the end runs, output is written, and the interpreter is left as it stands.
    """
    streams = OwnStreams()
    # As Ctrl-C: what a verb began is put away, and the status is 130. Windows has no such signal to send.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ending = _Ending(streams, as_json="--json" in sys.argv)
    try:
        main()
    except SystemExit as end:
        status = ending.decided = streams.settle(int(end.code or 0))
        if "pyreqwest" not in sys.modules and not _threads_stay():
            sys.exit(status)
        atexit._run_exitfuncs()
        streams.settle(status)
        ending.leave(status)
    raise AssertionError("main ends with SystemExit")


class _Ending:
    """Code under test that ends the process it is asked in, or puts another program in its place, does not choose the
    status: 0 would be a pass. Before there is one it is 3, and says so.

    A child that an app forks is no process of ours, and ends as it likes.
    """

    def __init__(self, streams: OwnStreams, *, as_json: bool) -> None:
        self.leave = os._exit
        """How plangate itself leaves."""
        self.decided: int | None = None
        self._streams, self._as_json, self._ours = streams, as_json, os.getpid()
        for name in ("_exit", "execv", "execve"):
            setattr(os, name, partial(self._held, f"os.{name}", getattr(os, name)))

    def _held(self, name: str, real: Callable[..., NoReturn], *arguments: Any) -> NoReturn:
        if os.getpid() != self._ours:
            real(*arguments)
        if self.decided is None:
            error = _ended_by(name)
            told = f"{json_text(error_document(error))}\n" if self._as_json else ""
            self._streams.end_here(out=told, err=f"error: {error}\n")
        self.leave(ExitCode.UNDECIDED if self.decided is None else self.decided)


def _ended_by(name: str) -> DriverError:
    return DriverError(
        f"the code that is asked ended the process of plangate ({name}): nothing was judged",
        code="app-ended-plangate",
        hint="let it raise an error instead, or ask it in processes of their own: determinism: {processes: 2}",
    )
