"""The sandbox's own part: its clock, what it holds, what goes wrong on order, and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from outsim.clock import SECOND, parse_duration_us
from outsim.live.clock import Until
from outsim.live.http.answers import RefusedError
from outsim.live.http.context import Context, Here
from outsim.live.http.times import in_words
from outsim.live.views import CampaignView, Done, Event, EventKind
from outsim.scenario.parts import Name
from outsim.vocabulary import FIRST_CALL_ID

LONGEST_WAIT_S = 600.0
MOST_SHOWN = 1_000
"""Campaigns, or calls of one, that are listed at most."""
Waiting = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)]


def _words_of_time(given: object) -> object:
    """A time as text; a number has no unit, and is none."""
    if isinstance(given, int | float):
        raise ValueError(
            f'found {given}; write a time or a duration in quotes, such as "09:45" or "2 min"'
        )
    return given


Moment = Annotated[str, Field(max_length=64), BeforeValidator(_words_of_time)]

router = APIRouter(prefix="/sandbox", tags=["Sandbox"])


class Order(BaseModel):
    """What is said to the sandbox; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def example(**given: Any) -> ConfigDict:
    """What an order may look like, in its description and where one is refused."""
    return ConfigDict(json_schema_extra={"examples": [given]})


class ClockOrder(Order):
    """Let the clock run, or hold it."""

    model_config = example(state="free", speed=60)

    state: Literal["free", "held"]
    speed: Annotated[float, Field(ge=0.1, le=1000)] = 1.0
    """Times wall-clock time; of a free clock."""


class Advance(Order):
    """Advance the clock: to a time, by a duration, or until something has happened."""

    model_config = example(by="10 min")

    to: Moment | None = None
    """Local time, such as "09:45", or an ISO 8601 time."""
    by: Moment | None = None
    """A duration, such as "10 min"."""
    until: Until | None = None
    tenant: Name | None = None
    campaign: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Advance:
        if sum(each is not None for each in (self.to, self.by, self.until)) != 1:
            raise ValueError("give one of to, by and until")
        return self


class Wait(Order):
    """Wait for the next event of a kind; the clock is left as it is."""

    model_config = example(kind="campaign_over", tenant="NAME", timeout_s=30)

    kind: EventKind
    tenant: Name | None = None
    campaign: Name | None = None
    call_id: Annotated[int, Field(ge=FIRST_CALL_ID, le=2**53)] | None = None
    status: Annotated[str, Field(max_length=80)] | None = None
    after: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """Number of the last event that is known; default: from now on."""
    timeout_s: Waiting = 30.0
    """By the wall clock."""


class Reset(Order):
    """Begin anew."""

    model_config = example(seed=1)

    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """Default: the one that it has."""
    vary: Annotated[list[str], Field(max_length=20)] | None = None
    """What is varied by the seed: "lag", "loss", "order", "outages". Default: as it was."""


def localized(context: Context, value: Any) -> Any:
    """What is shown of the sandbox, each instant with the same as local time beside it."""
    if isinstance(value, list | tuple):
        return [localized(context, item) for item in value]
    if not isinstance(value, dict):
        return value
    shown: dict[str, Any] = {}
    for key, item in value.items():
        shown[key] = localized(context, item)
        if isinstance(item, int) and (key in _INSTANTS or key.endswith("_at")):
            named = "local" if key in ("at", "now") else f"{key.removesuffix('_at')}_local"
            shown[named] = context.sandbox.clock.local(item).isoformat()
    return shown


_INSTANTS = ("at", "now", "start", "begins", "ends", "expires", "stop_requested")


def done(context: Context, words: str, order: Done) -> dict[str, Any]:
    """What was done, when, and the number that it has in the input log."""
    at_s = order.at / SECOND
    return {"done": words, **localized(context, asdict(order)), "at_s": at_s}


def moment(context: Context, text: str) -> int:
    """Instant of a local or ISO 8601 time."""
    clock = context.sandbox.clock
    try:
        at = context.sandbox.scenario.clock.at(text)
    except ValueError:
        found = in_words(text, clock.local(clock.now))
        if found is None:
            raise RefusedError(
                400, f'found {text!r}; write a time such as "09:45" or "2026-03-10T09:45:00"'
            ) from None
        at = found
    return clock.instant(at)


