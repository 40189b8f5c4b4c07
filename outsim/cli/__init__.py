"""The command line: `outsim COMMAND`. Each command is a module; this one joins them.

Modules of commands import what they work with inside their functions, so that
`outsim --help` is there at once.
"""

from __future__ import annotations

import errno
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Annotated, Any, TextIO, TypeVar, cast

import typer
from typer.core import TyperGroup

from outsim.cli.assumptions import assumptions
from outsim.cli.calibrate import calibrate
from outsim.cli.capacity import capacity
from outsim.cli.check import check
from outsim.cli.compare import compare
from outsim.cli.describe import describe
from outsim.cli.diff import diff
from outsim.cli.eta import eta
from outsim.cli.explain import explain
from outsim.cli.export import export
from outsim.cli.failed import failed
from outsim.cli.merge import merge
from outsim.cli.replay import replay
from outsim.cli.report import report
from outsim.cli.run import run
from outsim.cli.schedule import schedule
from outsim.cli.schema import schema
from outsim.cli.serve import serve
from outsim.cli.start_map import start_map
from outsim.cli.status import status
from outsim.cli.stop import stop
from outsim.cli.sweep import sweep
from outsim.text import visible_lines

_Written = TypeVar("_Written")

READER_GONE, WRONG_USE, INTERRUPTED = 1, 2, 130
"""Exit codes, beside 0: nobody reads on; the user's mistake, or no room for the answer; Ctrl-C."""


_WrongUse: type[Exception] = typer.BadParameter.mro()[1]
"""What typer raises for all wrong use: unknown options, too many words; it has no name for it."""


class _Commands(TyperGroup):
    """The commands; what is wrong with the use of them is shown as text."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with _shown_as_text():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with _shown_as_text():
            return super().invoke(ctx)


@contextmanager
def _shown_as_text() -> Iterator[None]:
    try:
        yield
    except _WrongUse as error:
        error.message = visible_lines(error.message)  # type: ignore[attr-defined]
        raise


def _paragraphs(command: Callable[..., None]) -> str:
    """What a command says of itself, each paragraph in one line: a terminal breaks it."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


app = typer.Typer(
    cls=_Commands,
    name="outsim",
    help="Simulate a shared outbound calling platform, and answer its customers' questions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(run, status, schedule, eta, stop, failed, explain),
    *(compare, capacity, sweep, merge),
    *(report, export, calibrate, serve, replay),
    *(check, diff, describe, assumptions, schema),
):
    app.command(help=_paragraphs(command))(command)
app.command("start-map", help=_paragraphs(start_map))(start_map)


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from outsim._version import __version__

        print(f"outsim {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Take options that are given before a command."""


OUT_OF_MEMORY = (
    "there is not enough memory for this; ask for less at once, or use a machine with more"
)


def main() -> None:
    """Run the command line; mistakes of the user's become a message and exit code 2."""
    from outsim.errors import OutsimError

    _have_streams()
    watched = _Watched(sys.stdout)
    try:
        with redirect_stdout(cast("TextIO", watched)):
            try:
                app(prog_name="outsim")
            finally:
                watched.flush()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _tell("interrupted")
        raise
    except KeyboardInterrupt:
        _tell("interrupted")
        sys.exit(INTERRUPTED)
    except OutsimError as error:
        _tell(error.shown)
        sys.exit(WRONG_USE)
    except MemoryError:
        print(f"outsim: {OUT_OF_MEMORY}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except OSError as error:
        if watched.refusal is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            # As `head` goes, once it has enough: nobody need be told.
            sys.exit(READER_GONE)
        place = "can't write to standard output" if watched.refusal is error else error.filename
        _tell(": ".join(str(part) for part in (place, error.strerror or error) if part))
        sys.exit(WRONG_USE)


class _Watched:
    """Standard output, which remembers that it could not be written to."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.refusal: OSError | None = None

    def write(self, text: str) -> int:
        return self._remembering(self._stream.write, text)

    def flush(self) -> None:
        self._remembering(self._stream.flush)

    def _remembering(self, write: Callable[..., _Written], *arguments: str) -> _Written:
        try:
            return write(*arguments)
        except OSError as error:
            self.refusal = error
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _have_streams() -> None:
    """Refuse to run without a standard output; keep the numbers of other missing streams taken."""
    missing = sys.stdout is None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if missing:
        _tell("standard output is closed, and the answer goes there; give it a file or a terminal")
        sys.exit(WRONG_USE)


def _tell(message: str) -> None:
    """Say something on standard error; where that can't be written to, there is no saying it."""
    with suppress(OSError):
        print(f"outsim: {message}", file=sys.stderr)
