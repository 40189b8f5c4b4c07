"""What the sandbox is told of single numbers, and what goes wrong on order."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from outsim.live.http.context import Here
from outsim.live.http.control import Moment, Order, moment
from outsim.live.inputs import EndFault, Fault, FaultKind, Pin, PinnedOutcome
from outsim.scenario.parts import Name

Digits = Annotated[str, Field(pattern=r"^[2-9][0-9]{2}55501[0-9]{2}$")]

router = APIRouter(prefix="/sandbox", tags=["Sandbox"])


class PinOrder(Order):
    """Give reserved numbers an outcome."""

    numbers: Annotated[list[Digits], Field(min_length=1, max_length=1000)]
    """Ten digits each: an area code, and 5550100 to 5550199."""
    outcome: PinnedOutcome | None
    """None takes the pin away."""
    after_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    """Ringing until it is answered, where it is."""
    talk_s: Annotated[float, Field(ge=0, le=36_000)] | None = None
    """From the answer to the end, where it is answered."""


class FaultOrder(Order):
    """Have something go wrong."""

    of: FaultKind
    begins: Moment | None = None
    """Local time; default: at once."""
    ends: Moment | None = None
    """Local time; default: until it is ended by order."""
    count: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Ports, workers or channels that are out; of other faults, how often it strikes."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    drop: bool = False
    """Whether an outage of ports or channels cuts calls off."""
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    """HTTP status that is answered, where one is."""
    delay_s: Annotated[float, Field(ge=0, le=10**6)] = 0.0
    """How late a late or reordered callback is, in simulated time."""
    tenant: Name | None = None
    campaign: Name | None = None
    phone_number: Annotated[str, Field(max_length=128)] | None = None
    endpoint: Annotated[str, Field(max_length=255)] | None = None
    """A result_url, or "intake" for answers to requests that were taken."""


@router.get("/numbers", summary="Pinned outcomes")
async def numbers(context: Here) -> dict[str, Any]:
    """Reserved numbers that have an outcome."""
    await context.sandbox.committed()
    pins = context.sandbox.pins()
    return {
        number: pin.model_dump(include={"outcome", "after_s", "talk_s"})
        for number, pin in sorted(pins.items())
    }


@router.put("/numbers", summary="Pin outcomes")
async def pin_numbers(context: Here, order: PinOrder) -> dict[str, Any]:
    """Give numbers an outcome, for calls submitted from now on."""
    return asdict(await context.sandbox.pin(Pin(**order.model_dump())))


@router.get("/faults", summary="Faults")
async def faults(context: Here) -> list[dict[str, Any]]:
    """Faults that are on, or to come."""
    await context.sandbox.committed()
    return [fault.model_dump(exclude={"kind"}) for fault in context.sandbox.faults()]


@router.post("/faults", summary="Order a fault")
async def order_fault(context: Here, order: FaultOrder) -> dict[str, Any]:
    """Have something go wrong; the answer's number ends it."""
    given = order.model_dump()
    for key in ("begins", "ends"):
        given[key] = None if given[key] is None else moment(context, given[key])
    return asdict(await context.sandbox.order_fault(Fault(**given)))


@router.delete("/faults/{number}", summary="End a fault")
async def end_fault(context: Here, number: Annotated[int, Path(ge=0, le=2**53)]) -> dict[str, Any]:
    """End it before its time."""
    return asdict(await context.sandbox.end_fault(EndFault(fault=number)))
