"""The last requests, as they were seen: what was asked, what was answered, and why not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import UploadFile

from outsim.errors import SandboxError
from outsim.live.inbox import Inbox
from outsim.live.journal import Entry, Journal
from outsim.text import shortened

KEPT = 1000
SECRETS = frozenset({"pin", "password", "token", "developer_key"})
LONGEST_VALUE = 200
MOST_FIELDS = 40
MOST_NAMED = 10
"""Fields without a meaning that a header names at most."""
_STEM = 4
"""Characters with which two names begin alike that may mean the same."""
_ALIKE: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "scheduled_time scheduled_timestamp start_timestamp start start_time start_at not_before",
        "expiration_time expiration_timestamp end_timestamp end end_time ends not_after",
        "max_retry max_attempts retries attempts",
        "retry_interval reattempt_wait wait interval",
        "phone_number destination number to dest msisdn",
        "phone_number_list csv file list numbers contacts",
        "result_url callback callback_url webhook notify_url",
        "start_url vxml_url application_url url",
        "login user username email",
        "pin password secret",
        "campaign_name campaign name",
        "message_reference reference external_id",
    )
)
"""Names of one thing, here and elsewhere."""


@dataclass
class Request:
    """A request that came in."""

    number: int
    """Counts the requests of the session, from 1."""
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

    @property
    def is_refused(self) -> bool:
        """Whether it was not taken."""
        return self.status >= 400


class Requests:
    """The last thousand requests of clients."""

    def __init__(self) -> None:
        self.last: deque[Request] = deque(maxlen=KEPT)
        self._count = 0
        self._journal: Journal | None = None
        self._writing: asyncio.Task[None] | None = None

    def restore(self, request: Request) -> None:
        """Have a request that was seen before the sandbox was started again."""
        self.last.append(request)
        self._count = request.number

    def open(self, journal: Journal) -> None:
        """Keep there what is seen from now on."""
        self._journal = journal

    def settle(self, request: Request) -> None:
        """Keep a request that is answered; its answer does not wait for it."""
        if self._journal is not None:
            with suppress(SandboxError):
                self._journal.append(_entry(request))
                if self._writing is None or self._writing.done():
                    self._writing = asyncio.create_task(self.durable())

    async def durable(self) -> None:
        """Wait until all that was settled would be there after a crash."""
        if self._journal is not None:
            with suppress(SandboxError):
                await self._journal.durable()

    def clear(self) -> None:
        """Forget all of them."""
        self.last.clear()
        if self._journal is not None:
            self._journal.append({"requests": "forgotten"})

    def begin(self, at: int, local: str, method: str, path: str) -> Request:
        """Note that a request came in."""
        self._count += 1
        request = Request(self._count, at, local, method, shortened(path, LONGEST_VALUE))
        self.last.append(request)
        return request


def _entry(request: Request) -> Entry:
    return {"request": asdict(request)}


def open_journal(directory: Path | None, inbox: Inbox, requests: Requests) -> Journal:
    """Keep what is seen with the session in a directory, and have what was seen there before."""

    def restore(entry: Entry) -> None:
        if "request" in entry:
            requests.restore(Request(**entry["request"]))
        elif "requests" in entry:
            requests.last.clear()
        else:
            inbox.restore(entry)

    journal = Journal(directory, restore, lambda: [*inbox.entries(), *map(_entry, requests.last)])
    inbox.open(journal)
    requests.open(journal)
    return journal


def note_fields(request: Request, given: Mapping[str, object], known: Iterable[str]) -> None:
    """Note what a request said, and which of it means nothing here."""
    for key, value in list(given.items())[:MOST_FIELDS]:
        said = "***" if key.lower() in SECRETS else shortened(_in_words(value), LONGEST_VALUE)
        request.fields[shortened(key, LONGEST_VALUE)] = said
    note_ignored(request, given, known)


def note_ignored(request: Request, given: Iterable[str], known: Iterable[str]) -> None:
    """Note the names that mean nothing here, each with the known one that is nearest."""
    names = list(known)
    for key in list(given)[:MOST_FIELDS]:
        if key not in names:
            request.ignored[shortened(key, LONGEST_VALUE)] = nearest_name(key, names)


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The known name that is most like one that is not known; empty if none is like it."""
    names, said = list(known), name.lower().replace("-", "_").replace(" ", "_")
    if near := get_close_matches(said, names, n=1, cutoff=0.75):
        return near[0]
    for alike in _ALIKE:
        if said in alike:
            return next((each for each in names if each in alike), "")
    if len(said) < _STEM:
        return ""
    if near := get_close_matches(said, names, n=1, cutoff=0.6):
        return near[0]
    same_part = (each for each in names if said in each or each.startswith(said[:_STEM]))
    return next(same_part, "")


def ignored_header(ignored: Mapping[str, str]) -> str:
    """What was ignored, as a header tells it: names, each with the nearest known one."""
    told = [
        quote(name, safe="") + (f"; nearest={near}" if near else "")
        for name, near in list(ignored.items())[:MOST_NAMED]
    ]
    return ", ".join(told + (["..."] if len(ignored) > MOST_NAMED else []))


def _in_words(value: object) -> str:
    if isinstance(value, UploadFile):
        return f"file {value.filename or ''!r} of {value.size or 0:,} bytes"
    return str(value)
