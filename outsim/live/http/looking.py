"""What was sent and what came: deliveries, requests, and the built-in receiver."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import PlainTextResponse, Response

from outsim.errors import SandboxError
from outsim.live.http.answers import RefusedError
from outsim.live.http.context import Here
from outsim.live.http.control import LONGEST_WAIT_S, localized
from outsim.scenario.parts import Name
from outsim.vocabulary import FIRST_CALL_ID

router = APIRouter(tags=["Sandbox"])
InboxName = Annotated[str, Path(max_length=80)]
MOST_DELIVERIES = 1_000
"""Deliveries that are shown at once: more would hold up everybody else."""
PublicId = Annotated[int, Path(ge=FIRST_CALL_ID, le=2**53)]


@router.get("/sandbox/deliveries", summary="Posts of final results")
async def deliveries(
    context: Here,
    tenant: Name | None = None,
    call_id: Annotated[int | None, Query(ge=FIRST_CALL_ID, le=2**53)] = None,
    last: Annotated[int, Query(ge=1, le=MOST_DELIVERIES)] = MOST_DELIVERIES,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> list[dict[str, Any]]:
    """Posts with what went over the wire each time, the latest last.

    A thousand at most: `before` takes the number of the first of them, and gives those before it.
    """
    number = None if call_id is None else call_id - FIRST_CALL_ID
    if tenant is not None:
        context.sandbox.check_tenant(tenant)
    await context.sandbox.committed()
    return [
        localized(context, asdict(view))
        | {
            "call_id": FIRST_CALL_ID + view.call_id,
            "sent": [
                asdict(exchange)
                for exchange in context.posts.exchanges.get((view.call_id, view.post), ())
            ],
        }
        for view in context.sandbox.deliveries(tenant, number, last=last, before=before)
    ]


@router.post("/sandbox/deliveries/{call_id}/resend", summary="Post a result once more")
async def resend(context: Here, call_id: PublicId) -> dict[str, Any]:
    """Post a call's final result again; the platform's own record of it stays as it is."""
    context.call(call_id)
    try:
        reply = await context.sandbox.resend(call_id - FIRST_CALL_ID)
    except SandboxError as error:
        _, _, reason = str(error).partition(": ")
        raise RefusedError(409, f"call {call_id}: {reason}") from None
    return {"done": f"the result of call {call_id} was posted once more", **asdict(reply)}


@router.get("/sandbox/requests", summary="Requests as they were seen")
async def requests(
    context: Here,
    only_refused: bool = False,
    only_ignored: bool = False,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> list[dict[str, Any]]:
    """The last thousand: what was said, what was answered, why not, and what would have been.

    `only_refused` leaves those that were refused, `only_ignored` those with fields that mean
    nothing here; with both, those that are either.
    """
    await context.requests.durable()
    return [
        asdict(request)
        for request in context.requests.last
        if request.number > after
        and (
            not (only_refused or only_ignored)
            or (only_refused and request.is_refused)
            or (only_ignored and request.ignored)
        )
    ]


@router.get("/sandbox/inbox", summary="Inboxes")
async def inboxes(context: Here) -> dict[str, int]:
    """Inboxes that something was sent to, with the number of messages."""
    await context.inbox.durable()
    return context.inbox.names()


@router.get("/sandbox/inbox/{name}", summary="Messages of an inbox")
async def messages(
    context: Here,
    name: InboxName,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    at_least: Annotated[int, Query(ge=0, le=10_000)] = 0,
    timeout_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 30.0,
) -> list[dict[str, Any]]:
    """Messages after a number; waits until there are at least so many, or the time is over."""
    if at_least:
        try:
            async with asyncio.timeout(timeout_s):
                await context.inbox.wait(name, at_least, after)
        except TimeoutError:
            pass
    await context.inbox.durable()
    return [asdict(message) for message in context.inbox.messages(name, after)]


@router.delete("/sandbox/inbox/{name}", status_code=204, summary="Empty an inbox")
async def empty(context: Here, name: InboxName) -> Response:
    """Forget the messages of an inbox."""
    context.inbox.clear(name)
    await context.inbox.durable()
    return Response(status_code=204)


async def _receive(request: Request, context: Here, name: InboxName) -> Response:
    """Take whatever is posted; a GET is the pre-flight, and is answered with 200."""
    body = await request.body()
    reply = await context.inbox.receive(name, request.method, request.headers, body)
    return PlainTextResponse(reply.text, reply.status)


for _method in ("GET", "POST"):
    router.add_api_route(
        "/inbox/{name}",
        _receive,
        methods=[_method],
        name=f"inbox_{_method.lower()}",
        summary="The built-in receiver",
        response_class=PlainTextResponse,
        responses={404: {"description": "No name for an inbox"}, 507: {"description": "Full"}},
    )
