"""Fields of requests, with the limits that the platform's pages state, and what they mean."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, model_validator

from outsim.live.clock import SandboxClock
from outsim.live.http.answers import RefusedError
from outsim.live.http.grades import DOCUMENTED, INFERRED
from outsim.live.http.times import LATEST_UNIX, LONGEST, instant_of
from outsim.scenario.contacts import (
    FIRST_HEADER,
    REASONS,
    InvalidNumberError,
    parse_destination,
)
from outsim.scenario.parts import Name
from outsim.units import shown

DEFAULT_RETRY_INTERVAL_S = 300
"""Where a request gives none: no page says what the platform takes."""
LEAST_INTERVAL_S = 60

Text255 = Annotated[str, Field(max_length=255)]
UnixTime = Annotated[int, Field(ge=0, le=LATEST_UNIX)]
Words = Annotated[str, Field(max_length=LONGEST)]


class Form(BaseModel):
    """Fields of a request; those that are not known are ignored, and noted with the request."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_absent(cls, values: Any) -> Any:
        """A field that is empty is as good as none."""
        if not isinstance(values, dict):
            return values
        return {key: value for key, value in values.items() if value not in ("", None)}


class Login(Form):
    """Who a DEV request comes from."""

    login: Annotated[str, Field(min_length=1, max_length=128), DOCUMENTED]
    """Login name of the account."""
    pin: Annotated[str, Field(min_length=1, max_length=16), DOCUMENTED]
    """Its PIN."""


class CallOptions(Login):
    """What DEV requests of one call and of many have in common."""

    start_url: Annotated[str, Field(min_length=1, max_length=255), DOCUMENTED]
    """Page that supplies the VoiceXML when a call is answered; must answer 200 to a GET first."""
    result_url: Annotated[Text255 | None, DOCUMENTED] = None
    """Page that each call's final result is posted to; must answer 200 to a GET first."""
    message_reference: Annotated[Text255 | None, DOCUMENTED] = None
    """The customer's own key; comes back at start_url and result_url."""
    call_parameters: Annotated[Text255 | None, DOCUMENTED] = None
    """Free text, posted to start_url."""
    max_retry: Annotated[Annotated[int, Field(ge=0, le=10)] | None, DOCUMENTED] = None
    """Dials after the first one."""
    max_retries: Annotated[Annotated[int, Field(ge=0, le=10)] | None, DOCUMENTED] = None
    """The same: the platform's pages have both names."""
    retry_interval: Annotated[
        Annotated[int, Field(ge=LEAST_INTERVAL_S, le=172_800)] | None, DOCUMENTED
    ] = None
    """Seconds from the end of an attempt to the queue again."""
    scheduled_timestamp: Annotated[UnixTime | None, DOCUMENTED] = None
    """From when it may be dialed, as UNIX time; 0 is now."""
    scheduled_time: Annotated[Words | None, DOCUMENTED] = None
    """From when it may be dialed, in words such as "now" or "+3 days"."""
    expiration_timestamp: Annotated[UnixTime | None, DOCUMENTED] = None
    """From when it is dialed no more, as UNIX time; 0 is never."""
    expiration_time: Annotated[Words | None, DOCUMENTED] = None
    """From when it is dialed no more, in words."""

    def terms(self, clock: SandboxClock) -> Terms:
        """When its calls may be dialed, and how often."""
        if None not in (self.max_retry, self.max_retries) and self.max_retry != self.max_retries:
            raise RefusedError(400, "max_retry and max_retries differ; give one of them")
        retries = self.max_retries if self.max_retry is None else self.max_retry
        by_words = self.expiration_time is not None
        return Terms.of(
            clock,
            "expiration_time" if by_words else "expiration_timestamp",
            instant_of(clock, "scheduled", self.scheduled_timestamp, self.scheduled_time),
            instant_of(clock, "expiration", self.expiration_timestamp, self.expiration_time),
            retries or 0,
            self.retry_interval or DEFAULT_RETRY_INTERVAL_S,
        )

    def kept(self) -> dict[str, str]:
        """What is kept with a call for its pages and its result."""
        names = ("start_url", "message_reference", "call_parameters")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class QueueCall(CallOptions):
    """`queuecall.php`: one call."""

    phone_number: Annotated[str, Field(min_length=1, max_length=128), DOCUMENTED]
    """Number to dial, such as +12125550100;ani=12125550199."""


class QueueCalls(CallOptions):
    """`queuecalls.php`: many calls, as a campaign of their own."""

    campaign_name: Annotated[Name, INFERRED]
    """Name of the campaign, unique within the account."""
    phone_number_list: Annotated[UploadFile, INFERRED]
    """Text file: a number on each line, or a CSV whose first header is `destination`."""
    campaign_parameters: Annotated[Text255 | None, DOCUMENTED] = None
    """Free text for all calls, posted to start_url."""

    def kept(self) -> dict[str, str]:
        """What is kept with each call."""
        more = {"campaign_parameters": self.campaign_parameters}
        return super().kept() | {key: value for key, value in more.items() if value is not None}


@dataclass(frozen=True)
class Terms:
    """When calls may be dialed, and how often."""

    start: int | None
    expires: int | None
    max_retry: int
    retry_interval_s: int

    @classmethod
    def of(
        cls,
        clock: SandboxClock,
        field: str,
        start: int | None,
        expires: int | None,
        max_retry: int,
        retry_interval_s: int,
    ) -> Terms:
        """Terms that can be kept from now on; a start that is past is now.

        Errors name the field that the expiry came by.
        """
        if expires is not None and expires <= max(start or 0, clock.now):
            now, said = clock.local(clock.now), clock.local(expires)
            than = "its start" if start and start > clock.now else f"now ({now:%Y-%m-%d %H:%M:%S})"
            raise RefusedError(
                400, f"{field}: found {said:%Y-%m-%d %H:%M:%S}; must be later than {than}"
            )
        later = start if start is not None and start > clock.now else None
        return cls(later, expires, max_retry, retry_interval_s)


def one_contact(phone_number: str) -> str:
    """Contact list of one call.

    Raises
    ------
    RefusedError
        If the number can't be dialed.
    """
    try:
        parse_destination(phone_number)
    except InvalidNumberError as error:
        raise RefusedError(
            400,
            f"phone_number: found {shown(phone_number)}; {REASONS[str(error)]}",
            "phone_number=+12125550100, 12125550100 or tel:+12125550100;ani=12125550199",
        ) from None
    return table([FIRST_HEADER], [[phone_number]])


def table(headers: list[str], rows: list[list[str]]) -> str:
    """Text of a CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return text.getvalue()


async def contacts_of(field: str, file: UploadFile) -> str:
    """Contact list of an uploaded file, with its header if it has none.

    Raises
    ------
    RefusedError
        If it is no UTF-8 text, or empty.
    """
    try:
        text = (await file.read()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(400, f"{field}: no UTF-8 text at byte {error.start:,}") from None
    if not text.strip():
        raise RefusedError(400, f"{field}: found an empty file; write a number on each line")
    if "\0" in text:
        raise RefusedError(400, f"{field}: found a null character; write a number on each line")
    first = text.split("\n", 1)[0].split(",", 1)[0].strip().strip('"')
    return f"{FIRST_HEADER}\n{text}" if first[:1].isdigit() or _is_number(first) else text


def _is_number(text: str) -> bool:
    try:
        parse_destination(text)
    except InvalidNumberError:
        return False
    return True
