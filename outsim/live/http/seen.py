"""The last requests, as they were seen: what was asked, what was answered, and why not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from outsim.text import shortened

KEPT = 1000
SECRETS = frozenset({"pin", "password", "token", "developer_key"})
LONGEST_VALUE = 200
MOST_FIELDS = 40


@dataclass
class Request:
    """A request that came in."""

    number: int
    """Counts the requests of this process, from 1."""
    at: int
    """When, in microseconds since the scenario begins."""
    local: str
    """The same as local time."""
    method: str
    path: str
    tenant: str = ""
    """Whose it was, if the login was right."""
    status: int = 0
    """HTTP status of the answer; 0 where none was given."""
    reason: str = ""
    """Why it was refused."""
    nearest: str = ""
    """The accepted form that comes nearest to it, if it was refused."""
    fields: dict[str, str] = field(default_factory=dict)
    """What it said, shortened, without its secrets."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Fields that mean nothing here, with the known one that each is nearest to."""


class Requests:
    """The last thousand requests of clients."""

    def __init__(self) -> None:
        self.last: deque[Request] = deque(maxlen=KEPT)
        self._count = 0

    def begin(self, at: int, local: str, method: str, path: str) -> Request:
        """Note that a request came in."""
        self._count += 1
        request = Request(self._count, at, local, method, shortened(path, LONGEST_VALUE))
        self.last.append(request)
        return request


def note_fields(request: Request, given: Mapping[str, object], known: Iterable[str]) -> None:
    """Note what a request said; unknown fields with the known one that is nearest."""
    names = list(known)
    for key, value in list(given.items())[:MOST_FIELDS]:
        said = "***" if key.lower() in SECRETS else shortened(str(value), LONGEST_VALUE)
        request.fields[shortened(key, LONGEST_VALUE)] = said
        if key not in names:
            near = get_close_matches(key.lower(), names, n=1, cutoff=0.6)
            request.ignored[shortened(key, LONGEST_VALUE)] = near[0] if near else ""
