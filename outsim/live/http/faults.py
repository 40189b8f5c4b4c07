"""What the sandbox is told of single numbers, and what goes wrong on order."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AfterValidator, Field

from outsim.display import percent
from outsim.errors import SandboxError
from outsim.live.http.context import Context, Here, refusal_of
from outsim.live.http.control import Moment, Order, done, example, localized, moment
from outsim.live.inputs import (
    FAULTS,
    LIMITS,
    MODEL_FAULTS,
    PINNED,
    EndFault,
    Fault,
    FaultKind,
    Pin,
    PinnedOutcome,
)
from outsim.live.orders import SHOWN_NUMBERS
from outsim.live.posts import CALLEE_TYPE_MEANINGS
from outsim.plan.campaigns import FICTION
from outsim.scenario.contacts import REASONS, InvalidNumberError, parse_destination
from outsim.scenario.parts import Name
from outsim.units import shown

RESERVED = "555-0100 to 555-0199 of any area code"


def _dialed(text: str) -> str:
    """The ten digits of a number, in any form that can be queued."""
    try:
        number, _ = parse_destination(text)
    except InvalidNumberError as error:
        raise ValueError(f"found {shown(text)}; {REASONS[str(error)]}") from None
    return str(number)


def _digits(text: str) -> str:
    """The ten digits of a reserved number, in any form that can be queued."""
    number = _dialed(text)
    if not FICTION <= int(number) % 10**7 < FICTION + 100:
        raise ValueError(f"found {shown(text)}; numbers that can be given an outcome: {RESERVED}")
    return number


Digits = Annotated[str, Field(max_length=128), AfterValidator(_digits)]

router = APIRouter(prefix="/sandbox", tags=["Sandbox"])


class PinOrder(Order):
    """Give reserved numbers an outcome."""

    model_config = example(numbers=["2125550100"], outcome="busy")

    numbers: Annotated[list[Digits], Field(min_length=1, max_length=1000)]
    """555-0100 to 555-0199 of any area code, in any form that can be queued."""
    outcome: PinnedOutcome | None
    """None takes the pin away."""
    after_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    """Ringing until it is answered, where it is."""
    talk_s: Annotated[float, Field(ge=0, le=36_000)] | None = None
    """From the answer to the end, where it is answered."""


class FaultOrder(Order):
    """Have something go wrong."""

    model_config = example(of="intake_503", count=2)

    of: FaultKind
    begins: Moment | None = None
    """Local time, or how long from now, such as "09:45" and "2 min"; default: at once."""
    ends: Moment | None = None
    """The same; default: until it is ended by order."""
    count: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Ports, workers or channels that are out; else how often it strikes."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the requests or posts that it strikes; of faults of the interface."""
    drop: bool = False
    """Whether an outage of ports, channels or the carrier cuts calls off."""
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    """HTTP status that intake answers."""
    delay_s: Annotated[float, Field(ge=0, le=10**6)] = 0.0
    """How late a late or reordered callback is, in simulated time."""
    tenant: Name | None = None
    campaign: Name | None = None
    phone_number: Annotated[str, Field(max_length=128), AfterValidator(_dialed)] | None = None
    """In any form that can be queued."""
    endpoint: Annotated[str, Field(max_length=255)] | None = None
    """A result_url, or "intake" for answers to requests that were taken."""


@router.get("/numbers", summary="Outcomes by number")
async def numbers(context: Here) -> dict[str, Any]:
    """What reserved numbers can be given, and those that have been given something."""
    await context.sandbox.committed()
    pins = context.sandbox.pins()
    return {
        "reserved": RESERVED,
        "outcomes": {outcome: asdict(word) for outcome, word in PINNED.items()},
        "callee_types": CALLEE_TYPE_MEANINGS,
        "pinned": {
            number: pin.model_dump(include={"outcome", "after_s", "talk_s"})
            for number, pin in sorted(pins.items())
        },
    }


