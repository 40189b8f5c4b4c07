"""The command line: `outsim COMMAND`. Each command is a module; this one joins them.

Modules of commands import what they work with inside their functions, so that
`outsim --help` is there at once.
"""

from __future__ import annotations

import errno
import os
import sys

import typer

from outsim.cli.assumptions import assumptions
from outsim.cli.calibrate import calibrate
from outsim.cli.check import check
from outsim.cli.compare import compare
from outsim.cli.describe import describe
from outsim.cli.diff import diff
from outsim.cli.eta import eta
from outsim.cli.explain import explain
from outsim.cli.export import export
from outsim.cli.failed import failed
from outsim.cli.map import quarter_map
from outsim.cli.merge import merge
from outsim.cli.plan import plan
from outsim.cli.report import report
from outsim.cli.run import run
from outsim.cli.schedule import schedule
from outsim.cli.schema import schema
from outsim.cli.status import status
from outsim.cli.stop import stop
from outsim.cli.sweep import sweep

NOT_WRITTEN, WRONG_USE, INTERRUPTED = 1, 2, 130
"""Exit codes, beside 0: standard output was closed or full; the user's mistake; Ctrl-C."""

app = typer.Typer(
    name="outsim",
    help="Simulate a shared outbound calling platform, and answer its customers' questions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(run, status, schedule, eta, stop, failed, explain),
    *(compare, plan, sweep, merge),
    *(report, export, calibrate),
    *(check, diff, describe, assumptions, schema),
):
    app.command()(command)
app.command("map")(quarter_map)


OUT_OF_MEMORY = (
    "there is not enough memory for this; ask for less at once, or use a machine with more"
)


def main() -> None:
    """Run the command line; mistakes of the user's become a message and exit code 2."""
    from outsim.errors import OutsimError

    try:
        try:
            app(prog_name="outsim")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            print("outsim: interrupted", file=sys.stderr)
        raise
    except KeyboardInterrupt:
        print("outsim: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except OutsimError as error:
        print(f"outsim: {error}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except MemoryError:
        print(f"outsim: {OUT_OF_MEMORY}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except OSError as error:
        # Standard output is gone: as `head` goes, which nobody need be told, or the disk is full.
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        if error.errno == errno.ENOSPC:
            print(f"outsim: can't write to standard output: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOT_WRITTEN)
