"""DEV: one call, or a campaign of many, by form and with answers in XML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Form as FormBody
from starlette.responses import Response

from outsim.live.http.answers import (
    XML,
    XmlResponse,
    xml_attribute,
    xml_document,
    xml_element,
    xml_text,
)
from outsim.live.http.context import Context, Here, LostAnswer, ignored_of, is_of, noted
from outsim.live.http.fields import (
    CallOptions,
    QueueCall,
    QueueCalls,
    contacts_of,
    one_contact,
)
from outsim.live.http.grades import graded
from outsim.live.http.seen import note_fields
from outsim.live.inputs import Submit
from outsim.live.views import Submitted
from outsim.scenario.accounts import Account
from outsim.vocabulary import FIRST_CALL_ID

GROUP = "default"
"""The default campaign of an account: what single calls belong to."""


def _xml(root: str, example: str, grade: str) -> dict[str, Any]:
    schema = {"type": "string", "description": f"XML, root `{root}`", "x-grade": grade}
    return {
        "description": "The calls are queued",
        "content": {XML: {"schema": schema, "example": example}},
    }


_FAILED: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {XML: {"schema": {"type": "string"}}}}
    for status, meaning in {
        400: "A field is missing or wrong, or a page did not answer its pre-flight GET",
        401: "Login or PIN is wrong",
        409: "The account has a campaign of this name",
        500: "Database error: on order, `intake_500`",
        413: "The request is too large",
        429: "Intake is full",
        503: "Intake is full",
    }.items()
}
ONE = '<queuecall status="queued" call_id="100000001"><login>...</login>...</queuecall>'
MANY = '<queuecalls status="queued" calls="2"><call row="1" call_id="100000001"/>...</queuecalls>'


router = APIRouter(prefix="/webservice", tags=["DEV"])


def _let_in(request: Request, context: Context, options: CallOptions) -> Account:
    note = noted(request)
    if note is not None:
        given = options.model_dump(exclude_none=True)
        note_fields(note, given, type(options).model_fields)
    account = context.logins.by_pin(options.login, options.pin)
    is_of(request, account)
    return account


def _submission(context: Context, account: Account, options: CallOptions, **more: Any) -> Submit:
    terms = options.terms(context.sandbox.clock)
    return Submit(
        tenant=account.tenant,
        start=terms.start,
        expires=terms.expires,
        max_retry=terms.max_retry,
        retry_interval_s=terms.retry_interval_s,
        result_url=options.result_url,
        extra=options.kept(),
        **more,
    )


@router.post(
    "/queuecall.php",
    summary="Queue one call",
    response_class=XmlResponse,
    responses={200: _xml("queuecall", ONE, "documented"), **_FAILED},
    openapi_extra=graded("documented"),
)
async def queuecall(
    request: Request, context: Here, call: Annotated[QueueCall, FormBody()]
) -> Response:
    """Put one call into the default campaign of the account."""
    account = _let_in(request, context, call)
    contacts = one_contact(call.phone_number)
    wanted = _submission(context, account, call, group=GROUP, contacts=contacts)
    taken = await context.take(wanted)
    if context.loses_answer(wanted):
        return LostAnswer()
    names = ("login", "pin", "phone_number", "start_url")
    return XmlResponse(
        xml_document(
            "queuecall",
            {"status": "queued", "call_id": FIRST_CALL_ID + taken.call_ids[0]},
            "".join(xml_element(name, getattr(call, name)) for name in names) + _ignored(request),
        )
    )


@router.post(
    "/queuecalls.php",
    summary="Queue many calls",
    response_class=XmlResponse,
    responses={200: _xml("queuecalls", MANY, "inferred"), **_FAILED},
    openapi_extra=graded("documented"),
)
async def queuecalls(
    request: Request,
    context: Here,
    calls: Annotated[QueueCalls, FormBody(media_type="multipart/form-data")],
) -> Response:
    """Make a campaign of a list of numbers."""
    wanted, taken = await queue_list(context, _let_in(request, context, calls), calls)
    if context.loses_answer(wanted):
        return LostAnswer()
    attributes = {
        "status": "queued",
        "campaign_name": taken.campaign,
        "calls": len(taken.call_ids) - len(taken.rejected),
        "rejected": len(taken.rejected),
    }
    content = "".join(_calls(taken, wanted.contacts)) + _ignored(request)
    return XmlResponse(xml_document("queuecalls", attributes, content))


def _ignored(request: Request) -> str:
    """An element for each field that means nothing here."""
    return "".join(
        f"<ignored name={xml_attribute(name)} nearest={xml_attribute(near)}/>"
        for name, near in ignored_of(request).items()
    )


async def queue_list(
    context: Context, account: Account, calls: QueueCalls
) -> tuple[Submit, Submitted]:
    """Make a campaign of an account's list: what was handed in, and what became of it."""
    contacts = await contacts_of("phone_number_list", calls.phone_number_list)
    name = calls.campaign_name
    wanted = _submission(context, account, calls, campaign=name, group=name, contacts=contacts)
    return wanted, await context.take(wanted, "phone_number_list")


def _calls(taken: Submitted, contacts: str) -> Iterator[str]:
    """An element for each row of the list: its call, or why there is none."""
    reasons = {rejected.row: rejected for rejected in taken.rejected}
    numbers = _numbers(contacts, len(taken.call_ids))
    for row, call_id in enumerate(taken.call_ids):
        rejected = reasons.get(row)
        if rejected is not None:
            yield (
                f'<rejected row="{row + 1}" phone_number={xml_attribute(rejected.text)}>'
                f"{xml_text(rejected.reason)}</rejected>"
            )
        else:
            number = f" phone_number={xml_attribute(numbers[row])}" if numbers else ""
            yield f'<call row="{row + 1}" call_id="{FIRST_CALL_ID + call_id}"{number}/>'


def _numbers(contacts: str, rows: int) -> list[str]:
    """Destinations as they were written; none where it is unsure which row is which."""
    try:
        read = [row[0] if row else "" for row in csv.reader(io.StringIO(contacts))][1:]
    except csv.Error:
        return []
    while len(read) > rows and not read[-1]:
        read.pop()
    return read if len(read) == rows else []