@router.put("/numbers", summary="Pin outcomes")
async def pin_numbers(context: Here, order: PinOrder) -> dict[str, Any]:
    """Give numbers an outcome, for calls that are queued from now on.

    If a call to one of them is queued already and not over, all are refused with 409, and
    `already_queued` names those.
    """
    pin = Pin(**order.model_dump())
    try:
        taken = await context.sandbox.pin(pin)
    except SandboxError as error:
        pending = context.sandbox.pending(pin.numbers) if error.reason == "conflict" else {}
        refusal = refusal_of(error)
        refusal.more["already_queued"] = list(pending)
        refusal.more["free"] = [number for number in pin.numbers if number not in pending]
        raise refusal from None
    named = ", ".join(pin.numbers[:SHOWN_NUMBERS])
    more = len(pin.numbers) - SHOWN_NUMBERS
    which = f"{named}{f' and {more:,} more' if more > 0 else ''}"
    if pin.outcome is None:
        return done(context, f"{which}: no outcome given any more", taken)
    meaning = PINNED[pin.outcome].meaning
    return done(context, f"{which}: {pin.outcome} from now on ({meaning})", taken)


@router.get("/faults", summary="Faults")
async def faults(context: Here) -> list[dict[str, Any]]:
    """Faults that are on, or to come."""
    await context.sandbox.committed()
    faults = [fault.model_dump(exclude={"kind"}) for fault in context.sandbox.faults()]
    return list(localized(context, faults))


@router.post("/faults", summary="Order a fault")
async def order_fault(context: Here, order: FaultOrder) -> dict[str, Any]:
    """Have something go wrong; the answer's number ends it."""
    given = order.model_dump()
    for key in ("begins", "ends"):
        given[key] = None if given[key] is None else moment(context, given[key])
    fault = Fault(**given)
    try:
        taken = await context.sandbox.order_fault(fault)
    except SandboxError as error:
        refusal = refusal_of(error)
        said = order.model_dump(exclude_unset=True)
        known = ("of", "begins", "ends", *FAULTS[order.of].takes)
        if not {*said} <= {*known}:
            refusal.nearest = json.dumps({key: said[key] for key in said if key in known})
        raise refusal from None
    words = (
        f"{fault.of}: {_what_holds(context, fault)}; DELETE /sandbox/faults/{taken.number} ends it"
    )
    return done(context, words, taken)


@router.delete("/faults/{number}", summary="End a fault")
async def end_fault(context: Here, number: Annotated[int, Path(ge=0, le=2**53)]) -> dict[str, Any]:
    """End it before its time."""
    taken = await context.sandbox.end_fault(EndFault(fault=number))
    return done(context, f"fault {number} is ended", taken)


def _what_holds(context: Context, fault: Fault) -> str:
    """When a fault is on, how often it strikes, and whom."""

    def local(at: int) -> str:
        return f"{context.sandbox.clock.local(at):%Y-%m-%d %H:%M:%S}"

    begins = "from now" if fault.begins is None else f"from {local(fault.begins)}"
    ends = "until it is ended" if fault.ends is None else f"to {local(fault.ends)}"
    count = "all" if fault.count is None else f"{fault.count:,}"
    is_outage = fault.of in MODEL_FAULTS
    words = {
        "count": f"{count} of them" if is_outage else f"{count} times at most",
        "share": f"{percent(fault.share, 1)} of the time",
        "drop": "calls are cut off",
        "status": f"answered with status {fault.status}",
        "delay_s": f"{fault.delay_s:g} s late",
        "tenant": f"of tenant {fault.tenant}",
        "campaign": f"of campaign {fault.campaign}",
        "phone_number": f"of number {fault.phone_number}",
        "endpoint": f"at {fault.endpoint}",
    }
    holds = {*fault.given, *(("count",) if is_outage else ())} & {*FAULTS[fault.of].takes}
    said = [text for name, text in words.items() if name in holds]
    if not holds.intersection(LIMITS):
        said.append("for everybody")
    return ", ".join([f"{begins} {ends}", *said])
