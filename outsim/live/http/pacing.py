"""Scheduling and pacing: schedules, profiles and campaigns, whose bodies are not documented.

The endpoints are the platform's, what is said in them is ours. A campaign holds calls until it is
started; whatever is kept here is in the input log, as notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from outsim.live.http.answers import RefusedError
from outsim.live.http.context import Context, Here, is_of
from outsim.live.http.fields import one_contact, table
from outsim.live.http.fuse_fields import Refused
from outsim.live.http.grades import graded
from outsim.live.http.pacing_fields import (
    WEEKDAYS,
    CampaignName,
    NewCall,
    NewCalls,
    NewCampaign,
    NewProfile,
    NewSchedule,
    Stored,
)
from outsim.live.inputs import Note, Submit
from outsim.scenario.accounts import Account
from outsim.scenario.contacts import FIRST_HEADER
from outsim.vocabulary import FIRST_CALL_ID

TOPIC = "pacing"
GROUP = "paced "
"""What the groups of its campaigns begin with."""
MOST_THINGS = 1_000
"""Schedules, profiles and campaigns of an account at most."""
_bearer = HTTPBearer(auto_error=False, scheme_name="Pacing token")
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refused, "description": meaning}
    for status, meaning in {
        400: "A field is missing or wrong",
        401: "The token is wrong",
        404: "There is none",
        409: "It is there already, or was started or stopped before",
    }.items()
}
router = APIRouter(prefix="/api", tags=["Scheduling and pacing"], responses=_REFUSALS)


@dataclass
class Paced:
    """A campaign of this interface."""

    given: NewCampaign
    waiting: list[NewCall] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    is_started: bool = False
    is_stopped: bool = False


@dataclass
class Stock:
    """What an account has said."""

    schedules: dict[str, NewSchedule] = field(default_factory=dict)
    profiles: dict[str, NewProfile] = field(default_factory=dict)
    campaigns: dict[str, Paced] = field(default_factory=dict)


def _stock(context: Context, tenant: str) -> Stock:
    """What an account has said, by the notes of the input log."""
    stock = Stock()
    for note in context.sandbox.notes(TOPIC):
        if note.tenant != tenant:
            continue
        kind, content = note.content["kind"], note.content["content"]
        if kind == "schedule":
            stock.schedules[content["name"]] = NewSchedule(**content)
        elif kind == "profile":
            stock.profiles[content["name"]] = NewProfile(**content)
        elif kind == "campaign":
            stock.campaigns[content["name"]] = Paced(NewCampaign(**content))
        elif kind == "calls":
            calls = [NewCall(**call) for call in content["calls"]]
            stock.campaigns[content["name"]].waiting += calls
        elif kind == "started":
            stock.campaigns[content["name"]].is_started = True
        else:
            stock.campaigns[content["name"]].is_stopped = True
    for view in context.sandbox.campaigns(tenant):
        # That they were queued is what the log says of it, whatever was answered.
        paced = stock.campaigns.get(view.group.removeprefix(GROUP))
        if view.group.startswith(GROUP) and paced is not None:
            paced.batches.append(view.name)
            paced.is_started = True
            paced.waiting.clear()
    return stock


async def _note(context: Context, account: Account, kind: str, content: dict[str, Any]) -> None:
    said = {"kind": kind, "content": content}
    await context.sandbox.note(Note(tenant=account.tenant, topic=TOPIC, content=said))


def _user(
    request: Request,
    context: Here,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Account:
    challenge = {"WWW-Authenticate": "Bearer"}
    if given is None:
        raise RefusedError(401, "give the token as Authorization: Bearer TOKEN", "", challenge)
    try:
        account = context.logins.by_token(given.credentials)
    except RefusedError as refusal:
        raise RefusedError(401, refusal.reason, refusal.nearest, challenge) from None
    is_of(request, account)
    return account


User = Annotated[Account, Depends(_user)]
BODY_OURS = graded("inferred")
"""The platform's pages name the endpoint, and do not say what is sent to it."""


def _add(things: dict[str, Any], kind: str, name: str) -> None:
    if name in things:
        raise RefusedError(409, f"{kind} {name!r} is there already")
    if len(things) >= MOST_THINGS:
        raise RefusedError(409, f"there are {MOST_THINGS} of them, and no room for more")


def _paced(stock: Stock, name: str) -> Paced:
    if name not in stock.campaigns:
        known = ", ".join(list(stock.campaigns)[:10]) or "none"
        raise RefusedError(404, f"there is no campaign {name!r}", known)
    return stock.campaigns[name]