@router.get("/clock", summary="The clock")
async def clock(context: Here) -> dict[str, Any]:
    """How the clock stands, and whose time a real handler's latency counts as.

    `state` is `free`, `held`, `advancing`, or `ready`: held, after an advance is done. `behind_s`
    is the wall time that a free clock has lost because it could not keep up, or waited for a
    handler; `reasons` is what it waits for now.
    """
    await context.sandbox.committed()
    return asdict(context.sandbox.clock.view)


@router.post("/clock", summary="Let the clock run, or hold it")
async def set_clock(context: Here, order: ClockOrder) -> dict[str, Any]:
    """Set it free at a speed, or hold it."""
    if order.state == "free":
        await context.sandbox.clock.free(order.speed)
    else:
        await context.sandbox.clock.hold()
    return asdict(context.sandbox.clock.view)


@router.post("/clock/advance", summary="Advance the clock")
async def advance(context: Here, order: Advance) -> dict[str, Any]:
    """Advance, with all posts and requests of that time answered, and hold.

    The clock's `state` is `ready` then, which is `held` after an advance; a clock that ran before
    is held as well, until it is let run again.
    """
    sandbox = context.sandbox
    if order.to is not None:
        await sandbox.clock.advance_to(moment(context, order.to))
    elif order.by is not None:
        try:
            duration_us = parse_duration_us(order.by)
        except ValueError as error:
            raise RefusedError(400, f"by: {error}") from None
        await sandbox.clock.advance_by(duration_us)
    elif order.until is not None:
        await sandbox.clock.advance_until(
            order.until, tenant=order.tenant, campaign=order.campaign
        )
    return asdict(sandbox.clock.view)


@router.post("/wait", summary="Wait for an event")
async def wait(context: Here, order: Wait) -> dict[str, Any]:
    """The next event of a kind, or null if none comes in time."""
    call_id = None if order.call_id is None else order.call_id - FIRST_CALL_ID
    if order.tenant is not None:
        context.sandbox.check_tenant(order.tenant)
    try:
        async with asyncio.timeout(order.timeout_s):
            event = await context.sandbox.wait_for(
                order.kind,
                tenant=order.tenant,
                campaign=order.campaign,
                call_id=call_id,
                status=order.status,
                after=order.after,
            )
    except TimeoutError:
        return {"event": None}
    return {"event": localized(context, asdict(_public(event)))}


