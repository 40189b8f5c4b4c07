"""Every error that outsim raises on purpose.

OutsimError
├── ScenarioError(ValueError)   a scenario file, a contact list or a call log can't be used
├── TapeError(ValueError)       recorded data can't serve as a tape
├── EngineError(RuntimeError)   a run can't be made
├── MomentError(ValueError)     a moment that a run can't be asked about
├── InvariantError(AssertionError)  a result breaks an invariant
├── ResultError(RuntimeError)   a kept result can't be read, or a result not be written
├── StudyError(RuntimeError)    a study of several runs can't be made
└── SandboxError(ValueError)    a sandbox can't do what it is asked

The message of an error names the place, what was found, what is allowed, and
what to do; it is written to be shown to a user as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeVar

from outsim.text import MOST_SHOWN, bounded, visible, visible_lines

SHOWN_NAMES = 16
"""Names that a message lists at most."""
_TELLING = 4
"""Characters from which on a part of a name tells which one is meant."""


def nearest(name: object, allowed: Iterable[object]) -> str:
    """Clause that suggests the nearest allowed name (or of ``tenant/name``), and lists all."""
    names = [*dict.fromkeys(map(str, allowed))]
    spellings: dict[str, str] = {}
    for known in names:
        for spelling in (known.rpartition("/")[2], known):
            spellings.setdefault(spelling.casefold(), known)
    folded = str(name).casefold()
    near = get_close_matches(folded, spellings, n=1, cutoff=0.6)
    if not near and len(folded) >= _TELLING:
        near = [spelling for spelling in spellings if folded in spelling][:1]
    hint = f"did you mean {spellings[near[0]]!r}? " if near and name is not None else ""
    more = len(names) - SHOWN_NAMES
    listed = ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
    return f"{hint}allowed: {listed or 'none, as none is defined'}"


def unknown_name(what: str, found: object, allowed: Iterable[object], where: str = "") -> str:
    """Message about a name that is none of those allowed."""
    return f"{what} {found!r}: there is no such {what}{where and ' ' + where}; " + nearest(
        found, allowed
    )


SHOWN_PROBLEMS = 20
"""Problems of one error that are shown; the others are counted."""
_LONGEST_NAME = 400
"""Characters of a file's name that messages show."""


class OutsimError(Exception):
    """Base of every error that outsim raises on purpose.

    What does not show itself in its message, such as orders to a terminal, becomes an escape.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(visible_lines(a) if isinstance(a, str) else a for a in args))

    @property
    def message(self) -> str:
        """All of the message; `str` gives its first 2,000 characters."""
        return self.shown

    @property
    def shown(self) -> str:
        """The message as a command shows it: of very many problems the first, and their number."""
        return " ".join(map(str, self.args))

    def __str__(self) -> str:
        return bounded(self.shown, more="; .message has all of it")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({bounded(repr(self.shown), MOST_SHOWN - 40)})"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in an input file."""

    file: str
    """The file as the user named it, or as `extends` did."""
    line: int | None
    """Line in that file, counted from 1; None where no line can be named."""
    key: str
    """Key path such as ``campaign[clinic/reminders].start``; empty for the file as a whole."""
    message: str
    """What was found and what is allowed."""

    def __str__(self) -> str:
        file = visible(self.file)
        if len(file) > _LONGEST_NAME:  # what is wrong with it would be out of sight
            file = f"{file[: _LONGEST_NAME // 2]}...{file[-_LONGEST_NAME // 2 :]}"
        place = file if self.line is None else f"{file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ScenarioError(OutsimError, ValueError):
    """A scenario file, a contact list or a call log can't be used.

    `problems` lists everything that was found wrong, not only the first thing.
    """

    def __init__(self, problems: list[Problem] | str) -> None:
        if isinstance(problems, str):
            self.problems: list[Problem] = []
            super().__init__(problems)
        else:
            self.problems = problems
            lines = [str(problem) for problem in problems[:SHOWN_PROBLEMS]]
            more = len(problems) - len(lines)
            super().__init__("\n".join([*lines, *([f"and {more:,} more"] if more else [])]))

    @property
    def message(self) -> str:
        """All of the message, put together of its problems when it is asked for."""
        return visible_lines("\n".join(map(str, self.problems))) or self.shown

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[Problem] | str]]:
        return type(self), (self.problems or self.message,)


class TapeError(OutsimError, ValueError):
    """Recorded data can't serve as a tape."""


class EngineError(OutsimError, RuntimeError):
    """A run can't be made, or a snapshot can't be continued."""


class MomentError(OutsimError, ValueError):
    """A moment that a run can't be asked about."""


class InvariantError(OutsimError, AssertionError):
    """A result breaks an invariant of the platform."""


class StudyError(OutsimError, RuntimeError):
    """A study of several runs can't be made."""


class ResultError(OutsimError, RuntimeError):
    """A kept result can't be read, or a result can't be kept or exported."""


SandboxRefusal = Literal["invalid", "unknown", "conflict", "outside", "rate", "full"]
"""Why a sandbox refuses: a value can't be used, there is no such thing, it is at odds with what
is there, it lies outside the run, too many requests come, or too many calls wait."""


class SandboxError(OutsimError, ValueError):
    """A sandbox can't do what it is asked."""

    def __init__(self, message: str, reason: SandboxRefusal = "invalid") -> None:
        super().__init__(message)
        self.reason = reason


Parsed = TypeVar("Parsed")


def parsed(place: str, parse: Callable[[str], Parsed], text: str) -> Parsed:
    """What a text stands for; an error of it names the place where the text was given."""
    try:
        return parse(text)
    except ValueError as error:
        raise StudyError(f"{place}: {error}") from None
