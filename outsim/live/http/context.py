"""What all endpoints share: the sandbox, who may log in, and what was seen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import Depends
from fastapi import Request as HttpRequest
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from outsim.errors import SandboxError
from outsim.live.http.answers import RefusedError
from outsim.live.http.logins import Logins
from outsim.live.http.seen import Request, Requests
from outsim.live.inbox import Inbox
from outsim.live.inputs import INTAKE, FaultKind, Submit
from outsim.live.pages import PageError, Pages
from outsim.live.posts import Posts
from outsim.live.sandbox import Sandbox
from outsim.live.variations import Day, draw_day
from outsim.live.views import CallView, Submitted
from outsim.scenario.accounts import Account
from outsim.vocabulary import FIRST_CALL_ID

PREFLIGHT_US = 5_000_000
STATUSES = {
    "invalid": 400,
    "outside": 400,
    "unknown": 404,
    "conflict": 409,
    "rate": 429,
    "full": 503,
}
"""HTTP status by the reason of an error of the sandbox."""


@dataclass(frozen=True)
class Settings:
    """How the interface behaves where the platform's pages contradict each other, or say nothing.

    Attributes
    ----------
    pacing_api : bool
        Whether there is a scheduling and pacing interface; its bodies are not documented.
    start_method : str
        How start_url is fetched.
    failed_status : int, optional
        HTTP status of DEV answers with status ``failed``; default: by the reason.
    most_body : int
        Bytes of a request at most.
    body_s : float
        Wall-clock seconds in which the body of a request must be there.
    any_host : bool
        Whether a request may name any host as ours, and come from pages of other hosts.
    """

    pacing_api: bool = False
    start_method: Literal["POST", "GET"] = "POST"
    failed_status: int | None = None
    most_body: int = 32 * 1024 * 1024
    body_s: float = 60.0
    any_host: bool = False


@dataclass
class Context:
    """A sandbox and everything around it that answers HTTP."""

    sandbox: Sandbox
    logins: Logins
    pages: Pages
    posts: Posts
    inbox: Inbox
    settings: Settings = field(default_factory=Settings)
    requests: Requests = field(default_factory=Requests)
    _beginning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One day begins at a time, with its faults."""
    day: Day | None = None
    """What is against the customers' applications, if it is varied."""

    def draw_day(self, seed: int | None, kinds: Collection[str]) -> Day:
        """The day of a seed, with what it has of these variations."""
        return draw_day(self.sandbox.base, self.sandbox.seed if seed is None else seed, kinds)

    async def begin(self, day: Day) -> None:
        """Begin anew, on this day."""
        async with self._beginning:
            self.day = day
            await self.sandbox.reset(day.seed, day.scenario(self.sandbox.base))
            for variation in day.variations:
                for fault in variation.faults:
                    await self.sandbox.order_fault(fault)
            self.inbox.clear()
            self.posts.clear()
            self.requests.clear()
            await self.inbox.durable()

    async def take(self, submission: Submit, list_field: str = "") -> Submitted:
        """Hand in calls, unless intake is full or a page of theirs does not answer.

        Errors of the list name the field that it came by.

        Raises
        ------
        RefusedError
            If they are not taken.
        """
        whom = {"tenant": submission.tenant, "campaign": submission.campaign}
        for kind, (status, words) in _INTAKE.items():
            fault = self.sandbox.strikes(kind, **whom)
            if fault is not None:
                raise RefusedError(
                    fault.status or status,
                    words,
                    headers=LATER if words == _FULL else {},
                )
        pages = {
            "start_url": submission.extra.get("start_url"),
            "result_url": submission.result_url,
        }
        named = {url: field for field, url in reversed(pages.items()) if url}
        await self._preflight(submission.tenant, named)
        try:
            return await self.sandbox.submit(submission)
        except SandboxError as error:
            refusal = refusal_of(error)
            words, is_of_list = _OF_LIST.subn(rf"{list_field}, line \1: ", refusal.reason)
            near = "a number on each line, or a CSV whose first header is destination"
            raise RefusedError(
                refusal.status, words, near if is_of_list else "", refusal.headers
            ) from None

    async def _preflight(self, tenant: str, pages: Mapping[str, str]) -> None:
        """Ask each page whether it is there; errors name the field that it came by."""
        for url, name in pages.items():
            try:
                self.pages.hosts.check(url)
            except PageError as error:
                raise RefusedError(400, f"{name}: found {url!r}; {error}") from None
            if self.sandbox.strikes("preflight", tenant=tenant, endpoint=url) is not None:
                raise RefusedError(400, f"{name}: the pre-flight GET of {url} failed, as ordered")
            exchange = await self.pages.get(url, self.sandbox.limit_s(PREFLIGHT_US))
            if exchange.status != 200:
                found = exchange.error or f"status {exchange.status}"
                raise RefusedError(
                    400,
                    f"{name}: the pre-flight GET of {url} must be answered with 200; found "
                    f"{found}",
                    "a page that answers 200, such as /inbox/NAME of the sandbox itself",
                )

    def loses_answer(self, submission: Submit) -> bool:
        """Whether the answer to calls that were taken is lost, as ordered."""
        fault = self.sandbox.strikes(
            "answer_lost",
            tenant=submission.tenant,
            campaign=submission.campaign,
            endpoint=INTAKE,
        )
        return fault is not None

    def call(self, public_id: int) -> CallView:
        """A call by the number that its customer knows, whoever that is.

        Raises
        ------
        RefusedError
            If there is none.
        """
        try:
            return self.sandbox.call(public_id - FIRST_CALL_ID)
        except SandboxError:
            raise RefusedError(404, f"call_id: there is no call {public_id}") from None

    def call_of(self, account: Account, public_id: int) -> CallView:
        """A call by the number that its customer knows.

        Raises
        ------
        RefusedError
            If there is none, or it is another account's.
        """
        call = self.call(public_id)
        if call.tenant != account.tenant:
            raise RefusedError(403, f"call {public_id} is another account's")
        return call


