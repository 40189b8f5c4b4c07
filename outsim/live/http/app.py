"""The application: all endpoints, their description, and how refusals are worded."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from outsim._version import __version__
from outsim.errors import SandboxError
from outsim.live.http import call_logs, control, dev, faults, fuse, fuse_logs, looking, pacing
from outsim.live.http.answers import RefusedError, refused
from outsim.live.http.context import Context, Here, noted, refusal_of
from outsim.live.http.gate import Gate
from outsim.live.http.grades import grade_the_rest
from outsim.live.http.seen import note_ignored
from outsim.live.http.wording import of_fields, of_http, parameters_of, unknown_parameters
from outsim.live.page.front import Front

SANDBOX_PATH = "/sandbox/"
DESCRIPTION = """\
A simulated outbound calling platform that answers as the real one does. Everything has a grade, \
`x-grade`: *documented* (public pages state it), *inferred* (they support it), *ours* (the \
sandbox's own). Times are simulated times: see `/sandbox/clock`. In the sandbox's own answers, \
`at`, `now` and whatever ends in `_at` are microseconds since the scenario begins; beside each \
stands the same as local time, `local` or `_local`.
"""


def application(context: Context, front: Front | None = None) -> ASGIApp:
    """Everything that a sandbox answers over HTTP, with its page if it has one."""
    app = FastAPIOffline(
        title="outsim sandbox",
        version=__version__,
        description=DESCRIPTION,
        redoc_url=None,
        strict_content_type=False,
        redirect_slashes=False,
        dependencies=[Depends(_check_query)],
    )
    app.state.context = context
    for part in (dev, fuse, fuse_logs, call_logs, control, faults, looking):
        app.include_router(part.router)
    if context.settings.pacing_api:
        app.include_router(pacing.router)
    app.add_api_route("/health", _health, tags=["Sandbox"], summary="Whether it is there")
    for kind, handler in (
        (RefusedError, _refused),
        (SandboxError, _sandbox_error),
        (RequestValidationError, _invalid),
        (HTTPException, _http_error),
        (Exception, _broken),
    ):
        app.add_exception_handler(kind, handler)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return Gate(app, context, front)


async def _health(context: Here) -> dict[str, Any]:
    """Whether the sandbox is there, and how its clock stands."""
    return {"status": "ok", "version": __version__, "clock": context.sandbox.clock.view.state}


def _description(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        for methods in document["paths"].values():
            for operation in methods.values():
                # A field that is missing or wrong is answered with 400.
                operation["responses"].pop("422", None)
                operation["responses"].setdefault("400", {"description": "It makes no sense"})
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        app.openapi_schema = grade_the_rest(document)
    return app.openapi_schema


def _answer(request: Request, refusal: RefusedError) -> Response:
    context: Context = request.app.state.context
    note = noted(request)
    if note is not None:
        note.reason, note.nearest = refusal.reason, refusal.nearest
    return refused(request, refusal, failed_status=context.settings.failed_status)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return _answer(request, error)


async def _sandbox_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SandboxError)
    return _answer(request, refusal_of(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(request, of_http(request, error))


async def _broken(request: Request, _error: Exception) -> Response:
    return _answer(request, RefusedError(500, "the sandbox failed; its log says where"))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(request, of_fields(request, error))


def _check_query(request: Request) -> None:
    """Refuse what means nothing in an order to the sandbox; the platform ignores it."""
    known = parameters_of(request)
    unknown = [name for name in request.query_params if name not in known]
    note = noted(request)
    if note is not None:
        note_ignored(note, unknown, known)
    elif unknown and request.url.path.startswith(SANDBOX_PATH):
        raise RefusedError(400, unknown_parameters(unknown, known))
