"""What can come from outside: everything that a session is made of beside scenario and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from outsim.scenario.parts import Name

Instant = Annotated[int, Field(ge=0)]
"""Microseconds since the scenario begins."""

PinnedOutcome = Literal[
    "human",
    "voicemail",
    "busy",
    "no_answer",
    "invalid",
    "fax",
    "refused",
    "stuck",
    "wedged",
    "misdetected",
]


@dataclass(frozen=True, slots=True)
class PinnedWord:
    """What an outcome that a number can be given means."""

    meaning: str
    """What becomes of the call."""
    result: str
    """What its result_url is told; empty where that is told nothing."""
    callee_type: str
    """The callee type that it is told with."""


PINNED: dict[PinnedOutcome, PinnedWord] = {
    "human": PinnedWord("a person answers", "completed", "voice"),
    "voicemail": PinnedWord("voicemail answers", "completed", "answeringmachine"),
    "busy": PinnedWord("the line is busy, at each attempt", "failed", "busy"),
    "no_answer": PinnedWord("it rings and nobody answers, at each attempt", "failed", "noanswer"),
    "invalid": PinnedWord("there is no such number", "failed", "invalid"),
    "fax": PinnedWord("a fax machine answers", "completed", "fax"),
    "refused": PinnedWord("the carrier refuses each attempt", "failed", "congestion"),
    "stuck": PinnedWord("a person answers, and every update of it is lost", "", ""),
    "wedged": PinnedWord("it is accepted, and never goes out", "", ""),
    "misdetected": PinnedWord(
        "a person answers, and is taken for voicemail", "completed", "answeringmachine"
    ),
}
"""What can be said of a reserved number."""
FaultKind = Literal[
    "ports",
    "workers",
    "channels",
    "carrier",
    "status",
    "endpoint",
    "answer_lost",
    "duplicated",
    "reordered",
    "late",
    "intake_409",
    "intake_429",
    "intake_500",
    "intake_503",
    "preflight",
]


@dataclass(frozen=True, slots=True)
class FaultWord:
    """What a fault that can be ordered means, and what it can be told."""

    meaning: str
    """What goes wrong."""
    takes: tuple[str, ...] = ()
    """Fields of the order that mean something for it, beside `begins` and `ends`."""
    is_outage: bool = False
    """Whether it is an outage of the model, which strikes everybody; else the interface's."""


_OF_CUSTOMERS = ("count", "share", "tenant", "campaign")
_OF_POSTS = (*_OF_CUSTOMERS, "phone_number", "endpoint")
_OF_INTAKE = (*_OF_CUSTOMERS, "status")
FAULTS: dict[FaultKind, FaultWord] = {
    "ports": FaultWord(
        "`count` ports are out of service, or all; `drop` cuts their calls off",
        ("count", "drop"),
        is_outage=True,
    ),
    "workers": FaultWord("`count` workers are out, or all", ("count",), is_outage=True),
    "channels": FaultWord(
        "`count` channels of the carrier are out, or all; `drop` cuts their calls off",
        ("count", "drop"),
        is_outage=True,
    ),
    "carrier": FaultWord(
        "the carrier refuses every attempt; `drop` cuts calls off", ("drop",), is_outage=True
    ),
    "status": FaultWord("no status update is processed", is_outage=True),
    "endpoint": FaultWord("every post to `endpoint` fails", ("endpoint",), is_outage=True),
    "answer_lost": FaultWord(
        "a handler's answer is lost, so it is posted again; with `endpoint` `intake`, the "
        "platform's own answer to calls that it has taken",
        _OF_POSTS,
    ),
    "duplicated": FaultWord("a result is posted twice", _OF_POSTS),
    "reordered": FaultWord(
        "a result is posted `delay_s` late (1 s), so that others overtake it",
        (*_OF_POSTS, "delay_s"),
    ),
    "late": FaultWord("a result is posted `delay_s` late (1 s)", (*_OF_POSTS, "delay_s")),
    "intake_409": FaultWord(
        "what is queued is refused: the account or deployment was deleted", _OF_INTAKE
    ),
    "intake_429": FaultWord("what is queued is refused: intake is full", _OF_INTAKE),
    "intake_500": FaultWord("what is queued is refused: a database error", _OF_INTAKE),
    "intake_503": FaultWord("what is queued is refused: intake is full", _OF_INTAKE),
    "preflight": FaultWord(
        "the pre-flight GET of a page fails", ("count", "share", "tenant", "endpoint")
    ),
}
"""What can be ordered to go wrong."""
MODEL_FAULTS = tuple(kind for kind, word in FAULTS.items() if word.is_outage)
"""Faults that are outages in the model; all others are the interface's."""
LIMITS = ("tenant", "campaign", "phone_number", "endpoint")
"""Whom or what a fault can be limited to."""
INTAKE = "intake"
"""Endpoint of faults that lose the answer to calls that were taken."""
PostResult = Literal["accepted", "timeout", "server_error", "unreachable"]