@router.get("/events", response_class=EventSourceResponse, summary="Events as they happen")
async def events(
    request: Request,
    context: Here,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events, from now on or after the number of one."""
    last = request.headers.get("last-event-id", "")
    if after is None and last.isascii() and last.isdigit():
        after = int(last[:16])
    async for event in context.posts.happenings(after):
        data = localized(context, asdict(_public(event)))
        yield ServerSentEvent(data=data, event=event.kind, id=str(event.number))


@router.get("/campaigns", summary="Campaigns")
async def campaigns(
    context: Here,
    tenant: Name | None = None,
    begin: Annotated[int, Query(ge=0, le=2**53)] = 0,
    size: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = MOST_SHOWN,
) -> list[dict[str, Any]]:
    """Campaigns with their calls by status: as it is, and as their customers see it.

    A thousand at most, from the one at `begin` on, in the order in which they came.
    """
    if tenant is not None:
        context.sandbox.check_tenant(tenant)
    await context.sandbox.committed()
    shown = context.sandbox.campaigns(tenant, begin=begin, size=size)
    return [_campaign(context, view) for view in shown]


@router.get("/campaigns/{tenant}/{name}", summary="One campaign")
async def campaign(
    context: Here,
    tenant: Name,
    name: Name,
    begin: Annotated[int, Query(ge=0, le=2**53)] = 0,
    size: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = MOST_SHOWN,
) -> dict[str, Any]:
    """A campaign, with the calls that went out after it was stopped.

    `dialed_after_stop` counts these; `calls_after_stop` has `size` of them, from the one at
    `begin` on, and `calls_after_stop_next` is where the next are, or null.
    """
    sandbox = context.sandbox
    sandbox.check_tenant(tenant)
    view = sandbox.campaign(tenant, name)
    after = sandbox.dialed_after_stop(tenant, name, begin=begin, size=size)
    await sandbox.committed()
    shown = [
        {"call_id": FIRST_CALL_ID + call_id, "phone_number": sandbox.call(call_id).phone_number}
        for call_id in after
    ]
    ends, path = begin + len(shown), f"/sandbox/campaigns/{quote(tenant)}/{quote(name)}"
    more = f"{path}?begin={ends}&size={size}" if ends < view.dialed_after_stop else None
    return _campaign(context, view) | {"calls_after_stop": shown, "calls_after_stop_next": more}


def stopped_at(context: Context, view: CampaignView) -> int | None:
    """When the stop of a campaign was asked for; None where it was not, or only will be."""
    requested = view.stop_requested
    return None if requested is None or requested > context.sandbox.clock.now else requested


@router.post("/campaigns/{tenant}/{name}/stop", summary="Stop a campaign")
async def stop(context: Here, tenant: Name, name: Name) -> dict[str, Any]:
    """Stop a campaign, as a button on the platform's page does."""
    context.sandbox.check_tenant(tenant)
    stopped = stopped_at(context, context.sandbox.campaign(tenant, name))
    if stopped is not None:
        since = context.sandbox.clock.local(stopped)
        words = f"campaign {name} of {tenant} was stopped before, at {since:%H:%M:%S}"
    else:
        words = f"campaign {name} of {tenant} is stopped; what is in the queue already goes out"
    return done(context, words, await context.sandbox.stop(tenant, name))


@router.post("/campaigns/{tenant}/{name}/pause", summary="Pause a campaign")
async def pause(context: Here, tenant: Name, name: Name) -> dict[str, Any]:
    """Hold back the calls of one campaign: they keep their places, and loading goes on."""
    words = f"campaign {name} of {tenant} is paused; calls under way go on"
    return done(context, words, await context.sandbox.pause(tenant, name))


@router.post("/campaigns/{tenant}/{name}/resume", summary="Let it go on")
async def unpause(context: Here, tenant: Name, name: Name) -> dict[str, Any]:
    """End a pause of a campaign."""
    words = f"campaign {name} of {tenant} goes on"
    return done(context, words, await context.sandbox.unpause(tenant, name))


@router.post("/suspend", summary="Hold back calls")
async def suspend(context: Here, tenant: Name | None = None) -> dict[str, Any]:
    """Hold back the calls of a tenant, or of all."""
    words = f"calls of {tenant or 'everybody'} are held back"
    return done(context, words, await context.sandbox.suspend(tenant))


@router.post("/resume", summary="Let them go on")
async def resume(context: Here, tenant: Name | None = None) -> dict[str, Any]:
    """End a suspension."""
    words = f"calls of {tenant or 'everybody'} go on"
    return done(context, words, await context.sandbox.resume(tenant))


@router.get("/calls/{call_id}", summary="A call as it is, and as it is seen")
async def call(
    context: Here, call_id: Annotated[int, Path(ge=FIRST_CALL_ID, le=2**53)]
) -> dict[str, Any]:
    """Everything about a call, with the last fetch of its start_url."""
    view = context.call(call_id)
    await context.sandbox.committed()
    start = context.posts.starts.get(view.call_id)
    fetched = None if start is None else {"at": start.at, **asdict(start.exchange)}
    shown = asdict(view) | {"call_id": call_id, "start_url": fetched}
    return dict(localized(context, shown))


@router.post("/reset", summary="Begin anew")
async def reset(context: Here, order: Reset | None = None) -> dict[str, Any]:
    """Forget everything, and begin at the scenario's beginning."""
    order = order or Reset()
    day = context.day or context.draw_day(None, ())
    if order.seed not in (None, day.seed) or order.vary is not None:
        kinds = day.names if order.vary is None else order.vary
        day = context.draw_day(order.seed, kinds)
    await context.begin(day)
    return asdict(context.sandbox.clock.view) | {"varied": day.words}


def _public(event: Event) -> Event:
    """An event with the call_id that customers know."""
    return replace(event, call_id=FIRST_CALL_ID + event.call_id) if event.call_id >= 0 else event


def _campaign(context: Context, view: CampaignView) -> dict[str, Any]:
    shown = localized(context, asdict(view))
    return dict(shown) | {"first_call_id": FIRST_CALL_ID + view.first_call_id}