_OF_LIST = re.compile(r"^contacts:([0-9]+): ")
"""How an error of a contact list begins."""
LATER = {"Retry-After": "1"}
"""Headers of an answer to a request that may be taken a little later."""
_FULL = "the platform takes no calls at the moment; try again later"
_INTAKE: dict[FaultKind, tuple[int, str]] = {
    "intake_409": (409, "the user, the deployment or the application was deleted"),
    "intake_429": (429, _FULL),
    "intake_500": (500, "database error"),
    "intake_503": (503, _FULL),
}
"""Faults that take no calls: status and words of the answer."""


def refusal_of(error: SandboxError) -> RefusedError:
    """An error of the sandbox as an answer."""
    headers = LATER if error.reason in ("rate", "full") else {}
    return RefusedError(STATUSES.get(error.reason, 400), str(error), headers=headers)


def noted(request: HttpRequest) -> Request | None:
    """What is noted of a client's request, if it is."""
    found = request.scope.get("outsim.request")
    return found if isinstance(found, Request) else None


def ignored_of(request: HttpRequest) -> dict[str, str]:
    """Fields of a request that mean nothing here, with the nearest known one."""
    note = noted(request)
    return {} if note is None else note.ignored


def is_of(request: HttpRequest, account: Account) -> None:
    """Note whose a request is."""
    note = noted(request)
    if note is not None:
        note.tenant = account.tenant


def context_of(request: HttpRequest) -> Context:
    """The context of the application that a request is for."""
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


Here = Annotated[Context, Depends(context_of)]
"""Parameter of an endpoint: its context."""

UNAUTHORIZED = {"WWW-Authenticate": 'Basic realm="outsim"'}
_by_key = HTTPBasic(auto_error=False, scheme_name="Fuse login")
_by_pin = HTTPBasic(auto_error=False, scheme_name="DEV login")


def _basic(
    request: HttpRequest,
    given: HTTPBasicCredentials | None,
    found: Callable[[str, str], Account],
    secret: str,
) -> Account:
    if given is None:
        raise RefusedError(
            401,
            f"give login and {secret} by HTTP Basic",
            f"Authorization: Basic, login and {secret} as the ready line has them",
            UNAUTHORIZED,
        )
    try:
        account = found(given.username, given.password)
    except RefusedError as refusal:
        raise RefusedError(401, refusal.reason, refusal.nearest, UNAUTHORIZED) from None
    is_of(request, account)
    return account


def _fuse_user(
    request: HttpRequest,
    context: Here,
    given: Annotated[HTTPBasicCredentials | None, Depends(_by_key)],
) -> Account:
    return _basic(request, given, context.logins.by_developer_key, "developer key")


def _dev_user(
    request: HttpRequest,
    context: Here,
    given: Annotated[HTTPBasicCredentials | None, Depends(_by_pin)],
) -> Account:
    return _basic(request, given, context.logins.by_pin, "PIN")


FuseUser = Annotated[Account, Depends(_fuse_user)]
"""Parameter of an endpoint: the account, by HTTP Basic with its developer key."""
DevUser = Annotated[Account, Depends(_dev_user)]
"""Parameter of an endpoint: the account, by HTTP Basic with its PIN."""


class LostAnswer(Response):
    """An answer that never arrives: the connection is cut."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Cut the connection."""
        cut = scope.get("outsim.cut")
        if cut is None:
            raise ConnectionResetError("the answer was lost, as ordered")
        cut()
        while (await receive())["type"] != "http.disconnect":
            pass
