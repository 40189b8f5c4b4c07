"""Fuse: a queue of calls for each deployment, by JSON or form, with answers in JSON or XML."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from fastapi import Form as FormBody
from pydantic import BaseModel
from starlette.responses import Response

from outsim.live.http.answers import RefusedError, answered
from outsim.live.http.context import Context, FuseUser, Here, LostAnswer, ignored_of, noted
from outsim.live.http.fields import Form, contacts_of, one_contact, table
from outsim.live.http.fuse_fields import (
    BulkQueued,
    FuseCall,
    FuseCalls,
    FuseOptions,
    Queued,
    Refused,
    Status,
)
from outsim.live.http.grades import graded
from outsim.live.http.seen import note_fields
from outsim.live.http.wording import validated
from outsim.live.inputs import Submit
from outsim.live.posts import FUSE, INTERFACE, call_details
from outsim.scenario.accounts import Account
from outsim.scenario.contacts import FIRST_HEADER
from outsim.vocabulary import FIRST_CALL_ID

MOST_DEPLOYMENTS = 9
"""Deployments of each account's application."""

_Body = TypeVar("_Body", bound=Form)
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refused, "description": meaning}
    for status, meaning in {
        400: "A field is missing or wrong",
        401: "Login or developer key is wrong, or the account is not active",
        403: "It is another account's",
        404: "There is none",
        405: "Another method is needed",
        409: "The user, the deployment or the application was deleted: on order, `intake_409`",
        429: "Intake is full",
        500: "Database error: on order, `intake_500`",
        503: "Intake is full",
    }.items()
}