@router.post("/schedules", summary="New schedule", response_model=Stored, openapi_extra=BODY_OURS)
async def schedules(context: Here, account: User, given: NewSchedule) -> Stored:
    """Keep the days on which campaigns are active."""
    _add(_stock(context, account.tenant).schedules, "schedule", given.name)
    await _note(context, account, "schedule", given.model_dump())
    return Stored(name=given.name)


@router.post("/profiles", summary="New profile", response_model=Stored, openapi_extra=BODY_OURS)
async def profiles(context: Here, account: User, given: NewProfile) -> Stored:
    """Keep a pace."""
    _add(_stock(context, account.tenant).profiles, "profile", given.name)
    await _note(context, account, "profile", given.model_dump())
    return Stored(name=given.name)


@router.post("/campaigns", summary="New campaign", response_model=Stored, openapi_extra=BODY_OURS)
async def campaigns(context: Here, account: User, given: NewCampaign) -> Stored:
    """Keep a campaign; it is started by order."""
    stock = _stock(context, account.tenant)
    _add(stock.campaigns, "campaign", given.name)
    _known("schedule", stock.schedules, [given.schedule] if given.schedule else [])
    _known("profile", stock.profiles, given.profiles)
    await _note(context, account, "campaign", given.model_dump())
    return Stored(name=given.name)


@router.post(
    "/campaigns/add-calls", summary="Add calls", response_model=Stored, openapi_extra=BODY_OURS
)
async def add_calls(context: Here, account: User, given: NewCalls) -> Stored:
    """Add calls to a campaign; they are queued at once if it was started."""
    paced = _paced(_stock(context, account.tenant), given.name)
    if paced.is_stopped:
        raise RefusedError(409, f"campaign {given.name!r} was stopped")
    for call in given.calls:
        one_contact(call.phone_number)
    if not paced.is_started:
        await _note(context, account, "calls", given.model_dump())
        return Stored(name=given.name)
    return Stored(name=given.name, call_ids=await _queue(context, account, paced, given.calls))


@router.post("/campaigns/start", summary="Start", response_model=Stored, openapi_extra=BODY_OURS)
async def start(context: Here, account: User, given: CampaignName) -> Stored:
    """Start a campaign: its calls are queued, on the next day on which it is active."""
    paced = _paced(_stock(context, account.tenant), given.name)
    if paced.is_started or paced.is_stopped:
        raise RefusedError(409, f"campaign {given.name!r} was started or stopped before")
    ids: list[int] = []
    if paced.waiting:
        ids = await _queue(context, account, paced, paced.waiting)
    await _note(context, account, "started", given.model_dump())
    return Stored(name=given.name, call_ids=ids)


@router.post("/campaigns/stop", summary="Stop", response_model=Stored, openapi_extra=BODY_OURS)
async def stop(context: Here, account: User, given: CampaignName) -> Stored:
    """Stop a campaign: what is in the queue goes out."""
    paced = _paced(_stock(context, account.tenant), given.name)
    if not paced.is_stopped:
        for batch in paced.batches:
            await context.sandbox.stop(account.tenant, batch)
        await _note(context, account, "stopped", given.model_dump())
    return Stored(name=given.name)


def _known(kind: str, things: dict[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if name not in things:
            known = ", ".join(list(things)[:10]) or "none"
            raise RefusedError(404, f"there is no {kind} {name!r}", known)


async def _queue(
    context: Context, account: Account, paced: Paced, calls: Sequence[NewCall]
) -> list[int]:
    """Queue calls of a campaign, as a batch of its own."""
    given, stock = paced.given, _stock(context, account.tenant)
    paces = [stock.profiles[name].calls_per_minute for name in given.profiles]
    header = "message_reference"
    rows = [[call.phone_number, call.message_reference or ""] for call in calls]
    taken = await context.take(
        Submit(
            tenant=account.tenant,
            group=f"{GROUP}{given.name}",
            contacts=table([FIRST_HEADER, header], rows),
            start=_next_active(context, stock.schedules.get(given.schedule or "")),
            max_retry=given.max_retry,
            retry_interval_s=given.retry_interval,
            result_url=given.result_url,
            pacing_per_min=min(paces, default=None),
            extra={"start_url": given.start_url},
        )
    )
    return [FIRST_CALL_ID + call_id for call_id in taken.call_ids]


def _next_active(context: Context, schedule: NewSchedule | None) -> int | None:
    """Midnight of the next day on which a schedule is active; None if it is today."""
    clock = context.sandbox.clock
    today = clock.local(clock.now)
    if schedule is None or WEEKDAYS[today.weekday()] in schedule.days:
        return None
    day = today.replace(hour=0, minute=0, second=0, microsecond=0)
    while WEEKDAYS[day.weekday()] not in schedule.days:
        day += timedelta(days=1)
    return clock.instant(day)
