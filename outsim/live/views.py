"""What a sandbox shows of its calls, campaigns and deliveries, and what it tells as it happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from outsim.live.inputs import PostResult
from outsim.vocabulary import FINAL_STATUSES, PENDING_STATUSES, STATUS_GROUPS

EventKind = Literal[
    "input",
    "changed",
    "visible",
    "dialed",
    "ended",
    "delivery_due",
    "delivery_begun",
    "delivery_ended",
    "campaign_over",
    "clock",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as it is told to those who listen."""

    number: int
    """Counts the events of this process, from 1."""
    at: int
    """When, in microseconds since the scenario begins."""
    kind: EventKind
    tenant: str = ""
    campaign: str = ""
    call_id: int = -1
    status: str = ""
    """The call's new status, the result of a post, the state of the clock, the kind of input."""
    attempt: int = 0
    """Attempt of the call, or number of the post."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A change of status of a call, with both its clocks."""

    status: str
    attempt: int
    happened_at: int
    visible_at: int | None
    """None while it waits for processing, and for ever if it was lost."""

    @property
    def lag_us(self) -> int | None:
        """How late it became visible; None while it is not."""
        return None if self.visible_at is None else self.visible_at - self.happened_at


@dataclass(frozen=True, slots=True)
class Dial:
    """An attempt, as the call log has it."""

    attempt: int
    dispatched_at: int
    dialed_at: int | None
    answered_at: int | None
    ended_at: int | None
    outcome: str
    """Empty while it is under way."""
    callee_type: str


@dataclass(frozen=True)
class CallView:
    """A call: what is, and what its customer can see."""

    call_id: int
    tenant: str
    campaign: str
    group: str
    index: int
    """Place in its campaign, from 0."""
    phone_number: str
    ani: str
    submitted_at: int
    start: int
    expires: int | None
    max_retry: int
    retry_interval_s: int
    result_url: str | None
    extra: dict[str, str]
    """What was given with the submission."""
    variables: dict[str, str]
    """The other columns of its row."""
    status: str
    """As it is."""
    visible_status: str
    """As its customer sees it."""
    visible_attempts: int
    attempts: tuple[Dial, ...]
    changes: tuple[Seen, ...]
    """All changes of status, in the order in which they happened."""


@dataclass(frozen=True)
class CampaignView:
    """A campaign: its calls by status, as it is and as its customer sees it."""

    tenant: str
    name: str
    group: str
    submitted_at: int
    start: int
    calls: int
    rejected: int
    first_call_id: int
    stop_requested: int | None
    dialed_after_stop: int
    """Attempts that were dispatched after its stop was asked for."""
    is_paused: bool
    """Whether an order holds its calls back."""
    is_over: bool
    """Whether nothing more happens to its calls: wedged ones are not waited for."""
    wedged: int
    """Calls that stay pending for ever: they were accepted, and never go out."""
    counts: dict[str, int]
    """Calls that were handed in so far, by status."""
    visible_counts: dict[str, int]
    waiting_updates: int
    """Changes of status that happened and are not visible; those that are lost never will be."""
    status_lag_us: int | None
    """Mean status lag of the last updates shown, `RECENT_UPDATES` at most; None if none was."""

    @property
    def happened(self) -> dict[str, int]:
        """Calls as they are: pending, completed, failed, and how others ended where some did."""
        return _grouped(self.counts)

    @property
    def seen(self) -> dict[str, int]:
        """The same, as the customer sees them."""
        return _grouped(self.visible_counts)


def _grouped(counts: Mapping[str, int]) -> dict[str, int]:
    grouped = {"pending": sum(counts.get(status, 0) for status in PENDING_STATUSES)}
    for status in FINAL_STATUSES:
        if status in STATUS_GROUPS or counts.get(status):
            grouped[status] = counts.get(status, 0)
    return grouped


@dataclass(frozen=True, slots=True)
class PageRow:
    """A call on its customer's page beside the truth, as `Result.status_page` has it."""

    call_id: int
    number: str
    ani: str
    status: str
    attempt: int
    callee_type: str
    """Who answered the shown attempt, or why nobody did; empty until its end is shown."""
    call_info: str
    """What the shown attempt came to; empty until its end is shown."""
    since: int | None
    """When the shown status had come; None for the one that the call was submitted with."""
    true_status: str
    true_attempt: int
    is_wedged: bool
    """It is shown as pending, and is never dialed."""
    lag_us: int | None
    """From the last change of status to its being visible, or until now while it is not; None
    where nothing changed yet."""
    is_behind: bool
    """Whether the last change of status is not visible yet."""


@dataclass(frozen=True)
class Rejected:
    """A row that can't be dialed."""

    row: int
    text: str
    reason: str


@dataclass(frozen=True)
class Submitted:
    """What became of a submission: it is durable."""

    number: int
    at: int
    tenant: str
    campaign: str
    call_ids: range
    """One for each row, rejected ones included."""
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True)
class Done:
    """What became of any other input: it is durable."""

    number: int
    at: int


@dataclass(frozen=True)
class Post:
    """A final result that is to be posted to a real handler now."""

    call: CallView
    url: str
    number: int
    """Which of the posts about the call, from 1."""
    begun_at: int
    timeout_us: int
    """Simulated time after which it has failed."""
    is_resent: bool = False
    """Whether it may have been sent before: the sandbox was restarted while it was open."""
    is_ordered: bool = False
    """Whether it is sent once more on order."""


@dataclass(frozen=True)
class Reply:
    """What became of a post, as the poster says."""

    result: PostResult
    status: int | None = None
    wall_s: float | None = None
    """How long the handler took; None is as long as the poster did."""
    error: str = ""
    """Why there was no answer, in words."""


Poster = Callable[[Post], Awaitable[Reply]]


@dataclass(frozen=True)
class DeliveryView:
    """One post about a call."""

    number: int
    """Counts the posts of the session, from 1."""
    call_id: int
    tenant: str
    campaign: str
    url: str
    post: int
    due_at: int
    begun_at: int | None
    ended_at: int | None
    result: str
    """Empty while it is under way."""
    status: int | None
    error: str
    """Why its poster failed, if it did by an exception."""
    next_at: int | None
    """When the next post about the call will be due."""


@dataclass(frozen=True)
class ClockView:
    """How the clock stands."""

    now: int
    """Microseconds since the scenario begins."""
    local: str
    """The same as local time, ISO 8601."""
    state: Literal["free", "held", "advancing", "ready"]
    speed: float
    behind_s: float
    """Wall time by which a free clock is behind its speed: it could not keep up, or waited."""
    handler_time: Literal["real", "scenario"]
    begins: str
    ends: str
    """Where the run ends: no time passes from there on, and nothing more is taken."""
    ends_why: str
    is_over: bool
    """Whether it has come to its end."""
    open_posts: int
    reasons: list[str] = field(default_factory=list)
    """What the clock waits for."""
