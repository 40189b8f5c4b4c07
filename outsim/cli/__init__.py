"""The command line: `outsim COMMAND`. Each command is a module; this one joins them.

Modules of commands import what they work with inside their functions, so that
`outsim --help` is there at once.
"""

from __future__ import annotations

import sys

import typer

from outsim.cli.check import check
from outsim.cli.compare import compare
from outsim.cli.diff import diff
from outsim.cli.failed import failed
from outsim.cli.run import run
from outsim.cli.schema import schema
from outsim.cli.status import status

WRONG_USE = 2

app = typer.Typer(
    name="outsim",
    help="Simulate a shared outbound calling platform, and answer its customers' questions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run, compare, status, failed, check, diff, schema):
    app.command()(command)


def main() -> None:
    """Run the command line; mistakes of the user's become a message and exit code 2."""
    from outsim.errors import OutsimError

    try:
        app()
    except OutsimError as error:
        print(f"outsim: {error}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except KeyboardInterrupt:
        print("outsim: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does: there is nobody to tell.
        sys.stderr.close()
        sys.exit(0)