class Input(BaseModel):
    """Something that came from outside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = 0
    """Counts the inputs of a session, from 1; given by the sandbox."""
    at: Instant = 0
    """When it came, in microseconds since the scenario begins; given by the sandbox."""


class Submit(Input):
    """A customer hands in calls: a list as a campaign of its own, or one call."""

    kind: Literal["submit"] = "submit"
    tenant: Name
    campaign: Name | None = None
    """Name of the campaign, unique within its tenant. None gives one: the group and a number."""
    group: Name = "default"
    """What a cancellation of pending calls reaches together: the default campaign of an account,
    or a deployment."""
    contacts: str
    """A contact list in the platform's format: CSV whose first header is ``destination``."""
    start: Instant | None = None
    """From when its calls may be loaded; None is at once."""
    expires: Instant | None = None
    """From here on none of its calls is dispatched; None is never."""
    max_retry: Annotated[int, Field(ge=0, le=10)] = 0
    """Dials after the first one."""
    retry_interval_s: Annotated[int, Field(ge=60, le=172_800)] = 3600
    """From the end of an attempt to the queue again."""
    result_url: Annotated[str, Field(max_length=255)] | None = None
    """Where final results are posted; posts to it go to the sandbox's poster."""
    pacing_per_min: Annotated[int, Field(ge=1)] | None = None
    """Calls a minute, retries included; None is as fast as they load."""
    extra: dict[str, str] = {}
    """What the customer gave beside, kept as it is: start_url, message_reference and the like."""


class Stop(Input):
    """A customer stops a campaign: what is in the queue goes out."""

    kind: Literal["stop"] = "stop"
    tenant: Name
    campaign: Name


class Cancel(Input):
    """A customer cancels the pending calls of a group: those in the queue as well."""

    kind: Literal["cancel"] = "cancel"
    tenant: Name
    group: Name


class Suspend(Input):
    """Calls of a tenant, of one of its campaigns, or of all are held back until resumed."""

    kind: Literal["suspend"] = "suspend"
    tenant: Name | None = None
    campaign: Name | None = None
    """The one campaign of the tenant that is paused; None is all of them."""


class Resume(Input):
    """A suspension of a tenant, or of all, or a pause of a campaign ends."""

    kind: Literal["resume"] = "resume"
    tenant: Name | None = None
    campaign: Name | None = None


class Answer(Input):
    """What became of a post to a real handler."""

    kind: Literal["answer"] = "answer"
    call_id: int
    post: int
    """Which of the posts about the call, from 1."""
    result: PostResult
    latency_ms: Annotated[int, Field(ge=0)]
    """From the post's beginning to its end, in simulated time."""
    status: int | None = None
    """HTTP status of the answer, if there was one."""
    error: str = ""
    """Why its poster failed, if it did by an exception."""


class Pin(Input):
    """Calls to a reserved number, submitted from now on, have this outcome."""

    kind: Literal["pin"] = "pin"
    numbers: list[str]
    """Ten digits each, the last seven 5550100 to 5550199."""
    outcome: PinnedOutcome | None
    """None takes the pin away."""
    after_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    """Ringing until it is answered, where it is."""
    talk_s: Annotated[float, Field(ge=0, le=36_000)] | None = None
    """From the answer to the end, where it is answered."""


class Fault(Input):
    """Something goes wrong on order: for a while, the next times, or for a share."""

    kind: Literal["fault"] = "fault"
    of: FaultKind
    begins: Instant | None = None
    """None is at once."""
    ends: Instant | None = None
    """None is until it is ended by order."""
    count: Annotated[int, Field(ge=1)] | None = None
    """Ports, workers or channels that are out; of other faults, how often it strikes."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the requests or posts that it strikes; of faults of the interface."""
    drop: bool = False
    """Whether an outage of ports, channels or the carrier cuts calls off."""
    status: int | None = None
    """HTTP status that is answered, where one is."""
    delay_s: Annotated[float, Field(ge=0)] = 0.0
    """How late a late callback is, in simulated time."""
    tenant: Name | None = None
    campaign: Name | None = None
    phone_number: str | None = None
    endpoint: str | None = None
    """Whom it strikes; None is everybody. Outages of an endpoint name it."""

    @property
    def given(self) -> dict[str, Any]:
        """What limits or qualifies it, beside when it is on."""
        return {
            name: value
            for name, field in Fault.model_fields.items()
            if name not in _NO_LIMITS and (value := getattr(self, name)) != field.default
        }


_NO_LIMITS = (*Input.model_fields, "kind", "of", "begins", "ends")


class EndFault(Input):
    """A fault ends."""

    kind: Literal["end_fault"] = "end_fault"
    fault: int
    """Number of the input that ordered it."""


class Strike(Input):
    """A fault of the interface has struck once."""

    kind: Literal["strike"] = "strike"
    fault: int


class Note(Input):
    """Something that the interface remembers, and the model does not need."""

    kind: Literal["note"] = "note"
    tenant: Name
    topic: Name
    content: dict[str, Any]


class Clock(Input):
    """The clock was held, set free, or ordered to advance; or time has passed."""

    kind: Literal["clock"] = "clock"
    state: Literal["free", "held", "advancing"]
    speed: Annotated[float, Field(ge=0.1, le=1000)] = 1.0
    until: int | None = None
    """Where the clock may have got to by the next entry."""


AnyInput = Annotated[
    Submit
    | Stop
    | Cancel
    | Suspend
    | Resume
    | Answer
    | Pin
    | Fault
    | EndFault
    | Strike
    | Note
    | Clock,
    Field(discriminator="kind"),
]
INPUT: TypeAdapter[AnyInput] = TypeAdapter(AnyInput)
