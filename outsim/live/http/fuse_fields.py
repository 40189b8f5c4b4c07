"""Fields of Fuse requests and answers."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import UploadFile
from pydantic import BaseModel, Field, model_validator

from outsim.live.clock import SandboxClock
from outsim.live.http.answers import RefusedError
from outsim.live.http.fields import (
    DEFAULT_RETRY_INTERVAL_S,
    Form,
    Terms,
    Text255,
    UnixTime,
)
from outsim.live.http.grades import DOCUMENTED, INFERRED, OURS
from outsim.live.http.times import instant_of
from outsim.scenario.contacts import FIRST_HEADER

MOST_VARIABLES = 20_000
"""Characters of the variables of a call."""


class FuseOptions(Form):
    """What requests for one call and for many have in common."""

    start_timestamp: Annotated[UnixTime | None, DOCUMENTED] = None
    """From when it may be dialed, as UNIX time; absent is at once."""
    end_timestamp: Annotated[UnixTime | None, DOCUMENTED] = None
    """From when it is attempted no more, as UNIX time."""
    max_attempts: Annotated[Annotated[int, Field(ge=1, le=10)], DOCUMENTED] = 1
    """Attempts in all."""
    reattempt_wait: Annotated[Annotated[int, Field(ge=60, le=86_400)] | None, DOCUMENTED] = None
    """Seconds between attempts; needed if there may be more than one."""
    result_url: Annotated[Text255 | None, DOCUMENTED] = None
    """Page that each call's final result is posted to."""
    is_pci: Annotated[Annotated[int, Field(ge=0, le=1)] | None, DOCUMENTED] = None
    """Kept with the call; nothing else comes of it here."""

    @model_validator(mode="after")
    def _wait_if_again(self) -> FuseOptions:
        if self.max_attempts > 1 and self.reattempt_wait is None:
            raise ValueError("reattempt_wait is needed where max_attempts is above 1")
        return self

    def terms(self, clock: SandboxClock) -> Terms:
        """When its calls may be dialed, and how often."""
        return Terms.of(
            clock,
            "end_timestamp",
            instant_of(clock, "start", self.start_timestamp),
            instant_of(clock, "end", self.end_timestamp),
            self.max_attempts - 1,
            self.reattempt_wait or DEFAULT_RETRY_INTERVAL_S,
        )


class FuseCall(FuseOptions):
    """`queue`: one call."""

    phone_number: Annotated[str, Field(min_length=1, max_length=128), DOCUMENTED]
    """Number to dial, such as tel:+12125550100;ani=12125550199."""
    variables: Annotated[
        Annotated[str, Field(max_length=MOST_VARIABLES)] | dict[str, Any] | None, INFERRED
    ] = None
    """JSON object of variables of the application; the field's own name is not public."""

    def columns(self) -> dict[str, str]:
        """Variables as texts by name."""
        given: Any = self.variables
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except (ValueError, RecursionError):
                given = None
            if not isinstance(given, dict):
                raise RefusedError(400, 'variables: write a JSON object, such as {"name": "Ann"}')
        reserved = (FIRST_HEADER, "ani", "time_zone")
        columns: dict[str, str] = {}
        for key, value in (given or {}).items():
            if key in reserved or not key.strip() or "\0" in key or len(columns) == 100:
                raise RefusedError(400, f"variables: found the name {key[:80]!r}")
            columns[key.strip()] = value if isinstance(value, str) else json.dumps(value)
        return columns


class FuseCalls(FuseOptions):
    """`bulk_queue`: many calls."""

    csv: Annotated[UploadFile, DOCUMENTED]
    """Contact list: a CSV whose first header is `destination`."""


class Happened(BaseModel):
    """A change of status that is visible."""

    event: Annotated[str, DOCUMENTED]
    timestamp: Annotated[int, DOCUMENTED]


class CallDetails(BaseModel):
    """What can be seen of a call by now; counts and times are texts, as in the sample."""

    phone_number: Annotated[str, DOCUMENTED]
    status: Annotated[str, DOCUMENTED]
    attempts: Annotated[str, DOCUMENTED]
    max_attempts: Annotated[str, DOCUMENTED]
    queued_timestamp: Annotated[str, DOCUMENTED]
    start_timestamp: Annotated[str, DOCUMENTED]
    end_timestamp: Annotated[str, DOCUMENTED]
    reattempt_wait: Annotated[str, DOCUMENTED]
    last_attempt_timestamp: Annotated[str, INFERRED]
    callee_type: Annotated[str, OURS]
    events: Annotated[list[Happened], DOCUMENTED]
    duration: Annotated[int, DOCUMENTED]


class Status(BaseModel):
    """Answer about a call."""

    call_details: Annotated[CallDetails, DOCUMENTED]


class Queued(BaseModel):
    """Answer to one call."""

    status: Annotated[str, INFERRED]
    call_id: Annotated[str, DOCUMENTED]
    ignored: Annotated[dict[str, str], OURS] = {}
    """Only where fields of the request mean nothing here: the known one that is nearest."""


class NotQueued(BaseModel):
    """A row that can't be dialed."""

    row: Annotated[int, OURS]
    phone_number: Annotated[str, OURS]
    reason: Annotated[str, OURS]


class BulkQueued(BaseModel):
    """Answer to many calls."""

    status: Annotated[str, INFERRED]
    call_ids: Annotated[list[str], DOCUMENTED]
    rejected: Annotated[list[NotQueued], OURS]
    ignored: Annotated[dict[str, str], OURS] = {}
    """As of one call."""


class Refused(BaseModel):
    """Answer to what was not taken."""

    error: Annotated[str, DOCUMENTED]
