"""Call logs: attempts by number and time, without a call_id, in pages."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from outsim.clock import DAY
from outsim.errors import SandboxError
from outsim.live.http.answers import RefusedError, answered
from outsim.live.http.context import DevUser, Here
from outsim.live.http.grades import DOCUMENTED, INFERRED, graded
from outsim.live.http.times import LATEST_UNIX
from outsim.live.posts import unix
from outsim.live.sandbox import Sandbox
from outsim.live.views import CallView, Dial
from outsim.scenario.accounts import Account
from outsim.units import shown

KEPT_US = {"logs": 5 * DAY, "sessions": 365 * DAY}
"""For how long the platform keeps what it has of an attempt."""
MOST_ATTEMPTS = 16
"""A log_id counts calls by this many, and the attempts of each within."""
AT_ONCE = 200
"""Calls that are looked at before others get their turn."""
FIRST_SESSION = 400_000
"""The first part of a session_id counts calls from here; then attempt, and UNIX time."""
_SESSION = re.compile(r"([0-9]{6,12});([0-9]{3});([0-9]{1,12})", re.ASCII)
_GRADE = {"x-grade": "documented"}
_INFERRED = {"x-grade": "inferred"}


class Log(BaseModel):
    """An attempt; all texts, as in the sample."""

    log_id: Annotated[str, DOCUMENTED]
    session_id: Annotated[str, DOCUMENTED]
    dest: Annotated[str, DOCUMENTED]
    type: Annotated[str, DOCUMENTED]
    src: Annotated[str, DOCUMENTED]
    start: Annotated[str, DOCUMENTED]
    end: Annotated[str, DOCUMENTED]


class Logs(BaseModel):
    """A page of logs."""

    total_logs: Annotated[int, DOCUMENTED]
    logs: Annotated[list[Log], DOCUMENTED]


class LogsAnswer(BaseModel):
    """Envelope of a page."""

    status: Annotated[str, DOCUMENTED]
    error: Annotated[str | None, DOCUMENTED]
    result: Annotated[Logs | None, DOCUMENTED]


class LogAnswer(BaseModel):
    """Envelope of one log."""

    status: Annotated[str, DOCUMENTED]
    error: Annotated[str | None, DOCUMENTED]
    result: Annotated[Log | None, DOCUMENTED]


_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": LogAnswer, "description": meaning}
    for status, meaning in {
        400: "The range or the page makes no sense",
        401: "Login or PIN is wrong",
        404: "There is no such log",
    }.items()
}


class LoggedError(BaseModel):
    """Something that went wrong in a call. No page says what is in it."""

    session_id: Annotated[str, INFERRED]
    dest: Annotated[str, INFERRED]
    src: Annotated[str, INFERRED]
    timestamp: Annotated[str, INFERRED]
    error: Annotated[str, INFERRED]


class Errors(BaseModel):
    """A page of errors."""

    total_errors: Annotated[int, INFERRED]
    errors: Annotated[list[LoggedError], INFERRED]


class ErrorsAnswer(BaseModel):
    """Envelope of a page of errors."""

    status: Annotated[str, DOCUMENTED]
    error: Annotated[str | None, DOCUMENTED]
    result: Annotated[Errors | None, DOCUMENTED]


router = APIRouter(prefix="/ws/calls", tags=["Call logs"], responses=_FAILURES)
Unix = Annotated[int, Path(ge=0, le=LATEST_UNIX, json_schema_extra=_GRADE)]
Offset = Annotated[int, Query(ge=0, le=10**9, json_schema_extra=_GRADE)]
Limit = Annotated[int, Query(ge=1, le=10_000, json_schema_extra=_GRADE)]


def _log_of(sandbox: Sandbox, call: CallView, dial: Dial) -> dict[str, str]:
    start = unix(sandbox, dial.dialed_at or dial.dispatched_at)
    end = "" if dial.ended_at is None else str(unix(sandbox, dial.ended_at))
    return {
        "log_id": str(call.call_id * MOST_ATTEMPTS + dial.attempt),
        "session_id": f"{FIRST_SESSION + call.call_id};{dial.attempt:03};{start}",
        "dest": call.phone_number,
        "type": "outbound",
        "src": call.ani,
        "start": str(start),
        "end": end,
    }


def _dialed_at(sandbox: Sandbox, dial: Dial) -> int | None:
    """When an attempt was dialed; None if it has no log, or one that is kept no more."""
    at = dial.dialed_at
    return at if at is not None and at > sandbox.clock.now - KEPT_US["logs"] else None


def _found(
    sandbox: Sandbox, account: Account, kind: str, begins: int, ends: int, number: str | None
) -> list[tuple[int, int, int]]:
    """When each attempt of a range was dialed, its call_id and its number, in order."""
    begins = max(begins, sandbox.clock.now - KEPT_US[kind] + 1)
    found = [
        dialed
        for dialed in sandbox.attempted(account.tenant, "dialed")
        if begins <= dialed[0] < ends
    ]
    if number is not None:
        wanted = _national(number)
        named = {
            call_id: sandbox.call(call_id).phone_number for call_id in {each[1] for each in found}
        }
        found = [dialed for dialed in found if _national(named[dialed[1]]) == wanted]
    return sorted(found)


async def _page(
    request: Request,
    context: Here,
    account: DevUser,
    start_timestamp: Unix,
    end_timestamp: Unix,
    number: Annotated[str | None, Query(max_length=128, json_schema_extra=_GRADE)] = None,
    offset: Offset = 0,
    limit: Limit = 1000,
) -> Response:
    """Attempts that began in the range, its start included and its end not."""
    if end_timestamp <= start_timestamp:
        raise RefusedError(400, "end_timestamp must be after start_timestamp")
    sandbox = context.sandbox
    epoch = round(sandbox.clock.local(0).timestamp() * 1_000_000)
    begins, ends = (stamp * 1_000_000 - epoch for stamp in (start_timestamp, end_timestamp))
    kind = request.scope["route"].name
    found = _found(sandbox, account, kind, begins, ends, number)
    logs = []
    for k, (_, call_id, attempt) in enumerate(found[offset : offset + limit]):
        if k % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        call = sandbox.call(call_id)
        dial = next(dial for dial in call.attempts if dial.attempt == attempt)
        logs.append(_log_of(sandbox, call, dial))
    await sandbox.committed()
    return answered(request, _success({"total_logs": len(found), "logs": logs}))


for _name, _summary, _grade in (
    ("logs", "Calls that have logs", "documented"),
    ("sessions", "Sessions of calls", "inferred"),
):
    router.add_api_route(
        f"/{_name}/{{start_timestamp}}/{{end_timestamp}}",
        _page,
        name=_name,
        summary=_summary,
        response_model=LogsAnswer,
        openapi_extra=graded(_grade),
    )


@router.get(
    "/errors",
    summary="Errors of calls",
    response_model=ErrorsAnswer,
    openapi_extra=graded("documented"),
)
async def errors(
    request: Request,
    context: Here,
    account: DevUser,
    number: Annotated[str | None, Query(max_length=128, json_schema_extra=_INFERRED)] = None,
    offset: Annotated[int, Query(ge=0, le=10**9, json_schema_extra=_INFERRED)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000, json_schema_extra=_INFERRED)] = 1000,
) -> Response:
    """Calls that were answered and got no page from their start_url, since the process began."""
    sandbox = context.sandbox
    found = []
    failed = [(call_id, start) for call_id, start in context.posts.starts.items() if start.problem]
    for k, (call_id, start) in enumerate(failed):
        if k % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        call = sandbox.call(call_id)
        dial = next((dial for dial in call.attempts if dial.answered_at == start.at), None)
        if dial is None or call.tenant != account.tenant or _dialed_at(sandbox, dial) is None:
            continue
        if number is None or _national(call.phone_number) == _national(number):
            log = _log_of(sandbox, call, dial)
            said = {key: log[key] for key in ("session_id", "dest", "src")}
            at = str(unix(sandbox, start.at))
            found.append((start.at, {**said, "timestamp": at, "error": start.problem}))
    await sandbox.committed()
    logged = [error for _, error in sorted(found, key=lambda entry: entry[0])]
    page = {"total_errors": len(logged), "errors": logged[offset : offset + limit]}
    return answered(request, _success(page))


@router.get(
    "/log/{log_id}",
    summary="One log",
    response_model=LogAnswer,
    openapi_extra=graded("documented"),
)
async def log(
    request: Request,
    context: Here,
    account: DevUser,
    log_id: Annotated[int, Path(ge=0, le=10**12, json_schema_extra=_GRADE)],
) -> Response:
    """One attempt."""
    found = _dial(context.sandbox, account, *divmod(log_id, MOST_ATTEMPTS))
    if found is None:
        raise RefusedError(404, f"log_id: there is no log {log_id}")
    await context.sandbox.committed()
    return answered(request, _success(_log_of(context.sandbox, *found)))


def _dial(
    sandbox: Sandbox, account: Account, call_id: int, attempt: int
) -> tuple[CallView, Dial] | None:
    """An attempt of an account's call that has a log, if there is one."""
    try:
        call = sandbox.call(call_id)
    except SandboxError:
        return None
    kept = (d for d in call.attempts if d.attempt == attempt)
    dial = next((d for d in kept if _dialed_at(sandbox, d) is not None), None)
    return None if dial is None or call.tenant != account.tenant else (call, dial)


def dial_of_session(sandbox: Sandbox, account: Account, session_id: str) -> tuple[CallView, Dial]:
    """The attempt that a session_id stands for.

    Raises
    ------
    RefusedError
        If there is none, or none of the account.
    """
    said = _SESSION.fullmatch(session_id)
    if said is not None:
        found = _dial(sandbox, account, int(said[1]) - FIRST_SESSION, int(said[2]))
        if found is not None and _log_of(sandbox, *found)["session_id"] == session_id:
            return found
    near = f"a session_id of /ws/calls/logs, such as {FIRST_SESSION};001;1773151200"
    raise RefusedError(404, f"session_id: there is no session {shown(session_id)}", near)


def _success(result: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "error": None, "result": result}


def _national(number: str) -> str:
    """The last ten digits of a number, by which two spellings of it are the same."""
    return "".join(c for c in number if c.isdigit() and c.isascii())[-10:]