def only(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Refusals of an endpoint, for its description."""
    return {status: REFUSALS[status] for status in statuses}


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    kinds = ("application/json", "application/x-www-form-urlencoded")
    body = {"content": {kind: {"schema": schema} for kind in kinds}, "required": True}
    return graded("documented", requestBody=body)


async def json_or_form(request: Request, model: type[_Body]) -> _Body:
    """Body of a request, by JSON or by form.

    Raises
    ------
    RequestValidationError
        If a field is missing or wrong.
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = json.loads(await request.body())
        except json.JSONDecodeError as error:
            reason = f"{error.msg.lower()} at character {error.pos}"
            raise RefusedError(400, f"the body is no JSON: {reason}") from None
        except (ValueError, RecursionError):
            raise RefusedError(400, "the body is no JSON in UTF-8, or nested too deeply") from None
        if not isinstance(given, dict):
            raise RefusedError(400, "the body must be a JSON object")
    else:
        given = dict(await request.form())
    found: _Body = validated(request, model, given)
    return found


router = APIRouter(prefix="/api", tags=["Fuse"])
Number = Annotated[int, Path(ge=0, le=999_999_999, json_schema_extra={"x-grade": "documented"})]


def _group_of(context: Context, account: Account, application_id: int, deployment_id: int) -> str:
    """The deployment's queue: the applications are the accounts, in their order."""
    accounts, own = context.logins.accounts, context.logins.number_of(account)
    there = 1 <= application_id <= len(accounts) and 1 <= deployment_id <= MOST_DEPLOYMENTS
    if not there:
        what = f"there is no deployment {deployment_id} of application {application_id}"
        raise RefusedError(404, what, f"/api/apps/{own}/1/queue")
    if application_id != own:
        what = f"application {application_id} is another account's"
        raise RefusedError(403, what, f"/api/apps/{own}/{deployment_id}/queue")
    return f"{application_id}-{deployment_id}"


def _ignored(request: Request) -> dict[str, Any]:
    """What an answer adds where fields of the request mean nothing here."""
    ignored = ignored_of(request)
    return {"ignored": ignored} if ignored else {}


def _submission(
    context: Context, account: Account, options: FuseOptions, group: str, contacts: str
) -> Submit:
    terms = options.terms(context.sandbox.clock)
    extra = {INTERFACE: FUSE}
    if options.is_pci is not None:
        extra["is_pci"] = str(options.is_pci)
    return Submit(
        tenant=account.tenant,
        group=group,
        contacts=contacts,
        start=terms.start,
        expires=terms.expires,
        max_retry=terms.max_retry,
        retry_interval_s=terms.retry_interval_s,
        result_url=options.result_url,
        extra=extra,
    )


@router.post(
    "/apps/{application_id}/{deployment_id}/queue",
    summary="Queue one call",
    response_model=Queued,
    responses=only(400, 401, 403, 404, 405, 409, 429, 500, 503),
    openapi_extra=_takes(FuseCall),
)
async def queue(
    request: Request,
    context: Here,
    account: FuseUser,
    application_id: Number,
    deployment_id: Number,
) -> Response:
    """Queue one call of a deployment."""
    group = _group_of(context, account, application_id, deployment_id)
    call = await json_or_form(request, FuseCall)
    columns = call.columns()
    contacts = one_contact(call.phone_number)
    if columns:
        contacts = table([FIRST_HEADER, *columns], [[call.phone_number, *columns.values()]])
    wanted = _submission(context, account, call, group, contacts)
    taken = await context.take(wanted)
    if context.loses_answer(wanted):
        return LostAnswer()
    call_id = FIRST_CALL_ID + taken.call_ids[0]
    link = f'</api/outbound/{call_id}>; rel="status"'
    content = {"status": "queued", "call_id": str(call_id)}
    return answered(request, content | _ignored(request), Link=link)


@router.post(
    "/apps/{application_id}/{deployment_id}/bulk_queue",
    summary="Queue many calls",
    response_model=BulkQueued,
    responses=only(400, 401, 403, 404, 405, 409, 429, 500, 503),
    openapi_extra=graded("documented"),
)
async def bulk_queue(
    request: Request,
    context: Here,
    account: FuseUser,
    application_id: Number,
    deployment_id: Number,
    calls: Annotated[FuseCalls, FormBody(media_type="multipart/form-data")],
) -> Response:
    """Queue the calls of a contact list."""
    note = noted(request)
    if note is not None:
        note_fields(note, calls.model_dump(exclude_none=True), FuseCalls.model_fields)
    group = _group_of(context, account, application_id, deployment_id)
    wanted = _submission(context, account, calls, group, await contacts_of("csv", calls.csv))
    taken = await context.take(wanted, "csv")
    if context.loses_answer(wanted):
        return LostAnswer()
    rejected = {row.row: row for row in taken.rejected}
    content = {
        "status": "queued",
        "call_ids": [
            str(FIRST_CALL_ID + call_id)
            for row, call_id in enumerate(taken.call_ids)
            if row not in rejected
        ],
        "rejected": [
            {"row": row.row + 1, "phone_number": row.text, "reason": row.reason}
            for row in taken.rejected
        ],
    }
    return answered(request, content | _ignored(request))


@router.get(
    "/outbound/{call_id}",
    summary="Status of a call",
    response_model=Status,
    responses=only(400, 401, 403, 404, 405),
    openapi_extra=graded("documented"),
)
async def outbound(
    request: Request, context: Here, account: FuseUser, call_id: Number
) -> Response:
    """What its customer can see of a call by now."""
    call = context.call_of(account, call_id)
    await context.sandbox.committed()
    return answered(request, {"call_details": call_details(context.sandbox, call)})


@router.delete(
    "/apps/{application_id}/{deployment_id}/cancel",
    summary="Cancel all pending calls",
    status_code=202,
    response_class=Response,
    responses=only(401, 403, 404, 405),
    openapi_extra=graded("documented"),
)
async def cancel(
    context: Here, account: FuseUser, application_id: Number, deployment_id: Number
) -> Response:
    """Cancel whatever is pending of a deployment."""
    group = _group_of(context, account, application_id, deployment_id)
    await context.sandbox.cancel(account.tenant, group)
    return Response(status_code=202)
