"""What happened in a call, as Fuse's log has it; and the blocklist, which blocks nobody here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from outsim.clock import SECOND
from outsim.live.http.answers import answered
from outsim.live.http.call_logs import dial_of_session
from outsim.live.http.context import Context, FuseUser, Here
from outsim.live.http.fuse import only
from outsim.live.http.grades import DOCUMENTED, KEY, graded
from outsim.live.posts import unix
from outsim.live.views import CallView, Dial

DETECTION_US = 4 * SECOND
"""From the answer until it is known who answered: the time that the platform's pages name."""
DETECTED = "session.connection.callee_type"
router = APIRouter(prefix="/api", tags=["Fuse"])


class LogLine(BaseModel):
    """What is said of an event."""

    line: Annotated[str, DOCUMENTED]
    data: Annotated[dict[str, str], DOCUMENTED]
    """Always `module_type` and `result_variable`; what is in them here is the sandbox's own."""


class LogEvent(BaseModel):
    """Something that happened in a call."""

    event: Annotated[LogLine, DOCUMENTED]
    class_: Annotated[str, Field(alias="class", json_schema_extra={KEY: "documented"})]
    """`info`, `event` or `error`; nothing here is of the classes `debug` and `prompt`."""
    timestamp: Annotated[int, DOCUMENTED]


class Blocked(BaseModel):
    """Answer about numbers whose callers are blocked."""

    success: Annotated[bool, DOCUMENTED]
    data: Annotated[list[str] | list[dict[str, int]], DOCUMENTED]


class NotBlocked(BaseModel):
    """Answer to what was not taken."""

    success: Annotated[bool, DOCUMENTED]
    error: Annotated[str, DOCUMENTED]


@router.get(
    "/call/{session_id}",
    summary="Log of a call",
    response_model=list[LogEvent],
    responses=only(400, 401, 404, 405),
    openapi_extra=graded("documented"),
)
async def call_log(
    request: Request,
    context: Here,
    account: FuseUser,
    session_id: Annotated[str, Path(max_length=64, json_schema_extra={KEY: "documented"})],
) -> Response:
    """What happened in an attempt of the last five days, by the session_id of its call log."""
    call, dial = dial_of_session(context.sandbox, account, session_id)
    await context.sandbox.committed()
    return answered(request, list(_events(context, call, dial)))


def _events(context: Context, call: CallView, dial: Dial) -> Iterator[dict[str, Any]]:
    def event(at: int, kind: str, line: str, module: str, **data: str) -> dict[str, Any]:
        said = {"module_type": module, "result_variable": "", **data}
        return {
            "event": {"line": line, "data": said},
            "class": kind,
            "timestamp": unix(context.sandbox, at),
        }

    assert dial.dialed_at is not None
    yield event(dial.dialed_at, "event", f"dialing {call.phone_number}", "outbound")
    if dial.answered_at is not None:
        yield event(dial.answered_at, "event", "connected", "outbound")
        start = context.posts.starts.get(call.call_id)
        if start is not None and start.at == dial.answered_at:
            kind = "error" if start.problem else "info"
            line = start.problem or "start_url answered with 200"
            yield event(start.at, kind, line, "start_url")
    if dial.answered_at is not None and dial.callee_type:
        known = dial.answered_at + DETECTION_US
        at = known if dial.ended_at is None else min(known, dial.ended_at)
        if at <= context.sandbox.clock.now:
            line = f"callee type: {dial.callee_type}"
            data = {"result_variable": DETECTED, "result": dial.callee_type}
            yield event(at, "info", line, "callee type detection", **data)
    if dial.ended_at is not None:
        outcome = dial.outcome.replace("_", " ")
        yield event(dial.ended_at, "event", f"disconnected: {outcome}", "outbound")


@router.get(
    "/numbers",
    summary="Blocklist: numbers whose callers are blocked",
    tags=["Blocklist"],
    response_model=Blocked,
    responses={
        400: {"model": NotBlocked, "description": "`details` is missing or wrong"},
        401: {"model": NotBlocked, "description": "Login or developer key is wrong"},
    },
    openapi_extra=graded("documented"),
)
async def blocked(
    request: Request,
    _account: FuseUser,
    _details: Annotated[bool, Query(alias="details", json_schema_extra={KEY: "documented"})],
) -> Response:
    """None: it is callers that are blocked, and no calls come in here. No dialing heeds it."""
    return answered(request, {"success": True, "data": []})
