"""`outsim` called in this process as a shell calls it, and what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from dataclasses import dataclass

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal takes as an order; tabs and line ends are none."""
_INTERNAL = re.compile(
    # A version, as in "pydantic 2.14", is told on purpose.
    r"Traceback|pydantic(?! \d)|_Node\(|set_int_max_str_digits|<function |object at 0x|"
    r"numpy\.\w|ufunc"
)
_CODES = (0, 1, 2)
_MESSAGE_CHARACTERS = 20_000


@dataclass(frozen=True)
class Ended:
    """Exit code and texts of a command."""

    code: int
    out: str
    err: str

    def problems(self) -> list[str]:
        """What no command may do, whatever it is given."""
        found = []
        if self.code not in _CODES:
            found.append(f"exit code {self.code}")
        if self.code == 2 and not self.err.strip():
            found.append("wrong use without a message")
        for name, text in (("output", self.out), ("message", self.err)):
            for what, pattern in (("a control character", _CONTROL), ("internals", _INTERNAL)):
                there = pattern.search(text)
                if there:
                    near = text[max(0, there.start() - 60) : there.end() + 60]
                    found.append(f"{what} in the {name}: {near!r}")
        if len(self.err) > _MESSAGE_CHARACTERS:
            found.append(f"a message of {len(self.err)} characters: {self.err[:200]!r}")
        return found


def call(*arguments: str) -> Ended:
    """Run a command.

    Raises
    ------
    BaseException
        Whatever it raises, apart from how a command ends.
    """
    from outsim.cli import main
    from tests.in_a_thread import studies_in_a_thread

    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["outsim", *arguments]
    code = 0
    with (
        studies_in_a_thread(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    return Ended(code, out.getvalue(), err.getvalue())
